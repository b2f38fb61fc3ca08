"""Figures of the backtest's report: told apart by line style, marker and size, never by hue alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.scale import FuncScale
from numpy.typing import NDArray

from ..evaluation.judged import Judged
from ..measures.compare import Difference
from .claims import find_catcher
from .figures import PLOT_STYLE, choose_line_style, label_dates, make_figure, to_data_uri
from .units import units_of

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#595959"
#: Models whose difference is larger than this many times the middle one are drawn at the edge of the figure.
_FAR = 6.0
#: The hit-rate curve ends here: nobody patrols more.
_MOST_AREA = 30


def draw_hit_rate_curves(backtest: Judged) -> str:
    """Draw the share of incidents caught against the share of the area flagged."""
    names = [name for name, score in backtest.scores.items() if score.area.cells]
    with mpl.rc_context(PLOT_STYLE):
        figure = _tall_enough(len(names))
        axes = figure.add_subplot()
        most = float(_MOST_AREA)
        for name in _on_top(backtest, names, find_catcher(backtest)):
            curve = [hits for hits in backtest.scores[name].curve if hits.cells]
            shares = [0.0] + [100 * hits.flagged_share for hits in curve]
            # One cell of few may be more than that already.
            most = max([most, *shares[1:2]])
            rates = [0.0] + [100 * hits.hit_rate for hits in curve]
            axes.plot(shares, rates, **_line(backtest, name, find_catcher(backtest)))
        axes.plot([0, most], [0, most], color="#aaa", linewidth=1, zorder=0)
        axes.set_xlabel(f"{units_of(backtest.panel).whole} flagged, %")
        axes.set_ylabel("incidents caught, %")
        axes.set_xlim(0, most)
        axes.set_ylim(0, None)
        _legend(figure, axes, names)
        return to_data_uri(figure)


def draw_reliability_curves(backtest: Judged) -> str:
    """Draw the observed share against predicted probability; root scales, so that rare events are seen."""
    names = _scored(backtest)
    with mpl.rc_context(PLOT_STYLE):
        figure = _tall_enough(len(names))
        axes = figure.add_subplot()
        highest = 1e-4
        for name in _on_top(backtest, names, backtest.best_baseline):
            bins = backtest.scores[name].reliability
            axes.plot(bins.predicted, bins.observed, **_line(backtest, name, backtest.best_baseline))
            highest = max([highest, *bins.predicted, *bins.observed])
        axes.plot([0, highest], [0, highest], color="#888", linewidth=1, zorder=0)
        steps = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0)
        ticks = [0.0, *(step for step in steps if highest / 120 <= step <= highest * 1.02)]
        for axis, limit in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
            set_root_scale(axis)
            axis.set_ticks(ticks, [f"{100 * tick:.3g}" for tick in ticks])
            limit(0, highest * 1.04)
        axes.minorticks_off()
        axes.set_xlabel("predicted probability, % (root scale)")
        axes.set_ylabel(f"{units_of(backtest.panel).many} that had an incident, %")
        _legend(figure, axes, names)
        return to_data_uri(figure)


def draw_differences(compared: dict[str, Difference], names: dict[str, str], model: str) -> str:
    """Draw the difference of each model to the best baseline with its interval; those far away stand at the edge.

    Parameters
    ----------
    compared : dict of str to Difference
        By model.
    names : dict of str to str
        What they are called.
    model : str
        Drawn bold.
    """
    order = sorted(
        (name for name in compared if np.isfinite(compared[name].mean)), key=lambda name: compared[name].mean
    )
    middle = float(np.median([abs(compared[name].mean) for name in order])) if order else 0.0
    near = [name for name in order if abs(compared[name].mean) <= _FAR * middle] or order
    shown = [compared[name] for name in near]
    ends = [end for each in shown for end in (each.mean, each.low, each.high) if np.isfinite(end)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = 0.06 * max(high - low, 1e-9)
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.4, 1.1 + 0.34 * max(len(order), 1))
        axes = figure.add_subplot()
        for row, name in enumerate(order):
            each, style = compared[name], choose_line_style(name)
            if name not in near:
                edge, mark = (low, "<") if each.mean < 0 else (high, ">")
                axes.plot(edge, row, mark, color=GREY, markersize=8)
                side = "left" if each.mean < 0 else "right"
                axes.annotate(
                    f"{each.mean:+.4f}".replace("-", "−"),
                    (edge, row),
                    (8 if side == "left" else -8, 0),
                    textcoords="offset points",
                    ha=side,
                    va="center",
                    fontsize=9.5,
                )
                continue
            if np.isfinite(each.low):
                axes.plot([each.low, each.high], [row, row], color=style["color"], linewidth=3 if name == model else 2)
            axes.plot(each.mean, row, style["marker"], color=style["color"], markersize=9 if name == model else 7)
        axes.axvline(0, color="#333", linewidth=1.2)
        axes.set_xlim(low - room, high + room)
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.set_yticks(range(len(order)), [names[name] for name in order])
        for label, name in zip(axes.get_yticklabels(), order, strict=True):
            label.set_fontweight("bold" if name == model else "normal")
        axes.grid(visible=False, axis="y")
        axes.ticklabel_format(axis="x", useOffset=False)
        axes.set_xlabel("← better        log-loss minus that of the best baseline        worse →")
        return to_data_uri(figure)


def draw_difference_over_time(backtest: Judged, name: str, other: str) -> str:
    """Draw log-loss of one model minus that of another: each map, means of blocks, and the mean with its interval."""
    starts = backtest.panel.edges[:-1][backtest.maps]
    ends = backtest.panel.edges[1:][backtest.maps]
    change = backtest.scores[name].fold_loss - backtest.scores[other].fold_loss
    kept = np.isfinite(change)
    starts, ends, change = starts[kept], ends[kept], change[kept]
    difference = backtest.compare_losses(name, other)
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.4, 3.1)
        axes = figure.add_subplot()
        middle = starts + (ends - starts) / 2
        axes.plot(middle, change, "o", color="#8a8a8a", markersize=3, label="a map")
        if not difference.too_few:
            # The same blocks as those of the interval.
            for number, part in enumerate(np.array_split(np.arange(len(change)), difference.blocks)):
                span = [starts[part[0]], ends[part[-1]]]
                label = "mean of a block" if number == 0 else None
                axes.plot(span, [change[part].mean()] * 2, color=BLUE, linewidth=3, solid_capstyle="butt", label=label)
            axes.axhspan(difference.low, difference.high, color=ORANGE, alpha=0.18, label="95 % interval", linewidth=0)
        if np.isfinite(difference.mean):
            axes.axhline(difference.mean, color=ORANGE, linestyle="--", linewidth=1.5, label="mean")
        axes.axhline(0, color="#333", linewidth=1)
        axes.set_ylabel("difference of log-loss\n(below 0: better)", fontsize=10)
        label_dates(axes)
        figure.legend(loc="outside upper center", ncols=4, fontsize=10)
        return to_data_uri(figure)


def draw_gains_over_time(backtest: Judged, other: str) -> str:
    """Draw the running sum of each model's difference to the best baseline: where its gain or loss came from."""
    ends = backtest.panel.edges[1:][backtest.maps]
    names = [name for name in _scored(backtest) if name not in (other, "constant")]
    with mpl.rc_context(PLOT_STYLE):
        figure = _tall_enough(len(names), 7.4, 3.0, 4)
        axes = figure.add_subplot()
        every = max(len(ends) // 12, 1)
        lowest = highest = 0.0
        for name in _on_top(backtest, names, None):
            change = backtest.scores[name].fold_loss - backtest.scores[other].fold_loss
            line = np.cumsum(np.nan_to_num(change))
            axes.plot(ends, line, markevery=every, **_line(backtest, name, None))
            if name == backtest.model or abs(line[-1]) <= _FAR * _middle_sum(backtest, names, other):
                lowest, highest = min(lowest, float(line.min())), max(highest, float(line.max()))
        axes.axhline(0, color="#333", linewidth=1)
        room = 0.06 * max(highest - lowest, 1e-9)
        axes.set_ylim(lowest - room, highest + room)
        axes.set_ylabel("running sum of the difference\n(falling: better)", fontsize=10)
        label_dates(axes)
        _legend(figure, axes, names, 4)
        return to_data_uri(figure)


def set_root_scale(axis: Any) -> None:
    """Space an axis by the square root, so that rare and frequent are both seen, and zero too."""
    both: Any = (_root, np.square)
    scale = FuncScale(axis, both)
    axis.axes.set(**{f"{axis.axis_name}scale": scale})


def _middle_sum(backtest: Judged, names: list[str], other: str) -> float:
    base = backtest.scores[other].fold_loss
    return float(np.median([abs(np.nansum(backtest.scores[name].fold_loss - base)) for name in names]))


def _root(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.sqrt(np.maximum(values, 0)))


def _scored(backtest: Judged) -> list[str]:
    """Models that have figures."""
    return [name for name, score in backtest.scores.items() if np.isfinite(score.log_loss)]


def _on_top(backtest: Judged, names: Sequence[str], other: str | None) -> list[str]:
    """The model and the baseline it is seen beside are drawn last."""
    last = [name for name in (other, backtest.model) if name in names]
    return [name for name in names if name not in last] + [name for name in dict.fromkeys(last) if name]


def _line(backtest: Judged, name: str, other: str | None) -> dict[str, Any]:
    """How a model's line is drawn: the model and the baseline it is seen beside bold."""
    bold = name in (backtest.model, other)
    return {
        **choose_line_style(name),
        "linewidth": 2.4 if bold else 1.1,
        "markersize": 6 if bold else 4,
        "alpha": 1.0 if bold else 0.8,
    }


def _tall_enough(entries: int, width: float = 5.2, height: float = 3.4, columns: int = 3) -> Figure:
    """A figure with room for its legend on top."""
    return make_figure(width, height + 0.24 * -(-entries // columns))


def _legend(figure: Figure, axes: Axes, names: Sequence[str], columns: int = 3) -> None:
    """A legend above the axes, in the order of the table."""
    handles, labels = axes.get_legend_handles_labels()
    by_label = dict(zip(labels, handles, strict=True))
    wanted = [choose_line_style(name)["label"] for name in names]
    if wanted:
        figure.legend(
            [by_label[label] for label in wanted],
            wanted,
            loc="outside upper center",
            ncols=columns,
            fontsize=9,
            columnspacing=1,
            handlelength=2.6,
        )
