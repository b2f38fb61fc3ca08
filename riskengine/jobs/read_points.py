"""Job: the points of a table of a GeoPackage and some of its fields, as arrays for the plugin."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..ground.tables import has_arrow, read_points
from .models import JobParameters


class Parameters(JobParameters):
    path: str
    table: str
    fields: list[str] = []
    output: str


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Read, and write what `riskengine.ground.tables.read_points` says as ``.npz``.

    Returns
    -------
    dict
        ``rows``; None where the table has more than plain points, or there is no Arrow: then nothing is written.
    """
    arrays = read_points(parameters.path, parameters.table, parameters.fields) if has_arrow() else None
    if arrays is None:
        return {"rows": None}
    with whole_file(parameters.output) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]
    return {"rows": len(arrays["fid"])}
