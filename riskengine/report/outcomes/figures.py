"""Figures of the page: models beside each other, reliability, the ladder of groups, areas."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from ...contract.colours import QUALITATIVE
from ...contract.outcomes import GROUPS, MODELS, OutcomeSplit, Reported
from ...contract.texts import count_text, show_name
from ...measures.clustered import Interval
from ...systems.outcomes.judged import AreaOutcomes, OutcomeStudy
from ..figures import PLOT_STYLE, make_figure, to_data_uri
from . import words
from .areas import find_compared
from .ladder import find_control, find_step, list_groups

_BLUE, _ORANGE, _GREEN, _GREY = QUALITATIVE[0], QUALITATIVE[1], QUALITATIVE[2], "#666666"
#: Letters in a line of a title beside an axis.
_LABEL = 32
#: More areas than these are drawn without their names, which the table has.
_NAMED = 40
_WAYS = (
    ("added", "added to those above", _BLUE, "o"),
    ("left_out", "on top of all others", _ORANGE, "s"),
    ("control", "its control in its place", _GREY, "D"),
)
_SHOWN: tuple[tuple[Reported, str, str], ...] = (("all", _BLUE, "o"), ("victims", _ORANGE, "s"))


def draw_models(study: OutcomeStudy, split: OutcomeSplit) -> str:
    """Draw the AUC of each model, of all incidents and of what victims reported, with intervals."""
    names = [name for name in MODELS if study.find(name, split) is not None]
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.2, 1.3 + 0.45 * len(names))
        axes = figure.add_subplot()
        for reported, colour, marker in _SHOWN:
            scores = [study.find(name, split, reported) for name in names]
            if not any(scores):
                continue
            found = [None if score is None else score.figures.get("auc") for score in scores]
            _draw_intervals(axes, found, 0.0, colour, marker, words.REPORTED[reported])
        _label_rows(axes, [MODELS[name].title for name in names])
        axes.set_xlabel("AUC (0.5 is a coin)")
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        return to_data_uri(figure)


def draw_ladder(study: OutcomeStudy, split: OutcomeSplit) -> str:
    """Draw what each group changes of the log-loss, added, on top of all others, and by its control."""
    groups = list_groups(study)
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.2, 1.4 + 0.55 * len(groups))
        axes = figure.add_subplot()
        for number, (way, label, colour, marker) in enumerate(_WAYS):
            find = find_control if way == "control" else partial(find_step, way=way)
            steps = [find(study, group, split=split) for group in groups]
            if any(steps):
                found = [None if step is None else step.difference for step in steps]
                _draw_intervals(axes, found, 0.22 * (number - 1), colour, marker, label)
        axes.axvline(0, color="#222", linewidth=1)
        # The first groups change a hundred times as much as the last, which are what is asked about.
        axes.set_xscale("symlog", linthresh=0.002, linscale=1.2)
        _label_rows(axes, [GROUPS[group] for group in groups])
        ticks = (-0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1)
        axes.set_xticks(ticks, [f"{tick:+g}".replace("-", "\N{MINUS SIGN}") if tick else "0" for tick in ticks])
        axes.set_xlabel("change of the log-loss (left of 0 it helps)")
        figure.legend(loc="outside lower center", ncols=3, fontsize=9)
        return to_data_uri(figure)


def draw_reliability(study: OutcomeStudy) -> str:
    """Draw how often what was predicted came true, before and after the shift."""
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(4.6, 4.3)
        axes = figure.add_subplot()
        axes.plot([0, 100], [0, 100], color="#888", linewidth=1, zorder=0)
        for key, label, colour, dashes, marker in (
            ("raw", "before the shift", _GREY, "--", "s"),
            ("shifted", "after the shift", _BLUE, "-", "o"),
        ):
            if key in study.curves:
                predicted, observed = study.curves[key]
                axes.plot(
                    *(100 * predicted, 100 * observed), color=colour, linestyle=dashes, marker=marker, label=label
                )
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_aspect("equal")
        axes.set_xlabel("probability predicted, %")
        axes.set_ylabel("incidents that had the outcome, %")
        axes.legend(loc="upper left", fontsize=9.5)
        return to_data_uri(figure)


def draw_areas(areas: AreaOutcomes) -> str | None:
    """Draw observed less predicted of each area that is compared, with its interval; None of no area."""
    compared = np.flatnonzero(find_compared(areas))
    if not len(compared):
        return None
    departure = areas.observed - areas.predicted
    order = compared[np.argsort(departure[compared], kind="stable")]
    named = len(order) <= _NAMED
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 1.0 + (0.24 * len(order) if named else 4.2))
        axes = figure.add_subplot()
        bounds = (departure, areas.low, areas.high)
        found = [Interval(*(100 * float(each[place]) for each in bounds)) for place in order]
        _draw_intervals(axes, found, 0.0, _BLUE, "o", "", 3.5)
        axes.axvline(0, color="#222", linewidth=1)
        if named:
            _label_rows(axes, [show_name(areas.names[place], 28) for place in order], 8)
        else:
            axes.set_yticks([])
            axes.set_ylabel(count_text(len(order), "area"))
        axes.set_xlabel("observed less predicted, percentage points")
        return to_data_uri(figure)


def draw_indicator(areas: AreaOutcomes, indicator: str) -> str | None:
    """Draw rates and what is left after the prediction against the indicator; None without one."""
    compared = find_compared(areas)
    if areas.indicator is None or not compared.any():
        return None
    x = areas.indicator[compared]
    shown = (
        (areas.observed[compared], "observed, %", _ORANGE, "s"),
        ((areas.observed - areas.predicted)[compared], "less predicted,\npercentage points", _BLUE, "o"),
    )
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 4.6)
        for axes, (values, label, colour, marker) in zip(figure.subplots(2, 1, sharex=True), shown, strict=True):
            axes.plot(x, 100 * values, color=colour, marker=marker, linestyle="none", markersize=4)
            axes.set_ylabel(label)
        axes.axhline(0, color="#222", linewidth=1)
        axes.set_xlabel(show_name(indicator) if indicator else "indicator")
        return to_data_uri(figure)


def _draw_intervals(
    axes: Any, found: Sequence[Interval | None], offset: float, colour: str, marker: str, label: str, size: float = 6
) -> None:
    """Draw a point with its interval for each row that has one."""
    values: NDArray[np.float64] = np.array([(np.nan,) * 3 if each is None else each for each in found], dtype=float)
    reach = np.nan_to_num(np.abs(values[:, 1:] - values[:, :1]).T)
    places = np.arange(len(found)) + offset
    style = {"color": colour, "marker": marker, "markersize": size, "linestyle": "none", "elinewidth": 1.4}
    axes.errorbar(values[:, 0], places, xerr=reach, label=label or None, **style)


def _label_rows(axes: Any, titles: Sequence[str], size: float = 9.5) -> None:
    axes.set_yticks(range(len(titles)), [fill(title, _LABEL) for title in titles], fontsize=size)
    axes.set_ylim(len(titles) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
