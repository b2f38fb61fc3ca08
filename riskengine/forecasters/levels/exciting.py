"""The level, self-exciting: a share of the events follows recent ones, in the same unit or in those that touch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from ...contract.forecasters import title_of
from ...contract.texts import format_amount
from ...ground.context import JobContext
from ...ground.damage import ArraySpec, Damaged
from ...maps.panel import Panel
from ..cell_features import measure_bin
from ..pastcounts import PastCounts
from .base import Array, Way
from .learned import LearnedLevel
from .loglink import LEAST, compute_losses
from .pastforecasts import PastForecasts, Rows
from .recentsums import LEAST_BINS, sum_recent

if TYPE_CHECKING:
    from typing_extensions import Self

#: Half-lives of the memory that are tried together, days.
HALF_LIVES = (0.5, 2.0, 7.0, 30.0)
#: No more of the events than this follow others; less than the second is nothing.
_MOST_SHARE, _LEAST_SHARE = 0.9, 1e-3
#: Of the pull towards nothing, in log-likelihood by unit of share.
_STRENGTH = 5.0


class LevelExciting(LearnedLevel):
    """λ = (1 − Σα) × level × calendar × place + Σ α × recent events.

    Recent events are means of the past bins, the weights halving every half-life: of the unit, and of the units that
    touch it, each of which shares out its events equally. The shares α are none negative; at the most likely ones the
    process reproduces the past, and the sum of all units stays at its level, for what is taken from the level is given
    to recent events.

    Parameters
    ----------
    half_life, shrinkage, proven, threshold
        See `LearnedLevel`.

    Attributes
    ----------
    shares_ : ndarray, shape (2, half-lives)
        Of the unit's own events, and of those around it, by `HALF_LIVES`; 0 for what nothing follows.
    """

    name = "level_exciting"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        **LearnedLevel.LEARNED,
        "shares_": ArraySpec("f", (2, len(HALF_LIVES)), 0.0, _MOST_SHARE),
    }

    shares_: Array

    @property
    def corrects(self) -> bool:
        """Whether any events follow others."""
        return bool(self.shares_.any())

    def _begin(self, history: Panel, context: JobContext) -> None:
        self.shares_ = np.zeros((2, len(HALF_LIVES)))

    def _learn(self, history: Panel, past: PastForecasts, context: JobContext) -> None:
        recent = self._read(history.drop_delay(), history.edges).compute(past.ways)

        def learn(rows: Rows) -> Callable[[Rows], Array]:
            shares = _fit_shares(recent[rows], past.expected[rows], past.events[rows])
            return lambda others: _mix(past.expected[others], recent[others], shares)

        gain, proven = past.judge(past.cross(learn)) if self.proven else (0.0, True)
        context.progress(0.8)
        found = _fit_shares(recent, past.expected, past.events)
        if proven:
            self.shares_ = found.reshape(self.shares_.shape)
        following = f"{format_amount(round(100 * float(found.sum()), 1))} % of the events follow others"
        unproven = "" if proven else f"; past folds prove no gain ({gain:+.4f} in log-loss), so none is taken to"
        context.log(f"{title_of(self.name)}: {following}{unproven}")

    def _read(self, panel: Panel, edges: NDArray[np.datetime64]) -> _Recent:
        return _Recent(panel, self.threshold)

    def _correct(self, read: _Recent, ways: Sequence[Way], expected: Array) -> Array:
        return _mix(expected, read.compute(ways), self.shares_.ravel())

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another forecaster of the same settings learned."""
        super().restore(state)
        if self.shares_.sum() > 1:
            raise Damaged("shares_ add up to more than 1")
        return self


class _Recent:
    """Means of recent events of each unit, and of those around it."""

    def __init__(self, panel: Panel, threshold: int) -> None:
        self._past = PastCounts(panel, threshold)
        self._lives = np.array(HALF_LIVES) / measure_bin(panel)
        inside = np.flatnonzero(panel.mask.ravel())
        touch = csr_array(panel.support.find_neighbours()[inside][:, inside].astype(np.float64))
        # A unit that nobody touches keeps its events.
        counted = np.asarray(touch.sum(axis=1)).ravel()
        alone = csr_array((np.where(counted > 0, 0.0, 1.0), (np.arange(len(inside)),) * 2), shape=touch.shape)
        self._touch = csr_array((touch + alone).multiply(1 / np.maximum(counted, 1.0)[:, None]))

    def compute(self, ways: Sequence[Way]) -> Array:
        """Compute the means, shape (ways, N, 2 × half-lives): own ones, then those around."""
        origins, which = np.unique([origin for origin, _ in ways], return_inverse=True)
        weight = sum_recent(self._past.observed[:, None].astype(np.float64), origins, self._lives)
        means = sum_recent(self._past.seen, origins, self._lives) / np.maximum(weight, LEAST)
        # Half-lives that are shorter than bins say what the one before says.
        means[:, self._lives < LEAST_BINS] = 0.0
        around = np.stack([each @ self._touch for each in means])
        return np.moveaxis(np.concatenate([means, around], axis=1), 1, 2)[which]


def _mix(expected: Array, recent: Array, shares: Array) -> Array:
    return np.asarray((1 - shares.sum()) * expected + recent @ shares)


def _fit_shares(recent: Array, expected: Array, events: NDArray[np.uint8]) -> Array:
    """Find the shares, none negative, with which the past is likeliest; a small pull towards none."""
    recent, expected, events = recent.reshape(-1, recent.shape[-1]), expected.ravel(), events.ravel()
    beyond = recent - expected[:, None]
    used = np.abs(recent).sum(axis=0) > 0
    scale = max(len(expected), 1)

    def cost(shares: Array) -> tuple[float, Array]:
        mixed = np.maximum(expected + beyond[:, used] @ shares, LEAST)
        slope = np.where(events > 0, -1 / np.maximum(np.expm1(mixed), LEAST), 1.0)
        value = compute_losses(mixed, events).sum() + _STRENGTH * shares.sum()
        return float(value) / scale, (beyond[:, used].T @ slope + _STRENGTH) / scale

    shares = np.zeros(len(used))
    if used.any():
        found = minimize(
            cost,
            np.full(int(used.sum()), 0.01),
            jac=True,
            method="SLSQP",
            bounds=[(0.0, _MOST_SHARE)] * int(used.sum()),
            constraints={
                "type": "ineq",
                "fun": lambda each: _MOST_SHARE - each.sum(),
                "jac": lambda each: -np.ones(len(each)),
            },
            options={"ftol": 1e-10, "maxiter": 200},
        ).x
        shares[used] = np.where(found < _LEAST_SHARE, 0.0, found)
    return shares
