"""Job ``import_csv``: a police CSV becomes incidents and a table of refused rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..contract.dates import format_days
from ..contract.texts import count_text
from ..contract.tools.incidents import ImportIncidents
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..intake.columns import describe_ids, make_format, read_input, read_layout
from ..intake.exactness import describe_exactness, find_exactness
from ..intake.importing import (
    count_refusals,
    no_collector,
    plan_output,
    refuse_known,
    survey,
    write_incidents,
    write_refused,
)
from ..intake.profiles.own import write_format
from ..intake.project import read_imported
from ..intake.repeats import IN_LAYER, KnownRows
from ..intake.straycheck import describe_strays
from ..intake.timecheck import describe_far_times
from ..maps.counted import tell_counted


def run(parameters: ImportIncidents, context: JobContext, now: np.datetime64 | None = None) -> dict[str, Any]:
    """Import a CSV.

    Returns
    -------
    dict
        ``rows`` of the file, ``imported``, ``merged`` and ``refused`` with ``reasons``; ``fields`` (name and type:
        datetime, integer, real or text), ``output`` (the file of the incidents); ``crs``, ``profile``,
        ``encoding``, ``delimiter``, ``first``, ``last``, ``exactness``, ``notes``.
    """
    if parameters.save_profile:
        check_folder(parameters.save_profile, "save_profile")
    file = read_input(parameters, context)
    reading = read_layout(parameters, file)
    profile, layout, notes = reading.profile, reading.layout, reading.notes
    if reading.format:
        context.log(f"Format: {reading.format}.")
    context.log(f"{file.describe_way()}, coordinates in {layout.crs}.")
    if layout.id is None and (shared := describe_ids(file, layout)):
        context.warn(f"{shared}.")
    with no_collector(), context.step(0.0, 0.5):
        learnt = survey(file, layout, context, now)
    notes += learnt.notes
    for note in notes:
        context.log(note.rstrip(".") + ".")
    reasons = count_refusals(file, learnt, context)
    for warning in learnt.when.warnings:
        context.warn(f"{warning}.")
    kept = learnt.find_kept()
    times = learnt.when.times.time[kept]
    exactness = find_exactness(times, "month" if learnt.when.times.months else "")
    context.log(f"{describe_exactness(times, exactness)}.")
    if far := describe_far_times(times, learnt.lines[kept]):
        context.warn(f"{far}.")
    if strays := describe_strays(learnt.x[kept], learnt.y[kept], learnt.lines[kept], layout.crs):
        context.warn(f"{strays}.")
    merged = 0 if learnt.extra is None else int(learnt.extra.sum())
    if merged:
        context.log(
            f"{count_text(merged, 'row was', 'rows were')} merged into another of the same"
            f" {file.header[layout.id or 0]}: the first one stays."
        )
    output = parameters.output or str(Path(parameters.folder) / "incidents.gpkg")
    with no_collector(), context.step(0.5, 1.0):
        plan = plan_output(file, layout, learnt, context)
        if parameters.known:
            known = KnownRows(parameters.known, layout.crs, list(plan.types))
            if there := refuse_known(file, layout, learnt, plan, known, context):
                reasons[IN_LAYER] = there
                row, rows = "row is in the layer already and is", "rows are in the layer already and are"
                context.log(f"{count_text(there, row, rows)} not appended again.")
        fields = write_incidents(file, layout, learnt, plan, output, context)
        if parameters.refused:
            write_refused(file, learnt, parameters.refused, context)
    if parameters.inspection:
        from ..report.inspection import write_inspection

        # What was written is what a layer will show.
        look = *read_imported(output, layout.crs), reasons, context
        write_inspection(parameters.inspection, *look, parameter="inspection", name=file.name)
    if parameters.save_profile:
        write_format(make_format(parameters, file, reading), parameters.save_profile)
        context.log(f"The format was saved as {parameters.save_profile}: name it as PROFILE_FILE to read such files.")
    times = learnt.when.times.time[learnt.find_kept()]
    context.progress(1.0)
    return {
        "rows": len(learnt.reason),
        "imported": len(times),
        "merged": merged,
        "refused": sum(reasons.values()),
        "reasons": reasons,
        "fields": fields,
        "output": output,
        "crs": layout.crs,
        "profile": profile.id if profile else "columns",
        "encoding": file.encoding,
        "delimiter": file.delimiter,
        "first": str(times.min()) if len(times) else "",
        "last": str(times.max()) if len(times) else "",
        **tell_counted(len(times), format_days(times.min(), times.max(), exactness) if len(times) else ""),
        "exactness": exactness,
        "notes": [note.rstrip(".") + "." for note in notes],
    }
