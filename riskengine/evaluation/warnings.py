"""The test of warnings: each window forecast from what was known when its warning was made, and what alarms caught."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..contract.forecasters import DEFAULT_WARNING, WARNING_BASELINES, title_of
from ..contract.texts import count_text
from ..contract.warnings import Budget, Timing
from ..forecasters.base import Forecaster
from ..forecasters.catalogue import make_forecaster
from ..ground.context import JobContext
from ..ground.errors import Cancelled, DataError, ParameterError
from ..ground.failures import describe_failure
from ..maps.area import narrow_to_past
from ..maps.panel import Panel
from ..maps.windows import list_windows
from ..measures.alarms import LEVEL
from ..measures.compare import Difference
from ..measures.thresholds import count_trailing
from .catchcount import Forecasts, forecast_windows
from .entrants import make_entrants
from .plan import Plan, check_plan
from .rolling import roll
from .warned import WarningChoice, WarningsJudged
from .warnjudging import describe_few, judge_warnings

#: Share of a history that models are tried on before one is chosen, and fits of each.
_PAST_SHARE, _PAST_FITS = 0.5, 2


def run_warnings(
    panel: Panel,
    models: Sequence[str] | Mapping[str, Forecaster],
    plan: Plan,
    timing: Timing,
    budget: Budget | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    context: JobContext | None = None,
    workers: int | None = None,
) -> WarningsJudged:
    """Forecast every window of a test by every model, each from what was known when the warning was made, and judge
    the alarms.

    Parameters
    ----------
    panel : Panel
        Its bins are the steps of `timing`, its delay what is not known before a window; it begins with a window.
    models : sequence of str, or mapping of str to Forecaster
        Names of `riskengine.contract.forecasters`, or forecasters whose settings are taken; `WARNING_BASELINES` join
        them.
    plan : Plan
        `first` is the bin that the first window begins with, and `refit` counts windows.
    timing : Timing
    budget : Budget, optional
        Asked for, by default a tenth of all windows; what others are worth is reported beside it.
    settings : mapping of str to mapping, optional
        Arguments by model, for `models` given by name.
    context : JobContext, optional
    workers : int, optional

    Raises
    ------
    ParameterError, DataError
        For a plan that does not fit the panel, or when no simple model could be run.
    """
    context = context or JobContext()
    judged = _run(panel, models, plan, timing, budget or Budget(), settings or {}, context, workers)
    for note in judged.notes:
        context.warn(note)
    return judged


def judge_warnings_trained(
    model: Forecaster,
    panel: Panel,
    first: int,
    timing: Timing,
    budget: Budget | None = None,
    context: JobContext | None = None,
    baselines: Sequence[str] = (*WARNING_BASELINES, DEFAULT_WARNING),
) -> WarningsJudged:
    """Judge a fitted forecaster on the windows from bin `first` on, beside models that know no more.

    Parameters
    ----------
    model : Forecaster
        Fitted on what was known before `first`.
    panel : Panel
    first : int
        First held-out bin; a window begins with it.
    timing : Timing
    budget : Budget, optional
    context : JobContext, optional
    baselines : sequence of str
        Names in the catalogue; fitted here, on what was known before `first`. The model's own is left out. One that
        cannot be run becomes a sentence.
    """
    context = context or JobContext()
    check_warnings(panel, Plan(first), timing)
    plan = Plan(first, warm=choose_warm(panel, first, timing))
    names = [name for name in baselines if name != model.name]
    made = Forecasts(list_windows(panel, plan.begin, timing.bins), {}, {}, {}, set())
    for number, name in enumerate([model.name, *names]):
        with context.step(0.9 * number / (len(names) + 1), 0.9 * (number + 1) / (len(names) + 1)):
            several = count_text(int((made.starts >= first).sum()), "held-out window")
            context.progress(0.0, f"Forecasting {several} by {title_of(name)}")
            began = time.monotonic()
            try:
                one = model if not number else make_forecaster(name, threshold=1).fit(panel.before(first), context)
                made.expected[name] = _forecast_fitted(one, panel, made, plan, timing, context)
            except Cancelled:
                raise
            except Exception as error:
                if not number:
                    raise
                made.failures[name] = describe_failure(error)
                context.warn(f"{title_of(name)} could not be run: {made.failures[name]}")
            made.seconds[name] = time.monotonic() - began
    beside = [name for name in WARNING_BASELINES if name in made.expected and name != model.name]
    with context.step(0.9, 1.0):
        judged = judge_warnings(panel, made, first, timing, budget or Budget(), beside, model.name, context)
    for note in judged.notes:
        context.warn(note)
    return judged


def choose_warning_model(
    panel: Panel,
    candidates: Sequence[str] | Mapping[str, Forecaster],
    timing: Timing,
    context: JobContext | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    workers: int | None = None,
) -> WarningChoice:
    """Choose a model on the last half of a history: the default, unless another's log-loss lies below its with the
    whole interval, which is the wider the more are tried.

    Parameters
    ----------
    panel : Panel
        The history, as `run_warnings` takes it.
    candidates : sequence of str, or mapping of str to Forecaster
        Beside the default.
    timing : Timing
    context : JobContext, optional
    settings : mapping of str to mapping, optional
    workers : int, optional
    """
    context = context or JobContext()
    windows = len(panel) // timing.bins
    tested = round(windows * _PAST_SHARE)
    plan = Plan((windows - tested) * timing.bins, refit=max(math.ceil(tested / _PAST_FITS), 1))
    default = title_of(DEFAULT_WARNING)
    try:
        check_warnings(panel, plan, timing)
    except (ParameterError, DataError):
        return WarningChoice(DEFAULT_WARNING, f"{default}: the history is too short to try others on a part of it")
    seen = panel.observed[plan.first :]
    few = describe_few(int(panel.counts[plan.first :][seen].sum()), tested)
    if few:
        return WarningChoice(DEFAULT_WARNING, f"{default}. {few}")
    if not isinstance(candidates, Mapping):
        candidates = list(dict.fromkeys([DEFAULT_WARNING, *candidates]))
    elif DEFAULT_WARNING not in candidates:
        candidates = {DEFAULT_WARNING: make_forecaster(DEFAULT_WARNING), **candidates}
    judged = _run(panel, candidates, plan, timing, Budget(), settings or {}, context, workers)
    # Bonferroni: with every model that is tried, chance has one more throw.
    names = judged.learned if DEFAULT_WARNING in judged.scores else []
    tried = {name: judged.compare_losses(name, DEFAULT_WARNING, 1 - (1 - LEVEL) / len(names)) for name in names}
    better = [name for name, each in tried.items() if each.verdict == "better" and judged.enough]
    chosen = min(better, key=lambda name: tried[name].mean, default=DEFAULT_WARNING)
    return WarningChoice(chosen, _explain(chosen, tried, len(judged.windows)), judged)


def confirm_warning_model(judged: WarningsJudged) -> WarningChoice:
    """Keep the model that was chosen on past windows where those held out confirm it, and else the default.

    Parameters
    ----------
    judged : WarningsJudged
        The test on the windows held out, with the chosen model first.

    Returns
    -------
    WarningChoice
        Without a reason where there was nothing to decide.
    """
    name, default = judged.model, title_of(DEFAULT_WARNING)
    change = judged.against.get(name, {}).get(DEFAULT_WARNING)
    if change is None:
        return WarningChoice(name, "", judged)
    chosen = f"{title_of(name)} was chosen on past windows"
    if judged.enough and change.verdict == "better":
        return WarningChoice(name, f"{chosen}, and those held out confirm it ({_write(change)}): it is kept", judged)
    reason = (
        f"{chosen}, but those held out do not confirm beyond doubt that it is better than {default}"
        f" ({_write(change)}): {default} is kept"
    )
    return WarningChoice(DEFAULT_WARNING, reason, judged.put_first(DEFAULT_WARNING))


def _explain(chosen: str, tried: Mapping[str, Difference], windows: int) -> str:
    """Say which model was chosen on past windows, and why."""
    default, past = title_of(DEFAULT_WARNING), count_text(windows, "past window")
    if not tried:
        return f"{default}: no other model could be tried"
    if chosen != DEFAULT_WARNING:
        allowance = f", wide enough for {count_text(len(tried), 'model')} tried" if len(tried) > 1 else ""
        return (
            f"{title_of(chosen)}: better than {default} on {past} beyond doubt ({_write(tried[chosen])}{allowance})"
        )
    # Who found nothing to add to the default forecasts the same.
    others = {name: each for name, each in tried.items() if each.mean or each.low or each.high}
    if not others:
        return f"{default}: on {past} no other model found anything to add to it"
    name = min(others, key=lambda each: others[each].mean)
    return (
        f"{default}: on {past} no other model was better beyond doubt; the closest was {title_of(name)}"
        f" ({_write(others[name])})"
    )


def _write(difference: Difference) -> str:
    """Write a difference in log-loss with its interval, where there is one."""
    mean, low, high = (
        f"{value:+.4f}".replace("-", "\N{MINUS SIGN}") for value in (difference.mean, difference.low, difference.high)
    )
    if difference.too_few:
        return f"log-loss {mean}, too few weeks for an interval"
    return f"log-loss {mean}, {100 * difference.level:.4g}\N{NO-BREAK SPACE}% interval {low} to {high}"


def check_warnings(panel: Panel, plan: Plan, timing: Timing) -> None:
    """Refuse what leaves nothing to learn from, or no whole window to test on.

    Raises
    ------
    ParameterError, DataError
    """
    check_plan(panel, plan)
    bins = timing.bins
    if panel.delay != timing.late or plan.first % bins:
        raise ParameterError(
            f"The windows of the test do not fit the counts: they are {count_text(bins, 'bin')} long, the first begins"
            f" with bin {plan.first}, and counts are known {count_text(panel.delay, 'bin')} late instead of"
            f" {timing.late}",
            parameter="start",
            value=plan.first,
            remedy="Count the incidents with the same window, lead and delay, and let the test begin with a window",
        )
    if len(panel) - plan.first < bins:
        raise ParameterError(
            f"The test begins at bin {plan.first} of {len(panel)}, and a window has {bins}: there is none to test on",
            parameter="start",
            value=plan.first,
            remedy="Let the test begin earlier",
        )
    tested = panel.observed[plan.first :]
    if not tested[: len(tested) // bins * bins].reshape(-1, bins).all(axis=1).any():
        raise DataError(
            "None of the windows of the test was observed as a whole",
            parameter="start",
            value=str(panel.edges[plan.first]),
            remedy="Let the test begin earlier",
        )


def choose_warm(panel: Panel, first: int, timing: Timing) -> int:
    """Choose how many bins before the test are forecast, too, for thresholds of alarms to follow: 28 days of windows.

    Of a short history the last half, in whole windows.
    """
    known = max((first - panel.delay) // 2, 0)
    return min(count_trailing(timing.window), known // timing.bins) * timing.bins


def _run(
    panel: Panel,
    models: Sequence[str] | Mapping[str, Forecaster],
    plan: Plan,
    timing: Timing,
    budget: Budget,
    settings: Mapping[str, Mapping[str, Any]],
    context: JobContext,
    workers: int | None,
) -> WarningsJudged:
    check_warnings(panel, plan, timing)
    notes: list[str] = []
    panel = narrow_to_past(panel, plan.first, notes.append)
    forecasters, failures = _make_entrants(models, settings)
    plan = replace(plan, warm=choose_warm(panel, plan.first, timing))
    with context.step(0.0, 0.9):
        made = _forecast(panel, forecasters, plan, timing, context, workers)
    names = [name for name in forecasters if name in made.expected]
    baselines = [name for name in WARNING_BASELINES if name in names]
    if not baselines:
        raise DataError(
            "No simple model could be run: " + " ".join(made.failures.values()),
            parameter="models",
            remedy="Use a longer history, or test fewer windows",
        )
    others = (name for name in names if name not in baselines)
    chosen = DEFAULT_WARNING if DEFAULT_WARNING in names else next(others, names[0])
    made.expected = {name: made.expected[name] for name in names}
    made.failures = failures | made.failures
    with context.step(0.9, 1.0):
        judged = judge_warnings(panel, made, plan.first, timing, budget, baselines, chosen, context)
    judged.notes += notes
    return judged


def _make_entrants(
    models: Sequence[str] | Mapping[str, Forecaster], settings: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Forecaster], dict[str, str]]:
    missing = [name for name in WARNING_BASELINES if name not in models]
    if not isinstance(models, Mapping):
        return make_entrants([*models, *missing], 1, settings)
    others, failures = make_entrants(missing, 1, {})
    return {**models, **{name: each for name, each in others.items() if name not in models}}, failures


def _forecast(
    panel: Panel,
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    timing: Timing,
    context: JobContext,
    workers: int | None,
) -> Forecasts:
    """Forecast the probability of at least one event in each window, those before the test that it begins with too."""
    if timing.bins > 1:
        made = forecast_windows(panel, forecasters, plan, timing.bins, context, workers)
        made.expected = {name: (-np.expm1(-each)).astype(np.float32) for name, each in made.expected.items()}
        for name, failure in made.failures.items():
            context.warn(f"{title_of(name)} could not be run: {failure}")
        return made
    gathered = roll(panel, forecasters, plan, 1, context, workers)
    return Forecasts(gathered.maps, gathered.risks, gathered.seconds, gathered.failures, gathered.recent)


def _forecast_fitted(
    model: Forecaster, panel: Panel, made: Forecasts, plan: Plan, timing: Timing, context: JobContext
) -> Any:
    """The same by one that is fitted already."""
    if timing.bins > 1:
        expected = model.predict_windows(panel, plan.begin, timing.bins, context)
        return (-np.expm1(-expected)).astype(np.float32)[(made.starts - plan.begin) // timing.bins]
    return model.forecast_known(panel, plan.begin, context=context)[made.starts - plan.begin]
