"""Layers beside the counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.maps import make_stack, write_raster
from rasterio.transform import from_bounds, from_origin
from rasterio.warp import transform, transform_bounds

from riskengine.ground.errors import DataError, FormatError
from riskengine.maps.extras import MOST_BANDS, read_extras
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps, write_heatmaps, write_risk

CRS = "EPSG:32614"
GRID = Grid(480_000.0, 2_150_000.0, 500.0, 6, 4, CRS)


def even_stack(maps: int = 3, grid: Grid = GRID, start: str = "2024-01-01", value: int = 1) -> Heatmaps:
    return make_stack(np.full((maps, *grid.shape), value, dtype=np.uint8), start=start, grid=grid)


def test_nothing_given_is_nothing(tmp_path: Path) -> None:
    extras = read_extras([], even_stack())
    assert extras.static.shape == (0, 4, 6)
    assert extras.channels.shape == (0, 3, 4, 6)
    assert extras.before(2).channels.shape == (0, 2, 4, 6)


def test_the_same_cells_stay_as_they_are(tmp_path: Path) -> None:
    bands = np.arange(48, dtype=np.float32).reshape(2, 4, 6)
    path = write_raster(tmp_path / "poi.tif", bands, GRID.transform, names=("bars", "schools"))
    extras = read_extras([path], even_stack())
    np.testing.assert_array_equal(extras.static, bands)
    assert extras.static_names == ("poi bars", "poi schools")


def test_a_finer_raster_is_averaged(tmp_path: Path) -> None:
    fine = np.random.default_rng(1).random((1, 20, 30)).astype(np.float32)
    path = write_raster(tmp_path / "light.tif", fine, from_origin(GRID.west, GRID.north, 100.0, 100.0))
    extras = read_extras([path], even_stack())
    means = fine[0].reshape(4, 5, 6, 5).mean(axis=(1, 3))
    np.testing.assert_allclose(extras.static[0], means, rtol=1e-5)
    assert extras.static_names == ("light",)


def test_a_coarser_raster_in_degrees_is_interpolated(tmp_path: Path) -> None:
    west, south, east, north = transform_bounds(CRS, "EPSG:4326", *GRID.bounds)
    west, south, east, north = west - 0.05, south - 0.05, east + 0.05, north + 0.05
    # Its value is the longitude, which bilinear interpolation reproduces.
    width = height = 15
    place = from_bounds(west, south, east, north, width, height)
    values = np.broadcast_to(west + (np.arange(width) + 0.5) * place.a, (1, height, width)).astype(np.float64)
    path = write_raster(tmp_path / "longitude.tif", values, place, "EPSG:4326")
    layer = read_extras([path], even_stack()).static[0]
    x, y = np.meshgrid(*GRID.centres())
    longitude = np.array(transform(CRS, "EPSG:4326", x.ravel(), y.ravel())[0]).reshape(GRID.shape)
    np.testing.assert_allclose(layer, longitude, atol=1e-4)


def test_cells_without_a_value_get_the_mean_of_the_study_area(tmp_path: Path) -> None:
    values = np.full((1, 4, 6), -1.0, dtype=np.float32)
    values[0, 0, :3] = 2.0, 4.0, 90.0
    maps = even_stack()
    maps.mask[0, 2] = False
    layer = read_extras([write_raster(tmp_path / "part.tif", values, GRID.transform, nodata=-1.0)], maps).static[0]
    assert np.isfinite(layer).all()
    assert (layer[0, 0], layer[0, 1], layer[3, 3]) == (2.0, 4.0, 3.0)


def test_a_stack_becomes_a_channel(tmp_path: Path) -> None:
    other = even_stack(value=5)
    other.observed[1] = False
    write_heatmaps(tmp_path / "robbery.tif", other)
    extras = read_extras([str(tmp_path / "robbery.tif")], even_stack())
    assert extras.channel_names == ("robbery",)
    assert extras.static.shape == (0, 4, 6)
    np.testing.assert_array_equal(extras.channels[0, :, 0, 0], [5, 0, 5])


def test_layers_and_channels_together_have_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    bands = np.ones((1, 4, 6), dtype=np.float32)
    paths = [write_raster(folder / "same.tif", bands, GRID.transform) for folder in (tmp_path, tmp_path / "b")]
    write_heatmaps(tmp_path / "theft.tif", even_stack())
    extras = read_extras([paths[0], str(tmp_path / "theft.tif"), paths[1]], even_stack())
    assert extras.static_names == ("same", "same (2)")
    assert extras.channel_names == ("theft",)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (even_stack(maps=2), "other bins: 2 from"),
        (even_stack(start="2024-01-02"), "other bins: 3 from 2024-01-02"),
        (even_stack(grid=Grid(480_000.0, 2_150_000.0, 500.0, 5, 4, CRS)), "other cells: 5 x 4"),
        (even_stack(grid=Grid(480_250.0, 2_150_000.0, 500.0, 6, 4, CRS)), "another corner"),
    ],
)
def test_stacks_that_do_not_fit(tmp_path: Path, other: Heatmaps, words: str) -> None:
    write_heatmaps(tmp_path / "other.tif", other)
    with pytest.raises(DataError, match=words) as caught:
        read_extras([str(tmp_path / "other.tif")], even_stack())
    assert caught.value.parameter == "extras"
    assert caught.value.remedy


def test_a_foreign_time_series_would_show_the_future(tmp_path: Path) -> None:
    """A band for each map is no set of layers; as static ones every map would see all of them."""
    path = write_raster(tmp_path / "monthly.tif", np.ones((3, 4, 6), dtype=np.float32), GRID.transform)
    with pytest.raises(DataError, match=r"has 3 bands, one for each map.*would show the future") as caught:
        read_extras([path], even_stack(maps=3))
    assert caught.value.parameter == "extras"
    assert "Rasterize hotspot grids" in str(caught.value.remedy)
    assert len(read_extras([path], even_stack(maps=4)).static) == 3


@pytest.mark.parametrize("maps", [1, 2])
def test_a_risk_stack_is_no_layer(tmp_path: Path, maps: int) -> None:
    made = even_stack(maps=maps)
    risk = np.full((maps, 4, 6), 0.1, dtype=np.float32)
    write_risk(tmp_path / "risk.tif", risk, made.edges, made.mask, GRID, {})
    with pytest.raises(DataError, match=r"bands that say when they apply.*would show the future"):
        read_extras([str(tmp_path / "risk.tif")], even_stack(maps=5))


def test_one_band_is_a_layer_also_beside_one_map(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "one.tif", np.ones((1, 4, 6), dtype=np.float32), GRID.transform)
    assert len(read_extras([path], even_stack(maps=1)).static) == 1


def test_rasters_that_cannot_be_used(tmp_path: Path) -> None:
    one = np.ones((1, 4, 6), dtype=np.float32)
    far = write_raster(tmp_path / "far.tif", one, from_origin(700_000.0, 2_150_000.0, 500.0, 500.0))
    nowhere = write_raster(tmp_path / "nowhere.tif", one, GRID.transform, crs=None)
    empty = write_raster(tmp_path / "empty.tif", one, GRID.transform, nodata=1.0)
    many = write_raster(tmp_path / "many.tif", np.ones((MOST_BANDS + 1, 4, 6), dtype=np.float32), GRID.transform)
    (tmp_path / "text.tif").write_text("no raster")
    for path, error, words in (
        (far, DataError, "no value in the study area"),
        (empty, DataError, "no value in the study area"),
        (nowhere, DataError, "has no CRS"),
        (many, DataError, f"{MOST_BANDS + 1} bands"),
        (str(tmp_path / "none.tif"), FormatError, "does not exist"),
        (str(tmp_path / "text.tif"), FormatError, "not a raster"),
    ):
        with pytest.raises(error, match=words) as caught:
            read_extras([path], even_stack())
        assert caught.value.remedy
