"""What the parts of this system hand on: exposure of edges, ways of a pair, and the check of many pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class RiskField(Protocol):
    """A risk that can be looked up anywhere.

    Attributes
    ----------
    title : str
        What it is, as in "density of 43,210 incidents of 12 months".
    unit : str
        Of the risk, such as "incidents per km² and year"; empty for none.
    step : float
        Metres between two looks at it that miss nothing: a quarter of its kernel, half of a cell.
    notes : tuple of str
        What has to be said of it.
    """

    @property
    def title(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def step(self) -> float: ...
    @property
    def notes(self) -> tuple[str, ...]: ...

    def look_up(self, x: Floats, y: Floats) -> Floats:
        """The risk at places, metres in the working CRS; NaN where it is not known."""
        ...


@dataclass(frozen=True, eq=False)
class EdgeExposure:
    """The exposure of E edges of a network.

    Attributes
    ----------
    exposure : ndarray, shape (E,)
        The risk added up along the edge; where it is not known, the mean of the network's streets stands for it.
    above, outside : ndarray, shape (E,)
        Share of the edge with a risk above `threshold`, and share without a known risk, 0 to 1.
    threshold : float
        The risk at the percentile of all streets, by length.
    mean : float
        The mean risk of all streets, by length.
    step : float
        Metres between two looks; NaN where the exposure is a field of the layer.
    title, unit : str
        Of the risk.
    notes : tuple of str
    """

    exposure: Floats
    above: Floats
    outside: Floats
    threshold: float
    mean: float
    step: float
    title: str
    unit: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Way:
    """One way of a pair.

    Attributes
    ----------
    vertices : ndarray, shape (n, 2)
        From start to end, metres in the working CRS.
    edges : ndarray of int64
        Of the network, in their order; the first and the last one may be gone along in part only.
    parts : ndarray, shape as edges
        The share of each edge that is gone along, 0 to 1.
    metres, minutes : float
        Minutes from length and speed alone.
    exposure : float
        Without any factor for unlit streets.
    cost : float
        What was made little: exposure with unlit streets counted by their factor.
    above, outside, unlit : float
        Shares of the metres: above the percentile, without a known risk, unlit (NaN where the network does not say).
    kind : str
        A key of `contract.routes.WAY_TITLES`.
    """

    vertices: Floats
    edges: NDArray[np.int64]
    parts: Floats
    metres: float
    minutes: float
    exposure: float
    cost: float
    above: float
    outside: float
    unlit: float
    kind: str

    def compute_saved(self, shortest: Way) -> float:
        """Compute the share of the shortest way's exposure that this one saves; NaN where that one has none."""
        return 1 - self.exposure / shortest.exposure if shortest.exposure > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class PairOfPlaces:
    """A start and an end, metres in the working CRS, and what they are called."""

    name: str
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Ways:
    """The efficient ways of a pair, from the shortest to the least exposed.

    Attributes
    ----------
    pair : PairOfPlaces
    ways : tuple of Way
        Empty where there is none; `reason` says why then.
    exact : bool
        Whether they are all there are; False where they were found by weights after the time limit.
    cap : float
        Metres that the longest way may have.
    reason : str
    moved : tuple of float
        Metres from start and end to the streets where the ways begin and end.
    """

    pair: PairOfPlaces
    ways: tuple[Way, ...]
    exact: bool = True
    cap: float = np.nan
    reason: str = ""
    moved: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class DistrictShare:
    """A district, and the shares of all metres of the shortest and of the least exposed ways that lie in it."""

    name: str
    shortest: float
    least: float


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval over pairs and months; NaN for ends that cannot be told."""

    value: float
    low: float = np.nan
    high: float = np.nan


@dataclass(frozen=True, eq=False)
class Delivery:
    """What one risk promised and delivered.

    Attributes
    ----------
    title : str
    promised : Interval
        Sum of the exposures of the less exposed ways ÷ that of the shortest ones.
    delivered : dict of int to Interval
        By metres: incidents of the tested months near the less exposed ways ÷ near the shortest ones, sum over sum.
    gap : Interval
        Promised less delivered within 100 m.
    fewer, more : float
        Shares of the pairs and months with fewer and with more incidents within 100 m; the rest have as many.
    detour : float
        Metres of the less exposed ways ÷ of the shortest ones, sum over sum, less 1.
    counts : dict of int to tuple of int
        By metres: incidents near the less exposed and near the shortest ways.
    control : bool
    """

    title: str
    promised: Interval
    delivered: Mapping[int, Interval]
    gap: Interval
    fewer: float
    more: float
    detour: float
    counts: Mapping[int, tuple[int, int]]
    control: bool = False


@dataclass(frozen=True, eq=False)
class RouteCheck:
    """Many pairs in months not seen.

    Attributes
    ----------
    months : tuple of str
        Tested, such as 2015-06.
    pairs : int
    deliveries : tuple of Delivery
        First that which was asked for, then what stands beside it, then the controls.
    by_detour : tuple of (float, Interval)
        Caps in per cent, and what the risk delivered within 100 m under them.
    districts : tuple of DistrictShare
    repeated : float
        Share of the tested incidents that lie exactly where an earlier one lies.
    notes : tuple of str
    """

    months: tuple[str, ...]
    pairs: int
    deliveries: tuple[Delivery, ...]
    by_detour: tuple[tuple[float, Interval], ...] = ()
    districts: tuple[DistrictShare, ...] = ()
    repeated: float = np.nan
    notes: tuple[str, ...] = field(default=())
