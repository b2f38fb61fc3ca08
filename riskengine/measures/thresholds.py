"""Alarms: which windows of units are warned of under a budget, and what that was worth.

Forecasts are probabilities of at least one event, of F windows (in time order) and N units.

Two ways to spend a budget. *The most likely of the whole test* are known only when it is over, but compare models at
exactly the same number of alarms; those that tie at the limit share what is left of the budget, so that the order of
units and windows decides nothing, and a constant is worth the base rate. *The threshold that follows the last 28 days*
is how alarms are raised: it is a quantile of what the model itself forecast for the windows that began in the 28 days
before, and a window is warned of where its probability lies above it. What ties at the limit is not warned of, for a
budget is a limit: a probability that never changes raises no alarm. Neither does one that hardly does, as that of a
constant whose level drifts: forecasts that differ by less than `HARDLY` tell no windows apart, and only one that stands
out of all of them by as much is warned of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.warnings import HOURS_OF_DAY, HOURS_OF_WEEK, TRAILING_DAYS, Budget
from ..ground.context import JobContext

Array = NDArray[np.float64]

#: Share of the highest forecast of 28 days by which they differ at least, or else they rank nothing. On Baltimore those
#: of a constant differ by up to 2.5 %, those of models that know an hour, a weekday or a place by 17 % or more.
HARDLY = 0.03


def find_share(budget: Budget, window: int, units: int) -> float:
    """Find the share of all windows of units that a budget has alarms for, at most 1; NaN of a ratio of costs.

    Parameters
    ----------
    budget : Budget
    window : int
        Hours of a window.
    units : int
    """
    if budget.kind == "cost":
        return float("nan")
    share = budget.size if budget.kind == "share" else budget.size * window / (HOURS_OF_WEEK * units)
    return min(share, 1.0)


def find_paying(ratio: float) -> float:
    """Find the probability from which a warning pays, when a miss costs `ratio` times as much as a false alarm."""
    return 1.0 / (1.0 + ratio)


def choose_most(risk: NDArray[Any], budget: Budget, window: int) -> Array:
    """Choose the windows that are warned of when the whole test is known: the most likely, or where it pays.

    Parameters
    ----------
    risk : ndarray, shape (F, N)
    budget : Budget
    window : int
        Hours of a window.

    Returns
    -------
    ndarray, shape (F, N)
        1 where an alarm is raised, 0 where not, and between where windows of one probability share the last alarms.
    """
    if budget.kind == "cost":
        # In double precision, as alarms are raised: a forecast kept in single precision may lie just below what pays.
        return np.asarray(risk.astype(np.float64) >= find_paying(budget.size), dtype=np.float64)
    wanted = find_share(budget, window, risk.shape[1]) * risk.size
    if not wanted:
        return np.zeros(risk.shape)
    ranked = np.sort(risk, axis=None)[::-1]
    limit = ranked[max(int(np.ceil(wanted - 1e-9)), 1) - 1]
    above, level = risk > limit, risk == limit
    part = (wanted - above.sum()) / level.sum()
    return np.asarray(above + part * level, dtype=np.float64)


def find_thresholds(earlier: NDArray[Any], budgets: Sequence[Budget], window: int, units: int) -> Array:
    """Find the probabilities above which a window is warned of, one for each budget, shape (B,).

    Were the next window one like the earlier ones, it would lie above with the budget's probability: of n forecasts
    that at rank share × (n + 1) from above, between two of them by interpolation. Of fewer than 1 / share there is no
    such rank: the highest is taken, above which the next lies more often than the budget has it.

    Parameters
    ----------
    earlier : ndarray
        What the model forecast for the windows of the last `TRAILING_DAYS`; without any nothing is warned of, but by
        budgets that ask for no threshold: a ratio of costs, or one of everything.
    budgets : sequence of Budget
    window : int
        Hours of a window.
    units : int
    """
    return _follow(np.asarray(earlier).ravel(), *_read_budgets(budgets, window, units))


def _read_budgets(budgets: Sequence[Budget], window: int, units: int) -> tuple[Array, Array]:
    """Read the limits of budgets that follow nothing, and the shares of those that do, NaN elsewhere, each (B,)."""
    shares = np.array([find_share(each, window, units) for each in budgets])
    # Where it just pays is warned of, too.
    found = [np.nextafter(find_paying(each.size), 0.0) if each.kind == "cost" else np.inf for each in budgets]
    limits = np.where(shares >= 1, -np.inf, np.array(found))
    return limits, np.where((shares > 0) & (shares < 1), shares, np.nan)


def _follow(values: NDArray[Any], fixed: Array, shares: Array) -> Array:
    """Find the limits of all budgets, shape (B,), from earlier forecasts, shape (n,)."""
    follow, number, limits = np.isfinite(shares), len(values), fixed.copy()
    if not number or not follow.any():
        return limits
    place = np.clip(number - shares[follow] * (number + 1), 0, number - 1)
    low = place.astype(np.int64)
    high = np.minimum(low + 1, number - 1)
    ranked = np.partition(values, [0, *low.tolist(), *high.tolist(), number - 1])
    least, most = float(ranked[0]), float(ranked[-1])
    if number > 1 and 0 < most - least < HARDLY * most:
        limits[follow] = (1 + HARDLY) * most
        return limits
    below, above = ranked[low].astype(np.float64), ranked[high].astype(np.float64)
    limits[follow] = below + (place - low) * (above - below)
    return limits


def find_threshold(earlier: NDArray[Any], budget: Budget, window: int, units: int) -> float:
    """Find the probability above which a window is warned of under one budget; see `find_thresholds`."""
    return float(find_thresholds(earlier, [budget], window, units)[0])


def count_trailing(window: int) -> int:
    """Count the windows, of so many hours, whose forecasts a threshold follows; at least one."""
    return max(TRAILING_DAYS * HOURS_OF_DAY // window, 1)


def raise_alarms(
    risk: NDArray[Any],
    numbers: NDArray[np.int64],
    first: int,
    budgets: Sequence[Budget],
    window: int,
    context: JobContext | None = None,
) -> NDArray[np.bool_]:
    """Raise alarms as they come: each window's threshold follows what was forecast for those before it.

    Parameters
    ----------
    risk : ndarray, shape (W, N)
        Forecasts of windows in time order, some of them before those that are judged.
    numbers : ndarray of int, shape (W,)
        Of the windows, counted on through gaps.
    first : int
        Number of the first window that is judged.
    budgets : sequence of Budget
    window : int
        Hours of a window.
    context : JobContext, optional

    Returns
    -------
    ndarray of bool, shape (B, F, N)
        For each budget, of the windows from `first` on.
    """
    context = context or JobContext()
    begin, back = int(np.searchsorted(numbers, first)), count_trailing(window)
    raised = np.zeros((len(budgets), len(numbers) - begin, risk.shape[1]), dtype=bool)
    fixed, shares = _read_budgets(budgets, window, risk.shape[1])
    for row, since in enumerate(np.searchsorted(numbers, numbers[begin:] - back).tolist(), begin):
        context.progress((row - begin) / (len(numbers) - begin))
        limits = _follow(risk[since:row].ravel(), fixed, shares)
        raised[:, row - begin] = risk[row] > limits[:, None]
    return raised
