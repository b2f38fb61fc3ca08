"""Job: backtest several forecasters on the same folds, and say which can be told from the best simple baseline."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.aims import CATCH, Catch
from ..contract.dates import count_bins, count_windows, format_moment, name_window
from ..contract.forecasters import DEFAULT, DEFAULT_CATCH, list_baselines, title_of
from ..contract.texts import count_text
from ..contract.tools.backtest import BacktestForecast
from ..evaluation.backtest import run_backtest
from ..evaluation.beside import UnitsJudged
from ..evaluation.catching import run_catch
from ..evaluation.control import run_control
from ..evaluation.delay import measure_delay
from ..evaluation.entrants import make_entrants
from ..evaluation.exposure import compute_exposure, read_areas
from ..evaluation.judged import Judged
from ..evaluation.layout import read_weights
from ..evaluation.offsets import choose_counted, run_offsets
from ..evaluation.plan import Plan
from ..evaluation.weighing import weigh
from ..evaluation.whichunits import compare_units, plan_for
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..ground.failures import keep_going
from ..intake.findings import Finding, list_category_findings, list_findings
from ..intake.incidents import Incidents, read_exchange
from ..maps.bins import multiply_bin
from ..maps.heatmaps import Heatmaps
from ..maps.history import read_panel_or_heatmaps, to_local_moment
from ..maps.panel import Panel
from ..maps.sparsecounts import keep_sparse
from ..report.claims import describe_comparison
from ..report.outputs import Outputs, check_outputs, result_of, write_outputs
from ..systems.hotspots.aims import check_cells, describe_catch, hold_out_windows, make_catch
from .models import check_units, to_dict


def run(parameters: BacktestForecast, context: JobContext) -> dict[str, Any]:
    """Read, roll, score, compare, write."""
    began = time.monotonic()
    outputs = Outputs(**{name: getattr(parameters, name) for name in Outputs.__dataclass_fields__})
    check_outputs(outputs)
    notes: list[str] = []

    def warn(message: str) -> None:
        notes.append(message)
        context.warn(message)

    context.progress(0.0, "Reading the counts")
    areas = read_areas(parameters.areas) if parameters.areas else {}
    panel = read_panel_or_heatmaps(parameters.heatmaps, parameters.extras)
    check_units(BacktestForecast, parameters, heatmaps=not isinstance(panel, Heatmaps))
    if parameters.delay is not None:
        panel = replace(panel, delay=parameters.delay)
    catch = None
    if parameters.aim != CATCH:
        check_cells(panel)
    else:
        panel = keep_sparse(panel)
        catch = make_catch(parameters.catch_size, parameters.catch_unit, parameters.horizon, panel)
    plan = _plan(parameters, panel, catch)
    others = _read_others(parameters, panel, plan)
    if parameters.weigh:
        # Before hours of work, not after.
        read_weights(panel, parameters.weigh, plan.first)
    incidents, findings = _incidents(parameters, panel, warn, context)
    models = _choose_models(parameters, panel, context)
    _tell_plan(panel, plan, catch, context)
    if catch is None:
        backtest = _judge(parameters, panel, models, plan, others, incidents, warn, context)
    else:
        with context.step(0.05, 0.92):
            backtest = run_catch(
                panel,
                models,
                plan,
                catch,
                parameters.settings,
                context,
                parameters.workers,
                parameters.percentile,
                parameters.over,
                incidents,
                parameters.offsets,
            )
    if parameters.weigh:
        with keep_going(warn, f"What is caught by share of {parameters.weigh} could not be worked out"):
            backtest.weighed = weigh(backtest, parameters.weigh)
    if areas:
        with keep_going(warn, "The exposure by area could not be worked out"):
            backtest.areas = compute_exposure(
                areas,
                panel.support,
                backtest.panel.mask,
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
    if outputs.by_area:
        context.log(f"Risk and labels of the areas are those of {title_of(backtest.model)}")
    if outputs.places:
        context.log(f"The places to go to are those of {title_of(backtest.model)}")
    context.progress(1.0, "Done")
    return {
        **result_of(backtest, outputs),
        "notes": [*backtest.notes, *(finding.sentence for finding in findings), *notes],
        "seconds": round(time.monotonic() - began, 3),
        "parameters": shown,
    }


def _choose_models(parameters: BacktestForecast, panel: Panel, context: JobContext) -> list[str]:
    """Those asked for, with the catch its own where the default was left, and the baselines of the aim."""
    asked, default = parameters.models, BacktestForecast.models
    if parameters.aim == CATCH and set(asked or default) == set(default):
        asked = [DEFAULT_CATCH]
        context.log(
            f"With the catch the models left at their default are {title_of(DEFAULT_CATCH)} and its simple baselines"
        )
    return list(dict.fromkeys([*(asked or [DEFAULT]), *list_baselines(panel.support.kind, parameters.aim)]))


def _judge(
    parameters: BacktestForecast,
    panel: Panel,
    models: list[str],
    plan: Plan,
    others: dict[str, tuple[Panel, Plan]],
    incidents: Incidents | None,
    warn: Callable[[str], None],
    context: JobContext,
) -> Judged:
    """Judge probabilities, and what is done once more beside them."""
    more = bool(panel.delay) + parameters.control + len(others) + bool(parameters.offsets)
    # What is done once more takes about as long as the backtest did.
    share = 0.87 / (1 + more)
    with context.step(0.05, 0.05 + share):
        backtest = _backtest(parameters, panel, models, plan, context)
    forecasters = make_entrants(
        [name for name in backtest.scores if name not in backtest.failures],
        parameters.threshold,
        {name: each for name, each in parameters.settings.items() if name in backtest.scores},
    )[0]
    at = 0.05 + share
    if panel.delay:
        with keep_going(warn, "What the delay costs could not be measured"), context.step(at, at + share):
            context.progress(0.0, "The same forecasts, had the counts been known at once")
            backtest.late = measure_delay(backtest, forecasters, context, parameters.workers)
        at += share
    if parameters.control:
        with keep_going(warn, "The control with shuffled covariates could not be run"), context.step(at, at + share):
            context.progress(0.0, "The same forecasts with the covariates of other areas")
            backtest.controls = run_control(backtest, forecasters, context, parameters.workers)
            if not backtest.controls:
                warn("There is no control with shuffled covariates: no model that was backtested reads any")
        at += share
    if others:
        with keep_going(warn, "The other units could not be compared"), context.step(at, at + share * len(others)):
            backtest.compared = _compare_units(backtest, others, parameters, models, context)
        at += share * len(others)
    if parameters.offsets:
        assert incidents is not None, "refused above"
        with context.step(at, 0.92):
            _move(backtest, incidents, parameters, forecasters, warn, context)
    return backtest


def _backtest(parameters: BacktestForecast, panel: Panel, models: list[str], plan: Plan, context: JobContext) -> Judged:
    return run_backtest(
        panel,
        models,
        plan,
        parameters.threshold,
        parameters.settings,
        context,
        parameters.workers,
        parameters.percentile,
        parameters.over,
    )


def _tell_plan(panel: Panel, plan: Plan, catch: Catch | None, context: JobContext) -> None:
    noun, known = panel.bin_noun, plan.first - plan.horizon + 1 - panel.delay
    start = format_moment(panel.edges[plan.first], panel.bin)
    late = f", counts known {count_bins(panel.delay, panel.bin)} late" if panel.delay else ""
    if catch is not None:
        length = multiply_bin(panel.bin, catch.window)
        windows, left = divmod(len(panel) - plan.first, catch.window)
        each = count_bins(catch.window, panel.bin)
        context.log(
            f"{count_windows(windows, length)} from {start} on are forecast, each of {each} as a whole{late}, from"
            f" {count_text(known, noun)} and more"
        )
        if left:
            does = "fills no" if left == 1 else "fill no"
            context.log(f"{count_text(left, noun)} at the end {does} {name_window(length)}: left out")
        context.log(f"Places are chosen for {describe_catch(catch, panel)}")
        return
    context.log(
        f"{count_text(len(panel) - plan.first, noun)} from {start} on are forecast,"
        f" {count_text(plan.horizon, 'bin')} ahead{late}, from {count_text(known, noun)} and more"
    )


def _read_others(parameters: BacktestForecast, panel: Panel, plan: Plan) -> dict[str, tuple[Panel, Plan]]:
    """Other units by name, and their plans; refused here, before hours of work, where they are of another place."""
    others = {}
    for path in parameters.compare:
        other = replace(read_panel_or_heatmaps(path, []), delay=panel.delay)
        others[Path(path).stem] = other, plan_for(panel, plan, other, path)
    return others


def _compare_units(
    backtest: Judged,
    others: dict[str, tuple[Panel, Plan]],
    parameters: BacktestForecast,
    models: list[str],
    context: JobContext,
) -> list[UnitsJudged]:
    judged = {Path(parameters.heatmaps).stem: backtest}
    for number, (name, (panel, plan)) in enumerate(others.items()):
        with context.step(number / len(others), (number + 1) / len(others)):
            context.log(f"The same backtest on {count_text(int(panel.mask.sum()), panel.noun)} of {name}")
            judged[name] = _backtest(parameters, panel, models, plan, context)
    return compare_units(judged)


def _incidents(
    parameters: BacktestForecast, panel: Panel, warn: Callable[[str], None], context: JobContext
) -> tuple[Incidents | None, list[Finding]]:
    """The incidents where they were given, and what is found in them, or in the categories' names alone."""
    if parameters.offsets and not isinstance(panel, Heatmaps):
        raise ParameterError(
            f"offsets is {parameters.offsets}, but areas lie where they lie: only a grid can be moved",
            parameter="offsets",
            value=parameters.offsets,
            remedy="Set offsets to 0",
        )
    incidents, findings = None, []
    if parameters.incidents:
        context.progress(0.02, "Looking at the incidents")
        incidents, _ = read_exchange(parameters.incidents, context, order=parameters.date_order)
        if isinstance(panel, Heatmaps) and parameters.offsets:
            # Before hours of work, not after.
            choose_counted(incidents, panel)
        findings = list_findings(incidents, panel.support.side, panel.bin)
    if not any(finding.kind == "categories" for finding in findings):
        findings = [*findings, *list_category_findings(panel.categories)]
    for finding in findings:
        context.warn(finding.sentence)
    return incidents, findings


