"""Job: train a model of what becomes of incidents, judge it on days that it did not know, keep it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..contract import tags as tagnames
from ..contract.outcomes import GROUPS, LIKELY, MODELS, UNLIKELY, OutcomeSplit, ReadableLeak, Reported
from ..contract.texts import count_text
from ..contract.tools.outcomemodel import TrainOutcomeModel
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.failures import keep_going
from ..learning.modelfile import list_versions
from ..measures.clustered import Interval
from ..report.outcomes import ladder
from ..report.outcomes.page import write_outcome_figures, write_outcome_report
from ..report.outcomes.prediction import describe_kept
from ..report.outcomes.sentences import (
    describe_calibration,
    describe_found,
    describe_model,
    describe_open_test,
    describe_shared,
    describe_verdict,
)
from ..report.outputs import hide_folders
from ..systems.outcomes.features import read_number_field
from ..systems.outcomes.groups import list_groups
from ..systems.outcomes.judged import OutcomeStudy
from ..systems.outcomes.maptables import write_tested
from ..systems.outcomes.model import OutcomeCard, OutcomeModel, compute_rows_fingerprint
from ..systems.outcomes.models.base import Reading, make_predictor
from ..systems.outcomes.reading import ReadRows, read_rows
from ..systems.outcomes.repeated import ROWS_FEATURE, count_shared
from ..systems.outcomes.reported import choose_rows, find_definitions
from ..systems.outcomes.rows import Floats
from ..systems.outcomes.study import OutcomePlan, run_study
from ..systems.outcomes.training import Trained, train_kept
from .models import to_dict


def run(parameters: TrainOutcomeModel, context: JobContext) -> dict[str, Any]:
    """Read, judge on the last days, fit again on all that are known, write."""
    began = time.monotonic()
    for name in ("model_output", "report", "csv", "tested"):
        if path := getattr(parameters, name):
            check_folder(path, name)
    with context.step(0.0, 0.1):
        read = read_rows(parameters, context)
    indicator = _read_indicator(parameters.indicator, read, context)
    plan = make_plan(parameters, read)
    with context.step(0.1, 0.8):
        study = run_study(read.rows, plan, context, indicator, read.leaks)
    said = list_sentences(study, read)
    if shared := describe_shared(count_shared(read.rows)):
        read.notes.append(shared)
    for sentence in filter(None, [shared, *said]):
        context.log(sentence)
    groups = tuple(group for group in plan.groups if group in list_groups(read.rows))
    reading = Reading(groups, plan.minute, plan.seed)
    with context.step(0.8, 0.95):
        kept = train_kept(read.rows, lambda: make_predictor(plan.model, reading), plan.maturity, study, context)
    context.log(describe_kept(kept))
    figures = _list_figures(study)
    context.progress(0.95, "Writing")
    OutcomeModel(kept.predictor, make_card(plan, read, kept, figures, parameters.leaks)).save(parameters.model_output)
    shown = hide_folders(to_dict(parameters))
    report = None
    if parameters.report:
        with keep_going(context.warn, "The model is written, but its report is not"):
            write_outcome_report(
                parameters.report,
                study,
                shown,
                read.rows.crs,
                read.notes,
                describe_outcome(read),
                parameters.indicator or "",
            )
            report = parameters.report
    if parameters.csv:
        write_outcome_figures(parameters.csv, study)
    tested = study.tested_rows
    if parameters.tested and tested is not None:
        rows = read.rows.select(tested.rows)
        found = ~choose_rows(rows, read.found, "victims")
        write_tested(
            parameters.tested, rows, read.table.fids[rows.fid], tested.probability, found, (LIKELY, UNLIKELY)
        )
    context.progress(1.0, "Done")
    return {
        "model": plan.model,
        "title": MODELS[plan.model].title,
        "model_output": parameters.model_output,
        "report": report,
        "csv": parameters.csv,
        "tested": parameters.tested,
        **figures,
        "thresholds": [LIKELY, UNLIKELY],
        "verdict": said[0],
        "learned": study.learned[plan.splits[0]],
        "tested_rows": study.tested[plan.splits[0]],
        "all_learned": len(kept.rows),
        "trained_until": kept.last,
        "origin": study.origin,
        "leaks": len(study.leaks),
        "counted_text": f"n = {count_text(study.tested[plan.splits[0]], 'incident')} tested",
        "tags": {tagnames.MODEL: plan.model, tagnames.TRAINED_UNTIL: kept.last},
        "notes": [*read.notes, *study.notes],
        "seconds": round(time.monotonic() - began, 3),
        "parameters": shown,
    }


def make_plan(parameters: TrainOutcomeModel, read: ReadRows) -> OutcomePlan:
    """Make the plan of the study: what was asked for, and the other of forward and random beside it.

    Where incidents have several rows, the split by incident stands beside the random one.
    """
    splits: list[OutcomeSplit] = [parameters.split, "random" if parameters.split == "forward" else "forward"]
    if "random" in splits and count_shared(read.rows).rows:
        splits.append("incident")
    return OutcomePlan(
        model=parameters.kind,
        beside=tuple(parameters.compare),
        splits=tuple(splits),
        groups=tuple(group for group in GROUPS if group in parameters.groups),
        minute=parameters.use_minute,
        test=parameters.test_days or parameters.test,
        maturity=parameters.maturity,
        ladder=parameters.ladder,
        seed=parameters.seed,
        found=tuple(read.found),
        definitions="by_definition" in parameters.leaks,
    )


def list_sentences(study: OutcomeStudy, read: ReadRows) -> list[str]:
    """List what the log says of a study: the verdict first."""
    opening, (verdict, _) = describe_model(study, describe_outcome(read)), describe_verdict(study)
    added = [f"{GROUPS[group]} {ladder.describe_group(study, group)}" for group in ladder.list_groups(study)]
    told = [describe_found(study), describe_calibration(study), describe_open_test(study), *added]
    return [f"{opening} {verdict}", *filter(None, told)]


def make_card(
    plan: OutcomePlan, read: ReadRows, kept: Trained, figures: dict[str, Any], leaks: Sequence[ReadableLeak] = ()
) -> OutcomeCard:
    """Make the card of the model that is kept; `leaks` are those that were asked for."""
    rows, reading = kept.rows, kept.predictor.reading
    other = [name for name in (*rows.other, *rows.labels) if name != ROWS_FEATURE]
    return OutcomeCard(
        name=plan.model,
        groups=list(reading.groups),
        minute=reading.minute,
        seed=reading.seed,
        shift=kept.shift,
        drift=kept.drift,
        outcome=describe_outcome(read),
        fields={role: names[0] for role, names in read.fields.items() if len(names) == 1},
        weather=list(rows.weather),
        census=list(rows.census),
        other=other,
        people=[name for leak in read.leaks if leak.kind == "person" for name in leak.names if name in other],
        found=list(read.found),
        definitions=[] if plan.definitions else find_definitions(rows),
        leaks=list(leaks),
        first=kept.first,
        last=kept.last,
        rows=len(rows),
        rate=float(rows.outcomes.mean()),
        maturity=plan.maturity,
        crs=rows.crs,
        fingerprint=compute_rows_fingerprint(rows),
        metrics=figures,
        versions=list_versions(),
    )


def describe_outcome(read: ReadRows) -> str:
    """Describe what counts, such as ``an arrest (Arrest is True)``."""
    assert read.outcome is not None, "required"
    return read.outcome.describe()


def _read_indicator(name: str | None, read: ReadRows, context: JobContext) -> Floats | None:
    return None if not name else read_number_field(read.table, name, context, "indicator")[read.rows.fid]


def _list_figures(study: OutcomeStudy) -> dict[str, Any]:
    """The figures of the split that was asked for: of all, of victims' reports, and against the table."""
    assert study.tested_rows is not None, "asked for"
    split = study.tested_rows.split
    found: dict[str, Any] = {}
    of: dict[str, Reported] = {"figures": "all", "victims": "victims"}
    for key, reported in of.items():
        score = study.find(study.default, split, reported)
        found[key] = {name: _round(each.mean) for name, each in score.figures.items()} if score else {}
    minus = study.differences.get((study.default, split, "all"))
    found["minus_table"] = _list_interval(minus) if minus else {}
    return found


def _list_interval(interval: Interval) -> dict[str, float | None]:
    return {"value": _round(interval.mean), "low": _round(interval.low), "high": _round(interval.high)}


def _round(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
