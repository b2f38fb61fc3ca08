"""Backtest every forecaster on eleven tasks of five cities: log-loss, Brier skill, AUC, hit rate, PAI at 5 % of area.

The same folds for all: the last maps of each task, every one forecast from the maps before it, by models fitted once
on what lies before the first of them. Differences are those of the report: paired by map, 95 % interval over blocks of
time. Then the catch at 5 % of the area by the default made for it, against prior counts. Last line: one JSON object.

Usage: scripts/benchmark.sh forecast [--only TASK,TASK] [--models MODEL,MODEL] [--aims AIM,AIM] [--keep FOLDER]
       [--further]
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, make_parser, require_data, round_floats, say
from forecast_catch import compare_task, summarize_catch
from forecast_tasks import NEW_YORK, TASKS, Task
from nyc_grid import PER_DEGREE, PER_DEGREE_UNROUNDED, count_new_york

from riskengine.contract.aims import CATCH, PROBABILITIES
from riskengine.contract.forecasters import BASELINES, DEFAULT, FORECASTERS
from riskengine.evaluation.backtest import run_backtest
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.plan import Plan
from riskengine.forecasters.base import mark_events
from riskengine.ground.artefacts import compute_fingerprint
from riskengine.measures.metrics import auc, brier, brier_skill, count_area_hits, log_loss
from riskengine.report.claims import describe_comparison

#: What the default must be significantly better than, all of them: counts, weekday and trend, KDE.
SIMPLE = tuple(name for name in BASELINES if name != "constant")
#: Epochs at most, so that eleven trainings of four networks end within an hour on two cores; all else is as a user
#: gets it.
SETTINGS: dict[str, dict[str, Any]] = {
    "convlstm": {"epochs": 10},
    "convlstm_published": {"epochs": 6},
    "st_resnet": {"epochs": 12},
    "sftt": {"epochs": 12},
}
#: FACTS.md section 2: the mean of the first 608 days as rate, on the last 92, mean over the four types.
GOLDEN = {"brier": 0.1216, "skill": 0.408, "log_loss": 0.3797, "auc": 0.8709, "pai_5": 5.81, "pei_5": 0.699}


def check_measure(data: Path) -> dict[str, Any]:
    """The mean-rate baseline on New York's grid, by the same measures as everything else here."""
    path = require_data(data, "new_york", "crimes_2014_2015.csv")
    measures: dict[str, Any] = {"expected": GOLDEN}
    for title, per_degree in (("as_rounded_in_facts", PER_DEGREE), ("unrounded", PER_DEGREE_UNROUNDED)):
        rows = []
        for offense in NEW_YORK:
            maps = count_new_york(path, per_degree, 16, offense)
            first = len(maps) - 92
            events = mark_events(maps)[first:][:, maps.mask]
            counts = maps.counts[first:][:, maps.mask]
            # The published reading: the first 608 days and no more, the same forecast for every day.
            rate = maps.counts[:608][:, maps.mask].mean(axis=0)
            risk = np.repeat(-np.expm1(-rate)[None], len(events), axis=0)
            hits = count_area_hits(risk, counts)
            # The skill is against one rate for the whole study area.
            reference = float(-np.expm1(-rate.mean()))
            rows.append(
                (
                    brier(risk, events),
                    brier_skill(risk, events, reference),
                    log_loss(risk, events),
                    auc(risk, events),
                    hits.pai,
                    hits.pei,
                )
            )
        measures[title] = dict(zip(GOLDEN, np.mean(rows, axis=0).tolist()))
    return measures


def list_figures(backtest: Judged) -> dict[str, Any]:
    """List what the target asks for, by model."""
    best = backtest.best_baseline
    rows: dict[str, Any] = {}
    for name, score in backtest.scores.items():
        row = {key: score.to_dict()[key] for key in ("log_loss", "brier_skill", "auc", "hit_rate_5", "pai_5")}
        if name != best:
            difference = backtest.compare_losses(name)
            row["against_best"] = [difference.mean, difference.low, difference.high]
            row["verdict"] = difference.verdict
        rows[name] = row | {"seconds": backtest.seconds[name]}
    summary: dict[str, Any] = {"best_baseline": best, "models": rows, "failures": backtest.failures}
    summary["verdict"] = " ".join(describe_comparison(backtest))
    if DEFAULT in backtest.scores:
        summary["default_against"] = {
            name: backtest.compare_losses(DEFAULT, name).verdict for name in SIMPLE if name in backtest.scores
        }
    return summary


