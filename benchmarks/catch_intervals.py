"""How often the intervals of a catch miss the truth: simulated weeks, addresses that repeat, and positions of the grid.

Two models catch some addresses at each position of the grid, and not the same ones; what is true is the difference of
their hit rates over all weeks and positions (with one position: at that one). Last line: one JSON object with the share
of 95 % intervals that missed, per cent.

Usage: scripts/benchmark.sh catch_intervals [--runs N]
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from common import say

from riskengine.measures.crossed import compare_crossed

#: Incidents of a week, those of them at addresses where a model may catch them, and how many such addresses there are.
WEEKLY, HOT, ADDRESSES = 190.0, 12.0, 300
#: Weeks and positions; and weeks, positions and weeks of a window whose places are drawn anew each time.
SHAPES = [(weeks, positions) for weeks in (6, 13, 26, 65) for positions in (1, 3, 5, 20)]
REDRAWN = [(52, positions, window) for window in (1, 4, 13) for positions in (1, 20)]
#: Both models catch an address at the same positions but for this share of addresses.
_APART = 0.3
#: How much weeks resemble each other, addresses vary (on the scale of the logarithm), and weeks vary all together.
_LIKE, _BURST, _LEVEL = 0.3, 0.8, 0.1


def draw_counts(random: np.random.Generator, weeks: int, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw the incidents of each week at each address, and of each week elsewhere."""
    level = random.gamma(1 / _LEVEL, _LEVEL, weeks)
    burst = random.normal(size=(weeks, len(rate)))
    for week in range(1, weeks):
        burst[week] = _LIKE * burst[week - 1] + np.sqrt(1 - _LIKE**2) * burst[week]
    here = random.poisson(rate * np.exp(_BURST * burst - _BURST**2 / 2) * level[:, None])
    return here, random.poisson((WEEKLY - HOT) * level)


def draw_places(random: np.random.Generator, one: np.ndarray, other: np.ndarray, positions: int) -> np.ndarray:
    """Draw at which positions only the first model catches an address (1), only the second (-1), or both or none."""
    first = random.random((len(one), positions))
    second = np.where(random.random(first.shape) < _APART, random.random(first.shape), first)
    return (first < one[:, None]).astype(float) - (second < other[:, None])


def miss(random: np.random.Generator, weeks: int, positions: int, window: int) -> bool:
    """Simulate one test; say whether the interval missed the truth."""
    rate = random.gamma(0.3, 1, ADDRESSES)
    rate *= HOT / rate.sum()
    usual = random.random(ADDRESSES)
    part, (here, elsewhere) = np.zeros((weeks, positions)), draw_counts(random, weeks, rate)
    # A window's places are good or bad by chance around what they usually are.
    away = random.normal(0, 0.2, (2, weeks // window, ADDRESSES)) if window < weeks else np.zeros((2, 1, ADDRESSES))
    for number in range(weeks // window):
        one, other = (np.clip(usual + away[0, number], 0, 1), np.clip(usual - 0.1 + away[1, number], 0, 1))
        places = draw_places(random, one, other, positions)
        which = slice(number * window, (number + 1) * window)
        part[which] = here[which] @ places
    if window < weeks:
        further = random.normal(0, 0.2, (1000, 1))
        gained = (np.clip(usual + further, 0, 1) - np.clip(usual - 0.1 + further, 0, 1)).mean(axis=0)
    else:
        gained = places[:, 0] if positions == 1 else one - other
    whole = np.repeat((here.sum(axis=1) + elsewhere)[:, None], positions, axis=1).astype(float)
    found = compare_crossed(part, whole, 1)
    return not found.low <= float(rate @ gained) / WEEKLY <= found.high


def measure(weeks: int, positions: int, window: int, runs: int) -> float:
    """Measure how many per cent of the intervals miss."""
    random = np.random.default_rng(weeks * 1000 + positions * 10 + window)
    return round(100 * float(np.mean([miss(random, weeks, positions, window) for _ in range(runs)])), 1)


def main() -> None:
    """Simulate all shapes and print the JSON object."""
    parser = argparse.ArgumentParser(description=str(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="simulations of each shape")
    parser.add_argument("--data", help="not read: everything is simulated")
    runs = parser.parse_args().runs
    missed, redrawn = {}, {}
    for weeks, positions in SHAPES:
        missed[f"{weeks} weeks, {positions} positions"] = measure(weeks, positions, weeks, runs)
        say(f"{weeks} weeks, {positions} positions: {missed[f'{weeks} weeks, {positions} positions']} % missed")
    for weeks, positions, window in REDRAWN:
        name = f"{weeks // window} windows of {window} weeks, {positions} positions"
        redrawn[name] = measure(weeks, positions, window, runs)
        say(f"{name}: {redrawn[name]} % missed")
    print(json.dumps({"missed": missed, "missed_with_places_drawn_anew": redrawn, "runs": runs}))


if __name__ == "__main__":
    main()
