"""The default for the catch: several forecasters, each weighted as it deserved on past windows it had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...contract.forecasters import CATCH_BASELINE, CATCH_MEMBERS, FORECASTERS, title_of
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...ground.errors import ParameterError
from ...maps.panel import Panel
from ..base import Forecaster, check_history, mark_events
from ..catalogue import make_forecaster
from ..pooled import Pooled
from .choice import fit_shares
from .pastwindows import (
    PastWindow,
    choose_window,
    count_focus,
    describe_few,
    describe_windows,
    find_focus,
    find_overlap,
    list_past_windows,
    tell_enough,
)
from .rates import RateForecaster, find_rates_after, find_rates_of, read_events

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[np.float64]

#: Share of a history that the members are fitted on before the first window that they are weighed on, and such windows
#: at most.
_KNOWN, _MOST_WINDOWS = 0.5, 12
#: The member that the weights are held to, which on past windows of fine grids caught most; and alone where nothing can
#: be learned.
_TRUSTED = "point_kernel"
#: A member with less is left out.
_LEAST_WEIGHT = 0.02
#: A logarithm needs more than nothing. Of prior counts it is half an incident in all of the history.
_LEAST_RATE, _LEAST_COUNT = 1e-12, 0.5


class CatchEnsemble(Pooled, RateForecaster):
    """Forecasters pooled on the scale of the logarithm of the rate, weighted on past windows for the catch.

    The members are fitted on the first half of the history and forecast windows of its second half, each from what was
    known at its start. The weights, none negative and one in sum, are those with which the incidents there most
    likely chose their units, among the units that come into question for the catch; they are held towards
    Counts and kernel alone. Then every member with a weight is fitted again on the whole history.

    Parameters
    ----------
    members : sequence of str
        Names of forecasters; prior counts are always one.
    window : int
        Bins that are forecast as one.
    flagged : float
        Share of the study area that is to catch the most.
    strength : float
        Of the pull towards Counts and kernel alone, in log-likelihood.
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
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "weights_": ArraySpec("f", ("members",), 0.0, 1.0),
    }

    weights_: Array

    def __init__(
        self,
        members: Sequence[str] = CATCH_MEMBERS,
        window: int = 1,
        flagged: float = 0.05,
        strength: float = 100.0,
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
        self.strength = strength
        self.threshold = threshold
        self.seed = seed

    @property
    def is_long_run(self) -> bool:
        """Whether all of its members are long-run means."""
        return all(member.is_long_run for member in self.members_.values())

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn the weights on past windows of `history`, then fit the members on all of it."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        mark_events(history, self.threshold, slice(0))
        self.weights_ = np.zeros(len(self.members))
        events = read_events(history, self.threshold)
        window = choose_window(history, self.window)
        windows = list_past_windows(history, events, window, _KNOWN)
        if len(windows) > _MOST_WINDOWS:
            windows = [windows[each] for each in np.linspace(0, len(windows) - 1, _MOST_WINDOWS).round().astype(int)]
        able = self._list_able(history.cut(windows[0].known)) if windows else []
        if tell_enough(windows, window) and events[: windows[0].known].nnz and able:
            with context.step(0.0, 0.5):
                self._weigh(history, windows, window, able, context)
        else:
            able = self._list_able(history)
            alone = next((name for name in (_TRUSTED, CATCH_BASELINE) if name in able), CATCH_BASELINE)
            self.weights_[self.members.index(alone)] = 1.0
            context.log(f"{describe_few(windows, window)} to weigh models on: the ensemble is {title_of(alone)} alone")
        self._fit_members(history, context)
        return self

    def _list_able(self, history: Panel) -> list[str]:
        observed = int(history.observed.sum())
        return [name for name in self.members if observed >= self._make(name).least_maps]

    def _weigh(
        self, history: Panel, windows: Sequence[PastWindow], window: int, able: Sequence[str], context: JobContext
    ) -> None:
        size = history.support.measure_km()[history.mask]
        # Prior counts first: they say which units come into question.
        order = sorted(able, key=lambda name: name != CATCH_BASELINE)
        heights = np.empty((len(order), len(windows), len(size)), dtype=np.float32)
        for number, name in enumerate(order):
            with context.step(number / len(order), (number + 1) / len(order)):
                context.progress(0.0, f"Trying {title_of(name)} on {count_text(len(windows), 'past window')}")
                expected = self._try(name, history, windows, window, context)
                least = [_find_least(name, each.known) * window for each in windows]
                heights[number] = [np.log((each + low) / size) for each, low in zip(expected, least, strict=True)]
        number = count_focus(size, self.flagged)
        focus = [find_focus(each, number) for each in heights[0]]
        asked = [heights[:, place, units] for place, units in enumerate(focus)]
        counts = np.concatenate([each.counts[units] for each, units in zip(windows, focus, strict=True)])
        starts = np.cumsum([0, *(len(units) for units in focus[:-1])])
        sizes = np.concatenate([np.log(size[units]) for units in focus])
        found = fit_shares(
            np.concatenate(asked, axis=1),
            counts / find_overlap(windows, window),
            starts,
            sizes,
            self.strength,
            _find_trusted(order),
        )
        found = np.where(found < _LEAST_WEIGHT, 0.0, found)
        found /= found.sum()
        self.weights_[[self.members.index(name) for name in order]] = found
        said = ", ".join(
            f"{title_of(name)} {weight:.2f}" for name, weight in zip(self.members, self.weights_, strict=True)
        )
        context.log(f"Weights learned on {describe_windows(history, windows, window)}: {said}")

    def _try(
        self, name: str, history: Panel, windows: Sequence[PastWindow], window: int, context: JobContext
    ) -> list[Array]:
        """Let a member, fitted on what was known before the first window, forecast each, shape (N,)."""
        # What it says of its own learning on a part of the history is nobody's business.
        silent = JobContext(cancelled=context.cancelled)
        member = self._make(name).fit(history.cut(windows[0].known), silent)
        known = [each.known for each in windows]
        rates = find_rates_after(member, history, known, history.delay + window, silent)
        return [each[history.delay :].sum(axis=0) for each in rates]

    def _make(self, name: str) -> Forecaster:
        settings = {"window": self.window, "flagged": self.flagged, "threshold": self.threshold, "seed": self.seed}
        return make_forecaster(name, **settings)

    def find_rates(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Array:
        context = context or JobContext()
        weights, number = self.weights_[self.weights_ > 0], len(self.members_)
        size = history.support.measure_km()[history.mask]
        pooled, level = np.zeros((steps, len(size))), np.zeros(steps)
        for place, (weight, member) in enumerate(zip(weights, self.members_.values(), strict=True)):
            with context.step(place / number, (place + 1) / number):
                context.progress(0.0)
                rates = find_rates_of(member, history, steps, context)
            pooled += weight * np.log((rates + _find_least(member.name, len(history))) / size)
            level += weight * np.log(rates.sum(axis=1))
        shares = size * np.exp(pooled - pooled.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True) * np.exp(level)[:, None])


def _find_trusted(members: Sequence[str]) -> Array:
    """Find the weights that are held to: those of the trusted member alone, or equal ones where it is none."""
    if _TRUSTED in members:
        return np.asarray(np.eye(len(members))[members.index(_TRUSTED)])
    return np.full(len(members), 1.0 / len(members))


def _find_least(name: str, known: int) -> float:
    """Find what is added to a member's rates, by the bins that were known."""
    return _LEAST_COUNT / max(known, 1) if name == CATCH_BASELINE else _LEAST_RATE
