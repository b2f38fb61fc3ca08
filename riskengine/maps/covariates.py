"""Values of a table brought to areas and bins: averaged, added up or counted; gaps filled from the past; shuffled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import Combining
from . import bins as timebins
from .bins import Times
from .joining import Pairs
from .panel import Extras, Panel

AnyPanel = TypeVar("AnyPanel", bound=Panel)

#: Behind the name of a covariate whose values were dealt out at random.
SHUFFLED = " (shuffled)"


@dataclass(frozen=True)
class Dated:
    """A value for each bin and area, and how it came there.

    Attributes
    ----------
    values : ndarray of float32, shape (T, N)
        NaN before an area's first value.
    filled : ndarray of bool, shape (T, N)
        True where the last value known before stands.
    held : int
        Bins after the first value in which no area has a value of its own.
    gaps : int
        Filled values in the other bins.
    """

    values: NDArray[np.float32]
    filled: NDArray[np.bool_]
    held: int
    gaps: int

    def repeat(self, areas: int) -> Dated:
        """The same for so many areas, of values that one area holds for all."""
        values, filled = np.repeat(self.values, areas, axis=1), np.repeat(self.filled, areas, axis=1)
        return replace(self, values=values, filled=filled, gaps=self.gaps * areas)


def combine_fixed(pairs: Pairs, values: NDArray[np.float64], combine: Combining, areas: int) -> NDArray[np.float32]:
    """Combine the values of all rows that belong to an area.

    Parameters
    ----------
    pairs : Pairs
        Which rows belong to which areas.
    values : ndarray of float64, shape (R,)
        NaN where a row has none.
    combine : {"mean", "sum", "count"}
    areas : int
        How many there are.

    Returns
    -------
    ndarray of float32, shape (N,)
        NaN for an area without any value; where points are added up or counted it is 0.
    """
    made = _combine(pairs, values, combine, pairs.area, areas)
    if pairs.points and combine != "mean":
        made = np.nan_to_num(made, nan=0.0)
    return made.astype(np.float32)


def combine_dated(
    pairs: Pairs,
    values: NDArray[np.float64],
    combine: Combining,
    areas: int,
    when: Times,
    edges: Times,
    bin_length: str,
) -> Dated:
    """Combine the values of each area's rows bin by bin, and fill what is missing with what was known before.

    Parameters
    ----------
    pairs, values, combine, areas
        As for `combine_fixed`.
    when : ndarray of datetime64[s], shape (R,)
        NaT for a row that is left out.
    edges : ndarray of datetime64[s], shape (T + 1,)
        Of the panel. Rows after its last bin make further bins; of those before its first bin the latest are what the
        first bins are filled with.
    bin_length : str
        Of the panel.
    """
    pairs = pairs.select(~np.isnat(when)[pairs.row] & (np.isfinite(values)[pairs.row] | (combine == "count")))
    bins, codes = np.unique(timebins.number_bins(when[pairs.row], edges, bin_length), return_inverse=True)
    number = max(len(edges) - 1, int(bins[-1]) + 1 if len(bins) else 0)
    # Only the bins that hold a row are computed: a table may begin long before the panel.
    made = _combine(pairs, values, combine, codes * areas + pairs.area, len(bins) * areas).reshape(len(bins), areas)
    if pairs.points and combine != "mean":
        made = np.nan_to_num(made, nan=0.0)
    before = np.full(areas, np.nan)
    for row in made[bins < 0]:
        before = np.where(np.isnan(row), before, row)
    inside = np.full((number, areas), np.nan)
    inside[bins[bins >= 0]] = made[bins >= 0]
    if pairs.points and combine != "mean" and len(bins):
        # Between its first and last date a layer of points is silent where there is none.
        first, last = max(int(bins[0]), 0), int(bins[-1]) + 1
        inside[first:last] = np.nan_to_num(inside[first:last], nan=0.0)
    return fill_from_past(inside, before)


def _combine(
    pairs: Pairs, values: NDArray[np.float64], combine: Combining, place: NDArray[np.int64], places: int
) -> NDArray[np.float64]:
    value = values[pairs.row]
    known = np.isfinite(value) | (combine == "count")
    place = place[known]
    rows = np.bincount(place, minlength=places).astype(np.float64)

    def add_up(each: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(place, each[known], minlength=places).astype(np.float64)

    if combine == "count":
        total = rows
    elif combine == "sum":
        total = add_up(pairs.share * value)
    else:
        whole = add_up(pairs.weight)
        total = add_up(pairs.weight * value) / np.where(whole > 0, whole, np.nan)
    return np.where(rows > 0, total, np.nan)


def fill_from_past(values: NDArray[np.float64], before: NDArray[np.float64]) -> Dated:
    """Fill what is missing with the area's last value before, never with a later one.

    Parameters
    ----------
    values : ndarray of float64, shape (T, N)
        NaN where there is none.
    before : ndarray of float64, shape (N,)
        The last values before the first bin, NaN for none.
    """
    own = np.isfinite(values)
    stacked = np.vstack([before, values])
    last = np.maximum.accumulate(np.where(np.isfinite(stacked), np.arange(len(stacked))[:, None], 0), axis=0)
    made = np.take_along_axis(stacked, last, axis=0)[1:]
    filled = np.isfinite(made) & ~own
    silent = ~own.any(axis=1) & np.isfinite(made).any(axis=1)
    return Dated(made.astype(np.float32), filled, int(silent.sum()), int(filled[~silent].sum()))


def make_known_from(values: NDArray[np.float32], known_from: np.datetime64, edges: Times) -> NDArray[np.float32]:
    """Make values by bin of fixed ones that were published at a moment; before, nothing is known.

    A value stands in the first bin at whose end it is out, so that who forecasts at the start of the next one knows it.

    Parameters
    ----------
    values : ndarray of float32, shape (N,)
    known_from : datetime64
    edges : ndarray of datetime64[s], shape (T + 1,)

    Returns
    -------
    ndarray of float32, shape (T, N)
    """
    out = edges[1:] >= known_from
    return np.where(out[:, None], values[None, :], np.float32(np.nan)).astype(np.float32)


def shuffle_covariates(panel: AnyPanel, seed: int = 0) -> AnyPanel:
    """Deal out all covariates among the units at random, the same way in all bins: a control.

    Whatever a forecaster gains with them it does not gain from what they say. Counts, and channels of counts, stay
    where they are.
    """
    return replace(panel, extras=shuffle_extras(panel.extras, panel.mask, seed))


def shuffle_extras(extras: Extras, mask: NDArray[np.bool_], seed: int = 0) -> Extras:
    """Deal out static layers and covariates among the units of the study area, the same way in all bins.

    Parameters
    ----------
    extras : Extras
    mask : ndarray of bool, shape (...)
        Units outside it keep theirs.
    seed : int
    """
    inside = np.flatnonzero(mask)
    order = np.arange(mask.size)
    order[inside] = np.random.default_rng(seed).permutation(inside)

    def deal(values: NDArray[Any]) -> NDArray[Any]:
        dealt: NDArray[Any] = values.reshape(len(values), -1)[:, order].reshape(values.shape)
        return dealt

    static = deal(extras.static) if extras.static_names else extras.static
    covariates = tuple(
        replace(
            each,
            name=each.name + SHUFFLED,
            values=deal(each.values),
            filled=None if each.filled is None else deal(each.filled),
        )
        for each in extras.covariates
    )
    return replace(
        extras,
        static=static,
        static_names=tuple(name + SHUFFLED for name in extras.static_names),
        covariates=covariates,
        sources={name + SHUFFLED: replace(each, shuffled=True) for name, each in extras.sources.items()},
    )
