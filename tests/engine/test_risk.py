"""Percentile classes and their polygons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rasterio.transform import Affine

from riskengine.errors import DataError, FormatError, ParameterError
from riskengine.jobs import run_job
from riskengine.risk import (
    CLASS_NODATA,
    DEFAULT_PERCENTILES,
    check_percentiles,
    class_labels,
    class_polygons,
    classify,
    read_risk,
    thresholds,
)

TRANSFORM = Affine(100.0, 0.0, 0.0, 0.0, -100.0, 1000.0)


def test_a_hundred_cells() -> None:
    risk = np.arange(1.0, 101.0).reshape(10, 10)
    limits = thresholds(risk, DEFAULT_PERCENTILES)
    assert limits == pytest.approx([25.75, 75.25, 91.09, 96.04])
    classes = classify(risk, limits)
    assert np.bincount(classes.ravel()).tolist() == [25, 50, 16, 5, 4]


def test_a_map_without_differences_has_no_hotspot() -> None:
    flat = np.full((4, 4), 0.3)
    assert not classify(flat, thresholds(flat, DEFAULT_PERCENTILES)).any()


@given(
    hnp.arrays(np.float64, (6, 6), elements=st.floats(0, 1)),
    hnp.arrays(bool, (6, 6)),
    st.lists(st.floats(0.1, 99.9), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_classes_keep_the_order_of_risk(risk: np.ndarray, outside: np.ndarray, percentiles: list[float]) -> None:
    outside[0, 0] = False
    risk = np.where(outside, np.nan, risk)
    limits = thresholds(risk, percentiles)
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
    for _, risk_class, square_metres, mean in class_polygons(classes, risk, TRANSFORM):
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
    assert class_labels([11, 22.5, 93, 99]) == [
        "Up to the 11th percentile",
        "11th to 22.5th percentile",
        "22.5th to 93rd percentile",
        "93rd to 99th percentile",
        "Above the 99th percentile",
    ]


def raster(path: Path, bands: np.ndarray, nodata: float | None = -9999.0) -> Path:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=bands.shape[2],
        height=bands.shape[1],
        count=len(bands),
        dtype=bands.dtype,
        nodata=nodata,
        crs="EPSG:32614",
        transform=TRANSFORM,
    ) as target:
        target.write(bands)
    return path


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


def test_what_is_no_risk(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(FormatError, match="cannot be read as a raster"):
        read_risk(str(tmp_path / "text.tif"))
    path = raster(tmp_path / "empty.tif", np.full((1, 3, 3), -9999.0, np.float32))
    with pytest.raises(DataError, match="has no cell with a value"):
        read_risk(str(path))
