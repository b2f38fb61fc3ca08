"""Rates of an outcome by what is known of an incident: counted, with intervals, and drawn towards their parent's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ...contract.dates import format_moment
from ...contract.outcomes import SMOOTHING
from ...measures.proportions import compute_share_limits
from .rows import MISSING, Coded, Floats, Rows

#: What rates are counted by; `rows` is how many rows an incident has.
RatesBy = Literal["category", "description", "location", "area", "hour", "month", "rows"]
RATES_BY: tuple[RatesBy, ...] = get_args(RatesBy)
#: An incident with this many rows or more is one of "3 or more".
_MANY_ROWS = 3


@dataclass(frozen=True, eq=False)
class Rates:
    """Rates of one way to divide the incidents: V values, in their own order where they have one.

    Attributes
    ----------
    by : RatesBy
    values : sequence of str, length V
    parents : sequence of str, length V
        The category of a description; empty elsewhere.
    incidents, outcomes : ndarray of int64, shape (V,)
    shrunk : ndarray of float64, shape (V,)
        The rate drawn towards the parent's as if by `SMOOTHING` incidents more: of a description towards its
        category's, which is drawn towards that of all, as every other value's.
    share : ndarray of float64, shape (V,)
        Of all incidents that have a value.
    """

    by: RatesBy
    values: Sequence[str]
    parents: Sequence[str]
    incidents: NDArray[np.int64]
    outcomes: NDArray[np.int64]
    shrunk: Floats
    share: Floats

    @property
    def rate(self) -> Floats:
        """Shares with the outcome, shape (V,)."""
        return self.outcomes / self.incidents

    @property
    def limits(self) -> tuple[Floats, Floats]:
        """The 95 % interval of each rate."""
        return compute_share_limits(self.outcomes, self.incidents)


def count_rates(rows: Rows, by: RatesBy) -> Rates | None:
    """Count the rates of rows with outcomes; None where the rows have no such field, or no value in it."""
    levels = _list_levels(rows, by)
    if levels is None or not (kept := levels[-1].codes != MISSING).any():
        return None
    happened = rows.outcomes[kept]
    shrunk: Floats = np.full(int(kept.sum()), happened.mean())
    for level in levels:
        shrunk = smooth_rates(level.codes[kept], happened, shrunk)
    last = levels[-1]
    codes, first, incidents = np.unique(last.codes[kept], return_index=True, return_counts=True)
    outcomes = np.bincount(last.codes[kept], happened, minlength=len(last.labels))[codes].astype(np.int64)
    parents = [""] * len(codes)
    if len(levels) > 1:
        of = levels[0].codes[kept][first]
        parents = [levels[0].labels[code] if code != MISSING else "" for code in of.tolist()]
    values = [last.labels[code] for code in codes.tolist()]
    return Rates(by, values, parents, incidents, outcomes, shrunk[first], incidents / len(happened))


def expect_outcomes(rows: Rows, learned: NDArray[np.bool_]) -> Floats:
    """Compute what rows would have by their category and description alone, shape (N,).

    Parameters
    ----------
    rows : Rows
    learned : ndarray of bool, shape (N,)
        Rows whose rates are taken, smoothed as in `Rates`; a value that none of them has takes its parent's rate.
    """
    happened = rows.outcomes
    expected: Floats = np.full(len(rows), happened[learned].mean())
    for level in _list_levels(rows, "description") or _list_levels(rows, "category") or []:
        expected = smooth_rates(level.codes, happened, expected, learned)
    return expected


def smooth_rates(
    codes: NDArray[np.int32], happened: NDArray[np.bool_], parent: Floats, learned: NDArray[np.bool_] | None = None
) -> Floats:
    """Compute the smoothed rate of each row's group.

    Parameters
    ----------
    codes : ndarray of int32, shape (N,)
        The group of each row; a row of none keeps its parent's rate.
    happened : ndarray of bool, shape (N,)
    parent : ndarray of float64, shape (N,)
        The rate of each row's parent, the same for all rows of a group.
    learned : ndarray of bool, shape (N,), optional
        The rows that are counted; by default all.
    """
    known = codes != MISSING
    counted = known if learned is None else known & learned
    groups = int(codes.max(initial=MISSING)) + 1
    number = np.bincount(codes[counted], minlength=groups)
    outcomes = np.bincount(codes[counted], happened[counted], minlength=groups)
    smoothed, of = parent.copy(), codes[known]
    smoothed[known] = (outcomes[of] + SMOOTHING * parent[known]) / (number[of] + SMOOTHING)
    return smoothed


def _list_levels(rows: Rows, by: RatesBy) -> list[Coded] | None:
    """The groups of the rows, the parents' first; None where the rows have no such field."""
    if by == "hour":
        return [Coded(rows.hour.astype(np.int32), [f"{hour:02d}:00" for hour in range(24)])]
    if by == "month":
        return [_code_months(rows)]
    if by == "rows":
        return None if "incident" not in rows.texts else [_code_rows(rows.texts["incident"])]
    if by not in rows.texts:
        return None
    if by == "description" and "category" in rows.texts:
        return [rows.texts["category"], _nest(rows.texts["category"], rows.texts["description"])]
    return [rows.texts[by]]


def _code_months(rows: Rows) -> Coded:
    """Months of the calendar, each year's apart."""
    months = rows.day.astype("datetime64[M]")
    known = ~np.isnat(months)
    found, inverse = np.unique(months[known], return_inverse=True)
    codes = np.full(len(rows), MISSING, dtype=np.int32)
    codes[known] = inverse
    return Coded(codes, [format_moment(f"{month}-01", "months") for month in found])


def _code_rows(incident: Coded) -> Coded:
    """How many rows the incident of each row has."""
    known = incident.codes != MISSING
    number = np.bincount(incident.codes[known])
    codes = np.full(len(incident.codes), MISSING, dtype=np.int32)
    codes[known] = np.minimum(number[incident.codes[known]], _MANY_ROWS) - 1
    labels = [*(str(rows) for rows in range(1, _MANY_ROWS)), f"{_MANY_ROWS} or more"]
    return Coded(codes, labels)


def _nest(category: Coded, description: Coded) -> Coded:
    """Descriptions within their categories: the same words in two of them are two."""
    known = description.codes != MISSING
    pairs = category.codes[known].astype(np.int64) * len(description.labels) + description.codes[known]
    found, inverse = np.unique(pairs, return_inverse=True)
    codes = np.full(len(description.codes), MISSING, dtype=np.int32)
    codes[known] = inverse
    return Coded(codes, [description.labels[code] for code in (found % len(description.labels)).tolist()])
