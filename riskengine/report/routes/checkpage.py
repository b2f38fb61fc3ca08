"""The page of *Check routes*: what was promised and what was delivered, in months not seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ...contract.routes import NEAR
from ...ground.artefacts import whole_file
from ...systems.routes.results import Delivery, Interval, RouteCheck
from ..html import format_crs, format_number, render
from ..words import format_percent
from . import checkwords, figures, words
from .page import list_district

#: Classes of the verdict's box.
_BOXES = {"fewer": "", "more": "worse", "unsure": "unsure"}


def write_check_page(
    path: str | Path,
    check: RouteCheck,
    parameters: dict[str, Any],
    notes: Sequence[str] = (),
    crs: str = "",
    parameter: str = "report",
) -> None:
    """Write the page.

    Parameters
    ----------
    path : path
    check : RouteCheck
    parameters : dict
        As the job got them, folders hidden.
    notes : sequence of str
        What was said of the data when they were read.
    crs : str
        In which metres were measured.
    """
    text = render("routes_check.html", _collect(check, parameters, notes, crs))
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _collect(check: RouteCheck, parameters: dict[str, Any], notes: Sequence[str], crs: str) -> dict[str, Any]:
    first = check.deliveries[0]
    avoided, gained = words.list_district_changes(check.districts)
    return {
        "verdict": checkwords.describe_check(check),
        "box": _BOXES[checkwords.judge(first.delivered[checkwords.MAIN])],
        "walker": checkwords.describe_for_walker(check),
        "title": first.title,
        "months": checkwords.format_months(check.months),
        "pairs": check.pairs,
        "tiles": _list_tiles(first),
        "gap": checkwords.describe_gap(check),
        "distances": checkwords.describe_distances(check),
        "controls": checkwords.describe_controls(check),
        "near": NEAR,
        "rows": [_list_delivery(each) for each in check.deliveries],
        "chart": figures.draw_deliveries(check),
        "detours_said": checkwords.describe_detours(check),
        "detours": figures.draw_detours(check) if len(check.by_detour) > 1 else None,
        "districts_said": words.describe_districts(check.districts),
        "districts": [list_district(each) for each in (*avoided, *gained)],
        "half": words.WALKER,
        "notes": [*check.notes, *notes],
        "crs": format_crs(crs),
        "parameters": parameters,
    }


def _list_tiles(first: Delivery) -> list[tuple[str, str]]:
    tiles = [
        _make_tile(first.delivered[metres], f"delivered within {metres} m")
        for metres in NEAR
        if metres in first.delivered
    ]
    return [
        *tiles,
        _make_tile(first.promised, "promised"),
        (format_percent(first.fewer, 0), "of the ways with fewer incidents"),
        (format_percent(first.more, 0), "with more"),
    ]


def _make_tile(ratio: Interval, text: str) -> tuple[str, str]:
    bounds = f" ({checkwords.format_bounds(ratio)})" if checkwords.is_bounded(ratio) else ""
    return format_number(ratio.value, 2), f"{text}{bounds}"


def _list_delivery(each: Delivery) -> dict[str, Any]:
    cells = [_format_cell(each.delivered.get(metres), each.counts.get(metres)) for metres in NEAR]
    return {
        "title": each.title,
        "control": each.control,
        "promised": _format_cell(each.promised, None),
        "delivered": cells,
        "fewer": format_percent(each.fewer, 0),
        "more": format_percent(each.more, 0),
        "detour": format_percent(each.detour, 0),
    }


def _format_cell(ratio: Interval | None, counts: tuple[int, int] | None) -> Markup:
    """A ratio, its interval below it and, where there are any, both counts."""
    if ratio is None:
        return Markup("–")
    cell = Markup("{}").format(format_number(ratio.value, 2))
    if checkwords.is_bounded(ratio):
        cell += Markup("<small>{}</small>").format(checkwords.format_bounds(ratio))
    if counts is not None:
        cell += Markup("<small>{} ÷ {}</small>").format(f"{counts[0]:,}", f"{counts[1]:,}")
    return cell
