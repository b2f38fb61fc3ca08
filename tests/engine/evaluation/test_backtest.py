"""The rolling backtest: nothing from after an origin, the same figures as elsewhere, honest sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.incidents import incidents_of
from kit.maps import make_stack

from riskengine.contract.forecasters import FORECASTERS
from riskengine.evaluation import folds
from riskengine.evaluation.backtest import run_backtest
from riskengine.evaluation.exposure import NOWHERE, compute_exposure
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.judging import judge_fitted
from riskengine.evaluation.offsets import move_grid, run_offsets
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.scoring import CURVE
from riskengine.evaluation.task import one_core
from riskengine.forecasters.base import Forecaster, Maps
from riskengine.forecasters.baselines import ConstantForecaster, PriorCounts, PriorShare
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled, DataError, ParameterError
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras, count_incidents
from riskengine.measures.metrics import auc, brier, brier_skill, count_area_hits, log_loss
from riskengine.report.claims import describe_comparison

HEIGHT, WIDTH = 6, 8


@pytest.fixture(scope="module")
def city() -> Heatmaps:
    """120 days of a place with steady hot cells, and a corner that is not part of it."""
    random = np.random.default_rng(7)
    rate = random.gamma(0.4, 0.5, (HEIGHT, WIDTH))
    mask = np.ones((HEIGHT, WIDTH), bool)
    mask[0, :3] = False
    counts = (random.poisson(rate, (120, HEIGHT, WIDTH)) * mask).astype(np.uint8)
    return make_stack(counts, mask)


class Spy(Forecaster):
    """Remembers the last moment of every history it was handed."""

    name = "spy"
    calls: ClassVar[list[tuple[str, int, int]]] = []

    def __init__(self, threshold: int = 1) -> None:
        self.threshold = threshold

    def fit(self, history: Heatmaps, context: JobContext | None = None) -> Spy:
        self.calls.append(("fit", self._known(history), 0))
        return self

    def predict(self, history: Heatmaps, steps: int = 1, context: JobContext | None = None) -> Maps:
        self.calls.append(("predict", self._known(history), steps))
        return np.where(history.mask, np.float32(0.2), np.float32(np.nan))[None].repeat(steps, axis=0)

    @staticmethod
    def _known(history: Heatmaps) -> int:
        parts = {len(history.counts), len(history.edges) - 1, len(history.observed)}
        if history.extras.channel_names:
            parts.add(history.extras.channels.shape[1])
        assert len(parts) == 1, "some part of the history is longer than the others"
        return parts.pop()


@pytest.mark.parametrize(("horizon", "refit"), [(1, 0), (1, 7), (3, 0), (3, 7), (10, 4)])
def test_nobody_is_handed_a_map_from_its_future(city: Heatmaps, horizon: int, refit: int) -> None:
    heatmaps = replace(city, extras=Extras(channels=city.counts[None].copy(), channel_names=("all",)))
    Spy.calls.clear()
    run_backtest(heatmaps, {"spy": Spy()}, Plan(100, horizon, refit))
    fits = [known for call, known, _ in Spy.calls if call == "fit"]
    starts = list(range(100, 120, refit or 120))
    assert fits == [start - horizon + 1 for start in starts]
    # Each target in turn, from the maps before target - horizon + 1, and none twice.
    predicted = [(known, steps) for call, known, steps in Spy.calls if call == "predict"]
    assert predicted == [(target - horizon + 1, horizon) for target in range(100, 120)]


class Peek(Spy):
    """Forecasts the last map of what it was handed: perfect if that were the target."""

    name = "peek"

    def predict(self, history: Heatmaps, steps: int = 1, context: JobContext | None = None) -> Maps:
        last = np.where(history.counts[-1] > 0, 0.99, 0.01)
        return np.where(history.mask, last, np.nan).astype(np.float32)[None].repeat(steps, axis=0)


def coin(seed: int, maps: int = 160) -> Heatmaps:
    """Every cell and day a toss of its own: nothing of the past says anything about it."""
    return make_stack((np.random.default_rng(seed).random((maps, HEIGHT, WIDTH)) < 0.3).astype(np.uint8))


#: Cheap forecasters of every kind; networks have tests of their own.
KINDS = ("prior_counts", "prior_share", "recent_counts", "weekday_trend", "logistic")


@pytest.mark.parametrize("name", KINDS)
def test_a_signal_from_the_future_gives_no_skill(name: str) -> None:
    heatmaps = coin(1)
    # The channel holds the target itself: known only when the target's bin is over, so to nobody in time.
    future = replace(heatmaps, extras=Extras(channels=heatmaps.counts[None].copy(), channel_names=("future",)))
    backtest = run_backtest(future, [name], Plan(120, refit=20), workers=1)
    assert backtest.scores[name].auc == pytest.approx(0.5, abs=0.05)
    assert backtest.scores[name].brier_skill < 0.01


def test_the_same_signal_known_in_time_gives_skill_and_too_late_none() -> None:
    heatmaps = coin(2)
    # One map ahead of its time: at an origin the channel tells the next map, but not the one after that.
    ahead = np.concatenate([heatmaps.counts[1:], heatmaps.counts[:1]])[None]
    known = replace(heatmaps, extras=Extras(channels=ahead, channel_names=("ahead",)))
    next_map = run_backtest(known, ["logistic"], Plan(120), workers=1).scores["logistic"]
    after_next = run_backtest(known, ["logistic"], Plan(120, horizon=2), workers=1).scores["logistic"]
    assert next_map.auc > 0.75
    assert after_next.auc == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("name", "horizon"), [*((name, 1) for name in FORECASTERS), ("prior_counts", 3), ("etas", 3), ("logistic", 3)]
)
def test_what_happens_later_changes_no_forecast(city: Heatmaps, name: str, horizon: int) -> None:
    """Two cities that are the same up to map 108 get the same forecasts for origins up to there, bit by bit."""
    same, random = 108, np.random.default_rng(13)
    later = city.counts.copy()
    later[same:] = random.permutation(later[same:].ravel()).reshape(later[same:].shape) * city.mask
    risks = []
    for counts in (city.counts, later):
        channels = counts[None].copy()
        heatmaps = replace(city, counts=counts, extras=Extras(channels=channels, channel_names=("all",)))
        plan = Plan(102, horizon, refit=9)
        settings = {name: FORECASTERS[name].quick_settings}
        backtest = run_backtest(heatmaps, [name], plan, settings=settings, workers=1)
        assert not backtest.failures
        risks.append(backtest.risks[name])
    # Map 107 + horizon is the last one that is forecast from the maps before 108 at most.
    known = same + horizon - 102
    assert np.array_equal(risks[0][:known], risks[1][:known], equal_nan=True)
    assert not np.array_equal(risks[0][known:], risks[1][known:], equal_nan=True)


def test_peeking_at_the_last_map_known_does_not_help(city: Heatmaps) -> None:
    backtest = run_backtest(coin(3), {"peek": Peek()}, Plan(100))
    assert backtest.scores["peek"].auc == pytest.approx(0.5, abs=0.05)


def test_the_figures_are_those_of_the_measures(city: Heatmaps) -> None:
    """Of a backtest and of forecasters fitted before: the same, and what the measures give over all maps at once."""
    first = 90
    made = {
        each.name: each for each in (PriorCounts(), PriorShare(), ConstantForecaster(), make_forecaster("logistic"))
    }
    backtest = run_backtest(city, made, Plan(first), workers=1)
    history = city.before(first)
    with one_core():
        fitted = judge_fitted([each.fit(history) for each in made.values()], city, first)
    counts = city.counts[first:][:, city.mask]
    risks = {name: risk[:, city.mask] for name, risk in fitted.risks.items()}
    for name, score in fitted.scores.items():
        risk, events = risks[name], counts > 0
        assert score.log_loss == pytest.approx(log_loss(risk, events), rel=1e-9)
        assert score.brier == pytest.approx(brier(risk, events), rel=1e-9)
        assert score.brier_skill == pytest.approx(brier_skill(risk, events, risks["constant"]), abs=1e-9)
        assert score.auc == pytest.approx(auc(risk, events), rel=1e-9)
        assert score.area == count_area_hits(risk, counts, 0.05)
        assert score.curve == [count_area_hits(risk, counts, share) for share in CURVE]
        found = backtest.scores[name]
        assert found.to_dict() == pytest.approx({**score.to_dict(), "skill_best": found.to_dict()["skill_best"]})
        assert found.fold_loss == pytest.approx(score.fold_loss)
    assert backtest.best_baseline == min(
        ("constant", "prior_counts", "prior_share"), key=lambda name: fitted.scores[name].log_loss
    )


def test_every_map_is_forecast_from_the_maps_before_its_origin(city: Heatmaps) -> None:
    backtest = run_backtest(city, {"prior_counts": PriorCounts()}, Plan(110, horizon=4, refit=3))
    for place, target in enumerate(range(110, 120)):
        known = city.before(target - 3)
        expected = PriorCounts().fit(known).predict(known)[0]
        assert np.array_equal(backtest.risks["prior_counts"][place], expected, equal_nan=True)


def test_maps_that_were_not_observed_are_not_scored(city: Heatmaps) -> None:
    observed = np.ones(120, bool)
    observed[[50, 105, 106]] = False
    backtest = run_backtest(replace(city, observed=observed), {"prior_counts": PriorCounts()}, Plan(100))
    assert backtest.maps.tolist() == [number for number in range(100, 120) if number not in (105, 106)]
    assert backtest.edges[5] == ["2024-04-17T00:00:00", "2024-04-18T00:00:00"]
    assert len(backtest.risks["constant"]) == len(backtest.scores["constant"].fold_loss) == 18
    assert "3 maps were not observed" in backtest.notes[0]


def test_filled_maps_change_no_figure_and_are_told_of(city: Heatmaps) -> None:
    observed = np.ones(120, bool)
    observed[[50, 105, 106]] = False
    plain = replace(city, observed=observed)
    counts = city.counts.astype(np.float32)
    counts[~observed] = 0.37
    filled = replace(plain, counts=counts, filled="linear")
    first, second = (run_backtest(each, ["prior_counts", "logistic"], Plan(100), workers=1) for each in (plain, filled))
    for name, score in first.scores.items():
        assert second.scores[name].to_dict() == pytest.approx(score.to_dict()), name
        assert second.scores[name].border == score.border
    assert any("looks ahead" in note for note in second.notes)
    areas = {"All": [box(0, 0, 1e6, 1e6)]}
    (row,) = compute_exposure(
        areas, city.grid, city.mask, second.risks["logistic"], second.flag_cells("logistic"), second.counts
    )
    assert row.incidents == city.counts[second.maps].sum()


class Dice(Spy):
    """A probability thrown by its seed."""

    name = "dice"

    def __init__(self, threshold: int = 1, seed: int = 0) -> None:
        super().__init__(threshold)
        self.seed = seed

    def predict(self, history: Heatmaps, steps: int = 1, context: JobContext | None = None) -> Maps:
        thrown = np.random.default_rng([self.seed, len(history)]).random((steps, *history.mask.shape))
        return np.where(history.mask, thrown, np.nan).astype(np.float32)


def test_the_mean_over_seeds_is_scored_and_each_seed_told(city: Heatmaps) -> None:
    plan = Plan(100, refit=8, seeds=(3, 4, 5))
    backtest = run_backtest(city, {"dice": Dice(), "prior_counts": PriorCounts()}, plan)
    each = [run_backtest(city, {"dice": Dice()}, replace(plan, seeds=(seed,))) for seed in plan.seeds]
    mean = np.mean([one.risks["dice"] for one in each], axis=0)
    assert backtest.risks["dice"] == pytest.approx(mean, nan_ok=True)
    assert backtest.seed_scores == {"dice": pytest.approx([one.scores["dice"].log_loss for one in each])}
    events = city.counts[100:] > 0
    assert backtest.scores["dice"].log_loss == pytest.approx(log_loss(mean, events), rel=1e-5)
    assert not each[0].seed_scores


class Broken(Spy):
    name = "broken"

    def fit(self, history: Heatmaps, context: JobContext | None = None) -> Broken:
        raise DataError("The history is too short", remedy="Use a longer one")


class Certain(Spy):
    name = "certain"

    def predict(self, history: Heatmaps, steps: int = 1, context: JobContext | None = None) -> Maps:
        return np.full((steps, *history.mask.shape), 1.5, dtype=np.float32)


class Breaks(Spy):
    """Fails at its second fit only."""

    name = "breaks"

    def fit(self, history: Heatmaps, context: JobContext | None = None) -> Breaks:
        if len(history) > 100:
            raise ZeroDivisionError("division by zero")
        return self


def test_a_model_that_fails_is_named_and_the_others_go_on(city: Heatmaps) -> None:
    models = {each.name: each for each in (Broken(), Certain(), Breaks(), PriorCounts())}
    context = Recorder()
    backtest = run_backtest(city, models, Plan(100, refit=10), context=context)
    assert backtest.failures == {
        "broken": "The history is too short. Use a longer one.",
        "certain": "certain forecast something that is no probability for some cells. Leave this model out.",
        "breaks": "It failed unexpectedly (ZeroDivisionError: division by zero).",
    }
    assert list(backtest.scores) == ["prior_counts", "constant"]
    assert backtest.scores["prior_counts"].log_loss > 0
    assert "warning: Broken could not be run: The history is too short. Use a longer one." in context.lines
    assert "could not be run" in " ".join(describe_comparison(backtest))


def test_processes_by_the_memory_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no sysconf: where the memory is not known, two processes are enough."""
    gibibyte = {"SC_PHYS_PAGES": 2**18, "SC_PAGE_SIZE": 2**12}
    for given, processes in ((0.5, 1), (6, 3), (16, 8)):
        sizes = {**gibibyte, "SC_PHYS_PAGES": int(given * gibibyte["SC_PHYS_PAGES"])}
        monkeypatch.setattr(folds.os, "sysconf", sizes.__getitem__)
        assert folds._memory_for() == processes
    monkeypatch.delattr(folds.os, "sysconf")
    assert folds._memory_for() == 2


