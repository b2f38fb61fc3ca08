"""Figures of the score model's report: told apart by lightness, line style or marker, never by hue alone."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from ..contract.colours import SCORE_LIMITS, list_shades
from ..learning.loop import Curves
from ..systems.score.augment import Rows
from ..systems.score.study import Comparison, GrowthStep, HeldOut, Importance
from .figures import PLOT_STYLE, make_figure, to_data_uri

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#595959"
#: Colour and marker of each way to split, and its name.
SPLITS: dict[str, tuple[str, str, str]] = {
    "random": (ORANGE, "s", "random rows"),
    "groups": (GREEN, "^", "new places"),
    "blocks": (BLUE, "o", "new blocks"),
}
_BINS = np.linspace(0.0, 1.0, 51)
#: Blocks with fewer incidents say nothing, and could point at people.
LEAST_IN_BLOCK = 10


def draw_score_histograms(rows: Rows, low: float, high: float) -> str:
    """Draw the score of the incidents' own places, and of all rows if there are copies, in the layers' colours."""
    parts, shades = [("incidents’ own places", rows.score[: rows.originals])], list_shades(len(SCORE_LIMITS) - 1)
    if len(rows) > rows.originals:
        parts.append(("with resampled copies", rows.score))
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 2.3 * len(parts) + 0.3)
        all_axes = figure.subplots(len(parts), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, (title, score) in zip(all_axes, parts, strict=True):
            _, edges, bars = axes.hist(score, _BINS, edgecolor="#777777", linewidth=0.3)
            for edge, bar in zip(edges, bars, strict=False):
                bar.set_facecolor(shades[np.searchsorted(SCORE_LIMITS, edge + 1e-9) - 1])
            axes.set_title(f"{title}: {len(score):,}", fontsize=11, loc="left")
            axes.set_ylabel("rows")
            axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            if len(parts) > 1:
                for edge in (low, high):
                    axes.axvline(edge, color="#333", linewidth=1, linestyle="--")
        all_axes[-1].set_xlabel("score")
        all_axes[-1].set_xlim(0, 1)
        return to_data_uri(figure)


def draw_fit_curves(curves: list[tuple[str, Curves]], main: str) -> str:
    """Draw the loss per epoch of every network; that called `main` is drawn on top."""
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 3.8)
        axes = figure.add_subplot()
        for name, each in curves:
            if name != main:
                axes.plot(_epochs(each.loss), each.loss, color="#9cc4de", linewidth=0.8, linestyle="--")
                axes.plot(_epochs(each.validation), each.validation, color="#f0b88c", linewidth=0.8)
        final = dict(curves)[main]
        axes.plot(_epochs(final.loss), final.loss, color=BLUE, linewidth=2, linestyle="--", label="training")
        axes.plot(
            _epochs(final.validation),
            final.validation,
            color=ORANGE,
            linewidth=2,
            label="development",
        )
        if final.validation:
            epoch = min(max(final.best_epoch, 1), len(final.validation))
            axes.plot(epoch, final.validation[epoch - 1], "o", color="#333", markersize=6, label="weights kept")
        axes.set_ylim(*_loss_limits([each for _, each in curves]))
        axes.set_xlabel("epoch")
        axes.set_ylabel("mean absolute error")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside upper center", ncols=3, fontsize=10, columnspacing=1)
        return to_data_uri(figure)


def _epochs(losses: list[float]) -> NDArray[np.int64]:
    return np.arange(1, len(losses) + 1)


def _loss_limits(curves: list[Curves]) -> tuple[float, float]:
    """Room for the slow descent: the first few epochs may leave at the top."""
    values = np.array([loss for fit in curves for loss in (*fit.loss, *fit.validation)])
    low, high = float(values.min()), float(values.max())
    late = [loss for fit in curves for each in (fit.loss, fit.validation) for loss in each[max(1, len(each) // 10) :]]
    top = min(high, max(late, default=high))
    room = max(top - low, 1e-4) * 0.08
    return low - room, top + room


def draw_growth_path(growth: list[GrowthStep]) -> str:
    """Draw the losses of the architectures that were tried, in order."""
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure()
        axes = figure.add_subplot()
        layers = np.arange(len(growth))
        axes.plot(layers, [step.train for step in growth], color=BLUE, linestyle="--", marker="s", label="training")
        axes.plot(layers, [step.development for step in growth], color=ORANGE, marker="o", label="development")
        dropped = [number for number, step in enumerate(growth) if not step.kept]
        axes.plot(
            dropped,
            [growth[number].development for number in dropped],
            "x",
            color="#333",
            markersize=10,
            label="not kept" if dropped else None,
        )
        axes.set_xlabel("hidden layers")
        axes.set_ylabel("mean absolute error")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
        return to_data_uri(figure)


def draw_predicted_against_true(held_out: HeldOut) -> str:
    """Draw the density of held-out rows by their true and predicted score."""
    with mpl.rc_context({**PLOT_STYLE, "axes.grid": False}):
        figure = make_figure(5.2, 4.4)
        axes = figure.add_subplot()
        edges = np.linspace(0.0, 1.0, 81)
        rows, _, _ = np.histogram2d(held_out.score, held_out.truth, bins=(edges, edges))
        image = axes.imshow(
            np.ma.masked_equal(rows, 0),
            origin="lower",
            extent=(0, 1, 0, 1),
            cmap="YlGnBu",
            norm=LogNorm(1, max(rows.max(), 2)),
            interpolation="nearest",
        )
        axes.plot([0, 1], [0, 1], color="#D55E00", linewidth=1.3)
        axes.set_xlabel("true score")
        axes.set_ylabel("predicted score")
        bar = figure.colorbar(image, ax=axes, label="rows in a cell", shrink=0.85)
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        bar.ax.minorticks_off()
        return to_data_uri(figure)


def draw_error_by_band(bands: list[dict[str, float]]) -> str:
    """Draw mean absolute error and bias of each band of the true score."""
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 3.2)
        axes = figure.add_subplot()
        middle = [(band["low"] + band["high"]) / 2 for band in bands]
        axes.bar(middle, [band["l1"] for band in bands], width=0.085, color="#8fbcd8", label="mean absolute error")
        axes.plot(
            middle,
            [band["bias"] for band in bands],
            color=ORANGE,
            marker="D",
            markersize=5,
            label="bias (predicted − true)",
        )
        axes.axhline(0, color="#333", linewidth=1)
        axes.set_xlim(0, 1)
        axes.set_xlabel("true score")
        axes.set_ylabel("of the scale")
        axes.legend(fontsize=10)
        return to_data_uri(figure)


def draw_coverage_by_band(bands: list[dict[str, float]], nominal: float) -> str:
    """Draw the share of truths inside their interval, per band of the true score."""
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 3.0)
        axes = figure.add_subplot()
        middle = [(band["low"] + band["high"]) / 2 for band in bands]
        shares = [100 * band["coverage"] for band in bands]
        axes.axhline(100 * nominal, color="#333", linewidth=1.2, linestyle="--", label=f"aim: {100 * nominal:g} %")
        axes.plot(middle, shares, color=BLUE, marker="o", label="inside their interval")
        axes.set_xlim(0, 1)
        axes.set_ylim(min(60.0, *shares) - 4, 101)
        axes.set_xlabel("true score")
        axes.set_ylabel("held-out rows, %")
        figure.legend(loc="outside upper center", ncols=2, fontsize=10)
        return to_data_uri(figure)


def draw_score_map(held_out: HeldOut, incidents: NDArray[np.int64]) -> str:
    """Draw each block's mean predicted score in the classes of the score's layers; those with few incidents grey."""
    rows, _ = held_out.count_by_block()
    with np.errstate(invalid="ignore"):
        score = np.bincount(held_out.block, held_out.score, minlength=len(rows)) / rows
    classes = len(SCORE_LIMITS) - 1
    with mpl.rc_context({**PLOT_STYLE, "axes.grid": False}):
        figure, axes, image = _draw_blocks(
            held_out,
            score,
            incidents,
            cmap=ListedColormap(list_shades(classes)),
            norm=BoundaryNorm(SCORE_LIMITS, classes),
        )
        bar = figure.colorbar(image, ax=axes, label="predicted score", shrink=0.85, ticks=SCORE_LIMITS)
        bar.ax.minorticks_off()
        return to_data_uri(figure)


def draw_error_map(held_out: HeldOut, incidents: NDArray[np.int64]) -> str:
    """Draw the mean absolute error of each block; those with few incidents are left grey."""
    _, error = held_out.count_by_block()
    shown = error[(incidents >= LEAST_IN_BLOCK) & np.isfinite(error)]
    top = max(float(np.quantile(shown, 0.98)), 1e-3) if len(shown) else 1.0
    with mpl.rc_context({**PLOT_STYLE, "axes.grid": False}):
        figure, axes, image = _draw_blocks(held_out, error, incidents, cmap="YlGnBu", vmin=0, vmax=top)
        figure.colorbar(image, ax=axes, label="mean absolute error", shrink=0.85, extend="max")
        return to_data_uri(figure)


def _draw_blocks(
    held_out: HeldOut, values: NDArray[np.float64], incidents: NDArray[np.int64], **colours: Any
) -> tuple[Figure, Axes, Any]:
    """Draw a value of each block, north up; the figure, its axes and what has the colours."""
    side = held_out.block_size
    cells = np.round(held_out.corner / side).astype(np.int64)
    first = cells.min(axis=0)
    columns, lines = cells.max(axis=0) - first + 1
    grid = np.full((lines, columns), np.nan)
    few = np.full((lines, columns), np.nan)
    enough = incidents >= LEAST_IN_BLOCK
    at = cells - first
    grid[at[enough, 1], at[enough, 0]] = values[enough]
    few[at[~enough, 1], at[~enough, 0]] = 1.0
    figure = make_figure(5.8, float(np.clip(4.5 * lines / columns + 0.5, 2.5, 7.5)))
    axes = figure.add_subplot()
    place: Any = {
        "extent": (0.0, columns * side / 1000, 0.0, lines * side / 1000),
        "origin": "lower",
        "interpolation": "nearest",
    }
    axes.imshow(np.ma.masked_invalid(few), cmap="Greys", vmin=0, vmax=4, **place)
    image = axes.imshow(np.ma.masked_invalid(grid), **colours, **place)
    axes.set_xlabel("km")
    axes.set_ylabel("km")
    return figure, axes, image


def draw_importance_bars(importance: list[Importance]) -> str:
    """Draw how much larger the error becomes when each feature is shuffled."""
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 0.9 + 0.27 * len(importance))
        axes = figure.add_subplot()
        names, added = [each.group for each in importance], [each.increase for each in importance]
        axes.barh(names[::-1], added[::-1], height=0.6, color="#8fbcd8", edgecolor=BLUE)
        axes.axvline(0, color="#333", linewidth=1)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("error added when shuffled")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        return to_data_uri(figure)


def draw_protocols(comparisons: list[Comparison], names: list[str]) -> str:
    """Draw the error of every model under every split, with its interval over blocks; on a logarithmic scale."""
    models = list(dict.fromkeys(names))
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 1.2 + 0.5 * len(models))
        axes = figure.add_subplot()
        splits = [split for split in SPLITS if any(each.split == split for each in comparisons)]
        for number, split in enumerate(splits):
            colour, marker, label = SPLITS[split]
            chosen = [(name, each.l1) for name, each in zip(names, comparisons, strict=True) if each.split == split]
            y = [models.index(name) + 0.2 * (number - (len(splits) - 1) / 2) for name, _ in chosen]
            mean = np.array([l1.mean for _, l1 in chosen])
            reach = np.nan_to_num([[l1.mean - l1.low for _, l1 in chosen], [l1.high - l1.mean for _, l1 in chosen]])
            reach[0] = np.minimum(reach[0], 0.9 * mean)
            axes.errorbar(mean, y, xerr=reach, fmt=marker, color=colour, markersize=6, capsize=3, label=label)
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        ticks = [tick for tick in (0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5) if low <= tick <= high]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_yticks(range(len(models)), ["\n".join(wrap(model, 24)) for model in models])
        axes.invert_yaxis()
        axes.set_xlabel("mean absolute error")
        figure.legend(loc="outside upper center", ncols=len(splits), fontsize=10, columnspacing=1, handletextpad=0.3)
        return to_data_uri(figure)
