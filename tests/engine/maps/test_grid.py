"""The grid: every point in one cell, sizes as asked, too large refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskengine.ground.errors import ParameterError
from riskengine.maps.grid import MAX_CELLS, MOST_SPARSE_CELLS, Grid, choose_automatic_cell, make_grid, round_cell

CRS = "EPSG:32614"
coordinate = st.floats(-1e7, 1e7, allow_nan=False)
side = st.floats(0.1, 1e5)


def test_locate_by_hand() -> None:
    grid = Grid(1000.0, 2000.0, 100.0, 3, 2, CRS)
    x = np.array([1000.0, 1099.9, 1100.0, 1300.0, 999.9, 1300.1, 1050.0, 1050.0, 1050.0, 1050.0])
    y = np.array([2000.0, 1950.0, 1950.0, 1950.0, 1950.0, 1950.0, 1900.0, 1800.0, 1799.9, 2000.1])
    # An inner edge belongs to the cell east and south of it, the outer edges to the last cells.
    assert grid.locate(x, y).tolist() == [0, 0, 1, 2, -1, -1, 3, 3, -1, -1]
    assert grid.bounds == (1000.0, 1800.0, 1300.0, 2000.0)
    columns, rows = grid.centres()
    assert columns.tolist() == [1050, 1150, 1250]
    assert rows.tolist() == [1950, 1850]


@given(west=coordinate, south=coordinate, width=side, height=side, cells=st.integers(1, 60))
def test_a_fitted_grid_holds_its_extent(west: float, south: float, width: float, height: float, cells: int) -> None:
    extent = (west, south, west + width, south + height)
    for grid in (
        make_grid(extent, CRS),
        make_grid(extent, CRS, cell=max(width, height) / cells),
        make_grid(extent, CRS, columns=cells, rows=cells),
        make_grid(extent, CRS, columns=cells) if width * 1000 > height else make_grid(extent, CRS),
    ):
        corners = np.array([extent[0], extent[2], extent[0], extent[2], west + width / 2])
        heights = np.array([extent[1], extent[1], extent[3], extent[3], south + height / 2])
        assert (grid.locate(corners, heights) >= 0).all(), grid


@given(west=coordinate, north=coordinate, cell=st.floats(1, 5000), columns=st.integers(1, 40), rows=st.integers(1, 40))
def test_centres_lie_in_their_own_cells(west: float, north: float, cell: float, columns: int, rows: int) -> None:
    grid = Grid(west, north, cell, columns, rows, CRS)
    x, y = np.meshgrid(*grid.centres())
    assert np.array_equal(grid.locate(x.ravel(), y.ravel()), np.arange(columns * rows))


def test_columns_and_rows_as_asked() -> None:
    grid = make_grid((0.0, 0.0, 1000.0, 300.0), CRS, columns=10, rows=10)
    assert (grid.columns, grid.rows, grid.cell) == (10, 10, 100.0)
    assert grid.bounds == (0.0, -350.0, 1000.0, 650.0)


def test_a_cell_size_aligns_the_grid() -> None:
    grid = make_grid((1234.0, 987.0, 2345.0, 1876.0), CRS, cell=250)
    assert (grid.west, grid.north) == (1000.0, 2000.0)
    assert grid.bounds == (1000.0, 750.0, 2500.0, 2000.0)


@pytest.mark.parametrize(
    ("extent", "cell"),
    [((0, 0, 20_000, 30_000), 500.0), ((0, 0, 0, 0), 100.0), ((0, 0, 0, 5000), 100.0), ((0, 0, 10, 10), 1.0)],
)
def test_automatic_cell(extent: tuple[float, float, float, float], cell: float) -> None:
    assert choose_automatic_cell(extent) == cell
    assert make_grid(extent, CRS).cell == cell


@given(st.floats(1e-3, 1e6))
def test_round_cell(size: float) -> None:
    found = round_cell(size)
    assert 0.7 < found / size < 1.5
    digits = found / 10 ** math.floor(math.log10(found) + 1e-9)
    assert any(math.isclose(digits, step) for step in (1, 2, 2.5, 5, 10))


@pytest.mark.parametrize(("name", "value"), [("cell", 0), ("cell", -1.5), ("columns", 0), ("rows", -3)])
def test_sizes_that_cannot_work(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=rf"{name}.* is {value}; it must be greater than 0") as caught:
        make_grid((0, 0, 1, 1), CRS, **{name: value})
    assert caught.value.remedy


@pytest.mark.parametrize("extent", [(0, 0, -1, 1), (0, 0, math.nan, 1), (0, 0, math.inf, 1)])
def test_no_extent(extent: tuple[float, float, float, float]) -> None:
    with pytest.raises(ParameterError, match="empty or not finite"):
        make_grid(extent, CRS)


def test_the_limit_is_on_the_whole_stack() -> None:
    extent = (0.0, 0.0, 10_000.0, 10_000.0)
    assert make_grid(extent, CRS, cell=1.0).columns ** 2 == MAX_CELLS
    with pytest.raises(ParameterError, match=r"10,000 columns x 10,000 rows x 2 maps = 200,000,000 cells") as caught:
        make_grid(extent, CRS, cell=1.0, bins=2)
    assert "GB" in str(caught.value)
    assert "larger cell size" in str(caught.value)


def test_five_years_of_days_over_a_city_are_allowed_where_nearly_all_cells_are_empty() -> None:
    extent = (0.0, 0.0, 30_000.0, 26_000.0)
    grid = make_grid(extent, CRS, cell=76.2, bins=1_826, incidents=100_000)
    assert MAX_CELLS < grid.columns * grid.rows * 1_826 < MOST_SPARSE_CELLS
    with pytest.raises(ParameterError, match="the limit is 100,000,000"):
        make_grid(extent, CRS, cell=76.2, bins=1_826, incidents=100_000_000)
    with pytest.raises(ParameterError, match="the limit is 500,000,000"):
        make_grid(extent, CRS, cell=76.2, bins=5 * 1_826, incidents=100_000)


def test_study_area() -> None:
    grid = Grid(0.0, 400.0, 100.0, 4, 4, CRS)
    square = {"type": "Polygon", "coordinates": [[[0, 200], [200, 200], [200, 400], [0, 400], [0, 200]]]}
    assert grid.mask([square]).tolist() == [[True, True, False, False]] * 2 + [[False] * 4] * 2
    assert grid.mask(None).all()
    speck = {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]}
    assert not grid.mask([speck]).any(), "only cells whose centre lies inside"


@pytest.mark.parametrize(("given", "shape"), [({"columns": 10}, (10, 10)), ({"rows": 4}, (4, 4))])
def test_columns_or_rows_alone_are_kept(given: dict[str, int], shape: tuple[int, int]) -> None:
    grid = make_grid((105.0, 0.0, 1105.0, 1000.0), "EPSG:32631", **given)
    assert grid.shape == shape
    assert grid.bounds == pytest.approx((105.0, 0.0, 1105.0, 1000.0))


def test_columns_of_an_extent_without_width() -> None:
    assert make_grid((100.0, 0.0, 100.0, 0.0), "EPSG:32631", columns=10).columns == 10


def test_cell_size_and_columns_contradict_each_other() -> None:
    with pytest.raises(ParameterError, match="one or the other"):
        make_grid((0.0, 0.0, 100.0, 100.0), "EPSG:32631", cell=10.0, columns=5)
