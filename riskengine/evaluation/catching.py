"""The test of a catch: windows forecast as a whole, each from what was known when it began, and what fell where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..contract.aims import CATCH, Catch
from ..contract.choices import Over
from ..contract.forecasters import DEFAULT_CATCH, list_baselines, title_of
from ..contract.texts import count_text
from ..forecasters.base import Forecaster
from ..forecasters.catalogue import make_forecaster
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from ..intake.finecells import describe_fine_cells
from ..intake.incidents import Incidents
from ..maps.aims import find_flagged_share
from ..maps.area import narrow_to_past
from ..maps.heatmaps import Heatmaps
from ..maps.panel import Panel
from ..maps.windows import list_windows
from .catchcount import Forecasts, forecast_windows
from .catchgrids import (
    MOST_SIZED,
    add_merged,
    add_positions,
    add_sizes,
    count_without_extras,
    describe_without_extras,
)
from .catchjudging import judge_windows
from .entrants import find_record, make_entrants
from .judged import Judged
from .offsets import choose_counted
from .plan import Plan, check_plan


def run_catch(
    panel: Panel,
    models: Sequence[str] | Mapping[str, Forecaster],
    plan: Plan,
    catch: Catch,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    context: JobContext | None = None,
    workers: int | None = None,
    percentile: float = 95.0,
    over: Over = "stack",
    incidents: Incidents | None = None,
    offsets: int = 0,
) -> Judged:
    """Forecast every window of a test by every model, choose the places to go to, and count what fell there.

    Parameters
    ----------
    panel : Panel
    models : sequence of str, or mapping of str to Forecaster
        As `riskengine.evaluation.backtest.run_backtest` takes them.
    plan : Plan
        `first` is the bin that the first window begins with; the horizon is one window, and `refit` counts windows.
    catch : Catch
    settings : mapping of str to mapping, optional
    context : JobContext, optional
    workers : int, optional
    percentile, over : float, str
        Where a cell counts as flagged in labels, border and exposure.
    incidents : Incidents, optional
        Those that the panel was counted from, in its CRS.
    offsets : int
        Further positions of the grid at which all models are run; they need the incidents.

    Returns
    -------
    Judged
        Its maps are the windows, its risks the probability of at least one incident in each.

    Raises
    ------
    ParameterError, DataError
    """
    context = context or JobContext()
    check_catch(panel, plan, catch)
    notes: list[str] = []
    panel = narrow_to_past(panel, plan.first, notes.append)
    for note in notes:
        context.log(note)
    forecasters, failures = make_entrants(models, 1, _set_catch(models, settings or {}, panel, catch))
    for name, each in forecasters.items():
        _check_threshold(name, each)
    counted = _choose_counted(panel, incidents, offsets, context)
    # All models at each further position, and two on cells of two other sizes.
    given = 0.9 / (1 + offsets + (2 * min(offsets + 1, MOST_SIZED) if isinstance(panel, Heatmaps) else 0))
    with context.step(0.0, given):
        made = forecast_windows(panel, forecasters, plan, catch.window, context, workers)
    for name, failure in made.failures.items():
        context.warn(f"{title_of(name)} could not be run: {failure}")
    records = {name: find_record(name, forecasters[name]) for name in made.expected}
    baselines = [name for name, entry in records.items() if entry is not None and entry.simple]
    if not baselines:
        raise DataError(
            "No simple baseline could be run: " + " ".join(made.failures.values()),
            parameter="heatmaps",
            remedy="Use a longer history, or test fewer windows",
        )
    others = (name for name in made.expected if name not in baselines)
    chosen = DEFAULT_CATCH if DEFAULT_CATCH in made.expected else next(others, next(iter(made.expected)))
    with context.step(given, given + 0.1):
        judged = judge_windows(panel, plan, catch, made, baselines, chosen, percentile, over, context)
    judged.seconds = {name: made.seconds[name] for name in judged.scores}
    judged.failures = failures | made.failures
    judged.notes += notes
    able = {name: forecasters[name] for name in judged.scores}
    with context.step(given + 0.1, 1.0):
        _try_grids(judged, counted, able, plan, offsets, context, workers)
    return judged


def judge_catch_trained(
    model: Forecaster,
    panel: Panel,
    first: int,
    catch: Catch,
    context: JobContext | None = None,
    baselines: Sequence[str] | None = None,
) -> Judged:
    """Judge a fitted forecaster on the windows from bin `first` on, beside baselines that know no more.

    Parameters
    ----------
    model : Forecaster
        Fitted on bins before `first`.
    panel : Panel
    first : int
        First held-out bin.
    catch : Catch
    baselines : sequence of str, optional
        Names in the catalogue, by default those of every catch; fitted here, on the bins before `first`. The model's
        own is left out.
    """
    context = context or JobContext()
    check_catch(panel, Plan(first), catch)
    _check_threshold(model.name, model)
    if baselines is None:
        baselines = list_baselines(panel.support.kind, CATCH)
    history, starts = panel.before(first), list_windows(panel, first, catch.window)
    made = Forecasts(starts, {}, {}, {}, set())
    names = [model.name, *(name for name in baselines if name != model.name)]
    for number, name in enumerate(names):
        with context.step(0.8 * number / len(names), 0.8 * (number + 1) / len(names)):
            several = count_text(len(starts), "held-out window")
            context.progress(0.0, f"Forecasting {several} by {title_of(name)}")
            one = model if number == 0 else make_forecaster(name, threshold=1).fit(history, context)
            expected = one.predict_windows(panel, first, catch.window, context)
            made.expected[name] = expected[(starts - first) // catch.window]
            if not one.is_long_run:
                made.recent.add(name)
    with context.step(0.8, 1.0):
        return judge_windows(panel, Plan(first), catch, made, names[1:], model.name, 95.0, "stack", context)


def _check_threshold(name: str, forecaster: Forecaster) -> None:
    """Refuse a model of events instead of incidents."""
    threshold = getattr(forecaster, "threshold", 1)
    if threshold > 1:
        raise ParameterError(
            f"threshold of {title_of(name)} is {threshold}, but the catch counts every incident",
            parameter="threshold",
            value=threshold,
            remedy="Use threshold 1, or the aim of probabilities",
        )


def _choose_counted(panel: Panel, incidents: Incidents | None, offsets: int, context: JobContext) -> Incidents | None:
    """Choose the incidents that a grid was counted from; refused before hours of work where it is to be moved."""
    if offsets and (incidents is None or not isinstance(panel, Heatmaps)):
        missing = "there are no incidents to count anew" if isinstance(panel, Heatmaps) else "areas lie where they lie"
        raise ParameterError(
            f"offsets is {offsets}, but {missing}",
            parameter="offsets",
            value=offsets,
            remedy="Give the incidents that a grid was made from, or set offsets to 0",
        )
    if incidents is None or not isinstance(panel, Heatmaps):
        return None
    try:
        return choose_counted(incidents, panel)
    except DataError as error:
        if offsets:
            raise
        context.warn(f"Cells of other sizes are not counted anew. {error.describe()}")
        return None


def _try_grids(
    judged: Judged,
    counted: Incidents | None,
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    offsets: int,
    context: JobContext,
    workers: int | None,
) -> None:
    """Add what the places catch at further positions of the grid and on cells of other sizes."""
    catch = judged.catch
    assert catch is not None, "judged by it"
    if not isinstance(catch.panel, Heatmaps):
        return
    without = count_without_extras(catch, forecasters, plan, bool(offsets), context)
    given = {**catch.models, **without}
    if without:
        judged.notes.append(describe_without_extras(catch, list(without), bool(offsets)))
        context.warn(judged.notes[-1])
    if counted is None:
        add_merged(catch, given, forecasters, plan, context)
        return
    catch.too_fine = describe_fine_cells(counted, catch.panel.grid.cell)
    share = offsets / (offsets + 2 * min(offsets + 1, MOST_SIZED))
    if offsets:
        catch.models = given
        with context.step(0.0, share):
            add_positions(catch, counted, forecasters, plan, offsets, context, workers)
        given = catch.models
    with context.step(share, 1.0):
        add_sizes(catch, given, counted, forecasters, plan, context, workers)


def _set_catch(
    models: Sequence[str] | Mapping[str, Forecaster],
    settings: Mapping[str, Mapping[str, Any]],
    panel: Panel,
    catch: Catch,
) -> dict[str, Mapping[str, Any]]:
    """Settings with those that every forecaster made for the catch has."""
    if isinstance(models, Mapping):
        return {}
    own = {"window": catch.window, "flagged": find_flagged_share(catch, panel)}
    return {**settings, **{name: {**own, **settings.get(name, {})} for name in models}}


def check_catch(panel: Panel, plan: Plan, catch: Catch) -> None:
    """Refuse what leaves nothing to learn from, or no whole window to test on.

    Raises
    ------
    ParameterError, DataError
    """
    check_plan(panel, Plan(plan.first, 1, plan.refit, plan.seeds))
    find_flagged_share(catch, panel)
    bins = len(panel) - plan.first
    if catch.window > bins:
        raise ParameterError(
            f"horizon is {count_text(catch.window, 'bin')}, but only {count_text(bins, 'bin')} are tested",
            parameter="horizon",
            value=catch.window,
            remedy=f"Forecast {count_text(bins, 'bin')} or fewer as one window, or let the test begin earlier",
        )
    if not len(list_windows(panel, plan.first, catch.window)):
        raise DataError(
            "None of the windows of the test was observed",
            parameter="start",
            value=str(panel.edges[plan.first]),
            remedy="Let the test begin earlier",
        )