def test_processes_give_what_one_process_gives(city: Heatmaps) -> None:
    binary = replace(city, binary=True, counts=np.minimum(city.counts, 1))
    # Of binary maps nobody can say where there were two incidents: that one fails.
    models = {"prior_counts": PriorCounts(), "logistic": make_forecaster("logistic"), "bad": PriorCounts(threshold=2)}
    plan = Plan(90, horizon=2, refit=10, seeds=(1, 2))
    alone, together = (run_backtest(binary, models, plan, workers=workers) for workers in (1, 2))
    assert list(alone.failures) == ["bad"]
    assert alone.failures == together.failures
    assert "threshold is 2" in alone.failures["bad"]
    for name in ("prior_counts", "logistic", "constant"):
        assert np.array_equal(alone.risks[name], together.risks[name], equal_nan=True), name
        assert alone.scores[name].to_dict() == together.scores[name].to_dict()


@pytest.mark.parametrize("workers", [1, 2])
def test_cancel_stops_it(city: Heatmaps, workers: int) -> None:
    context = Recorder(cancel_when=lambda _: True)
    with pytest.raises(Cancelled):
        run_backtest(city, ["logistic", "prior_counts"], Plan(90, refit=1), context=context, workers=workers)


def test_progress_rises_to_the_end(city: Heatmaps) -> None:
    context = Recorder()
    run_backtest(city, ["prior_counts", "logistic"], Plan(100, refit=10), context=context, workers=1)
    shares = context.shares
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.95 < shares[-1] <= 1


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        (Plan(0), ParameterError),
        (Plan(120), ParameterError),
        (Plan(5, horizon=6), ParameterError),
        (Plan(100, horizon=0), ParameterError),
        (Plan(100, refit=-1), ParameterError),
    ],
)
def test_a_plan_that_leaves_nothing_is_refused(city: Heatmaps, plan: Plan, error: type[Exception]) -> None:
    with pytest.raises(error):
        run_backtest(city, ["prior_counts"], plan)


