"""The default for the catch: several forecasters, each weighted as it caught on past windows it had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...contract.forecasters import CATCH_BASELINE, CATCH_MEMBERS, FORECASTERS, title_of
from ...ground.context import JobContext
from ...ground.damage import ArraySpec, Damaged
from ...ground.errors import ParameterError
from ...maps.panel import Panel
from ..base import Forecaster, check_history, mark_events
from ..catalogue import make_forecaster
from .rates import Array, RateForecaster, find_rates_of, name_learned

if TYPE_CHECKING:
    from typing_extensions import Self

#: Weights add up to one but for this.
_ROUNDING = 1e-6


class CatchEnsemble(RateForecaster):
    """Forecasters pooled on the scale of the logarithm of the rate, weighted by what they caught on past windows.

    Parameters
    ----------
    members : sequence of str
        Names of forecasters; prior counts are always one.
    window : int
        Bins that are forecast as one.
    flagged : float
        Share of the study area that is to catch the most.
    threshold : int
        Incidents in a cell and bin that count as an event.
    seed : int

    Attributes
    ----------
    weights_ : ndarray of float64, shape (members,)
        In the order of `members`; exactly 0 for a member that is left out.
    members_ : dict of str to Forecaster
        Those with a weight above 0, fitted on the whole history.
    """

    name = "catch"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {"weights_": ArraySpec("f", ("members",), 0.0, 1.0)}

    weights_: Array

    def __init__(
        self,
        members: Sequence[str] = CATCH_MEMBERS,
        window: int = 1,
        flagged: float = 0.05,
        threshold: int = 1,
        seed: int = 0,
    ) -> None:
        unknown = [name for name in members if name not in FORECASTERS or name == self.name]
        if unknown or CATCH_BASELINE not in members or len(set(members)) != len(members):
            raise ParameterError(
                f"The members of the ensemble for the catch are {', '.join(map(str, members)) or 'none'}",
                parameter="members",
                value=list(members),
                remedy=f"Name forecasters, each once, {CATCH_BASELINE} among them",
            )
        self.members = list(members)
        self.window = window
        self.flagged = flagged
        self.threshold = threshold
        self.seed = seed

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn the weights on past windows of `history`, then fit the members on all of it."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        mark_events(history, self.threshold, slice(0))
        observed = int(history.observed.sum())
        able = [name for name in self.members if observed >= self._make(name).least_maps]
        self.weights_ = np.array([1.0 / len(able) if name in able else 0.0 for name in self.members])
        self.members_: dict[str, Forecaster] = {}
        for number, name in enumerate(able):
            with context.step(number / len(able), (number + 1) / len(able)):
                context.progress(0.0, f"Fitting {title_of(name)}, member {number + 1} of {len(able)}")
                self.members_[name] = self._make(name).fit(history, context)
        return self

    def _make(self, name: str) -> Forecaster:
        settings = {"window": self.window, "flagged": self.flagged, "threshold": self.threshold, "seed": self.seed}
        return make_forecaster(name, **settings)

    def find_rates(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Array:
        context = context or JobContext()
        weights, number = self.weights_[self.weights_ > 0], len(self.members_)
        pooled, level = np.zeros((steps, int(history.mask.sum()))), np.zeros(steps)
        for place, (weight, member) in enumerate(zip(weights, self.members_.values(), strict=True)):
            with context.step(place / number, (place + 1) / number):
                context.progress(0.0)
                rates = find_rates_of(member, history, steps, context)
            pooled += weight * np.log(np.maximum(rates, 1e-12))
            level += weight * np.log(rates.sum(axis=1))
        rates = np.exp(pooled)
        return np.asarray(rates * (np.exp(level) / rates.sum(axis=1))[:, None])

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the weights and what the members learned, each name behind its member's and a slash."""
        state = super().state()
        for name, member in self.members_.items():
            state |= name_learned(name, member.state())
        return state

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another ensemble of the same settings learned."""
        super().restore(state)
        if len(self.weights_) != len(self.members) or abs(self.weights_.sum() - 1) > _ROUNDING:
            raise Damaged("weights_ does not fit the members")
        self.members_ = {}
        for name, weight in zip(self.members, self.weights_, strict=True):
            if weight > 0:
                own = {key.removeprefix(f"{name}/"): each for key, each in state.items() if key.startswith(f"{name}/")}
                self.members_[name] = self._make(name).restore(own)
        return self
