"""Figures of a test of warnings: told apart by line style, marker, hatching and size, never by hue alone."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import MaxNLocator

from ...contract.texts import show_name
from ...evaluation.warned import WarningsJudged
from ...measures.alarms import Group
from ...measures.thresholds import find_share
from ..canvas import make_canvas
from ..figures import (
    OUTSIDE,
    PLOT_STYLE,
    RISK_COLOURS,
    STYLE,
    add_model_legend,
    add_probability_bar,
    choose_model_style,
    label_dates,
    make_figure,
    to_data_uri,
)
from .names import find_words
from .numbers import find_rival, list_drawn, list_units

#: Letters of a name beside a bar; the table has the others.
_LABEL = 28
#: More units than these are drawn as a map, not as bars.
MOST_BARS = 16
#: Nobody warns of more than this part of all windows.
_MOST_SHARE = 0.5
#: True, false, and events that came unwarned: dark, light and hatched, in order in grey too.
_TRUE, _FALSE, _MISSED = "#08306b", "#9ecae1", "#ffffff"
_EDGE = "#222222"
_CAME = "#bdbdbd"
#: Below this share of the windows, and with fewer windows in a bin, a point is chance.
_LEAST_SHARE, _FEWEST = 0.01, 10


def draw_budgets(judged: WarningsJudged) -> str:
    """Draw the share of the events that each budget would have warned of."""
    words = find_words(judged.panel, judged.timing)
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 3.9)
        axes = figure.add_subplot()
        for name in list_drawn(judged):
            curve = judged.trace(name)
            shares, rates = np.r_[0.0, curve.share], np.r_[0.0, curve.recall_events]
            axes.plot(100 * shares, 100 * rates, markevery=0.12, **choose_model_style(name, name == judged.model))
        most = 100 * _MOST_SHARE
        axes.plot([0, most], [0, most], color="#aaa", linewidth=1, zorder=0)
        share = find_share(judged.budget, judged.timing.window, judged.panel.mask.size)
        if share < _MOST_SHARE:
            axes.axvline(100 * share, color="#333", linewidth=1.2, linestyle=":")
            axes.annotate("asked", (100 * share, 0), (4, 6), textcoords="offset points", fontsize=9.5)
        axes.set_xlim(0, most)
        axes.set_ylim(0, None)
        axes.set_xlabel(f"{words.many} warned of, %")
        axes.set_ylabel("events warned of, %")
        add_model_legend(figure, axes)
        return to_data_uri(figure)


def draw_precision(judged: WarningsJudged) -> str:
    """Draw which share of the alarms is true against which share of the windows with an event they come before."""
    words = find_words(judged.panel, judged.timing)
    base = 100 * float((judged.events > 0).mean())
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 3.9)
        axes = figure.add_subplot()
        highest = base
        for name in list_drawn(judged):
            curve = judged.trace(name)
            # The first few alarms are true or false by chance.
            shown = curve.share >= min(_LEAST_SHARE, curve.share[-1])
            recall, precision = 100 * curve.recall[shown], 100 * curve.precision[shown]
            axes.plot(recall, precision, markevery=0.12, **choose_model_style(name, name == judged.model))
            highest = max(highest, float(precision.max()))
        axes.axhline(base, color="#aaa", linewidth=1, zorder=0)
        axes.annotate("at random", (100, base), (-4, 4), textcoords="offset points", fontsize=9.5, ha="right")
        axes.set_xlim(0, 100)
        axes.set_ylim(0, min(highest * 1.1, 100))
        axes.set_xlabel(f"{words.many} with an event warned of, %")
        axes.set_ylabel("alarms that were true, %")
        add_model_legend(figure, axes)
        return to_data_uri(figure)


def draw_reliability(judged: WarningsJudged) -> str:
    """Draw how often what was forecast came true, in ten bins of equal width; larger circles rest on more windows."""
    words = find_words(judged.panel, judged.timing)
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 3.9)
        axes = figure.add_subplot()
        highest = 0.0
        for name in list_drawn(judged):
            found = judged.measure_reliability(name)
            kept = found.count >= _FEWEST
            x, y = 100 * found.predicted[kept], 100 * found.observed[kept]
            style = choose_model_style(name, name == judged.model)
            axes.plot(x, y, **style)
            sizes = 25 + 250 * found.count[kept] / max(found.count.max(initial=1), 1)
            axes.scatter(x, y, s=sizes, marker="o", facecolors="none", edgecolors=style["color"], linewidths=0.8)
            highest = max([highest, *found.predicted[kept], *found.observed[kept]])
        limit = min(max(100 * highest * 1.08, 1.0), 104.0)
        axes.plot([0, limit], [0, limit], color="#888", linewidth=1, zorder=0)
        axes.set_xlim(0, limit)
        axes.set_ylim(0, limit)
        axes.set_xlabel("probability forecast, %")
        axes.set_ylabel(f"{words.many} that had an event, %")
        add_model_legend(figure, axes)
        return to_data_uri(figure)


def draw_months(judged: WarningsJudged) -> str:
    """Draw by month how many windows had an event, and how many were expected to."""
    words = find_words(judged.panel, judged.timing)
    drawn = [name for name in (find_rival(judged, judged.model), judged.model) if name]
    months = {name: judged.group_months(name) for name in drawn}
    first = months[judged.model]
    starts = np.array([each.label for each in first], dtype="datetime64[M]")
    days = starts.astype("datetime64[D]")
    ends = (starts + 1).astype("datetime64[D]")
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.4, 3.3)
        axes = figure.add_subplot()
        widths = (ends - days).astype(float) * 0.86
        middles = days.astype("datetime64[s]") + (ends - days).astype("timedelta64[s]") / 2
        came = [each.alarms.hit for each in first]
        axes.bar(middles, came, width=widths, color=_CAME, edgecolor=_EDGE, linewidth=0.4, label="came")
        for name in drawn:
            style = choose_model_style(name, name == judged.model)
            style["label"] = f"expected by {style['label']}"
            axes.plot(middles, [each.expected for each in months[name]], **style)
        axes.set_ylabel(f"{words.many}\nwith an event, a month", fontsize=10)
        axes.set_ylim(0, None)
        axes.grid(visible=False, axis="x")
        label_dates(axes)
        add_model_legend(figure, axes, 3, 9)
        return to_data_uri(figure)


def draw_units(judged: WarningsJudged) -> str | None:
    """Draw where warnings were raised, and what came: bars of few units, else a map; None of one unit."""
    units = list_units(judged)
    if not units or not any(each.alarms.raised for each in units):
        return None
    return _draw_bars(judged, units) if len(units) <= MOST_BARS else _draw_map(judged, units)


def _draw_bars(judged: WarningsJudged, units: list[Group]) -> str:
    order = sorted(units, key=lambda each: (each.alarms.raised, each.alarms.hit))
    rows = np.arange(len(order))
    true = np.array([each.alarms.true for each in order])
    false = np.array([each.alarms.raised - each.alarms.true for each in order])
    missed = np.array([each.alarms.hit - each.alarms.true for each in order])
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.4, 1.3 + 0.3 * len(order))
        axes = figure.add_subplot()
        line: Any = {"edgecolor": _EDGE, "linewidth": 0.6}
        axes.barh(rows, true, color=_TRUE, label="warned of, and had an event", **line)
        axes.barh(rows, false, left=true, color=_FALSE, label="warned of, had none (false alarm)", **line)
        missed_at = true + false
        axes.barh(rows, missed, left=missed_at, color=_MISSED, hatch="////", label="had an event unwarned", **line)
        axes.set_yticks(rows, [show_name(each.label, _LABEL) for each in order])
        axes.set_xlabel(f"{_name_windows(judged)} of the test")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside upper center", ncols=3, fontsize=9)
        return to_data_uri(figure)


def _draw_map(judged: WarningsJudged, units: list[Group]) -> str:
    """The share of its windows that each unit was warned of, as the alarms were raised."""
    share = np.array([each.alarms.share for each in units])
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        canvas = make_canvas(judged.panel.support)
        height = float(np.clip(canvas.measure_height(4.6) + 0.7, 2.5, 7.0))
        figure = make_figure(6.4, height)
        axes = figure.add_subplot()
        image = canvas.fill(axes, np.ma.masked_array(share), cmap=RISK_COLOURS, vmin=0)
        axes.set_facecolor(OUTSIDE)
        axes.set_xlabel("km")
        axes.set_ylabel("km")
        add_probability_bar(figure, axes, image, f"share of the {_name_windows(judged)} warned of")
        return to_data_uri(figure)


def _name_windows(judged: WarningsJudged) -> str:
    """Name the windows of one unit: ``days``, ``windows``."""
    return find_words(judged.panel, judged.timing).each.partition(" ")[0] + "s"
