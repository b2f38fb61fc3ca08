"""Figures of routes: the trade-off of a pair, its ways on a map, and what many pairs delivered."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from ...contract.colours import QUALITATIVE, WAYS
from ...contract.routes import BETWEEN, LEAST, ONLY, SHORTEST, WAY_TITLES
from ...contract.texts import show_name
from ...streets.network import Network
from ...systems.routes.results import Delivery, Interval, RouteCheck, Way, Ways
from ..figures import PLOT_STYLE, STYLE, make_figure, to_data_uri
from . import checkwords, words

#: How each kind is drawn: on top of each other the dashes of the shortest show what both share.
_DASHES = {SHORTEST: (0, (3, 1.6)), BETWEEN: "-", LEAST: "-", ONLY: "-"}
_MARKERS = {SHORTEST: "s", BETWEEN: "o", LEAST: "D", ONLY: "D"}
_WIDTHS = {SHORTEST: 2.4, BETWEEN: 1.2, LEAST: 3.2, ONLY: 3.2}
_STREETS = "#dcdcdc"
#: Inches of the map, and the part of it that is left around the ways.
_MAP, _AROUND = 6.0, 0.08
#: Lengths of a scale bar, metres.
_BARS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
#: Letters of a risk's title beside the chart.
_LABEL = 44
_BLUE, _ORANGE = QUALITATIVE[:2]


def draw_front(found: Ways) -> str:
    """Draw what each way of a pair costs in metres and keeps of the exposure."""
    ways, shortest = found.ways, found.ways[0]
    metres = np.array([way.metres - shortest.metres for way in ways])
    whole = shortest.exposure
    exposure = np.array([100 * way.exposure / whole if whole > 0 else way.exposure for way in ways])
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.4, 3.9)
        axes = figure.add_subplot()
        axes.step(metres, exposure, where="post", color="#b5b5b5", linewidth=1.2, zorder=1)
        for kind in (BETWEEN, SHORTEST, LEAST):
            chosen = [place for place, way in enumerate(ways) if way.kind == kind]
            axes.scatter(
                metres[chosen], exposure[chosen], marker=_MARKERS[kind], color=WAYS[kind], zorder=3,
                s=26 if kind == BETWEEN else 70, label=WAY_TITLES[kind],
            )  # fmt: skip
        axes.set_xlim(-0.04 * max(metres[-1], 1), 1.1 * max(metres[-1], 1))
        axes.set_ylim(0, 1.12 * float(exposure.max()) or 1)
        axes.annotate(
            words.label_way(ways[-1], shortest), (metres[-1], exposure[-1]), (0, -9), textcoords="offset points",
            ha="right", va="top", fontsize=9.5,
        )  # fmt: skip
        axes.set_xlabel("metres longer than the shortest way")
        axes.set_ylabel("exposure, % of the shortest" if whole > 0 else "exposure")
        figure.legend(loc="outside lower center", ncols=3, fontsize=9.5)
        return to_data_uri(figure)


def draw_ways(found: Ways, network: Network | None) -> str:
    """Draw the ways of a pair, north up, above the streets around them."""
    vertices = np.concatenate([way.vertices for way in found.ways])
    around = _AROUND * max(float(np.ptp(vertices, axis=0).max()), 100.0)
    low, high = _square(vertices, around)
    width, height = (high - low).tolist()
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = make_figure(_MAP, min(_MAP * height / width, 7.5) + 0.5)
        axes = figure.add_subplot()
        if network is not None:
            _draw_streets(axes, network, low, high)
        for kind in (BETWEEN, LEAST, ONLY, SHORTEST):
            _draw_kind(axes, [way for way in found.ways if way.kind == kind], kind)
        for place, name in ((vertices[0], "A"), (found.ways[0].vertices[-1], "B")):
            axes.annotate(
                name, place, ha="center", va="center", fontsize=9, fontweight="bold", color="#fff", zorder=9,
                bbox={"boxstyle": "circle,pad=0.25", "facecolor": "#222", "edgecolor": "#fff"},
            )  # fmt: skip
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
        for side in axes.spines.values():
            side.set_visible(False)
        _draw_scale(axes, low, high)
        figure.legend(loc="outside lower center", ncols=3, fontsize=9.5)
        return to_data_uri(figure)


def _square(vertices: NDArray[np.float64], around: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners of a map that holds all vertices and is no more than about twice as wide as high, or as high."""
    low, high = vertices.min(axis=0) - around, vertices.max(axis=0) + around
    sides = high - low
    wanted = np.maximum(sides, sides.max() * np.array([0.8, 0.45]))
    return low - (wanted - sides) / 2, high + (wanted - sides) / 2


