"""Heatmaps: what is counted, and the GeoTIFF they live in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.incidents import make_incidents
from kit.maps import make_stack

from riskengine.ground import bigarrays
from riskengine.ground.errors import DataError, FormatError, OutputError
from riskengine.maps.gaps import fill_gaps
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps, read_heatmaps, write_heatmaps, write_risk
from riskengine.maps.panel import Extras, count_incidents
from riskengine.maps.sparsecounts import SparseCounts

GRID = Grid(0.0, 300.0, 100.0, 4, 3, "EPSG:32614")
EDGES = (np.datetime64("2024-02-28") + np.arange(4)).astype("datetime64[s]")


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 400))
def test_counts_are_those_of_a_plain_histogram(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    # Whole metres: points on edges are frequent.
    x, y = random.integers(-20, 420, count), random.integers(-20, 320, count)
    time = EDGES[0] + random.integers(-5000, 3 * 86_400 + 5000, count)
    expected = np.zeros((3, 3, 4), dtype=int)
    left_out = 0
    for east, north, when in zip(x, y, time):
        band = int((when - EDGES[0]).astype(int) // 86_400)
        column, row = min(int(east // 100), 3) if east <= 400 else 9, int((300 - north) // 100) if north > 0 else 2
        if 0 <= band < 3 and 0 <= east <= 400 and 0 <= north <= 300:
            expected[band, row, column] += 1
        else:
            left_out += 1
    counts, outside = count_incidents(make_incidents(x, y, time), GRID, EDGES)
    assert np.array_equal(counts, expected)
    assert outside == left_out
    assert counts.sum() + outside == count
    binary, _ = count_incidents(make_incidents(x, y, time), GRID, EDGES, binary=True)
    assert np.array_equal(binary, expected > 0)


def test_the_study_area_leaves_out() -> None:
    mask = np.zeros(GRID.shape, bool)
    mask[0] = True
    x, y = np.array([50.0, 50.0]), np.array([250.0, 150.0])
    counts, outside = count_incidents(make_incidents(x, y, EDGES[:2]), GRID, EDGES, mask)
    assert (counts.sum(), outside) == (1, 1)


@pytest.mark.parametrize(("number", "kind"), [(254, "uint8"), (255, "uint16"), (65_534, "uint16"), (65_535, "uint32")])
def test_the_smallest_type_keeps_its_highest_value_free(number: int, kind: str) -> None:
    place = np.full(number, 50.0)
    counts, _ = count_incidents(make_incidents(place, place, np.repeat(EDGES[:1], number)), GRID, EDGES)
    assert counts.dtype == kind
    assert counts.max() == number


@pytest.fixture
def heatmaps() -> Heatmaps:
    mask = np.ones(GRID.shape, bool)
    mask[2, 1:3] = False
    counts = np.arange(36, dtype=np.uint8).reshape(3, 3, 4) * mask.astype(np.uint8)
    observed = np.array([True, False, True])
    return Heatmaps(counts, EDGES, mask, GRID, "1 days", observed, ["ROBO Á PIE", "a & <b>"], False)


def test_round_trip(heatmaps: Heatmaps, tmp_path: Path) -> None:
    path = tmp_path / "mapas de calor ñ.tif"
    write_heatmaps(path, heatmaps)
    again = read_heatmaps(path)
    assert np.array_equal(again.counts, heatmaps.counts)
    assert again.counts.dtype == heatmaps.counts.dtype
    assert np.array_equal(again.edges, heatmaps.edges)
    assert np.array_equal(again.mask, heatmaps.mask)
    assert np.array_equal(again.observed, heatmaps.observed)
    assert (again.categories, again.binary, again.bin) == (heatmaps.categories, heatmaps.binary, heatmaps.bin)
    assert (again.grid.west, again.grid.north, again.grid.cell) == (0.0, 300.0, 100.0)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    with rasterio.open(path) as source:
        assert source.descriptions == ("2024-02-28T00:00:00", "2024-02-29T00:00:00", "2024-03-01T00:00:00")
        assert source.nodata == 255
        assert (source.read(1) == 255).sum() == 2
        assert source.tags(3) == {"CRIMERISK_START": "2024-03-01T00:00:00", "CRIMERISK_END": "2024-03-02T00:00:00"}
        assert source.crs.to_epsg() == 32614


@pytest.mark.parametrize("size", [255, 256, 300])
def test_large_grids_are_tiled(size: int, tmp_path: Path) -> None:
    grid = Grid(0.0, 0.0, 10.0, size, size, "EPSG:32614")
    counts = np.random.default_rng(size).integers(0, 9, (2, size, size)).astype(np.uint8)
    write_heatmaps(tmp_path / "a.tif", Heatmaps(counts, EDGES[:3], np.ones(grid.shape, bool), grid, "1 days"))
    assert np.array_equal(read_heatmaps(tmp_path / "a.tif").counts, counts)
    with rasterio.open(tmp_path / "a.tif") as source:
        assert (source.block_shapes[0] == (256, 256)) == (size >= 256)


def test_before_knows_nothing_later(heatmaps: Heatmaps) -> None:
    past = heatmaps.before(2)
    assert len(past) == 2
    assert past.edges[-1] == EDGES[2]
    assert past.observed.tolist() == [True, False]


def test_not_ours(heatmaps: Heatmaps, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with pytest.raises(FormatError, match="does not exist"):
        read_heatmaps(path)
    write_risk(path, np.zeros((3, *GRID.shape), np.float32), EDGES, heatmaps.mask, GRID, {})
    with pytest.raises(FormatError, match="not a stack of hotspot grids"):
        read_heatmaps(path)
    write_heatmaps(path, heatmaps)
    whole = path.read_bytes()
    for share in (0, 0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FormatError, match="Make it with Rasterize hotspot grids"):
            read_heatmaps(path)
    path.write_bytes(whole)
    with rasterio.open(path, "r+") as target:
        target.update_tags(CRIMERISK_FORMAT="7")
    with pytest.raises(FormatError, match=r"newer Crime Risk \(format 7\)"):
        read_heatmaps(path)


@pytest.mark.parametrize(("tag", "value"), [("CRIMERISK_UNOBSERVED", "one 99"), ("CRIMERISK_FORMAT", "x")])
def test_damaged_tags_are_a_sentence(tag: str, value: str, heatmaps: Heatmaps, tmp_path: Path) -> None:
    write_heatmaps(tmp_path / "a.tif", heatmaps)
    with rasterio.open(tmp_path / "a.tif", "r+") as target:
        target.update_tags(**{tag: value})
    with pytest.raises(FormatError, match="Make it with Rasterize hotspot grids"):
        read_heatmaps(tmp_path / "a.tif")


def test_an_empty_study_area(heatmaps: Heatmaps, tmp_path: Path) -> None:
    heatmaps.mask[:] = False
    write_heatmaps(tmp_path / "a.tif", heatmaps)
    with pytest.raises(DataError, match=r"No cell of .* lies inside its study area"):
        read_heatmaps(tmp_path / "a.tif")


@pytest.mark.parametrize("filled", ["", "forward", "linear"])
def test_how_gaps_were_filled_is_kept(filled: str, heatmaps: Heatmaps, tmp_path: Path) -> None:
    counts = heatmaps.counts.astype(np.float32) / 2 if filled == "linear" else heatmaps.counts
    write_heatmaps(tmp_path / "a.tif", replace(heatmaps, counts=counts, filled=filled))
    again = read_heatmaps(tmp_path / "a.tif")
    assert again.filled == again.before(2).filled == filled
    assert again.counts.dtype == counts.dtype
    assert np.array_equal(again.counts, counts)
    assert np.array_equal(again.mask, heatmaps.mask)
    with rasterio.open(tmp_path / "a.tif") as source:
        assert source.tags()["CRIMERISK_UNOBSERVED"] == "1"
        assert ("CRIMERISK_FILLED_LOOKS_AHEAD" in source.tags()) == (filled == "linear")


def test_a_large_stack_lies_in_a_file(heatmaps: Heatmaps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_heatmaps(tmp_path / "a.tif", heatmaps)
    monkeypatch.setattr(bigarrays, "IN_MEMORY", 10)
    again = read_heatmaps(tmp_path / "a.tif")
    assert isinstance(again.counts, np.memmap)
    assert np.array_equal(again.counts, heatmaps.counts)
    again.counts[0] = 7
    assert np.array_equal(read_heatmaps(tmp_path / "a.tif").counts, heatmaps.counts), "it wrote to the GeoTIFF"
    filled = fill_gaps(again, "linear", "unobserved")
    assert isinstance(filled.counts, np.memmap)
    assert np.allclose(filled.counts[1], (filled.counts[0] + filled.counts[2]) / 2)


@pytest.mark.parametrize(
    "more", [("riskengine.maps.heatmaps.MAX_CELLS", 100), ("riskengine.ground.bigarrays.IN_MEMORY", 10)]
)
def test_a_large_stack_that_is_nearly_empty_is_read_sparse(
    more: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = np.zeros((40, 3, 4), dtype=np.uint8)
    counts[[3, 39], [0, 1], [3, 0]] = 2, 1
    mask = np.ones(GRID.shape, bool)
    mask[2, 1:3] = False
    quiet = make_stack(counts, mask, cell=100.0)
    write_heatmaps(tmp_path / "a.tif", quiet)
    assert isinstance(read_heatmaps(tmp_path / "a.tif").counts, np.ndarray), "what fits into memory is as it was"
    # More cells are allowed than of others, and the file that is written of them is the same.
    monkeypatch.setattr(*more)
    again = read_heatmaps(tmp_path / "a.tif")
    assert isinstance(again.counts, SparseCounts)
    assert np.array_equal(again.counts, counts)
    write_heatmaps(tmp_path / "b.tif", again)
    with rasterio.open(tmp_path / "a.tif") as one, rasterio.open(tmp_path / "b.tif") as other:
        assert np.array_equal(one.read(), other.read())
        assert one.tags() == other.tags()
    write_heatmaps(tmp_path / "busy.tif", replace(quiet, counts=counts + np.uint8(1)))
    monkeypatch.setattr("riskengine.maps.heatmaps.MAX_CELLS", 100)
    with pytest.raises(FormatError, match="= 480 cells; the limit is 100"):
        read_heatmaps(tmp_path / "busy.tif")


def test_no_room_for_a_large_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bigarrays.os, "posix_fallocate", full, raising=False)
    with pytest.raises(OutputError, match=r"A stack of 300 MB does not fit .* Free some space there"):
        bigarrays.make_empty_stack((300, 1024, 1024), np.dtype(np.uint8))


def test_extras_end_where_the_history_does(heatmaps: Heatmaps) -> None:
    static = np.ones((1, *GRID.shape), dtype=np.float32)
    channels = np.arange(72, dtype=np.uint8).reshape(2, 3, *GRID.shape)
    whole = replace(heatmaps, extras=Extras(static, ("water",), channels, ("Theft", "Arson")))
    past = whole.before(2)
    assert past.extras.channels.shape == (2, 2, *GRID.shape)
    assert np.array_equal(past.extras.channels, channels[:, :2])
    assert past.extras.static_names == ("water",)
