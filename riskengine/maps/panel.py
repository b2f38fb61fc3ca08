"""A panel: counts of incidents by units of space and bins of time, and what was known when."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..intake.incidents import Incidents
from . import bins as timebins
from .support import Support

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Extras:
    """Layers beside the counts; the units have shape (H, W) on a grid, (N,) elsewhere.

    Attributes
    ----------
    static : ndarray of float32, shape (S, H, W)
        Layers that do not change with time, as distances or population; finite.
    static_names : tuple of str
    channels : ndarray, shape (C, T, H, W)
        Counts of other stacks in the same bins, as one category each; known only when their bin is over.
    channel_names : tuple of str
    """

    static: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.float32))
    static_names: tuple[str, ...] = ()
    channels: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0, 0), dtype=np.uint8))
    channel_names: tuple[str, ...] = ()

    def before(self, origin: int) -> Extras:
        """The static layers, and the channels' maps before map number `origin`."""
        return Extras(self.static, self.static_names, self.channels[:, :origin], self.channel_names)


@dataclass
class Panel:
    """Counts by bin and unit.

    The units of a grid have shape (H, W), those of areas and segments (N,); below, (...) stands for it.

    Attributes
    ----------
    counts : ndarray of integers or float32, shape (T, ...)
        float32 only where maps were interpolated; a large stack is a file on disk seen as an array.
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

    def __post_init__(self) -> None:
        if not self.observed.size:
            self.observed = np.ones(len(self.counts), dtype=bool)

    def __len__(self) -> int:
        return len(self.counts)

    def before(self, origin: int) -> Self:
        """The bins before bin number `origin`: what a forecast made there may know."""
        return replace(
            self,
            counts=self.counts[:origin],
            edges=self.edges[: origin + 1],
            observed=self.observed[:origin],
            extras=self.extras.before(origin),
        )


def count_incidents(
    incidents: Incidents,
    support: Support,
    edges: NDArray[np.datetime64],
    mask: NDArray[np.bool_] | None = None,
    binary: bool = False,
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

    Returns
    -------
    counts : ndarray of uint8, uint16 or uint32, shape (T, H, W) or (T, N)
        The smallest type that leaves its highest value free for "no data".
    left_out : int
        Incidents outside the units, the period or the study area.
    """
    cells = math.prod(support.shape)
    cell = support.locate(incidents.x, incidents.y)
    when = timebins.locate(incidents.time, edges)
    kept = (cell >= 0) & (when >= 0)
    if mask is not None and not mask.all():
        kept &= mask.ravel()[cell]
    key = when[kept] * cells + cell[kept]
    # Most cells of most maps are empty: counting only the occupied ones leaves the rest of the stack untouched.
    key.sort()
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)
    occupied, number = key[first], np.diff(np.r_[first, len(key)])
    highest = int(number.max(initial=0))
    kind = np.uint8 if binary or highest < 255 else np.uint16 if highest < 65_535 else np.uint32
    counts = np.zeros((len(edges) - 1) * cells, dtype=kind)
    counts[occupied] = 1 if binary else number
    return counts.reshape(len(edges) - 1, *support.shape), int(len(kept) - kept.sum())
