"""What windows, places and events of warnings are called in sentences: ``area-days``, ``a shooting``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...contract.dates import name_window
from ...contract.forecasters import WARNING_REFERENCE
from ...contract.texts import show_name
from ...contract.warnings import Budget, Timing, describe_budget, write_length
from ...maps.area import describe_units
from ...maps.panel import Panel
from ...maps.warningpanel import CITY
from ..units import UnitWords, units_of
from ..words import categories_text, inner_title_of

#: Names that read well in the middle of a sentence; what else a file may hold is listed below the title only.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z /.-]{1,29}")
#: More target categories than these are called events.
_NAMED = 2


@dataclass(frozen=True)
class WarningWords:
    """Words for the windows of units that are warned of, and for what is warned of.

    Attributes
    ----------
    one, many : str
        A window of a unit, and several: ``area-day``, ``week``, ``window of 12 hours in an area``.
    each : str
        What the windows of one unit are: ``day``, ``window of 12 hours``.
    had : str
        What one had that was rightly warned of: ``a shooting``, ``a homicide or a shooting``, ``an event``.
    events : str
        What counts as one event, as a sentence.
    units : UnitWords
    alone : bool
        Whether there is one unit, the city as a whole.
    """

    one: str
    many: str
    each: str
    had: str
    events: str
    units: UnitWords
    alone: bool

    def count(self, number: float) -> str:
        """Say how many windows of units there are."""
        return f"{number:,.0f} {self.one if number == 1 else self.many}"

    def describe_budget(self, budget: Budget) -> str:
        """Say how many alarms may be raised, with the house's names."""
        return describe_budget(budget, self.many).replace(" %", "\N{NO-BREAK SPACE}%")


def find_words(panel: Panel, timing: Timing) -> WarningWords:
    """Find the words for the windows of a panel and the events in it."""
    units, alone = units_of(panel), panel.mask.size == 1
    each = name_window(write_length(timing.window))
    noun, _, rest = each.partition(" ")
    inside = "" if alone or not rest else f" in {units.one}"
    one = noun if alone or rest else f"{units.noun}-{noun}"
    tail = f" {rest}{inside}" if rest else ""
    return WarningWords(
        one=f"{one}{tail}",
        many=f"{one}s{tail}",
        each=each,
        had=name_targets(panel.categories),
        events=f"An event is one incident, or several at one time and place ({categories_text(panel.categories)}).",
        units=units,
        alone=alone,
    )


def describe_place(panel: Panel) -> str:
    """Describe what is warned of: the whole city, or how many units of which size."""
    return "the whole city" if getattr(panel.support, "ids", ()) == (CITY,) else describe_units(panel)


def name_targets(categories: Sequence[str]) -> str:
    """Name what windows had, as within a sentence: ``a shooting``; ``an event`` where names are many or strange."""
    names = [_write_inner(name) for name in map(show_name, categories)]
    if not 0 < len(names) <= _NAMED or not all(_PLAIN.fullmatch(name) for name in names):
        return "an event"
    return " or ".join(f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names)


def name_model(name: str) -> str:
    """Call a model as within a sentence; what all are compared with by what it is made of."""
    return "calendar and place" if name == WARNING_REFERENCE else inner_title_of(name)


def _write_inner(name: str) -> str:
    """As police write them in capitals, and in lists; within a sentence as any noun."""
    return name.lower() if name.isupper() or name.istitle() or name[1:].islower() else name
