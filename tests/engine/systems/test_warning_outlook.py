"""The next windows: what is read, what a probability is made of, how sure it is, and what is warned of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kit.warningpanels import draw_panel

from riskengine.contract.warnings import Budget, Timing
from riskengine.forecasters.base import Forecaster
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.levels.pool import LevelEnsemble
from riskengine.ground.context import JobContext
from riskengine.maps.panel import Panel
from riskengine.systems.warning.outlook import PARTS, Outlook, make_outlook

#: A tenth of all windows.
TENTH = Budget()
HALF_DAYS, DAYS, WEEKS = Timing(12, 6, 0, 24), Timing(24, 6, 6, 24), Timing(168, 0, 0, 0)


def look(
    model: Forecaster, panel: Panel, timing: Timing, budget: Budget = TENTH, windows: int = 6, known: int = -1
) -> Outlook:
    """The windows after a panel of which all is known but what comes late."""
    known = len(panel) - panel.delay if known < 0 else known
    return make_outlook(model, panel, known, timing, budget, panel.edges[-1], windows, JobContext())


@pytest.mark.parametrize("timing", [HALF_DAYS, DAYS, WEEKS])
@pytest.mark.parametrize("kind", ["level", "calendar_reset", "prior_counts"])
def test_the_first_window_is_forecast_as_a_test_would(timing: Timing, kind: str) -> None:
    panel = draw_panel(timing)
    model = make_forecaster(kind, threshold=1).fit(panel)
    outlook = look(model, panel, timing)
    known = panel.before(len(panel))
    if timing.bins > 1:
        expected = -np.expm1(-model.predict_window(known, timing.bins))
    else:
        expected = model.predict(known, panel.delay + 1)[-1]
    assert outlook.probability.shape == (6, 3)
    np.testing.assert_allclose(outlook.probability[0], expected, rtol=1e-5)
    hours = np.diff(outlook.edges) / np.timedelta64(1, "h")
    assert (outlook.edges[0], set(hours.tolist())) == (panel.edges[-1], {timing.window})


@pytest.mark.parametrize("timing", [HALF_DAYS, DAYS])
def test_what_is_not_known_is_read_by_nothing(timing: Timing) -> None:
    """Neither by the forecasts nor by the threshold, whatever the panel counts after it."""
    panel = draw_panel(timing)
    model = make_forecaster("level").fit(panel)
    later = np.array(panel.counts)
    later[len(panel) - panel.delay :] += 9
    one, other = (look(model, each, timing) for each in (panel, replace(panel, counts=later)))
    for name in ("probability", "low", "high", "threshold"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_parts_make_up_the_number() -> None:
    panel = draw_panel(DAYS)
    model = make_forecaster("level").fit(panel)
    outlook = look(model, panel, DAYS, windows=7)
    assert tuple(outlook.parts) == PARTS
    check_product(outlook)
    assert (outlook.parts["recent"] == 1).all()
    # Three events a day in three areas.
    np.testing.assert_allclose(outlook.parts["usual"], 1.0, rtol=0.1)
    # The areas have a seventh, two and four of the events; weekends are twice as busy.
    np.testing.assert_allclose(outlook.parts["place"][0], [3 / 7, 6 / 7, 12 / 7], rtol=0.15)
    weekend = np.isin(outlook.edges[:-1].astype("datetime64[D]").astype(int) % 7, (2, 3))
    assert outlook.parts["hour"][weekend].min() > 1.2 * outlook.parts["hour"][~weekend].max()


def check_product(outlook: Outlook) -> None:
    """Whether the parts are factors of the expected number of events."""
    assert tuple(outlook.parts) == PARTS
    product = np.prod(list(outlook.parts.values()), axis=0)
    np.testing.assert_allclose(product, -np.log1p(-outlook.probability), rtol=1e-5)


@pytest.mark.parametrize("timing", [HALF_DAYS, DAYS])
@pytest.mark.parametrize("kind", ["level_terms", "level_boosting", "level_exciting", "level_ensemble"])
def test_recent_crime_has_a_part_of_its_own(kind: str, timing: Timing) -> None:
    """What the level alone does not explain is what recent crime makes of it."""
    panel = draw_panel(timing, days=250)
    settings = {"members": ["level", "recent_counts"]} if kind == "level_ensemble" else {}
    model = make_forecaster(kind, proven=False, **settings).fit(panel)
    if isinstance(model, LevelEnsemble):
        model.weights_ = np.array([0.6, 0.4])
        model.members_ = {name: make_forecaster(name).fit(panel) for name in model.members}
    outlook, level = (look(each, panel, timing) for each in (model, make_forecaster("level").fit(panel)))
    check_product(outlook)
    assert np.abs(outlook.parts["recent"] - 1).max() > 1e-3
    for name in ("hour", "season", "place", "level", "usual"):
        np.testing.assert_allclose(outlook.parts[name], level.parts[name], rtol=1e-6)


def test_a_model_that_found_nothing_in_recent_crime_adds_none() -> None:
    panel = draw_panel(DAYS)
    outlook = look(make_forecaster("level_exciting").fit(panel), panel, DAYS)
    check_product(outlook)
    assert (outlook.parts["recent"] == 1).all()


def test_a_model_of_other_parts_has_none() -> None:
    panel = draw_panel(DAYS)
    assert look(make_forecaster("prior_counts", threshold=1).fit(panel), panel, DAYS).parts == {}


def test_intervals_hold_the_true_probability_of_level_and_place() -> None:
    """Weeks of a city whose rates never change: nothing is unknown but level and place."""
    held, widths = [], []
    for seed in range(40):
        panel = draw_panel(WEEKS, seed=seed)
        rates = 21.0 * 0.1 * np.array([1.0, 2.0, 4.0]) / 7
        rng = np.random.default_rng(seed)
        counts = rng.poisson(np.tile(rates, (len(panel), 1))).astype(np.uint16)
        channels = rng.poisson(np.tile(10 * rates, (2, len(panel), 1))).astype(np.uint16)
        panel = replace(panel, counts=counts, extras=replace(panel.extras, channels=channels))
        outlook = look(make_forecaster("level").fit(panel), panel, WEEKS, windows=1)
        truth = -np.expm1(-rates)
        held += ((outlook.low[0] < truth) & (truth < outlook.high[0])).tolist()
        widths.append(outlook.high[0] - outlook.low[0])
        assert (outlook.low < outlook.probability).all()
        assert (outlook.probability < outlook.high).all()
    assert np.mean(held) >= 0.88
    assert np.mean(widths) < 0.4, "an interval of everything would hold it too"


def test_ranks_are_of_all_areas_and_windows() -> None:
    panel = draw_panel(DAYS)
    outlook = look(make_forecaster("level").fit(panel), panel, DAYS)
    order = np.argsort(outlook.rank, axis=None)
    assert (np.diff(outlook.probability.ravel()[order]) <= 0).all()
    alike = look(make_forecaster("constant", threshold=1).fit(panel), panel, DAYS)
    assert alike.rank.ravel().tolist() == list(range(1, 19)), "of equal ones the earlier window, then the first area"


def test_alarms_keep_the_budget_and_a_ratio_of_costs_needs_no_past() -> None:
    panel = draw_panel(DAYS, days=500)
    model = make_forecaster("level").fit(panel)
    for share in (0.1, 0.3):
        outlook = look(model, panel, DAYS, Budget("share", share), windows=28)
        assert outlook.followed == 28
        assert outlook.warned.mean() == pytest.approx(share, abs=0.06)
        assert (outlook.probability[outlook.warned] > outlook.threshold).all()
    dear = look(model, panel, DAYS, Budget("cost", 3.0))
    assert dear.followed == 0
    np.testing.assert_array_equal(dear.warned, dear.probability >= 0.25)


def test_a_threshold_follows_what_was_known_where_the_counts_end_early() -> None:
    """Of counts that end two weeks before the windows, the last windows that could be forecast as usual."""
    panel = draw_panel(DAYS)
    model = make_forecaster("level").fit(panel)
    known = len(panel) - 14 * 24 // DAYS.step
    outlook = look(model, panel, DAYS, known=known)
    assert outlook.followed == 28
    later = np.array(panel.counts)
    later[known:] += 9
    assert look(model, replace(panel, counts=later), DAYS, known=known).threshold == outlook.threshold
