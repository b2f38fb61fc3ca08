"""What less exposed ways promised and what they delivered, as ratios of sums with intervals over pairs and months.

Every pair is tested in every month: what a pair's streets are like is the same in all of them, and a month that is easy
is so for all pairs. Both are counted, as `riskengine.measures.crossed` has times and positions of a grid: the variance
over pairs plus that over months, with the degrees of freedom of their sum. A single month leaves pairs alone, and the
interval says nothing of how another month would have been.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.routes import NEAR
from ...measures.crossed import compare_crossed
from .results import Delivery, Floats, Interval

#: Metres within which what was promised is compared with what was delivered, and ways with fewer and more are counted.
JUDGED = 100


@dataclass(frozen=True, eq=False)
class JudgedWays:
    """The less exposed and the shortest ways of P pairs in M months; of each array the less exposed come first.

    Attributes
    ----------
    title : str
        Of the risk.
    exposure, metres : ndarray, shape (2, M, P)
    near : ndarray of int, shape (2, M, P, distances)
        Incidents of the month within each distance of `NEAR`.
    control : bool
    """

    title: str
    exposure: Floats
    metres: Floats
    near: NDArray[np.int64]
    control: bool = False


def describe_delivery(tested: JudgedWays) -> Delivery:
    """Work out what a risk promised and delivered."""
    at = NEAR.index(JUDGED)
    less, short = tested.near[..., at].astype(np.float64)
    promised = compare_ratio(*tested.exposure)
    delivered = {metres: compare_ratio(*tested.near[..., each]) for each, metres in enumerate(NEAR)}
    sums = tested.near.sum(axis=(1, 2))
    return Delivery(
        tested.title,
        promised,
        delivered,
        compare_gap(tested.exposure[0], tested.exposure[1], less, short),
        float((less < short).mean()),
        float((less > short).mean()),
        float(tested.metres[0].sum() / tested.metres[1].sum() - 1),
        {metres: (int(sums[0, each]), int(sums[1, each])) for each, metres in enumerate(NEAR)},
        tested.control,
    )


def compare_ratio(less: NDArray[np.generic], short: NDArray[np.generic]) -> Interval:
    """Compare sums: of the less exposed ways ÷ of the shortest ones, shapes (M, P); NaN where the latter have none."""
    # Pairs are the many, which the other calls times; months the few.
    found = compare_crossed(less.T.astype(np.float64), short.T.astype(np.float64), 1)
    return _bound(found.mean, found.low, found.high)


def compare_gap(exposure: Floats, exposure_short: Floats, near: Floats, near_short: Floats) -> Interval:
    """Compare what was promised with what was delivered: the ratio of exposures less that of incidents, shapes (M, P).

    The interval is that of the difference, each ratio linearised (Cochran 1977, section 6.3): both are of the
    same ways.
    """
    if not exposure_short.sum() or not near_short.sum():
        return Interval(float("nan"))
    promised, delivered = exposure.sum() / exposure_short.sum(), near.sum() / near_short.sum()
    departure = (exposure - promised * exposure_short) / exposure_short.sum()
    departure -= (near - delivered * near_short) / near_short.sum()
    even = np.full(departure.shape, 1 / departure.size)
    found = compare_crossed((departure + (promised - delivered) * even).T, even.T, 1)
    return _bound(float(promised - delivered), found.low, found.high)


def _bound(value: float, low: float, high: float) -> Interval:
    """An interval; NaN for limits that cannot be told."""
    return Interval(value, *(limit if np.isfinite(limit) else float("nan") for limit in (low, high)))
