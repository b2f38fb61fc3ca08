"""Job: the study area that keeps the dense part of the incidents."""

from __future__ import annotations

from typing import Any, Literal

from ..context import JobContext
from ..errors import ParameterError
from ..incidents import count_reasons, read_exchange
from ..study_area import SHARE, dense_box, inside_polygons
from ..times import Order
from . import JobParameters


class Parameters(JobParameters):
    incidents: str
    crs: str
    method: Literal["share", "events", "polygons"] = "share"
    share: float = SHARE
    events: int = 10
    cell_size: float | None = None
    polygons: list[dict[str, Any]] | None = None
    date_order: Order = "auto"


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Read, choose, say what was left out."""
    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    context.progress(0.3, "Choosing the study area")
    total = len(incidents)
    extent = cell = None
    if parameters.method == "polygons":
        if not parameters.polygons:
            raise ParameterError(
                "The method is polygons, but there are none",
                parameter="polygons",
                remedy="Give a polygon layer, or choose another method",
            )
        kept = int(inside_polygons(incidents.x, incidents.y, parameters.polygons).sum())
    else:
        with context.step(0.3, 1.0):
            found = dense_box(
                incidents.x,
                incidents.y,
                parameters.crs,
                events=parameters.events if parameters.method == "events" else None,
                share=parameters.share,
                cell=parameters.cell_size,
                context=context,
            )
        kept, extent, cell = found.incidents, list(found.extent), found.cell
        context.log(
            f"The box is {(extent[2] - extent[0]) / 1000:.1f} km x {(extent[3] - extent[1]) / 1000:.1f} km, chosen on "
            f"cells of {cell:g} m"
        )
    say = context.warn if kept < total / 2 else context.log
    say(f"{total - kept:,} of {total:,} incidents ({1 - kept / total:.1%}) lie outside the study area and are left out")
    return {
        "incidents": kept,
        "left_out": total - kept,
        "share": kept / total,
        "extent": extent,
        "cell_size": cell,
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }
