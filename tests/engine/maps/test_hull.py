"""The hull of the incidents: what is city, what is stray, and what a backtest may know of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from kit.contexts import Recorder
from kit.incidents import make_incidents, write_incidents
from kit.panels import make_panel

from riskengine.contract import tags as tagnames
from riskengine.jobs import run_job
from riskengine.maps.area import describe_area, narrow_to_past
from riskengine.maps.heatmaps import read_heatmaps
from riskengine.maps.hull import draw_hull

WEST, SOUTH = 500_000.0, 5_300_000.0


def scatter(number: int, west: float, south: float, wide: float, high: float, seed: int = 1) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return WEST + west + random.uniform(0, wide, number), SOUTH + south + random.uniform(0, high, number)


def join(*parts: tuple[Any, Any]) -> tuple[Any, Any]:
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def l_shape() -> tuple[Any, Any]:
    """A city along two sides of a bay of 8 km x 8 km."""
    return join(scatter(2000, 0, 0, 10_000, 2000), scatter(2000, 0, 2000, 2000, 8000, seed=2))


def test_a_bay_is_no_part_of_the_city() -> None:
    hull = draw_hull(*l_shape())
    assert hull.inside.all()
    assert not shapely.contains_xy(hull.shape, WEST + 7000, SOUTH + 7000)
    # The city has 36 km², its box 100.
    assert 34 < hull.square_km < 45


@pytest.mark.parametrize("times", [1, 500])
def test_one_place_far_away_decides_nothing(times: int) -> None:
    x, y = join(l_shape(), (np.full(times, WEST + 60_000), np.full(times, SOUTH + 60_000)))
    hull = draw_hull(x, y)
    assert hull.inside.tolist() == [True] * 4000 + [False] * times
    assert hull.shape.bounds == pytest.approx(draw_hull(*l_shape()).shape.bounds, abs=50)


def test_an_island_is_a_part_of_its_own() -> None:
    hull = draw_hull(*join(l_shape(), scatter(400, 20_000, 0, 2000, 2000, seed=3)))
    assert hull.inside.all()
    assert len(hull.polygons) == 2
    assert not shapely.contains_xy(hull.shape, WEST + 15_000, SOUTH + 1000)


@pytest.mark.parametrize(
    "points", [([0.0], [0.0]), ([0.0, 0.0, 0.0], [0.0, 0.0, 5.0]), ([0.0, 900.0, 1800.0], [0.0, 900.0, 1800.0])]
)
def test_a_place_and_a_line_have_an_area(points: tuple[list[float], list[float]]) -> None:
    hull = draw_hull(np.array(points[0]) + WEST, np.array(points[1]) + SOUTH)
    assert hull.inside.all()
    assert hull.square_km > 0


@pytest.fixture
def rasterize(tmp_path: Path) -> Any:
    """Runs the job on the L-shaped city of 40 days; on the last ten a suburb beyond the bay reports as well."""
    x, y = join(l_shape(), scatter(300, 6000, 6000, 3000, 3000, seed=4), (np.array([WEST + 90_000]), np.array([SOUTH])))
    day = np.r_[np.arange(4000) % 40, 30 + np.arange(300) % 10, 3]
    time = np.datetime64("2024-01-01T12:00:00", "s") + day * np.timedelta64(86_400, "s")
    path = write_incidents(tmp_path / "incidents.npz", make_incidents(x, y, time))
    out = tmp_path / "grids.tif"

    def run(**more: Any) -> tuple[Any, list[str]]:
        said = Recorder()
        run_job("rasterize", {"incidents": path, "output": str(out), "crs": "EPSG:32631", **more}, said)
        return read_heatmaps(out), said.messages

    return run


def test_without_a_study_area_the_hull_is_taken(rasterize: Any) -> None:
    heatmaps, said = rasterize(cell_size=500)
    assert heatmaps.area.startswith("hull ratio=0.1 buffer=")
    assert heatmaps.grid.columns < 30, "a stray 90 km off must not widen the grid"
    assert any("No study area was given. The concave hull of the incidents is taken" in line for line in said)
    assert any("1 of 4,301 incidents lies apart from all others" in line and "(feature 4300)" in line for line in said)
    assert any("never had an incident" in line for line in said)


def test_a_rectangle_is_warned_of(rasterize: Any) -> None:
    heatmaps, said = rasterize(cell_size=500, no_area="rectangle")
    assert (heatmaps.area, bool(heatmaps.mask.all())) == ("rectangle", True)
    assert any("is a rectangle" in line and "look better than they are" in line for line in said)


def test_a_backtest_does_not_know_where_the_city_will_grow(rasterize: Any) -> None:
    heatmaps, _ = rasterize(cell_size=500)
    said: list[str] = []
    past = narrow_to_past(heatmaps, 30, said.append)
    columns, rows = heatmaps.grid.centres()
    suburb = np.ix_(rows > SOUTH + 6000, columns > WEST + 6000)
    assert heatmaps.mask[suburb].any()
    assert not past.mask[suburb].any()
    assert not past.counts[:, suburb[0], suburb[1]].any()
    assert "of 1,300 later incidents" in said[0]
    # What happens later changes nothing.
    heatmaps.counts[30:] = 0
    assert np.array_equal(narrow_to_past(heatmaps, 30, said.append).mask, past.mask)
    heatmaps.area = "polygons"
    assert narrow_to_past(heatmaps, 30, said.append) is heatmaps


def test_a_stack_of_an_earlier_version_does_not_say_its_area(rasterize: Any) -> None:
    heatmaps, _ = rasterize(cell_size=500)
    heatmaps.area = ""
    assert "do not say how it was chosen" in describe_area(heatmaps)
    assert tagnames.AREA == "CRIMERISK_AREA"


def test_a_study_area_layer_of_the_hull(tmp_path: Path) -> None:
    x, y = join(l_shape(), (np.array([WEST + 90_000]), np.array([SOUTH])))
    time = np.full(len(x), np.datetime64("2024-01-01T12:00:00", "s"))
    given = {"incidents": write_incidents(tmp_path / "incidents.npz", make_incidents(x, y, time)), "crs": "EPSG:32631"}
    said = Recorder()
    result = run_job("select_area", {**given, "method": "hull", "buffer": 0.0}, said)
    assert any("a backtest does not draw polygons anew" in line for _, line in said.entries)
    assert (result["incidents"], result["left_out"]) == (4000, 1)
    wide = run_job("select_area", {**given, "method": "hull", "buffer": 500.0}, Recorder())
    areas = [
        shapely.area([shapely.from_geojson(str(each).replace("'", '"')) for each in one["hull"]]).sum()
        for one in (result, wide)
    ]
    assert areas[1] > areas[0] + 10e6


def test_hexagons_laid_over_a_hull_are_judged_as_they_are_and_that_is_said() -> None:
    panel = make_panel(np.array([[1, 0], [0, 2]], dtype=np.uint8), area="hull 1")
    said: list[str] = []
    assert narrow_to_past(panel, 1, said.append) is panel
    assert said[0].startswith("The study area is the hull of all incidents, also of those judged")
    given = replace(panel, area="polygons")
    assert narrow_to_past(given, 1, said.append) is given
    assert len(said) == 1
