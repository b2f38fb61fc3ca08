"""Gradient-boosted trees as plain arrays, so that a model file holds no code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ..contract.texts import count_text
from ..ground.context import JobContext
from ..ground.damage import ArraySpec, Damaged, check_arrays

#: Rows that trees are grown on, at most: of a longer table a random part.
MOST_ROWS = 400_000
#: Levels that a column is cut into, by so many of its rows.
_LEVELS, _SAMPLE = 250, 100_000
#: Trees of a round, and rounds without gain after which no more are tried.
ROUND, _PATIENCE = 10, 3
#: Rows that walk down the trees together: they stay in the processor's cache.
_CHUNK = 32_768
#: Rows of a leaf, at least.
_LEAST_LEAF = 40
_FIELDS = ("feature", "limit", "left", "right", "value")
_SPECS = {
    "trees_roots": ArraySpec("i", ("trees",), 0),
    "trees_feature": ArraySpec("i", ("nodes",), -1),
    "trees_limit": ArraySpec("f", ("nodes",)),
    "trees_left": ArraySpec("i", ("nodes",), 0),
    "trees_right": ArraySpec("i", ("nodes",), 0),
    "trees_value": ArraySpec("f", ("nodes",), -1e6, 1e6),
    "trees_start": ArraySpec("f", (), -1e6, 1e6),
}


@dataclass(frozen=True)
class Trees:
    """Binary trees over numeric columns; their values add up.

    Attributes
    ----------
    roots : ndarray of int32, shape (trees,)
        First node of each tree.
    feature : ndarray of int32, shape (nodes,)
        Column that a node reads; -1 for a leaf.
    limit : ndarray of float32
        Rows at or below it go left.
    left, right : ndarray of int32
        Nodes.
    value : ndarray of float32
        Of a leaf.
    start : float
        Added to every row.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    limit: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    start: float

    def __call__(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """Sums, shape (rows,), of a table of shape (rows, columns)."""
        feature, value = self.feature.tolist(), self.value
        left, right = self.left.tolist(), self.right.tolist()
        total = np.full(len(columns), self.start)
        for low in range(0, len(columns), _CHUNK):
            part = np.ascontiguousarray(columns[low : low + _CHUNK].T)
            sums = total[low : low + _CHUNK]
            everyone = np.arange(len(sums), dtype=np.int32)
            for root in self.roots.tolist():
                # Rows go down together and part at every node: a few passes over each column and no row by row.
                waiting = [(root, everyone)]
                while waiting:
                    node, rows = waiting.pop()
                    if feature[node] < 0:
                        sums[rows] += value[node]
                    elif len(rows):
                        below = self.find_left(node, part[feature[node]][rows])
                        waiting.append((left[node], rows[below]))
                        waiting.append((right[node], rows[~below]))
        return total

    def find_left(self, node: int, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Find which values of its column a node sends left."""
        return np.asarray(values <= self.limit[node])

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the trees as arrays by name."""
        names = ("roots", *_FIELDS, "start")
        return {f"trees_{name}": np.asarray(getattr(self, name)) for name in names}

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], columns: int) -> Trees:
        """Make trees of their `state`, over tables of so many columns.

        Raises
        ------
        Damaged
        """
        check_arrays(_SPECS, state)
        arrays = {name: np.asarray(state[f"trees_{name}"]) for name in ("roots", *_FIELDS)}
        nodes = len(arrays["feature"])
        inner = arrays["feature"] >= 0
        order = np.arange(nodes)
        if (arrays["roots"] >= nodes).any() or (arrays["feature"] >= columns).any():
            raise Damaged("trees_roots or trees_feature leads nowhere")
        # A damaged file must not send a row in circles: every child comes after its parent, and has no other.
        for side in ("left", "right"):
            child = arrays[side][inner]
            if (child <= order[inner]).any() or (child >= nodes).any():
                raise Damaged(f"trees_{side} leads in circles")
        reached = np.concatenate([arrays["roots"], arrays["left"][inner], arrays["right"][inner]])
        if len(np.unique(reached)) != len(reached):
            raise Damaged("trees_left or trees_right leads to one node twice")
        return cls(**arrays, start=float(state["trees_start"]))


