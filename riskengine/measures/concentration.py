"""Whether few cells hold most of the incidents of a test: then catching nearly all of them says little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: So many cells are few, ...
FEW_CELLS = 3
#: ... and this share of the incidents is most of them.
_MOST = 0.5


@dataclass(frozen=True)
class FewCells:
    """The fewest cells that hold most incidents of a test.

    Attributes
    ----------
    cells : int
        At most `FEW_CELLS`.
    incidents : float
        That lie in them, over all maps.
    """

    cells: int
    incidents: float


def find_few_cells(incidents: NDArray[Any]) -> FewCells | None:
    """Find the fewest cells that hold half of the incidents or more; None where more than `FEW_CELLS` are needed.

    Cells with one incident each are none: of few incidents any half lies in few cells.

    Parameters
    ----------
    incidents : ndarray
        By cell, over all maps of a test.
    """
    total = float(incidents.sum())
    held = np.cumsum(-np.sort(-incidents.ravel())[:FEW_CELLS], dtype=np.float64)
    enough = np.flatnonzero(held >= _MOST * total)
    if not total or not enough.size:
        return None
    few = FewCells(int(enough[0]) + 1, float(held[enough[0]]))
    return few if few.incidents > few.cells else None
