"""Words that every page on outcomes of incidents shares: whose reports, which split, and what must not be read from it.

Sentences on one study are in `sentences`.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from ...contract.outcomes import OutcomeSplit, Reported
from ...measures.clustered import Interval
from ..html import format_number
from ..words import format_change

#: Heads of columns and of rows.
REPORTED: dict[Reported, str] = {
    "all": "All incidents",
    "victims": "Reported by victims",
    "strict": "Strict",
}
#: The same within a sentence.
AMONG: dict[Reported, str] = {
    "all": "among all incidents",
    "victims": "among what victims reported",
    "strict": "among the strict choice",
}
WHAT_STRICT_IS = (
    "Strict: reported by victims, without the kinds of incident that are the outcome nearly by definition, and without"
    " officers as victims."
)
SPLITS: dict[OutcomeSplit, str] = {
    "forward": "Forward in time",
    "random": "At random, as published",
    "incident": "By incident",
    "blocks": "By blocks of space",
}
WHAT_SPLITS_ARE: dict[OutcomeSplit, str] = {
    "forward": "Learned from what was reported before a day, tested on what was reported after it.",
    "random": "Days, streets and rows of one incident are on both sides: the publication’s way.",
    "incident": "At random, but all rows of one incident are on one side.",
    "blocks": "Places of the test are not among those learned from.",
}
#: Of every probability of an outcome, wherever it is shown.
NO_GROUND = (
    "A probability is about the kind, place and time of an incident. It says nothing about a person, and it is no"
    " ground to leave a report uninvestigated: it says how such incidents ended so far, not what could be found out."
)
#: Why figures come twice.
FOUND_BY_POLICE = (
    "What police find themselves, such as drugs, mostly comes with the offender: such an incident nearly is the arrest,"
    " and to foresee it is no feat."
)
#: Of the end of every file.
NO_FALL = "Outcomes come days to months after an incident, so rates fall toward the end of a file: that is not a fall."
#: What areas' rates do not say.
NOT_FROM_AREAS = (
    "that people of an area are to blame or to be watched",
    "that police work better in one area than in another: what is reported there, and how, differs as well",
    "that a model is fair: reports that were never made, and suspects who were never looked for, are in no figure",
)


def format_bounds(interval: Interval, digits: int) -> str:
    """Format the 95 % interval of a difference; empty where it has none."""
    if not math.isfinite(interval.low):
        return ""
    return f"{format_change(interval.low, digits)} to {format_change(interval.high, digits)}"


def format_difference(interval: Interval, digits: int = 4) -> str:
    """Format a difference within a sentence: ``−0.0070 (−0.0081 to −0.0058)``."""
    bounds = format_bounds(interval, digits)
    return f"{format_change(interval.mean, digits)}{f' ({bounds})' if bounds else ''}"


def format_long_difference(interval: Interval, digits: int = 4) -> str:
    """Format a difference within brackets: ``−0.0070, 95 % interval −0.0081 to −0.0058``."""
    bounds = format_bounds(interval, digits)
    return f"{format_change(interval.mean, digits)}{f', 95 % interval {bounds}' if bounds else ''}"


def format_cell(interval: Interval | None, digits: int = 3, signed: bool = False) -> Markup:
    """Format a figure and, in small print below it, its interval where it has one; for a table."""
    if interval is None or not math.isfinite(interval.mean):
        return Markup("–")
    show = format_change if signed else format_number
    value = show(interval.mean, digits)
    if not math.isfinite(interval.low):
        return Markup(value)
    return Markup("{}<small>{} to {}</small>").format(value, show(interval.low, digits), show(interval.high, digits))
