"""What less exposed routes deliver in months that nobody knew of: Baltimore and San Francisco, by every risk.

Which months of Baltimore are tested was fixed before any result was looked at: six of the whole months after 2014, so
that nothing that is chosen on 2011 to 2014 has seen them, without March 2016, drawn with the seed 17. Whatever is tried
while developing is tried on other months (`DEVELOPMENT`), never on these.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import require_data, say

from riskengine.contract.tools.checkroutes import CheckRoutes
from riskengine.ground.context import JobContext
from riskengine.intake.incidents import Incidents
from riskengine.intake.project import read_imported
from riskengine.jobs import run_job
from riskengine.jobs.models import model_of
from riskengine.maps.hull import draw_hull
from riskengine.streets.building import build_network
from riskengine.streets.kept import OpenNetwork
from riskengine.streets.reading import read_streets
from riskengine.systems.routes.checking import Checked, JudgedRisk, check_ways
from riskengine.systems.routes.exposure import measure_exposure
from riskengine.systems.routes.pairs import draw_pairs
from riskengine.systems.routes.results import Delivery, Floats, Interval
from riskengine.systems.routes.risks import list_controls, make_judged_risk
from riskengine.systems.routes.ways import WayPlan
from riskengine.systems.score.definition import score_places
from riskengine.systems.score.index import CrimeIndex

_DRAWN_FROM = np.arange(np.datetime64("2015-01"), np.datetime64("2016-09"))
_SEED, _MONTHS = 17, 6
#: On which nothing is claimed, and everything may be tried.
DEVELOPMENT = ("2012-05", "2012-11", "2013-03", "2013-09", "2014-02", "2014-08")


@dataclass(frozen=True)
class City:
    """A city of the check.

    Attributes
    ----------
    incidents, streets : str
        Below the data folder.
    tested : tuple of str
    months : int
        Of history before each.
    """

    incidents: str
    streets: str
    tested: tuple[str, ...]
    months: int


def draw_months() -> tuple[str, ...]:
    """Draw the tested months of Baltimore by the rule above."""
    whole = [str(month) for month in _DRAWN_FROM if str(month) != "2016-03"]
    return tuple(sorted(random.Random(_SEED).sample(whole, _MONTHS)))


CITIES = {
    "baltimore": City("baltimore/bpd_part1_2011_2016.csv", "streets/baltimore_streets.gpkg", draw_months(), 12),
    "san_francisco": City("san_francisco/incidents_2012_h2.csv", "streets/san_francisco_streets.gpkg", ("2012-11",), 4),
}


@dataclass(frozen=True)
class ScoreField:
    """The crime score of a place: incidents within 200 m in the year before an origin, on its scale."""

    index: CrimeIndex
    origin: np.datetime64
    title: str = "crime score"
    unit: str = ""
    step: float = 50.0
    notes: tuple[str, ...] = ()

    def look_up(self, x: Floats, y: Floats) -> Floats:
        """The score at places, 0 to 1."""
        counts, scale, _ = score_places(self.index, x, y, reference=self.origin)
        return scale.to_score(counts)


def measure_held_out(data: Path) -> dict[str, Any]:
    """Check the routes of both cities on their held-out months."""
    found: dict[str, dict[str, Any]] = {}
    for name, city in CITIES.items():
        for key, value in describe_check(check_city(data, city, city.tested)).items():
            found.setdefault(key, {})[name] = value
    return found


def check_city(data: Path, city: City, tested: Sequence[str], more: Sequence[JudgedRisk] = ()) -> Checked:
    """Check the routes of a city in some months by the default risk, all that stands beside it, and `more`."""
    context = JobContext(on_log=lambda message, _: say(message))
    streets = str(require_data(data, *city.streets.split("/")))
    incidents, crs = read_city_incidents(data, city)
    parameters = model_of(CheckRoutes)(
        incidents="none.npz", network=streets, tested=list(tested), months=city.months, crs=crs
    )
    # Nothing is kept beside shared data.
    network = build_network(read_streets(parameters, context, crs), parameters, context)
    opened = OpenNetwork(network, (), False, parameters)
    months = [np.datetime64(month, "M") for month in tested]
    known = incidents.before(months[0].astype("datetime64[s]"))
    area = draw_hull(known.x, known.y).shape
    pairs = draw_pairs(network, parameters.pairs, parameters.nearest, parameters.farthest, parameters.seed, area)

    def measure_score(past: Incidents, origin: np.datetime64, inner: JobContext) -> Any:
        field = ScoreField(CrimeIndex(past, crs), origin)
        return measure_exposure(network, field, context=inner)

    passed = make_judged_risk("kernel", parameters.model_copy(update={"spread": "passed"}), network)
    risks = [
        *(make_judged_risk(kind, parameters, network) for kind in ("kernel", "counts", "forecast")),
        JudgedRisk("crime score", measure_score),
        JudgedRisk("incidents passed", passed.make),
        *more,
        *list_controls(parameters, opened),
    ]
    return check_ways(network, incidents, pairs, months, risks, WayPlan(detour=parameters.detour), context)


def read_city_incidents(data: Path, city: City) -> tuple[Incidents, str]:
    """Read the incidents of a city as *Import incidents* does, in metres; them and their CRS."""
    path = require_data(data, *city.incidents.split("/"))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "incidents.gpkg"
        given = {"path": str(path), "folder": str(path.parent), "output": str(output)}
        answer = run_job("import_csv", given, JobContext(on_log=lambda message, _: say(message)))
        return read_imported(output, answer["crs"])


def describe_check(checked: Checked) -> dict[str, Any]:
    """The figures of a city: those that are asked for, and all others by risk."""
    check = checked.check
    first = check.deliveries[0]
    return {
        **{f"held_out_{metres}": ratio.value for metres, ratio in first.delivered.items()},
        "promised_minus_delivered_100": first.gap.value,
        "held_out_by_risk": {each.title: describe_one(each) for each in check.deliveries},
        "held_out_by_detour": {f"{cap:g}": list_interval(ratio) for cap, ratio in check.by_detour},
        "held_out_months": list(check.months),
        "held_out_pairs": check.pairs,
        "repeated": check.repeated,
        "notes": list(check.notes),
    }


def describe_one(delivery: Delivery) -> dict[str, Any]:
    """All figures of a risk; an interval is a list of the value and its limits."""
    return {
        "promised": list_interval(delivery.promised),
        **{f"within_{metres}": list_interval(ratio) for metres, ratio in delivery.delivered.items()},
        "promised_minus_delivered_100": list_interval(delivery.gap),
        "fewer": delivery.fewer,
        "more": delivery.more,
        "detour": delivery.detour,
        "incidents": {str(metres): list(both) for metres, both in delivery.counts.items()},
        "control": delivery.control,
    }


def list_interval(interval: Interval) -> list[float]:
    """Value, low and high."""
    return [interval.value, interval.low, interval.high]
