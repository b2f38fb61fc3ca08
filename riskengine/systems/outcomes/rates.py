"""Rates of an outcome by what is known of an incident: counted, with intervals, and drawn towards their parent's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ...contract.dates import format_moment
from ...measures.proportions import compute_share_limits
from .models.rates import NestedRates, smooth_rates
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
    happened = rows.outcomes[kept].astype(np.float64)
    parent: Floats = np.full(len(happened), happened.mean())
    for level in levels:
        codes, first, inverse, incidents = np.unique(
            level.codes[kept], return_index=True, return_inverse=True, return_counts=True
        )
        outcomes = np.bincount(inverse, happened)
        shrunk = smooth_rates(outcomes, incidents, parent[first])
        parent = shrunk[inverse]
    values = [levels[-1].labels[code] for code in codes.tolist()]
    parents = [""] * len(values)
    if len(levels) > 1:
        above = levels[0].codes[kept][first]
        parents = [levels[0].labels[code] if code != MISSING else "" for code in above.tolist()]
    return Rates(by, values, parents, incidents, outcomes.astype(np.int64), shrunk, incidents / len(happened))


def expect_outcomes(rows: Rows, learned: NDArray[np.bool_]) -> Floats:
    """Compute what rows would have by their category and description alone, shape (N,).

    Parameters
    ----------
    rows : Rows
    learned : ndarray of bool, shape (N,)
        Rows whose smoothed rates are taken; a value that none of them has takes its parent's.
    """
    return NestedRates.learn(rows.select(learned), ("category", "description")).find(rows)[0][-1]


def _list_levels(rows: Rows, by: RatesBy) -> list[Coded] | None:
    """The groups of the rows, the parents' first; None where the rows have no such field."""
    if by == "hour":
        return [Coded(rows.hour.astype(np.int32), [f"{hour:02d}:00" for hour in range(24)])]
    if by == "month":
        return [_code_months(rows)]
    if by == "rows":
        return _code_rows(rows.texts["incident"]) if "incident" in rows.texts else None
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


def _code_rows(incident: Coded) -> list[Coded] | None:
    """How many rows the incident of each row has; None where each has one."""
    known = incident.codes != MISSING
    number = np.bincount(incident.codes[known])
    if number.max(initial=0) < 2:
        return None
    codes = np.full(len(incident.codes), MISSING, dtype=np.int32)
    codes[known] = np.minimum(number[incident.codes[known]], _MANY_ROWS) - 1
    return [Coded(codes, [*(str(rows) for rows in range(1, _MANY_ROWS)), f"{_MANY_ROWS} or more"])]


def _nest(category: Coded, description: Coded) -> Coded:
    """Descriptions within their categories: the same words in two of them are two."""
    known = description.codes != MISSING
    pairs = category.codes[known].astype(np.int64) * len(description.labels) + description.codes[known]
    found, inverse = np.unique(pairs, return_inverse=True)
    codes = np.full(len(description.codes), MISSING, dtype=np.int32)
    codes[known] = inverse
    return Coded(codes, [description.labels[code] for code in (found % len(description.labels)).tolist()])
