"""The crime score: how many incidents lie near a place, on a scale from 0 to 1.

S_abs(p) is the number of incidents closer than `radius` to p and younger than `window` at the reference time;
S is ln(S_abs) rescaled so that the incidents' own places span [0, 1] (Garrido Czacki 2021, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.dates import format_moment
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import DataError, ParameterError
from ...intake.incidents import Incidents
from .index import CrimeIndex, Floats

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class ScoreScale:
    """Turns counts into scores.

    Attributes
    ----------
    counts : ndarray of int, sorted
        S_abs at the place of every incident in the window.
    """

    counts: Counts

    def to_score(self, s_abs: Counts) -> Floats:
        """Bring counts to S in [0, 1]; 0 where nothing is near, clipped where a place exceeds every incident's own.

        Where all incidents' places have the same count the scale has no width: 1 at that count, 0 below.
        """
        low, high = float(self.counts[0]), float(self.counts[-1])
        if low == high:
            return (s_abs >= high).astype(np.float64)
        scaled = (np.log(np.maximum(s_abs, 1)) - np.log(low)) / (np.log(high) - np.log(low))
        return np.asarray(np.clip(scaled, 0.0, 1.0))

    def to_percentile(self, s_abs: Counts) -> Floats:
        """Bring counts to the share, in percent, of the incidents' places with a count as high or lower."""
        return 100.0 * np.searchsorted(self.counts, s_abs, side="right") / len(self.counts)


def in_window(
    incidents: Incidents, window_days: float, reference: np.datetime64 | None = None
) -> tuple[NDArray[np.bool_], np.datetime64]:
    """Say which incidents are younger than the window at the reference time.

    An incident counts when 0 <= reference - time < window.

    Parameters
    ----------
    incidents : Incidents
    window_days : float
    reference : datetime64, optional
        By default the time of the last incident.

    Returns
    -------
    counted : ndarray of bool
    reference : datetime64[s]

    Raises
    ------
    ParameterError
        For a window <= 0.
    DataError
        If nothing lies in the window.
    """
    if not window_days > 0:
        raise ParameterError(
            f"window_days is {window_days:g}; it must be greater than 0",
            parameter="window_days",
            value=window_days,
            remedy="The published window is 365 days",
        )
    first, last = incidents.time.min(), incidents.time.max()
    reference = (last if reference is None else reference).astype("datetime64[s]")
    age = (reference - incidents.time).astype("timedelta64[s]").astype(np.int64)
    counted: NDArray[np.bool_] = (age >= 0) & (age < window_days * 86_400)
    if not counted.any():
        where = "before the first incident" if reference < first else "too long after the last incident"
        raise DataError(
            f"No incident lies in the {count_text(window_days, 'day')} up to {format_moment(reference)}: the reference"
            f" time is {where} (the incidents are from {format_moment(first, incidents.exactness)} to"
            f" {format_moment(last, incidents.exactness)})",
            parameter="reference_time",
            value=reference,
            remedy="Choose a reference time within that span, or leave it empty for the last incident",
        )
    return counted, reference


def score_places(
    index: CrimeIndex,
    x: Floats,
    y: Floats,
    radius: float = 200.0,
    window_days: float = 365.0,
    reference: np.datetime64 | None = None,
    context: JobContext | None = None,
) -> tuple[Counts, ScoreScale, np.datetime64]:
    """Count around every place, and around the window's own incidents for the scale.

    Parameters
    ----------
    index : CrimeIndex
    x, y : ndarray, shape (n,)
        Places to score, metres in the index's CRS.
    radius : float
        Metres.
    window_days : float
    reference : datetime64, optional

    Returns
    -------
    s_abs : ndarray of int, shape (n,)
    scale : ScoreScale
    reference : datetime64[s]
    """
    context = context or JobContext()
    counted, reference = in_window(index.incidents, window_days, reference)
    own = np.column_stack((index.incidents.x[counted], index.incidents.y[counted]))
    asked = np.column_stack((x, y))
    if np.array_equal(own, asked):
        places, back = own, slice(None)
    else:
        places, back = np.concatenate((own, asked)), slice(len(own), None)
    counts = index.count_within(places[:, 0], places[:, 1], radius, counted, context)
    return counts[back], ScoreScale(np.sort(counts[: len(own)])), reference
