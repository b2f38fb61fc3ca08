"""Ways of a small town and a check of them, made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from riskengine.contract.routes import BETWEEN, LEAST, ONLY, SHORTEST
from riskengine.streets.network import Network
from riskengine.systems.routes.results import (
    Delivery,
    DistrictShare,
    EdgeExposure,
    Interval,
    PairOfPlaces,
    RouteCheck,
    Way,
    Ways,
)

CRS = "EPSG:26918"
#: Blocks of the town are 100 m wide; it has so many streets each way.
BLOCK, STREETS = 100.0, 12


def make_way(metres: float, exposure: float, kind: str = BETWEEN, corners: Sequence[float] = (), **given: float) -> Way:
    """A way from (0, 0) to (1000, 500) by one avenue or two: `corners` are the avenues' x."""
    turns = [(0.0, 0.0)]
    for place, x in enumerate(corners):
        y = 500.0 * (place + 1) / max(len(corners), 1)
        turns += [(x, turns[-1][1]), (x, y)]
    vertices = np.array([*turns, (1000.0, 500.0)])
    shares = {"above": 0.1, "outside": 0.0, "unlit": math.nan} | given
    return Way(
        vertices, np.arange(3), np.ones(3), metres, metres / 80, exposure, exposure, shares["above"],
        shares["outside"], shares["unlit"], kind,
    )  # fmt: skip


def make_ways(*ways: Way, name: str = "", **given: object) -> Ways:
    """The ways of a pair; of themselves three: 1,500 m, 1,600 m with four fifths, 1,800 m with half of the exposure."""
    if not ways and not given.get("reason"):
        ways = (
            make_way(1500.0, 40.0, SHORTEST, (500.0,)),
            make_way(1600.0, 32.0, BETWEEN, (300.0, 700.0)),
            make_way(1800.0, 20.0, LEAST, (0.0,)),
        )
    return Ways(PairOfPlaces(name, (0.0, 0.0), (1000.0, 500.0)), tuple(ways), **{"cap": 1875.0, **given})  # type: ignore[arg-type]


def make_only(metres: float = 900.0, exposure: float = 10.0) -> Ways:
    """A pair whose shortest way is the least exposed one."""
    return make_ways(make_way(metres, exposure, ONLY, (500.0,)), cap=metres * 1.25)


def make_exposure(**given: object) -> EdgeExposure:
    """A density looked up every 25 m."""
    values = {
        "exposure": np.ones(4), "above": np.zeros(4), "outside": np.zeros(4), "threshold": 412.3, "mean": 96.5,
        "step": 25.0, "title": "density of 43,210 incidents of 12 months",
        "unit": "incidents per km² and year",
    }  # fmt: skip
    return EdgeExposure(**{**values, **given})  # type: ignore[arg-type]


def make_town() -> Network:
    """A grid of streets around the ways, an edge for each street."""
    along = BLOCK * np.arange(STREETS)
    reach = along[-1]
    east = [((0.0, y - 300), (reach, y - 300)) for y in along]
    north = [((x - 100, -300.0), (x - 100, reach - 300)) for x in along]
    vertices = np.array([end for line in (*east, *north) for end in line])
    number = len(vertices) // 2
    tail = 2 * np.arange(number, dtype=np.int32)
    yes = np.ones(number, dtype=bool)
    return Network(
        vertices[:, 0], vertices[:, 1], tail, tail + 1, np.full(number, reach), yes, yes, np.full(number, 4.8),
        np.full(number, -1, np.int8), np.arange(number), 2 * np.arange(number + 1), vertices, CRS, number,
    )  # fmt: skip


def make_delivery(title: str, promised: float, hundred: float, spread: float = 0.04, control: bool = False) -> Delivery:
    """A risk that promised and, within 100 m, delivered so much; nearer a little less, farther a little more."""

    def bound(value: float) -> Interval:
        return Interval(value, value - spread, value + spread)

    delivered = {50: bound(hundred - 0.06), 100: bound(hundred), 200: bound(hundred + 0.08)}
    counts = {50: (round(1000 * (hundred - 0.06)), 1000), 100: (round(2000 * hundred), 2000)}
    counts[200] = round(4000 * (hundred + 0.08)), 4000
    return Delivery(
        title, bound(promised), delivered, bound(promised - hundred), 0.71, 0.17, 0.12, counts, control
    )  # fmt: skip


def make_check(*deliveries: Delivery, **given: object) -> RouteCheck:
    """Two months of a hundred pairs; of themselves: a density, counts, a random map and small streets."""
    shown = deliveries or (
        make_delivery("Density of the months before", 0.7, 0.75),
        make_delivery("Counts within 50 m of each street", 0.4, 0.85),
        make_delivery("Random map 1", 0.8, 1.03, 0.06, control=True),
        make_delivery("Small streets", 0.6, 1.08, 0.05, control=True),
    )
    values = {
        "months": ("2015-06", "2015-11"), "pairs": 100, "deliveries": shown, "repeated": 0.8,
        "by_detour": ((5.0, Interval(0.88, 0.85, 0.91)), (10.0, Interval(0.82, 0.78, 0.86)),
                      (25.0, Interval(0.75, 0.71, 0.79))),
        "districts": make_districts(), "notes": ("Pairs lie 1,000 to 4,000 m apart",),
    }  # fmt: skip
    return RouteCheck(**{**values, **given})  # type: ignore[arg-type]


def make_districts() -> tuple[DistrictShare, ...]:
    """One district is avoided, two are gained, one is neither."""
    return (
        DistrictShare("Central", 0.4, 0.25),
        DistrictShare("Western", 0.2, 0.29),
        DistrictShare("Northern", 0.1, 0.16),
        DistrictShare("Eastern", 0.3, 0.3),
    )
