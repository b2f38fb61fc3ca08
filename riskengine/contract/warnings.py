"""What a warning is about: windows of time, how long before one it is made, and how many alarms may be raised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

HOURS_OF_DAY, HOURS_OF_WEEK = 24, 168
#: What limits the alarms: a share of all windows of all units, a number of them a week, or what a miss costs.
BudgetKind = Literal["share", "week", "cost"]


def is_window(hours: int) -> bool:
    """Whether so many hours are a window: a part of a day, or whole days, up to a week."""
    if not 1 <= hours <= HOURS_OF_WEEK:
        return False
    return HOURS_OF_DAY % hours == 0 if hours < HOURS_OF_DAY else hours % HOURS_OF_DAY == 0


@dataclass(frozen=True)
class Timing:
    """Windows of time, and what is known when a warning for one is made. All in whole hours of the wall clock.

    Attributes
    ----------
    window : int
        Length of a window (`is_window`).
    begin : int
        Hours after Monday midnight at which one window begins; the others follow on both sides without gaps.
    lead : int
        A window begins so long after its warning is made.
    delay : int
        What happened in the last so many hours before the warning is made is not known yet.
    """

    window: int = 24
    begin: int = 0
    lead: int = 0
    delay: int = 24

    @property
    def step(self) -> int:
        """Hours of a bin of the panel: as long as they can be for windows, lead and delay to be made of them."""
        return math.gcd(self.window, self.lead, self.delay)

    @property
    def bins(self) -> int:
        """Bins in a window."""
        return self.window // self.step

    @property
    def late(self) -> int:
        """Bins before a window of which nothing is known: the delay of the panel."""
        return (self.lead + self.delay) // self.step


@dataclass(frozen=True)
class Budget:
    """How many alarms may be raised.

    Attributes
    ----------
    kind : str
        ``share`` of all windows of all units, alarms a ``week``, or ``cost``: a warning is made where it pays, when a
        missed event costs `size` times as much as a false alarm.
    size : float
        A share from 0 to 1, a number of alarms, or a ratio of costs.
    """

    kind: BudgetKind = "share"
    size: float = 0.1


#: Budgets that every test reports.
SHARES = (0.05, 0.1, 0.2)
#: Days of the past that an alarm's threshold follows.
TRAILING_DAYS = 28
#: Events in a test below which nothing is said of which model is better.
ENOUGH_EVENTS = 30
#: Channels of a warning panel beside its events: similar categories, which say where; and all other incidents.
SIMILAR, OTHER = "similar", "other"
