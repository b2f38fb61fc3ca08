"""Which units catch most, as wards, squares or hexagons, at the same flagged area: a sentence, a table, a chart."""

from __future__ import annotations

import math
from typing import Any

import matplotlib as mpl

from ..contract.colours import QUALITATIVE
from ..contract.texts import count_text, show_name
from ..contract.units import SIZES, noun_of
from ..evaluation.beside import UnitsJudged
from ..evaluation.judged import Judged
from ..evaluation.scoring import AREA_SHARE, Hits
from .figures import PLOT_STYLE, make_figure, to_data_uri
from .words import format_caught, format_figure, format_share, inner_title_of

#: Kinds of units are told apart by these, beside their colours.
_DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def choose_compared(judged: Judged) -> str:
    """Choose the model by which kinds of units are compared: the one compared first, where it ran on all; else any."""
    hits = judged.compared[0].hits
    return judged.model if judged.model in hits else next(iter(hits))


def describe_kind(units: UnitsJudged) -> str:
    """Describe a kind of units: its name, how many, and how large half of them are."""
    size = SIZES[units.kind]
    return f"{count_text(units.units, noun_of(units.kind))}, half of them below {format_figure(units.size)} {size}"


def find_compared_hits(units: UnitsJudged, name: str) -> Hits:
    """Find what a model caught on a kind of units at the share of the headline."""
    return next(each for each in units.hits[name] if each.at == AREA_SHARE)


def describe_units_compared(judged: Judged) -> str:
    """Say which kind of units catches most at the same flagged area; empty where none were compared."""
    if not judged.compared:
        return ""
    name = choose_compared(judged)
    rates = {each.title: find_compared_hits(each, name) for each in judged.compared}
    first = judged.compared[0]
    flagged = f"{format_figure(first.km2[first.shares.index(AREA_SHARE)])} {SIZES[first.kind]}"
    if {"segments"} & {each.kind for each in judged.compared[1:]} and first.kind != "segments":
        flagged += " (of segments the same share of their length)"
    ranked = sorted(rates, key=lambda title: -_rate(rates[title]))
    most, least = rates[ranked[0]], rates[ranked[-1]]
    if not most.area.incidents:
        return f"With the same {flagged} flagged on every kind of units nothing could be caught: no incident happened."
    return (
        f"With the same {flagged} flagged, {inner_title_of(name)} catches most on {show_name(ranked[0])}"
        f" ({format_share(most.area.hit_rate)}, {format_caught(most.area)}) and least on {show_name(ranked[-1])}"
        f" ({format_share(least.area.hit_rate)}, {format_caught(least.area)}). Smaller units follow the incidents more"
        " closely; where places were snapped, units finer than the snapping flatter."
    )


def _rate(hits: Hits) -> float:
    return hits.area.hit_rate if math.isfinite(hits.area.hit_rate) else -1.0


def draw_units_compared(judged: Judged) -> str:
    """Draw the share of incidents caught against the area flagged, the same for a line of each kind of units."""
    name = choose_compared(judged)
    first = judged.compared[0]
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.4, 3.6 + 0.24 * -(-len(judged.compared) // 2))
        axes = figure.add_subplot()
        for number, units in enumerate(judged.compared):
            rates = [100 * hits.area.hit_rate for hits in units.hits[name]]
            style = {"linestyle": _DASHES[number % len(_DASHES)], "marker": _MARKERS[number % len(_MARKERS)]}
            colour, label = QUALITATIVE[number % len(QUALITATIVE)], show_name(units.title)
            width = 2.4 if units is first else 1.4
            axes.plot([0, *units.km2], [0, *rates], color=colour, linewidth=width, markersize=4, label=label, **style)
        axes.axvline(first.km2[first.shares.index(AREA_SHARE)], color="#888", linewidth=1, linestyle=":")
        axes.set_xlabel(f"{SIZES[first.kind]} flagged")
        axes.set_ylabel("incidents caught, %")
        axes.set_xlim(0, None)
        axes.set_ylim(0, None)
        figure.legend(loc="outside upper center", ncols=2, fontsize=9)
        return to_data_uri(figure)
