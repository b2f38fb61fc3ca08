"""Job: join a table to incidents by date, hour, key or location."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..contract.texts import count_text, list_names, show_name
from ..contract.tools.joincontext import JoinContext
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.wholetables import read_whole_table, write_whole_table
from ..intake.filekinds import find_layers
from ..systems.outcomes.context.joining import join_context
from ..systems.outcomes.context.tables import AnyTable, read_text_table

#: Names that a line of the log lists.
_LISTED = 40


def run(parameters: JoinContext, context: JobContext) -> dict[str, Any]:
    """Read incidents and table, join them, write the incidents with the new fields."""
    check_folder(parameters.output)
    context.progress(0.0, "Reading the table")
    table = _read_table(parameters, context)
    context.progress(0.1, "Reading the incidents")
    incidents = read_whole_table(parameters.incidents)
    with context.step(0.3, 0.7):
        joined = join_context(parameters, incidents, table, context)
    context.progress(0.7, "Writing the incidents")
    names = write_whole_table(parameters.output, incidents, joined.fields, joined.columns)
    context.log(f"{count_text(len(names), 'field')} added: {list_names(names, _LISTED)}")
    found = int(joined.found.sum())
    return {
        "joined": found,
        "without": len(incidents) - found,
        "added": len(names),
        "names": "; ".join(names),
        "way": joined.way,
        "abstract": " ".join(f"{sentence}." for sentence in (f"Joined {joined.way}", *joined.notes)),
    }


def _read_table(parameters: JoinContext, context: JobContext) -> AnyTable:
    """Read a text as it was published; a layer, also one given as a file, as GDAL does."""
    path = parameters.file or str(parameters.table)
    if parameters.file and not find_layers([path]):
        return read_text_table(path, context)
    table = read_whole_table(path, "file" if parameters.file else "table")
    name = show_name(parameters.source or Path(path).name)
    context.log(f"{name}: {count_text(len(table), 'row')}, {count_text(len(table.fields), 'column')}")
    return table
