"""The ensemble: weights from past folds only, and a plain answer where the past is too short."""

from __future__ import annotations

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.maps import make_stack
from scipy.special import expit

from riskengine.forecasters import ensemble
from riskengine.forecasters.base import mark_events
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.ensemble import Ensemble, fit_pool_weights
from riskengine.ground.errors import ParameterError
from riskengine.maps.heatmaps import Heatmaps
from riskengine.measures.metrics import log_loss

PLAIN = ("prior_counts", "recent_counts", "weekday_trend", "kde")


def city(maps: int = 240, seed: int = 1, moved: bool = False, weekend: float = 1.0) -> Heatmaps:
    """Poisson counts on 6 x 8 cells; `moved` puts the hot places elsewhere two thirds through."""
    random = np.random.default_rng(seed)
    rate = random.gamma(0.5, 0.4, size=(6, 8))
    rates = np.repeat(rate[None], maps, axis=0)
    if moved:
        rates[maps * 2 // 3 :] = rate[::-1, ::-1]
    rates[np.arange(maps) % 7 >= 5] *= weekend
    return make_stack(random.poisson(rates).astype(np.uint8), start="2020-01-06")


def test_a_member_that_knows_gets_the_weight_and_one_that_guesses_none() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(-1, 1.5, 20_000)
    events = (random.random(20_000) < expit(truth)).astype(np.uint8)
    guess = random.normal(-1, 1.5, 20_000)
    weights, losses = fit_pool_weights(np.array([truth, guess], dtype=np.float32), events, strength=1.0)
    assert weights == pytest.approx([1, 0], abs=0.05)
    assert losses[2] <= losses[0] + 1e-4 < losses[1]


def test_two_halves_of_the_truth_share_the_weight() -> None:
    random = np.random.default_rng(0)
    parts = random.normal(0, 1.0, (2, 50_000))
    events = (random.random(50_000) < expit(parts.sum(axis=0) / 2)).astype(np.uint8)
    weights, losses = fit_pool_weights(parts.astype(np.float32), events, strength=1.0)
    assert weights == pytest.approx([0.5, 0.5], abs=0.05)
    assert losses[2] < losses[:2].min()


@pytest.mark.parametrize("strength", [0.1, 30.0, 1e6])
def test_weights_are_shares(strength: float) -> None:
    random = np.random.default_rng(3)
    odds = random.normal(-2, 1, (5, 3000)).astype(np.float32)
    weights, _ = fit_pool_weights(odds, (random.random(3000) < 0.1).astype(np.uint8), strength)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    if strength == 1e6:
        assert weights == pytest.approx([0.2] * 5, abs=1e-3)


def test_recent_counts_are_heard_when_places_have_moved() -> None:
    heatmaps = city(moved=True)
    model = Ensemble(members=("prior_counts", "recent_counts"), share=0.2).fit(heatmaps)
    weights = dict(zip(model.members, model.weights_))
    assert weights["recent_counts"] > 0.8
    assert model.past_loss_[2] <= model.past_loss_[0]


def test_it_keeps_up_with_the_best_of_its_members() -> None:
    heatmaps = city(maps=320, weekend=2.0)
    first = 260
    events = mark_events(heatmaps)[first:]
    losses = {
        name: log_loss(make_forecaster(name).fit(heatmaps.before(first)).predict_each(heatmaps, first), events)
        for name in PLAIN
    }
    model = Ensemble(members=PLAIN).fit(heatmaps.before(first))
    assert log_loss(model.predict_each(heatmaps, first), events) < min(losses.values()) * 1.01


def test_the_weights_come_from_the_history_alone() -> None:
    heatmaps = city()
    other = city()
    other.counts[200:] = 9
    one, two = (Ensemble(members=PLAIN).fit(each.before(200)) for each in (heatmaps, other))
    assert one.weights_ == pytest.approx(two.weights_, abs=0)


def test_a_history_too_short_to_weigh_on_gives_plain_counts() -> None:
    heatmaps = city(maps=12)
    model = Ensemble(members=("logistic", "prior_counts")).fit(heatmaps)
    assert list(model.members_) == ["prior_counts"]
    expected = make_forecaster("prior_counts").fit(heatmaps).predict(heatmaps)
    assert model.predict(heatmaps) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("moved", "silent"), [(True, "prior_counts"), (False, "recent_counts")])
def test_a_member_not_heard_is_neither_fitted_nor_kept(moved: bool, silent: str) -> None:
    model = Ensemble(members=("prior_counts", "recent_counts"), share=0.2, strength=0.1).fit(city(moved=moved))
    assert model.weights_[model.members.index(silent)] == 0
    assert len(model.members_) == 1
    assert not any(key.startswith(f"{silent}/") for key in model.state())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"members": ("ensemble",)}, "cannot be a member"),
        ({"members": ("oracle",)}, "'oracle' cannot be a member"),
        ({"members": ()}, "no members"),
        ({"members": ("kde", "kde")}, "twice"),
        ({"share": 1.5}, "share is 1.5"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_a_sentence(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        Ensemble(**arguments)  # type: ignore[arg-type]


def test_a_long_past_fold_is_thinned_over_all_weekdays(monkeypatch: pytest.MonkeyPatch) -> None:
    heatmaps = city(maps=400)
    whole = Ensemble(members=PLAIN).fit(heatmaps)
    # 100 maps of 48 cells; every seventh would do, but would always be the same weekday.
    monkeypatch.setattr(ensemble, "MOST_ROWS", 700)
    context = Recorder()
    thinned = Ensemble(members=PLAIN).fit(heatmaps, context)
    assert any("Weights learned on 13 past maps" in message for message in context.messages)
    assert thinned.weights_.sum() == pytest.approx(1)
    assert not np.array_equal(thinned.weights_, whole.weights_)
    chosen = np.flatnonzero(ensemble._fold(heatmaps, 300))
    assert chosen[-1] == 399
    assert set((chosen % 7).tolist()) == set(range(7))
    monkeypatch.setattr(ensemble, "MOST_ROWS", 1)
    assert ensemble._fold(heatmaps, 300).sum() >= ensemble.LEAST_MAPS
    monkeypatch.setattr(ensemble, "MOST_ROWS", 4800)
    assert np.flatnonzero(ensemble._fold(heatmaps, 300)).tolist() == list(range(300, 400))


def test_progress_never_jumps_back() -> None:
    heatmaps, context = city(), Recorder()
    model = Ensemble(members=PLAIN, strength=1e6).fit(heatmaps.before(200))
    assert len(model.members_) == len(PLAIN)
    for forecast in (model.predict_each, model.predict_ahead):
        forecast(heatmaps, 200, context=context)
        assert context.shares == sorted(context.shares)
        assert 0.9 < context.shares[-1] <= 1
        context.shares.clear()
    model.fit(heatmaps.before(200), context)
    assert context.shares == sorted(context.shares)


def test_the_pool_is_the_weighted_mean_of_the_logits() -> None:
    heatmaps = city()
    model = Ensemble(members=PLAIN).fit(heatmaps.before(200))
    weights = model.weights_[model.weights_ > 0]
    risks = [member.predict(heatmaps, 2).astype(float) for member in model.members_.values()]
    expected = expit(sum(weight * np.log(risk / (1 - risk)) for weight, risk in zip(weights, risks)))
    assert model.predict(heatmaps, 2) == pytest.approx(expected, rel=1e-5)
