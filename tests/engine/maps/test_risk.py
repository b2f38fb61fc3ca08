"""Percentile classes and their polygons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kit.contexts import Recorder
from kit.maps import read_bands, write_raster
from rasterio.transform import Affine

from riskengine.ground.errors import DataError, FormatError, ParameterError
from riskengine.jobs import run_job
from riskengine.maps.risk import (
    CLASS_NODATA,
    DEFAULT_PERCENTILES,
    check_percentiles,
    check_shares,
    classify,
    classify_shares,
    compute_precise_thresholds,
    compute_thresholds,
    list_class_labels,
    list_share_labels,
    make_class_polygons,
    read_risk,
)

TRANSFORM = Affine(100.0, 0.0, 0.0, 0.0, -100.0, 1000.0)


def test_a_hundred_cells() -> None:
    risk = np.arange(1.0, 101.0).reshape(10, 10)
    limits = compute_thresholds(risk, DEFAULT_PERCENTILES)
    assert limits == pytest.approx([25.75, 75.25, 91.09, 96.04])
    classes = classify(risk, limits)
    assert np.bincount(classes.ravel()).tolist() == [25, 50, 16, 5, 4]


def test_a_map_without_differences_has_no_hotspot() -> None:
    flat = np.full((4, 4), 0.3)
    assert not classify(flat, compute_thresholds(flat, DEFAULT_PERCENTILES)).any()


@given(
    hnp.arrays(np.float32, (3, 5, 5), elements=st.floats(0, 1, width=32)),
    hnp.arrays(bool, (3, 5, 5)),
    st.lists(st.floats(0.1, 99.9), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_thresholds_of_single_precision_are_those_of_double(
    risk: np.ndarray, outside: np.ndarray, percentiles: list[float]
) -> None:
    outside[0, 0, 0] = False
    risk[outside] = np.nan
    double = risk.astype(np.float64)
    limits = compute_precise_thresholds(risk, percentiles)
    assert limits.tolist() == compute_thresholds(double, percentiles).tolist()
    assert (classify(risk, limits) == classify(double, limits)).all()
    for single, wide in zip(classify_shares(risk, [5, 20]), classify_shares(double, [5, 20]), strict=True):
        assert np.array_equal(single, wide)


@given(
    hnp.arrays(np.float64, (6, 6), elements=st.floats(0, 1)),
    hnp.arrays(bool, (6, 6)),
    st.lists(st.floats(0.1, 99.9), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_classes_keep_the_order_of_risk(risk: np.ndarray, outside: np.ndarray, percentiles: list[float]) -> None:
    outside[0, 0] = False
    risk = np.where(outside, np.nan, risk)
    limits = compute_thresholds(risk, percentiles)
    classes = classify(risk, limits)
    assert ((classes == CLASS_NODATA) == outside).all()
    inside = ~outside
    order = np.argsort(risk[inside], kind="stable")
    assert (np.diff(classes[inside][order].astype(int)) >= 0).all()
    for number, percentile in enumerate(percentiles):
        above = (classes[inside] > number).mean()
        assert above <= 1 - percentile / 100 + 1 / inside.sum() + 1e-9
    area = [0] * (len(percentiles) + 1)
    total = 0.0
    for _, risk_class, square_metres, mean in make_class_polygons(classes, risk, TRANSFORM):
        area[risk_class] += int(square_metres)
        total += square_metres * mean
    assert area == (np.bincount(classes[inside], minlength=len(area)) * 10_000).tolist()
    assert total == pytest.approx(np.nansum(risk) * 10_000)


@pytest.mark.parametrize(
    "values", [[], [0, 50], [50, 100], [75, 25], [25, 25], [-1], [float("nan")], list(range(1, 22))]
)
def test_percentiles_that_cannot_work(values: list[float]) -> None:
    with pytest.raises(ParameterError, match=r"percentiles are .*they must rise"):
        check_percentiles(values)


def test_labels() -> None:
    assert list_class_labels([11, 22.5, 93, 99]) == [
        "Up to the 11th percentile",
        "11th to 22.5th percentile",
        "22.5th to 93rd percentile",
        "93rd to 99th percentile",
        "Above the 99th percentile",
    ]


def raster(path: Path, bands: np.ndarray, nodata: float | None = -9999.0) -> Path:
    return Path(write_raster(path, bands, TRANSFORM, nodata=nodata))


def test_any_raster_can_be_classified(tmp_path: Path) -> None:
    bands = np.stack([np.arange(100.0), np.arange(100.0) * 10]).reshape(2, 10, 10).astype(np.float32)
    bands[0, 0, 0] = -9999
    bands[1, 0, 1] = np.inf
    path = raster(tmp_path / "kernel density.tif", bands)
    stack = read_risk(str(path))
    assert np.isnan(stack.risk).sum(axis=(1, 2)).tolist() == [1, 1]
    each = run_job("classify", {"risk": str(path), "output": str(tmp_path / "each.tif")})
    whole = run_job("classify", {"risk": str(path), "output": str(tmp_path / "whole.tif"), "over": "stack"})
    assert each["thresholds"][0] != each["thresholds"][1]
    assert whole["thresholds"][0] == whole["thresholds"][1]
    with rasterio.open(tmp_path / "each.tif") as source:
        assert source.nodata == CLASS_NODATA
        assert (source.read(1) == CLASS_NODATA).sum() == 1
        assert source.transform == TRANSFORM
    with rasterio.open(tmp_path / "whole.tif") as source:
        assert not (source.read(1) == 4).any(), "over the whole stack the quiet map has no hotspot"
        assert (source.read(2) == 4).sum() > 4


@pytest.mark.parametrize(
    ("kind", "held"), [("float32", "float32"), ("int16", "float32"), ("int32", "float64"), ("float64", "float64")]
)
def test_risks_are_held_in_what_the_raster_needs(tmp_path: Path, kind: str, held: str) -> None:
    bands = np.arange(200).reshape(2, 10, 10).astype(kind)
    bands[1, 3, 3] = -9999
    risk = read_risk(str(raster(tmp_path / "risk.tif", bands))).risk
    assert risk.dtype == held
    assert np.array_equal(risk, np.where(bands == -9999, np.nan, bands), equal_nan=True)


def test_a_stack_too_large_for_memory_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bands = np.random.default_rng(1).random((3, 20, 30)).astype(np.float32)
    bands[:, 0, :5] = -9999
    path = str(raster(tmp_path / "risk.tif", bands))
    written = []
    for limit in (2**28, 0):
        monkeypatch.setattr("riskengine.ground.bigarrays.IN_MEMORY", limit)
        assert isinstance(read_risk(path).risk, np.memmap) == (limit == 0)
        output = str(tmp_path / f"classes {limit}.tif")
        found = run_job("classify", {"risk": path, "output": output, "over": "stack"})
        shares = run_job("classify", {"risk": path, "output": output + ".2.tif", "over": "stack", "method": "shares"})
        with rasterio.open(output) as source:
            written.append((source.read().tolist(), found["thresholds"], shares["thresholds"], shares["cells"]))
    assert written[0] == written[1]
    assert written[0][1][0] == compute_thresholds(read_risk(path).risk.astype(np.float64), DEFAULT_PERCENTILES).tolist()


def test_what_is_no_risk(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(FormatError, match="cannot be read as a raster"):
        read_risk(str(tmp_path / "text.tif"))
    path = raster(tmp_path / "empty.tif", np.full((1, 3, 3), -9999.0, np.float32))
    with pytest.raises(DataError, match="has no cell with a value"):
        read_risk(str(path))


def test_shares_by_hand() -> None:
    risk = np.arange(1.0, 101.0).reshape(10, 10)
    classes, limits, ties = classify_shares(risk, [1, 5, 10, 20])
    assert np.bincount(classes.ravel()).tolist() == [80, 10, 5, 4, 1]
    # Risk of the last cell within 20, 10, 5 and 1 % of the area.
    assert limits.tolist() == [81, 91, 96, 100]
    assert ties == 0
    assert list_share_labels([1, 5, 10, 20]) == [
        "Other 80 % of the area",
        "Riskiest 10 to 20 % of the area",
        "Riskiest 5 to 10 % of the area",
        "Riskiest 1 to 5 % of the area",
        "Riskiest 1 % of the area",
    ]


def test_labels_of_few_cells_say_what_their_classes_hold(tmp_path: Path) -> None:
    """Each share is at least one cell, and that of two is half of the area."""
    path = raster(tmp_path / "two.tif", np.array([[[0.7, 0.2]], [[0.1, 0.3]]], np.float32))
    given = {"risk": str(path), "method": "shares", "output": str(tmp_path / "classes.tif")}
    context = Recorder()
    labels = run_job("classify", {**given, "shares": [1.0, 5.0]}, context)["labels"]
    assert labels == [
        "Other 95 % of the area (here 50 %)",
        "Riskiest 1 to 5 % of the area (here 0 %)",
        "Riskiest 1 % of the area (here 50 %)",
    ]
    assert f"info: {labels[-1]}: 2 cells." in context.lines
    with rasterio.open(tmp_path / "classes.tif") as source:
        assert source.tags()["CRIMERISK_LABELS"].split("\n") == labels


def test_equal_risks_are_told_apart_by_their_place() -> None:
    risk = np.array([[0.5, 0.2, 0.5], [0.5, np.nan, 0.1]])
    classes, limits, ties = classify_shares(risk, [40])
    # Two of five cells: the first two of the three equal ones, read like a text; the third is the tie.
    assert classes.tolist() == [[1, 0, 1], [0, CLASS_NODATA, 0]]
    assert limits.tolist() == [0.5]
    assert ties == 1


@given(
    hnp.arrays(np.float64, (5, 6), elements=st.floats(0, 1)),
    hnp.arrays(bool, (5, 6)),
    st.lists(st.floats(0.5, 99.0), min_size=1, max_size=5, unique=True).map(sorted),
)
def test_a_share_is_exactly_that_much_of_the_area(risk: np.ndarray, outside: np.ndarray, shares: list[float]) -> None:
    outside[0, 0] = False
    risk = np.where(outside, np.nan, risk)
    classes, limits, _ = classify_shares(risk, shares)
    assert ((classes == CLASS_NODATA) == outside).all()
    inside = risk[~outside]
    flagged = classes[~outside]
    for number, share in enumerate(reversed(shares), 1):
        chosen = flagged >= number
        assert chosen.sum() == max(int(share / 100 * len(inside) + 1e-9), 1)
        assert inside[chosen].min() == limits[number - 1]
        assert chosen.all() or inside[~chosen].max() <= limits[number - 1]


@pytest.mark.parametrize("values", [[], [0, 50], [50, 100], [20, 10], [5, 5], [float("nan")], list(range(1, 22))])
def test_shares_that_cannot_work(values: list[float]) -> None:
    with pytest.raises(ParameterError, match=r"area shares are .*they must rise"):
        check_shares(values)


def test_shares_of_each_map_and_of_the_stack(tmp_path: Path) -> None:
    """A patrol that can cover 10 % of the area covers it every day, or more of it on busy days."""
    bands = np.stack([np.arange(100.0), np.arange(100.0) + 50]).reshape(2, 10, 10).astype(np.float32)
    path = raster(tmp_path / "risk.tif", bands)
    given = {"risk": str(path), "method": "shares", "shares": [10.0]}
    context = Recorder()
    each = run_job("classify", {**given, "output": str(tmp_path / "each.tif")}, context)
    assert (read_bands(tmp_path / "each.tif") == 1).sum(axis=(1, 2)).tolist() == [10, 10]
    assert each["thresholds"] == [[90.0], [140.0]]
    assert each["labels"] == ["Other 90 % of the area", "Riskiest 10 % of the area"]
    assert each["edges"] == []
    assert context.lines == ["info: Other 90 % of the area: 180 cells.", "info: Riskiest 10 % of the area: 20 cells."]
    run_job("classify", {**given, "output": str(tmp_path / "whole.tif"), "over": "stack"}, context)
    assert (read_bands(tmp_path / "whole.tif") == 1).sum(axis=(1, 2)).tolist() == [0, 20]
    with rasterio.open(tmp_path / "whole.tif") as source:
        assert source.tags()["CRIMERISK_SHARES"] == "10"
        assert source.tags(1)["CRIMERISK_THRESHOLDS"] == "130"
    flat = raster(tmp_path / "flat.tif", np.full((2, 10, 10), 0.25, np.float32))
    run_job("classify", {**given, "risk": str(flat), "output": str(tmp_path / "flat classes.tif")}, context)
    assert any("warning: In 2 of 2 maps, cells of equal risk lie on both sides" in line for line in context.lines)


def test_thresholds_from_a_reference(tmp_path: Path) -> None:
    """As published: the percentile of the whole test prediction, held against one map."""
    reference = raster(tmp_path / "test.tif", np.arange(200.0).reshape(2, 10, 10).astype(np.float32))
    # Another size, another place: only its values count.
    path = raster(tmp_path / "risk.tif", np.array([[[0.0, 149.2, 149.3, 199.0]]], dtype=np.float32))
    given = {"risk": str(path), "output": str(tmp_path / "o.tif"), "percentiles": [75.0]}
    context = Recorder()
    result = run_job("classify", {**given, "reference": str(reference)}, context)
    assert result["thresholds"] == [[149.25]]
    assert read_bands(tmp_path / "o.tif").ravel().tolist() == [0, 0, 1, 1]
    assert "info: Thresholds 149.2 over all 2 maps of the reference." in context.lines
    low = raster(tmp_path / "low.tif", np.zeros((1, 2, 2), np.float32))
    run_job("classify", {**given, "risk": str(low), "reference": str(reference)}, context)
    assert any("No cell lies above the reference's lowest threshold" in line for line in context.lines)
    with pytest.raises(ParameterError, match="which gives percentiles, but method is shares of the area"):
        run_job("classify", {**given, "method": "shares", "reference": str(reference)})
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(FormatError, match=r"text.tif cannot be read as a raster"):
        run_job("classify", {**given, "reference": str(tmp_path / "text.tif")})


def test_maps_apart_in_time_keep_their_own_ends(tmp_path: Path) -> None:
    path = raster(tmp_path / "folds.tif", np.arange(18.0).reshape(2, 3, 3).astype(np.float32))
    times = [("2024-01-01T00:00:00", "2024-01-02T00:00:00"), ("2024-02-01T00:00:00", "2024-02-02T00:00:00")]
    with rasterio.open(path, "r+") as target:
        for band, (start, end) in enumerate(times, 1):
            target.update_tags(band, CRIMERISK_START=start, CRIMERISK_END=end)
    result = run_job("classify", {"risk": str(path), "output": str(tmp_path / "o.tif")})
    assert result["edges"] == [list(each) for each in times]
    with rasterio.open(tmp_path / "o.tif") as source:
        assert source.tags(1)["CRIMERISK_END"] == times[0][1]
