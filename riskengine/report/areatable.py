"""The table of an evaluation's areas: each with its risk, its incidents and its label, a row for every bin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.tools.base import fields_of
from ..contract.tools.shared import Judges
from ..evaluation.judged import Judged
from ..ground.context import JobContext
from ..ground.tables import Chunk, write_table
from ..maps.shapes import Shapes
from ..measures.labels import LABELS


def write_judged_areas(path: str, judged: Judged, labels: NDArray[np.uint8], context: JobContext) -> int:
    """Write every area of the study area and scored bin as a polygon with what was forecast and what happened.

    Parameters
    ----------
    path : str
    judged : Judged
        Of areas.
    labels : ndarray of uint8, shape (F, N)
        As `Judged.label_cells` gives them.

    Returns
    -------
    int
        Rows.
    """
    areas, inside = judged.panel.support, np.flatnonzero(judged.panel.mask)
    assert isinstance(areas, Shapes), "a grid's labels are a raster"
    ids, names, packed = areas.ids, areas.names, areas.pack_shapes()
    shapes = [packed[number] for number in inside]
    fields = fields_of(Judges, "by_area")
    edges = np.array(judged.edges, dtype="datetime64[s]").reshape(-1, 2)
    counts, risk = judged.counts, judged.risks[judged.model]
    flagged: NDArray[Any] = judged.flag_cells()
    if judged.catch is not None:
        # The last may be covered in part.
        flagged = judged.catch.models[judged.model].parts

    def chunks() -> Iterator[Chunk]:
        for place, (start, end) in enumerate(edges):
            context.progress(place / len(edges))
            values = {
                "id": [ids[number] for number in inside],
                "name": [names[number] for number in inside],
                "start": np.full(len(inside), start),
                "end": np.full(len(inside), end),
                "risk": risk[place, inside].astype(np.float64).round(8),
                "incidents": counts[place, inside].astype(np.int64),
                "flagged": flagged[place, inside].astype(np.float64),
                "label": [LABELS[label] for label in labels[place, inside].tolist()],
            }
            yield Chunk([values[name] for name in fields], shapes=shapes)

    return write_table(path, fields, chunks(), areas.table_geometry, areas.crs, "by_area")
