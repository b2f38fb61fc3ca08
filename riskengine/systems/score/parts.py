"""Many places, worked on a part at a time: neighbours together, a thread per core, cancellable."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from ...ground.context import JobContext
from ...learning.threads import workers

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Side of the square tiles places are worked on in, metres: memory stays bounded whatever the area.
TILE = 16_000.0
#: Places worked on at once, at most.
CHUNK = 32_768
#: For fewer places than this threads are not worth starting: a click on the map is answered sooner without.
_FEW = 1000
#: Within a tile places are ordered by strips of cells of this size, metres.
_CELL = 500.0


def list_parts(x: Floats, y: Floats) -> list[Rows]:
    """List rows of places, tile by tile, neighbours together: search trees answer those faster, and so do caches."""
    if not len(x):
        return []
    column, row = (np.floor(axis / TILE).astype(np.int64) for axis in (x, y))
    tile = (row - row.min()) * (column.max() - column.min() + 1) + column - column.min()
    across, up = (np.floor(axis / _CELL).astype(np.int64) for axis in (x, y))
    per_side = int(TILE / _CELL)
    key = (tile * per_side + up % per_side) * per_side + across % per_side
    order = np.argsort(key, kind="stable")
    edges = np.flatnonzero(np.diff(tile[order])) + 1
    return [rows[start : start + CHUNK] for rows in np.split(order, edges) for start in range(0, len(rows), CHUNK)]


def work_on_parts(
    function: Callable[[Rows], None],
    parts: list[Rows],
    context: JobContext,
    text: str = "Looking at the incidents around each place",
) -> None:
    """Call a function with every part, a thread per core.

    The function writes what it finds into arrays of its own: parts share no row.

    Raises
    ------
    Cancelled
        As soon as the parts at work are done.
    """
    total = sum(map(len, parts))
    if total < _FEW:
        for part in parts:
            function(part)
            context.progress(1.0, text)
        return
    done = 0
    # Scipy's filters and numpy's arithmetic let other threads run meanwhile.
    with workers(torch.device("cpu")) as pool:
        futures = [pool.submit(function, part) for part in parts]
        try:
            for future, part in zip(futures, parts, strict=True):
                future.result()
                done += len(part)
                context.progress(done / total, text)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
