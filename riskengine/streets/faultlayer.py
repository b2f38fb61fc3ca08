"""The layer of faults: points that say what is wrong, and with which features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..contract.routes import FAULTS
from ..contract.tools.base import fields_of
from ..contract.tools.routes import SplitCrossings
from ..ground.tables import Chunk, write_table
from .faults import Faults


def write_faults(path: str | Path, faults: Faults, fids: NDArray[np.int64], crs: str) -> None:
    """Write the layer of faults; `fids` are the ids of the layer's rows, shape (rows,)."""

    def name_rows(rows: NDArray[np.int64]) -> list[int | None]:
        return [None if row < 0 else int(fids[row]) for row in rows.tolist()]

    titles = [FAULTS[kind] for kind in faults.kind.tolist()]
    columns = [faults.kind.tolist(), titles, name_rows(faults.row), name_rows(faults.other), faults.metres]
    chunks = [Chunk(columns, faults.x, faults.y)] if len(faults) else []
    write_table(path, fields_of(SplitCrossings, "faults"), chunks, "point", crs, "faults")
