"""The report of the published study of area hotspots: one HTML file, and its figures as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..ground.artefacts import whole_file
from ..systems.areas.inputs import CELL, TRAINING
from ..systems.areas.protocol import MEASURES, Run
from ..systems.areas.study import Study, flag_most
from . import areas_figures as figures
from . import areas_words as words
from .html import format_crs, render

COLUMNS = ("what", "classifier", "month", "measure", "value")


def write_study_report(
    path: str | Path, study: Study, parameters: dict[str, Any], notes: list[str], parameter: str = "report"
) -> None:
    """Write the report.

    Parameters
    ----------
    path : path
    study : Study
    parameters : dict
        As the job got them.
    notes : list of str
        Sentences that the reader must not miss.
    """
    text = render("areas_study.html", _values(study, parameters, notes))
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _values(study: Study, parameters: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    inputs, last = study.inputs, study.first.months[-1]
    predicted = last.cells > 0.5
    by_rate = flag_most(study.rates.months[-1].cells, int(predicted.sum()))
    named = [(words.name_classifier(name), run) for name, run in study.runs.items()]
    importance = study.first.importance
    return {
        "opening": words.describe_study(study),
        "verdict": words.describe_verdict(study),
        "notes": notes,
        "ladder": [(words.RUNGS[rung.key], _figures(rung.run)) for rung in study.rungs],
        "tiles": _tiles(study),
        "classifiers": [(title, _figures(run)) for title, run in named],
        "rates": _figures(study.rates),
        "months": [inputs.name_month(int(month)) for month in study.tests],
        "by_month": [(title, [_figures(run, number) for number in range(len(run.months))]) for title, run in named],
        "roc": figures.draw_roc(named),
        "importance": figures.draw_importance(importance) if importance else None,
        "most_important": importance.ordered[0][0] if importance else "",
        "map": figures.draw_hotspots(
            inputs.cells, [("happened", last.hit), ("as predicted", predicted), ("by plain rates", by_rate)]
        ),
        "map_month": inputs.name_month(last.month),
        "hotspots": int(last.hit.sum()),
        "flagged": int(predicted.sum()),
        "caught": int((predicted & last.hit).sum()),
        "caught_by_rate": int((by_rate & last.hit).sum()),
        "cells": len(inputs.cells),
        "side": CELL,
        "training": TRAINING,
        "share_of_places": float(np.mean([month.happened.mean() for month in study.first.months])),
        "names": [*inputs.names, *(inputs.mobility.names if inputs.mobility is not None else ())],
        "crs": format_crs(inputs.areas.crs),
        "parameters": parameters,
    }


def _figures(run: Run, number: int | None = None) -> dict[str, float]:
    """Every measure: the mean of all months, or of one."""
    return {
        measure: run.mean(measure) if number is None else float(getattr(run.months[number], measure))
        for measure in MEASURES
    }


def _tiles(study: Study) -> list[tuple[float, str]]:
    """What stands at the top: AUC, and of what."""
    if not study.rungs:
        return [
            (study.first.mean("auc"), "AUC at sampled points"),
            (study.rates.mean("cells_auc"), "plain rates, AUC on all cells"),
        ]
    wanted = (
        ("published", "auc", "as published, at sampled points"),
        ("random", "auc", "with random numbers in place of the covariates"),
        ("rule", "auc", "by the rule “reported at this exact coordinate before”"),
        ("closed", "auc", "without any leak"),
        ("published", "cells_auc", "as published, on all cells"),
        ("rates", "cells_auc", "plain past rates, on all cells"),
    )
    found = {rung.key: rung.run for rung in study.rungs}
    return [(found[key].mean(measure), text) for key, measure, text in wanted]


def write_study_figures(path: str | Path, study: Study, parameter: str = "csv") -> None:
    """Write every figure, one a row: UTF-8, a header, a point for decimals."""
    with whole_file(path, parameter) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_list_figures(study))


def _list_figures(study: Study) -> Iterator[dict[str, Any]]:
    """Rows of the classifiers under the choices that were made, then of the ladder; months, and their mean."""
    yield from _rows_of(study, "rates", "", study.rates)
    for classifier, run in study.runs.items():
        yield from _rows_of(study, "chosen", classifier, run)
    for rung in study.rungs:
        if rung.run is not study.rates and rung.key != "rates":
            yield from _rows_of(study, rung.key, "" if rung.key == "rule" else "forest", rung.run)
    if study.first.importance is not None:
        for name, fall in study.first.importance.ordered:
            yield {"what": f"importance of {name}", "classifier": "forest", "measure": "f1", "value": f"{fall:.6g}"}


def _rows_of(study: Study, what: str, classifier: str, run: Run) -> Iterator[dict[str, Any]]:
    for measure in MEASURES:
        values = [(study.inputs.name_month(each.month), getattr(each, measure)) for each in run.months]
        for month, value in [*values, ("mean", run.mean(measure))]:
            if np.isfinite(value):
                row = {"what": what, "classifier": classifier, "month": month, "measure": measure}
                yield {**row, "value": f"{value:.6g}"}
