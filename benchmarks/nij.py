"""Forecasts made for the catch on the NIJ challenge of 2017: Portland, burglary and vehicle theft, five springs.

Each spring's forecast is made on 1 March from what was known then, for one and two weeks, one, two and three months, at
many positions of the grid; whatever is chosen is chosen on earlier days. Last line: one JSON object.

Usage: scripts/benchmark.sh nij [--only PART,PART] [--offsets N] [--models MODEL,MODEL]
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from common import make_parser, round_floats, say
from nij_data import AREA, HORIZONS, SQUARE_MILE, TYPES, YEARS
from nij_runs import Found, Key, count_cores, measure_speed, run_springs
from nij_speed import measure_ways
from numpy.typing import NDArray

from riskengine.contract.forecasters import CATCH_BASELINE, DEFAULT_CATCH
from riskengine.measures.crossed import compare_crossed

PARTS = ("pai", "pei", "sizes", "speed")
#: Cells and area for PAI, and for PEI*; the areas that the challenge allows.
PAI_FEET, PAI_MILES = 250.0, 0.25
PEI_FEET, PEI_MILES = 600.0, (0.25, 0.5, 0.75)
#: Sides of a cell that are compared: half and twice that for PAI, that for PEI*.
SIZES = (125.0, 250.0, 500.0, 600.0)
#: At so many positions at most: cells of 125 ft are 300,000.
MOST_SIZED = 3
#: FACTS.md section 2: one winning team's submissions for 2017, scored by us: (PAI, PEI*).
TEAM: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "burglary": {"1w": (30.7, 0.150), "2w": (24.2, 0.122), "1m": (4.4, 0.022), "2m": (0.0, 0.0)},
    "vehicle_theft": {"1w": (21.6, 0.099), "2w": (20.6, 0.104), "1m": (6.4, 0.103), "2m": (7.3, 0.175)},
}

Array = NDArray[np.float64]


def compute_pai(found: Found) -> Array:
    """Compute (n / N) / (a / A) of each position and spring, with the challenge's A."""
    rate = found.caught.sum(axis=2) / found.incidents.sum(axis=2)
    return np.asarray(rate / (found.flagged / SQUARE_MILE / AREA))


def compute_pei(found: Found) -> Array:
    """Compute n / n* of each position and spring."""
    return np.asarray(found.caught.sum(axis=2) / found.most)


def compare_catch(default: Found, counts: Found) -> dict[str, Any]:
    """Compare what was caught over all springs, a mean over the positions, with intervals in incidents."""
    total = float(counts.incidents.sum(axis=(1, 2)).mean())
    gained, incidents = (each.reshape(len(each), -1).T for each in (default.caught - counts.caught, counts.incidents))
    by_weeks = compare_crossed(gained.mean(axis=1, keepdims=True), incidents.mean(axis=1, keepdims=True), 1)
    crossed = compare_crossed(gained, incidents, 1)
    return {
        "default": _count(default),
        "prior_counts": _count(counts),
        "incidents": total,
        "minus_counts": by_weeks.mean * total,
        "minus_counts_low": by_weeks.low * total,
        "minus_counts_high": by_weeks.high * total,
        "minus_counts_low_with_positions": crossed.low * total,
        "minus_counts_high_with_positions": crossed.high * total,
        "verdict": crossed.verdict_of_more,
        "default_by_spring": default.caught.sum(axis=2).mean(axis=0).tolist(),
        "prior_counts_by_spring": counts.caught.sum(axis=2).mean(axis=0).tolist(),
        "incidents_by_spring": counts.incidents.sum(axis=2)[0].tolist(),
        "default_pai": _pool_pai(default),
        "prior_counts_pai": _pool_pai(counts),
        "default_sd_over_positions": _deviate(default.caught.sum(axis=(1, 2))),
        "prior_counts_sd_over_positions": _deviate(counts.caught.sum(axis=(1, 2))),
    }


def _count(found: Found) -> float:
    return float(found.caught.sum(axis=(1, 2)).mean())


def _deviate(values: Array) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def _pool_pai(found: Found) -> float:
    """Compute the PAI of all springs together, a mean over the positions."""
    rate = found.caught.sum(axis=(1, 2)) / found.incidents.sum(axis=(1, 2))
    return float((rate / (found.flagged.mean(axis=1) / SQUARE_MILE / AREA)).mean())