def _plan(parameters: BacktestForecast, panel: Panel, catch: Catch | None) -> Plan:
    maps = len(panel)
    if parameters.start is None and catch is not None:
        first = hold_out_windows(panel, parameters.test, catch.window)
    elif parameters.start is None:
        first = maps - max(round(maps * parameters.test), 1)
    else:
        moment = to_local_moment(parameters.start, "start")
        first = int(np.searchsorted(panel.edges[:-1], moment))
        if not 0 < first < maps:
            noun = panel.bin_noun
            raise ParameterError(
                f"start is {moment}, but the first {noun} begins at {panel.edges[0]}, the last at {panel.edges[-2]}",
                parameter="start",
                value=str(moment),
                remedy="Choose a time between them, with enough history before it",
            )
    # A window is forecast from what was known when it begins.
    horizon = 1 if catch is not None else parameters.horizon
    return Plan(first, horizon, parameters.refit, tuple(dict.fromkeys(parameters.seeds)))


def _move(
    backtest: Judged,
    incidents: Incidents,
    parameters: BacktestForecast,
    forecasters: dict[str, Forecaster],
    warn: Callable[[str], None],
    context: JobContext,
) -> None:
    """Figures over moved grids, of the models that could be run."""
    with keep_going(warn, "The figures over further grid positions could not be worked out"):
        backtest.offsets = run_offsets(
            backtest.heatmaps,
            incidents,
            forecasters,
            backtest.plan,
            parameters.offsets,
            parameters.threshold,
            context,
            parameters.workers,
        )
