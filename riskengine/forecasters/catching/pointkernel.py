"""The rule of the catch: counts of the place itself and around it, multiplied as past incidents chose their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...ground.errors import DataError
from ...maps.panel import Panel
from ..base import LEAST, check_history, mark_events
from .choice import LEVELS, PointMass, expect_shares, find_own, fit_choice, fit_levels, mix_own
from .columns import AROUND, OWN, PlaceColumns
from .pastwindows import (
    PastWindow,
    choose_window,
    count_focus,
    describe_few,
    describe_windows,
    find_focus,
    find_overlap,
    list_past_windows,
    list_ranks,
    tell_enough,
)
from .rates import RateForecaster, find_level

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[np.float64]

#: Share of a history that is known before the first window that is learned from.
_KNOWN = 0.2
#: Pull towards prior counts, in log-likelihood by the square of a power of a column of standard deviation one.
STRENGTH = 30.0
#: Power of what lies around a place where nothing can be learned: it decides among places of equal counts.
_TIES = 0.01
#: Shares of the units that are a law to themselves, and half-lives of their incidents, that are tried.
SHARES, HALF_LIVES = (1e-4, 1e-3, 0.01, 0.1, 0.5, 1.0), (np.inf, 365.0, 90.0)
NO_MASS = PointMass(0.0, np.inf)
#: Log-likelihood that own incidents must bring to be mixed in.
WORTH = 4.0
#: A power is no larger.
_MOST = 1e6


class PointKernel(RateForecaster):
    """Units expect a product of powers of their own counts, all and recent ones, and of a smooth kernel around them.

    The mass of a place itself stays on it. The powers, one for each way to look at the past (`columns`), are those
    with which incidents of past windows most likely chose their units (a conditional logit), each window looked at
    from what was known at its start. They are learned among the units that come into question for the catch, held
    towards prior counts alone. Other categories that the panel holds are looked at, too. Where the own incidents of a
    unit are far more than that, they decide, as far as past windows show that this holds on (`PointMass`): a repeat
    address stands for itself, whatever lies around. Where past windows are too few it is prior counts, and what lies
    around decides among equals.

    Parameters
    ----------
    window : int
        Bins that are forecast as one.
    flagged : float
        Share of the study area that is to catch the most.
    strength : float
        Of the pull towards prior counts.
    threshold : int
        Incidents in a cell and bin that count as an event.

    Attributes
    ----------
    powers_ : ndarray, shape (K,)
        Of each column.
    levels_ : ndarray, shape (3,)
        Logarithms of what the product is multiplied by in the units that are asked for, in the others that come into
        question, and in the rest, so that they expect what such units had in past windows.
    mass_ : ndarray, shape (2,)
        Share of the units that are a law to themselves, and half-life of their own incidents, days (`PointMass`).

    Examples
    --------
    >>> PointKernel(window=13, flagged=0.002).fit(history).predict_window(history, 13)  # doctest: +SKIP
    """

    name = "point_kernel"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "powers_": ArraySpec("f", ("columns",), -_MOST, _MOST),
        "levels_": ArraySpec("f", (3,), *LEVELS),
        "mass_": ArraySpec("f", (2,), (0.0, LEAST), (1.0, np.inf)),
    }

    powers_: Array
    levels_: Array
    mass_: Array

    def __init__(self, window: int = 1, flagged: float = 0.05, strength: float = STRENGTH, threshold: int = 1) -> None:
        self.window = window
        self.flagged = flagged
        self.strength = strength
        self.threshold = threshold

    @property
    def is_long_run(self) -> bool:
        """Whether recent incidents have no power of their own: so it is where nothing could be learned."""
        recent = [power for look, power in zip(OWN, self.powers_, strict=False) if np.isfinite(look.half_life)]
        return not any(recent) and not np.isfinite(self.mass_[1])

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn the powers on past windows of `history`."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        mark_events(history, self.threshold, slice(0))
        columns = PlaceColumns(history, self.threshold)
        window = choose_window(history, self.window)
        windows = list_past_windows(history, columns.events, window, _KNOWN)
        towards = np.zeros(len(columns.names))
        towards[0] = 1.0
        if tell_enough(windows, window):
            found = []
            for number, each in enumerate(windows):
                context.progress(0.8 * number / len(windows), "Looking at past windows")
                found.append(columns.find(each.known))
            self.powers_ = self._learn(columns, windows, found, towards, find_overlap(windows, window))
            heights = [self.powers_ @ each for each in found]
            ranks = list_ranks(columns.size, self.flagged)
            self.levels_ = fit_levels(heights, columns.size, [each.counts for each in windows], ranks)
            mass = self._choose_mass(history, columns, windows, heights, find_overlap(windows, window), context)
            self.mass_ = np.array([mass.share, mass.half_life])
            context.log(f"Learned on {describe_windows(history, windows, window)}: {self._describe(columns, mass)}")
        else:
            towards[OWN.index(AROUND)] = _TIES
            self.powers_, self.levels_, self.mass_ = towards, np.zeros(3), np.array([0.0, np.inf])
            context.log(
                f"{describe_few(windows, window)} to learn from: places rank by prior counts, and among equals by what"
                " lies around them"
            )
        return self

    def _learn(
        self,
        columns: PlaceColumns,
        windows: Sequence[PastWindow],
        found: Sequence[Array],
        towards: Array,
        overlap: float,
    ) -> Array:
        """Learn the powers; an incident that lies in several windows counts as one."""
        own, around, number = 0, OWN.index(AROUND), count_focus(columns.size, self.flagged)
        focus = [find_focus(np.exp(each[own]) + np.exp(each[around]), number) for each in found]
        rows = np.concatenate([each[:, units].T for each, units in zip(found, focus, strict=True)])
        counts = np.concatenate([each.counts[units] for each, units in zip(windows, focus, strict=True)]) / overlap
        sizes = np.concatenate([np.log(columns.size[units]) for units in focus])
        starts = np.cumsum([0, *(len(units) for units in focus[:-1])])
        middle, spread = rows.mean(axis=0), rows.std(axis=0)
        spread[spread < 1e-9] = 1.0
        strength = np.full(len(towards), self.strength)
        scaled = fit_choice((rows - middle) / spread, counts, starts, strength, towards * spread, sizes)
        return np.asarray(scaled / spread)

    def _expect(self, columns: PlaceColumns, height: Array, level: float) -> Array:
        """Find the rates by the powers alone, shape (N,)."""
        return level * expect_shares(height, columns.size, self.levels_, list_ranks(columns.size, self.flagged))

    def _choose_mass(
        self,
        history: Panel,
        columns: PlaceColumns,
        windows: Sequence[PastWindow],
        heights: Sequence[Array],
        overlap: float,
        context: JobContext,
    ) -> PointMass:
        """Choose how much own incidents say with which those of past windows most likely chose their units."""
        totals = np.asarray(columns.events.sum(axis=1))
        gains = dict.fromkeys([NO_MASS, *(PointMass(*each) for each in product(SHARES, HALF_LIVES))], 0.0)
        for number, (each, height) in enumerate(zip(windows, heights, strict=True)):
            context.progress(0.8 + 0.2 * number / len(windows))
            expected = self._expect(columns, height, find_level(history, totals[: each.known]))
            happened = np.flatnonzero(each.counts)
            own = {life: find_own(expected, *columns.count(each.known, life)) for life in HALF_LIVES}
            for mass in gains:
                rates = mix_own(expected, *own[mass.half_life], mass.share)
                gains[mass] += float(each.counts[happened] @ np.log(rates[happened] / rates.sum())) / overlap
        best = max(gains, key=lambda mass: gains[mass])
        return best if gains[best] > gains[NO_MASS] + WORTH else NO_MASS

    def _describe(self, columns: PlaceColumns, mass: PointMass) -> str:
        found = [f"{power:.2f}".replace("-", "\N{MINUS SIGN}") for power in self.powers_.tolist()]
        powers = ", ".join(f"{name} {power}" for name, power in zip(columns.names, found, strict=True))
        said = f"a place expects a product of powers of the incidents {powers}"
        if not mass.share:
            return said
        recent = f" (half-life {count_text(round(mass.half_life), 'day')})" if np.isfinite(mass.half_life) else ""
        part = "every place" if mass.share == 1 else f"about {mass.share * 100:g} % of the places"
        return f"{said}; its own incidents{recent} decide in {part}"

    def find_rates(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Array:
        (context or JobContext()).progress(0.0)
        columns = PlaceColumns(history, self.threshold)
        if len(columns.names) != len(self.powers_):
            raise DataError(
                f"The model looks at counts in {count_text(len(self.powers_), 'way')}, and these maps give"
                f" {len(columns.names)}",
                parameter="heatmaps",
                remedy="Give the further categories that the model was trained with, and no others",
            )
        mass, level = PointMass(*self.mass_.tolist()), find_level(history, np.asarray(columns.events.sum(axis=1)))
        expected = self._expect(columns, self.powers_ @ columns.find(len(history)), level)
        rates = mix_own(expected, *find_own(expected, *columns.count(len(history), mass.half_life)), mass.share)
        return np.broadcast_to(rates, (steps, len(rates)))