def summarize_pai(runs: Mapping[str, Mapping[Key, Found]], models: list[str]) -> dict[str, Any]:
    """Summarize 250 ft and .25 square miles: the mean of springs and horizons, three months, and every horizon."""
    springs: dict[str, dict[str, float]] = {name: {} for name in models}
    further: dict[str, Any] = {name: {} for name in models[2:]}
    caught, horizons = {}, {}
    for kind, run in runs.items():
        of = {(horizon, name): run[PAI_MILES, horizon, name] for horizon in HORIZONS for name in models}
        before = [year < YEARS[-1] for year in YEARS]
        for name in models:
            pai = np.array([compute_pai(of[horizon, name]).mean(axis=0)[before] for horizon in HORIZONS])
            springs[name][kind] = float(pai.mean())
        caught[kind] = compare_catch(of["3m", models[0]], of["3m", models[1]])
        for name in models[2:]:
            further[name][kind] = compare_catch(of["3m", name], of["3m", models[1]])
        horizons[kind] = {
            horizon: {name: _describe_years(of[horizon, name]) for name in models[:2]} for horizon in HORIZONS
        }
    summary = {"springs_13_16_pai": springs[models[0]], "springs_13_16_pai_prior_counts": springs[models[1]]}
    summary |= {"caught_3m": caught, "horizons": horizons}
    if further:
        summary |= {"springs_13_16_pai_further": {name: springs[name] for name in further}, "further_3m": further}
    return summary


def _describe_years(found: Found) -> dict[str, Any]:
    pai, caught = compute_pai(found), found.caught.sum(axis=2)
    return {
        "pai": dict(zip(map(str, YEARS), pai.mean(axis=0).tolist(), strict=True)),
        "pai_sd": dict(zip(map(str, YEARS), pai.std(axis=0, ddof=1).tolist() if len(pai) > 1 else [], strict=False)),
        "n": dict(zip(map(str, YEARS), caught.mean(axis=0).tolist(), strict=True)),
        "N": dict(zip(map(str, YEARS), found.incidents.sum(axis=2)[0].tolist(), strict=True)),
    }


def run_pei(data: Path, kind: str, models: list[str], positions: int) -> tuple[dict[int, float], Mapping[Key, Found]]:
    """Run 600 ft, each spring at its own area: that at which prior counts did best on the springs before."""
    tried = run_springs(data, kind, PEI_FEET, PEI_MILES, HORIZONS, models[1:2], positions)
    areas = {year: choose_area(tried, models[1], number) for number, year in enumerate(YEARS)}
    return areas, tried | run_springs(
        data, kind, PEI_FEET, sorted(set(areas.values())), HORIZONS, models[:1], positions
    )


def choose_area(run: Mapping[Key, Found], model: str, number: int) -> float:
    """Choose the area of highest PEI*, the mean over all horizons of the springs before; before any the smallest."""
    if not number:
        return min(PEI_MILES)
    reached = [np.mean([compute_pei(run[miles, each, model])[:, :number] for each in HORIZONS]) for miles in PEI_MILES]
    return PEI_MILES[int(np.argmax(reached))]


def summarize_pei(areas: Mapping[int, float], run: Mapping[Key, Found], models: list[str]) -> dict[str, Any]:
    """Summarize the PEI* of one type, each spring at its own area."""
    return {
        "square_miles": {str(year): miles for year, miles in areas.items()},
        "horizons": {
            horizon: {
                name: {
                    str(year): float(compute_pei(run[miles, horizon, name])[:, number].mean())
                    for number, (year, miles) in enumerate(areas.items())
                }
                for name in models[:2]
            }
            for horizon in HORIZONS
        },
    }


