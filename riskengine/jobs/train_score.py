"""Job: train a score model, judge it, and write model and report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.texts import count_text
from ..contract.tools.score import TrainScoreModel
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.errors import Cancelled, ParameterError
from ..ground.failures import keep_going
from ..intake.exactness import find_exactness
from ..intake.incidents import NO_CATEGORY
from ..systems.score.augment import Augmentation
from ..systems.score.comparing import compare
from ..systems.score.covered import describe_gap
from ..systems.score.features import FeatureSet, check_size
from ..systems.score.index import CrimeIndex, read_index_head
from ..systems.score.model import ScoreModel
from ..systems.score.places import to_wall_clock
from ..systems.score.settings import Settings, make_published_settings
from ..systems.score.study import Study
from ..systems.score.training import train


def settings_of(parameters: TrainScoreModel) -> Settings:
    """The settings that the parameters ask for; what they leave open is the protocol's own."""
    start = Settings() if parameters.protocol == "recommended" else make_published_settings()
    if parameters.widths is not None and not all(1 <= width <= 4096 for width in parameters.widths):
        raise ParameterError(
            f"widths is {parameters.widths}; a layer has 1 to 4096 units",
            parameter="widths",
            value=parameters.widths,
            remedy="Give for example 64, 64",
        )
    fitting = replace(
        start.fitting,
        epochs=parameters.epochs or start.fitting.epochs,
        patience=parameters.patience or start.fitting.patience,
    )
    groups = start.features.groups if parameters.features is None else tuple(parameters.features)
    features = FeatureSet(groups=groups, k=parameters.k)
    check_size(features)
    return replace(
        start,
        radius=parameters.radius,
        window_days=parameters.window_days,
        recent_days=parameters.recent_days,
        augmentation=Augmentation() if parameters.augment else None,
        features=features,
        widths=start.widths if parameters.widths is None else tuple(parameters.widths),
        grow=start.grow if parameters.grow is None else parameters.grow,
        fitting=fitting,
        folds=parameters.folds,
        block_size=parameters.block_size,
        interval=parameters.interval,
        seed=parameters.seed,
    )


def run(parameters: TrainScoreModel, context: JobContext) -> dict[str, Any]:
    """Train, compare, report; a cancelled training leaves its best model if `keep_best` asks for it."""
    settings = settings_of(parameters)
    check_folder(parameters.model_output, "model_output")
    if parameters.report:
        check_folder(parameters.report, "report")
    context.progress(0.0, "Reading the index")
    meta = read_index_head(parameters.index)
    index = _exact(parameters.index, context)
    recent_index = _exact(parameters.recent_index, context) if parameters.recent_index else None
    reference = to_wall_clock(parameters.reference_time)
    recent = recent_index or index
    said = str(meta.get("exactness", "")) if recent is index else ""
    uncovered = [
        *_uncovered(index, recent_index, settings, reference),
        *_list_unknown_clock(find_exactness(recent.incidents.time, said), settings),
    ]
    for note in uncovered:
        context.warn(note)
    name = Path(parameters.model_output).stem
    try:
        with context.step(0.02, 0.5 if parameters.compare else 0.95):
            model, study, prepared, networks = train(
                index, recent_index, settings, reference, name, meta["fingerprint"], context
            )
    except Cancelled as cancelled:
        if parameters.keep_best and isinstance(cancelled.best, ScoreModel):
            cancelled.best.save(parameters.model_output, "model_output")
            context.warn(f"Cancelled: the best network so far is kept in {parameters.model_output}")
        raise
    try:
        if parameters.compare:
            if parameters.keep_best:
                # Gradient boosting does not listen: whoever cancels now ends the process before it could save.
                model.save(parameters.model_output, "model_output")
            with context.step(0.5, 0.95), keep_going(study.notes.append, "The comparison was left out"):
                compare(study, prepared, networks, settings, context)
    except Cancelled:
        if parameters.keep_best:
            context.warn(f"Cancelled while comparing: the trained model is kept in {parameters.model_output}")
        raise
    study.about = describe_data(index, study, parameters, len(prepared.recent), settings)
    study.notes += list_notes(study)
    for note in study.notes:
        context.warn(note)
    study.notes += uncovered
    model.save(parameters.model_output, "model_output")
    report = None
    if parameters.report:
        from ..report.score import write_score_report

        context.progress(0.96, "Writing the report")
        with keep_going(context.warn, "The model is written, but its report is not"):
            write_score_report(parameters.report, study)
            report = parameters.report
    return {**result_of(model, study, parameters), "report": report}


