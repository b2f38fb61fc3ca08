"""What the data cover, and whether it is all of a window: days without data look like days without crime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...contract.dates import format_moment
from ...contract.texts import count_text
from ...intake.exactness import find_exactness
from ...intake.incidents import Incidents

_DAY = 86_400
#: Days that may be missing before anybody is warned.
_SLACK = 1.0
#: Few incidents leave gaps by chance: so many times the usual time between two of them is none.
_GAPS = 5.0


@dataclass(frozen=True)
class Cover:
    """The days from the first to the last incident, whole.

    Attributes
    ----------
    start, end : datetime64[D]
        The first day, and the day after the last.
    """

    start: np.datetime64
    end: np.datetime64

    @property
    def days(self) -> int:
        """How many they are."""
        return int((self.end - self.start).astype(np.int64))

    def count_days(self, start: np.datetime64, end: np.datetime64) -> float:
        """Count the days of the span [`start`, `end`) that lie in it."""
        low, high = max(start, self.start), min(end, self.end)
        return max(0.0, float((high - low).astype("timedelta64[s]").astype(np.float64)) / _DAY)

    def to_json(self) -> dict[str, Any]:
        """Start, end and days."""
        return {"start": str(self.start), "end": str(self.end), "days": self.days}


def measure_cover(incidents: Incidents) -> Cover:
    """Measure from which day to which the data reach; where only the month is known, to its last day."""
    first, last = incidents.time.min(), incidents.time.max()
    if find_exactness(incidents.time, incidents.exactness) == "month":
        after = last.astype("datetime64[M]") + 1
        return Cover(first.astype("datetime64[M]").astype("datetime64[D]"), after.astype("datetime64[D]"))
    return Cover(first.astype("datetime64[D]"), last.astype("datetime64[D]") + 1)


def describe_gap(
    incidents: Incidents, days: float, reference: np.datetime64 | None = None, effect: str = "scores will be too low"
) -> str | None:
    """Describe that over a day of a window lies before the first or after the last incident; None where it does not.

    Parameters
    ----------
    incidents : Incidents
        All that there are, not those of the window alone.
    days : float
        Length of the window.
    reference : datetime64, optional
        Its end, by default the last incident.
    effect : str
        What comes of it.
    """
    first, last, unit = incidents.time.min(), incidents.time.max(), incidents.exactness
    end = last if reference is None else reference
    begin = end - np.timedelta64(round(days * _DAY), "s")
    low, high = max(begin, first), min(end, last)
    covered = max(0.0, float((high - low).astype("timedelta64[s]").astype(np.float64)) / _DAY)
    inside = int(((incidents.time >= low) & (incidents.time <= high)).sum())
    if days - covered <= max(_SLACK, _GAPS * covered / max(1, inside)):
        return None
    earliest = first + np.timedelta64(round(days * _DAY), "s")
    if earliest <= last:
        remedy = f"Choose a reference time within the data, from {_date(earliest, unit)} to {_date(last, unit)}"
    else:
        remedy = f"Use an index that covers {count_text(days, 'day')}"
    # A date stands for its whole day, also the first one.
    told = covered + 1 if unit == "day" and low == first <= high else covered
    return (
        f"The data cover only {told:.3g} of the {count_text(days, 'day')} up to {_date(end, unit)} (they run from"
        f" {_date(first, unit)} to {_date(last, unit)}): {effect}. {remedy}"
    )


def _date(time: np.datetime64, exactness: str) -> str:
    return format_moment(time.astype("datetime64[D]"), exactness)
