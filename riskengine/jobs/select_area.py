"""Job: the study area that keeps the dense part of the incidents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..contract.dates import format_days
from ..contract.texts import format_amount, part_text
from ..contract.tools.grids import SelectStudyArea
from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..intake.incidents import count_reasons, read_exchange
from ..maps.area import describe_hull, name_strays
from ..maps.counted import tell_counted
from ..maps.hull import draw_hull
from ..maps.study_area import choose_dense_box, describe_empty_area, in_polygons


def run(parameters: SelectStudyArea, context: JobContext) -> dict[str, Any]:
    """Read, choose, say what was left out; write the ids of the incidents inside where asked."""
    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    context.progress(0.3, "Choosing the study area")
    total = len(incidents)
    extent = cell = hull = None
    with context.step(0.3, 1.0):
        if parameters.method == "polygons":
            assert parameters.polygons, "refused by the declaration"
            inside = in_polygons(incidents.x, incidents.y, parameters.polygons, context)
            if not inside.any():
                raise describe_empty_area(total, "polygons")
        elif parameters.method == "hull":
            drawn = draw_hull(incidents.x, incidents.y, parameters.ratio, parameters.buffer)
            inside, hull = drawn.inside, drawn.polygons
            name_strays(incidents.x, incidents.y, incidents.fid, inside, context)
            context.log(describe_hull(drawn))
            context.log(
                "This hull knows where all incidents lie, and a backtest does not draw polygons anew: for an honest one"
                " leave the study area of the hotspot grids empty, or give the city's outline"
            )
        else:
            box = choose_dense_box(
                incidents.x,
                incidents.y,
                parameters.crs,
                events=parameters.events if parameters.method == "events" else None,
                share=parameters.share,
                cell=parameters.cell_size,
                context=context,
            )
            inside, extent, cell = box.inside, list(box.extent), box.cell
            context.log(
                f"The box is {(extent[2] - extent[0]) / 1000:.1f} km x {(extent[3] - extent[1]) / 1000:.1f} km, chosen "
                f"on cells of {format_amount(cell)} m"
            )
    kept, times = int(inside.sum()), incidents.time[inside]
    say = context.warn if kept < total / 2 else context.log
    out = total - kept
    lie, are = ("lies", "is") if out == 1 else ("lie", "are")
    say(f"{part_text(out, total, 'incident')} ({out / total:.1%}) {lie} outside the study area and {are} left out")
    if parameters.kept:
        with whole_file(Path(parameters.kept), "kept") as temporary, temporary.open("wb") as file:
            np.save(file, incidents.fid[inside])
    return {
        "incidents": kept,
        **tell_counted(kept, format_days(times.min(), times.max(), incidents.exactness) if kept else ""),
        "left_out": total - kept,
        "share": kept / total,
        "extent": extent,
        "hull": hull,
        "cell_size": cell,
        "exactness": incidents.exactness,
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }
