"""The page of *Train outcome model*, and all its figures as a table."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...contract.outcomes import COMPARED_LEAST, GROUPS, HIDDEN_BELOW, MODELS, SHOWN_LEAST, Reported
from ...ground.artefacts import whole_file
from ...measures.clustered import Interval
from ...systems.outcomes.cases import OpenCases
from ...systems.outcomes.judged import AreaOutcomes, OutcomeStudy
from ..html import format_crs, format_number, render
from . import areas, figures, ladder, rates_figures, rates_words, sentences, tables, words

COLUMNS = ("what", "name", "split", "reported", "figure", "value", "low", "high")


def write_outcome_report(
    path: str | Path,
    study: OutcomeStudy,
    parameters: dict[str, Any],
    crs: str = "",
    notes: Sequence[str] = (),
    outcome: str = "",
    indicator: str = "",
    cases: Mapping[Reported, OpenCases | None] | None = None,
    parameter: str = "report",
) -> None:
    """Write the report.

    Parameters
    ----------
    path : path
    study : OutcomeStudy
    parameters : dict
        As the job got them, without folders.
    crs : str
        Of the places; empty without any.
    notes : sequence of str
        Sentences of how the table was read; those of the study come after them.
    outcome : str
        What counts, such as ``an arrest (Arrest is True)``.
    indicator : str
        Field of the indicator of areas.
    cases : mapping of Reported to OpenCases, optional
        How open cases are toward the end of the file.
    """
    values = _collect_values(study, parameters, crs, notes, outcome, indicator)
    text = render("outcomes.html", values | _collect_cases(study, cases or {}))
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _collect_values(
    study: OutcomeStudy, parameters: dict[str, Any], crs: str, notes: Sequence[str], outcome: str, indicator: str
) -> dict[str, Any]:
    split = sentences.choose_split(study)
    verdict, kind = sentences.describe_verdict(study)
    splits = ladder.list_splits(study)
    return {
        "opening": sentences.describe_model(study, outcome),
        "verdict": verdict,
        "kind": kind,
        "found": sentences.describe_found(study),
        "no_ground": words.NO_GROUND,
        "spans": sentences.describe_spans(study),
        "tiles": _list_tiles(study),
        "notes": tables.list_read(study),
        "model": MODELS[study.default],
        "split": words.SPLITS[split],
        "models_figure": figures.draw_models(study, split),
        "splits": tables.list_split_tables(study),
        "more": list(tables.MORE.values()),
        "strict": words.WHAT_STRICT_IS if any(score.reported == "strict" for score in study.scores) else "",
        "within": sentences.describe_within(study),
        "calibration": sentences.describe_calibration(study),
        "reliability_figure": figures.draw_reliability(study) if study.curves else None,
        "ladder_figure": figures.draw_ladder(study, splits[0]) if splits else None,
        "ladder_split": words.SPLITS[splits[0]] if splits else "",
        "groups": [(GROUPS[group], ladder.describe_group(study, group)) for group in ladder.list_groups(study)],
        "leaks": tables.list_leak_rows(study),
        "areas": [_collect_area(each, indicator) for each in study.areas],
        "indicator": indicator,
        "not_from_areas": words.NOT_FROM_AREAS,
        "shown_least": SHOWN_LEAST,
        "compared_least": COMPARED_LEAST,
        "hidden_below": HIDDEN_BELOW,
        "log": _list_log(study, notes),
        "outcome": outcome,
        "crs": format_crs(crs) if crs else "no places",
        "parameters": parameters,
    }


def _list_log(study: OutcomeStudy, notes: Sequence[str]) -> list[str]:
    """What the log said, but for what stands elsewhere on the page."""
    said = {leak.sentence for leak in study.leaks}
    return [note for note in dict.fromkeys([*notes, *study.notes]) if note not in said]


def _collect_cases(study: OutcomeStudy, cases: Mapping[Reported, OpenCases | None]) -> dict[str, Any]:
    """What is said and drawn of open cases: of victims' reports where they are told apart."""
    drawn = {reported: found for reported, found in cases.items() if found is not None}
    main = next((reported for reported in ("victims", "all") if reported in drawn), None)
    said = rates_words.describe_open_cases(drawn[main], main) if main is not None else [words.NO_FALL]
    return {
        "cases_said": [*sentences.list_maturity(study), *said],
        "cases_figure": rates_figures.draw_cases(drawn, drawn[main].maturity) if main is not None else None,
        "mature": drawn[main].mature if main is not None else 0,
    }


