"""The times of a whole file: read, brought to the local clock, and one moment chosen where they are spans."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import DateOrder, Occurred
from .timejoin import Texts, join_times
from .times import ParsedTimes
from .timespans import Spans, choose_moments
from .timezones import settle_zone
from .zoneplaces import guess_zone


@dataclass(frozen=True)
class TimeRules:
    """How times are read.

    Attributes
    ----------
    date_order : {"auto", "ymd", "dmy", "mdy"}
    usual_order : {"auto", "ymd", "dmy", "mdy"} or None
        Of the source, where nothing decides.
    zone : tzinfo or None
        Into which times with an offset are converted.
    usual_zone : str or None
        Of the source, for the warning that they are not.
    occurred : {"start", "middle", "end", "random"}
        The moment of a span that counts.
    seed : int
    """

    date_order: DateOrder = "auto"
    usual_order: DateOrder | None = None
    zone: datetime.tzinfo | None = None
    usual_zone: str | None = None
    occurred: Occurred = "start"
    seed: int = 0


@dataclass(frozen=True)
class FileTimes:
    """When the incidents of a file happened: one entry a row.

    Attributes
    ----------
    times : ParsedTimes
        The moment that counts.
    start : ndarray of datetime64[s]
    spans : Spans or None
        None where the file gives no ends.
    notes, warnings : list of str
    """

    times: ParsedTimes
    start: NDArray[np.datetime64]
    spans: Spans | None = None
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_file_times(
    starts: Sequence[Texts],
    ends: Sequence[Texts],
    rules: TimeRules,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    placed: NDArray[np.bool_],
    crs: str,
    latest: np.datetime64,
) -> FileTimes:
    """Read the times of all rows.

    Parameters
    ----------
    starts, ends : sequence of columns
        As `join_times` takes them; `ends` may be empty.
    rules : TimeRules
    x, y : ndarray of float64
        In `crs`; where `placed` holds, they tell the time zone.
    latest : datetime64
        The last time that is not in the future.
    """

    def guess() -> str:
        return guess_zone(x[placed], y[placed], crs) if placed.any() else ""

    times = join_times(starts, rules.date_order, rules.usual_order)
    times, warning = settle_zone(times, rules.zone, rules.usual_zone, guess)
    notes, warnings = [times.note], [warning]
    if not ends:
        return FileTimes(times, times.time, None, *map(_drop_empty, (notes, warnings)))
    # What the starts have shown of day and month holds for the ends.
    last = join_times(ends, rules.date_order, times.order if times.order != "ymd" else rules.usual_order)
    last, warning = settle_zone(last, rules.zone, rules.usual_zone, guess)
    spans = choose_moments(times.time, last, rules.occurred, rules.seed, latest, placed & (times.reason == ""))
    notes += [f"Ends: {last.note}" if last.note and last.note != times.note else "", spans.said]
    warnings += [warning if warning not in warnings else "", *spans.warnings]
    return FileTimes(replace(times, time=spans.occurred), times.time, spans, *map(_drop_empty, (notes, warnings)))


def _drop_empty(sentences: list[str]) -> list[str]:
    return [sentence for sentence in sentences if sentence]
