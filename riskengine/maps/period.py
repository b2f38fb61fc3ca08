"""The period: the months in which incidents were reported often enough to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text
from ..contract.tools.grids import SelectPeriod
from ..ground.errors import DataError, ParameterError
from ..intake.exactness import measure_months

#: A month is useful when it holds at least this share of the median month that holds any.
SHARE = SelectPeriod.share
#: A month of stragglers holds less than this share of the month in which the median incident lies.
STRAGGLING = 0.1
#: All stragglers together are no more than this share of the incidents: one month with a wrong date for thousands, such
#: as that of an import, makes no stragglers of the others.
STRAGGLERS = 0.25


@dataclass(frozen=True)
class Period:
    """A chosen span of months.

    Attributes
    ----------
    start, end : datetime64[s]
        Half-open; midnights.
    incidents, left_out : int
    months : ndarray of datetime64[M], shape (M,)
        All months from the first incident to the last.
    counts : ndarray of int64, shape (M,)
    chosen : ndarray of bool, shape (M,)
    limit : float
        The count that a useful month has at least.
    stragglers : ndarray of bool, shape (M,)
        Months that the median, where the limit is a share of it, does not count.
    """

    start: np.datetime64
    end: np.datetime64
    incidents: int
    left_out: int
    months: NDArray[np.datetime64]
    counts: NDArray[np.int64]
    chosen: NDArray[np.bool_]
    limit: float
    stragglers: NDArray[np.bool_]


def count_by_month(time: NDArray[np.datetime64]) -> tuple[NDArray[np.datetime64], NDArray[np.int64]]:
    """List all months from the first to the last incident, and count how many incidents each holds."""
    month = time.astype("datetime64[M]")
    first = month.min()
    number = (month - first).astype(np.int64)
    counts = np.bincount(number).astype(np.int64)
    return first + np.arange(len(counts)).astype("timedelta64[M]"), counts


def find_stragglers(counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Find the months of old cases that were entered late: most of the months, and few of the incidents.

    Their median would say nothing of the months in which records were kept. Where they are not most of the months that
    hold any, the median is of the others already, and none is found.
    """
    ordered = np.sort(counts)
    running = np.cumsum(ordered)
    usual = ordered[np.searchsorted(running, running[-1] / 2)]
    few = (counts > 0) & (counts < STRAGGLING * usual)
    most = 2 * int(few.sum()) > int((counts > 0).sum())
    negligible = int(counts[few].sum()) <= STRAGGLERS * int(running[-1])
    return few if most and negligible else np.zeros(len(counts), dtype=bool)


def select_period(time: NDArray[np.datetime64], share: float = SHARE, least: float | None = None) -> Period:
    """The longest run of consecutive months that each hold enough incidents.

    Enough is `least` incidents or, by default, `share` of the median of the months that hold any, without those of
    stragglers (see `find_stragglers`). Of runs of equal
    length the one with more incidents is taken, then the later one. Where the run begins with the first month of
    the data it starts on the day of the first incident, and where it ends with the last month it ends after the day
    of the last one, so that no day is taken for quiet that nobody recorded. Times that know only their month (all at
    midnight of a first) stand for whole months.

    Parameters
    ----------
    time : ndarray of datetime64[s]
    share : float
    least : float, optional

    Raises
    ------
    ParameterError
        If `share` or `least` is not above 0.
    DataError
        If there is no incident, or no month reaches the limit.
    """
    for name, value in (("share", share), ("least", least)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise ParameterError(
                f"{name} is {value:g}; it must be greater than 0",
                parameter=name,
                value=value,
                remedy="Leave it empty" if name == "least" else "The default is 0.5, half of the median month",
            )
    if not len(time):
        raise DataError("There are no incidents, so there is no period", remedy="Check the filter and the layer")
    months, counts = count_by_month(time)
    stragglers = find_stragglers(counts) if least is None else np.zeros(len(counts), dtype=bool)
    limit = float(least if least is not None else share * np.median(counts[(counts > 0) & ~stragglers]))
    useful = counts >= limit
    if not useful.any():
        fullest = int(counts.argmax())
        raise DataError(
            f"No month holds {count_text(limit, 'incident')}; the fullest, {months[fullest]}, holds"
            f" {counts[fullest]:,}",
            parameter="least" if least is not None else "share",
            value=least if least is not None else share,
            remedy="Choose a lower one",
        )
    steps = np.diff(np.r_[False, useful, False].astype(np.int8))
    first, past = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    begin, end = max(
        zip(first, past, strict=True), key=lambda run: (run[1] - run[0], counts[run[0] : run[1]].sum(), run[0])
    )
    chosen = np.zeros(len(months), dtype=bool)
    chosen[begin:end] = True
    one_day = np.timedelta64(1, "D")
    start = max(months[begin].astype("datetime64[D]"), time.min().astype("datetime64[D]"))
    stop = (months[end - 1] + 1).astype("datetime64[D]")
    if measure_months(time) < 1.0:
        stop = min(stop, time.max().astype("datetime64[D]") + one_day)
    incidents = int(counts[begin:end].sum())
    return Period(
        start.astype("datetime64[s]"),
        stop.astype("datetime64[s]"),
        incidents,
        len(time) - incidents,
        months,
        counts,
        chosen,
        limit,
        stragglers,
    )
