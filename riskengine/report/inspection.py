"""The report of a look at incidents, before anything is computed from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.dates import format_moment
from ..contract.texts import show_name, show_names
from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..intake.findings import Finding, list_findings
from ..intake.incidents import Incidents
from ..intake.inspection import Inspection, inspect_incidents
from ..intake.timecheck import find_far_times
from ..maps.suggested import Suggested, suggest_parameters
from . import inspection_words as words
from .html import format_crs, render
from .openings import describe_incidents
from .period import draw_monthly_chart
from .place_figures import draw_counts_map
from .words import format_percent

#: Rows of a table of categories or strays.
_ROWS = 15
#: Colours of the emptiest and the fullest hour, and how far between them text on them becomes white.
_LIGHT, _DARK, _WHITE_FROM = (238, 244, 250), (0, 80, 130), 0.65


def write_inspection(
    path: str | Path,
    incidents: Incidents,
    crs: str,
    reasons: Mapping[str, int],
    context: JobContext,
    reported: NDArray[np.datetime64] | None = None,
    parameter: str = "report",
    name: str = "",
) -> dict[str, Any]:
    """Look at incidents and write the report; returns its figures.

    Parameters
    ----------
    path : path
    incidents : Incidents
        What can be used.
    crs : str
        In which they are in metres.
    reasons : mapping of str to int
        How many could not be used, for what.
    context : JobContext
        Told what to know first.
    reported : ndarray of datetime64[s], optional
        When each was reported.
    parameter : str
        What a sentence calls the path.
    name : str
        Of the layer or file.
    """
    incidents = dataclasses.replace(incidents, categories=show_names(incidents.categories))
    context.progress(0.0, "Looking at the incidents")
    inspection = inspect_incidents(incidents, reported)
    far = find_far_times(incidents.time)
    context.progress(0.6, "Writing the report")
    suggested = suggest_parameters(incidents.select(~far), _without(inspection, far), crs)
    bins = f"1 {suggested.bin_unit}"
    findings = list_findings(incidents, suggested.cell, bins, inspection.places)
    refused = sum(reasons.values())
    said = {
        "times": words.describe_times(inspection, int(far.sum())),
        "months": words.describe_months(suggested),
        "hours": words.describe_hours(inspection),
        "categories": words.describe_categories(inspection),
        "refusals": words.describe_refusals(refused, len(incidents)),
        "places": words.describe_places(inspection, findings),
        "strays": words.describe_strays(incidents, inspection, suggested),
        "duplicates": words.describe_duplicates(inspection),
        "delay": words.describe_delay(inspection, reported is not None),
    }
    warnings = [each.warning for each in said.values() if each.warning]
    patrols = [finding for finding in findings if finding.kind == "categories"]
    warnings += ["Some categories are found by patrols rather than reported by victims."] if patrols else []
    near = np.ones(len(incidents), dtype=bool)
    near[inspection.strays.rows] = False
    x, y = incidents.x[near], incidents.y[near]
    size, when = (float(np.ptp(x)), float(np.ptp(y))), words.describe_span(inspection)
    counts_map, side = draw_counts_map(x, y, suggested.cell)
    values = {
        "opening": describe_incidents(name, len(incidents), when, size, refused, len(warnings)),
        "map": counts_map,
        "map_cell": f"{side:,.0f} m",
        "name": show_name(name) if name else "",
        "total": len(incidents),
        "refused": refused,
        "reasons": [(reason, number, format_percent(number / refused)) for reason, number in reasons.items()],
        "inspection": inspection,
        "said": said,
        "warnings": warnings,
        "far": _list_far(incidents, far),
        "chart": draw_monthly_chart(suggested.period),
        "hours": None if inspection.hours is None else _colour_hours(inspection.hours),
        "categories": inspection.categories[:_ROWS],
        "more": inspection.categories[_ROWS:],
        "patrols": patrols,
        "artefacts": [finding for finding in findings if finding.kind != "categories"],
        "strays": _list_strays(incidents, inspection),
        "crs": format_crs(crs),
        "lines": suggested.lines,
        "reasons_of": words.explain_parameters(inspection, suggested),
    }
    text = render("inspection.html", values)
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")
    context.log(said["times"].found)
    for warning in warnings:
        context.log(warning)
    context.log(f"Parameters that suit these incidents: {', '.join(suggested.lines)}")
    return _figures(inspection, suggested, patrols, len(incidents))


def _without(inspection: Inspection, far: NDArray[np.bool_]) -> Inspection:
    """The inspection with its strays counted among the incidents that are not far in time."""
    rows, distance = inspection.strays.rows, inspection.strays.distance
    kept = ~far[rows]
    moved = (np.cumsum(~far) - 1)[rows[kept]]
    return dataclasses.replace(
        inspection, strays=dataclasses.replace(inspection.strays, rows=moved, distance=distance[kept])
    )


def _figures(inspection: Inspection, suggested: Suggested, patrols: list[Finding], total: int) -> dict[str, Any]:
    delay = inspection.delay
    return {
        "incidents": total,
        "first": str(inspection.first),
        "last": str(inspection.last),
        "exactness": inspection.exactness,
        "categories": len(inspection.categories),
        "uncategorised": inspection.uncategorised,
        "duplicates": inspection.duplicates.rows,
        "repeats": inspection.places.repeats,
        "strays": len(inspection.strays.rows),
        "patrol_share": float(patrols[0].figures.get("share", 0.0)) if patrols else 0.0,
        "delay_median": delay.median if delay is not None and delay.known else -1.0,
        "bin_unit": suggested.bin_unit,
        "cell_size": suggested.cell,
        "start": str(suggested.period.start),
        "end": str(suggested.period.end),
    }


def _list_far(incidents: Incidents, far: NDArray[np.bool_]) -> list[tuple[int, str]]:
    rows = np.flatnonzero(far)[:_ROWS]
    return [(int(incidents.fid[row]), format_moment(incidents.time[row], incidents.exactness)) for row in rows]


def _list_strays(incidents: Incidents, inspection: Inspection) -> list[tuple[int, str, str, str, str]]:
    """Feature, place to 100 m, distance from the middle, time and category of the farthest."""
    listed = []
    strays = inspection.strays
    for row, distance in zip(strays.rows[:_ROWS].tolist(), strays.distance.tolist(), strict=False):
        code = int(incidents.category[row])
        place = f"{round(incidents.x[row], -2):.0f}, {round(incidents.y[row], -2):.0f}"
        name = incidents.categories[code] if code >= 0 else "–"
        moment = format_moment(incidents.time[row], inspection.exactness)
        listed.append((int(incidents.fid[row]), place, f"{distance / 1000:,.1f} km", moment, name))
    return listed


def _colour_hours(hours: NDArray[np.int64]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """For each weekday the shares of its hours in per cent, and the colours behind and of the text."""
    rows = []
    low, high = int(hours.min()), int(hours.max())
    for weekday, counts in zip(words.WEEKDAYS, hours, strict=True):
        cells = []
        for count in counts.tolist():
            part = (count - low) / max(high - low, 1)
            mixed = [round(light + (dark - light) * part) for light, dark in zip(_LIGHT, _DARK, strict=True)]
            text = "#fff" if part >= _WHITE_FROM else "#1d2126"
            cells.append((f"{100 * count / hours.sum():.1f}", "#" + "".join(f"{part:02x}" for part in mixed), text))
        rows.append((weekday, cells))
    return rows
