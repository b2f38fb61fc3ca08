"""Which places are flagged for a catch, what the best choice would have been, and how many stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskengine.measures.places import choose_whole, count_most, flag_places, measure_stability

EXPECTED = arrays(np.float64, st.integers(1, 40), elements=st.integers(0, 5).map(float))


def test_by_hand_cells_are_whole_and_ties_at_the_edge_share_what_is_left() -> None:
    # 45 % of ten cells are four whole ones: the two best, and three that tie share the two that are left.
    expected = np.array([9.0, 4.0, 4.0, 7.0, 4.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    parts = flag_places(expected, np.ones(10), 0.45, whole=True)
    assert parts.tolist() == pytest.approx([1, 2 / 3, 2 / 3, 1, 2 / 3, 0, 0, 0, 0, 0])


def test_by_hand_areas_rank_by_what_is_expected_per_size_and_the_last_is_flagged_in_part() -> None:
    # 6 expected on 4 km², 3 on 1 km², 2 on 2 km², 1 on 3 km²: 1.5, 3, 1 and 1/3 a km². 60 % of 10 km² are 6 km².
    parts = flag_places(np.array([6.0, 3.0, 2.0, 1.0]), np.array([4.0, 1.0, 2.0, 3.0]), 0.6, whole=False)
    assert parts.tolist() == [1.0, 1.0, 0.5, 0.0]


def test_at_least_one_cell_is_flagged_and_one_without_size_never_is() -> None:
    assert flag_places(np.array([1.0, 2.0]), np.ones(2), 0.1, whole=True).tolist() == [0.0, 1.0]
    assert flag_places(np.array([9.0, 1.0]), np.array([0.0, 5.0]), 0.4, whole=False).tolist() == [0.0, 0.4]


def test_where_nothing_is_expected_every_cell_has_the_same_chance() -> None:
    assert flag_places(np.zeros(8), np.ones(8), 0.25, whole=True).tolist() == [0.25] * 8


@given(expected=EXPECTED, share=st.floats(0.01, 1.0), seed=st.integers(0, 9), whole=st.booleans())
def test_what_is_flagged_is_what_was_asked_for_and_nothing_better_is_left_out(
    expected: np.ndarray, share: float, seed: int, whole: bool
) -> None:
    cost = np.ones(len(expected)) if whole else np.random.default_rng(seed).uniform(0.1, 3, len(expected))
    parts = flag_places(expected, cost, share, whole)
    wanted = max(int(share * len(expected) + 1e-9), 1) if whole else share * cost.sum()
    assert parts @ cost == pytest.approx(wanted)
    assert ((parts >= 0) & (parts <= 1)).all()
    worth = expected / cost
    # Nothing that is not wholly flagged is worth more than something that is flagged at all.
    assert worth[parts < 1].max(initial=-1) <= worth[parts > 0].min()
    # Units that tie are alike, in whatever order they come.
    order = np.random.default_rng(seed).permutation(len(expected))
    assert flag_places(expected[order], cost[order], share, whole) == pytest.approx(parts[order])


@given(expected=EXPECTED, share=st.floats(0.01, 1.0), seed=st.integers(0, 9), whole=st.booleans())
def test_who_is_sent_goes_to_what_is_flagged_but_to_none_in_part(
    expected: np.ndarray, share: float, seed: int, whole: bool
) -> None:
    cost = np.ones(len(expected)) if whole else np.random.default_rng(seed).uniform(0.1, 3, len(expected))
    parts, chosen = flag_places(expected, cost, share, whole), choose_whole(expected, cost, share, whole)
    assert set(np.flatnonzero(parts == 1)) <= set(chosen.tolist()) <= set(np.flatnonzero(parts > 0)) | {chosen[0]}
    if whole:
        assert len(chosen) == pytest.approx(parts.sum())
    worth = expected / cost
    assert (np.diff(worth[chosen]) <= 0).all()
    tied = np.flatnonzero(worth == worth[chosen[-1]])
    assert sorted(set(tied) & set(chosen.tolist())) == tied[: len(set(tied) & set(chosen.tolist()))].tolist()


@given(counts=EXPECTED, expected=EXPECTED, share=st.floats(0.01, 1.0), whole=st.booleans())
def test_no_choice_of_as_many_catches_more_than_the_best(
    counts: np.ndarray, expected: np.ndarray, share: float, whole: bool
) -> None:
    expected = np.resize(expected, len(counts))
    cost = np.ones(len(counts)) if whole else 0.5 + np.arange(len(counts)) % 3
    parts = flag_places(expected, cost, share, whole)
    most = count_most(counts, cost, float(parts @ cost))
    assert counts @ parts <= most + 1e-9
    assert counts @ flag_places(counts, cost, share, whole) == pytest.approx(most)


def test_stability_by_hand() -> None:
    parts = np.array([[1.0, 1.0, 0.0], [0.5, 0.0, 1.0], [0.5, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    # Of 3 km² half of the first unit's 2 km² stays; then all; then nothing; of nothing nothing can be said.
    assert measure_stability(parts, np.array([2.0, 1.0, 1.0])) == pytest.approx([1 / 3, 1.0, 0.0, np.nan], nan_ok=True)
    assert measure_stability(parts[:1], np.ones(3)).shape == (0,)
