"""Trees that take categories as they are: what scikit-learn's boosting grew, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from ....forecasters.trees import Trees
from ....ground.damage import ArraySpec, Damaged, check_arrays

#: Levels of a category at most: as many as scikit-learn's trees tell apart.
MOST_LEVELS = 255
#: Numbers that hold the bits of a set.
_WORDS = 8
_ADDED = ("missing", "set", "members")
_SPECS = {
    "trees_missing": ArraySpec("i", ("nodes",), 0, 1),
    "trees_set": ArraySpec("i", ("nodes",), -1),
    "trees_members": ArraySpec("i", ("sets", _WORDS)),
}


@dataclass(frozen=True)
class CategoryTrees(Trees):
    """Trees of which a node may ask for a set of levels, and which know where rows without a value go.

    Attributes
    ----------
    missing : ndarray of int32, shape (nodes,)
        1 where rows without a value go left.
    set : ndarray of int32, shape (nodes,)
        Row of `members` of a node that asks for a set; -1 for one that compares.
    members : ndarray of int32, shape (sets, 8)
        The bits of the levels that go left.
    """

    missing: NDArray[np.int32]
    set: NDArray[np.int32]
    members: NDArray[np.int32]

    def find_left(self, node: int, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Find which values of its column a node sends left."""
        absent = np.isnan(values)
        if self.set[node] < 0:
            left = values <= self.limit[node]
        else:
            bits = np.unpackbits(self.members[self.set[node]].astype("<i4").view(np.uint8), bitorder="little")
            left = bits[np.clip(np.where(absent, 0, values), 0, len(bits) - 1).astype(np.uint8)] > 0
        return np.asarray(np.where(absent, self.missing[node] > 0, left))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the trees as arrays by name."""
        return super().state() | {f"trees_{name}": getattr(self, name) for name in _ADDED}

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], columns: int) -> CategoryTrees:
        """Make trees of their `state`, over tables of so many columns.

        Raises
        ------
        Damaged
        """
        plain = Trees.restore(state, columns)
        check_arrays(_SPECS, state, {"nodes": len(plain.feature)})
        if len(plain.roots) + 2 * (plain.feature >= 0).sum() != len(plain.feature):
            raise Damaged("trees_roots leave nodes that no row comes to")
        if (np.asarray(state["trees_set"]) >= len(state["trees_members"])).any():
            raise Damaged("trees_set leads nowhere")
        added: dict[str, Any] = {name: np.asarray(state[f"trees_{name}"], dtype=np.int32) for name in _ADDED}
        return cls(**{field.name: getattr(plain, field.name) for field in fields(Trees)}, **added)


def flatten_category_trees(model: HistGradientBoostingClassifier) -> CategoryTrees:
    """Turn a fitted model of two classes into trees.

    Parameters
    ----------
    model : HistGradientBoostingClassifier
        Fitted on a table whose first columns are its categories, each with levels 0, 1, … of which none is left out.
    """
    grown = [stage[0] for stage in model._predictors]
    nodes = np.concatenate([tree.nodes for tree in grown])
    lengths = [len(tree.nodes) for tree in grown]
    sets = [len(tree.raw_left_cat_bitsets) for tree in grown]
    roots = np.cumsum([0, *lengths])[:-1].astype(np.int32)
    shift = np.repeat(roots, lengths)
    leaf = nodes["is_leaf"].astype(bool)
    asks = nodes["is_categorical"].astype(bool) & ~leaf
    bits = np.concatenate([tree.raw_left_cat_bitsets for tree in grown])
    return CategoryTrees(
        roots=roots,
        feature=np.where(leaf, -1, nodes["feature_idx"]).astype(np.int32),
        limit=_round_down(np.where(leaf | asks, 0.0, nodes["num_threshold"])),
        left=np.where(leaf, 0, nodes["left"] + shift).astype(np.int32),
        right=np.where(leaf, 0, nodes["right"] + shift).astype(np.int32),
        value=np.where(leaf, nodes["value"], 0).astype(np.float32),
        start=float(np.ravel(model._baseline_prediction)[0]),
        missing=(nodes["missing_go_to_left"].astype(bool) & ~leaf).astype(np.int32),
        set=np.where(
            asks, nodes["bitset_idx"].astype(np.int64) + np.repeat(np.cumsum([0, *sets])[:-1], lengths), -1
        ).astype(np.int32),
        members=bits.view(np.int32),
    )


def _round_down(limits: NDArray[np.float64]) -> NDArray[np.float32]:
    """The next number of half the digits that is not above: tables of such numbers are cut at the same place."""
    rounded = limits.astype(np.float32)
    return np.where(rounded > limits, np.nextafter(rounded, np.float32(-np.inf)), rounded).astype(np.float32)
