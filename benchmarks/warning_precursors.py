"""Does the test of warnings find precursors where there are some, and none where there are none?

Shootings are simulated, of which a known share follows violence in the same place within two days, and warned of in
windows of a day by area; nothing is known late. Theory gives what the best possible warnings catch, on average, with
an alarm for a tenth of the area-days (`riskengine.simulation.precursors`). Last line: one JSON object: share of the
cities in which a learned model was better than the default with its whole interval, and the events warned of by model.

Usage: scripts/benchmark.sh warning_precursors [--seeds 40] [--models level_terms ...]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from common import round_floats, say

from riskengine.contract.forecasters import DEFAULT_WARNING
from riskengine.contract.warnings import Budget, Timing
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.warned import WarningsJudged
from riskengine.evaluation.warnings import run_warnings
from riskengine.ground.context import JobContext
from riskengine.maps.areas import make_areas
from riskengine.maps.warningpanel import make_warning_panel
from riskengine.simulation.districts import make_neighbourhoods
from riskengine.simulation.precursors import (
    PRECURSOR,
    TARGET,
    add_targets,
    compute_expected,
    compute_recall,
    draw_targets,
    measure_shares,
)
from riskengine.simulation.simulate import simulate_city

TIMING = Timing(window=24, begin=0, lead=0, delay=0)
BUDGET = Budget("share", 0.1)
#: Days, those of them that are tested, areas, incidents of all kinds (a quarter is violence), and shootings.
DAYS, TESTED, AREAS, INCIDENTS, SHOOTINGS = 3 * 365, 365, 16, 8000, 2500
#: Share of the shootings that follow violence, and the hours within which they do.
STRENGTH, HOURS = 0.6, 48.0
MODELS = ("level_terms", "level_boosting", "level_exciting")


@dataclass(frozen=True)
class Tested:
    """A test of warnings in a simulated city, and the share of the events that theory would have it catch."""

    judged: WarningsJudged
    theory: float


def judge_city(seed: int, strength: float, models: Sequence[str]) -> Tested:
    """Simulate a city, and test the models on its last year."""
    # Violence that does not excite itself, so that theory is exact.
    city = simulate_city(INCIDENTS, days=DAYS, seed=seed, branching=0.0)
    targets = draw_targets(city, SHOOTINGS, strength, HOURS)
    places = make_neighbourhoods(city, AREAS)
    areas, _ = make_areas(places.ids, places.shapes, city.crs)
    made = make_warning_panel(add_targets(city, targets), [TARGET], [PRECURSOR], areas, TIMING, JobContext())
    plan = Plan(len(made.panel) - TESTED)
    judged = run_warnings(made.panel, [DEFAULT_WARNING, *models], plan, TIMING, BUDGET, workers=1)
    assert not judged.failures, judged.failures
    unit, shares = areas.locate(city.x, city.y), measure_shares(city, areas.locate, AREAS)
    expected = compute_expected(city, targets, unit, shares, judged.starts, TIMING.window)
    return Tested(judged, compute_recall(expected, BUDGET.size))


def find_precursors(seeds: Sequence[int], strength: float, models: Sequence[str]) -> dict[str, object]:
    """Test the models in many cities.

    Returns
    -------
    dict
        `found`: share of the cities in which a learned model's log-loss lay below the default's with its whole
        interval; `by_model` the same of each; `recall`: events warned of, mean over the cities, by model, and what
        `theory` gives.
    """
    found, recall = [], []
    for seed in seeds:
        tested = judge_city(seed, strength, models)
        scores, beyond = tested.judged.scores, tested.judged.beyond
        say(f"City {seed}, strength {strength}: better than the default: {', '.join(beyond) or 'none'}")
        found.append(beyond)
        caught = {name: scores[name].at[BUDGET].recall_events for name in (DEFAULT_WARNING, *models)}
        recall.append({**caught, "theory": tested.theory})
    return {
        "cities": len(found),
        "found": float(np.mean([bool(each) for each in found])),
        "by_model": {name: float(np.mean([name in each for each in found])) for name in models},
        "recall": {name: float(np.mean([each[name] for each in recall])) for name in recall[0]},
    }


def main() -> None:
    """Print what was found with precursors and without."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=40, help="cities without precursors; with them a quarter as many")
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    given, _ = parser.parse_known_args()
    began = time.monotonic()
    without = find_precursors(range(given.seeds), 0.0, given.models)
    following = find_precursors(range(max(given.seeds // 4, 1)), STRENGTH, given.models)
    result = {"without": without, "with": following, "strength": STRENGTH, "seconds": time.monotonic() - began}
    print(json.dumps(round_floats(result)))


if __name__ == "__main__":
    main()
