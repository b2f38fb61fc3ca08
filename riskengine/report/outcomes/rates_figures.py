"""Figures of *Outcome rates*: the published chart, rates over the day, open cases, and areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.dates import date2num
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ...contract.colours import OUTCOME_AREAS, QUALITATIVE
from ...contract.outcomes import AREA_LABELS, Reported
from ...contract.texts import show_name
from ...systems.outcomes.cases import OpenCases
from ...systems.outcomes.rates import Rates
from ...systems.outcomes.ratesstudy import RatesStudy
from ..canvas import make_canvas
from ..figures import PLOT_STYLE, STYLE, label_dates, make_figure, to_data_uri
from . import words

_BLUE, _ORANGE = QUALITATIVE[0], QUALITATIVE[1]
#: As published; the red is told from the blue by its marker, too.
_SHARE = "#bd0026"
#: Of each kind of rows: colour, marker, dashes.
_LINES: Mapping[Reported, tuple[str, str, str]] = {"all": (_BLUE, "o", "-"), "victims": (_ORANGE, "s", "--")}
#: Letters of a category beside the chart.
_LABEL = 34
_MAP = 4.2
#: Categories that the chart and the table have at most: more are none, but numbers or names of incidents.
MOST_CATEGORIES = 60
#: More points than these are drawn without their names.
_NAMED = 30


def draw_chart(rates: Rates, found: Sequence[str]) -> str:
    """Draw the rate of each category beside its share of all, by rate; those without an outcome are dropped."""
    there = np.flatnonzero(rates.outcomes > 0)
    shown = there[np.argsort(-rates.incidents[there], kind="stable")[:MOST_CATEGORIES]]
    shown = shown[np.argsort(-rates.rate[shown], kind="stable")]
    low, high = rates.limits
    places = np.arange(len(shown))
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.4, 1.4 + 0.26 * len(shown))
        axes = figure.add_subplot()
        rate = rates.rate[shown]
        reach = np.clip([rate - low[shown], high[shown] - rate], 0, None)
        axes.barh(places, 100 * rate, height=0.62, color=_BLUE, alpha=0.35, label="rate, with its 95 % interval")
        axes.errorbar(100 * rate, places, xerr=100 * reach, fmt="none", ecolor=_BLUE, elinewidth=1.6, capsize=2.5)
        axes.plot(
            100 * rates.share[shown], places, color=_SHARE, marker="D", markersize=5, linestyle="none",
            label="share of all incidents",
        )  # fmt: skip
        names = [rates.values[place] for place in shown.tolist()]
        axes.set_yticks(places, [_name_category(name, name in found) for name in names], fontsize=9)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlim(0, 103)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("%" if len(shown) == len(there) else "%, of the categories with the most incidents")
        figure.legend(loc="outside lower center", ncols=2, fontsize=9.5)
        return to_data_uri(figure)


def _name_category(name: str, found: bool) -> str:
    return f"{show_name(name, _LABEL)} •" if found else show_name(name, _LABEL)


def draw_hours(hours: Mapping[Reported, Rates]) -> str:
    """Draw the rate of each hour of the day, with its interval."""
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.2, 3.3)
        axes = figure.add_subplot()
        for reported, rates in hours.items():
            low, high = rates.limits
            place = np.array([int(value[:2]) for value in rates.values])
            colour, marker, dashes = _LINES[reported]
            axes.fill_between(place, 100 * low, 100 * high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(
                place, 100 * rates.rate, color=colour, marker=marker, markersize=4.5, linestyle=dashes,
                label=words.REPORTED[reported],
            )  # fmt: skip
        axes.set_xticks(range(0, 24, 3), [f"{hour:02d}:00" for hour in range(0, 24, 3)])
        axes.set_ylim(0, None)
        axes.set_ylabel("rate, %")
        figure.legend(loc="outside lower center", ncols=2, fontsize=9.5)
        return to_data_uri(figure)


def draw_cases(cases: Mapping[Reported, OpenCases], maturity: int | None) -> str:
    """Draw observed ÷ expected toward the end of the file, with intervals; days that a training leaves out are grey."""
    day = np.timedelta64(1, "D")
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.2, 3.9)
        axes = figure.add_subplot()
        for number, (reported, found) in enumerate(cases.items()):
            steps = found.steps
            middle = (steps.begins + steps.ends) / 2
            # Side by side: intervals that lie over each other are one.
            shift = (number - (len(cases) - 1) / 2) * 0.16 * (steps.ends[0] - steps.begins[0] + 1)
            when = found.last.astype("datetime64[s]") - ((middle - shift) * 86_400).astype("timedelta64[s]")
            ratio = 100 * np.array(steps.ratio)
            reach = np.nan_to_num(np.abs(ratio[:, 1:] - ratio[:, :1]).T)
            colour, marker, dashes = _LINES[reported]
            axes.errorbar(
                when, ratio[:, 0], yerr=reach, color=colour, marker=marker, markersize=4.5, linestyle=dashes,
                linewidth=1, elinewidth=1.2, label=words.REPORTED[reported],
            )  # fmt: skip
        last = next(iter(cases.values())).last
        if maturity:
            begin, end = date2num([last - (maturity - 1) * day, last + day])  # type: ignore[no-untyped-call]
            axes.axvspan(begin, end, color="#999", alpha=0.16, linewidth=0)
        axes.axhline(100, color="#222", linewidth=1)
        axes.set_ylabel("outcomes, % of those expected")
        axes.set_ylim(0, None)
        label_dates(axes)
        figure.legend(loc="outside lower center", ncols=2, fontsize=9.5)
        return to_data_uri(figure)


def draw_area_maps(study: RatesStudy) -> str:
    """Draw how each area compares, of all incidents and of victims' reports, in the colours of the layer."""
    areas, keys = study.areas, list(AREA_LABELS)
    assert areas is not None
    shapes = areas.shapes
    canvas = None if shapes is None else make_canvas(shapes)
    height = _MAP if canvas is None else float(np.clip(canvas.measure_height(_MAP), 2.0, 6.5))
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = make_figure(_MAP * len(study.of), height + 1.1)
        for axes, (reported, of) in zip(
            figure.subplots(1, len(study.of), squeeze=False)[0], study.of.items(), strict=True
        ):
            assert of.areas is not None
            numbers = np.array([keys.index(label) for label in of.areas.list_labels()])
            if canvas is not None:
                colours = ListedColormap([OUTCOME_AREAS[key] for key in keys])
                canvas.fill(axes, np.ma.masked_array(numbers), cmap=colours, vmin=-0.5, vmax=len(keys) - 0.5)
            else:
                _draw_points(axes, study, numbers, of.areas.incidents, keys)
            axes.set_title(words.REPORTED[reported], fontsize=11)
            axes.set_facecolor("#e4e4e4" if canvas is not None else "#ffffff")
            axes.set_xticks([])
            axes.set_yticks([])
            for side in axes.spines.values():
                side.set_visible(False)
        used = sorted(
            {label for of in study.of.values() if of.areas is not None for label in of.areas.list_labels()},
            key=keys.index,
        )
        handles: list[Patch | Line2D] = [
            Patch(facecolor=OUTCOME_AREAS[key], edgecolor="#999", label=AREA_LABELS[key]) for key in used
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9)
        return to_data_uri(figure)


def _draw_points(
    axes: Axes, study: RatesStudy, numbers: np.ndarray, incidents: np.ndarray, keys: Sequence[str]
) -> None:
    """Areas without polygons: circles as large as they have incidents."""
    areas = study.areas
    assert areas is not None
    size = 20 + 500 * incidents / max(int(incidents.max(initial=0)), 1)
    colours = [OUTCOME_AREAS[keys[number]] for number in numbers]
    axes.scatter(areas.x, areas.y, s=size, c=colours, edgecolors="#555", linewidths=0.7)
    if len(areas.names) <= _NAMED:
        # Below the circle, which is so many square points large.
        below = -np.sqrt(size / np.pi) - 7
        for x, y, name, offset in zip(areas.x.tolist(), areas.y.tolist(), areas.names, below.tolist(), strict=True):
            axes.annotate(
                show_name(name, _LABEL), (x, y), (0, offset), textcoords="offset points", fontsize=7, ha="center"
            )
    axes.set_aspect("equal")
    axes.margins(0.14)
