"""Observed against predicted by area, and whether either follows an indicator of the areas, such as hardship."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...contract.outcomes import COMPARED_LEAST, SHOWN_LEAST, Reported
from ...measures.grouped import compute_medians
from ...measures.resampled import correlate_ranks
from .judged import AreaOutcomes
from .rows import MISSING, Floats, Rows

Ints = NDArray[np.int64]


def compare_areas(
    rows: Rows, probability: Floats, reported: Reported, indicator: Floats | None = None, seed: int = 0
) -> AreaOutcomes | None:
    """Compare what was observed in each area with what was predicted.

    Areas with fewer than `SHOWN_LEAST` rows are left out; those with fewer than `COMPARED_LEAST` have no interval, for
    there chance is as large as what areas differ by. Intervals are by days, within each area. Correlations are over
    the areas shown, with intervals by resampling them.

    Parameters
    ----------
    rows : Rows
        Those tested, of the kind that `reported` says.
    probability : ndarray, shape (N,)
    reported : Reported
    indicator : ndarray, shape (N,), optional
        A number of the area of each row; the median counts where rows of an area differ.
    seed : int

    Returns
    -------
    AreaOutcomes or None
        None where rows have no areas, or none enough rows.
    """
    if "area" not in rows.texts:
        return None
    coded = rows.texts["area"]
    number = np.bincount(coded.codes[coded.codes != MISSING], minlength=len(coded.labels))
    shown = np.flatnonzero(number >= SHOWN_LEAST)
    if not len(shown):
        return None
    place = np.full(len(coded.labels) + 1, MISSING)
    place[shown] = np.arange(len(shown))
    area = place[coded.codes]
    inside = area != MISSING
    area, predicted, happened = area[inside], probability[inside], rows.outcomes[inside].astype(np.float64)
    size = number[shown].astype(np.int64)
    observed_rate, predicted_rate = (np.bincount(area, each) / size for each in (happened, predicted))
    low, high = _bound(area, size, happened - predicted, rows.day[inside])
    found = AreaOutcomes(
        [coded.labels[code] for code in shown.tolist()], size, observed_rate, predicted_rate, low, high, reported
    )
    if indicator is None:
        return found
    values = compute_medians(area, indicator[inside], len(shown))
    return AreaOutcomes(
        found.names,
        size,
        observed_rate,
        predicted_rate,
        low,
        high,
        reported,
        values,
        correlate_ranks(values, observed_rate, seed),
        correlate_ranks(values, observed_rate - predicted_rate, seed),
    )


def _bound(area: Ints, size: Ints, residual: Floats, day: NDArray[np.datetime64]) -> tuple[Floats, Floats]:
    """Bound the mean residual of each area, by its days as `compute_clustered_mean` does; NaN where it has few rows."""
    _, number = np.unique(day.astype("datetime64[D]").astype(np.int64), return_inverse=True)
    mean = np.bincount(area, residual) / size
    cell, column = np.unique(area * (int(number.max()) + 1) + number.reshape(-1), return_inverse=True)
    of = cell // (int(number.max()) + 1)
    departure = np.bincount(column.reshape(-1), residual - mean[area])
    days = np.bincount(of)
    enough = (size >= COMPARED_LEAST) & (days > 1)
    spread = np.bincount(of, departure**2) * days / np.maximum(days - 1, 1)
    reach = np.where(enough, stats.t.ppf(0.975, np.maximum(days - 1, 1)) * np.sqrt(spread) / size, np.nan)
    return mean - reach, mean + reach
