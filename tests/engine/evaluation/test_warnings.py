"""The test of warnings: what is forecast from what, which windows are judged, and which model is chosen."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.warningpanels import draw_panel, make_intensity

from riskengine.contract.forecasters import DEFAULT_WARNING, WARNING_BASELINES, WARNING_REFERENCE
from riskengine.contract.warnings import Budget, Timing
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.warned import WarningsJudged
from riskengine.evaluation.warnings import (
    choose_warning_model,
    confirm_warning_model,
    judge_warnings_trained,
    run_warnings,
)
from riskengine.forecasters.base import Forecaster, Maps
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError, ParameterError
from riskengine.maps.panel import Panel
from riskengine.measures.metrics import log_loss

DAY = Timing(window=24, begin=6, lead=0, delay=24)
#: Four steps of six hours a window; the warning is made twelve hours before, and nothing is known of the six before.
STEPS = Timing(window=24, begin=6, lead=12, delay=6)


class Informed(Forecaster):
    """Knows the true intensity of every bin: what no model can beat. Keeps when it was asked for what."""

    name = "informed"

    def __init__(self, threshold: int = 1) -> None:
        self.threshold = threshold

    def fit(self, history: Panel, context: JobContext | None = None) -> Informed:
        ASKED.append(("fit", history.edges[-1]))
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        ASKED.append((len(history), history.edges[-1]))
        known = len(history)
        return (-np.expm1(-TRUE[known : known + steps])).astype(np.float32)


class Failing(Informed):
    """Cannot be fitted."""

    name = "failing"

    def fit(self, history: Panel, context: JobContext | None = None) -> Failing:
        raise DataError("There is nothing to learn from", parameter="incidents", remedy="Use a longer period")


ASKED: list[tuple[object, np.datetime64]] = []
TRUE = make_intensity(DAY, 400, np.array([1.0, 2.0, 4.0]))


@pytest.fixture(scope="module")
def judged() -> WarningsJudged:
    ASKED.clear()
    models = {"informed": Informed(), "failing": Failing(), DEFAULT_WARNING: make_forecaster(DEFAULT_WARNING)}
    return run_warnings(draw_panel(DAY), models, Plan(300), DAY, Budget("week", 7), workers=1)


def test_simple_models_stand_beside_all_others(judged: WarningsJudged) -> None:
    assert list(judged.scores) == [DEFAULT_WARNING, "informed", *WARNING_BASELINES]
    assert judged.model == DEFAULT_WARNING
    assert judged.baselines == list(WARNING_BASELINES)
    assert judged.learned == ["informed"]
    assert judged.failures == {"failing": "There is nothing to learn from. Use a longer period."}
    assert set(judged.against["informed"]) == {WARNING_REFERENCE, DEFAULT_WARNING}
    assert set(judged.against[DEFAULT_WARNING]) == {WARNING_REFERENCE}


def test_figures_are_those_of_the_forecasts_of_the_windows_tested(judged: WarningsJudged) -> None:
    panel = draw_panel(DAY)
    assert judged.windows.tolist() == list(range(300, 400))
    np.testing.assert_array_equal(judged.events, panel.counts[300:])
    np.testing.assert_allclose(judged.risks["informed"], -np.expm1(-TRUE[300:]), rtol=1e-6)
    score = judged.scores["informed"]
    assert score.log_loss == pytest.approx(log_loss(-np.expm1(-TRUE[300:]), panel.counts[300:] > 0))
    alarms = score.at[Budget("share", 0.1)]
    assert (alarms.raised, alarms.windows, alarms.events) == pytest.approx((30, 300, panel.counts[300:].sum()))
    # Seven alarms a week of 21 windows.
    assert score.at[judged.budget].raised == pytest.approx(100)
    assert score.raised[judged.budget].raised == score.alarms.sum()


def test_forecasts_and_thresholds_know_what_was_known(judged: WarningsJudged) -> None:
    """Each window is forecast two days' edges before it ends; 28 days of windows before the test, by the same fit."""
    edges = draw_panel(DAY).edges
    assert ASKED[0] == ("fit", edges[299])
    assert ASKED[1:] == [(number - 1, edges[number - 1]) for number in range(300 - 28, 400)]


