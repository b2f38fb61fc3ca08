"""The page of *Less exposed routes*: what each way costs and saves, as a chart, on a map and in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...contract.routes import WAY_TITLES
from ...contract.texts import show_name
from ...ground.artefacts import whole_file
from ...streets.network import Network
from ...systems.routes.results import DistrictShare, EdgeExposure, Way, Ways
from ..html import format_crs, render
from ..words import format_percent
from . import figures, words

#: Pairs with a chart and a map of their own; of more than these only the table tells.
MOST_SHOWN = 5
#: Rows of the table of pairs; the layer has all.
MOST_PAIRS = 200


def write_routes_page(
    path: str | Path,
    ways: Sequence[Ways],
    exposure: EdgeExposure,
    parameters: dict[str, Any],
    districts: Sequence[DistrictShare] = (),
    network: Network | None = None,
    notes: Sequence[str] = (),
    crs: str = "",
    parameter: str = "report",
) -> None:
    """Write the page.

    Parameters
    ----------
    path : path
    ways : sequence of Ways
        One a pair, also those without a way.
    exposure : EdgeExposure
        Of the risk: its title, step, threshold.
    parameters : dict
        As the job got them, folders hidden.
    districts : sequence of DistrictShare
    network : Network, optional
        Drawn in grey below the ways.
    notes : sequence of str
        What was said of the data when they were read.
    crs : str
        Of the lengths on the map.
    """
    text = render("routes.html", _collect(ways, exposure, parameters, districts, network, notes, crs))
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _collect(
    found: Sequence[Ways],
    exposure: EdgeExposure,
    parameters: dict[str, Any],
    districts: Sequence[DistrictShare],
    network: Network | None,
    notes: Sequence[str],
    crs: str,
) -> dict[str, Any]:
    served = [each for each in found if each.ways]
    avoided, gained = words.list_district_changes(districts)
    return {
        "opening": words.describe_many(found),
        "walker": words.WALKER,
        "tiles": _list_tiles(served),
        "shown": [_show_pair(each, network, len(found) > 1) for each in served[:MOST_SHOWN]],
        "unlit": any(way.unlit >= 0 for each in served for way in each.ways),
        "outside": any(way.outside > 0 for each in served for way in each.ways),
        "pairs": [_list_pair(each) for each in served[:MOST_PAIRS]] if len(served) > 1 else [],
        "more": max(len(served) - MOST_PAIRS, 0),
        "unserved": [(each.pair.name, each.reason) for each in found if not each.ways],
        "districts_said": words.describe_districts(districts),
        "districts": [list_district(each) for each in (*avoided, *gained)],
        "risk_said": words.describe_exposure(exposure),
        "minutes": words.MINUTES,
        "notes": [*exposure.notes, *notes],
        "crs": format_crs(crs),
        "parameters": parameters,
    }


def _list_tiles(served: Sequence[Ways]) -> list[tuple[str, str]]:
    """What stands at the top, of one pair alone or of all added up."""
    if not served:
        return []
    if len(served) == 1:
        shortest, least = served[0].ways[0], served[0].ways[-1]
        saved = least.compute_saved(shortest)
        return [
            (words.format_metres(shortest.metres), "the shortest way"),
            (f"+{words.format_metres(least.metres - shortest.metres)}", "more along the least exposed one"),
            (format_percent(saved, 0), "less exposed to reported crime"),
            (str(len(served[0].ways)), "to choose from"),
        ]
    totals = [[sum(getattr(each.ways[end], name) for each in served) for end in (0, -1)] for name in _ADDED]
    (metres, least_metres), (exposed, least_exposed) = totals
    return [
        (str(len(served)), "pairs with a way"),
        (
            f"+{format_percent(least_metres / metres - 1, 0)}" if metres else "–",
            "more metres along the least exposed ways",
        ),
        (format_percent(1 - least_exposed / exposed, 0) if exposed else "–", "less exposed to reported crime"),
    ]


_ADDED = ("metres", "exposure")


def _show_pair(found: Ways, network: Network | None, opened: bool) -> dict[str, Any]:
    """A pair with its chart, its map and all its ways; of a single one the page has told the sentence already."""
    shortest, opening = found.ways[0], [words.describe_ways(found)] if opened else []
    front = [words.describe_front(found)] if len(found.ways) > 1 or not found.exact else []
    return {
        "name": f"Pair {show_name(found.pair.name)}" if opened else "The ways",
        "said": [*opening, *front, *words.describe_moved(found)],
        "chart": figures.draw_front(found) if len(found.ways) > 1 else None,
        "map": figures.draw_ways(found, network),
        "rows": [_list_way(way, shortest) for way in found.ways],
    }


def _list_way(way: Way, shortest: Way) -> dict[str, str]:
    saved = way.compute_saved(shortest)
    added = way.metres - shortest.metres
    return {
        "kind": WAY_TITLES.get(way.kind, way.kind),
        "metres": f"{way.metres:,.0f}",
        "minutes": f"{way.minutes:,.0f}",
        "added": f"{added:,.0f}",
        "added_part": format_percent(added / shortest.metres) if shortest.metres else "–",
        "saved": format_percent(saved),
        "above": format_percent(way.above),
        "unlit": format_percent(way.unlit),
        "outside": format_percent(way.outside),
    }


def _list_pair(found: Ways) -> dict[str, str]:
    row = _list_way(found.ways[-1], found.ways[0])
    return {**row, "name": found.pair.name, "shortest": f"{found.ways[0].metres:,.0f}", "ways": str(len(found.ways))}


def list_district(district: DistrictShare) -> tuple[str, str, str, str]:
    """A row of the table of districts: name, shares of the shortest and of the least exposed ways, their change."""
    change = f"{100 * (district.least - district.shortest):+.1f}".replace("-", "\N{MINUS SIGN}")
    return district.name, format_percent(district.shortest), format_percent(district.least), change
