"""The two ways to flag: cells of a grid by their probability, areas by their incidents per km²."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import Over
from ..measures.flagging import count_flagged_hits
from ..measures.labels import compute_percentile_limits
from ..measures.metrics import MapHits, count_area_hits_by_map
from ..measures.weighted import (
    Best,
    Units,
    compute_density,
    compute_density_limits,
    count_caught_by_place,
    count_dense_flags,
    count_densest_hits,
    find_best,
)


class Flagging:
    """The way of a grid: cells of each map by their probability, in whole cells.

    Parameters
    ----------
    risk, incidents : ndarray, shape (F, N)
        Of the study area.
    threshold : int
    """

    def __init__(self, risk: NDArray[np.float32], incidents: NDArray[Any], threshold: int) -> None:
        self.order: NDArray[Any] = risk
        self.incidents, self.threshold = incidents, threshold

    def count_shares(self, shares: Sequence[float]) -> list[MapHits]:
        """Count what the riskiest shares of each map caught."""
        return count_area_hits_by_map(self.order, self.incidents, shares, self.threshold)

    def find_limits(self, percentiles: Sequence[float], over: Over) -> NDArray[np.float64]:
        """Find the value at each percentile, shape (P,) or (P, F)."""
        return compute_percentile_limits(self.order, percentiles, over)

    def count_flags(self, flagged: NDArray[np.bool_], share: float) -> tuple[MapHits, float]:
        """Count what given flags caught, and the most that as many could have."""
        return count_flagged_hits(flagged, self.incidents, share, self.threshold)


class DenseFlagging(Flagging):
    """The way of areas: those of each map by their incidents per km², the last one in part."""

    def __init__(self, risk: NDArray[np.float32], incidents: NDArray[Any], threshold: int, units: Units) -> None:
        super().__init__(risk, incidents, threshold)
        self.order, self._units = compute_density(risk, units.size), units

    @cached_property
    def _best(self) -> list[Best]:
        return [find_best(row, self._units.size) for row in self.incidents]

    @cached_property
    def _best_of_all(self) -> Best:
        return find_best(self.incidents.ravel(), np.tile(self._units.size, len(self.incidents)))

    def count_shares(self, shares: Sequence[float]) -> list[MapHits]:
        return count_densest_hits(self.order, self.incidents, self._units.size, shares, self.threshold)

    def find_limits(self, percentiles: Sequence[float], over: Over) -> NDArray[np.float64]:
        return compute_density_limits(self.order, self._units.size, percentiles, over)

    def count_flags(self, flagged: NDArray[np.bool_], share: float) -> tuple[MapHits, float]:
        maps = count_dense_flags(flagged, self.incidents, self._units.size, self._best, share, self.threshold)
        assert maps.weights is not None
        return maps, float(self._best_of_all.find(maps.weights.flagged.sum()))

    def count_by_place(self, share: float) -> NDArray[np.float64]:
        """Count what the densest `share` of each map caught in each block of units, shape (F, blocks)."""
        return count_caught_by_place(self.order, self.incidents, self._units, share)


def choose_flagging(
    risk: NDArray[np.float32], incidents: NDArray[Any], threshold: int, units: Units | None
) -> Flagging:
    """Choose the way to flag: that of areas where `units` are given, which are those of the study area."""
    return Flagging(risk, incidents, threshold) if units is None else DenseFlagging(risk, incidents, threshold, units)
