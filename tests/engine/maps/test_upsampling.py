"""A finer display resolution: interpolation by hand, the border, and what the file keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kit.contexts import Recorder
from kit.maps import make_edges
from rasterio.transform import Affine
from scipy.ndimage import map_coordinates

from riskengine.ground.errors import DataError, FormatError, OutputError, ParameterError
from riskengine.jobs import run_job
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import write_risk
from riskengine.maps.upsampling import upsample

maps = hnp.arrays(np.float64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.floats(0, 1))
methods: Any = st.sampled_from(["bilinear", "cubic"])


def test_by_hand() -> None:
    step = np.array([[0.0, 1.0], [0.0, 1.0]])
    assert upsample(step, 2) == pytest.approx(np.tile([0.0, 0.25, 0.75, 1.0], (4, 1)))
    # Keys' kernel at distances of 1/4, 3/4, 5/4 and 7/4 of a cell, the outer cells repeated.
    near, far = 0.8671875, 0.2265625
    beyond, outer = -0.0703125, -0.0234375
    assert near + far + beyond + outer == 1
    row = upsample(np.array([[0.0, 0.0, 1.0, 1.0]]), 2, "cubic")[0]
    # The fifth cell, a quarter cell west of the third coarse one: third and fourth are near, beyond; 2nd and 1st are 0.
    assert row[4] == pytest.approx(near + beyond)
    assert row[3] == pytest.approx(far + outer)
    assert row[[0, 7]] == pytest.approx([0, 1]), "the kernel overshoots, a probability does not"


@settings(deadline=None, max_examples=60)
@given(maps, st.integers(2, 6))
def test_bilinear_is_that_of_scipy(risk: np.ndarray, factor: int) -> None:
    places = [(np.arange(cells * factor) + 0.5) / factor - 0.5 for cells in risk.shape]
    expected = map_coordinates(risk, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
    assert upsample(risk, factor) == pytest.approx(expected, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(maps, st.data(), st.integers(2, 6), methods)
def test_borders_and_range(risk: np.ndarray, data: st.DataObject, factor: int, method: Any) -> None:
    outside = data.draw(hnp.arrays(bool, risk.shape))
    risk = np.where(outside, np.nan, risk)
    fine = upsample(risk, factor, method)
    assert fine.shape == (risk.shape[0] * factor, risk.shape[1] * factor)
    # The outline is that of the coarse cells: nothing spills out, and no cell at the border is lost.
    assert np.array_equal(np.isnan(fine), np.kron(outside, np.ones((factor, factor))).astype(bool))
    if not outside.all():
        assert np.nanmin(fine) >= np.float32(np.nanmin(risk))
        assert np.nanmax(fine) <= np.float32(np.nanmax(risk))
    # North and south, east and west are treated alike.
    for axis in (0, 1):
        turned = upsample(np.ascontiguousarray(np.flip(risk, axis)), factor, method)
        assert np.flip(turned, axis) == pytest.approx(fine, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("method", ["bilinear", "cubic"])
def test_what_lies_outside_does_not_darken_the_border(method: Any) -> None:
    """With no data taken for zero, the cells along the border would sink to half the risk."""
    risk = np.full((6, 6), 0.4)
    risk[:2] = np.nan
    risk[4, 4] = np.nan
    fine = upsample(risk, 5, method)
    assert fine[~np.isnan(fine)] == pytest.approx(0.4)


@pytest.mark.parametrize("factor", [-1, 0, 1, 21])
def test_factors_that_cannot_work(factor: int, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"factor is .*; it must lie between 2 and 20"):
        upsample(np.zeros((2, 2)), factor)
    path = write_forecast(tmp_path)
    with pytest.raises(ParameterError, match=rf"factor is {factor}; give a whole number from 2 to 20"):
        run_job("upsample", {"risk": str(path), "output": str(tmp_path / "o.tif"), "factor": factor})


def write_forecast(folder: Path, rows: int = 3) -> Path:
    """Two forecasts of 3 x 4 cells, a corner outside the study area."""
    grid = Grid(500.0, 1000.0, 100.0, 4, rows, "EPSG:32614")
    mask = np.ones(grid.shape, dtype=bool)
    mask[0, 0] = False
    risk = np.random.default_rng(1).uniform(size=(2, *grid.shape)).astype(np.float32)
    path = folder / "risk.tif"
    write_risk(path, risk, make_edges(2, start="2024-03-01"), mask, grid, {"CRIMERISK_BIN": "1 days"})
    return path


def test_the_file_keeps_place_and_time(tmp_path: Path) -> None:
    path, output = write_forecast(tmp_path), tmp_path / "fine.tif"
    context = Recorder()
    result = run_job("upsample", {"risk": str(path), "output": str(output), "factor": 4, "method": "cubic"}, context)
    assert (result["columns"], result["rows"], result["cell_size"], result["maps"]) == (16, 12, 25.0, 2)
    assert result["edges"] == [
        ["2024-03-01T00:00:00", "2024-03-02T00:00:00"],
        ["2024-03-02T00:00:00", "2024-03-03T00:00:00"],
    ]
    assert context.entries[-1][0] == "warning"
    assert "for display only" in context.entries[-1][1]
    with rasterio.open(path) as coarse, rasterio.open(output) as fine:
        assert fine.bounds == coarse.bounds
        assert fine.crs == coarse.crs
        assert fine.transform == Affine(25.0, 0.0, 500.0, 0.0, -25.0, 1000.0)
        assert fine.descriptions == coarse.descriptions
        assert fine.tags(2) == coarse.tags(2)
        assert fine.tags()["CRIMERISK_KIND"] == "display"
        assert fine.tags()["CRIMERISK_BIN"] == "1 days"
        assert (fine.read(1, masked=True).mask[:4, :4]).all()
        assert fine.read(2, masked=True).mask.sum() == 16
        expected = upsample(coarse.read(2, masked=True).astype(float).filled(np.nan), 4, "cubic")
        assert fine.read(2, masked=True).filled(np.nan) == pytest.approx(expected, nan_ok=True)


def test_inputs_that_cannot_work(tmp_path: Path) -> None:
    output = str(tmp_path / "o.tif")
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(FormatError, match="cannot be read as a raster"):
        run_job("upsample", {"risk": str(tmp_path / "text.tif"), "output": output})
    whole = write_forecast(tmp_path).read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[:300])
    with pytest.raises(FormatError, match="cannot be read as a raster"):
        run_job("upsample", {"risk": str(tmp_path / "cut.tif"), "output": output})
    large = tmp_path / "large.tif"
    options: Any = {"driver": "GTiff", "width": 4000, "height": 4000, "count": 1, "dtype": "uint8", "sparse_ok": True}
    with rasterio.open(large, "w", **options, transform=Affine(1.0, 0.0, 0.0, 0.0, -1.0, 0.0)):
        pass
    with pytest.raises(ParameterError, match="the limit is 500,000,000"):
        run_job("upsample", {"risk": str(large), "output": output, "factor": 20})
    empty = tmp_path / "empty.tif"
    options |= {"width": 2, "height": 2, "dtype": "float32", "nodata": -1.0}
    with rasterio.open(empty, "w", **options, transform=Affine(1.0, 0.0, 0.0, 0.0, -1.0, 0.0)) as target:
        target.write(np.full((1, 2, 2), -1.0, dtype=np.float32))
    with pytest.raises(DataError, match="has no cell with a value"):
        run_job("upsample", {"risk": str(empty), "output": output})
    with pytest.raises(OutputError, match="does not exist"):
        run_job("upsample", {"risk": str(write_forecast(tmp_path)), "output": str(tmp_path / "no" / "o.tif")})
    assert not list(tmp_path.glob("o.tif*"))
    assert not list(tmp_path.glob(".*partial*"))