def _draw_streets(axes: Axes, network: Network, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """The streets of the map's window, grey."""
    begins = network.first[:-1]
    least, most = (end.reduceat(network.vertices, begins, axis=0) for end in (np.minimum, np.maximum))
    inside = ((most >= low) & (least <= high)).all(axis=1)
    lines = [network.trace(edge) for edge in np.flatnonzero(inside).tolist()]
    axes.add_collection(LineCollection(lines, colors=_STREETS, linewidths=0.7, rasterized=True, zorder=1))


def _draw_kind(axes: Axes, ways: Sequence[Way], kind: str) -> None:
    for number, way in enumerate(ways):
        x, y = way.vertices.T
        axes.plot(
            x, y, color=WAYS[kind], linewidth=_WIDTHS[kind], linestyle=_DASHES[kind], solid_capstyle="round",
            zorder=3, label=WAY_TITLES[kind] if number == 0 else None,
        )  # fmt: skip


def _draw_scale(axes: Axes, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """A bar of a round length, lower left."""
    width, height = (high - low).tolist()
    bar = max((each for each in _BARS if each <= width / 4), default=_BARS[0])
    x, y = low[0] + 0.03 * width, low[1] + 0.025 * height
    axes.plot([x, x + bar], [y, y], color="#333", linewidth=2.2, solid_capstyle="butt", zorder=8)
    axes.annotate(
        words.format_metres(bar), (x + bar / 2, y), (0, 4), textcoords="offset points", ha="center", fontsize=8.5,
        zorder=8, bbox={"boxstyle": "square,pad=0.1", "facecolor": "#ffffffcc", "edgecolor": "none"},
    )  # fmt: skip


def draw_deliveries(check: RouteCheck) -> str:
    """Draw what each risk promised and delivered within the main distance, with intervals; 1 is no gain."""
    shown = check.deliveries
    places = np.arange(len(shown))
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.4, 1.7 + 0.42 * len(shown))
        axes = figure.add_subplot()
        axes.axvline(1, color="#222", linewidth=1)
        _draw_intervals(
            axes, places - 0.12, [each.delivered[checkwords.MAIN] for each in shown], _BLUE, "o", "delivered"
        )
        _draw_intervals(axes, places + 0.18, [each.promised for each in shown], _ORANGE, "s", "promised")
        axes.set_yticks(places, [_name_risk(each) for each in shown], fontsize=9.5)
        for label, each in zip(axes.get_yticklabels(), shown, strict=True):
            label.set_color("#666" if each.control else "#111")
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0, None)
        axes.set_xlabel(f"less exposed ÷ shortest ways, within {checkwords.MAIN} m; left of 1 is fewer")
        figure.legend(loc="outside lower center", ncols=2, fontsize=9.5)
        return to_data_uri(figure)


def _name_risk(each: Delivery) -> str:
    return f"{show_name(each.title, _LABEL)} (control)" if each.control else show_name(each.title, _LABEL)


def _draw_intervals(
    axes: Axes, places: NDArray[np.floating], found: Sequence[Interval], colour: str, marker: str, label: str
) -> None:
    value = np.array([each.value for each in found])
    reach = np.abs([[each.value - each.low for each in found], [each.high - each.value for each in found]])
    axes.errorbar(
        value, places, xerr=np.nan_to_num(reach), fmt=marker, color=colour, markersize=6, elinewidth=1.6, capsize=3,
        label=label,
    )  # fmt: skip


def draw_detours(check: RouteCheck) -> str:
    """Draw what the risk delivered under each cap."""
    found = sorted(check.by_detour)
    caps, ratios = [cap for cap, _ in found], [ratio for _, ratio in found]
    reach = np.abs([[each.value - each.low for each in ratios], [each.high - each.value for each in ratios]])
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.4, 3.2)
        axes = figure.add_subplot()
        axes.axhline(1, color="#222", linewidth=1)
        axes.errorbar(
            caps, [each.value for each in ratios], yerr=np.nan_to_num(reach), color=_BLUE, marker="o", capsize=3,
            linewidth=1.2,
        )  # fmt: skip
        axes.set_xlim(0, 1.08 * caps[-1])
        top = max((each.high if math.isfinite(each.high) else each.value) for each in ratios)
        axes.set_ylim(0, max(1.1, 1.05 * top))
        axes.set_xticks(caps, [f"{cap:g} %" for cap in caps])
        axes.set_xlabel("cap on detour")
        axes.set_ylabel("delivered")
        return to_data_uri(figure)