def run_task(task: Task, data: Path, models: list[str], keep: Path | None) -> dict[str, Any]:
    """Backtest one task, or read what an earlier run of the same code on the same maps kept."""
    heatmaps = task.read(data)
    first = len(heatmaps) - task.test
    print_of = compute_fingerprint(heatmaps.counts, heatmaps.mask, heatmaps.edges)
    mark = {"maps": print_of, "models": models, "code": compute_code_fingerprint(), "settings": SETTINGS}
    kept = keep / f"{task.name}.json" if keep else None
    if kept and kept.exists():
        summary = json.loads(kept.read_text(encoding="utf-8"))
        if summary.pop("mark") == json.loads(json.dumps(mark)):
            say(f"{task.name}: kept from an earlier run")
            return summary
    began = time.perf_counter()
    settings = {name: SETTINGS[name] for name in models if name in SETTINGS}
    backtest = run_backtest(heatmaps, models, Plan(first), settings=settings)
    summary = {
        "maps": len(heatmaps),
        "test": len(backtest.maps),
        "cells": int(heatmaps.mask.sum()),
        "cell_m": round(heatmaps.grid.cell),
        "share_of_events": float(mark_events(heatmaps)[first:][:, heatmaps.mask].mean()),
        **list_figures(backtest),
        "seconds": time.perf_counter() - began,
    }
    if kept:
        keep.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(summary | {"mark": mark}), encoding="utf-8")
    return summary


def compute_code_fingerprint() -> str:
    """Of all that a forecast or a figure depends on."""
    mine = [ROOT / "benchmarks" / name for name in ("forecast.py", "forecast_tasks.py", "nyc_grid.py")]
    parts = sorted([*(ROOT / "riskengine").rglob("*.py"), *mine])
    return compute_fingerprint(*(np.frombuffer(path.read_bytes(), dtype=np.uint8) for path in parts))


def print_table(name: str, task: dict[str, Any]) -> None:
    """Print a table for people, on stderr."""
    say(f"{name}: {task['maps']} maps, {task['test']} tested, {task['cells']} cells, {task['seconds']:.0f} s")
    for model, row in task["models"].items():
        text = f"  {model:18s} log-loss {row['log_loss']:.5f}  skill {row['brier_skill']:+.4f}  AUC {row['auc']:.4f}"
        text += f"  hit rate {row['hit_rate_5']:.3f}  PAI {row['pai_5']:5.2f}"
        if "against_best" in row:
            mean, low, high = row["against_best"]
            text += f"  {mean:+.5f} [{low:+.5f}, {high:+.5f}] {row['verdict']}"
        say(text)
    for model, why in task["failures"].items():
        say(f"  {model}: {why}")


def run_probabilities(data: Path, wanted: list[str], models: list[str], keep: Path | None) -> dict[str, Any]:
    """Backtest all models on the tasks that are wanted, and count where the default is better or worse."""
    measure = check_measure(data)
    say(f"The measure, on New York: {json.dumps(round_floats(measure))}")
    tasks: dict[str, Any] = {}
    for name in wanted:
        tasks[name] = run_task(TASKS[name], data, models, keep)
        print_table(name, tasks[name])
    counted = {name: task for name, task in tasks.items() if TASKS[name].counted and "default_against" in task}
    worse = [name for name, task in counted.items() if task["models"][DEFAULT].get("verdict") == "worse"]
    better = [n for n, task in counted.items() if all(each == "better" for each in task["default_against"].values())]
    networks = {
        name: [task for task, row in tasks.items() if row["models"].get(name, {}).get("verdict") == "better"]
        for name, entry in FORECASTERS.items()
        if entry.network and name in models
    }
    return {
        "measure": measure,
        "tasks": tasks,
        "default": DEFAULT,
        "default_tasks": len(counted),
        "default_worse_than_best_baseline_on": worse,
        "default_better_than_every_simple_baseline_on": better,
        "default_better_count": len(better),
        "networks_better_than_best_baseline_on": networks,
        "settings": SETTINGS,
    }


def main() -> None:
    """Run the tasks and print the JSON object."""
    parser = make_parser(str(__doc__))
    parser.add_argument("--only", default="", help="tasks, separated by commas: " + ", ".join(TASKS))
    parser.add_argument("--models", default=",".join(FORECASTERS), help="forecasters, separated by commas")
    parser.add_argument("--further", action="store_true", help="the fine grid of New York for each type too")
    parser.add_argument("--keep", type=Path, help="folder where finished tasks are kept, and read from")
    parser.add_argument("--aims", default=f"{PROBABILITIES},{CATCH}", help="what is asked, separated by commas")
    options = parser.parse_args()
    models = options.models.split(",")
    wanted = options.only.split(",") if options.only else [n for n, t in TASKS.items() if t.counted or options.further]
    began = time.perf_counter()
    result: dict[str, Any] = {}
    if PROBABILITIES in options.aims.split(","):
        result |= run_probabilities(options.data, wanted, models, options.keep)
    if CATCH in options.aims.split(","):
        result |= summarize_catch({name: compare_task(name, options.data) for name in wanted})
    result["cores"] = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    result["seconds"] = time.perf_counter() - began
    print(json.dumps(round_floats(result, 5)))


# Spawned workers of the backtest import this file.
if __name__ == "__main__":
    main()
