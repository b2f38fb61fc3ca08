"""Hotspot grids of cells twice as wide, each made of four."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ground.bigarrays import make_empty_stack
from .heatmaps import Heatmaps
from .panel import Extras
from .sparsecounts import keep_sparse

#: A cell belongs to the study area where so many of its four do.
_HALF = 2


def merge_cells(heatmaps: Heatmaps) -> Heatmaps:
    """Merge four cells each, from the north-western corner on; layers and further channels are left out."""
    old = heatmaps.grid
    grid = replace(old, cell=2 * old.cell, columns=-(-old.columns // 2), rows=-(-old.rows // 2))
    mask = _sum_fours(heatmaps.mask, grid.shape) >= _HALF
    kind = np.dtype(heatmaps.counts.dtype)
    if kind.kind in "ui" and not heatmaps.binary and int(heatmaps.counts.max(initial=0)) * 4 >= np.iinfo(kind).max:
        kind = np.dtype(np.uint32)
    counts = make_empty_stack((len(heatmaps), *grid.shape), kind)
    for number, band in enumerate(heatmaps.counts):
        merged = _sum_fours(np.where(heatmaps.mask, band, 0), grid.shape) * mask
        counts[number] = merged > 0 if heatmaps.binary else merged
    return keep_sparse(replace(heatmaps, counts=counts, mask=mask, support=grid, extras=Extras()))


def _sum_fours(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float64]:
    rows, columns = shape
    whole = np.zeros((2 * rows, 2 * columns))
    whole[: values.shape[0], : values.shape[1]] = values
    return np.asarray(whole.reshape(rows, 2, columns, 2).sum(axis=(1, 3)))
