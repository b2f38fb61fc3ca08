"""Figures of outcome models: of every split, model and kind of rows, of groups of features, and over random draws."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import say

from outcome_parts.cities import read_city
from outcome_parts.train_speed import train_vs_sklearn
from riskengine.contract.outcomes import DEFAULT_MODEL, MODELS, REFERENCE_TABLE, OutcomeSplit, Reported
from riskengine.ground.context import JobContext
from riskengine.measures.alarmcurves import compute_calibration_error
from riskengine.measures.clustered import Interval
from riskengine.measures.metrics import auc, brier, log_loss
from riskengine.systems.outcomes.groups import climb_groups, list_groups
from riskengine.systems.outcomes.judged import AreaOutcomes, OutcomeStudy, Score, Step
from riskengine.systems.outcomes.models.base import Reading, make_predictor
from riskengine.systems.outcomes.reported import choose_rows
from riskengine.systems.outcomes.rows import Rows
from riskengine.systems.outcomes.splits import split_rows
from riskengine.systems.outcomes.study import REPORTED, OutcomePlan, run_study

#: Days before the test whose outcomes are not known yet: none, so that figures compare with those of `FACTS`, and four
#: weeks beside it, as the tool has it.
MATURITY = 28
#: Random splits over which means and spreads are taken.
DRAWS = 10
#: Models by the names of their figures: as published, and what is drawn elsewhere.
PUBLISHED = {"table": "rate_description", "table_location": REFERENCE_TABLE, "net": "network", "gbm": "gbm"}
TABLE_AND_DEFAULT = {"table": REFERENCE_TABLE, "default": DEFAULT_MODEL}
#: What is measured of every draw.
_DRAWN: Mapping[str, Callable[..., float]] = {
    "auc": auc,
    "log_loss": log_loss,
    "brier": brier,
    "ece": compute_calibration_error,
}
_INDICATOR = "HARDSHIP INDEX"
_CONTEXT = JobContext(on_log=lambda message, _: say(message))


def measure_chicago_2018(data: Path) -> dict[str, Any]:
    """Measure every model, at random and forward; the default reads neither weather nor census."""
    read = read_city(data, "chicago_2018")
    bare, plan = leave_context(read.rows), OutcomePlan(found=read.found, maturity=0, splits=("forward", "random"))
    own = run_study(bare, plan, _CONTEXT, read.rows.census.get(_INDICATOR), read.leaks)
    beside = tuple(name for name in MODELS if name != DEFAULT_MODEL)
    others = run_study(read.rows, replace(plan, beside=beside), _CONTEXT)
    mature = run_study(bare, replace(plan, maturity=MATURITY, splits=("forward",)), _CONTEXT)
    found = describe_study(own)
    found["blocks"] = describe_scores(run_study(bare, replace(plan, splits=("blocks",)), _CONTEXT), DEFAULT_MODEL)
    found["models"] = {name: describe_model(others, name) for name in beside} | {
        DEFAULT_MODEL: describe_model(own, DEFAULT_MODEL),
        f"{DEFAULT_MODEL}_with_weather_and_census": describe_model(others, DEFAULT_MODEL),
    }
    found[f"maturity_{MATURITY}"] = describe_study(mature)
    found["areas"] = [describe_areas(each) for each in own.areas]
    found["leaks"] = describe_leaks(own)
    found["seconds"] = {**others.seconds, **own.seconds}
    return {"chicago_2018": found}


def measure_training(data: Path) -> dict[str, Any]:
    """Measure the speed of training on a million rows like those of Chicago 2018, joined as they are."""
    return train_vs_sklearn(read_city(data, "chicago_2018").rows)


def measure_groups(data: Path) -> dict[str, Any]:
    """Measure what groups of features add, forward and at random, with their controls."""
    read = read_city(data, "chicago_2018")
    groups, found = list_groups(read.rows), {}
    for split in ("forward", "random"):
        steps = climb_groups(read.rows, split_rows(read.rows, split), DEFAULT_MODEL, groups, context=_CONTEXT)
        found[split] = [describe_step(step) for step in steps]
    return {"chicago_2018_groups": found}


def measure_draws(data: Path) -> dict[str, Any]:
    """Measure the default and the tables of Chicago 2018 over random splits, which differ by chance."""
    read = read_city(data, "chicago_2018")
    rows = leave_context(read.rows)
    return {"chicago_2018_draws": draw_splits(rows, TABLE_AND_DEFAULT, found=read.found)}


def measure_chicago_2015(data: Path) -> dict[str, Any]:
    """Measure the published models of the published rows over random splits; the default reads no context."""
    read = read_city(data, "chicago_2015")
    drawn = draw_splits(read.rows, PUBLISHED, found=read.found)
    drawn |= draw_splits(leave_context(read.rows), {"default": DEFAULT_MODEL}, found=read.found)
    figures: dict[str, Any] = {name: kinds["all"] for name, kinds in drawn.items()}
    figures |= {f"{name}_victims": kinds["victims"] for name, kinds in drawn.items()}
    return {
        "chicago_2015": {"splits": DRAWS, "mean": figures["default"]["auc"], "sd": figures["default"]["auc_sd"]}
        | figures
    }


def measure_san_francisco(data: Path) -> dict[str, Any]:
    """Measure the default and the tables, split by incident: means over splits, and one of each kind with intervals.

    2012 is read twice: with repeated rows merged, and row by row, where those of an incident are on both sides.
    """
    found = {}
    for city in ("san_francisco_2012", "san_francisco_2017"):
        read = read_city(data, city)
        plan = OutcomePlan(found=read.found, maturity=0, splits=("incident", "random", "forward"))
        study = run_study(read.rows, plan, _CONTEXT, leaks=read.leaks)
        drawn = draw_splits(read.rows, TABLE_AND_DEFAULT, "incident", read.found)
        found[city] = {
            "rows": len(read.rows),
            **drawn["default"]["all"],
            "incident": drawn["default"]["all"],
            "incident_victims": drawn["default"]["victims"],
            "table": drawn["table"],
            "one_split": {name: describe_model(study, name) for name in plan.models},
            "leaks": describe_leaks(study),
            "seconds": dict(study.seconds),
        }
    unmerged = read_city(data, "san_francisco_2012", merge=False)
    found["san_francisco_2012"]["unmerged"] = {
        split: draw_splits(unmerged.rows, TABLE_AND_DEFAULT, split, unmerged.found) for split in ("random", "incident")
    }
    return found


def leave_context(rows: Rows) -> Rows:
    """Leave out weather, census and other fields: what the file itself says of an incident."""
    return replace(rows, weather={}, census={}, other={}, labels={})


def draw_splits(
    rows: Rows, models: Mapping[str, str], split: OutcomeSplit = "random", found: Sequence[str] = ()
) -> dict[str, dict[str, dict[str, float]]]:
    """Mean and standard deviation of figures over `DRAWS` splits, by model and whose rows they are of."""
    masks = {kind: choose_rows(rows, found, kind) for kind in REPORTED[:2]}
    seen: dict[str, dict[str, list[dict[str, float]]]] = {name: {kind: [] for kind in masks} for name in models}
    for seed in range(DRAWS):
        parts = split_rows(rows, split, seed=seed)
        learned, tested = rows.select(parts.learned), rows.select(parts.tested)
        for name, model in models.items():
            predicted = make_predictor(model, Reading(list_groups(rows), seed=seed)).fit(learned).predict(tested)
            for kind, mask in masks.items():
                p, o = predicted[mask[parts.tested]], tested.outcomes[mask[parts.tested]]
                seen[name][kind].append({figure: measure(p, o) for figure, measure in _DRAWN.items()})
        last = (f"{name} {figures['all'][-1]['auc']:.4f}" for name, figures in seen.items())
        say(f"draw {seed + 1}: {', '.join(last)}")
    return {name: {kind: _spread(each) for kind, each in kinds.items()} for name, kinds in seen.items()}


def _spread(drawn: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure, and its standard deviation as ``FIGURE_sd``."""
    found = {}
    for figure in _DRAWN:
        values = [each[figure] for each in drawn]
        found |= {figure: float(np.mean(values)), f"{figure}_sd": float(np.std(values, ddof=1))}
    return found


