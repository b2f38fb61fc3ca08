"""Maps and label plots of the backtest's report; incidents only as numbers per unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ..contract.colours import LABELS as LABEL_COLOURS
from ..contract.dates import format_span
from ..contract.texts import count_text
from ..evaluation.judged import Judged
from ..maps.panel import Panel
from ..measures.labels import LABELS
from .canvas import Canvas, holds_dots, make_canvas
from .figures import OUTSIDE, PLOT_STYLE, RISK_COLOURS, add_probability_bar, make_figure, to_data_uri
from .units import units_of

#: Colour of each label in the order of their codes, as the layer in QGIS has them, where true negatives have none.
COLOURS = tuple(LABEL_COLOURS.get(name, "#ececec") for name in LABELS)
TITLES = {
    "true negative": "not flagged, no incident",
    "correct": "correct: flagged, with an incident",
    "false negative": "missed: an incident, not flagged",
    "false negative, neighbour": "missed, but a neighbour was flagged",
    "false positive": "flagged, no incident",
    "false positive, neighbour": "flagged, incident in a neighbour",
}
#: Rim of the dots of what happened, as the layer in QGIS has it, and those that are too few to count as an event.
_RIM, _NO_EVENT = "#141414", "#999999"
#: Of a map's axes beside its scale, inches.
_MAP_WIDTH = 3.8
#: Codes of the labels of cells that were flagged.
_FLAGGED = [code for code, name in enumerate(LABELS) if name == "correct" or name.startswith("false positive")]
#: Labels of cells in which something happened.
_HAPPENED = ("correct", "false negative, neighbour", "false negative")
#: What each reading of a percentile is called.
READINGS = {"stack": "over the whole test", "map": "over each map"}
#: More dots than this are drawn as one picture.
_MANY_DOTS = 3000


def choose_maps(backtest: Judged) -> dict[str, int]:
    """Choose a quiet, a typical and a busy one of the scored maps, by their number of incidents: places in `maps`."""
    counts, mask = backtest.panel.counts, backtest.panel.mask
    # Map by map: a long stack does not come into memory as a whole.
    total = np.array([counts[number][mask].sum(dtype=np.float64) for number in backtest.maps])
    order = np.argsort(total, kind="stable")
    last = len(order) - 1
    typical = {"typical": int(order[last // 2])}
    if last < 2:
        return typical
    return {"quiet": int(order[round(0.1 * last)]), **typical, "busy": int(order[round(0.9 * last)])}


@dataclass(frozen=True)
class Scale:
    """What maps share that are to be compared.

    Attributes
    ----------
    canvas : Canvas
    top : float
        Risk where the colours end: few units lie above it.
    usual, most : float
        Incidents of a full unit, and of one of the fullest.
    """

    canvas: Canvas
    top: float
    usual: float
    most: float


def choose_common_scale(backtest: Judged, name: str, places: Sequence[int]) -> Scale:
    """Choose the scale of some of the scored maps (their places in `maps`)."""
    risk = backtest.risks[name][list(places)]
    finite = risk[np.isfinite(risk)]
    counts = backtest.panel.counts[backtest.maps[list(places)]][:, backtest.panel.mask]
    full = counts[counts > 0].astype(np.float64)
    return Scale(
        make_canvas(backtest.panel.support),
        max(float(np.quantile(finite, 0.995)), 1e-6) if finite.size else 1.0,
        float(np.quantile(full, 0.95)) if full.size else 1.0,
        float(full.max()) if full.size else 1.0,
    )


def draw_maps(judged: Judged, chosen: Mapping[str, int], labels: NDArray[np.uint8]) -> dict[str, dict[str, Any]]:
    """Draw chosen maps of the model on one scale; by what they are the figure, and what is said of it.

    Beside the numbers of `count_map` that is ``figure``, ``alt`` (for those who do not see) and ``wide``.
    """
    shared = choose_common_scale(judged, judged.model, list(chosen.values()))
    draw = draw_happened_map if shared.canvas.dotted else draw_two_maps
    drawn = {}
    for what, place in chosen.items():
        counted = count_map(judged, place, labels)
        alt = _describe_map(judged, counted, shared.canvas.dotted)
        figure = draw(judged, judged.model, place, shared, labels)
        drawn[what] = {"figure": figure, "alt": alt, "wide": not shared.canvas.dotted, **counted}
    return drawn


def _describe_map(judged: Judged, counted: Mapping[str, Any], dotted: bool) -> str:
    units = units_of(judged.panel)
    what = "forecast probability" if np.isfinite(judged.scores[judged.model].log_loss) else "risk"
    text = f"Map of the {what} per {units.noun}, {counted['span']}, and"
    if not dotted:
        return f"{text} beside it a map of the {units.many} by whether they were flagged and what happened there."
    hit, incidents = count_text(counted["units"], units.noun), count_text(counted["incidents"], "incident")
    return f"{text} dots in the {hit} in which {incidents} happened, coloured by whether the {units.noun} was flagged."


def describe_marks(panel: Panel) -> str:
    """Describe what is marked on the maps of `draw_maps`."""
    units = units_of(panel)
    if holds_dots(panel.support):
        return (
            f"A dot is {units.one} in which something was reported, its area the number of incidents; no incident is"
            " drawn at its own place."
        )
    return (
        f"Left: the forecast. Right: which {units.many} were flagged, and what became of them; no incident is drawn at"
        " its own place."
    )


def count_map(judged: Judged, place: int, labels: NDArray[np.uint8]) -> dict[str, Any]:
    """Count what a caption says of a scored map: incidents, units that had any, flagged units, incidents in those."""
    number = int(judged.maps[place])
    edges, mask = judged.panel.edges, judged.panel.mask
    counts = np.where(mask, judged.panel.counts[number], 0)
    flagged = np.isin(labels[place], _FLAGGED)
    return {
        "span": format_span(edges[number], edges[number + 1]),
        "incidents": int(counts.sum(dtype=np.int64)),
        "units": int((counts > 0).sum()),
        "flagged": int(flagged.sum()),
        "caught": int(counts[flagged].sum(dtype=np.int64)),
    }


def draw_happened_map(backtest: Judged, name: str, place: int, shared: Scale, labels: NDArray[np.uint8]) -> str:
    """Draw what was forecast and what happened: a dot in each unit with incidents, coloured by its label.

    Parameters
    ----------
    name : str
        Of the model.
    place : int
        Of the map among the scored ones.
    shared : Scale
        Of all maps that are to be compared.
    labels : ndarray of uint8, shape (F, H, W)
        Of all scored maps, by that model.
    """
    with mpl.rc_context({**PLOT_STYLE, "axes.grid": False}):
        figure, axes, side = _map_axes(shared.canvas, 0.5)
        risk = np.ma.masked_invalid(backtest.risks[name][place])
        image = shared.canvas.fill(axes, risk, cmap=RISK_COLOURS, vmin=0, vmax=shared.top)
        counts = np.where(backtest.panel.mask, backtest.panel.counts[backtest.maps[place]], 0)
        number = counts[counts > 0].astype(np.float64)
        x, y = shared.canvas.find_middles(counts > 0)
        scale = _dot_scale(shared, side)
        style: Any = {"edgecolors": _RIM, "linewidths": min(0.5, side / 20)}
        happened = [label if label in _HAPPENED else "" for label in map(LABELS.__getitem__, labels[place][counts > 0])]
        dots: Any = {"x": x, "y": y, "rasterized": len(number) > _MANY_DOTS}
        # A white ring tells a dot from a cell of its colour.
        axes.scatter(**dots, s=(np.sqrt(scale * number) + min(3.0, side / 4)) ** 2, color="white", linewidths=0)
        axes.scatter(
            **dots,
            s=scale * number,
            color=[LABEL_COLOURS.get(label, _NO_EVENT) for label in happened],
            **style,
        )
        shown = [(LABEL_COLOURS[label], TITLES[label]) for label in _HAPPENED if label in happened]
        shown += [(_NO_EVENT, "too few to count")] if "" in happened else []
        examples = _examples(shared)
        figure.legend(
            [
                *(axes.scatter([], [], s=50, color=colour, **style) for colour, _ in shown),
                *(axes.scatter([], [], s=scale * each, color="white", **style) for each in examples),
            ],
            [*(title for _, title in shown), *(count_text(each, "incident") for each in examples)],
            loc="outside lower center",
            ncols=2,
            fontsize=9,
            columnspacing=1,
        )
        _add_risk_bar(figure, axes, image, np.isfinite(backtest.scores[name].log_loss))
        return to_data_uri(figure)


def draw_two_maps(backtest: Judged, name: str, place: int, shared: Scale, labels: NDArray[np.uint8]) -> str:
    """Draw what was forecast, and beside it all units by their label; as `draw_happened_map`."""
    with mpl.rc_context({**PLOT_STYLE, "axes.grid": False}):
        height = float(np.clip(shared.canvas.measure_height(_MAP_WIDTH), 2.2, 6.5))
        figure = make_figure(9.6, height + 1.2)
        left, right = figure.subplots(1, 2, sharey=True)
        risk = np.ma.masked_invalid(backtest.risks[name][place])
        image = shared.canvas.fill(left, risk, cmap=RISK_COLOURS, vmin=0, vmax=shared.top)
        for axes in (left, right):
            axes.set_facecolor(OUTSIDE)
            axes.set_xlabel("km")
        left.set_ylabel("km")
        _add_risk_bar(figure, left, image, np.isfinite(backtest.scores[name].log_loss))
        _fill_labels(figure, right, shared.canvas, labels[place], 3)
        return to_data_uri(figure)


def draw_label_map(backtest: Judged, labels: NDArray[np.uint8], place: int) -> str:
    """Draw the six labels of one map."""
    with mpl.rc_context({**PLOT_STYLE, "axes.grid": False}):
        canvas = make_canvas(backtest.panel.support)
        figure, axes, _ = _map_axes(canvas, 0.5)
        _fill_labels(figure, axes, canvas, labels[place], 2)
        return to_data_uri(figure)


def _fill_labels(figure: Figure, axes: Axes, canvas: Canvas, labels: NDArray[np.uint8], columns: int) -> None:
    """Colour all units by their label, with a legend below."""
    shown = np.ma.masked_where(labels >= len(LABELS), labels)
    canvas.fill(axes, shown, cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=len(COLOURS) - 0.5)
    figure.legend(
        [Patch(facecolor=colour, edgecolor="#777", linewidth=0.5) for colour in COLOURS],
        [TITLES.get(name, name) for name in LABELS],
        loc="outside lower center",
        ncols=columns,
        fontsize=8.5,
        columnspacing=1,
    )


def _add_risk_bar(figure: Figure, axes: Axes, image: Any, probable: bool) -> None:
    if probable:
        add_probability_bar(figure, axes, image, "forecast probability", "max")
    else:
        figure.colorbar(image, ax=axes, label="risk", shrink=0.85, extend="max")


def _map_axes(canvas: Canvas, more: float = 0.0) -> tuple[Figure, Axes, float]:
    """A figure for a map, its axes, and the side of a unit in points (about)."""
    height = float(np.clip(canvas.measure_height(_MAP_WIDTH), 2.2, 6.5))
    figure = make_figure(5.6, height + 0.7 + more)
    axes = figure.add_subplot()
    axes.set_facecolor(OUTSIDE)
    axes.set_xlabel("km")
    axes.set_ylabel("km")
    return figure, axes, canvas.measure_side(_MAP_WIDTH, height)


def _dot_scale(shared: Scale, side: float) -> float:
    """Area of the dot of one incident, square points, so that the dot of a full cell fits it where it can be seen."""
    return float(np.clip(0.75 * side**2 / shared.usual, 16.0 / np.sqrt(shared.usual), 60.0))


def _examples(shared: Scale) -> list[int]:
    """Numbers of incidents whose dots the legend shows."""
    most = round(shared.most)
    return sorted({1, max(most // 3, 1), most}) if most > 3 else list(range(1, most + 1))