def test_names_and_settings_are_checked(city: Heatmaps) -> None:
    with pytest.raises(ParameterError, match="no forecaster 'prophet'"):
        run_backtest(city, ["prophet"], Plan(100))
    with pytest.raises(ParameterError, match="does not take part"):
        run_backtest(city, ["prior_counts"], Plan(100), settings={"logistic": {}})
    with pytest.raises(ParameterError, match="no setting 'shrinking'"):
        run_backtest(city, ["prior_counts"], Plan(100), settings={"prior_counts": {"shrinking": 1}})


class Knows(Spy):
    """Knows the rate that the coin was tossed with, which counts must estimate; `worse` adds what is not there."""

    name = "knows"

    def __init__(self, threshold: int = 1, worse: float = 0.0) -> None:
        super().__init__(threshold)
        self.worse = worse

    def predict(self, history: Heatmaps, steps: int = 1, context: JobContext | None = None) -> Maps:
        days = len(history) + np.arange(steps)
        rate = np.where(days % 2 == 0, 0.5, 0.1) * (1 - self.worse) + 0.5 * self.worse
        return np.where(history.mask, rate[:, None, None], np.nan).astype(np.float32)


@pytest.fixture(scope="module")
def alternating() -> Judged:
    """Every second day is busier: no simple baseline here knows that."""
    random = np.random.default_rng(11)
    rate = np.where(np.arange(200) % 2 == 0, 0.5, 0.1)[:, None, None]
    heatmaps = make_stack((random.random((200, HEIGHT, WIDTH)) < rate).astype(np.uint8))
    models = {"knows": Knows(), "worse": Knows(worse=1.0), "prior_counts": PriorCounts(), "prior_share": PriorShare()}
    return run_backtest(heatmaps, models, Plan(120))


