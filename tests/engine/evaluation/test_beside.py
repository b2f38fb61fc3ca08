"""What stands beside a backtest: what a delay costs, what covariates are worth, other weights, other units."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.maps import make_stack
from kit.panels import make_panel, make_panel_of_cells, make_row

from riskengine.evaluation.backtest import run_backtest
from riskengine.evaluation.control import run_control
from riskengine.evaluation.delay import measure_delay
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.weighing import weigh
from riskengine.evaluation.whichunits import compare_units, plan_for
from riskengine.forecasters.base import Forecaster, Maps
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.ground.context import JobContext
from riskengine.ground.errors import ParameterError
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Covariate, Extras, Panel

#: 64 areas, whose rates change from month to month.
AREAS, MONTHS, FIRST = 64, 60, 48


class LastCount(Forecaster):
    """Knows the last count it was handed, and remembers how much that was."""

    name = "last_count"
    handed: ClassVar[list[int]] = []

    def __init__(self) -> None:
        """No settings."""

    def fit(self, history: Panel, context: JobContext | None = None) -> LastCount:
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        self.handed.append(len(history))
        risk = np.where(history.counts[-1] > 0, 0.7, 0.3).astype(np.float32)
        return np.repeat(risk[None], steps, axis=0)


class ReadsCovariate(Forecaster):
    """Takes the first static layer for the risk; called like a model that reads covariates."""

    name = "rates_logistic"

    def __init__(self) -> None:
        """No settings."""

    def fit(self, history: Panel, context: JobContext | None = None) -> ReadsCovariate:
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        return np.repeat(history.extras.static[:1], steps, axis=0)


@pytest.fixture(scope="module")
def drifting() -> Panel:
    """Areas that are hot for some months and then cold."""
    random = np.random.default_rng(5)
    hot = np.zeros((MONTHS, AREAS), dtype=bool)
    hot[0] = random.random(AREAS) < 0.5
    for month in range(1, MONTHS):
        hot[month] = np.where(random.random(AREAS) < 0.2, ~hot[month - 1], hot[month - 1])
    return make_panel(np.where(hot, random.poisson(2, hot.shape), 0).astype(np.uint8), bin="1 months")


def test_a_delay_costs_what_the_last_months_told(drifting: Panel) -> None:
    forecasters = {"last_count": LastCount(), "prior_counts": make_forecaster("prior_counts")}
    late = run_backtest(replace(drifting, delay=2), forecasters, Plan(FIRST), workers=1)
    LastCount.handed.clear()
    cost = measure_delay(late, forecasters, workers=1)
    assert cost is not None
    # At once, the last of the months before is known.
    assert LastCount.handed == list(range(FIRST, MONTHS))
    at_once = run_backtest(drifting, forecasters, Plan(FIRST), workers=1)
    assert cost.delay == 2
    assert cost.at_once["last_count"].log_loss == at_once.scores["last_count"].log_loss
    gap = late.scores["last_count"].log_loss - at_once.scores["last_count"].log_loss
    assert gap > 0.05
    assert cost.losses["last_count"].mean == pytest.approx(gap)
    assert cost.losses["last_count"].verdict == "worse"
    assert cost.hits["last_count"].mean < 0
    # A constant knows no months; it is no model that a delay could cost anything.
    assert set(cost.losses) == {"last_count", "prior_counts"}


def test_with_a_delay_nobody_is_handed_what_was_not_known(drifting: Panel) -> None:
    LastCount.handed.clear()
    run_backtest(replace(drifting, delay=2), {"last_count": LastCount()}, Plan(FIRST, horizon=3), workers=1)
    assert LastCount.handed == [month - 3 + 1 - 2 for month in range(FIRST, MONTHS)]


def test_without_a_delay_there_is_nothing_to_measure(drifting: Panel) -> None:
    forecasters = {"prior_counts": make_forecaster("prior_counts")}
    assert measure_delay(run_backtest(drifting, forecasters, Plan(FIRST)), forecasters) is None


def test_a_test_that_begins_before_anything_is_known_is_refused(drifting: Panel) -> None:
    with pytest.raises(ParameterError, match="1 bin ahead, counts known 3 bins late: there is no history"):
        run_backtest(replace(drifting, delay=3), ["prior_counts"], Plan(3))


def make_told(covariate: np.ndarray, rate: np.ndarray) -> Panel:
    counts = np.random.default_rng(6).poisson(rate, (MONTHS, len(rate))).astype(np.uint8)
    return make_panel(counts, extras=Extras(static=covariate[None].astype(np.float32), static_names=("income",)))


def test_a_covariate_that_tells_the_rate_is_worth_something_and_shuffled_ones_are_not() -> None:
    rate = np.random.default_rng(4).gamma(1.0, 1.0, AREAS)
    forecasters = {"rates_logistic": ReadsCovariate(), "prior_counts": make_forecaster("prior_counts")}
    judged = run_backtest(make_told(1 - np.exp(-rate), rate), forecasters, Plan(FIRST), workers=1)
    (control,) = run_control(judged, forecasters, workers=1)
    assert (control.model, control.covariates) == ("rates_logistic", ("income",))
    assert control.loss.verdict == "better"
    assert control.loss.mean == pytest.approx(judged.scores["rates_logistic"].log_loss - control.shuffled.log_loss)
    assert control.hits.mean > 0


def test_a_covariate_that_tells_nothing_is_worth_nothing() -> None:
    random = np.random.default_rng(8)
    forecasters = {"rates_logistic": ReadsCovariate(), "prior_counts": make_forecaster("prior_counts")}
    judged = run_backtest(make_told(random.uniform(0.2, 0.8, AREAS), np.ones(AREAS)), forecasters, Plan(FIRST))
    (control,) = run_control(judged, forecasters)
    assert control.loss.verdict == "indistinguishable"


def test_of_what_all_areas_have_alike_the_control_says_nothing() -> None:
    """Shuffled among the areas, the weather of a city is the same."""
    rate = np.random.default_rng(4).gamma(1.0, 1.0, AREAS)
    told, said = make_told(1 - np.exp(-rate), rate), Recorder()
    weather = Covariate("warmth", np.repeat(np.arange(len(told), dtype=np.float32)[:, None], AREAS, axis=1))
    panel = replace(told, extras=replace(told.extras, covariates=(weather,)))
    forecasters = {"rates_logistic": ReadsCovariate(), "prior_counts": make_forecaster("prior_counts")}
    (control,) = run_control(run_backtest(panel, forecasters, Plan(FIRST), workers=1), forecasters, said, workers=1)
    assert control.covariates == ("income",)
    assert "warmth is the same in all areas: the control cannot say what it adds." in said.messages
    alone = replace(told, extras=Extras(covariates=(weather,)))
    simple = {"prior_counts": forecasters["prior_counts"]}
    assert run_control(run_backtest(alone, simple, Plan(FIRST)), forecasters) == []


def test_without_covariates_or_readers_there_is_no_control(drifting: Panel) -> None:
    forecasters = {"prior_counts": make_forecaster("prior_counts")}
    assert run_control(run_backtest(drifting, forecasters, Plan(FIRST)), forecasters) == []
    told = make_told(np.ones(AREAS), np.ones(AREAS))
    assert run_control(run_backtest(told, forecasters, Plan(FIRST)), forecasters) == []


def test_by_person_a_crowded_area_comes_last() -> None:
    # Four areas of 1 km2 with 1, 2, 3 and 4 incidents a month; most people live where most happens.
    counts = np.repeat(np.array([[1, 2, 3, 4]], dtype=np.uint8), 40, axis=0)
    people = Extras(static=np.array([[1, 8, 30, 61]], dtype=np.float32), static_names=("people",))
    forecasters = {"prior_counts": make_forecaster("prior_counts")}
    judged = run_backtest(make_panel(counts, extras=people), forecasters, Plan(30))
    # Ties of the probabilities are as the forecaster has them: 5 % of the people is all of the first and half of the
    # second.
    judged.risks["prior_counts"][:] = np.array([0.6, 0.8, 0.9, 0.95], dtype=np.float32)
    weighed = weigh(judged, "people")
    found = weighed.find_hits("prior_counts")
    assert weighed.total == 100
    assert found.area.hit_rate == pytest.approx((1 + 2 * 4 / 8) / 10)
    assert found.area.pai == pytest.approx(0.2 / 0.05)
    # By area the last one does: a twentieth of 4 km2 is a fifth of it.
    by_area = next(hits.area for hits in judged.scores["prior_counts"].shares if hits.at == 0.05)
    assert by_area.hit_rate == pytest.approx(4 * 0.2 / 10)
    assert weighed.compare_hits("prior_counts", "prior_counts").mean == 0


def make_city() -> Heatmaps:
    """6 x 8 cells of 500 m that differ, 60 weeks."""
    random = np.random.default_rng(7)
    counts = random.poisson(random.gamma(0.5, 1.0, (6, 8)), (MONTHS, 6, 8)).astype(np.uint8)
    return make_stack(counts, bin="1 weeks")


def merge_in_fours(heatmaps: Heatmaps) -> Panel:
    """The same city by 3 x 4 squares of 1 km."""
    counts = heatmaps.counts.reshape(len(heatmaps), 3, 2, 4, 2).sum(axis=(2, 4)).astype(np.uint8)
    return make_panel_of_cells(make_stack(counts, bin="1 weeks", cell=1000.0))


def test_units_are_compared_at_the_same_flagged_area() -> None:
    grid = make_city()
    panels = {"cells": grid, "squares": make_panel_of_cells(grid), "blocks": merge_in_fours(grid)}
    forecasters = {"prior_counts": make_forecaster("prior_counts")}
    judged = {
        name: run_backtest(panel, forecasters, plan_for(grid, Plan(FIRST), panel, name))
        for name, panel in panels.items()
    }
    cells, squares, blocks = compare_units(judged)
    assert [(each.kind, each.units, each.size, each.total) for each in (cells, squares, blocks)] == [
        ("grid", 48, 0.25, 12.0),
        ("areas", 48, 0.25, 12.0),
        ("areas", 12, 1.0, 12.0),
    ]
    assert cells.km2 == blocks.km2 == pytest.approx([0.12 * number for number in range(1, 21)])
    for one, other in zip(cells.hits["prior_counts"], squares.hits["prior_counts"], strict=True):
        assert one.area.hit_rate == pytest.approx(other.area.hit_rate)
        assert one.area.ser(0.0) == pytest.approx(other.area.ser(0.0))
    # At a quarter km2 (a cell) and less a block is flagged by the same part.
    first, second = blocks.hits["prior_counts"][:2]
    assert second.area.caught == pytest.approx(2 * first.area.caught)
    # Smaller units can follow what happens more closely.
    assert cells.hits["prior_counts"][9].area.hit_rate > blocks.hits["prior_counts"][9].area.hit_rate


def test_other_units_need_the_same_place_bins_and_incidents() -> None:
    panel = make_panel(np.full((MONTHS, 4), 3, dtype=np.uint8))
    plan = Plan(FIRST)
    longer = make_panel(np.full((MONTHS + 12, 4), 3, dtype=np.uint8), start="2019-01")
    assert plan_for(panel, plan, longer, "wards").first == FIRST + 12
    with pytest.raises(ParameterError, match="wards does not end with the bins that are tested, Jan – Dec 2024 by 1 m"):
        plan_for(panel, plan, make_panel(np.full((MONTHS - 1, 4), 3, dtype=np.uint8)), "wards")
    with pytest.raises(ParameterError, match="wards covers 8 km², and the counts that are backtested 4 km²"):
        plan_for(panel, plan, make_panel(panel.counts, shapes=make_row([2000] * 4)), "wards")
    # Hexagons that touch a place cover more than it has.
    assert plan_for(panel, plan, make_panel(panel.counts, shapes=make_row([1200] * 4)), "hexagons").first == FIRST
    said = "wards holds 48 incidents in the test, and the counts that are backtested 144"
    with pytest.raises(ParameterError, match=said):
        plan_for(panel, plan, make_panel(np.ones((MONTHS, 4), dtype=np.uint8)), "wards")