def compare_2017(summary: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Compare the spring of 2017 with the team's figures, one by one."""
    year, rows = str(YEARS[-1]), {}
    for kind, theirs in TEAM.items():
        for horizon, (pai, pei) in theirs.items():
            ours = (
                summary["horizons"][kind][horizon][model]["pai"][year],
                summary["pei"][kind]["horizons"][horizon][model][year],
            )
            for name, our, their in zip(("pai", "pei"), ours, (pai, pei), strict=True):
                rows[f"{kind} {horizon} {name}"] = {"ours": our, "theirs": their, "beaten": bool(our > their)}
    return {"beaten_2017": sum(row["beaten"] for row in rows.values()), "figures_2017": rows}


def summarize_sizes(
    runs: Mapping[tuple[str, float], Mapping[Key, Found]], models: list[str], positions: int
) -> dict[str, Any]:
    """Summarize three months of all springs by the side of a cell, over the first positions alone."""
    sizes: dict[str, Any] = {"positions": positions}
    for (kind, feet), run in runs.items():
        found = {name: run[PAI_MILES, "3m", name].cut(positions) for name in models[:2]}
        sizes.setdefault(kind, {})[f"{feet:g}"] = {
            name: {
                "n": _count(each),
                "pai": _pool_pai(each),
                "n_sd_over_positions": _deviate(each.caught.sum(axis=(1, 2))),
            }
            for name, each in found.items()
        }
    return {"sizes": sizes}


def run_parts(data: Path, parts: list[str], models: list[str], positions: int) -> dict[str, Any]:
    """Run the parts that are wanted and summarize them."""
    result: dict[str, Any] = {}
    pai: dict[str, Mapping[Key, Found]] = {}
    if "pai" in parts:
        pai = {kind: run_springs(data, kind, PAI_FEET, [PAI_MILES], HORIZONS, models, positions) for kind in TYPES}
        result |= summarize_pai(pai, models)
    if "pei" in parts:
        pei = {kind: run_pei(data, kind, models, positions) for kind in TYPES}
        result["pei"] = {kind: summarize_pei(*found, models) for kind, found in pei.items()}
    if "pai" in parts and "pei" in parts:
        result |= compare_2017(result, models[0]) | {
            "beaten_2017_prior_counts": compare_2017(result, models[1])["beaten_2017"]
        }
    if "sizes" in parts:
        few = min(positions, MOST_SIZED)
        sizes: dict[tuple[str, float], Mapping[Key, Found]] = {}
        for kind, feet in product(TYPES, SIZES):
            had = pai.get(kind) if feet == PAI_FEET else None
            sizes[kind, feet] = had or run_springs(data, kind, feet, [PAI_MILES], ["3m"], models[:2], few)
        result |= summarize_sizes(sizes, models, few)
    if "speed" in parts:
        result["speed"] = {kind: measure_speed(data, kind, PAI_FEET, PAI_MILES, models) for kind in TYPES}
        result["steps"] = measure_ways(data, "vehicle_theft", PAI_FEET)
    return result


def print_summary(result: Mapping[str, Any]) -> None:
    """Print what people look for first, on stderr."""
    for kind, row in result.get("caught_3m", {}).items():
        pai, theirs = (result[f"springs_13_16_pai{part}"][kind] for part in ("", "_prior_counts"))
        say(f"{kind}: mean PAI of 2013 to 2016 {pai:.1f}, prior counts {theirs:.1f}")
        caught = f"{row['default']:.1f} of {row['incidents']:.0f}, prior counts {row['prior_counts']:.1f}"
        interval = f"{row['minus_counts']:+.1f} [{row['minus_counts_low']:+.1f}, {row['minus_counts_high']:+.1f}]"
        say(f"{kind}: three months, five springs, {caught}, {interval}")
    if "beaten_2017" in result:
        say(f"2017: {result['beaten_2017']} of 16 beaten (prior counts {result['beaten_2017_prior_counts']})")
    if "speed" in result:
        say(json.dumps(round_floats(result["speed"])))


def main() -> None:
    """Run the parts and print the JSON object."""
    parser = make_parser(str(__doc__))
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas: " + ", ".join(PARTS))
    parser.add_argument("--offsets", type=int, default=20, help="positions of the grid, the given one among them")
    parser.add_argument("--models", default="", help="further forecasters beside the default and prior counts")
    options = parser.parse_args()
    began = time.perf_counter()
    models = [DEFAULT_CATCH, CATCH_BASELINE, *(name for name in options.models.split(",") if name)]
    result = run_parts(options.data, options.only.split(","), models, options.offsets)
    print_summary(result)
    run = {"default_is": models[0], "positions": options.offsets, "cores": count_cores()}
    print(json.dumps(round_floats(result | run | {"seconds": time.perf_counter() - began}, 5)))


# Spawned processes import this file.
if __name__ == "__main__":
    main()
