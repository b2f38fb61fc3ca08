"""The default forecaster: several others, each weighted as it deserved on past maps that it had not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import gcd
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from ..contract.forecasters import FORECASTERS, OWN_PARAMETERS, list_default_members
from ..contract.texts import count_text
from ..ground.context import JobContext
from ..ground.damage import ArraySpec
from ..ground.errors import ParameterError
from ..maps.bins import read_bin_text
from ..maps.panel import Panel
from .base import Forecaster, Maps, check_history, check_steps, mark_events
from .catalogue import make_forecaster
from .cell_features import count_slots
from .pooled import Pooled

if TYPE_CHECKING:
    from typing_extensions import Self

_MEMBERS = list_default_members()
#: Fewer past maps, or fewer events in them, say nothing of who deserves what.
LEAST_MAPS, LEAST_EVENTS = 6, 20
#: Cells times maps that the weights are learned from, about, at most: of a longer fold every second, third, … map.
MOST_ROWS = 1_200_000
#: A member with less is left out: fitting it again would change nothing that anybody sees.
LEAST_WEIGHT = 0.01
_FLOOR = 1e-6


class Ensemble(Pooled):
    """Forecasters pooled on the scale of the logit, weighted on past folds.

    The members are fitted before the last `share` of the history and forecast it one map ahead. The weights (none
    negative, one in sum) that minimise the log-loss of the pooled forecast there, held near equal weights, are kept.
    Then every member with a weight is fitted again on the whole history. Nothing after the history takes part,
    neither in a weight nor in the choice of a member: a weight of zero is how a member is left out.

    Parameters
    ----------
    members : sequence of str
        Names of forecasters. One that needs a longer history than there is, is left out. On areas the default stands
        for those of areas (`list_default_members`), which take its place when it is fitted.
    member_settings : dict of str to dict
        Settings of members, by name.
    share : float
        Of the history, at its end, that the weights are learned from.
    strength : float
        Weight of the pull towards equal weights, in the units of the summed log-loss.
    threshold : int
        Incidents in a cell and bin that count as an event.
    seed : int

    Attributes
    ----------
    weights_ : ndarray of float64, shape (members,)
        In the order of `members`; exactly 0 for a member that is left out.
    members_ : dict of str to Forecaster
        Those with a weight above 0, fitted on the whole history.
    past_loss_ : ndarray of float64, shape (members + 1,)
        Log-loss on the past fold of each member alone (NaN for one left out) and, last, of the ensemble, which was
        fitted there.

    Examples
    --------
    >>> model = Ensemble().fit(history)  # doctest: +SKIP
    >>> dict(zip(model.members, model.weights_.round(2)))  # doctest: +SKIP
    """

    name = "ensemble"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "weights_": ArraySpec("f", ("members",), 0.0, 1.0),
        "past_loss_": ArraySpec("f", ("losses",), 0.0, missing=True),
    }

    def __init__(
        self,
        members: Sequence[str] = _MEMBERS,
        member_settings: Mapping[str, Mapping[str, Any]] | None = None,
        share: float = 0.25,
        strength: float = 30.0,
        threshold: int = 1,
        seed: int = 0,
    ) -> None:
        for name in members:
            if name not in FORECASTERS or name == self.name:
                raise ParameterError(
                    f"{name!r} cannot be a member of an ensemble",
                    parameter="members",
                    value=name,
                    remedy="Use any of " + ", ".join(each for each in FORECASTERS if each != self.name),
                )
        if not members or len(set(members)) != len(members):
            raise ParameterError(
                "The ensemble has no members, or one of them twice",
                parameter="members",
                value=list(members),
                remedy="Name each forecaster once",
            )
        if not 0 < share < 1:
            raise ParameterError(
                f"share is {share:g}; it must lie between 0 and 1",
                parameter="share",
                value=share,
                remedy="For example 0.25, the last quarter of the history",
            )
        for name, settings in (member_settings or {}).items():
            for own in OWN_PARAMETERS:
                if own in settings:
                    raise ParameterError(
                        f"The settings of the member {name} hold {own}, which is that of the whole ensemble",
                        parameter="member_settings",
                        value=settings[own],
                        remedy=f"Give {own} to the ensemble",
                    )
        self.members = list(members)
        self.member_settings = {name: dict(settings) for name, settings in (member_settings or {}).items()}
        self.share = share
        self.strength = strength
        self.threshold = threshold
        self.seed = seed

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn the weights on the end of `history`, then fit the members on all of it."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        self._choose_members(history)
        first = len(history) - max(round(len(history) * self.share), 1)
        self.weights_ = np.zeros(len(self.members))
        self.past_loss_ = np.full(len(self.members) + 1, np.nan)
        past = history.before(first)
        able = [name for name in self.members if _observed(past) >= self._make(name).least_maps]
        scored = _fold(history, first)
        events = mark_events(history, self.threshold, scored)[:, history.mask]
        learned_from = able and any(
            band[past.mask].any() for band, seen in zip(past.counts, past.observed, strict=True) if seen
        )
        if not learned_from or len(events) < LEAST_MAPS or events.sum() < LEAST_EVENTS:
            able = [name for name in self.members if _observed(history) >= self._make(name).least_maps]
            # Too little to weigh them on: the plainest that this history suffices for.
            plain = next((name for name in able if FORECASTERS[name].simple), able[0] if able else self.members[0])
            self.weights_[self.members.index(plain)] = 1.0
            context.log(
                f"{count_text(len(events), f'past {history.bin_noun}')} with"
                f" {count_text(int(events.sum()), 'event')} are too few to weigh models on: the ensemble is"
                f" {FORECASTERS[plain].title} alone"
            )
        else:
            self._weigh(history, first, able, scored, events, context)
        self._fit_members(history, context)
        return self

    def _choose_members(self, history: Panel) -> None:
        """Take the default members of the history's units where no others than the grid's default were given."""
        if self.members == list(_MEMBERS):
            self.members = list(list_default_members(history.support.kind, read_bin_text(history.bin)[1]))

    def _weigh(
        self,
        history: Panel,
        first: int,
        able: list[str],
        scored: NDArray[np.bool_],
        events: NDArray[np.uint8],
        context: JobContext,
    ) -> None:
        past, chosen = history.before(first), scored[first:]
        odds = np.empty((len(able), events.size), dtype=np.float32)
        for number, name in enumerate(able):
            with context.step(0.5 * number / len(able), 0.5 * (number + 1) / len(able)):
                several = count_text(len(events), f"past {history.bin_noun}")
                context.progress(0.0, f"Trying {FORECASTERS[name].title} on {several}")
                with context.step(0.0, 0.7):
                    member = self._make(name).fit(past, context)
                with context.step(0.7, 1.0):
                    risk = member.forecast_known(history, first, context=context)[chosen][:, history.mask]
                odds[number] = _logit(risk).ravel()
        weights, losses = self._fit_weights(able, odds, events)
        for name, weight, loss in zip(able, weights, losses, strict=False):
            self.weights_[self.members.index(name)] = weight
            self.past_loss_[self.members.index(name)] = loss
        self.past_loss_[-1] = losses[-1]
        weighted = ", ".join(
            f"{FORECASTERS[name].title} {weight:.2f}" for name, weight in zip(able, weights, strict=True)
        )
        context.log(f"Weights learned on {count_text(len(events), f'past {history.bin_noun}')}: {weighted}")

    def _fit_weights(
        self, able: Sequence[str], odds: NDArray[np.float32], events: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Fit the weights of the members that are `able`; see `fit_pool_weights`.

        Parameters
        ----------
        odds : ndarray, shape (members, maps × units)
        events : ndarray of 0/1, shape (maps, units)
        """
        return fit_pool_weights(odds, events.ravel(), self.strength)

    def _make(self, name: str) -> Forecaster:
        return make_forecaster(name, threshold=self.threshold, seed=self.seed, **self.member_settings.get(name, {}))

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast the bins after `history`; the weights are those of one step."""
        check_steps(steps)
        return self._pooled(lambda member, step: member.predict(history, steps, step), context)

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, one step ahead."""
        return self._pooled(lambda member, step: member.predict_each(heatmaps, first, step), context)

    def predict_ahead(self, heatmaps: Panel, first: int, horizon: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, `horizon` bins ahead."""
        check_steps(horizon)
        return self._pooled(lambda member, step: member.predict_ahead(heatmaps, first, horizon, step), context)

    def _pooled(self, forecast: Callable[[Forecaster, JobContext], Maps], context: JobContext | None) -> Maps:
        """Average the members' logits by weight; one member's forecast at a time is held."""
        context = context or JobContext()
        weights, number = self.weights_[self.weights_ > 0], len(self.members_)
        pooled: NDArray[np.float64] | None = None
        for place, (weight, member) in enumerate(zip(weights, self.members_.values(), strict=True)):
            with context.step(place / number, (place + 1) / number):
                context.progress(0.0)
                risk = forecast(member, context)
            if pooled is None:
                pooled = np.zeros(risk.shape)
            for total, band in zip(pooled, risk, strict=True):
                total += weight * _logit(band)
            del risk
        assert pooled is not None, "an ensemble has a member"
        probabilities = np.empty(pooled.shape, dtype=np.float32)
        for band, total in zip(probabilities, pooled, strict=True):
            band[:] = expit(total)
        return probabilities


def _fold(history: Panel, first: int) -> NDArray[np.bool_]:
    """Choose the maps, shape (T,), that weights are learned from: the observed ones from `first` on, evenly thinned."""
    scored = history.observed.copy()
    scored[:first] = False
    numbers = np.flatnonzero(scored)
    step, week = -(-len(numbers) * int(history.mask.sum()) // MOST_ROWS), count_slots(history)
    # Every seventh day would always be the same weekday.
    while gcd(step, week) > 1:
        step += 1
    step = min(step, len(numbers) // LEAST_MAPS)
    while step > 1 and gcd(step, week) > 1:
        step -= 1
    if step > 1:
        scored[numbers[(numbers[-1] - numbers) % step > 0]] = False
    return scored


def _observed(history: Panel) -> int:
    return int(history.observed.sum())


def _logit(risk: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(risk.astype(np.float64), _FLOOR, 1 - _FLOOR)))


def fit_pool_weights(
    odds: NDArray[np.float32],
    events: NDArray[np.uint8],
    strength: float,
    towards: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find weights of a pooled logit, none negative and one in sum, that minimise the log-loss.

    Without a shift, and with a sum of one, the pool lies between its members: what a past season was too high or too
    low by is not carried into the next.

    Parameters
    ----------
    odds : ndarray, shape (members, rows)
        Logits of the members' forecasts.
    events : ndarray of 0/1, shape (rows,)
    strength : float
        Of the pull.
    towards : ndarray, shape (members,), optional
        Weights that are pulled to; equal ones by default.

    Returns
    -------
    weights : ndarray, shape (members,)
        Below a hundredth they are 0.
    losses : ndarray, shape (members + 1,)
        Log-loss of each member alone and of the pool.
    """
    members = len(odds)
    held = np.full(members, 1.0 / members) if towards is None else towards
    happened = events.astype(np.float32)
    # SLSQP's tolerances are absolute: what it minimises is of the order of one.
    scale = max(float(events.sum()), 1.0)

    def losses(z: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.logaddexp(0.0, z) - happened * z)

    def cost(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = weights.astype(np.float32) @ odds
        wrong = (expit(z) - happened).astype(np.float32)
        pull = weights - held
        value = float(losses(z).sum(dtype=np.float64)) + strength / 2 * float(pull @ pull)
        return value / scale, (odds @ wrong + strength * pull).astype(np.float64) / scale

    best = minimize(
        cost,
        held,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * members,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": lambda weights: np.ones(members)},
        options={"ftol": 1e-10, "maxiter": 200},
    ).x
    weights = np.where(best >= LEAST_WEIGHT, best, 0.0)
    weights /= weights.sum()
    pooled = weights.astype(np.float32) @ odds
    return weights, np.array([losses(z).mean(dtype=np.float64) for z in (*odds, pooled)])
