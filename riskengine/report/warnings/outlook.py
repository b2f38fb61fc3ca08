"""What is said of warnings that were made: when, of what, what was known, and how good they were in a test."""

from __future__ import annotations

from ...contract.dates import count_windows, format_last, format_moment, format_span
from ...contract.forecasters import title_of
from ...contract.texts import clean_text, end_sentence, list_names
from ...contract.warnings import TRAILING_DAYS, describe_budget, write_length
from ...forecasters.modelcard import ModelCard
from ...forecasters.warningnote import WarningNote, read_budget
from ...systems.warning.outlook import Outlook
from ..words import format_percent
from .limits import NO_GROUND


def describe_outlook(outlook: Outlook, note: WarningNote, card: ModelCard) -> str:
    """Describe warnings for the metadata of their layer and the log: all that a reader must know beside them."""
    return " ".join(
        [
            _describe_made(outlook, note, card),
            describe_warned(outlook, note),
            "Intervals (95\N{NO-BREAK SPACE}%) say how well the level and the place are known from the events"
            " there were, not what one window may bring.",
            *([f"In its test: {end_sentence(clean_text(note['said']))}"] if note["said"] else []),
            NO_GROUND,
        ]
    )


def _describe_made(outlook: Outlook, note: WarningNote, card: ModelCard) -> str:
    windows = count_windows(outlook.windows, write_length(note["window"]))
    return (
        f"{list_names(note['targets'])}: {windows}, {format_span(outlook.edges[0], outlook.edges[-1])}, by"
        f" {title_of(card.name)}. Made on {_say_moment(outlook.made)}, from what happened before"
        f" {_say_moment(outlook.known)} and nothing later; the model was trained up to"
        f" {format_last(card.window.end)}."
    )


def describe_warned(outlook: Outlook, note: WarningNote) -> str:
    """Describe how many areas and windows are warned of, and why these."""
    number, units = outlook.warned.size, outlook.warned.shape[1]
    what = "window" if units == 1 else "area and window"
    several = "windows" if units == 1 else "areas and windows"
    warned = f"{int(outlook.warned.sum()):,} of {number:,} {what if number == 1 else several}"
    budget = read_budget(note)
    if budget.kind == "cost":
        return f"Warned of: {warned}, with {describe_budget(budget)}, from {format_percent(outlook.threshold)} on."
    if not outlook.followed:
        return f"Warned of: {warned}, since there is no past to take a threshold from."
    return (
        f"Warned of: {warned}, those above {format_percent(outlook.threshold)}. The threshold follows the last"
        f" {TRAILING_DAYS} days; the budget is {describe_budget(budget)}."
    )


def _say_moment(moment: object) -> str:
    """A moment with its time of day, at midnight too."""
    said = format_moment(moment)
    return said if "," in said else f"{said}, 00:00"


def list_first(outlook: Outlook, names: tuple[str, ...], most: int = 5) -> list[str]:
    """List the most likely areas and windows in words, the first ones."""
    windows = range(outlook.windows)
    ranked = sorted((int(outlook.rank[row, unit]), row, unit) for row in windows for unit in range(len(names)))
    said = []
    for _, row, unit in ranked[:most]:
        where = f"{list_names([names[unit]])}, " if len(names) > 1 else ""
        when = format_span(outlook.edges[row], outlook.edges[row + 1])
        low, high = (format_percent(each[row, unit]) for each in (outlook.low, outlook.high))
        mark = "" if outlook.warned[row, unit] else ", not warned of"
        said.append(f"{where}{when}: {format_percent(outlook.probability[row, unit])} ({low} to {high}){mark}")
    return said
