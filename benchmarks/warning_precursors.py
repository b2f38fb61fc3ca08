"""Shootings of simulated cities that follow violence: whether a test of warnings finds that, and nothing else.

Usage: scripts/benchmark.sh warning_precursors [--seeds 40] [--models level_terms ...]; last line: one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from common import round_floats, say

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

SEEDS = 40
#: A city of two years in 25 neighbourhoods, the last eight months of which are tested, with violence that excites
#: nothing.
_CITY: dict[str, Any] = {"incidents": 8_000, "days": 2 * 365, "start": "2022-01-01", "branching": 0.0}
_AREAS, _FIRST = 25, np.datetime64("2023-05-01", "s")
#: Shootings, the share of them that follows violence where any does, within how many hours, and the alarm budget.
_TARGETS, _SHARE, _HOURS, _BUDGET = 1500, 0.5, 48.0, Budget("share", 0.1)


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


def main() -> None:
    """Print what is found in cities with precursors and without."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS, help="cities of each kind")
    parser.add_argument("--models", nargs="*", default=list(WARNING_CANDIDATES))
    given, _ = parser.parse_known_args()
    print(json.dumps(round_floats(measure_precursors(given.seeds, models=given.models))))


if __name__ == "__main__":
    main()
