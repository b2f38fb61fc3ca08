"""What the corrections that read `TermColumns` share: the clocks of further categories."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...contract.forecasters import title_of
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...ground.errors import DataError
from ...maps.panel import Panel
from ..base import LEAST
from .base import LEARNED_CLOCK, Array
from .cityclock import SLOTS, CityClock, fit_clock
from .learned import LearnedLevel
from .termcolumns import OtherClock, TermColumns

#: No column is beyond this.
MOST_COLUMN = 1e6


class ColumnReader(LearnedLevel):
    """A correction that reads `TermColumns`.

    Attributes
    ----------
    other_usual_, other_slots_, other_holidays_, other_season_ : ndarray
        Events of a day, and the clock, of each further category (the panel's channels), as of the events.
    """

    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        **LearnedLevel.LEARNED,
        **{f"other_{name}": replace(spec, shape=("others", *spec.shape)) for name, spec in LEARNED_CLOCK.items()},
    }

    other_usual_: Array
    other_slots_: Array
    other_holidays_: Array
    other_season_: Array

    @abstractmethod
    def _forget(self) -> None:
        """Correct nothing."""

    def _begin(self, history: Panel, context: JobContext) -> None:
        self._forget()
        found = [
            fit_clock(history.edges, _count(channel, history), history.observed, self.CALENDAR)
            for channel in history.extras.channels
        ]
        self.other_usual_ = np.array([max(usual, LEAST) for _, usual in found])
        self.other_slots_ = np.array([clock.slots for clock, _ in found]).reshape(-1, SLOTS)
        self.other_holidays_ = np.array([clock.holidays for clock, _ in found]).reshape(-1, 2)
        self.other_season_ = np.array([clock.season for clock, _ in found]).reshape(-1, 5)

    def _read(self, panel: Panel, edges: NDArray[np.datetime64]) -> TermColumns:
        if len(panel.extras.channel_names) != len(self.other_usual_):
            raise DataError(
                "The model was fitted with"
                f" {count_text(len(self.other_usual_), 'further category', 'further categories')},"
                f" the panel has {len(panel.extras.channel_names)}",
                parameter="extras",
                value=[*panel.extras.channel_names],
                remedy="Give the same further categories as when the model was fitted",
            )
        others = [
            OtherClock(CityClock(*parts), float(usual))
            for *parts, usual in zip(
                self.other_slots_, self.other_holidays_, self.other_season_, self.other_usual_, strict=True
            )
        ]
        _, usual = self._read_city(panel)
        bins = range(len(panel))
        levels = self._compute_levels(panel, panel.edges, [(number, number) for number in bins])
        return TermColumns(panel, edges, self.threshold, self._clock, others, usual * levels)

    def _check_columns(self, found: int, learned: int) -> None:
        """Refuse a panel that makes other columns than were learned from, as another file's weights would."""
        if found != learned:
            raise DataError(
                f"{title_of(self.name)} has learned from {count_text(learned, 'column')}, and of these counts there are"
                f" {found:,}",
                parameter="model",
                value=learned,
                remedy="Give counts of the same bins and areas as when it was fitted, or fit it again",
            )


def _count(channel: NDArray[np.generic], history: Panel) -> Array:
    inside = channel[: len(history)].reshape(len(history), -1)[:, history.mask.ravel()]
    return np.where(history.observed, inside.sum(axis=1, dtype=np.float64), 0.0)