def describe_study(study: OutcomeStudy) -> dict[str, Any]:
    """The default's figures, within category, and beside the table of rates, forward in time."""
    forward = study.find(study.default, "forward")
    assert forward is not None
    return {
        **describe_scores(study, study.default),
        **name_interval("within_category_auc", forward.figures["within_category_auc"]),
        **name_interval("minus_table", study.differences[study.default, "forward", "all"]),
        "origin": study.origin,
        "learned": dict(study.learned),
        "tested": dict(study.tested),
    }


def describe_model(study: OutcomeStudy, model: str) -> dict[str, Any]:
    """The figures of one model, and its log-loss less that of the table of rates."""
    less = {
        name_kind(split, reported): name_interval("minus_table", difference)
        for (name, split, reported), difference in study.differences.items()
        if name == model
    }
    return {key: figures | less.get(key, {}) for key, figures in describe_scores(study, model).items()}


def describe_scores(study: OutcomeStudy, model: str) -> dict[str, Any]:
    """The figures of one model by split and kind of rows."""
    kinds = {(score.split, score.reported): score for score in study.scores if score.model == model}
    return {name_kind(*kind): describe_score(score) for kind, score in kinds.items()}


def describe_score(score: Score) -> dict[str, Any]:
    """All figures of a score, each with its interval."""
    found: dict[str, Any] = {"rows": score.rows, "base": score.base, "shift": score.shift}
    for name, figure in score.figures.items():
        found |= name_interval(name, figure)
    return found


def describe_step(step: Step) -> dict[str, Any]:
    """One step of the ladder."""
    said = {"group": step.group, "way": step.way, "control": step.control, "log_loss": step.log_loss, "auc": step.auc}
    return said | name_interval("difference", step.difference)


def describe_areas(areas: AreaOutcomes) -> dict[str, Any]:
    """How many areas there are, and whether rates and residuals follow hardship."""
    found: dict[str, Any] = {"reported": areas.reported, "areas": len(areas.rows)}
    found["apart"] = int(((areas.low > 0) | (areas.high < 0)).sum())
    for name in ("raw_correlation", "residual_correlation"):
        figure = getattr(areas, name)
        found |= name_interval(name, figure) if figure else {}
    return found


def describe_leaks(study: OutcomeStudy) -> list[dict[str, Any]]:
    """What tells the outcome, each with its figure."""
    return [{"kind": leak.kind, "figure": leak.figure, "rows": leak.rows} for leak in study.leaks]


def name_kind(split: str, reported: Reported) -> str:
    """``forward``, ``forward_victims``, and so on."""
    return split if reported == REPORTED[0] else f"{split}_{reported}"


def name_interval(name: str, figure: Interval) -> dict[str, float]:
    """A figure and its bounds."""
    return {name: figure.mean, f"{name}_low": figure.low, f"{name}_high": figure.high}


def time_part(name: str, began: float) -> None:
    """Say how long a part took."""
    say(f"{name}: {time.perf_counter() - began:.0f} s")
