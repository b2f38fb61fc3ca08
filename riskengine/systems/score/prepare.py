"""From indexes to the numbers a training works on: rows, recent windows, features."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import DataError, ParameterError
from .augment import Rows, make_rows, sample_rows
from .features import compute_features
from .index import CrimeIndex
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
    background : Prepared or None
        Random places of the area, seen from the same windows; their sources are rows of this.
    """

    rows: Rows
    recent: RecentIncidents
    tables: NDArray[np.float32]
    score: Table
    background: Prepared | None = None

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
    if recent_index is not None:
        _check_together(index, recent_index)
    with context.step(0.0, 0.3):
        rows = make_rows(
            index, settings.radius, settings.window_days, reference, settings.augmentation, settings.seed, context
        )
    recent = RecentIncidents.of(recent_index or index, settings.recent_days, rows.reference)
    if len(recent) < settings.features.neighbours:
        raise DataError(
            f"Only {count_text(len(recent), 'incident lies', 'incidents lie')} in the last"
            f" {count_text(settings.recent_days, 'day')}, fewer than the"
            f" {count_text(settings.features.neighbours, 'neighbour')} asked for",
            parameter="recent_days",
            value=settings.recent_days,
            remedy="Use a longer recent window, or a smaller k",
        )
    # Months of the year teach about a month of another source only if it is the same source.
    source = index if recent_index is None or _same_incidents(index, recent, settings, rows.reference) else recent_index
    windows = [recent, *_earlier_windows(source, settings, rows.reference)]
    room = max(1, BUDGET // max(1, 4 * len(rows) * len(settings.features.list_names())))
    windows = windows[: min(settings.windows, room)]
    background = None
    number = round(settings.background * rows.originals)
    if number:
        places = sample_rows(
            index, rows, number, settings.radius, settings.window_days, settings.seed, settings.block_size
        )
        with context.step(0.3, 0.4):
            background = _seen(places, recent, windows, settings, context)
    with context.step(0.4, 1.0):
        return replace(_seen(rows, recent, windows, settings, context), background=background)


def _seen(
    rows: Rows, recent: RecentIncidents, windows: list[RecentIncidents], settings: Settings, context: JobContext
) -> Prepared:
    tables = np.empty((len(windows), len(rows), len(settings.features.list_names())), dtype=np.float32)
    shift = rows.shift if settings.protocol == "published" else None
    for number, window in enumerate(windows):
        with context.step(number / len(windows), (number + 1) / len(windows)):
            tables[number] = compute_features(window, rows.x, rows.y, settings.features, context, shift)
    return Prepared(rows, recent, tables, rows.score.astype(np.float32))


def _same_incidents(index: CrimeIndex, recent: RecentIncidents, settings: Settings, reference: np.datetime64) -> bool:
    """Whether the index of the year holds just these recent incidents."""
    try:
        own = RecentIncidents.of(index, settings.recent_days, reference)
    except DataError:
        return False
    return len(own) == len(recent) and np.array_equal(np.sort(own.x), np.sort(recent.x))


def _check_together(index: CrimeIndex, recent_index: CrimeIndex) -> None:
    if recent_index.crs != index.crs:
        raise ParameterError(
            "The two indexes have different coordinate systems",
            parameter="recent_index",
            remedy="Build both with the same CRS, or use one index for both",
        )
    year, recent = index.incidents, recent_index.incidents
    if (
        recent.x.min() > year.x.max()
        or recent.x.max() < year.x.min()
        or recent.y.min() > year.y.max()
        or recent.y.max() < year.y.min()
    ):
        raise ParameterError(
            "The index of recent incidents covers another place than the index of the year",
            parameter="recent_index",
            remedy="Use indexes of the same city, or one index for both",
        )


def _earlier_windows(index: CrimeIndex, settings: Settings, reference: np.datetime64) -> list[RecentIncidents]:
    step = np.timedelta64(round(settings.recent_days * 86_400), "s")
    windows = []
    # A tenth of a window may be missing: the first incident need not fall on the first moment of the data.
    first = index.incidents.time.min() - step // 10
    for number in range(1, int(settings.window_days // settings.recent_days)):
        if reference - (number + 1) * step < first:
            # Only partly covered by the data: it would look like a quiet month.
            break
        try:
            window = RecentIncidents.among(index.incidents, settings.recent_days, reference - number * step)
        except DataError:
            continue
        if len(window) >= max(_FEWEST, settings.features.neighbours):
            windows.append(window)
    return windows
