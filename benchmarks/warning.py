"""Early warning: what the published network sees, and what warnings of windows that have not begun are worth.

Baltimore's homicides and shootings, events and not rows, models learned from 2011 to 2014 and tested from 2015 to 17
September 2016, known at once and (``delay_24h``) a day late; robbery in Chicago and New York, where nothing was tuned;
simulated cities with precursors of a known strength and without. Each part prints its figures as a line of JSON, and
the last line is one JSON object of all.

Usage: scripts/benchmark.sh warning [--only PART,PART] [--setups SETUP,…] [--seeds N] [--models MODEL,…] [--networks]
       [--full]; parts: setups, delay, half_lives, elsewhere, precursors, speed, warm, pictures, ladder
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from common import make_parser, round_floats, say
from warning_network import SIZE, make_baltimore_scene, measure_ladder
from warning_network import measure_speed as measure_network_speed
from warning_parts.data import BALTIMORE
from warning_parts.models import measure_elsewhere, measure_half_lives, measure_setups, measure_speed, measure_warm
from warning_pictures import measure_pictures

from riskengine.contract.forecasters import DEFAULT_WARNING, WARNING_CANDIDATES, WARNING_REFERENCE
from riskengine.contract.warnings import Budget, Timing
from riskengine.evaluation.plan import Plan
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
from riskengine.systems.warning.networks import RECIPES

#: The published network whose accuracy is measured; the ladder's networks take as many epochs as they need to be told
#: apart on two cores.
NETWORK, LADDER_EPOCHS = "model2", 15
DELAY = 24
#: Simulated cities of each kind.
SEEDS = 40
#: A city of two years in 25 neighbourhoods, the last eight months of which are tested, with violence that excites
#: nothing.
_CITY: dict[str, Any] = {"incidents": 8_000, "days": 2 * 365, "start": "2022-01-01", "branching": 0.0}
_AREAS, _FIRST = 25, np.datetime64("2023-05-01", "s")
#: Shootings, the share of them that follows violence where any does, within how many hours, and the alarm budget.
_TARGETS, _SHARE, _HOURS, _BUDGET = 1500, 0.5, 48.0, Budget("share", 0.1)


def measure_all_setups(given: argparse.Namespace, delay: int) -> dict[str, Any]:
    """Measure Baltimore's set-ups with a delay in hours."""
    return measure_setups(given.data, delay, given.setups.split(","), given.networks)


def measure_network(given: argparse.Namespace) -> dict[str, Any]:
    """Measure the published network, its ladder, and its speed; at the published size where it is asked for."""
    recipe = RECIPES[NETWORK]
    scene = make_baltimore_scene(given.data, *((recipe.width, recipe.height) if given.full else (SIZE, SIZE)))
    speed = measure_network_speed(scene, NETWORK)
    return {**measure_ladder(scene, NETWORK, given.epochs, given.ladder_epochs), **speed}


def measure_drawing(given: argparse.Namespace) -> dict[str, Any]:
    """Measure the drawing of windows; what is compared is at the top, all else beside it."""
    found = measure_pictures(given.data)
    return {"images_vs_matplotlib": found["images_vs_matplotlib"], "pictures": found}


def measure_precursors(
    seeds: int = SEEDS, delay: int = 0, models: Sequence[str] = WARNING_CANDIDATES
) -> dict[str, Any]:
    """Measure in so many cities with precursors and without what the test says.

    Returns
    -------
    dict
        ``found``: share of the cities with precursors in which something beyond the level is found; ``recall`` of the
        best model there, and ``recall_theory``, with a tenth of all windows warned of. ``silent``: share of the cities
        without, of which the test says that nothing is better than the level, nor the level than place and calendar.
    """
    began = time.perf_counter()
    found = {share: [_try_city(seed, share, delay, models) for seed in range(1, seeds + 1)] for share in (_SHARE, 0.0)}
    with_, without = found[_SHARE], found[0.0]
    mean = {key: float(np.mean([each[key] for each in with_])) for key in ("recall", "recall_theory", "recall_level")}
    ratios = [each["recall"] / each["recall_theory"] for each in with_]
    return {
        "seeds": seeds,
        "delay": delay,
        "found": float(np.mean([bool(each["beyond"]) for each in with_])),
        **mean,
        "recall_vs_theory": float(np.mean(ratios)),
        "recall_vs_theory_spread": float(np.std(ratios, ddof=1)) if seeds > 1 else None,
        "silent": float(np.mean([not each["beyond"] and not each["level_better"] for each in without])),
        "nothing_beyond_level": float(np.mean([not each["beyond"] for each in without])),
        "level_no_better": float(np.mean([not each["level_better"] for each in without])),
        "seconds": time.perf_counter() - began,
    }


