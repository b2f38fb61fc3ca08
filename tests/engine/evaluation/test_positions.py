"""Work at positions of the grid: the same alone and side by side, in order, and one that fails stops no other."""

from __future__ import annotations

import sys
import tempfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.incidents import incidents_of
from kit.maps import make_stack
from kit.positions import describe_counts, die_on_wide_cells, fail_on_wide_cells, work_for_ever

from riskengine.evaluation.offsets import choose_counted, move_grid
from riskengine.evaluation.positions import Position, run_positions
from riskengine.ground.errors import Cancelled, DataError
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import count_incidents
from riskengine.maps.sparsecounts import SparseCounts

GIVEN, HALF, TWICE = Position(), Position(times=0.5), Position(0.25, 0.5, 2.0)


@pytest.fixture(scope="module")
def town() -> Heatmaps:
    """Forty days of a place with an incident here and there, in cells of 100 m; a corner is no part of it."""
    random = np.random.default_rng(3)
    mask = np.ones((9, 11), dtype=bool)
    mask[:2, :2] = False
    return make_stack((random.poisson(0.05, (40, 9, 11)) * mask).astype(np.uint8), mask, cell=100.0)


def test_half_and_twice_the_cell_hold_the_same_incidents(town: Heatmaps) -> None:
    incidents = incidents_of(town)
    half, twice = (move_grid(town, incidents, 0.0, 0.0, times) for times in (0.5, 2.0))
    assert (half.grid.cell, half.grid.shape, half.mask.sum()) == (50.0, (18, 22), 4 * town.mask.sum())
    assert (twice.grid.cell, twice.grid.shape) == (200.0, (5, 6))
    for each in (half, twice):
        whole, left_out = count_incidents(incidents, each.grid, each.edges)
        assert left_out == 0
        assert np.array_equal(whole.sum(axis=(1, 2)), town.counts.sum(axis=(1, 2)))
    assert np.array_equal(half.counts.sum(axis=0).reshape(9, 2, 11, 2).sum(axis=(1, 3)), town.counts.sum(axis=0))


def test_a_moved_grid_reads_no_counts_and_makes_sparse_ones(town: Heatmaps) -> None:
    incidents = incidents_of(town)
    moved = move_grid(replace(town, counts=town.counts[:0]), incidents, 0.3, 0.6)
    assert isinstance(moved.counts, SparseCounts)
    dense, _ = count_incidents(incidents, moved.grid, moved.edges, moved.mask)
    assert np.array_equal(moved.counts, dense)
    assert moved.counts.dtype == dense.dtype


@pytest.mark.parametrize("binary", [False, True])
def test_sparse_counting_gives_the_counts_there_are(town: Heatmaps, binary: bool) -> None:
    twice = incidents_of(town)
    twice = twice.select(np.r_[np.arange(len(twice)), np.arange(len(twice))])
    for mask in (None, town.mask, np.zeros_like(town.mask)):
        sparse, outside = count_incidents(twice, town.grid, town.edges, mask, binary, sparse=True)
        dense, as_before = count_incidents(twice, town.grid, town.edges, mask, binary)
        assert isinstance(sparse, SparseCounts)
        assert np.array_equal(sparse, dense)
        assert sparse.dtype == dense.dtype
        assert outside == as_before
    busy = make_stack(np.ones((3, 4, 4), dtype=np.uint8))
    assert isinstance(count_incidents(incidents_of(busy), busy.grid, busy.edges, sparse=True)[0], np.ndarray)


def test_it_is_the_same_alone_and_side_by_side(town: Heatmaps) -> None:
    incidents, positions = incidents_of(town), [GIVEN, HALF, TWICE, Position(0.9, 0.1)]
    alone, together = (
        list(run_positions(town, incidents, positions, describe_counts, workers=workers)) for workers in (1, 2)
    )
    assert [each.position for each in together] == positions
    assert [each.result for each in together] == [each.result for each in alone]
    for each in together:
        assert each.result is not None
        moved = move_grid(town, incidents, *each.position)
        west, cell, shape, sparse, totals = each.result
        assert (west, cell, shape, sparse) == (moved.grid.west, moved.grid.cell, moved.grid.shape, True)
        assert totals == [int(band.sum()) for band in moved.counts]


@pytest.mark.parametrize("workers", [1, 2])
def test_one_that_fails_is_a_sentence_and_the_others_go_on(town: Heatmaps, workers: int) -> None:
    context = Recorder()
    placed = list(run_positions(town, incidents_of(town), [GIVEN, TWICE, HALF], fail_on_wide_cells, context, workers))
    assert [each.result for each in placed] == [100.0, None, 50.0]
    assert [each.failure for each in placed] == ["", "It failed unexpectedly (ValueError: too wide).", ""]
    assert context.shares == sorted(context.shares)
    assert context.texts[-1].startswith("Grid position 3 of 3")


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_a_killed_process_costs_its_position_alone(town: Heatmaps) -> None:
    context = Recorder()
    positions = [GIVEN, TWICE, HALF, Position(0.5, 0.5)]
    placed = list(run_positions(town, incidents_of(town), positions, die_on_wide_cells, context, 2))
    assert [each.result for each in placed] == [100.0, None, 50.0, 100.0]
    assert placed[1].failure == "Its process was ended from outside, probably because memory ran out."
    assert context.entries[0] == (
        "warning",
        "A process ended unexpectedly; the rest is done by one at a time.",
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_cancel_stops_it_and_leaves_nothing(
    town: Heatmaps, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    context = Recorder(cancel_when=lambda seen: len(seen.shares) > 3)
    with pytest.raises(Cancelled):
        list(run_positions(town, incidents_of(town), [GIVEN, HALF, TWICE], work_for_ever, context, workers))
    assert not list(tmp_path.iterdir())


def test_a_script_that_stops_listening_leaves_nothing(
    town: Heatmaps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    placed = run_positions(town, incidents_of(town), [GIVEN, HALF, TWICE], describe_counts, workers=2)
    assert next(placed).position == GIVEN
    placed.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("binary", [False, True])
def test_nothing_dense_is_made_where_incidents_are_looked_up(binary: bool) -> None:
    places, shape = 150_000 * np.arange(300), (60, 900, 900)
    counts = SparseCounts.place(places, np.repeat([2, 1], [100, 200]).astype(np.uint8), shape)
    days = make_stack(np.zeros((60, 1, 1), dtype=np.uint8))
    wide = replace(days, counts=counts, mask=np.ones(shape[1:], dtype=bool), support=Grid(0, 900, 1, 900, 900, ""))
    incidents = incidents_of(wide)
    twos = SparseCounts.place(places[:100], np.ones(100, dtype=np.uint8), shape)
    tracemalloc.start()
    try:
        if binary:
            with pytest.raises(DataError, match="binary maps of cells with 2 incidents or more"):
                choose_counted(incidents, replace(wide, counts=twos, binary=True))
        else:
            assert len(choose_counted(incidents, wide)) == 400
        assert tracemalloc.get_traced_memory()[1] < counts.size / 3
    finally:
        tracemalloc.stop()
