"""Does the test of warnings find precursors where there are some, and none where there are none?

Cities whose events have the intensity

    λ(t, u) = ν level(t) week(t) share(u) · [1 − strength + strength · recent(t, u)]

with `recent` the decaying number of precursors (other incidents, which come in outbreaks) of unit u before day t, over
what is usual there: of a city's events that share is triggered. With `strength` 0 what drives the events is the level,
which wanders, the calendar and the place, and nothing else. Who knows λ warns of a certain share of the events with an
alarm for a tenth of the area-days: that is what theory gives, and what is compared with the recall of the models.

Run: scripts/benchmark.sh warning_precursors [--seeds 40] [--models level_terms …]. A few minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from common import round_floats
from numpy.typing import NDArray

from riskengine.contract.forecasters import DEFAULT_WARNING
from riskengine.contract.warnings import OTHER, SIMILAR, Budget, Timing
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.warned import WarningsJudged
from riskengine.evaluation.warnings import run_warnings
from riskengine.maps.areas import make_areas
from riskengine.maps.panel import Extras, Panel
from riskengine.measures.alarms import choose_most

TIMING = Timing(window=24, begin=0, lead=0, delay=0)
#: Areas on a square, days, and those that are tested.
SIDE, DAYS, TESTED = 4, 4 * 365, 365
#: Events and precursors of the city on a day; the days after which half of a precursor's effect is gone.
EVENTS, PRECURSORS, HALF_LIFE = 3.0, 48.0, 2.0
#: The level moves by so much in a year; outbreaks of precursors: standard deviation of their logarithm, and days.
WANDERING, OUTBREAK, OUTBREAK_DAYS = 0.3, 0.8, 5.0
#: Share of the events that precursors trigger.
STRENGTH = 0.6
MODELS = ("level_terms", "level_boosting", "level_exciting")
BUDGET = Budget("share", 0.1)
_CRS = "EPSG:32618"


@dataclass(frozen=True)
class City:
    """A simulated city.

    Attributes
    ----------
    panel : Panel
    intensity : ndarray, shape (T, N)
        λ, which the simulator knows.
    """

    panel: Panel
    intensity: NDArray[np.float64]


def simulate_city(seed: int, strength: float, days: int = DAYS) -> City:
    """Simulate a city of which a share of the events is triggered by precursors."""
    rng = np.random.default_rng(seed)
    units = SIDE * SIDE
    share, busy = (rng.gamma(2.0, 1.0, units) for _ in range(2))
    share, busy = share / share.sum(), busy / busy.sum()
    week = np.array([0.9, 0.85, 0.85, 0.9, 1.1, 1.3, 1.1])[np.arange(days) % 7]
    level = np.exp(np.cumsum(rng.normal(0.0, WANDERING / np.sqrt(365), days)))
    precursors = rng.poisson(PRECURSORS * busy * _draw_outbreaks(rng, days, units))
    recent, kept = np.zeros((days, units)), 0.5 ** (1 / HALF_LIFE)
    for day in range(1, days):
        recent[day] = kept * recent[day - 1] + (1 - kept) * precursors[day - 1]
    triggered = 1 - strength + strength * recent / (PRECURSORS * busy)
    intensity = EVENTS * np.outer(level * week, share) * triggered
    similar = rng.poisson(10 * EVENTS * np.outer(week, share))
    left, low = (each.ravel() * 1000.0 for each in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    squares = shapely.box(left, low, left + 1000.0, low + 1000.0)
    areas, _ = make_areas([f"A{number}" for number in range(units)], squares, _CRS)
    panel = Panel(
        rng.poisson(intensity).astype(np.uint16),
        (np.datetime64("2020-01-06", "D") + np.arange(days + 1)).astype("datetime64[s]"),
        np.ones(units, dtype=bool),
        areas,
        "24 hours",
        extras=Extras(channels=np.stack([similar, precursors]).astype(np.uint16), channel_names=(SIMILAR, OTHER)),
    )
    return City(panel, intensity)


def _draw_outbreaks(rng: np.random.Generator, days: int, units: int) -> NDArray[np.float64]:
    """Draw how many times as many precursors as usual there are: mean 1, correlated over days, each unit its own."""
    kept = np.exp(-1 / OUTBREAK_DAYS)
    logs = rng.normal(0.0, OUTBREAK, (days, units))
    for day in range(1, days):
        logs[day] = kept * logs[day - 1] + np.sqrt(1 - kept**2) * logs[day]
    return np.exp(logs - OUTBREAK**2 / 2)


def compute_theory(city: City, windows: NDArray[np.int64]) -> float:
    """Compute the share of the events, on average, that who knows λ warns of under the budget."""
    intensity = city.intensity[windows]
    chosen = choose_most(intensity, BUDGET, TIMING.window)
    return float((chosen * intensity).sum() / intensity.sum())


def judge_city(city: City, models: Sequence[str]) -> WarningsJudged:
    """Test the models on the last year of a city."""
    plan = Plan(len(city.panel) - TESTED)
    return run_warnings(city.panel, [DEFAULT_WARNING, *models], plan, TIMING, BUDGET, workers=1)


def find_precursors(seeds: Sequence[int], strength: float, models: Sequence[str]) -> dict[str, object]:
    """Test the models on many cities: in how many any is better than the default, and what alarms were worth.

    Returns
    -------
    dict
        `found`: share of the cities in which a learned model's interval lay below the default's; `by_model` the same;
        `recall`: events warned of, mean over the cities, by model, and what `theory` gives.
    """
    found, recall = [], []
    for seed in seeds:
        city = simulate_city(seed, strength)
        judged = judge_city(city, models)
        assert not judged.failures, judged.failures
        found.append(judged.beyond)
        caught = {name: judged.scores[name].at[BUDGET].recall_events for name in (DEFAULT_WARNING, *models)}
        recall.append({**caught, "theory": compute_theory(city, judged.windows)})
    return {
        "cities": len(found),
        "found": float(np.mean([bool(each) for each in found])),
        "by_model": {name: float(np.mean([name in each for each in found])) for name in models},
        "recall": {name: float(np.mean([each[name] for each in recall])) for name in recall[0]},
    }


def main() -> None:
    """Print what the models found with precursors and without."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40, help="cities without precursors; with them a quarter of it")
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    given, _ = parser.parse_known_args()
    began = time.monotonic()
    without = find_precursors(range(given.seeds), 0.0, given.models)
    with_them = find_precursors(range(max(given.seeds // 4, 1)), STRENGTH, given.models)
    found = {"without": without, "with": with_them, "strength": STRENGTH, "seconds": time.monotonic() - began}
    print(json.dumps(round_floats(found)))


if __name__ == "__main__":
    main()
