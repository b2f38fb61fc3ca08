"""Forecasts on areas: London's burglaries by LSOA, hexagon and square, four cities by week, and the published study.

Rolling origin, every bin forecast from what was known, all areas judged. London: the ten months from 2021-07 on, models
fitted anew each month but those that take minutes, counts known at once and two months late; settings were chosen on
the months before. Cities by week: the last 26, models fitted once. Differences are those of the report:
paired, 95 % intervals over blocks of areas and bins. Last line: one JSON object.

Usage: scripts/benchmark.sh areas [--only PART,PART]   parts: published, lsoa, hexagon_500, square_500, weekly, speed
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from area_parts.speed import measure_speed
from areas_data import WEEKLY, find_first_test, make_london_lsoas, make_london_tiles
from areas_published import measure as measure_published
from common import make_parser, round_floats, say

from riskengine.contract.forecasters import DEFAULT, FORECASTERS, list_baselines
from riskengine.evaluation.backtest import run_backtest
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.scoring import compare_losses
from riskengine.maps.covariates import shuffle_covariates
from riskengine.maps.panel import Extras, Panel
from riskengine.maps.tiling import make_hexagons, make_squares

#: The weighted mean whose catch and log-loss the default is compared with.
MEAN = "ewma"
#: Bins at the end of a weekly panel that are forecast.
WEEKS = 26
#: All that take areas (networks need a grid), and those of them that take minutes for a fit.
MODELS = tuple(name for name, record in FORECASTERS.items() if not record.network)
SLOW = ("kde", "etas", "logistic", "boosting")
PARTS = ("published", "lsoa", "hexagon_500", "square_500", "weekly", "speed")


def list_figures(judged: Judged) -> dict[str, dict[str, Any]]:
    """List the figures of every model."""
    best = judged.best_baseline
    rows = {}
    for name, score in judged.scores.items():
        figures = score.to_dict()
        row = {key: figures[key] for key in ("log_loss", "brier", "auc", "hit_rate_5", "pai_5")}
        row["calibration_error"] = score.reliability.error
        if name != best:
            gap = judged.compare_losses(name)
            row["against_best"] = [gap.mean, gap.low, gap.high]
        rows[name] = row
    return rows


def describe_default(judged: Judged) -> dict[str, Any]:
    """Say of the default what the targets ask for."""
    score, best = judged.scores[DEFAULT], judged.best_baseline
    gap, catch = judged.compare_losses(DEFAULT), judged.compare_hits(DEFAULT, MEAN)
    monthly = score.fold_loss - judged.scores[best].fold_loss
    return {
        "log_loss": score.log_loss,
        "auc": score.auc,
        "hit5_area": score.area.hit_rate,
        "best_baseline": best,
        "minus_baseline": gap.mean,
        "minus_baseline_low": gap.low,
        "minus_baseline_high": gap.high,
        "hit5_minus_mean": catch.mean,
        "hit5_minus_mean_low": catch.low,
        "hit5_minus_mean_high": catch.high,
        "months_better": int((monthly < 0).sum()),
        "months": len(monthly),
    }


def backtest(panel: Panel, first: int, delay: int = 0, models: Sequence[str] = MODELS, refit: int = 0) -> Judged:
    """Forecast every bin from `first` on; the models are fitted once, or anew after so many bins."""
    return run_backtest(replace(panel, delay=delay), list(models), Plan(first, refit=refit))


def judge_london(name: str, panel: Panel) -> dict[str, Any]:
    """Judge the ten months, with counts that are known at once and two months late."""
    result: dict[str, Any] = {}
    for delay in (0, 2):
        began, first = time.perf_counter(), find_first_test(panel)
        judged = backtest(panel, first, delay, [each for each in MODELS if each not in SLOW], refit=1)
        seconds = time.perf_counter() - began
        print_table(f"{name}, counts known {delay} months late, {seconds:.0f} s", judged)
        once = backtest(panel, first, delay, [*SLOW, MEAN])
        print_table("fitted once", once)
        result[f"delay{delay}"] = {
            **describe_default(judged),
            "models": list_figures(judged),
            "models_fitted_once": list_figures(once),
            "seconds": seconds,
        }
    late, soon = (result[f"delay{delay}"]["log_loss"] for delay in (2, 0))
    result["cost_of_two_months"] = late - soon
    return result


def judge_covariates(data: Path) -> dict[str, Any]:
    """Measure what deprivation and mobility add to history, beside the same dealt out among the areas at random.

    Mobility was published until June 2021, so it is judged on the eight months before.
    """
    deprived, moving = make_london_lsoas(data, deprivation=True), make_london_lsoas(data, mobility=True)
    first = find_first_test(deprived)
    result = {}
    for name, panel, start in (("deprivation", deprived, first), ("mobility", moving.cut(first), first - 8)):
        ways = {
            "with": panel,
            "without": replace(panel, extras=Extras()),
            "shuffled": shuffle_covariates(panel, seed=0),
        }
        models = (DEFAULT, *list_baselines("areas"))
        runs = {way: backtest(each, start, models=models, refit=1) for way, each in ways.items()}
        result[name] = {way: describe_default(judged) for way, judged in runs.items()}
        given = runs["with"]
        for way in ("without", "shuffled"):
            gap = compare_losses(given.scores[DEFAULT], runs[way].scores[DEFAULT], given.block)
            result[name][f"with_minus_{way}"] = [gap.mean, gap.low, gap.high]
            say(f"{name}: with minus {way} {gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]")
    return result


def judge_weekly(data: Path) -> dict[str, Any]:
    """Judge the default on four cities by week."""
    result = {}
    for name, make in WEEKLY.items():
        panel = make(data)
        judged = backtest(panel, len(panel) - WEEKS)
        result[name] = {**describe_default(judged), "areas": len(panel.support.ids), "models": list_figures(judged)}
        print_table(name, judged)
    return result


def print_table(title: str, judged: Judged) -> None:
    """Print a table for people, on stderr."""
    say(title)
    for name, row in list_figures(judged).items():
        text = f"  {name:16s} log-loss {row['log_loss']:.4f}  AUC {row['auc']:.3f}  hit rate {row['hit_rate_5']:.4f}"
        if "against_best" in row:
            mean, low, high = row["against_best"]
            text += f"  {mean:+.4f} [{low:+.4f}, {high:+.4f}]"
        say(text)
    for name, why in judged.failures.items():
        say(f"  {name}: {why}")


def main() -> None:
    """Run the parts and print the JSON object."""
    parser = make_parser(str(__doc__))
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    options = parser.parse_args()
    wanted = options.only.split(",")
    result: dict[str, Any] = {}
    if "published" in wanted:
        result["published"] = measure_published(options.data)
        result |= {key: result["published"][key] for key in ("published_rf_auc", "control_random_auc", "rule_auc")}
    panels = {
        "lsoa": lambda: make_london_lsoas(options.data),
        "hexagon_500": lambda: make_london_tiles(options.data, make_hexagons),
        "square_500": lambda: make_london_tiles(options.data, make_squares),
    }
    for name, make in panels.items():
        if name in wanted:
            result[name] = judge_london(name, make())
    if "lsoa" in wanted:
        result["covariates"] = judge_covariates(options.data)
        result |= {f"lsoa_{delay}": result["lsoa"][delay] for delay in ("delay0", "delay2")}
    if "hexagon_500" in wanted:
        result["hexagon_500"] |= result["hexagon_500"]["delay0"]
    if "weekly" in wanted:
        result["weekly"] = judge_weekly(options.data)
        result["worse_than_baseline"] = [n for n, row in result["weekly"].items() if row["minus_baseline_low"] > 0]
        result["better_than_baseline"] = [n for n, row in result["weekly"].items() if row["minus_baseline_high"] < 0]
    if "speed" in wanted:
        result |= measure_speed(options.data)
    print(json.dumps(round_floats(result, 5)))


# Spawned workers of the backtest import this file.
if __name__ == "__main__":
    main()
