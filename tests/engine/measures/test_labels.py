"""The six labels, worked out by hand on maps small enough to draw."""

from __future__ import annotations

import math

import numpy as np
import pytest

from riskengine.maps.risk import classify
from riskengine.measures.labels import (
    LABELS,
    compute_percentile_limits,
    compute_tradeoff,
    count_border_hits,
    flag,
    label_maps,
    mark_outer_ring,
)


def maps(*rows: str) -> np.ndarray:
    """One map: # is set."""
    return np.array([[[cell == "#" for cell in row] for row in rows]])


EVERYWHERE = np.ones((5, 5), dtype=bool)


def test_every_label_on_one_map() -> None:
    flagged = maps("#....", ".....", "..#..", ".....", "#....")
    crimes = maps("#....", "..#..", ".....", "....#", ".....")
    # Correct at the upper left. The crime right above the flag in the middle has it for a neighbour, the one at the
    # lower right is one cell too far. The flag in the middle has a crime beside it, the one at the lower left none.
    labels = label_maps(flagged, crimes, EVERYWHERE)[0]
    expected = np.zeros((5, 5), dtype=int)
    expected[0, 0] = LABELS.index("correct")
    expected[1, 2] = LABELS.index("false negative, neighbour")
    expected[3, 4] = LABELS.index("false negative")
    expected[2, 2] = LABELS.index("false positive, neighbour")
    expected[4, 0] = LABELS.index("false positive")
    assert np.array_equal(labels, expected)


@pytest.mark.parametrize(("row", "column"), [(r, c) for r in range(3) for c in range(3) if (r, c) != (1, 1)])
def test_all_eight_neighbours_count(row: int, column: int) -> None:
    flagged, crimes = np.zeros((1, 3, 3), bool), np.zeros((1, 3, 3), bool)
    flagged[0, row, column] = crimes[0, 1, 1] = True
    labels = label_maps(flagged, crimes, np.ones((3, 3), bool))[0]
    assert labels[1, 1] == 3
    assert labels[row, column] == 5


def test_the_grid_does_not_wrap_round() -> None:
    flagged, crimes = maps("#..."), maps("...#")
    assert label_maps(flagged, crimes, np.ones((1, 4), bool)).tolist() == [[[4, 0, 0, 2]]]


def test_a_neighbour_outside_the_study_area_does_not_exist() -> None:
    flagged, crimes, mask = maps("#.#"), maps(".#."), np.array([[False, True, True]])
    assert label_maps(flagged, crimes, mask).tolist() == [[[255, 3, 5]]]
    mask = np.array([[False, True, False]])
    assert label_maps(flagged, crimes, mask).tolist() == [[[255, 2, 255]]]
    # Nor does a crime outside make a false positive a neighbour's.
    assert label_maps(maps(".#"), maps("#."), np.array([[False, True]])).tolist() == [[[255, 4]]]


def test_neighbours_are_of_the_same_map() -> None:
    flagged = np.concatenate([maps("#."), maps("..")])
    crimes = np.concatenate([maps(".."), maps(".#")])
    assert label_maps(flagged, crimes, np.ones((1, 2), bool)).tolist() == [[[4, 0]], [[0, 2]]]


def test_the_two_readings_of_the_percentile_differ() -> None:
    risk = np.array([[[0.1, 0.2, 0.3, 0.4]], [[0.5, 0.6, 0.7, 0.8]]])
    # numpy's linear percentiles: half of the stack lies above 0.45, half of each map above 0.25 and 0.65.
    stack, each = (compute_percentile_limits(risk, [50], over) for over in ("stack", "map"))
    assert stack == pytest.approx([0.45])
    assert each == pytest.approx(np.array([[0.25, 0.65]]))
    assert flag(risk, stack[0]).sum(axis=(1, 2)).tolist() == [0, 4]
    assert flag(risk, each[0]).sum(axis=(1, 2)).tolist() == [2, 2]


def test_ties_at_the_percentile_are_not_flagged() -> None:
    risk = np.array([[[0.1, 0.5, 0.5, 0.5]]])
    assert not flag(risk, compute_percentile_limits(risk, [75], "stack")[0]).any()
    assert not flag(np.full((1, 2, 2), 0.3), compute_percentile_limits(np.full((1, 2, 2), 0.3), [85], "map")[0]).any()