def test_nothing_later_reaches_a_warning() -> None:
    """Other counts from window 350 on change neither a forecast nor an alarm before."""
    panel = draw_panel(DAY)
    counts = panel.counts.copy()
    counts[350:] = counts[350:][::-1] * 3
    one, other = (
        run_warnings(replace(panel, counts=each), ["level"], Plan(300, refit=30), DAY, workers=1)
        for each in (panel.counts, counts)
    )
    for name in one.scores:
        np.testing.assert_array_equal(one.risks[name][:51], other.risks[name][:51])
        np.testing.assert_array_equal(one.scores[name].alarms[:51], other.scores[name].alarms[:51])
    assert (one.risks["level"][52:] != other.risks["level"][52:]).any()


def test_windows_of_several_steps_are_forecast_as_one() -> None:
    """The probability of a window is that of the events expected in all its steps."""
    rate = make_intensity(STEPS, 400, np.array([1.0, 2.0, 4.0]))
    panel = draw_panel(STEPS)
    assert (STEPS.bins, STEPS.late, panel.delay) == (4, 3, 3)
    found = run_warnings(panel, ["level"], Plan(1200, refit=30), STEPS, workers=1)
    assert found.windows.tolist() == list(range(300, 400))
    windows = rate.reshape(400, 4, 3).sum(axis=1)
    assert np.corrcoef(found.risks["level"].ravel(), (-np.expm1(-windows[300:])).ravel())[0, 1] > 0.97
    fitted = make_forecaster("level").fit(panel.before(1200 + 4 * 60))
    expected = fitted.predict_window(panel.before(1200 + 4 * 65), 4)
    np.testing.assert_allclose(found.risks["level"][65], -np.expm1(-expected), rtol=1e-5)
    np.testing.assert_array_equal(found.events, panel.counts[1200:].reshape(100, 4, 3).sum(axis=1))


def test_windows_that_were_not_observed_as_a_whole_are_not_judged() -> None:
    panel = draw_panel(STEPS)
    observed = np.ones(len(panel), dtype=bool)
    observed[[1205, 1300, 1301, 1302, 1303]] = False
    context = Recorder()
    found = run_warnings(replace(panel, observed=observed), ["level"], Plan(1200), STEPS, context=context, workers=1)
    assert set(range(300, 400)) - set(found.windows.tolist()) == {301, 325}
    assert len(found.scores["level"].alarms) == len(found.scores["level"].fold_loss) == 98
    assert "2 of 100 windows were not observed as a whole, and not judged." in found.notes
    assert found.notes[0] in " ".join(context.warnings)


