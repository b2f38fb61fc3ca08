"""What ensembles share: members with weights, fitted on the whole history, and how a model file keeps them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import title_of
from ..ground.context import JobContext
from ..ground.damage import Damaged
from ..maps.panel import Panel
from .base import Forecaster

if TYPE_CHECKING:
    from typing_extensions import Self

#: Weights add up to one but for this.
_ROUNDING = 1e-6


class Pooled(Forecaster):
    """A forecaster made of others, each with a weight.

    Attributes
    ----------
    members : list of str
        Names.
    weights_ : ndarray of float64, shape (members,)
        In the order of `members`; exactly 0 for a member that is left out.
    members_ : dict of str to Forecaster
        Those with a weight above 0.
    """

    members: list[str]
    weights_: NDArray[np.float64]
    members_: dict[str, Forecaster]

    @abstractmethod
    def _make(self, name: str) -> Forecaster:
        """Make an unfitted member."""

    def _fit_members(self, history: Panel, context: JobContext) -> None:
        """Fit those with a weight on the whole history."""
        kept = [name for name, weight in zip(self.members, self.weights_, strict=True) if weight > 0]
        self.members_ = {}
        for number, name in enumerate(kept):
            with context.step(0.5 + 0.5 * number / len(kept), 0.5 + 0.5 * (number + 1) / len(kept)):
                context.progress(0.0, f"Fitting {title_of(name)}, member {number + 1} of {len(kept)}")
                self.members_[name] = self._make(name).fit(history, context)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the weights and what the members learned, each name behind its member's and a slash."""
        state = super().state()
        for name, member in self.members_.items():
            state |= {f"{name}/{key}": array for key, array in member.state().items()}
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