def test_differences_have_the_right_sign(alternating: Judged) -> None:
    better, worse = alternating.compare_losses("knows"), alternating.compare_losses("worse")
    assert better.high < 0
    assert better.verdict == "better"
    assert worse.low > 0
    assert worse.verdict == "worse"
    assert alternating.compare_losses("knows", "worse").mean == pytest.approx(better.mean - worse.mean)
    assert alternating.scores["knows"].skill_best > 0 > alternating.scores["worse"].skill_best


def test_the_sentences_say_who_is_better_and_that_there_is_a_signal(alternating: Judged) -> None:
    text = " ".join(describe_comparison(alternating))
    assert "Knows: better calibrated than constant, catches as many as prior counts (log-loss −0." in text
    (worse,) = (line for line in describe_comparison(alternating) if line.startswith("Worse: "))
    assert worse.startswith("Worse: WORSE calibrated than constant, ")
    assert "(log-loss +" in worse
    assert "There is a signal beyond" in text


def test_where_there_is_no_signal_the_sentences_say_so() -> None:
    random = np.random.default_rng(5)
    rate = random.gamma(0.5, 0.4, (HEIGHT, WIDTH))
    heatmaps = make_stack(random.poisson(rate, (250, HEIGHT, WIDTH)).astype(np.uint8))
    backtest = run_backtest(heatmaps, ["logistic", "prior_counts", "prior_share"], Plan(190), workers=1)
    text = " ".join(describe_comparison(backtest))
    assert "These models found no signal beyond the long-run mean" in text
    assert "There is a signal" not in text
    assert ": better calibrated" not in text


