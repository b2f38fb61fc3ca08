"""Figures of a test of the catch: how much more area would catch, how windows differ, where the places lie."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..contract.colours import list_count_steps, list_shades
from ..contract.dates import name_window
from ..evaluation.judged import Judged
from ..maps.grid import Grid
from .canvas import Canvas, make_canvas
from .catch_numbers import find_rival, find_used_share, read_catch, read_window, trace_catch
from .figures import PLOT_STYLE, add_model_legend, choose_model_style, label_dates, make_figure, to_data_uri
from .units import units_of

#: Study area, and rim of a place that was chosen.
_GROUND, _RIM = "#e3e3e3", "#141414"
#: Side of a chosen cell on a map, points, where it would be smaller; and of a map's axes, inches.
_LEAST_SIDE, _MAP_WIDTH = 4.5, 5.6
#: With more places that had incidents than these, single incidents have no number beside them; with many more, none.
_FEW, _NUMBERED = 20, 60
#: A place whose side has so many points has room for a number.
_ROOMY = 7.0


def draw_sizes_of_catch(judged: Judged) -> str:
    """Draw how many incidents more or less area would have held, for the model and what it is compared with."""
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 3.7)
        axes = figure.add_subplot()
        for name in _list_drawn(judged):
            shares, caught = trace_catch(judged, name)
            axes.plot(100 * shares, caught, markevery=20, **choose_model_style(name, name == judged.model))
        asked = 100 * find_used_share(judged, judged.model)
        axes.axvline(asked, color="#333", linewidth=1.2, linestyle=":")
        axes.annotate("asked", (asked, 0), (4, 6), textcoords="offset points", fontsize=9.5)
        axes.set_xlabel(f"share of the {name_chosen_part(judged)} chosen, %")
        axes.set_ylabel("incidents that fell there")
        axes.set_xlim(0, None)
        axes.set_ylim(0, None)
        add_model_legend(figure, axes)
        return to_data_uri(figure)


def name_chosen_part(judged: Judged) -> str:
    """Name what a share is chosen of: the area, or areas where so many of them were asked for."""
    units, catch = units_of(judged.panel), read_catch(judged).catch
    return units.many if judged.panel.support.kind != "grid" and catch.unit == "units" else units.whole


def draw_windows_of_catch(judged: Judged) -> str | None:
    """Draw how many incidents the places of each window held; None of one window."""
    catch = read_catch(judged)
    if len(catch.starts) < 2:
        return None
    edges = catch.panel.edges
    starts, ends = edges[catch.starts], edges[catch.starts + catch.catch.window]
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 3.7)
        axes = figure.add_subplot()
        for name in _list_drawn(judged):
            caught = catch.models[name].caught.sum(axis=2).mean(axis=0)
            axes.plot(starts + (ends - starts) / 2, caught, **choose_model_style(name, name == judged.model))
        axes.set_ylabel(f"incidents that fell there in a {name_window(read_window(catch)).partition(' ')[0]}")
        axes.set_ylim(0, None)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        label_dates(axes)
        axes.tick_params(axis="x", labelsize=9)
        add_model_legend(figure, axes)
        return to_data_uri(figure)


def draw_places(judged: Judged, place: int = -1) -> str:
    """Draw the places of one window (the last) by the number of incidents that fell there; none at its own place."""
    mask = judged.panel.mask
    chosen = judged.flag_cells()[place]
    counts = judged.counts[place].astype(np.int64)
    with mpl.rc_context({**PLOT_STYLE, "axes.grid": False}):
        canvas = make_canvas(judged.panel.support)
        height = float(np.clip(canvas.measure_height(_MAP_WIDTH), 2.4, 6.6))
        figure = make_figure(_MAP_WIDTH + 1.0, height + 1.0)
        axes = figure.add_subplot()
        axes.set_xlabel("km")
        axes.set_ylabel("km")
        canvas.fill(axes, np.ma.masked_where(~mask, np.zeros(mask.shape)), cmap=ListedColormap([_GROUND]))
        steps, labels = list_count_steps(int(max(counts[chosen].max(initial=1), 1)))
        # The lightest shade of the ramp would look like a place where nothing fell.
        shades = ["#ffffff", *list_shades(len(steps) + 1)[1:]]
        level = np.searchsorted(steps, counts) + (counts > 0)
        side = max(canvas.measure_side(_MAP_WIDTH, height), _LEAST_SIDE)
        if isinstance(judged.panel.support, Grid):
            x, y = canvas.find_middles(chosen)
            order = np.argsort(counts[chosen], kind="stable")
            colours = [shades[each] for each in level[chosen][order].tolist()]
            axes.scatter(x[order], y[order], s=side**2, marker="s", color=colours, edgecolors=_RIM, linewidths=0.6)
        else:
            shown = np.ma.masked_where(~chosen, level)
            canvas.fill(axes, shown, cmap=ListedColormap(shades), vmin=-0.5, vmax=len(shades) - 0.5)
        dark = level > len(steps) / 2
        _number_places(axes, canvas, chosen & (counts > 0), counts, dark if side > _ROOMY else None)
        figure.legend(
            [
                Patch(facecolor=_GROUND, edgecolor="none"),
                *(Patch(facecolor=shade, edgecolor=_RIM, linewidth=0.6) for shade in shades),
            ],
            ["not chosen", "chosen, nothing fell there", *map(_name_step, labels)],
            loc="outside lower center",
            ncols=3,
            fontsize=9,
            columnspacing=1,
        )
        return to_data_uri(figure)


def _number_places(
    axes: Axes, canvas: Canvas, hit: NDArray[np.bool_], counts: NDArray[np.int64], dark: NDArray[np.bool_] | None
) -> None:
    """Write the number of incidents on the places that held any, where they are few enough to be read.

    Parameters
    ----------
    dark : ndarray of bool, optional
        Which places are too dark for black figures; None where all are too small for figures, which stand beside them.
    """
    if hit.sum() > _FEW:
        hit = hit & (counts > 1)
    if hit.sum() > _NUMBERED:
        return
    beside: dict[str, Any] = {"xytext": (3.5, 2.5), "textcoords": "offset points"} if dark is None else {}
    middle: dict[str, Any] = {"ha": "center", "va": "center"} if dark is not None else {}
    light = np.zeros(hit.shape, bool) if dark is None else dark
    for x, y, number, is_dark in zip(*canvas.find_middles(hit), counts[hit].tolist(), light[hit], strict=True):
        colour = "#ffffff" if is_dark else _RIM
        axes.annotate(f"{number:,}", (x, y), fontsize=7, color=colour, **beside, **middle)


def _name_step(label: str) -> str:
    return f"{label} incident{'' if label == '1' else 's'}"


def _list_drawn(judged: Judged) -> list[str]:
    """What is compared with first, and the model on top of it."""
    return [name for name in (find_rival(judged, judged.model), judged.model) if name]
