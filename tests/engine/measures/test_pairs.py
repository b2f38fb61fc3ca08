"""Pairs of an event and a non-event within groups: against counting every pair, and against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from riskengine.measures.pairs import auc_within, find_levels, share_ordered

ROWS = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans(), st.integers(-1, 2)), max_size=30)


def count_every_pair(rows: list[tuple[float, bool, int]]) -> float:
    ordered = [
        (p > q) + (p == q) / 2
        for p, event, group in rows
        if event
        for q, other, its_group in rows
        if not other and group == its_group
    ]
    return float(np.mean(ordered)) if ordered else float("nan")


def split(rows: list[tuple[float, bool, int]]) -> tuple[Any, Any, Any]:
    p, o, g = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(p, float), np.array(o, bool), np.array(g, int)


@given(ROWS)
def test_the_auc_within_groups_is_that_of_every_pair(rows: list[tuple[float, bool, int]]) -> None:
    assert auc_within(*split(rows)) == pytest.approx(count_every_pair(rows), nan_ok=True)


@given(ROWS)
def test_it_does_not_change_with_what_is_added_to_all_of_a_group(rows: list[tuple[float, bool, int]]) -> None:
    p, o, g = split(rows)
    assert auc_within(p + 10.0 * g, o, g) == pytest.approx(auc_within(p, o, g), nan_ok=True)


def test_of_one_group_it_is_the_auc() -> None:
    random = np.random.default_rng(1)
    p, o = random.random(500).round(2), random.random(500) < 0.3
    assert auc_within(p, o, np.full(500, 7)) == pytest.approx(roc_auc_score(o, p))


@given(ROWS, st.integers(1, 60))
def test_levels_that_join_keep_equal_probabilities_of_a_group_together(
    rows: list[tuple[float, bool, int]], most: int
) -> None:
    p, _, g = split(rows)
    level = find_levels(p, g, most).level
    of = {}
    for each, number in zip(zip(g.tolist(), p.tolist(), strict=True), level.tolist(), strict=True):
        assert of.setdefault(each, number) == number
    groups = [group for number in np.unique(level) for group in [set(g[level == number].tolist())]]
    assert all(len(group) == 1 for group in groups)


def test_joined_levels_are_few_and_hardly_change_the_share() -> None:
    random = np.random.default_rng(2)
    g = random.integers(0, 20, 20_000)
    p = random.random(20_000)
    o = random.random(20_000) < p
    levels = find_levels(p, g, 1000)
    assert len(levels.start) <= 1020
    joined = share_ordered(levels.count(o), levels.count(~o), levels.start)
    assert float(joined) == pytest.approx(auc_within(p, o, g), abs=1e-3)
