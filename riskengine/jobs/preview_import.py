"""Job ``preview_import``: the first rows of a file and how they will be read, before anything is imported."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from pydantic import Field

from ..contract.tools.incidents import ImportIncidents
from ..ground.context import JobContext
from ..ground.errors import CrimeRiskError
from ..intake.columns import Reading, read_input, read_layout
from ..intake.importing import Survey, no_collector, survey
from ..intake.table import Table, fit_width
from .models import model_of

#: Rows that are shown.
SHOWN = 20


class Parameters(model_of(ImportIncidents)):  # type: ignore[misc]
    """Those of *Import incidents*, and how many rows to try; all where none is named."""

    most: int | None = Field(default=None, ge=1)


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Read a file as *Import incidents* would, and write nothing.

    Returns
    -------
    dict
        ``header`` and the first ``rows`` as they stand in the file; ``read``: line, x, y, time and category of these
        rows, and the reason where one would be refused; ``taken``: columns by what they hold, ``crs`` and ``format``;
        ``tried`` rows, whether they are the ``whole`` file, ``refused`` of them by ``reasons``; ``notes``;
        ``problem``: the sentence with which the import would end, or empty.
    """
    file = read_input(parameters, context)
    records = list(islice(file.read_records(), SHOWN))
    shown: dict[str, Any] = {
        "header": file.header,
        "rows": [fields for _, fields in records],
        "read": [],
        "taken": {},
        "tried": 0,
        "whole": False,
        "refused": 0,
        "reasons": {},
        "notes": list(file.notes),
        "problem": "",
    }
    try:
        reading = read_layout(parameters, file)
        shown["taken"] = _list_taken(file, reading)
        with no_collector():
            learnt = survey(file, reading.layout, context, most=parameters.most)
    except CrimeRiskError as error:
        # What can be shown is shown: it is what helps to choose other columns.
        return shown | {"problem": str(error)}
    tried = len(learnt.reason)
    reasons = learnt.count_reasons()
    return shown | {
        "read": [_describe_row(row, fields, learnt, reading, file) for row, (_, fields) in enumerate(records[:tried])],
        "tried": tried,
        "whole": parameters.most is None or tried < parameters.most,
        "refused": sum(reasons.values()),
        "reasons": reasons,
        "notes": [*reading.notes, *learnt.notes],
    }


def _list_taken(file: Table, reading: Reading) -> dict[str, Any]:
    """List which columns were taken for what."""
    layout = reading.layout
    return {
        "format": reading.format,
        "x": file.header[layout.x],
        "y": file.header[layout.y],
        "time": [file.header[column] for column in layout.time],
        "end": [file.header[column] for column in layout.end],
        "id": "" if layout.id is None else file.header[layout.id],
        "category": "" if layout.category is None else file.header[layout.category],
        "crs": layout.crs,
    }


def _describe_row(row: int, fields: list[str], learnt: Survey, reading: Reading, file: Table) -> dict[str, Any]:
    """Describe how one row is read."""
    layout = reading.layout
    fitted = fit_width(fields, len(file.header))
    known = [fitted[each] for each in (layout.category, layout.category_detail) if fitted and each is not None]
    time = learnt.when.times.time[row]
    return {
        "line": int(learnt.lines[row]),
        "x": _to_number(learnt.x[row]),
        "y": _to_number(learnt.y[row]),
        "time": "" if np.isnat(time) else str(time).replace("T", " "),
        "category": layout.name_category(*known) if known else "",
        "reason": str(learnt.reason[row]),
    }


def _to_number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