def test_too_few_events_name_the_number_that_would_do() -> None:
    found = run_warnings(draw_panel(DAY, events=0.2, weights=(1.0,)), ["level"], Plan(300), DAY, workers=1)
    events = int(found.events.sum())
    assert 0 < events < 30
    windows = -(-30 * 100 // events)
    assert found.notes == [
        f"The 100 windows tested hold {events} events: too few to tell the models apart."
        f" 30 would do, at this rate {windows} windows."
    ]
    assert not found.enough
    assert found.beyond == []


def test_a_surge_is_said() -> None:
    panel = draw_panel(DAY)
    counts = panel.counts.copy()
    counts[300:] *= 2
    notes = run_warnings(replace(panel, counts=counts), ["level"], Plan(300), DAY, workers=1).notes
    assert len(notes) == 1
    assert notes[0].startswith("Events came 2 times as often in the windows tested as in those before")


def test_differences_in_what_alarms_are_worth(judged: WarningsJudged) -> None:
    """Who knows the place finds more events with as many alarms than who knows the weekday alone."""
    budget = Budget("share", 0.2)
    lift = judged.compute_lift("informed", "clock", budget)
    one, other = (judged.scores[name].at[budget] for name in ("informed", "clock"))
    assert lift.mean == pytest.approx(one.precision / other.precision)
    assert lift.low < lift.mean < lift.high
    recall = judged.compare_recall("informed", "clock", budget)
    assert recall.mean == pytest.approx(one.recall_events - other.recall_events)
    assert recall.verdict_of_more == "better"
    precision = judged.compare_precision("informed", "clock", budget)
    assert precision.mean == pytest.approx(one.precision - other.precision)


def test_months_and_areas_add_up(judged: WarningsJudged) -> None:
    raised = judged.scores[DEFAULT_WARNING].raised[judged.budget]
    months, units = judged.group_months(DEFAULT_WARNING), judged.group_units(DEFAULT_WARNING)
    assert [each.label for each in months] == ["2020-11", "2020-12", "2021-01", "2021-02"]
    assert [each.label for each in units] == ["A", "B", "C"]
    for groups in (months, units):
        assert sum(each.alarms.true for each in groups) == raised.true
        assert sum(each.alarms.events for each in groups) == raised.events
        assert sum(each.expected for each in groups) == pytest.approx(judged.risks[DEFAULT_WARNING].sum(), rel=1e-5)
    assert units[2].alarms.raised > units[0].alarms.raised


def test_all_figures_are_json(judged: WarningsJudged) -> None:
    told = json.loads(json.dumps(judged.to_dict(), allow_nan=False))
    assert told["scores"]["informed"]["at"][0]["size"] == 0.05
    assert told["against"]["informed"][DEFAULT_WARNING]["verdict"] in ("better", "indistinguishable")
    assert told["events"] == judged.events.sum()


@pytest.mark.parametrize("timing", [DAY, STEPS])
def test_a_trained_model_is_judged_as_in_a_backtest(timing: Timing) -> None:
    panel, first = draw_panel(timing), 300 * timing.bins
    model = make_forecaster("level").fit(panel.before(first))
    trained = judge_warnings_trained(model, panel, first, timing)
    tested = run_warnings(panel, ["level"], Plan(first), timing, workers=1)
    assert list(trained.scores) == list(tested.scores)
    for name in tested.scores:
        np.testing.assert_allclose(trained.risks[name], tested.risks[name], rtol=1e-6)
        assert trained.scores[name].raised == tested.scores[name].raised
    assert trained.baselines == list(WARNING_BASELINES)


def test_a_trained_model_of_any_kind_stands_first() -> None:
    panel = draw_panel(DAY)
    found = judge_warnings_trained(make_forecaster("ewma").fit(panel.before(300)), panel, 300, DAY)
    assert list(found.scores) == ["ewma", *WARNING_BASELINES, DEFAULT_WARNING]
    assert found.model == "ewma"


def test_windows_that_do_not_fit_the_counts_are_refused() -> None:
    panel = draw_panel(STEPS)
    with pytest.raises(ParameterError, match="the first begins with bin 1201") as refused:
        run_warnings(panel, ["level"], Plan(1201), STEPS)
    assert refused.value.parameter == "start"
    with pytest.raises(ParameterError, match="counts are known 3 bins late instead of 1"):
        run_warnings(panel, ["level"], Plan(1200), DAY)
    with pytest.raises(ParameterError, match="there is none to test on"):
        run_warnings(panel.cut(1202), ["level"], Plan(1200), STEPS)
    gaps = np.arange(len(panel)) % 4 > 0
    with pytest.raises(DataError, match="None of the windows of the test was observed as a whole"):
        run_warnings(replace(panel, observed=gaps), ["level"], Plan(1200), STEPS)


def test_the_default_is_chosen_unless_another_is_better_beyond_doubt() -> None:
    """A model that knows the truth is better; one that reads the noise of the last days is not."""
    weights = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 2.0])
    rng = np.random.default_rng(2)
    # What nobody can learn from the past: every day one area has five times as much.
    true = make_intensity(DAY, 400, weights)
    true[np.arange(400), rng.integers(0, 6, 400)] *= 5
    panel = draw_panel(DAY, weights=tuple(weights), counts=rng.poisson(true).astype(np.uint16))

    class Knowing(Informed):
        def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
            return (-np.expm1(-true[len(history) : len(history) + steps])).astype(np.float32)

    better = choose_warning_model(panel, {"knowing": Knowing()}, DAY, workers=1)
    assert better.model == "knowing"
    assert better.reason.startswith(
        "Knowing: better than Level × calendar × place on 200 past windows beyond doubt (log-loss −0."
    )
    same = choose_warning_model(panel, ["recent_counts"], DAY, workers=1)
    assert same.model == DEFAULT_WARNING
    assert same.reason.startswith(
        "Level × calendar × place: on 200 past windows no other model was better beyond doubt; the closest was Recent"
    )
    nothing = choose_warning_model(panel, {"again": make_forecaster(DEFAULT_WARNING)}, DAY, workers=1)
    assert nothing.reason == "Level × calendar × place: on 200 past windows no other model found anything to add to it"