def fit_trees(
    columns: NDArray[np.float32],
    logits: NDArray[np.float64],
    events: NDArray[np.uint8],
    first: int,
    most: int,
    leaves: int,
    learning_rate: float,
    seed: int,
    context: JobContext,
) -> Trees:
    """Boost what is to be added to `logits`; how far is chosen on the rows from `first` on, then all rows are fitted.

    Trees are grown in rounds. Within one the log-loss is replaced by its second-order expansion around the forecast
    so far, which is least squares with weights; so what is fitted starts at `logits` and not at a constant. With no
    round, where nothing is to be gained, there are no trees and `logits` stay as they are.

    Parameters
    ----------
    columns : ndarray, shape (rows, columns)
        In order of time.
    logits : ndarray, shape (rows,)
        Of the forecast that the trees correct.
    events : ndarray of 0/1, shape (rows,)
    most : int
        Trees, at most.
    """
    if len(columns) > MOST_ROWS:
        some = np.sort(np.random.default_rng(seed).choice(len(columns), MOST_ROWS, replace=False))
        first = int(np.searchsorted(some, first))
        columns, logits, events = columns[some], logits[some], events[some]
    edges = choose_level_edges(columns)
    levels = assign_levels(columns, edges)
    rounds, per_round = max(-(-most // ROUND), 1), min(ROUND, most)

    def grow(until: int, number: int) -> HistGradientBoostingRegressor:
        p = np.clip(expit(current[:until]), 1e-6, 1 - 1e-6)
        spread = p * (1 - p)
        model = HistGradientBoostingRegressor(
            max_iter=per_round,
            early_stopping=False,
            learning_rate=learning_rate,
            max_leaf_nodes=leaves,
            max_depth=6,
            min_samples_leaf=max(100, until // 2000),
            l2_regularization=20.0,
            random_state=seed + number,
        )
        model.fit(levels[:until], (events[:until] - p) / spread, sample_weight=spread)
        return model

    current = logits.copy()
    best, chosen = _loss(current[first:], events[first:]), 0
    if events[:first].any() and events[first:].any():
        for number in range(rounds):
            context.progress(0.2 + 0.5 * number / rounds, "boosting: choosing the number of trees")
            current = current + grow(first, number).predict(levels)
            loss = _loss(current[first:], events[first:])
            if loss < best:
                best, chosen = loss, number + 1
            elif number + 1 >= chosen + _PATIENCE:
                break
    current = logits.copy()
    models = []
    for number in range(chosen):
        context.progress(0.7 + 0.3 * number / chosen, f"boosting: {count_text(chosen * per_round, 'tree')}")
        models.append(grow(len(levels), number))
        current = current + models[-1].predict(levels)
    return flatten_trees(models, edges)


def grow_trees(
    columns: NDArray[np.float32],
    outcome: NDArray[Any],
    weights: NDArray[np.float64] | None,
    trees: int,
    leaves: int,
    learning_rate: float,
    seed: int,
) -> Trees:
    """Grow trees whose sum is the logit of an event; or, of weighted counts, the logarithm of an expected count.

    Parameters
    ----------
    columns : ndarray, shape (rows, columns)
    outcome : ndarray, shape (rows,)
        Events, both kinds of which occur, or counts, one of which is above 0.
    weights : ndarray, shape (rows,), optional
        Of counts, for Poisson's loss; None for events and log-loss.
    trees : int
        Their number.
    """
    edges = choose_level_edges(columns)
    settings: dict[str, Any] = {
        "max_iter": trees,
        "early_stopping": False,
        "learning_rate": learning_rate,
        "max_leaf_nodes": leaves,
        "min_samples_leaf": max(_LEAST_LEAF, len(columns) // 300),
        "l2_regularization": 20.0,
        "random_state": seed,
    }
    kind = HistGradientBoostingClassifier if weights is None else HistGradientBoostingRegressor
    model = kind(**settings, **({} if weights is None else {"loss": "poisson"}))
    model.fit(assign_levels(columns, edges), outcome, sample_weight=weights)
    return flatten_trees([model], edges)


def choose_level_edges(columns: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Choose where each column is cut into at most 250 levels of about as many rows.

    Done here once, because scikit-learn would do it anew in every round, and with weights a hundred times slower.
    """
    some = columns[:: -(-len(columns) // _SAMPLE)]
    shares = np.linspace(0, 1, _LEVELS + 1)[1:-1]
    return [np.unique(np.quantile(some[:, number], shares, method="lower")) for number in range(columns.shape[1])]


def assign_levels(columns: NDArray[np.float32], edges: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Number each value's level: k for those above edge k - 1 and not above edge k."""
    levels = np.empty(columns.shape, dtype=np.float32)
    for number, limits in enumerate(edges):
        levels[:, number] = np.searchsorted(limits, columns[:, number], side="left")
    return levels


def flatten_trees(models: Sequence[Any], edges: list[NDArray[np.float32]]) -> Trees:
    """Turn the sum of scikit-learn's models of levels into trees over the columns themselves."""
    nodes = [stage[0].nodes for model in models for stage in model._predictors]
    lengths = list(map(len, nodes))
    roots = np.cumsum([0, *lengths])[:-1].astype(np.int32)
    if not nodes:
        nothing = np.zeros(0, dtype=np.int32)
        return Trees(roots, nothing, nothing.astype(np.float32), nothing, nothing, nothing.astype(np.float32), 0.0)
    every = np.concatenate(nodes)
    shift = np.repeat(roots, lengths)
    leaf = every["is_leaf"].astype(bool)
    limit = np.zeros(len(every), dtype=np.float32)
    for index in np.flatnonzero(~leaf):
        limit[index] = edges[every["feature_idx"][index]][int(every["num_threshold"][index])]
    return Trees(
        roots,
        np.where(leaf, -1, every["feature_idx"]).astype(np.int32),
        limit,
        np.where(leaf, 0, every["left"] + shift).astype(np.int32),
        np.where(leaf, 0, every["right"] + shift).astype(np.int32),
        np.where(leaf, every["value"], 0).astype(np.float32),
        float(sum(np.ravel(model._baseline_prediction)[0] for model in models)),
    )


def _loss(logits: NDArray[np.float64], events: NDArray[np.uint8]) -> float:
    return float((np.logaddexp(0.0, logits) - events * logits).mean()) if len(logits) else 0.0
