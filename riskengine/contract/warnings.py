"""What a warning is about: windows of time, how long before one a warning is made, how many alarms may be raised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .texts import count_text, format_amount

HOURS_OF_DAY, HOURS_OF_WEEK = 24, 168
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
#: More beginnings in a day than these are not listed.
_BEGINNINGS = 4
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

    @classmethod
    def of_tool(cls, kind: BudgetKind, given: float) -> Budget:
        """The budget that people give: a share in per cent."""
        return cls(kind, given / 100 if kind == "share" else given)


#: Budgets that every test reports.
SHARES = (0.05, 0.1, 0.2)
#: Days of the past that an alarm's threshold follows.
TRAILING_DAYS = 28
#: Events in a test below which nothing is said of which model is better.
ENOUGH_EVENTS = 30
#: Channels of a warning panel beside its events: similar categories, which say where; and all other incidents.
SIMILAR, OTHER = "similar", "other"
#: What an area and window of a test was: warned of or not, with an event or not.
HIT, FALSE_ALARM, MISSED, QUIET = "hit", "false alarm", "missed", "quiet"


def write_length(hours: int) -> str:
    """Write so many hours as a length of bins (`dates.name_window`): ``12 hours``, whole days as ``7 days``."""
    number, unit = (hours, "hours") if hours % HOURS_OF_DAY else (hours // HOURS_OF_DAY, "days")
    return f"{number} {unit}"


def describe_hours(hours: int) -> str:
    """Describe so many hours: ``1 hour``, ``24 hours``, ``7 days``."""
    whole = hours % HOURS_OF_DAY == 0 and hours > HOURS_OF_DAY
    return count_text(hours // HOURS_OF_DAY, "day") if whole else count_text(hours, "hour")


def describe_windows(timing: Timing) -> str:
    """Describe how windows lie in time: ``windows of 12 hours that begin at 06:00 and 18:00``."""
    first = timing.begin % HOURS_OF_DAY
    clock = f"at {first:02}:00"
    if timing.window < HOURS_OF_DAY:
        begins = [f"{hour:02}:00" for hour in range(first % timing.window, HOURS_OF_DAY, timing.window)]
        clock = f"every {describe_hours(timing.window).removeprefix('1 ')} from {begins[0]}"
        if len(begins) <= _BEGINNINGS:
            clock = f"at {', '.join(begins[:-1])} and {begins[-1]}"
    elif timing.window == HOURS_OF_WEEK:
        clock = f"on {_WEEKDAYS[timing.begin % HOURS_OF_WEEK // HOURS_OF_DAY]} {clock}"
    elif timing.window > HOURS_OF_DAY:
        clock = f"every {describe_hours(timing.window)} {clock}"
    return f"windows of {describe_hours(timing.window)} that begin {clock}"


def describe_known(timing: Timing) -> str:
    """Say when a warning is made, and what is known then."""
    made = f"{describe_hours(timing.lead)} before its window begins" if timing.lead else "when its window begins"
    known = "all that was recorded until then"
    if timing.delay:
        known = f"what happened up to {describe_hours(timing.delay)} before that, and nothing later"
    return f"A warning is made {made}, and knows {known}."


def describe_budget(budget: Budget, windows: str = "windows") -> str:
    """Describe how many alarms may be raised: ``10 % of all windows``, ``12 alarms a week``."""
    if budget.kind == "share":
        return f"{100 * budget.size:.3g} % of all {windows}"
    if budget.kind == "week":
        return f"{count_text(budget.size, 'alarm')} a week"
    return f"as many alarms as pay where a missed event costs {format_amount(budget.size)} times a false alarm"
