"""Layers beside the counts: resampled to the grid, aligned with the bins, or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.warp import transform_bounds

from riskengine.context import JobContext
from riskengine.errors import DataError, FormatError
from riskengine.extras import read_extras
from riskengine.forecast.modelfile import load_model
from riskengine.grid import Grid
from riskengine.heatmaps import Heatmaps, write_heatmaps
from riskengine.jobs import run_job

GRID = Grid(486000.0, 2152000.0, 500.0, 4, 3, "EPSG:32614")


def heatmaps(maps: int = 30, seed: int = 0) -> Heatmaps:
    counts = np.random.default_rng(seed).poisson(0.6, (maps, 3, 4)).astype(np.uint8)
    edges = (np.datetime64("2024-01-01") + np.arange(maps + 1)).astype("datetime64[s]")
    mask = np.ones((3, 4), dtype=bool)
    mask[2, 3] = False
    return Heatmaps(np.where(mask, counts, 0).astype(np.uint8), edges, mask, GRID, "1 days")


def raster(path: Path, bands: np.ndarray, transform: Affine, crs: str | None, **more: Any) -> str:
    bands = np.asarray(bands, dtype=np.float32)
    bands = bands if bands.ndim == 3 else bands[None]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=bands.shape[2],
        height=bands.shape[1],
        count=len(bands),
        dtype="float32",
        transform=transform,
        crs=crs,
        **more,
    ) as target:
        target.write(bands)
    return str(path)


def test_a_finer_layer_is_averaged(tmp_path: Path) -> None:
    fine = np.arange(6 * 8, dtype=np.float32).reshape(6, 8)
    path = raster(tmp_path / "people.tif", fine, Affine(250, 0, 486000, 0, -250, 2152000), "EPSG:32614")
    extras = read_extras([path], heatmaps())
    assert extras.static_names == ("people",)
    assert np.allclose(extras.static[0], fine.reshape(3, 2, 4, 2).mean(axis=(1, 3)))
    assert extras.channels.size == 0


def test_gaps_get_the_mean_of_the_study_area(tmp_path: Path) -> None:
    values = np.array([[1, 2, 3, 4], [5, -9, 7, 8], [9, 10, 11, 1000]], dtype=np.float32)
    path = raster(tmp_path / "a.tif", values, GRID.transform, "EPSG:32614", nodata=-9)
    layer = read_extras([path], heatmaps()).static[0]
    # 1000 lies outside the study area and has no say.
    assert layer[1, 1] == pytest.approx((sum(range(1, 12)) - 6) / 10)
    assert layer[0].tolist() == [1, 2, 3, 4]


def test_a_layer_in_degrees_is_reprojected(tmp_path: Path) -> None:
    """A ramp from west to east keeps its direction and range."""
    west, _, east, north = transform_bounds("EPSG:32614", "EPSG:4326", *GRID.bounds)
    step = (east - west) / 40
    values = np.tile(np.arange(60, dtype=np.float32), (60, 1))
    path = raster(
        tmp_path / "d.tif", values, Affine(step, 0, west - 10 * step, 0, -step, north + 10 * step), "EPSG:4326"
    )
    layer = read_extras([path], heatmaps()).static[0]
    assert (np.diff(layer, axis=1) > 5).all()
    assert 10 < layer.min() < layer.max() < 50


def test_stacks_are_channels_in_the_same_bins(tmp_path: Path) -> None:
    own = heatmaps(20)
    longer = replace(heatmaps(30, seed=1), categories=["fraude"])
    later = Heatmaps(longer.counts[5:], longer.edges[5:], longer.mask, GRID, "1 days")
    write_heatmaps(tmp_path / "longer.tif", longer)
    extras = read_extras([str(tmp_path / "longer.tif")] * 2, own)
    assert extras.channel_names == ("fraude", "fraude (2)")
    assert np.array_equal(extras.channels[0], longer.counts[:20])
    observed = np.ones(30, dtype=bool)
    observed[[0, 7]] = False
    write_heatmaps(tmp_path / "gaps.tif", replace(longer, observed=observed))
    filled = read_extras([str(tmp_path / "gaps.tif")], own).channels[0]
    assert not filled[0].any()
    assert np.array_equal(filled[7], longer.counts[6])
    bands = raster(tmp_path / "night.tif", np.ones((20, 3, 4)), GRID.transform, "EPSG:32614")
    plain = read_extras([bands], own)
    assert plain.channel_names == ("night",)
    assert plain.channels.sum() == 20 * 11
    write_heatmaps(tmp_path / "later.tif", later)
    with pytest.raises(DataError, match="covers 2024-01-06T00:00:00 to 2024-01-31T00:00:00"):
        read_extras([str(tmp_path / "later.tif")], own)
    moved = replace(longer, grid=replace(GRID, west=486100.0))
    write_heatmaps(tmp_path / "moved.tif", moved)
    with pytest.raises(DataError, match="Rasterize both on the same grid"):
        read_extras([str(tmp_path / "moved.tif")], own)


def test_what_is_no_layer_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("no raster")
    with pytest.raises(FormatError, match="cannot be read as a raster"):
        read_extras([str(text)], heatmaps())
    three = raster(tmp_path / "rgb.tif", np.ones((3, 3, 4)), GRID.transform, "EPSG:32614")
    with pytest.raises(DataError, match="has 3 bands; a static layer has one, a channel 30"):
        read_extras([three], heatmaps())
    far = raster(tmp_path / "far.tif", np.ones((3, 4)), Affine(500, 0, 9e5, 0, -500, 9e5), "EPSG:32614")
    with pytest.raises(DataError, match="no value inside the study area"):
        read_extras([far], heatmaps())
    negative = raster(tmp_path / "n.tif", -np.ones((30, 3, 4)), GRID.transform, "EPSG:32614")
    with pytest.raises(DataError, match="values below 0"):
        read_extras([negative], heatmaps())


def test_a_model_trained_with_a_layer_asks_for_it(tmp_path: Path) -> None:
    write_heatmaps(tmp_path / "h.tif", heatmaps())
    layer = raster(tmp_path / "people.tif", np.arange(12).reshape(3, 4), GRID.transform, "EPSG:32614")
    model = str(tmp_path / "m.crimemodel")
    stack = str(tmp_path / "h.tif")
    context = JobContext()
    run_job(
        "train_forecast",
        {"heatmaps": stack, "model_output": model, "kind": "logistic", "extras": [layer], "held_out": 0},
        context,
    )
    assert load_model(model)[1].static == ["people"]
    out = {"model": model, "heatmaps": stack, "output": str(tmp_path / "r.tif")}
    run_job("forecast", {**out, "extras": [layer]}, context)
    with pytest.raises(Exception, match=r"static layers people, these maps come with \(none\)"):
        run_job("forecast", out, context)
