"""Forecasters on areas: the same cells as a grid and as polygons give the same forecasts."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from kit.maps import make_stack

from riskengine.contract.forecasters import FORECASTERS, GRID, list_default_members
from riskengine.forecasters.base import Forecaster
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.selfexciting.etas_kernel import Mover
from riskengine.forecasters.smoothing import UnitSmoother
from riskengine.ground.errors import DataError
from riskengine.maps.areas import Areas
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Panel

MAPS, FIRST = 90, 80
PLAIN = [name for name, record in FORECASTERS.items() if not record.network]
#: Where counts, shares, recent counts, weekday and trend come from nothing but the unit's own past.
OWN = ("constant", "prior_counts", "prior_share", "recent_counts", "weekday_trend")

#: On areas the ensemble's default has other members.
SETTINGS = {"ensemble": {"members": [*list_default_members("grid"), "ewma"]}}


def make_city(seed: int = 4) -> Heatmaps:
    """Incidents that bring others, to the same and the neighbouring cells, on a grid with a bay outside it."""
    random = np.random.default_rng(seed)
    rate = random.gamma(0.4, 0.35, (7, 9))
    counts = np.zeros((MAPS, 7, 9), dtype=np.uint8)
    excited = np.zeros((7, 9))
    for number in range(MAPS):
        counts[number] = random.poisson(rate + 0.35 * excited)
        near = np.pad(counts[number].astype(float), 1)
        excited = 0.6 * excited + 0.4 * (0.6 * near[1:-1, 1:-1] + 0.1 * (near[:-2, 1:-1] + near[2:, 1:-1]))
    mask = np.ones((7, 9), dtype=bool)
    mask[0, :3] = False
    counts[:, ~mask] = 0
    return make_stack(counts, mask)


def to_areas(city: Heatmaps) -> Panel:
    """The cells of the study area as polygons."""
    x, y = city.grid.find_centres()
    half, inside = city.grid.cell / 2, city.mask
    boxes = shapely.box(x - half, y - half, x + half, y + half)[inside]
    ids = tuple(f"cell {number}" for number in range(len(boxes)))
    areas = Areas(ids, boxes, city.grid.crs)
    return Panel(city.counts[:, inside], city.edges, np.ones(len(boxes), dtype=bool), areas, city.bin)


@pytest.mark.parametrize("name", PLAIN)
def test_the_same_cells_give_the_same_forecasts(name: str) -> None:
    city = make_city()
    panel = to_areas(city)

    def forecast(history: Heatmaps | Panel) -> list[np.ndarray]:
        model: Forecaster = make_forecaster(name, **SETTINGS.get(name, {})).fit(history.before(FIRST))
        return [model.predict(history.before(FIRST), 3), model.predict_each(history, FIRST)]

    for cells, areas in zip(forecast(city), forecast(panel), strict=True):
        assert areas.shape == cells[:, city.mask].shape
        if name in OWN:
            np.testing.assert_array_equal(areas, cells[:, city.mask])
        else:
            np.testing.assert_allclose(areas, cells[:, city.mask], rtol=1e-3)


#: The level with the maps before needs neighbours and pictures, and refuses areas without these in words of its own.
@pytest.mark.parametrize("name", [name for name, each in FORECASTERS.items() if each.network and GRID in each.needs])
def test_networks_say_that_they_need_a_grid(name: str) -> None:
    record = FORECASTERS[name]
    with pytest.raises(DataError, match=r"panel of areas.*Choose a forecaster that is no network"):
        make_forecaster(name, **record.quick_settings).fit(to_areas(make_city()))


@pytest.mark.parametrize("local", [True, False])
def test_smoothing_areas_keeps_what_there_is(local: bool) -> None:
    random = np.random.default_rng(1)
    edges = np.r_[0, np.cumsum(random.gamma(1.5, 300.0, 30))]
    areas = Areas(
        tuple(map(str, range(30))), shapely.box(edges[:-1], 0.0, edges[1:], random.gamma(2, 400.0, 30)), "EPSG:32614"
    )
    smoother = UnitSmoother(areas, np.ones(30, dtype=bool), 1.5, local)
    counts = random.poisson(3.0, (2, 30)).astype(float)
    np.testing.assert_allclose(smoother.spread(counts).sum(axis=1), counts.sum(axis=1))
    np.testing.assert_allclose(smoother.mean(np.full((1, 30), 4.0)), 4.0)


def test_a_density_falls_on_areas_by_their_size() -> None:
    # Two areas whose middles lie equally far from that of the first; one is four times as large.
    areas = Areas(
        ("middle", "small", "large"),
        np.array([shapely.box(-50, -50, 50, 50), shapely.box(250, -50, 350, 50), shapely.box(-400, -100, -200, 100)]),
        "EPSG:32614",
    )
    spread = UnitSmoother(areas, np.ones(3, dtype=bool), 3.0, local=False).spread(np.array([1.0, 0.0, 0.0]))
    assert spread[2] == pytest.approx(4 * spread[1])


def test_offspring_of_areas_stay_near_and_are_no_more_than_there_are() -> None:
    panel = to_areas(make_city())
    mover = Mover(panel.support, 200.0)
    one = np.zeros(len(panel.mask))
    one[30] = 1.0
    moved = mover.move(one)
    assert moved.sum() == pytest.approx(1.0, abs=0.01)
    assert moved.argmax() == 30
    assert moved[30] == pytest.approx(np.asarray(mover.same)[30])
