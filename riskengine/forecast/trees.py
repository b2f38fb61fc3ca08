"""Gradient-boosted trees as plain arrays, so that a model file holds no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from ..context import JobContext

#: Rows that walk down the trees together: they stay in the processor's cache.
_CHUNK = 32_768
_FIELDS = ("feature", "limit", "left", "right", "value")


@dataclass(frozen=True)
class Trees:
    """Binary trees over numeric columns; their values add up to a logit.

    Attributes
    ----------
    roots : ndarray of int32, shape (trees,)
        First node of each tree.
    feature : ndarray of int32, shape (nodes,)
        Column that a node looks at; -1 for a leaf.
    limit : ndarray of float32
        Rows at or below it go left.
    left, right : ndarray of int32
        Nodes.
    value : ndarray of float32
        Of a leaf.
    start : float
        Logit before the first tree.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    limit: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    start: float

    def __call__(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits, shape (rows,), of a table of shape (rows, columns)."""
        feature, limit, value = self.feature.tolist(), self.limit, self.value
        left, right = self.left.tolist(), self.right.tolist()
        logits = np.full(len(columns), self.start)
        for low in range(0, len(columns), _CHUNK):
            part = np.ascontiguousarray(columns[low : low + _CHUNK].T)
            sums = logits[low : low + _CHUNK]
            everyone = np.arange(len(sums), dtype=np.int32)
            for root in self.roots.tolist():
                # Rows go down together and part at every node: a few passes over each column and no row by row.
                waiting = [(root, everyone)]
                while waiting:
                    node, rows = waiting.pop()
                    if feature[node] < 0:
                        sums[rows] += value[node]
                    elif len(rows):
                        below = part[feature[node]][rows] <= limit[node]
                        waiting.append((left[node], rows[below]))
                        waiting.append((right[node], rows[~below]))
        return logits

    def state(self) -> dict[str, NDArray[Any]]:
        """As arrays by name."""
        names = ("roots", *_FIELDS, "start")
        return {f"trees_{name}": np.asarray(getattr(self, name)) for name in names}

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]]) -> Trees:
        """From `state`."""
        arrays = {name: np.asarray(state[f"trees_{name}"]) for name in ("roots", *_FIELDS)}
        nodes = len(arrays["feature"])
        inner = arrays["feature"] >= 0
        order = np.arange(nodes)
        # A damaged file must not send a row in circles: every child comes after its parent.
        for side in ("left", "right"):
            child = arrays[side][inner]
            if (child <= order[inner]).any() or (child >= nodes).any():
                raise ValueError("the trees of the model do not hang together")
        return cls(**arrays, start=float(state["trees_start"]))


def fit_trees(
    columns: NDArray[np.float32],
    events: NDArray[np.uint8],
    first: int,
    most: int,
    leaves: int,
    learning_rate: float,
    rising: int,
    seed: int,
    context: JobContext,
) -> Trees:
    """Boost trees by log-loss; their number is chosen on the rows from `first` on, then all rows are fitted.

    Parameters
    ----------
    columns : ndarray, shape (rows, columns)
        In order of time.
    most : int
        Trees, at most.
    rising : int
        The column in which the probability may only rise.
    """
    settings: dict[str, Any] = {
        "learning_rate": learning_rate,
        "max_leaf_nodes": leaves,
        "max_depth": 6,
        "min_samples_leaf": max(200, len(columns) // 2000),
        "l2_regularization": 10.0,
        "monotonic_cst": [int(number == rising) for number in range(columns.shape[1])],
        "random_state": seed,
    }
    trees = most
    if events[:first].any() and events[first:].any():
        context.progress(0.4, "boosting: choosing the number of trees")
        trial = HistGradientBoostingClassifier(max_iter=most, early_stopping=True, n_iter_no_change=10, **settings)
        trial.fit(columns[:first], events[:first], X_val=columns[first:], y_val=events[first:])
        trees = max(trial.n_iter_ - 10, 1)
    context.progress(0.7, f"boosting: {trees} trees")
    model = HistGradientBoostingClassifier(max_iter=trees, early_stopping=False, **settings)
    model.fit(columns, events)
    nodes = [stage[0].nodes for stage in model._predictors]
    roots = np.cumsum([0, *map(len, nodes)])[:-1].astype(np.int32)
    every = np.concatenate(nodes)
    shift = np.repeat(roots, list(map(len, nodes)))
    leaf = every["is_leaf"].astype(bool)
    return Trees(
        roots,
        np.where(leaf, -1, every["feature_idx"]).astype(np.int32),
        _rounded_down(np.where(leaf, 0.0, every["num_threshold"])),
        np.where(leaf, 0, every["left"] + shift).astype(np.int32),
        np.where(leaf, 0, every["right"] + shift).astype(np.int32),
        np.where(leaf, every["value"], 0).astype(np.float32),
        float(np.ravel(model._baseline_prediction)[0]),
    )


def _rounded_down(limits: NDArray[np.float64]) -> NDArray[np.float32]:
    """To float32: a column of float32 lies at or below the result where it lies at or below the limit itself."""
    rounded = limits.astype(np.float32)
    above = rounded.astype(np.float64) > limits
    return np.where(above, np.nextafter(rounded, np.float32(-np.inf)), rounded)