def test_too_few_maps_are_said_to_be_too_few(city: Heatmaps) -> None:
    backtest = run_backtest(city, ["prior_counts", "prior_share"], Plan(115))
    text = " ".join(describe_comparison(backtest))
    assert text.startswith("Over 5 test maps the best simple baseline is ")
    assert "Constant: too few maps to tell it from the simple baselines (log-loss +0." in text


def test_hit_rates_are_compared_too(alternating: Judged) -> None:
    scores = alternating.scores
    difference = alternating.compare_hits("prior_counts", "prior_share")
    assert difference.mean == pytest.approx(scores["prior_counts"].area.hit_rate - scores["prior_share"].area.hit_rate)


def test_more_hits_are_better_in_the_figures() -> None:
    """A constant against the place means of steady hot cells: more loss and fewer hits, both called worse."""
    random = np.random.default_rng(9)
    rate = np.where(np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) < 5, 2.0, 0.02)
    heatmaps = make_stack(random.poisson(rate, (120, HEIGHT, WIDTH)).astype(np.uint8))
    backtest = run_backtest(heatmaps, ["prior_counts"], Plan(60))
    assert backtest.best_baseline == "prior_counts"
    found = backtest.to_dict()
    assert found["against"]["constant"]["verdict"] == "worse"
    assert found["against"]["constant"]["mean"] > 0
    assert found["hits_against"]["constant"]["verdict"] == "worse"
    assert found["hits_against"]["constant"]["mean"] < 0


def test_counts_stand_beside_every_share(city: Heatmaps) -> None:
    score = run_backtest(city, ["prior_counts"], Plan(90)).scores["prior_counts"]
    total = int(city.counts[90:].sum())
    assert [hits.at for hits in score.shares] == [0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2]
    assert all(hits.area.incidents == total for hits in score.shares)
    assert all(hits.hit_rate.low <= hits.area.hit_rate <= hits.hit_rate.high for hits in score.shares)
    for over in ("stack", "map"):
        assert [hits.at for hits in score.percentiles[over]] == list(range(85, 100))
        for hits, row in zip(score.percentiles[over], score.tradeoff[over], strict=True):
            assert (hits.area.flagged, hits.area.hit_cells) == (row.flagged, row.cells[1])
    assert score.fold_caught.sum() == pytest.approx(score.area.caught)


