"""Risks that can be looked up anywhere: densities equal to exact sums, rasters, scored places, and where none is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from rasterio.transform import from_origin

from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError, ParameterError
from riskengine.ground.wholetables import read_whole_table
from riskengine.intake.incidents import Incidents
from riskengine.systems.routes.fields.kernel import KernelField, choose_span, make_kernel_field
from riskengine.systems.routes.fields.maps import read_map_field, read_score_field

CRS = "EPSG:32618"
#: Somewhere in the zone: places of tests are metres from here.
EAST, NORTH = 360_000.0, 4_350_000.0
BOX = (EAST - 500, NORTH - 500, EAST + 1500, NORTH + 1500)


def make_incidents(days: list[str], x: Any, y: Any) -> Incidents:
    time = np.array(days, dtype="datetime64[s]")
    count = len(time)
    return Incidents(
        EAST + np.asarray(x, dtype=float),
        NORTH + np.asarray(y, dtype=float),
        time,
        np.full(count, -1, dtype=np.int32),
        [],
        np.arange(count),
    )


def make_city(count: int = 400, seed: int = 1) -> Incidents:
    random = np.random.default_rng(seed)
    days = np.datetime64("2014-01-01", "D") + np.sort(random.integers(0, 365, count))
    return make_incidents(days.astype(str).tolist(), *random.uniform(0, 1000, (2, count)))


def write_raster(path: Path, values: Any, cell: float = 100.0) -> str:
    """A raster whose upper left corner is 300 m north of the origin."""
    import rasterio

    values = np.asarray(values, dtype=np.float32)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=values.shape[-2],
        width=values.shape[-1],
        count=len(values),
        dtype="float32",
        crs=CRS,
        transform=from_origin(EAST, NORTH + 300, cell, cell),
        nodata=np.nan,
    ) as file:
        file.write(values)
    return str(path)


@pytest.mark.parametrize("kernel", [50.0, 100.0, 300.0])
def test_a_density_is_the_sum_of_gaussians(kernel: float) -> None:
    city = make_city()
    field = KernelField(city.x, city.y, kernel, 0.5, BOX)
    x, y = np.random.default_rng(2).uniform(-200, 1200, (2, 300)) + np.array([[EAST], [NORTH]])
    squared = (x[:, None] - city.x) ** 2 + (y[:, None] - city.y) ** 2
    exact = np.exp(-squared / (2 * kernel**2)).sum(axis=1) / (2 * np.pi * (kernel / 1000) ** 2) / 0.5
    assert field.look_up(x, y) == pytest.approx(exact, rel=0.02, abs=0.01 * exact.max())


def test_only_incidents_of_the_months_before_the_origin_count() -> None:
    days = ["2012-12-31", "2013-06-01", "2013-12-31T23:59:59", "2014-01-01", "2014-03-01"]
    field = make_kernel_field(
        make_incidents(days, [0, 0, 0, 0, 0], [0] * 5), 12, 100.0, BOX, np.datetime64("2014-01-01")
    )
    assert "2 incidents" in field.title
    assert "2013" in field.title
    # Both of 2013 at their own place: 2 ÷ (2π · 0.1² km²) a year.
    found = field.look_up(np.array([EAST]), np.array([NORTH]))
    assert found[0] == pytest.approx(2 / (2 * np.pi * 0.01), rel=0.02)


def test_what_happens_after_the_origin_changes_nothing() -> None:
    city = make_city()
    origin = np.datetime64("2014-09-01")
    past = city.before(origin)
    x, y = np.full(50, EAST + 500.0), NORTH + np.linspace(0, 1000, 50)
    one, other = (make_kernel_field(each, 6, 100.0, BOX, origin).look_up(x, y) for each in (city, past))
    assert np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize(
    ("last", "months", "start"), [("2014-03-30", 1, "2014-02-28"), ("2014-12-31", 12, "2014-01-01")]
)
def test_a_month_before_the_end_of_a_longer_one_is_its_end(last: str, months: int, start: str) -> None:
    incidents = make_incidents(["2010-01-01", f"{last}T12:00"], [0, 0], [0, 0])
    begin, end = choose_span(incidents, months, None)
    assert (begin, end) == (np.datetime64(start), np.datetime64(last) + np.timedelta64(1, "D"))


def test_incidents_of_less_than_the_months_are_a_rate_of_their_own_span() -> None:
    days = [f"2014-{month:02d}-15" for month in (10, 11, 12)]
    field = make_kernel_field(make_incidents(days, [0, 0, 0], [0, 0, 0]), 12, 100.0, BOX, np.datetime64("2015-01-01"))
    years = 78 / 365.25
    found = field.look_up(np.array([EAST]), np.array([NORTH]))
    assert found[0] == pytest.approx(3 / (2 * np.pi * 0.01) / years, rel=0.02)


def test_beyond_the_outline_nothing_is_known() -> None:
    field = make_kernel_field(make_city(), 12, 100.0, (EAST, NORTH, EAST + 9000, NORTH + 1000), None, JobContext())
    near, far = field.look_up(EAST + np.array([500.0, 8000.0]), NORTH + np.array([500.0, 500.0]))
    assert near > 0
    assert np.isnan(far)


def test_an_origin_before_all_incidents_is_refused_in_words() -> None:
    with pytest.raises(DataError, match="no incident before the origin"):
        make_kernel_field(make_city(), 12, 100.0, BOX, np.datetime64("2010-01-01"))


def test_an_origin_long_after_all_incidents_is_refused_in_words() -> None:
    with pytest.raises(DataError, match="in the 12 months before the origin, Tue 1 Mar 2016"):
        make_kernel_field(make_city(), 12, 100.0, BOX, np.datetime64("2016-03-01"))


def test_a_raster_says_the_value_of_the_cell(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "risk.tif", [[[1, 2, np.nan], [3, 4, 5]]])
    field = read_map_field(path, CRS, None)
    x, y = EAST + np.array([50.0, 150, 250, 50, -1, 150]), NORTH + np.array([250.0, 250, 250, 150, 250, 99])
    assert field.look_up(x, y).tolist()[:2] == [1.0, 2.0]
    assert np.isnan(field.look_up(x, y)).tolist() == [False, False, True, False, True, True]
    assert field.step == 50.0


def test_of_several_maps_one_is_chosen_or_their_mean(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "risk.tif", [[[1.0, np.nan]], [[3.0, 5.0]]])
    x, y = EAST + np.array([50.0, 150.0]), np.full(2, NORTH + 250.0)
    assert read_map_field(path, CRS, None).look_up(x, y).tolist() == [2.0, 5.0]
    assert read_map_field(path, CRS, 2).look_up(x, y).tolist() == [3.0, 5.0]
    with pytest.raises(ParameterError, match="band is 3, but the risk has 2"):
        read_map_field(path, CRS, 3)


def write_scores(path: Path, shapes: list[Any], scores: list[float], name: str = "predicted_score") -> Any:
    columns = [np.array(scores)]
    shown = np.asarray(shapely.to_wkb(np.array(shapes, dtype=object)), dtype=object)
    kind = shapes[0].geom_type
    pyogrio.raw.write(path, shown, columns, fields=[name], geometry_type=kind, crs=CRS, driver="GPKG")
    return read_whole_table(path, "scores")


def test_scored_points_stand_for_what_is_near_them(tmp_path: Path) -> None:
    places = [shapely.Point(EAST + 100 * number, NORTH) for number in range(5)]
    field = read_score_field(write_scores(tmp_path / "scores.gpkg", places, [0.1, 0.2, 0.3, 0.4, 0.5]), None, CRS)
    found = field.look_up(EAST + np.array([20.0, 180.0, 200.0, 200.0]), NORTH + np.array([0.0, 0.0, 40.0, 900.0]))
    assert found[:3] == pytest.approx([0.1, 0.3, 0.3])
    assert np.isnan(found[3])
    assert field.step == 50.0


def test_scored_polygons_say_their_own(tmp_path: Path) -> None:
    boxes = [shapely.box(EAST, NORTH, EAST + 100, NORTH + 100), shapely.box(EAST + 100, NORTH, EAST + 200, NORTH + 100)]
    field = read_score_field(write_scores(tmp_path / "scores.gpkg", boxes, [0.2, 0.7], "danger"), "danger", CRS)
    found = field.look_up(EAST + np.array([50.0, 150.0, 250.0]), np.full(3, NORTH + 50.0))
    assert found[:2] == pytest.approx([0.2, 0.7])
    assert np.isnan(found[2])


def test_scores_without_a_field_are_refused_with_those_there_are(tmp_path: Path) -> None:
    table = write_scores(tmp_path / "scores.gpkg", [shapely.Point(EAST, NORTH)], [0.1], "danger")
    with pytest.raises(ParameterError, match="danger"):
        read_score_field(table, None, CRS)
