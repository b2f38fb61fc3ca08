"""Plots of the six labels over percentiles: what flagging less misses, and how often each label is given."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..contract.colours import LABELS as LABEL_COLOURS
from ..measures.labels import LABELS, Tradeoff
from .backtest_figures import set_root_scale
from .backtest_maps import COLOURS, READINGS, TITLES
from .figures import PLOT_STYLE, make_figure, to_data_uri
from .units import UnitWords

#: Pale colours of the map would not be seen as lines.
_DARKER = {"false negative, neighbour": "#a3870e", "false positive, neighbour": "#2b8cc4"}
#: Line style and marker of each label.
_LINES: tuple[tuple[Any, str], ...] = (("-", ""), ("-", "o"), ("--", "s"), (":", "D"), ("-.", "^"), ((0, (5, 2)), "v"))


def draw_tradeoff(tradeoffs: dict[str, list[Tradeoff]]) -> str:
    """Draw the published plot by both readings: accuracy against what is missed, by percentile."""
    with mpl.rc_context(PLOT_STYLE):
        figure, panels = _panels(tradeoffs, 3.3)
        for axes, each in zip(panels, tradeoffs.values(), strict=True):
            percentiles = [step.percentile for step in each]
            near = [step.caught_or_near for step in each]
            missed = [step.missed for step in each]
            for label, values, colour, line, marker in (
                ("accuracy", [step.accuracy for step in each], "#000000", "-", "o"),
                ("correct + missed beside a flag", near, LABEL_COLOURS["correct"], "--", "s"),
                ("missed altogether", missed, LABEL_COLOURS["false negative"], ":", "^"),
            ):
                percent = [100 * value for value in values]
                axes.plot(percentiles, percent, color=colour, linestyle=line, marker=marker, markersize=4, label=label)
            axes.set_ylim(-2, 102)
        panels[0].set_ylabel("%")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=9.5)
        return to_data_uri(figure)


def draw_label_rates(tradeoffs: dict[str, list[Tradeoff]], units: UnitWords) -> str:
    """Draw how often each label but the true negative is given, by percentile and reading; on a root scale."""
    with mpl.rc_context(PLOT_STYLE):
        figure, panels = _panels(tradeoffs, 3.7)
        highest = 0.01
        for axes, each in zip(panels, tradeoffs.values(), strict=True):
            for code, name in enumerate(LABELS):
                if code == 0:
                    continue
                rates = [100 * step.rates[name] for step in each]
                highest = max([highest, *(rate for rate in rates if np.isfinite(rate))])
                line, marker = _LINES[code]
                axes.plot(
                    [step.percentile for step in each],
                    rates,
                    color=_DARKER.get(name, COLOURS[code]),
                    linestyle=line,
                    marker=marker,
                    markersize=4,
                    label=TITLES.get(name, name),
                )
        ticks = [
            tick
            for tick in (0, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 40, 70, 100)
            if tick == 0 or highest / 200 <= tick <= highest * 1.02
        ]
        for axes in panels:
            set_root_scale(axes.yaxis)
            axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
            axes.set_ylim(0, highest * 1.06)
        panels[0].set_ylabel(f"of all {units.many}, % (root scale)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=9.5)
        return to_data_uri(figure)


def _panels(tradeoffs: dict[str, list[Tradeoff]], height: float) -> tuple[Figure, list[Axes]]:
    figure = make_figure(8.2, height)
    panels: list[Axes] = list(figure.subplots(1, len(tradeoffs), sharey=True, squeeze=False)[0])
    for axes, over in zip(panels, tradeoffs, strict=True):
        axes.set_title(f"percentile {READINGS.get(over, over)}", fontsize=10.5)
        axes.set_xlabel("percentile")
    return figure, panels
