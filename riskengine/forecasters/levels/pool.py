"""The ensemble of levels: the level and what corrects it, weighted on past windows, held towards the level alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.forecasters import DEFAULT_WARNING, LEVEL_MEMBERS
from ...ground.context import JobContext
from ...maps.panel import Panel
from ...measures.compare import bootstrap_interval
from ..base import Forecaster, Maps, check_steps
from ..ensemble import Ensemble, fit_pool_weights
from .pastforecasts import PROOF

#: Of a logarithm of expected events.
_LEAST = 1e-9


class LevelEnsemble(Ensemble):
    """The level and its corrections, pooled on the scale of the logit; see `Ensemble`.

    The weights are pulled to the level alone, and it stays alone where past windows do not prove that it gains by the
    others: each half of them is forecast with the weights that the other half gives.

    Parameters
    ----------
    members, member_settings, share, strength, threshold, seed
        See `Ensemble`; the pull is to equal weights where the level is no member.
    proven : bool
        Whether others join the level only where that is proven.
    """

    name = "level_ensemble"

    def __init__(
        self,
        members: Sequence[str] = LEVEL_MEMBERS,
        member_settings: Mapping[str, Mapping[str, Any]] | None = None,
        share: float = 0.4,
        strength: float = 3.0,
        proven: bool = True,
        threshold: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(members, member_settings, share, strength, threshold, seed)
        self.proven = proven

    def _fit_weights(
        self, able: Sequence[str], odds: NDArray[np.float32], events: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        towards = np.array([float(name == DEFAULT_WARNING) for name in able]) if DEFAULT_WARNING in able else None
        weights, losses = fit_pool_weights(odds, events.ravel(), self.strength, towards)
        if self.proven and towards is not None and not self._prove(odds, events, towards):
            level = list(able).index(DEFAULT_WARNING)
            return towards, np.append(losses[:-1], losses[level])
        return weights, losses

    def _prove(self, odds: NDArray[np.float32], events: NDArray[np.uint8], towards: NDArray[np.float64]) -> bool:
        """Whether the pool of others' weights has a lower log-loss than the level, its interval below 0."""
        by_bin = odds.reshape(len(odds), *events.shape)
        middle = len(events) // 2
        halves = (slice(0, middle), slice(middle, None))
        pooled = np.empty(events.shape, dtype=np.float32)
        for own, other in (halves, halves[::-1]):
            learned = by_bin[:, other].reshape(len(odds), -1)
            weights, _ = fit_pool_weights(learned, events[other].ravel(), self.strength, towards)
            pooled[own] = np.tensordot(weights.astype(np.float32), by_bin[:, own], axes=1)
        level = by_bin[int(towards.argmax())]
        own, alone = ((np.logaddexp(0.0, each) - events * each).mean(axis=1) for each in (pooled, level))
        return bool(bootstrap_interval(own, alone, level=PROOF).high < 0)

    def predict_window(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> NDArray[np.float32]:
        check_steps(steps)
        return self._pool_expected(lambda member, step: member.predict_window(history, steps, step), context)

    def predict_windows(self, panel: Panel, first: int, length: int, context: JobContext | None = None) -> Maps:
        """Forecast windows one after the other, by each member in one pass."""
        check_steps(length)
        return self._pool_expected(lambda member, step: member.predict_windows(panel, first, length, step), context)

    def _pool_expected(self, forecast: Callable[[Forecaster, JobContext], Maps], context: JobContext | None) -> Maps:
        """Average the logarithms of the members' expected events by weight."""
        context = context or JobContext()
        logs: list[NDArray[np.float64]] = []
        for place, (weight, member) in enumerate(
            zip(self.weights_[self.weights_ > 0], self.members_.values(), strict=True)
        ):
            with context.step(place / len(self.members_), (place + 1) / len(self.members_)):
                context.progress(0.0)
                logs.append(weight * np.log(np.maximum(forecast(member, context), _LEAST).astype(np.float64)))
        return np.asarray(np.exp(np.sum(logs, axis=0)), dtype=np.float32)