def _list_tiles(study: OutcomeStudy) -> list[tuple[str, str]]:
    """What stands at the top: each figure twice, of the model and of the table."""
    tiles = []
    for name, called in ((study.default, "the model"), (study.reference, "the table of rates")):
        for score in sentences.find_pair(study, name):
            if score is not None:
                tiles.append((format_number(score.figures["auc"].mean, 3), f"{called}, {_name_rows(score.reported)}"))
    within = sentences.find_pair(study, study.default)[0].figures["within_category_auc"].mean
    if math.isfinite(within):
        tiles.append((format_number(within, 3), "the model, within one category"))
    return tiles


def _name_rows(reported: str) -> str:
    return "all incidents" if reported == "all" else "victims’ reports"


def _collect_area(found: AreaOutcomes, indicator: str) -> dict[str, Any]:
    return {
        "title": words.REPORTED[found.reported],
        "sentence": areas.describe_areas(found),
        "correlation": areas.describe_correlation(found, indicator),
        "rows": areas.list_area_rows(found),
        "figure": figures.draw_areas(found),
        "indicator_figure": figures.draw_indicator(found, indicator),
    }


def write_outcome_figures(path: str | Path, study: OutcomeStudy, parameter: str = "csv") -> None:
    """Write every figure, one a row: UTF-8, a header, a point for decimals, nothing where there is none."""
    with whole_file(path, parameter) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for *names, interval in _list_figures(study):
            writer.writerow([*names, *(f"{value:.6g}" if math.isfinite(value) else "" for value in interval)])


def _list_figures(study: OutcomeStudy) -> Iterator[tuple[str, str, str, str, str, Interval]]:
    """Scores, differences to the table, steps of the ladder, leaks, areas, the reliability chart, seconds."""
    for score in study.scores:
        at = ("model", score.model, score.split, score.reported)
        yield *at, "rows", _alone(score.rows)
        yield *at, "base", _alone(score.base)
        yield *at, "shift", _alone(score.shift)
        for figure, interval in score.figures.items():
            yield *at, figure, interval
    for (model, split, reported), interval in study.differences.items():
        yield "model", model, split, reported, f"log_loss_minus_{study.reference}", interval
    for step in study.steps:
        what = f"group {step.way}" + (f": {step.control}" if step.control else "")
        yield what, step.group, step.split, "all", "log_loss_difference", step.difference
        yield what, step.group, step.split, "all", "log_loss", _alone(step.log_loss)
        yield what, step.group, step.split, "all", "auc", _alone(step.auc)
    for leak in study.leaks:
        what = f"leak {leak.kind}, {'kept out' if leak.kept_out else 'read'}"
        # The word before it keeps a name that begins as a formula from being one.
        names = f"names {'; '.join(leak.names)}"
        yield what, names, "", "all", "rows", _alone(leak.rows)
        yield what, names, "", "all", "figure", _alone(leak.figure)
    asked = sentences.choose_split(study)
    for found in study.areas:
        yield from _list_area_figures(found, asked)
    for key, (predicted, observed) in study.curves.items():
        for number, pair in enumerate(zip(predicted.tolist(), observed.tolist(), strict=True), 1):
            for figure, value in zip(("predicted", "observed"), pair, strict=True):
                yield f"reliability {key}", f"bin {number}", asked, "all", figure, _alone(value)
    for model, seconds in study.seconds.items():
        yield "model", model, "", "", "seconds", _alone(seconds)


def _list_area_figures(found: AreaOutcomes, split: str) -> Iterator[tuple[str, str, str, str, str, Interval]]:
    for place, name in enumerate(found.names):
        at = ("area", f"area {name}", split, found.reported)
        yield *at, "rows", _alone(found.rows[place])
        observed, predicted = float(found.observed[place]), float(found.predicted[place])
        yield *at, "observed", _alone(observed)
        yield *at, "predicted", _alone(predicted)
        bounds = float(found.low[place]), float(found.high[place])
        yield *at, "observed_minus_predicted", Interval(observed - predicted, *bounds)
        if found.indicator is not None:
            yield *at, "indicator", _alone(found.indicator[place])
    for figure in ("raw_correlation", "residual_correlation"):
        if (interval := getattr(found, figure)) is not None:
            yield "areas", "all areas", split, found.reported, figure, interval


def _alone(value: float) -> Interval:
    """A figure without an interval."""
    return Interval(float(value), math.nan, math.nan)
