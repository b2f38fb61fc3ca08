"""Job ``import_csv``: a police CSV becomes incidents and a table of refused rows."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.tools.incidents import ImportIncidents
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..intake.csvfile import CsvFile, open_csv
from ..intake.importing import (
    Layout,
    count_refusals,
    make_empty_error,
    no_collector,
    survey,
    write_incidents,
    write_refused,
)
from ..intake.placecheck import Frame, is_geographic
from ..intake.profiles import Profile, Variant, choose_profile, choose_variant, read_profiles, require_column
from ..intake.profiles.guess import guess_profile
from ..intake.project import read_imported
from ..intake.timecheck import describe_far_times
from ..intake.timesearch import SAMPLE_ROWS

_DEFAULT_CRS = "EPSG:4326"


def run(parameters: ImportIncidents, context: JobContext, now: np.datetime64 | None = None) -> dict[str, Any]:
    """Import a CSV.

    Returns
    -------
    dict
        ``rows`` of the file, ``imported`` and ``refused`` with ``reasons``; ``fields`` (name and type:
        datetime, integer, real or text), ``output`` (the file of the incidents); ``crs``, ``profile``,
        ``encoding``, ``delimiter``, ``first``, ``last``, ``notes``.
    """
    file = open_csv(parameters.path, parameters.encoding, parameters.delimiter, parameters.header)
    profile, variant = _profile(parameters, file)
    if variant is not None and not file.has_header and profile is not None and profile.id in read_profiles():
        raise ParameterError(
            f"{file.path.name} has no header, so no profile can tell its columns",
            parameter="profile",
            value=parameters.profile,
            remedy="Choose 'Columns named by hand' (profile 'columns') and name the columns field_1, field_2, …",
        )
    layout = _layout(parameters, file, profile, variant)
    notes = [*file.notes, *(profile.notes if profile else ()), *(variant.notes if variant else ())]
    if profile and variant:
        context.log(f"Format: {profile.title}, {variant.title}.")
    context.log(f"Encoding {file.encoding}, delimiter {file.delimiter!r}, coordinates in {layout.crs}.")
    with no_collector(), context.step(0.0, 0.5):
        learnt = survey(file, layout, context, now)
    notes += learnt.notes
    for note in notes:
        context.log(note.rstrip(".") + ".")
    reasons = count_refusals(learnt, context, file.path.name)
    fine = learnt.reason == ""
    kept = learnt.times.time[fine]
    if far := describe_far_times(kept, learnt.lines[fine]):
        context.warn(f"{far}.")
    with no_collector(), context.step(0.5, 1.0):
        output = parameters.output or str(Path(parameters.folder) / "incidents.gpkg")
        fields = write_incidents(file, layout, learnt, output, context)
        if parameters.refused:
            write_refused(file, learnt, parameters.refused, context)
    if parameters.inspection:
        from ..report.inspection import write_inspection

        # What was written is what a layer will show.
        look = *read_imported(output, layout.crs), reasons, context
        write_inspection(parameters.inspection, *look, parameter="inspection", name=file.path.name)
    context.progress(1.0)
    return {
        "rows": len(learnt.reason),
        "imported": len(kept),
        "refused": sum(reasons.values()),
        "reasons": reasons,
        "fields": fields,
        "output": output,
        "crs": layout.crs,
        "profile": profile.id if profile else "columns",
        "encoding": file.encoding,
        "delimiter": file.delimiter,
        "first": str(kept.min()),
        "last": str(kept.max()),
        "notes": [note.rstrip(".") + "." for note in notes],
    }


def _profile(parameters: ImportIncidents, file: CsvFile) -> tuple[Profile | None, Variant | None]:
    by_hand = parameters.x is not None and parameters.y is not None and bool(parameters.time)
    if parameters.profile == "columns" or (parameters.profile == "auto" and by_hand):
        return None, None
    if parameters.profile == "auto":
        try:
            return choose_profile(file.header)
        except ParameterError:
            rows = [fields for _, fields in islice(file.read_records(), SAMPLE_ROWS)]
            if not rows:
                # Whatever its columns are called.
                raise make_empty_error(file) from None
            named = (parameters.x, parameters.y, parameters.time, parameters.date_order)
            guessed = guess_profile(file.header, rows, *named)
            if guessed is None:
                raise
            return guessed
    profile = read_profiles()[parameters.profile]
    return profile, choose_variant(profile, file.header)


def _layout(parameters: ImportIncidents, file: CsvFile, profile: Profile | None, variant: Variant | None) -> Layout:
    x = parameters.x or (variant.x if variant else "")
    y = parameters.y or (variant.y if variant else "")
    time = parameters.time or (list(variant.time) if variant else [])
    category = parameters.category or (variant.category if variant else None)
    for name, value in (("x", x), ("y", y), ("time", time)):
        if not value:
            raise ParameterError(
                f"No column is named for {name}; the file has {', '.join(file.header)}",
                parameter=name,
                remedy=f"Name the column of {name}",
            )
    own_crs = (variant.crs if variant else None) or (profile.crs if profile else _DEFAULT_CRS)
    crs = parameters.crs or own_crs
    box = (variant.bbox if variant else None) or (profile.bbox if profile else None)
    named_by_hand = parameters.x or parameters.y
    known_area = box if crs == own_crs and not named_by_hand else None
    return Layout(
        x=require_column(x, file.header, "x"),
        y=require_column(y, file.header, "y"),
        time=tuple(require_column(name, file.header, "time") for name in time),
        category=require_column(category, file.header, "category") if category else None,
        category_names=variant.category_names if variant else {},
        crs=crs,
        frame=Frame(is_geographic(crs), known_area),
        date_order=parameters.date_order,
        usual_order=(variant.date_order if variant else None) or (profile.date_order if profile else None),
    )
