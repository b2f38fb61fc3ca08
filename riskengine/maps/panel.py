"""A panel: counts of incidents by units of space and bins of time, and what was known when."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ..contract.units import noun_of, noun_of_bin
from ..intake.incidents import Incidents
from . import bins as timebins
from .sparsecounts import SparseCounts, is_sparse_smaller
from .support import Support

if TYPE_CHECKING:
    from typing_extensions import Self


#: More counts of a panel, bins times units, are refused.
MOST_COUNTS = 10**8


@dataclass(frozen=True)
class Covariate:
    """What is known of each unit beside the counts, by bin.

    Attributes
    ----------
    name : str
    values : ndarray of float32, shape (T, ...)
        Of bin t; NaN where nothing is known. Its bins begin with those of the counts, and may end before or after.
    delay : int
        Bins after which a value is known: whoever forecasts at the start of bin o knows those of bins before
        ``o - delay``.
    filled : ndarray of bool, shape (T, ...), optional
        True where a gap was filled with the last value known before it.
    """

    name: str
    values: NDArray[np.float32]
    delay: int = 0
    filled: NDArray[np.bool_] | None = None

    def cut(self, number: int) -> Covariate:
        """The same, of the first `number` bins."""
        filled = None if self.filled is None else self.filled[:number]
        return replace(self, values=self.values[:number], filled=filled)

    def before(self, origin: int) -> Covariate:
        """What is known at the start of bin number `origin`."""
        return self.cut(max(origin - self.delay, 0))

    def read_known(self, target: int) -> NDArray[np.float32]:
        """Read the latest values known at the start of bin `target`, or the last there are; NaN where there is none."""
        last = min(target - self.delay, len(self.values)) - 1
        return self.values[last] if last >= 0 else np.full(self.values.shape[1:], np.nan, dtype=np.float32)


@dataclass(frozen=True)
class CovariateSource:
    """Where a covariate comes from.

    Attributes
    ----------
    layer : str
        Name of the table or layer.
    joined : str
        How its rows were brought to the areas, as people read it.
    shuffled : bool
        Its values were dealt out among the areas at random: a control, no knowledge.
    """

    layer: str = ""
    joined: str = ""
    shuffled: bool = False


@dataclass(frozen=True)
class Extras:
    """Layers beside the counts; the units have shape (H, W) on a grid, (N,) elsewhere.

    Attributes
    ----------
    static : ndarray of float32, shape (S, H, W)
        Layers that do not change with time, as distances or population; finite on a grid, of areas NaN where unknown.
    static_names : tuple of str
    channels : ndarray, shape (C, T, H, W)
        Counts of other stacks in the same bins, as one category each; known only when their bin is over.
    channel_names : tuple of str
    covariates : tuple of Covariate
        What changes with time, each with its own delay.
    sources : mapping of str to CovariateSource
        Where static layers and covariates come from, by their names.
    pictures : ndarray, shape (T, C, P, Q)
        Counts of all crime in the same bins on a raster of its own, whatever the units (`extras.make_pictures`);
        known when the counts are.
    """

    static: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.float32))
    static_names: tuple[str, ...] = ()
    channels: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0, 0), dtype=np.uint8))
    channel_names: tuple[str, ...] = ()
    covariates: tuple[Covariate, ...] = ()
    sources: Mapping[str, CovariateSource] = field(default_factory=dict)
    pictures: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0, 0), dtype=np.uint8))

    def cut(self, number: int) -> Extras:
        """The same, of the first `number` bins."""
        cut = tuple(each.cut(number) for each in self.covariates)
        return replace(self, channels=self.channels[:, :number], covariates=cut, pictures=self.pictures[:number])

    def before(self, origin: int, delay: int = 0) -> Extras:
        """What is known at the start of bin number `origin`; the channels are counts, so known `delay` bins late."""
        known = tuple(each.before(origin) for each in self.covariates)
        last = max(origin - delay, 0)
        return replace(self, channels=self.channels[:, :last], covariates=known, pictures=self.pictures[:last])


@dataclass
class Panel:
    """Counts by bin and unit.

    The units of a grid have shape (H, W), those of areas and segments (N,); below, (...) stands for it.

    Attributes
    ----------
    counts : ndarray of integers or float32, shape (T, ...)
        float32 only where maps were interpolated; a large stack is a file on disk seen as an array, and one of mostly
        zeros may be `SparseCounts`, which are read as an array.
    edges : ndarray of datetime64[s], shape (T + 1,)
        Bin t covers [edges[t], edges[t + 1]).
    mask : ndarray of bool, shape (...)
        True inside the study area.
    support : Support
        The units.
    bin : str
        Length of a bin, e.g. ``1 days``.
    observed : ndarray of bool, shape (T,)
        False for a bin that was filled in, never to be a target.
    categories : list of str
        Categories counted; empty where that was not recorded.
    binary : bool
        True when counts were reduced to "at least one".
    extras : Extras
        Further layers of the same units that a forecaster may read.
    filled : str
        How unobserved bins were filled: ``linear``, ``forward``, or empty. Linearly filled ones know the next
        observed one, so they look ahead.
    exactness : str
        How exact the times of what was counted are, e.g. ``day``; empty where that was not recorded.
    area : str
        What the study area is: ``polygons``, ``rectangle``, ``hull`` and how it was drawn; empty where unknown.
    source : str
        Name of the layer of incidents that was counted; empty where that was not recorded.
    delay : int
        Bins after which a count is known, as open data come late: whoever forecasts at the start of bin o knows the
        counts of bins before ``o - delay``. A history keeps it, so that a forecaster learns to look as far ahead.
    """

    counts: NDArray[Any]
    edges: NDArray[np.datetime64]
    mask: NDArray[np.bool_]
    support: Support
    bin: str
    observed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    categories: list[str] = field(default_factory=list)
    binary: bool = False
    extras: Extras = field(default_factory=lambda: Extras())
    filled: str = ""
    exactness: str = ""
    area: str = ""
    source: str = ""
    delay: int = 0

    def __post_init__(self) -> None:
        if not self.observed.size:
            self.observed = np.ones(len(self.counts), dtype=bool)

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def noun(self) -> str:
        """What one of its units is called: cell, area."""
        return noun_of(self.support.kind)

    @property
    def bin_noun(self) -> str:
        """What one of its bins is called: map of a grid, else month, week, …, or bin."""
        return noun_of_bin(self.support.kind, self.bin)

    def cut(self, number: int) -> Self:
        """The first `number` bins, whether or not anybody knew them then; nothing of what comes after."""
        return replace(
            self,
            counts=self.counts[:number],
            edges=self.edges[: number + 1],
            observed=self.observed[:number],
            extras=self.extras.cut(number),
        )

    def take(self, units: NDArray[np.int64]) -> Self:
        """The same of some of its units, in that order; of areas, not of a grid.

        Parameters
        ----------
        units : ndarray of int, shape (M,)
        """
        extras = self.extras
        return replace(
            self,
            counts=self.counts[:, units],
            mask=self.mask[units],
            support=self.support.take(units),
            extras=replace(
                extras,
                static=extras.static[:, units] if extras.static_names else extras.static,
                channels=extras.channels[:, :, units] if extras.channel_names else extras.channels,
                covariates=tuple(replace(each, values=each.values[:, units]) for each in extras.covariates),
            ),
        )

    def before(self, origin: int) -> Self:
        """What a forecast made at the start of bin number `origin` may know: counts and covariates come late.

        Its last bin is number ``origin - delay - 1``; the first bin that is to be forecast is ``delay`` bins after it.
        """
        known = max(origin - self.delay, 0)
        extras = self.extras.before(origin, self.delay)
        return replace(self.cut(known), extras=extras)

    def drop_delay(self) -> Self:
        """The same panel as one whose counts are known at once: who forecasts from it looks further ahead instead."""
        moved = tuple(replace(each, delay=each.delay - self.delay) for each in self.extras.covariates)
        return replace(self, delay=0, extras=replace(self.extras, covariates=moved))


def count_incidents(
    incidents: Incidents,
    support: Support,
    edges: NDArray[np.datetime64],
    mask: NDArray[np.bool_] | None = None,
    binary: bool = False,
    sparse: bool = False,
) -> tuple[NDArray[Any], int]:
    """Count incidents per bin and unit.

    Parameters
    ----------
    incidents : Incidents
    support : Support
        A grid, or areas.
    edges : ndarray of datetime64[s], shape (T + 1,)
    mask : ndarray of bool, shape (H, W) or (N,), optional
        Study area; incidents in units outside it are left out.
    binary : bool
        1 for at least one incident.
    sparse : bool
        Give `SparseCounts` where these are smaller.

    Returns
    -------
    counts : ndarray of uint8, uint16 or uint32, shape (T, H, W) or (T, N)
        The smallest type that leaves its highest value free for "no data".
    left_out : int
        Incidents outside the units, the period or the study area.
    """
    unit = support.locate(incidents.x, incidents.y)
    return count_located(unit, incidents.time, support, edges, mask, binary, sparse)


def count_located(
    unit: NDArray[np.int64],
    time: NDArray[np.datetime64],
    support: Support,
    edges: NDArray[np.datetime64],
    mask: NDArray[np.bool_] | None = None,
    binary: bool = False,
    sparse: bool = False,
) -> tuple[NDArray[Any], int]:
    """Count incidents per bin and unit, where the number of each one's unit is known, -1 for none.

    See `count_incidents`.
    """
    cells = math.prod(support.shape)
    when = timebins.locate(time, edges)
    kept = (unit >= 0) & (when >= 0)
    if mask is not None and not mask.all():
        kept &= mask.ravel()[unit]
    key = when[kept] * cells + unit[kept]
    # Most cells of most maps are empty: counting only the occupied ones leaves the rest of the stack untouched.
    key.sort()
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)
    occupied, number = key[first], np.diff(np.r_[first, len(key)])
    highest = int(number.max(initial=0))
    kind = np.uint8 if binary or highest < 255 else np.uint16 if highest < 65_535 else np.uint32
    left_out = int(len(kept) - kept.sum())
    number = np.minimum(number, 1) if binary else number
    shape = (len(edges) - 1, *support.shape)
    if sparse and is_sparse_smaller(len(occupied), shape, np.dtype(kind)):
        return cast("NDArray[Any]", SparseCounts.place(occupied, number.astype(kind), shape)), left_out
    counts = np.zeros(math.prod(shape), dtype=kind)
    counts[occupied] = number
    return counts.reshape(shape), left_out