@pytest.mark.parametrize("over", ["stack", "map"])
def test_flagged_is_what_the_risk_classes_put_above_the_percentile(over: str) -> None:
    risk = (np.random.default_rng(8).integers(0, 30, (5, 6, 7)) / 30).astype(np.float32)
    risk[:, 0, :2] = np.nan
    limit = compute_percentile_limits(risk[:, ~np.isnan(risk[0])], [90.0], over)[0]  # type: ignore[arg-type]
    each = [classify(band, np.atleast_1d(one)) for band, one in zip(risk, np.broadcast_to(limit, 5), strict=True)]
    assert np.array_equal(flag(risk, limit), np.stack(each) == 1)


def test_cells_outside_are_never_flagged() -> None:
    risk = np.array([[[np.nan, 0.1, 0.9]]], dtype=np.float32)
    assert flag(risk, compute_percentile_limits(risk[:, risk[0] == risk[0]], [50], "stack")[0]).tolist() == [
        [[False, False, True]]
    ]


def test_rates_of_the_trade_off_by_hand() -> None:
    # Ten cells in a row; above the 85th percentile (position 7.65 of 0..9) lie the cells of risk 0.8 and 0.9.
    risk = np.array([[[0.9, 0.0, 0.1, 0.2, 0.3, 0.8, 0.4, 0.5, 0.6, 0.7]]])
    crimes = maps("#...#....#")
    (row,) = compute_tradeoff(risk, crimes, np.ones((1, 10), bool), [85.0])
    # Correct at 0; the crime at 4 is beside the flag at 5; the one at 9 is missed.
    assert row.cells == (6, 1, 1, 1, 0, 1)
    assert (row.flagged, row.events) == (2, 3)
    assert row.accuracy == pytest.approx(7 / 10)
    assert row.caught_or_near == pytest.approx(2 / 3)
    assert row.missed == pytest.approx(1 / 3)
    assert row.caught == pytest.approx(1 / 3)
    assert row.precision == pytest.approx(1 / 2)
    assert row.rates["false positive, neighbour"] == pytest.approx(1 / 10)


@pytest.mark.parametrize("over", ["stack", "map"])
def test_the_trade_off_counts_what_the_labels_show(over: str) -> None:
    random = np.random.default_rng(4)
    risk = random.random((7, 6, 9)).astype(np.float32)
    crimes, mask = random.random((7, 6, 9)) < 0.2, random.random((6, 9)) < 0.8
    risk[:, ~mask] = np.nan
    rows = compute_tradeoff(risk, crimes, mask, [85.0, 95.0], over)  # type: ignore[arg-type]
    for row in rows:
        limit = compute_percentile_limits(risk[:, mask], [row.percentile], over)[0]  # type: ignore[arg-type]
        labels = label_maps(flag(risk, limit), crimes, mask)
        assert row.cells == tuple(int((labels == code).sum()) for code in range(6))
        assert sum(row.cells) == 7 * mask.sum()
        assert row.caught_or_near + row.missed == pytest.approx(1)
    assert rows[0].flagged > rows[1].flagged


def test_rates_that_do_not_exist_are_nan() -> None:
    (row,) = compute_tradeoff(np.full((1, 2, 2), 0.1), np.zeros((1, 2, 2), bool), np.ones((2, 2), bool), [95.0])
    assert row.accuracy == 1
    assert all(map(math.isnan, (row.missed, row.caught_or_near, row.precision)))


def test_the_outer_ring_follows_the_study_area() -> None:
    assert mark_outer_ring(EVERYWHERE).sum() == 16
    mask = EVERYWHERE.copy()
    mask[2, 2] = False
    # With a hole in the middle every cell touches what is outside.
    assert np.array_equal(mark_outer_ring(mask), mask)


def test_hits_near_the_border_by_hand() -> None:
    counts = np.zeros((2, 5, 5), dtype=np.uint8)
    counts[0, 0, 0], counts[0, 2, 2], counts[1, 2, 2], counts[1, 4, 1] = 3, 2, 1, 4
    flagged = np.zeros((2, 5, 5), dtype=bool)
    flagged[0, 0, 0] = flagged[1, 2, 2] = True
    border = count_border_hits(flagged, counts, EVERYWHERE)
    assert (border.cells, border.ring_cells) == (25, 16)
    assert (border.incidents, border.ring_incidents, border.caught, border.ring_caught) == (10, 7, 4, 3)
    assert (border.cell_share, border.incident_share, border.caught_share) == pytest.approx((16 / 25, 0.7, 0.75))