def test_who_tries_more_models_needs_more_proof() -> None:
    """The best of ten is better by chance more often than one: here it would be taken alone, but not of ten."""
    panel = draw_panel(DAY, seed=21)
    alone = choose_warning_model(panel, {"informed": Informed()}, DAY, workers=1)
    assert alone.model == "informed"
    assert ", 95\N{NO-BREAK SPACE}% interval" in alone.reason
    many = choose_warning_model(panel, {f"informed_{number}": Informed() for number in range(10)}, DAY, workers=1)
    assert many.model == DEFAULT_WARNING
    assert ", 99.5\N{NO-BREAK SPACE}% interval" in many.reason
    assert many.judged is not None
    assert many.judged.beyond, "each would be taken alone"


def test_a_model_is_kept_only_where_the_held_out_windows_confirm_it() -> None:
    panel = draw_panel(DAY, weights=(1.0, 1.0, 1.0))
    weak = judge_warnings_trained(make_forecaster("recent_counts").fit(panel.before(300)), panel, 300, DAY)
    kept = confirm_warning_model(weak)
    assert kept.model == DEFAULT_WARNING
    assert kept.reason.startswith("Recent counts was chosen on past windows, but those held out do not confirm")
    assert kept.reason.endswith(": Level × calendar × place is kept")
    assert kept.judged is not None
    assert (kept.judged.model, next(iter(kept.judged.scores))) == (DEFAULT_WARNING, DEFAULT_WARNING)
    assert kept.judged.learned == ["recent_counts"], "it is still told what became of it"

    rng = np.random.default_rng(2)
    true = make_intensity(DAY, 400, np.ones(3))
    true[np.arange(400), rng.integers(0, 3, 400)] *= 5

    class Knowing(Informed):
        name = "informed"

        def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
            return (-np.expm1(-true[len(history) : len(history) + steps])).astype(np.float32)

    panel = replace(panel, counts=rng.poisson(true).astype(np.uint16))
    strong = confirm_warning_model(judge_warnings_trained(Knowing(), panel, 300, DAY))
    assert strong.model == "informed"
    assert "those held out confirm it (log-loss −0." in strong.reason
    default = confirm_warning_model(
        judge_warnings_trained(make_forecaster("level").fit(panel.before(300)), panel, 300, DAY)
    )
    assert (default.model, default.reason) == (DEFAULT_WARNING, "")


def test_too_few_events_or_days_leave_the_default() -> None:
    few = choose_warning_model(draw_panel(DAY, events=0.1), ["ewma"], DAY)
    assert (few.model, few.judged) == (DEFAULT_WARNING, None)
    assert "too few to tell the models apart. 30 would do, at this rate" in few.reason
    weeks = Timing(window=168, begin=0, lead=0, delay=0)
    panel = draw_panel(weeks, days=28 * 7, weights=(1.0, 2.0))
    unsure = choose_warning_model(panel, ["recent_counts"], weeks, workers=1)
    assert unsure.model == DEFAULT_WARNING
    assert unsure.reason.endswith("too few weeks for an interval)")
    short = choose_warning_model(draw_panel(DAY, days=3), ["ewma"], DAY)
    assert (short.model, short.judged) == (DEFAULT_WARNING, None)
    assert short.reason.endswith("the history is too short to try others on a part of it")
