"""Which places to go to when so much can be covered: those where most is expected, for what they cost.

A cost is what going to a unit takes of what can be covered: its km², or 1 where units are counted. Cells, and whatever
is counted, are flagged whole, as many as fit and at least one; of areas measured in km² the last one is flagged in
part. Units that tie at the edge share what is left: the expectation over all ways to break the tie. Who is sent out
goes to whole units (`choose_whole`): the first of those that tie, and none in part.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.aims import Catch
from ..maps.aims import find_flagged_share, measure_costs
from ..maps.grid import Grid
from ..maps.panel import Panel
from .metrics import Array
from .weighted import find_best

#: Sums of costs that differ by rounding alone are equal.
_ROUNDING = 1e-9


def flag_places(expected: NDArray[Any], cost: Array, share: float, whole: bool) -> Array:
    """Flag the units of which most is expected for their cost, until a share of all costs is used.

    Parameters
    ----------
    expected : ndarray, shape (N,)
        Incidents, of each unit of the study area; finite.
    cost : ndarray, shape (N,)
        Units that cost nothing are never flagged.
    share : float
        In (0, 1].
    whole : bool
        Units are flagged whole, and cost the same each; else the last one in part.

    Returns
    -------
    ndarray, shape (N,)
        How much of each unit is flagged, in [0, 1].

    Examples
    --------
    >>> flag_places(np.array([5.0, 1.0, 1.0, 0.0]), np.ones(4), 0.5, True).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    parts = np.zeros(len(expected))
    able = np.flatnonzero(cost > 0)
    if not len(able):
        return parts
    worth = expected[able].astype(np.float64) / cost[able]
    wanted = _find_room(cost[able], share, whole)
    order = np.argsort(-worth, kind="stable")
    used = np.cumsum(cost[able[order]])
    last = min(int(np.searchsorted(used, wanted * (1 - _ROUNDING))), len(order) - 1)
    edge = worth[order[last]]
    before, tied = worth > edge, worth == edge
    left = wanted - float(cost[able[before]].sum())
    parts[able[before]] = 1.0
    parts[able[tied]] = min(max(left / float(cost[able[tied]].sum()), 0.0), 1.0)
    return parts


def choose_whole(expected: NDArray[Any], cost: Array, share: float, whole: bool) -> NDArray[np.int64]:
    """Choose units as `flag_places` flags them, but none in part: at least one, and the first of those that tie.

    Returns
    -------
    ndarray of int, shape (M,)
        Their numbers, the one with most expected for its cost first.

    Examples
    --------
    >>> choose_whole(np.array([1.0, 1.0, 5.0, 0.0]), np.ones(4), 0.5, True).tolist()
    [2, 0]
    """
    able = np.flatnonzero(cost > 0)
    worth = expected[able].astype(np.float64) / cost[able]
    order = able[np.argsort(-worth, kind="stable")]
    used, room = np.cumsum(cost[order]), _find_room(cost[able], share, whole)
    return order[: max(int(np.searchsorted(used, room * (1 + _ROUNDING), side="right")), 1)]


def choose_units(expected: NDArray[Any], panel: Panel, catch: Catch) -> NDArray[np.int64]:
    """Choose the whole units of a panel to go to, in the order of their ranks.

    Of equal ones the first is taken: cells by row and column, areas by their ids.

    Parameters
    ----------
    expected : ndarray, shape (...)
        Incidents expected in the window, of the shape of the units; what lies outside the study area is not read.

    Returns
    -------
    ndarray of int, shape (M,)
        Their numbers in the order of a flat array.
    """
    inside, costs = np.flatnonzero(panel.mask), measure_costs(catch, panel)
    order = np.arange(len(inside))
    if not isinstance(panel.support, Grid):
        order = np.argsort(np.array(panel.support.ids, dtype=object)[inside], kind="stable")
    wanted = np.asarray(expected).ravel()[inside[order]]
    return inside[order[choose_whole(wanted, costs.each[order], find_flagged_share(catch, panel), costs.whole)]]


def _find_room(cost: Array, share: float, whole: bool) -> float:
    """How much of all costs, of units that cost anything, may be used: of whole units what those that fit cost."""
    wanted = share * float(cost.sum())
    if not whole or not len(cost):
        return wanted
    return float(cost[0]) * min(max(int(wanted / float(cost[0]) + _ROUNDING), 1), len(cost))


def count_most(counts: NDArray[Any], cost: Array, used: float) -> float:
    """Count the most incidents that units which cost so much together could have held: n*, the last one in part."""
    return float(find_best(counts, cost).find(np.array([used]))[0])


def measure_stability(parts: NDArray[Any], size: Array) -> Array:
    """Measure the share of what was flagged in a window that is flagged in the next one too.

    Parameters
    ----------
    parts : ndarray, shape (F, N)
    size : ndarray, shape (N,)

    Returns
    -------
    ndarray, shape (F - 1,)
    """
    kept = [float(np.minimum(one, other) @ size) for one, other in pairwise(parts)]
    flagged = parts[:-1] @ size
    return np.asarray(np.divide(kept, flagged, out=np.full(len(kept), np.nan), where=flagged > 0))
