"""Mobility by month and area, of which each month reads that of the month before; gaps filled from either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.choices import StudyFilling
from ...contract.dates import format_moment
from ...contract.texts import show_name
from ...ground.errors import DataError
from ...maps.panel import Covariate, Panel

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mobility:
    """What changes with the months, of each area.

    Attributes
    ----------
    values : ndarray, shape (T, N, K)
        By month; NaN for gaps.
    names : tuple of str, length K
    """

    values: Floats
    names: tuple[str, ...]

    def read(self, month: int, filling: StudyFilling) -> Floats:
        """Read the values of a month, shape (N, K).

        ``backward`` fills a gap with the area's next value, as published: from a later month, or else that of the next
        area. ``forward`` fills it with the area's last one. What is then left takes the middle of all areas.
        """
        span = self.values[month:] if filling == "backward" else self.values[month::-1]
        found: Floats = span[0].copy()
        for later in span[1:]:
            gap = np.isnan(found)
            if not gap.any():
                return found
            found[gap] = later[gap]
        if filling == "backward":
            for number in range(len(found) - 2, -1, -1):
                found[number] = np.where(np.isnan(found[number]), found[number + 1], found[number])
        middle = np.nanmedian(found, axis=0)
        return np.asarray(np.where(np.isnan(found), middle, found))


def make_mobility(panel: Panel, covariates: Sequence[Covariate], months: NDArray[np.datetime64]) -> Mobility | None:
    """Bring covariates of a panel, which change with time, to months; None where there are none.

    Parameters
    ----------
    panel : Panel
    covariates : sequence of Covariate
        Of this panel.
    months : ndarray of datetime64[M], shape (T,)
        Those of the study.

    Raises
    ------
    DataError
        If the panel's bins are no months.
    """
    if not covariates:
        return None
    if panel.bin != "1 months":
        raise DataError(
            f"The panel has covariates that change with time, and its bins are of {panel.bin}",
            parameter="panel",
            value=panel.bin,
            remedy="Count incidents by month, and add the covariates to that panel",
        )
    place = {month: number for number, month in enumerate(panel.edges[:-1].astype("datetime64[M]"))}
    values = np.full((len(months), panel.mask.size, len(covariates)), np.nan)
    for column, covariate in enumerate(covariates):
        known = _find_known(covariate)
        for number, month in enumerate(months):
            if place.get(month, len(known)) < len(known):
                values[number, :, column] = known[place[month]]
    return Mobility(values, tuple(each.name for each in covariates))


def is_fixed(covariate: Covariate) -> bool:
    """Whether it has one value of each area for all times, known from some time on."""
    known = _find_known(covariate)
    first = np.where(np.isnan(known), np.inf, known).min(axis=0, initial=np.inf)
    return bool(((known == first) | np.isnan(known)).all())


def _find_known(covariate: Covariate) -> Floats:
    """Its values as they were given: NaN where a gap was filled."""
    known = covariate.values.astype(np.float64)
    if covariate.filled is not None:
        known[covariate.filled] = np.nan
    return known


def check_mobility(mobility: Mobility, months: NDArray[np.datetime64], needed: NDArray[np.int64]) -> None:
    """Refuse months that are read and of which nothing is known.

    Raises
    ------
    DataError
    """
    empty = np.isnan(mobility.values[needed]).all(axis=1)
    if empty.any():
        row, column = (int(each[-1]) for each in np.nonzero(empty))
        when = format_moment(months[needed[row]].astype("datetime64[s]"), "month")
        raise DataError(
            f"The covariate {show_name(mobility.names[column])} has no value in {when}, and each month takes those of"
            " the month before",
            parameter="panel",
            value=mobility.names[column],
            remedy="Give incidents of the months that it covers, or a panel without it",
        )
