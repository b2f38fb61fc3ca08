"""What every way of joining has in common: a match, what it is called, and what is said of incidents without a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....contract.texts import count_text, list_names, part_text
from ....ground.context import JobContext
from .matching import Match

#: Days, keys or areas that a line of the log names.
NAMED = 8
#: How sentences begin.
INCIDENTS, TABLE = "The incidents", "The table"
_EMPTY = "their new fields are empty", "its new fields are empty"


@dataclass(frozen=True, eq=False)
class Way:
    """How incidents found their rows.

    Attributes
    ----------
    match : Match
    used : tuple of str
        Columns of the table that the incidents have themselves, which are not worth joining.
    said : str
        Such as "by date", as part of a sentence.
    noun : str
        What a group of rows is: a day, an hour, a key, a polygon.
    labels : sequence of str
        What people call each group.
    when : ndarray of datetime64, shape (R,), or None
        Times of the rows, where they are joined by them.
    several : bool
        That a group has several rows was to be expected, and is said.
    """

    match: Match
    used: tuple[str, ...]
    said: str
    noun: str
    labels: Sequence[str]
    when: NDArray[np.datetime64] | None = None
    several: bool = False


def say_joined(match: Match, said: str, context: JobContext) -> None:
    """Say how incidents were joined, and how many have a row."""
    found = int((match.incident >= 0).sum())
    context.log(f"Joined {said}. {part_text(found, len(match.incident), 'incident', 'has a row', 'have a row')}")


def say_without(number: int, whole: int, one: str, many: str, context: JobContext) -> None:
    """Say that some incidents have no row, and why; they stay."""
    if number:
        context.warn(f"{part_text(number, whole, 'incident', one, many)}; {_EMPTY[number == 1]}")


def say_idle(match: Match, labels: Sequence[str], noun: str, context: JobContext) -> None:
    """Say which groups of the table no incident has."""
    idle = np.flatnonzero(match.count_incidents() == 0).tolist()
    if idle:
        named = list_names([labels[number] for number in idle], NAMED)
        has = f"{noun} of the table has", f"{noun}s of the table have"
        context.log(f"{count_text(len(idle), *has)} no incident: {named}")