def test_every_figure_travels_as_json(city: Heatmaps, alternating: Judged) -> None:
    few = run_backtest(city, ["prior_counts"], Plan(118))
    for backtest in (alternating, few):
        found = json.loads(json.dumps(backtest.to_dict(), allow_nan=False))
        assert set(found["scores"]) == set(backtest.scores)
        assert found["best_baseline"] not in found["against"]
    assert few.to_dict()["against"]["constant"]["low"] is None


def test_moved_grids_hold_the_same_incidents(city: Heatmaps) -> None:
    incidents = incidents_of(city)
    same = move_grid(city, incidents, 0.0, 0.0)
    assert np.array_equal(same.counts, city.counts)
    assert np.array_equal(same.mask, city.mask)
    moved = move_grid(replace(city, mask=np.ones_like(city.mask)), incidents, 0.4, 0.7)
    assert moved.counts.shape[1:] == (HEIGHT + 1, WIDTH + 1)
    # A cell belongs to it whose centre lies in the old area: 0.4 east leaves out the new first column.
    assert moved.mask.sum() == HEIGHT * WIDTH
    whole, _ = count_incidents(incidents, moved.grid, moved.edges)
    assert whole.sum() == city.counts.sum()


def test_figures_over_grid_positions(city: Heatmaps) -> None:
    incidents, plan = incidents_of(city), Plan(90, refit=10)
    models = {each.name: each for each in (PriorCounts(), ConstantForecaster(), make_forecaster("logistic"))}
    found = run_offsets(city, incidents, models, plan, 3)
    again = run_offsets(city, incidents, models, plan, 3)
    # Only quick models that know places.
    assert list(found) == ["prior_counts"]
    figures = found["prior_counts"]
    assert figures == again["prior_counts"]
    assert figures.offsets[0] == (0.0, 0.0)
    assert len(figures.hit_rate) == 4
    score = run_backtest(city, models, plan).scores["prior_counts"]
    assert figures.hit_rate[0] == pytest.approx(score.area.hit_rate)
    assert figures.pai[0] == pytest.approx(score.area.pai)
    assert figures.log_loss[0] == pytest.approx(score.log_loss, rel=1e-6)
    assert figures.compute_mean("pai") == pytest.approx(np.mean(figures.pai))
    assert figures.compute_deviation("pai") == pytest.approx(np.std(figures.pai, ddof=1)) != 0


def test_incidents_of_another_stack_are_refused(city: Heatmaps) -> None:
    incidents = incidents_of(city)
    half = incidents.select(np.arange(len(incidents)) % 2 == 0)
    with pytest.raises(DataError, match="but the hotspot grids hold"):
        run_offsets(city, half, {"prior_counts": PriorCounts()}, Plan(90), 1)


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_exposure_by_hand() -> None:
    grid = Grid(0.0, 200.0, 100.0, 3, 2, "EPSG:32614")
    mask = np.array([[True, True, True], [True, True, False]])
    risk = np.array([[[0.8, 0.2, 0.4], [0.6, 0.1, np.nan]]])
    flagged = np.array([[[True, False, False], [True, False, False]]])
    counts = np.array([[[3, 1, 0], [0, 0, 9]]])
    areas = {
        "West": [box(0, 0, 100, 200)],
        "Middle": [box(100, 100, 200, 200), box(100, 0, 200, 100)],
        "Nowhere near": [box(900, 900, 999, 999)],
    }
    west, middle, rest = compute_exposure(areas, grid, mask, risk, flagged, counts)
    assert (west.name, west.cells, west.flagged, west.incidents) == ("West", 2, 2, 3)
    assert (west.area_share, west.mean_risk) == pytest.approx((2 / 5, 0.7))
    # All flags on three quarters of the incidents.
    assert (west.flagged_share, west.incident_share, west.ratio) == pytest.approx((1.0, 0.75, 4 / 3))
    assert (middle.name, middle.cells, middle.flagged_share, middle.incident_share) == ("Middle", 2, 0.0, 0.25)
    assert middle.mean_risk == pytest.approx(0.15)
    assert (rest.name, rest.cells, rest.incidents) == (NOWHERE, 1, 0)
