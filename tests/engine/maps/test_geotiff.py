"""The one writer of GeoTIFFs: whole or not at all, and what every file of ours has in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from riskengine.contract import tags as tagnames
from riskengine.ground.errors import OutputError
from riskengine.maps import geotiff
from riskengine.maps.geotiff import make_band_tags, make_grid_profile, write_band, write_geotiff
from riskengine.maps.grid import Grid

TAGS = {tagnames.KIND: tagnames.RISK_KIND}


def write(path: Path, grid: Grid) -> None:
    with write_geotiff(path, make_grid_profile(grid, 2, "float32", -9999.0), TAGS) as target:
        for number in (1, 2):
            band = np.full(grid.shape, number, np.float32)
            write_band(target, number, band, f"band {number}", make_band_tags("2024-01-01", "2024-01-02"))


@pytest.mark.parametrize("side", [5, 300])
def test_bands_titles_and_tags(side: int, tmp_path: Path) -> None:
    grid = Grid(1000.0, 2000.0, 100.0, side, side, "EPSG:32614")
    write(tmp_path / "a.tif", grid)
    assert [each.name for each in tmp_path.iterdir()] == ["a.tif"]
    with rasterio.open(tmp_path / "a.tif") as source:
        assert source.descriptions == ("band 1", "band 2")
        assert source.tags(2) == {"CRIMERISK_START": "2024-01-01", "CRIMERISK_END": "2024-01-02"}
        assert source.tags()["CRIMERISK_KIND"] == "risk"
        assert (source.read(2) == 2).all()
        assert (source.transform, source.crs, source.nodata) == (grid.transform, grid.crs, -9999.0)
        assert (source.profile["compress"], source.profile["interleave"]) == ("deflate", "band")
        assert source.profile["tiled"] == (side >= 256)


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    profile = make_grid_profile(Grid(0.0, 0.0, 100.0, 5, 5, "EPSG:32614"), 1, "uint8", 255)
    with pytest.raises(RuntimeError), write_geotiff(tmp_path / "a.tif", profile, TAGS):
        raise RuntimeError("midway")
    assert not list(tmp_path.iterdir())
    with (
        pytest.raises(OutputError, match=r"The folder .* of risk does not exist"),
        write_geotiff(tmp_path / "no" / "a.tif", profile, TAGS, "risk"),
    ):
        pass


def test_what_cannot_be_read_again_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when the last blocks are flushed may leave a file that opens, but ends early."""
    opened = rasterio.open

    def cut(path: Path, mode: str = "r", **more: Any) -> Any:
        if mode == "r":
            whole = path.read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
        return opened(path, mode, **more)

    monkeypatch.setattr(geotiff.rasterio, "open", cut)
    random = np.random.default_rng(0).random((300, 300)).astype(np.float32)
    grid = Grid(0.0, 0.0, 100.0, 300, 300, "EPSG:32614")
    with (
        pytest.raises(OutputError, match=r"a\.tif could not be written"),
        write_geotiff(tmp_path / "a.tif", make_grid_profile(grid, 1, "float32", -9999.0), TAGS) as target,
    ):
        target.write(random, 1)
    assert not list(tmp_path.iterdir())
