"""From indexes to the numbers a training works on: rows, recent windows, features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..context import JobContext
from ..errors import DataError, ParameterError
from ..index import CrimeIndex
from .augment import Rows, make_rows
from .features import compute_features
from .recent import RecentIncidents
from .settings import Settings

Table = NDArray[np.float32]

#: Bytes that the features of all windows may take; with more rows each is seen in fewer windows.
BUDGET = 400_000_000
#: Incidents below which a month says too little to learn from.
_FEWEST = 20


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a training works on.

    Attributes
    ----------
    rows : Rows
    recent : RecentIncidents
        The last recent window: what the model is judged on.
    tables : ndarray of float32, shape (windows, rows, features)
        The rows seen from each recent window, the last one first.
    score : ndarray of float32, shape (rows,)
    """

    rows: Rows
    recent: RecentIncidents
    tables: NDArray[np.float32]
    score: Table

    @property
    def table(self) -> Table:
        """The rows seen from the last recent window."""
        first: Table = self.tables[0]
        return first


def prepare(
    index: CrimeIndex,
    recent_index: CrimeIndex | None,
    settings: Settings,
    reference: np.datetime64 | None,
    context: JobContext,
) -> Prepared:
    """Score and resample the year's places, and look at the recent incidents around each.

    The published model sees each place once, from the last month.  But any month of the year is a sample of the same
    year: seen from several, a place teaches how its *score* relates to *a* month, and not how this month happened to
    fall.  Every window lies inside the year that is counted, so nothing later than the reference time is used.

    Parameters
    ----------
    index : CrimeIndex
        Holds the year.
    recent_index : CrimeIndex, optional
        Holds the recent incidents; by default they are taken from `index`.
    reference : datetime64, optional
        By default the time of the index's last incident.
    """
    if settings.recent_days > settings.window_days:
        raise ParameterError(
            f"recent_days is {settings.recent_days:g}, longer than window_days, {settings.window_days:g}",
            parameter="recent_days",
            value=settings.recent_days,
            remedy="The published windows are 31 and 365 days",
        )
    if recent_index is not None and recent_index.crs != index.crs:
        raise ParameterError(
            "The two indexes have different coordinate systems",
            parameter="recent_index",
            remedy="Build both with the same CRS, or use one index for both",
        )
    with context.step(0.0, 0.3):
        rows = make_rows(
            index, settings.radius, settings.window_days, reference, settings.augmentation, settings.seed, context
        )
    recent = RecentIncidents.of(recent_index or index, settings.recent_days, rows.reference)
    if len(recent) < settings.features.neighbours:
        raise DataError(
            f"Only {len(recent)} incidents lie in the last {settings.recent_days:g} days, fewer than the"
            f" {settings.features.neighbours} neighbours asked for",
            parameter="recent_days",
            value=settings.recent_days,
            remedy="Use a longer recent window, or a smaller k",
        )
    windows = [recent, *_earlier_windows(index, settings, rows.reference)]
    room = max(1, BUDGET // max(1, 4 * len(rows) * len(settings.features.names())))
    windows = windows[: min(settings.windows, room)]
    tables = np.empty((len(windows), len(rows), len(settings.features.names())), dtype=np.float32)
    shift = rows.shift if settings.protocol == "published" else None
    for number, window in enumerate(windows):
        with context.step(0.3 + 0.7 * number / len(windows), 0.3 + 0.7 * (number + 1) / len(windows)):
            tables[number] = compute_features(window, rows.x, rows.y, settings.features, context, shift)
    return Prepared(rows, recent, tables, rows.score.astype(np.float32))


def _earlier_windows(index: CrimeIndex, settings: Settings, reference: np.datetime64) -> list[RecentIncidents]:
    step = np.timedelta64(round(settings.recent_days * 86_400), "s")
    found = []
    for number in range(1, int(settings.window_days // settings.recent_days)):
        try:
            window = RecentIncidents.among(index.incidents, settings.recent_days, reference - number * step)
        except DataError:
            continue
        if len(window) >= max(_FEWEST, settings.features.neighbours):
            found.append(window)
    return found
