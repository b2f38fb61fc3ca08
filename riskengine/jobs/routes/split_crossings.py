"""Job: cut street lines where they cross, touch or share a vertex."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from ...contract.texts import count_text
from ...contract.tools.routes import SplitCrossings
from ...ground.artefacts import check_folder
from ...ground.context import JobContext
from ...ground.wholetables import write_whole_table
from ...streets.building import join_lines
from ...streets.crossings import SplitLines, split_lines
from ...streets.faultlayer import write_faults
from ...streets.faults import Faults, find_faults
from ...streets.reading import Streets, read_streets

#: The field of the pieces that says which feature they are of.
_LINE = "line"


def run(parameters: SplitCrossings, context: JobContext) -> dict[str, Any]:
    """Read the lines, cut them, write the pieces with all fields of their lines."""
    for key in ("output", "faults"):
        if path := getattr(parameters, key):
            check_folder(path, key)
    context.progress(0.0, "Reading the streets")
    streets = read_streets(parameters, context)
    context.progress(0.3, "Cutting the streets")
    made = split_lines(
        streets.parts, streets.levels[streets.row], streets.to_metres, streets.from_metres, parameters.tolerance
    )
    before = _look_over(streets, streets.parts, streets.row, context)
    after = _look_over(streets, made.pieces, streets.row[made.line], context)
    context.progress(0.7, "Writing the streets")
    for sentence in _describe(made, before, after, len(streets.parts)):
        context.log(sentence)
    if parameters.output:
        rows = streets.row[made.line]
        shapes = np.asarray(shapely.to_wkb(made.pieces), dtype=object)
        table = streets.table.reshape(rows, shapes, "LineString")
        write_whole_table(parameters.output, table, {_LINE: "long"}, [streets.table.fids[rows]])
    if parameters.faults:
        write_faults(parameters.faults, after, streets.table.fids, streets.crs)
    return {
        "pieces": len(made.pieces),
        "crossings": made.crossings,
        "touches": made.touches,
        "snapped": made.snapped,
        "kept_apart": made.kept_apart,
        "components": after.components,
    }


def _look_over(streets: Streets, lines: Any, row: Any, context: JobContext) -> Faults:
    network = join_lines(streets, lines, row)
    return find_faults(network, streets.levels, streets.empty, streets.parted, context)


def _describe(made: SplitLines, before: Faults, after: Faults, lines: int) -> list[str]:
    """Say what was joined, and what is still wrong."""
    told = [
        f"{count_text(len(made.pieces), 'piece')} of {count_text(lines, 'line')}: "
        f"{count_text(made.crossings, 'crossing')} and {count_text(made.touches, 'touching end')} joined, "
        f"{count_text(made.snapped, 'end')} moved"
    ]
    if made.kept_apart:
        told.append(f"{count_text(made.kept_apart, 'crossing')} of bridges and tunnels kept apart")
    told.append(f"Parts that are not connected with each other: {before.components:,} before, {after.components:,} now")
    return told + [f"Still there: {sentence}" for sentence in after.describe_left()]