def _exact(path: str, context: JobContext) -> CrimeIndex:
    """An index that is answered exactly, however it was built: scores are to be learned, not their approximation."""
    index = CrimeIndex.load(path, context)
    return CrimeIndex(index.incidents, index.crs) if index.method == "annoy" else index


def _uncovered(
    index: CrimeIndex, recent_index: CrimeIndex | None, settings: Settings, reference: np.datetime64 | None
) -> list[str]:
    """What is to be said where the data do not reach as far as the windows."""
    end = index.incidents.time.max() if reference is None else reference
    recent = (recent_index or index).incidents
    reasons = [
        describe_gap(index.incidents, settings.window_days, end, "scores count incidents of fewer days than asked for"),
        describe_gap(recent, settings.recent_days, end, "the model learns from a recent window that is partly empty"),
    ]
    return [note for note in reasons if note]


def _list_unknown_clock(exactness: str, settings: Settings) -> list[str]:
    """What is to be said where features ask for a time of day that is not known."""
    if "clock" not in settings.features.groups or exactness not in ("day", "month"):
        return []
    what = "hour" if exactness == "day" else "hour and weekday"
    return [
        f"The times are exact to the {exactness}, so no time of day is known: the features of the {what} of the nearest"
        " incidents mean nothing. Leave the group clock out of FEATURES"
    ]


def describe_data(
    index: CrimeIndex, study: Study, parameters: TrainScoreModel, recent: int, settings: Settings
) -> dict[str, Any]:
    """Describe the data for the report."""
    incidents, rows = index.incidents, study.rows
    end = rows.reference
    start = end - np.timedelta64(round(settings.window_days * 86_400), "s")
    inside = (incidents.time > start) & (incidents.time <= end)
    code, number = np.unique(incidents.category[inside], return_counts=True)
    order = np.argsort(-number)
    return {
        "index": Path(parameters.index).name,
        "incidents": int(inside.sum()),
        "first": str(incidents.time[inside].min()),
        "last": str(incidents.time[inside].max()),
        "exactness": incidents.exactness,
        "recent_incidents": recent,
        "recent_first": str(end - np.timedelta64(round(settings.recent_days * 86_400), "s")),
        "categories": [
            [
                "(none)" if code[each] == NO_CATEGORY else incidents.categories[code[each]],
                float(number[each] / inside.sum()),
            ]
            for each in order
        ],
    }


def list_notes(study: Study) -> list[str]:
    """List the sentences the reader must not miss."""
    sentences = []
    covered, wanted = study.held_out.coverage().mean, study.card.interval
    if abs(covered - wanted) > 0.05:
        sentences.append(
            f"The {wanted:.0%} interval holds {covered:.0%} of the held-out truths: read its bounds with that in mind."
        )
    blocks = len(np.unique(study.held_out.block))
    if blocks < 30:
        sentences.append(
            f"The held-out rows lie in only {count_text(blocks, 'block')}: the error may well be another in the next"
            " neighbourhood."
        )
    return sentences


def result_of(model: ScoreModel, study: Study, parameters: TrainScoreModel) -> dict[str, Any]:
    """The job's result."""
    l1 = study.held_out.l1()
    return {
        "model": parameters.model_output,
        "report": parameters.report,
        "protocol": model.card.protocol,
        "l1": l1.mean,
        "l1_low": l1.low,
        "l1_high": l1.high,
        "coverage": study.held_out.coverage().mean,
        "parameters": model.network.count_parameters(),
        "architecture": model.card.architecture.describe(),
        "seconds": study.seconds,
        "rows": len(study.rows),
        "incidents": model.card.incidents,
        "recent_incidents": model.card.recent_incidents,
        "complete": model.card.complete,
        "comparisons": [
            {"model": each.model, "split": each.split, "l1": list(each.l1), "held_out": each.held_out}
            for each in study.comparisons
        ],
    }
