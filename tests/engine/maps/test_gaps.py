"""Filling maps without observations, and binary maps: what is made up, what it may know, and how it is marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.contexts import Recorder
from kit.maps import make_stack

from riskengine.forecasters.baselines import PriorCounts
from riskengine.ground.errors import DataError, ParameterError
from riskengine.jobs import run_job
from riskengine.maps.gaps import binarize, count_quiet_maps, fill_gaps, mark_gaps
from riskengine.maps.heatmaps import Heatmaps, read_heatmaps, write_heatmaps


def one_row(*maps: list[float], observed: list[bool] | None = None, kind: Any = np.uint8) -> Heatmaps:
    """Maps of one row."""
    seen = np.ones(len(maps), dtype=bool) if observed is None else np.array(observed)
    return make_stack(np.array(maps, dtype=kind)[:, None, :], cell=100.0, observed=seen)


GAPPY = one_row([0, 0], [3, 0], [0, 0], [0, 0], [0, 6], [0, 0])


def test_empty_maps_are_gaps() -> None:
    assert mark_gaps(GAPPY).tolist() == [True, False, True, True, False, True]
    assert not mark_gaps(GAPPY, "unobserved").any()


def test_linear_is_the_straight_line_between_observed_maps() -> None:
    filled = fill_gaps(GAPPY, "linear")
    assert filled.counts.dtype == np.float32
    assert filled.counts[:, 0] == pytest.approx(np.array([[0, 0], [3, 0], [2, 2], [1, 4], [0, 6], [0, 0]]))
    assert filled.observed.tolist() == [False, True, False, False, True, False]
    assert filled.filled == "linear"


def test_forward_is_the_last_observed_map() -> None:
    filled = fill_gaps(GAPPY, "forward")
    assert filled.counts[:, 0].tolist() == [[0, 0], [3, 0], [3, 0], [3, 0], [0, 6], [0, 6]]
    assert filled.counts.dtype == np.uint8
    assert filled.observed.tolist() == [False, True, False, False, True, False]


def test_none_only_marks() -> None:
    marked = fill_gaps(GAPPY, "none")
    assert np.array_equal(marked.counts, GAPPY.counts)
    assert marked.observed.sum() == 2
    assert marked.filled == ""


def test_quiet_maps_stay_where_only_the_unobserved_are_gaps() -> None:
    given = one_row([2, 2], [0, 0], [0, 0], [4, 4], observed=[True, True, False, True])
    filled = fill_gaps(given, "linear", "unobserved")
    assert filled.counts[:, 0, 0].tolist() == [2, 0, 2, 4]
    assert filled.observed.tolist() == [True, True, False, True]


def test_a_line_that_was_not_drawn_does_not_look_ahead() -> None:
    """Gaps before the first and after the last observed map have no next or no earlier map to be drawn between."""
    filled = fill_gaps(one_row([0], [1], [2], [0]), "linear")
    assert filled.filled == ""
    assert filled.counts.ravel().tolist() == [0, 1, 2, 0]
    assert filled.observed.tolist() == [False, True, True, False]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), maps=st.integers(2, 12), cut=st.integers(1, 11))
def test_forward_knows_nothing_later(seed: int, maps: int, cut: int) -> None:
    """A future-only signal leaves no trace in the maps before it; linear filling shows one."""
    random = np.random.default_rng(seed)
    cut = min(cut, maps - 1)
    past = random.integers(0, 2, (maps, 3)) * random.integers(0, 2, (maps, 1))
    past[0] = 1
    other = past.copy()
    other[cut:] = random.integers(5, 9, (maps - cut, 3))
    one, two = (fill_gaps(one_row(*each.tolist()), "forward") for each in (past, other))
    assert np.array_equal(one.counts[:cut], two.counts[:cut])
    assert np.array_equal(one.observed[:cut], two.observed[:cut])


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), maps=st.integers(1, 15), method=st.sampled_from(["linear", "forward", "none"]))
def test_observed_maps_are_never_touched(seed: int, maps: int, method: Any) -> None:
    random = np.random.default_rng(seed)
    counts = random.integers(0, 4, (maps, 3)) * random.integers(0, 2, (maps, 1))
    if not counts.any():
        with pytest.raises(DataError, match="nothing to fill the gaps from"):
            fill_gaps(one_row(*counts.tolist()), method)
        return
    before = one_row(*counts.tolist())
    filled = fill_gaps(before, method)
    assert np.array_equal(filled.observed, counts.any(axis=1))
    assert np.array_equal(filled.counts[filled.observed], before.counts[filled.observed])
    assert filled.counts.min() >= counts.min()
    assert filled.counts.max() <= counts.max()
    again = fill_gaps(filled, method, "unobserved")
    assert np.allclose(again.counts, filled.counts), "filling twice must change nothing"


def test_what_was_filled_teaches_nothing() -> None:
    expected = PriorCounts().fit(GAPPY).predict(fill_gaps(GAPPY, "none"))
    for method in ("linear", "forward"):
        filled = fill_gaps(GAPPY, method)
        assert np.array_equal(PriorCounts().fit(filled).predict(filled), expected), method


def test_half_is_not_above_a_half() -> None:
    """As published: interpolated between nothing and one, only what is nearer to one becomes a hotspot."""
    filled = fill_gaps(one_row([1, 1], [0, 0], [0, 1], [0, 0], [0, 0], [0, 1], [2, 0]), "linear")
    assert filled.counts[:, 0, 0].tolist()[:2] == [1, 0.5]
    assert filled.counts[3:5, 0, 1] == pytest.approx([1, 1])
    binary = binarize(filled)
    assert binary.counts[:, 0].tolist() == [[1, 1], [0, 1], [0, 1], [0, 1], [0, 1], [0, 1], [1, 0]]
    assert binary.binary
    assert binary.counts.dtype == np.uint8
    assert np.array_equal(binary.observed, filled.observed)
    assert binary.filled == "linear", "what looked ahead still does"


def test_values_that_cannot_work() -> None:
    for value in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="it must be 0 or greater"):
            binarize(GAPPY, value)
    with pytest.raises(ParameterError, match="Use forward, linear or none"):
        fill_gaps(GAPPY, "spline")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="Use empty or unobserved"):
        fill_gaps(GAPPY, "linear", "all")  # type: ignore[arg-type]


@pytest.fixture
def job(tmp_path: Path) -> Any:
    """Runs a job on the gappy stack; its result, what it said by level, and what it wrote."""
    write_heatmaps(tmp_path / "in.tif", GAPPY)

    def run(name: str, source: str = "in.tif", **parameters: Any) -> tuple[dict[str, Any], dict[str, str], Heatmaps]:
        context = Recorder()
        target = tmp_path / f"{name}.tif"
        given = {"heatmaps": str(tmp_path / source), "output": str(target), **parameters}
        result = run_job(name, given, context)
        said = {
            kind: "\n".join(text for level, text in context.entries if level == kind) for kind in ("info", "warning")
        }
        return result, said, read_heatmaps(target)

    return run


def test_the_file_says_that_it_looks_ahead(job: Any, tmp_path: Path) -> None:
    result, said, written = job("fill_gaps", method="linear")
    assert (result["maps"], result["gaps"], result["observed"], result["looks_ahead"]) == (6, 4, 2, True)
    assert result["highest"] == 6
    assert "looks ahead" in said["warning"]
    assert "4 of 6 maps are gaps, 2 of them now hold other values" in said["info"]
    assert written.filled == "linear"
    assert written.observed.tolist() == [False, True, False, False, True, False]
    with rasterio.open(tmp_path / "fill_gaps.tif") as file:
        assert file.tags()["CRIMERISK_FILLED_LOOKS_AHEAD"] == "1"
        assert file.tags()["CRIMERISK_UNOBSERVED"] == "0 2 3 5"
        assert file.dtypes[0] == "float32"
    result, said, written = job("binarize", source="fill_gaps.tif")
    assert (result["hotspots"], result["unobserved"], result["looks_ahead"]) == (6, 4, True)
    assert result["share"] == pytest.approx(6 / 12)
    assert written.counts[:, 0].tolist() == [[0, 0], [1, 0], [1, 1], [1, 1], [0, 1], [0, 0]]
    assert written.filled == "linear"
    assert written.observed.sum() == 2


def test_carried_forward_is_no_cause_for_alarm(job: Any) -> None:
    result, said, written = job("fill_gaps")
    assert not result["looks_ahead"]
    assert not said["warning"]
    assert written.filled == "forward"
    assert result["edges"] == [str(edge) for edge in GAPPY.edges]


def test_quiet_bins_taken_for_gaps_are_told(job: Any, tmp_path: Path) -> None:
    """A mean of 1 a map: 100 / e = 36.8 of 100 maps are empty by chance."""
    quiet = one_row(*[[1, 0]] * 36, *[[2, 0]] * 20, *[[2, 2]] * 6, *[[0, 0]] * 38)
    assert quiet.counts.sum() == 100
    assert count_quiet_maps(quiet) == (38, pytest.approx(36.788, abs=1e-3))
    write_heatmaps(tmp_path / "quiet.tif", quiet)
    _, said, _ = job("fill_gaps", source="quiet.tif")
    assert "38 maps are without any incident; chance alone would give about 36.8 of 100" in said["warning"]
    assert "Choose gaps = unobserved" in said["warning"]
    _, said, written = job("fill_gaps", source="quiet.tif", gaps="unobserved")
    assert not said["warning"]
    assert written.observed.all()
    # Busy days, and days that nobody recorded.
    write_heatmaps(tmp_path / "busy.tif", one_row(*[[9, 3]] * 90, *[[0, 0]] * 10))
    _, said, _ = job("fill_gaps", source="busy.tif")
    assert not said["warning"]


def test_nothing_above_the_threshold_is_said(job: Any) -> None:
    result, said, _ = job("binarize", threshold=99)
    assert result["hotspots"] == 0
    assert "Choose a lower threshold" in said["warning"]