def _try_city(seed: int, share: float, delay: int, models: Sequence[str]) -> dict[str, Any]:
    began = time.perf_counter()
    city = simulate_city(seed=seed, **_CITY)
    areas = make_neighbourhoods(city, _AREAS)
    support, _ = make_areas(areas.ids, np.asarray(areas.shapes, dtype=object), city.crs)
    targets = draw_targets(city, _TARGETS, share, _HOURS)
    timing = Timing(24, 0, 0, delay)
    made = make_warning_panel(add_targets(city, targets), [TARGET], [PRECURSOR], support, timing, JobContext())
    first = int(np.searchsorted(made.panel.edges, _FIRST)) // timing.bins * timing.bins
    judged = run_warnings(made.panel, [DEFAULT_WARNING, *models], Plan(first), timing, workers=1)
    unit, shares = support.locate(city.x, city.y), measure_shares(city, support.locate, _AREAS)
    expected = compute_expected(city, targets, unit, shares, judged.starts, timing.window, delay)
    best = judged.beyond[0] if judged.beyond else DEFAULT_WARNING
    recall = {name: judged.scores[name].at[_BUDGET].recall_events for name in (best, DEFAULT_WARNING)}
    result = {
        "beyond": judged.beyond,
        "level_better": judged.is_better(DEFAULT_WARNING, WARNING_REFERENCE),
        "recall": recall[best],
        "recall_level": recall[DEFAULT_WARNING],
        "recall_theory": compute_recall(expected, _BUDGET.size),
    }
    say(f"city {seed}, {share:.0%} follow violence: {result} ({time.perf_counter() - began:.1f} s)")
    return result


PARTS: Mapping[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "setups": lambda given: measure_all_setups(given, 0),
    "delay": lambda given: {f"delay_{DELAY}h": measure_all_setups(given, DELAY)},
    "half_lives": lambda given: {"half_lives": measure_half_lives(given.data, given.setups.split(","))},
    "elsewhere": lambda given: measure_elsewhere(given.data),
    "precursors": lambda given: {"precursors": measure_precursors(given.seeds, models=given.models.split(","))},
    "speed": lambda given: measure_speed(given.data),
    "warm": lambda given: measure_warm(given.data),
    "pictures": measure_drawing,
    "ladder": measure_network,
}


def main() -> None:
    """Measure the parts that are asked for."""
    parser = make_parser(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--setups", default=",".join(BALTIMORE), help="of Baltimore, separated by commas")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="simulated cities of each kind")
    parser.add_argument("--models", default=",".join(WARNING_CANDIDATES), help="tried in simulated cities")
    parser.add_argument("--networks", action="store_true", help="the networks among the warning models, too")
    parser.add_argument("--full", action="store_true", help="the published network at its published size")
    parser.add_argument("--epochs", type=int, help="of the published network (default: as many as published)")
    parser.add_argument("--ladder-epochs", type=int, default=LADDER_EPOCHS, help="of each network of the ladder")
    given = parser.parse_args()
    found: dict[str, Any] = {}
    for part in given.only.split(","):
        began = time.perf_counter()
        made = PARTS[part](given)
        say(f"{part}: {time.perf_counter() - began:.0f} s")
        print(json.dumps(round_floats({"part": part, **made})), flush=True)
        found |= made
    print(json.dumps(round_floats(found)))


if __name__ == "__main__":
    main()
