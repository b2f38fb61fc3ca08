"""Which incidents are drawn into which picture: windows as published, closed at both ends, or half-open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....contract.warnings import Timing
from ....intake.incidents import Incidents
from ....maps.warningpanel import find_records, make_window_edges

Integers = NDArray[np.int64]
Times = NDArray[np.datetime64]

#: The published windows begin so long after the hour: with its first incident.
LATE = np.timedelta64(60, "s")
_SECONDS = "datetime64[s]"


@dataclass(frozen=True, eq=False)
class PictureWindows:
    """Windows with an incident, in the order of time, and the rows of each.

    Attributes
    ----------
    starts, ends : ndarray of datetime64[s], shape (K,)
    closed : bool
        Whether an incident at the moment of an end belongs to its window too: it then is in two windows.
    order : ndarray of int, shape (n,)
        Rows in the order of their times.
    first, after : ndarray of int, shape (K,)
        Window k has the rows ``order[first[k]:after[k]]``.
    empty : int
        Windows without an incident, which are left out.
    """

    starts: Times
    ends: Times
    closed: bool
    order: Integers
    first: Integers
    after: Integers
    empty: int

    def __len__(self) -> int:
        return len(self.starts)

    def rows(self, number: int) -> Integers:
        """The rows of a window, in the order in which they were given: that in which they are drawn."""
        return np.sort(self.order[self.first[number] : self.after[number]])

    def __iter__(self) -> Iterator[Integers]:
        return (self.rows(number) for number in range(len(self)))

    @property
    def sizes(self) -> Integers:
        """How many rows each window has, shape (K,)."""
        return self.after - self.first

    def count(self, chosen: NDArray[np.bool_]) -> Integers:
        """Count the rows of each window for which `chosen` (one for each row) holds, shape (K,)."""
        before = np.concatenate([[0], np.cumsum(chosen[self.order], dtype=np.int64)])
        counts: Integers = before[self.after] - before[self.first]
        return counts

    @property
    def twice(self) -> int:
        """How many rows are in two windows."""
        return int(np.maximum(self.after[:-1] - self.first[1:], 0).sum())


def list_picture_windows(
    incidents: Incidents,
    first: np.datetime64 | None = None,
    last: np.datetime64 | None = None,
    hours: int = 2,
    closed: bool = True,
    begin: int = 0,
) -> PictureWindows:
    """List the windows between two moments that lie wholly there and have an incident, with the rows of each.

    Parameters
    ----------
    incidents : Incidents
    first, last : datetime64, optional
        By default what the incidents cover; see `find_records`. The end is not included.
    hours : int
    closed : bool
        As published, windows begin a minute after the hour and hold both their ends. Otherwise they begin with the
        hour, and their end belongs to the next.
    begin : int
        Hours after Monday midnight at which one window begins.

    Raises
    ------
    DataError
        If the incidents do not fill two windows.
    """
    if first is None or last is None:
        known = find_records(incidents)
        first, last = known[0] if first is None else first, known[1] if last is None else last
    edges = make_window_edges(first.astype(_SECONDS), last.astype(_SECONDS), Timing(hours, begin, 0, 0))
    edges = edges + LATE if closed else edges
    starts, ends = edges[:-1], edges[1:]
    order = np.argsort(incidents.time, kind="stable")
    time = incidents.time[order]
    after = np.searchsorted(time, ends, side="right" if closed else "left")
    begins = np.searchsorted(time, starts, side="left")
    kept = after > begins
    return PictureWindows(
        starts[kept], ends[kept], closed, order, begins[kept], after[kept], int(np.count_nonzero(~kept))
    )
