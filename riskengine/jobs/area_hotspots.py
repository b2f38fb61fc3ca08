"""Job: repeat the published study of area hotspots, and show what each of its leaks is worth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from ..contract.texts import list_names, part_text
from ..contract.tools.areahotspots import AreaHotspots
from ..contract.tools.base import fields_of
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.tables import Chunk, write_table
from ..intake.incidents import Refusal, count_reasons, read_exchange, read_named_areas
from ..maps.assigning import assign_by_column, assign_by_place
from ..maps.panelfile import read_panel
from ..report.areas_study import write_study_figures, write_study_report
from ..report.areas_words import RUNGS, describe_verdict, name_classifier
from ..report.words import format_figure
from ..systems.areas.protocol import MEASURES, Run
from ..systems.areas.study import Study, flag_most, read_inputs, require_areas, run_study
from ..systems.areas.switches import Switches
from .models import to_dict

#: Names that a line of the log lists.
_LISTED = 40


def run(parameters: AreaHotspots, context: JobContext) -> dict[str, Any]:
    """Read, run the classifiers and the ladder, write."""
    began = time.monotonic()
    notes: list[str] = []
    for key in ("report", "csv", "cells"):
        if path := getattr(parameters, key):
            check_folder(path, key)
    context.progress(0.0, "Reading")
    panel = read_panel(parameters.panel, "panel")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    support = require_areas(panel)
    named = read_named_areas(parameters.incidents, incidents)
    assigned = (
        assign_by_place(incidents, support, context)
        if named is None
        else assign_by_column(incidents, named, support, context)
    )
    outside = assigned.unit < 0
    if outside.any():
        are = "has no area and is", "have no area and are"
        context.log(f"{part_text(int(outside.sum()), len(incidents), 'incident', *are)} left out")
    refusals += [
        Refusal(int(fid), str(why)) for fid, why in zip(incidents.fid[outside], assigned.reason[outside], strict=True)
    ]
    inputs = read_inputs(panel, incidents, assigned.unit, parameters.tests, context)
    known = ["density", *inputs.names, *(inputs.mobility.names if inputs.mobility is not None else ())]
    context.log(f"Known of each place: {list_names(known, _LISTED)}")
    switches = Switches(
        parameters.density,
        parameters.scaler,
        parameters.negatives,
        parameters.best,
        parameters.features,
        parameters.filling,
    )
    if "vectors" not in parameters.classifiers:
        left_out = "The bagged support vectors of the study are left out: they take hours for a large city"
        notes.append(left_out)
        context.log(left_out)
    with context.step(0.05, 0.95):
        study = run_study(
            inputs, parameters.tests, parameters.classifiers, switches, parameters.ladder, parameters.seed, context
        )
    verdict = describe_verdict(study)
    shown = to_dict(parameters)
    if parameters.report:
        write_study_report(parameters.report, study, shown, notes)
    if parameters.csv:
        write_study_figures(parameters.csv, study)
    if parameters.cells:
        write_table(
            parameters.cells, fields_of(AreaHotspots, "cells"), _list_cells(study), "polygon", inputs.areas.crs, "cells"
        )
    for name, each in study.runs.items():
        context.log(f"{name_classifier(name)}: {_say_figures(each)}")
    for rung in study.rungs:
        context.log(f"{RUNGS[rung.key].title}: {_say_figures(rung.run)}")
    context.log(verdict)
    context.progress(1.0, "Done")
    return {
        "chosen": _figures(study.first),
        "classifiers": {name: _figures(each) for name, each in study.runs.items()},
        "rungs": {rung.key: _figures(rung.run) for rung in study.rungs},
        "months": [inputs.name_month(int(month)) for month in study.tests],
        "verdict": verdict,
        "crs": inputs.areas.crs,
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
        "seconds": round(time.monotonic() - began, 3),
        "parameters": shown,
    }


def _figures(run: Run) -> dict[str, float | None]:
    means = {measure: run.mean(measure) for measure in MEASURES}
    return {measure: None if np.isnan(mean) else mean for measure, mean in means.items()}


def _say_figures(run: Run) -> str:
    points = f"accuracy {format_figure(run.mean('accuracy'))}, AUC {format_figure(run.mean('auc'))} at sampled points"
    cells = (
        f"AUC {format_figure(run.mean('cells_auc'))}, log-loss {format_figure(run.mean('cells_log_loss'))} on all cells"
    )
    has_points, has_cells = (np.isfinite(run.mean(measure)) for measure in ("auc", "cells_auc"))
    return "; ".join([*([points] if has_points else []), *([cells] if has_cells else [])])


def _list_cells(study: Study) -> Iterator[Chunk]:
    """The cells of the last month tested: what happened, what was predicted, and as many cells by plain rates."""
    inputs, last = study.inputs, study.first.months[-1]
    counts, half = inputs.counts[last.month], inputs.cells.grid.cell / 2
    predicted = last.cells > 0.5
    rate = study.rates.months[-1].cells
    x, y = inputs.cells.x, inputs.cells.y
    boxes = shapely.box(x - half, y - half, x + half, y + half)
    yield Chunk(
        [
            inputs.cells.flat,
            counts,
            last.hit.astype(np.int64),
            last.cells,
            predicted.astype(np.int64),
            rate,
            flag_most(rate, int(predicted.sum())).astype(np.int64),
        ],
        shapes=[shapely.geometry.mapping(box) for box in boxes],
    )
