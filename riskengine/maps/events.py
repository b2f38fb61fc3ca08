"""Events: the rows of incidents at one time and place are one, with its number of victims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..intake.findings import number_places
from ..intake.incidents import Incidents


@dataclass(frozen=True)
class Events:
    """What happened, once each.

    Attributes
    ----------
    incidents : Incidents
        The first row of each event, E of them in the order of the rows.
    victims : ndarray of int64, shape (E,)
        Rows of each: exact duplicates are victims, too.
    rows : ndarray of int64, shape (R,)
        Number of the event that each row belongs to.
    """

    incidents: Incidents
    victims: NDArray[np.int64]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.incidents)

    def select(self, kept: NDArray[np.bool_]) -> Events:
        """The events where `kept` holds, with their rows."""
        number = np.where(kept, np.cumsum(kept) - 1, -1)[self.rows]
        return Events(self.incidents.select(kept), self.victims[kept], number[number >= 0])


def merge_events(incidents: Incidents, place: NDArray[Any] | None = None) -> Events:
    """Merge rows of one time and one place.

    Parameters
    ----------
    incidents : Incidents
    place : ndarray of int, shape (R,), optional
        Code of the address of each row, -1 for none; without one, coordinates are the place, to the centimetre. A row
        with neither is an event of its own.
    """
    when = incidents.time.astype("datetime64[s]").astype(np.int64)
    keys = (when, *_number_places(incidents, place))
    order = np.lexsort(keys)
    fresh = np.zeros(len(order), dtype=bool)
    fresh[:1] = True
    for key in keys:
        fresh[1:] |= np.diff(key[order]) != 0
    # lexsort is stable: the first of a group is the row that comes first.
    first = order[fresh]
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = rank[np.cumsum(fresh) - 1]
    victims = np.bincount(number, minlength=len(first)).astype(np.int64)
    return Events(incidents.select(np.sort(first)), victims, number)


def _number_places(incidents: Incidents, place: NDArray[Any] | None) -> tuple[NDArray[np.int64], ...]:
    """Numbers that are equal where the place is the same: of the address, and of the coordinates where it has none."""
    rows = len(incidents)
    known = np.isfinite(incidents.x) & np.isfinite(incidents.y)
    cents = number_places(np.where(known, incidents.x, 0.0), np.where(known, incidents.y, 0.0))
    address = np.full(rows, -1, dtype=np.int64) if place is None else np.asarray(place, dtype=np.int64)
    cents[address >= 0] = 0
    nowhere = (address < 0) & ~known
    address = np.where(nowhere, -2 - np.arange(rows), address)
    return address, cents[:, 0], cents[:, 1]
