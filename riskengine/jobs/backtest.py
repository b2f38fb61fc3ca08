"""Job: backtest several forecasters on the same folds, and say which can be told from the best simple baseline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..contract.dates import format_moment
from ..contract.forecasters import BASELINES, DEFAULT, title_of
from ..contract.texts import count_text
from ..contract.tools.backtest import BacktestForecast
from ..evaluation.backtest import run_backtest
from ..evaluation.entrants import make_entrants
from ..evaluation.exposure import compute_exposure, read_areas
from ..evaluation.judged import Judged
from ..evaluation.offsets import choose_counted, run_offsets
from ..evaluation.plan import Plan
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..ground.failures import keep_going
from ..intake.findings import Finding, list_category_findings, list_findings
from ..intake.incidents import Incidents, read_exchange
from ..maps.heatmaps import Heatmaps
from ..maps.history import read_history, to_local_moment
from ..report.claims import describe_comparison
from ..report.outputs import Outputs, check_outputs, result_of, write_outputs
from .models import to_dict


def run(parameters: BacktestForecast, context: JobContext) -> dict[str, Any]:
    """Read, roll, score, compare, write."""
    began = time.monotonic()
    outputs = Outputs(parameters.report, parameters.csv, parameters.risk, parameters.labels, parameters.hits)
    check_outputs(outputs)
    notes: list[str] = []

    def warn(message: str) -> None:
        notes.append(message)
        context.warn(message)

    context.progress(0.0, "Reading hotspot grids")
    areas = read_areas(parameters.areas) if parameters.areas else {}
    heatmaps = read_history(parameters.heatmaps, parameters.extras)
    incidents, findings = _incidents(parameters, heatmaps, warn, context)
    plan = _plan(parameters, heatmaps)
    asked = parameters.models or [DEFAULT]
    models = list(dict.fromkeys([*asked, *BASELINES]))
    start = format_moment(heatmaps.edges[plan.first], heatmaps.bin)
    context.log(
        f"{count_text(len(heatmaps) - plan.first, 'map')} from {start} on are forecast,"
        f" {count_text(plan.horizon, 'bin')} ahead, from {count_text(plan.first - plan.horizon + 1, 'map')} and more"
    )
    with context.step(0.05, 0.75 if parameters.offsets else 0.92):
        backtest = run_backtest(
            heatmaps,
            models,
            plan,
            parameters.threshold,
            parameters.settings,
            context,
            parameters.workers,
            parameters.percentile,
            parameters.over,
        )
    if parameters.offsets:
        assert incidents is not None, "refused above"
        with context.step(0.75, 0.92):
            _move(backtest, incidents, parameters, warn, context)
    if areas:
        with keep_going(warn, "The exposure by area could not be worked out"):
            backtest.areas = compute_exposure(
                areas,
                heatmaps.grid,
                backtest.heatmaps.mask,
                backtest.risks[backtest.model],
                backtest.flag_cells(),
                backtest.counts,
                context,
            )
    shown = to_dict(parameters)
    with context.step(0.92, 1.0):
        write_outputs(backtest, outputs, shown, notes, findings, warn, context)
    for sentence in describe_comparison(backtest):
        context.log(sentence)
    if outputs.risk or outputs.labels or outputs.hits:
        context.log(f"Risk, labels and incidents by label are those of {title_of(backtest.model)}")
    context.progress(1.0, "Done")
    return {
        **result_of(backtest, outputs),
        "notes": [*backtest.notes, *(finding.sentence for finding in findings), *notes],
        "seconds": round(time.monotonic() - began, 3),
        "parameters": shown,
    }


def _incidents(
    parameters: BacktestForecast, heatmaps: Heatmaps, warn: Callable[[str], None], context: JobContext
) -> tuple[Incidents | None, list[Finding]]:
    """The incidents where they were given, and what is found in them, or in the categories' names alone."""
    incidents, findings = None, []
    if parameters.incidents:
        context.progress(0.02, "Looking at the incidents")
        incidents, _ = read_exchange(parameters.incidents, context, order=parameters.date_order)
        if parameters.offsets:
            # Before hours of work, not after.
            choose_counted(incidents, heatmaps)
        findings = list_findings(incidents, heatmaps.grid.cell, heatmaps.bin)
    if not any(finding.kind == "categories" for finding in findings):
        findings = [*findings, *list_category_findings(heatmaps.categories)]
    for finding in findings:
        context.warn(finding.sentence)
    return incidents, findings


def _plan(parameters: BacktestForecast, heatmaps: Heatmaps) -> Plan:
    maps = len(heatmaps)
    if parameters.start is None:
        first = maps - max(round(maps * parameters.test), 1)
    else:
        moment = to_local_moment(parameters.start, "start")
        first = int(np.searchsorted(heatmaps.edges[:-1], moment))
        if not 0 < first < maps:
            raise ParameterError(
                f"start is {moment}, but the first map begins at {heatmaps.edges[0]}, the last at {heatmaps.edges[-2]}",
                parameter="start",
                value=str(moment),
                remedy="Choose a time between them, with enough history before it",
            )
    return Plan(first, parameters.horizon, parameters.refit, tuple(dict.fromkeys(parameters.seeds)))


def _move(
    backtest: Judged,
    incidents: Incidents,
    parameters: BacktestForecast,
    warn: Callable[[str], None],
    context: JobContext,
) -> None:
    """Figures over moved grids, of the models that could be run."""
    run = [name for name in backtest.scores if name not in backtest.failures]
    settings = {name: each for name, each in parameters.settings.items() if name in run}
    with keep_going(warn, "The figures over further grid positions could not be worked out"):
        backtest.offsets = run_offsets(
            backtest.heatmaps,
            incidents,
            make_entrants(run, parameters.threshold, settings)[0],
            backtest.plan,
            parameters.offsets,
            parameters.threshold,
            context,
            parameters.workers,
        )
