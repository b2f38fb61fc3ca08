"""What every forecaster promises (`kit.forecasters`), and that who breaks a promise is seen."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from kit.forecasters import FIRST, MAPS, Subject, check_forecaster, checks_of, compute_late_signal_auc, make_small_city

from riskengine.contract.forecasters import (
    BASELINES,
    DEFAULT,
    FORECASTERS,
    QUICK_BASELINES,
    RECORDS,
    list_default_members,
)
from riskengine.forecasters.base import Forecaster, Maps
from riskengine.forecasters.baselines import PriorCounts
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.ground.context import JobContext
from riskengine.ground.errors import ParameterError
from riskengine.maps.heatmaps import Heatmaps

subject = cache(Subject)


@pytest.mark.parametrize(("name", "check"), [(name, check) for name in FORECASTERS for check in checks_of(name)])
def test_a_promise_of(name: str, check: str) -> None:
    checks_of(name)[check](subject(name))


def test_the_records_hold_together() -> None:
    assert len(FORECASTERS) == len(RECORDS), "two forecasters of one name"
    assert DEFAULT in FORECASTERS
    assert "constant" in BASELINES, "skill is measured against it"
    assert set(QUICK_BASELINES) <= set(BASELINES)
    for unit in ("hours", "days", "weeks", "months", ""):
        for kind in ("grid", "areas", "segments"):
            assert set(list_default_members(kind, unit)) < set(FORECASTERS)
    with pytest.raises(ParameterError, match="no forecaster 'tea_leaves'"):
        make_forecaster("tea_leaves")


def test_enumerations_keep_their_integers() -> None:
    """Users' models and commands hold them: this list only ever grows, at its end."""
    counts = ("constant", "prior_counts", "prior_share", "recent_counts", "weekday_trend", "kde")
    networks = ("convlstm", "convlstm_published", "st_resnet", "sftt")
    published = [*counts, "etas", "logistic", "boosting", *networks, "ensemble"]
    # Of 0.7.
    rates = ("long_run", "last_year", "same_season", "ewma")
    published += [*rates, "rates_logistic", "poisson", "rates_boosting", "poisson_boosting"]
    assert list(FORECASTERS)[: len(published)] == published


@pytest.mark.parametrize("name", ["logistic", "boosting", "etas"])
def test_forecasts_further_ahead_read_each_map_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from riskengine.forecasters import cellwise
    from riskengine.forecasters.selfexciting import etas

    heatmaps, model, shown = make_small_city(), subject(name).fitted, [0]
    alone = [model.predict(heatmaps.before(target - 4), 5)[-1] for target in range(FIRST, MAPS)]

    def counted(original: Any) -> Any:
        def counting(*given: Any) -> None:
            shown[0] += 1
            original(*given)

        return counting

    for owner, method in ((cellwise.Cellwise, "_show"), (etas.Running, "show")):
        monkeypatch.setattr(owner, method, counted(getattr(owner, method)))
    np.testing.assert_array_equal(model.predict_ahead(heatmaps, FIRST, 5), alone)
    assert shown[0] == MAPS - 5


class Peeking(Forecaster):
    """Reads the map after the one it forecasts, as a history filled by interpolation would let it."""

    def fit(self, history: Heatmaps, context: JobContext | None = None) -> Peeking:
        return self

    def predict(self, history: Heatmaps, steps: int = 1, context: JobContext | None = None) -> Maps:
        raise AssertionError("it can only cheat")

    def predict_each(self, heatmaps: Heatmaps, first: int, context: JobContext | None = None) -> Maps:
        risk = np.full((len(heatmaps) - first, *heatmaps.mask.shape), 0.5, dtype=np.float32)
        risk[:-1, 1, 1] = 0.1 + 0.8 * heatmaps.counts[first + 1 :, 3, 4]
        return risk


def test_who_peeks_is_seen() -> None:
    assert compute_late_signal_auc(Peeking()) > 0.99


class Ours(PriorCounts):
    """Somebody's own, without a record."""

    name = "ours"


class Hindsight(Ours):
    """Counts the map that it forecasts."""

    def predict_each(self, heatmaps: Heatmaps, first: int, context: JobContext | None = None) -> Maps:
        each = super().predict_each(heatmaps, first, context)
        return np.concatenate([each[1:], each[-1:]])


class Hasty(Ours):
    """Forecasts from no history at all."""

    def fit(self, history: Heatmaps, context: JobContext | None = None) -> Hasty:
        self.maps_ = len(history)
        return self


class Untidy(Ours):
    """Writes into the maps it is handed."""

    def fit(self, history: Heatmaps, context: JobContext | None = None) -> Untidy:
        super().fit(history, context)
        history.counts[0] += 1
        return self


class Wordless(Ours):
    """Says nothing while it works, and hears nothing."""

    def predict_each(self, heatmaps: Heatmaps, first: int, context: JobContext | None = None) -> Maps:
        return super().predict_each(heatmaps, first, None)


def test_a_forecaster_outside_the_list_is_checked_too() -> None:
    check_forecaster("ours", Ours)
    assert "ours" not in FORECASTERS


@pytest.mark.parametrize(
    ("cls", "broken"), [(Hindsight, "future"), (Hasty, "refusals"), (Untidy, "maps_stay"), (Wordless, "cancel")]
)
def test_a_broken_promise_is_named(cls: type[Forecaster], broken: str) -> None:
    with pytest.raises(AssertionError, match=f"ours fails '.*{broken}'"):
        check_forecaster("ours", cls)
