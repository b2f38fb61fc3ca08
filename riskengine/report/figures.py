"""Figures of the reports, as data URIs; colours of Okabe & Ito, told apart also by line style and marker."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..contract.forecasters import FORECASTERS, LineStyle, title_of
from ..maps.grid import Grid

if TYPE_CHECKING:
    from ..learning.loop import Curves

#: A risk raster of unknown making, beside the forecasters.
_GIVEN = LineStyle("#000000", "-", "8")
#: Settings of every figure.
STYLE: Any = {
    "font.size": 11,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666",
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    "svg.fonttype": "path",
    # Without these the same figure would differ from run to run.
    "svg.hashsalt": "crimerisk",
    "text.parse_math": False,
}
#: The same with the grid below all that is drawn.
PLOT_STYLE: Any = {**STYLE, "axes.axisbelow": True}


def make_figure(width: float = 5.2, height: float = 3.5) -> Figure:
    """Make an empty figure, inches."""
    return Figure(figsize=(width, height), layout="constrained")


def to_data_uri(figure: Figure, dpi: int = 150) -> str:
    """Bring a figure to an SVG data URI."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", dpi=dpi, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def choose_line_style(name: str) -> dict[str, Any]:
    """Choose how the line of a forecaster is drawn: its arguments for matplotlib."""
    given = _GIVEN if name == "risk" else LineStyle("#CC79A7", "-", "d")
    line = FORECASTERS[name].line if name in FORECASTERS else given
    return {"label": title_of(name), "color": line.colour, "linestyle": line.dashes, "marker": line.marker}


def draw_loss_curves(curves: Curves) -> str:
    """Draw training and validation log-loss per epoch."""
    with mpl.rc_context(STYLE):
        figure = make_figure()
        axes = figure.add_subplot()
        epochs = np.arange(len(curves.loss) + 1)
        axes.plot(epochs, [curves.start, *curves.loss], color="#0072B2", marker="o", markersize=3.5, label="training")
        axes.plot(
            epochs,
            [curves.validation_start, *curves.validation],
            color="#D55E00",
            linestyle="--",
            marker="s",
            markersize=3.5,
            label="validation",
        )
        if curves.best_epoch:
            axes.axvline(curves.best_epoch, color="#999", linewidth=1, zorder=0)
        axes.set_xlabel(f"epoch (weights kept: {curves.best_epoch}; 0 = before training)")
        axes.set_ylabel("log-loss")
        axes.ticklabel_format(useOffset=False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
        return to_data_uri(figure)


def draw_risk_map(risk: NDArray[np.float32], grid: Grid, title: str) -> str:
    """Draw a forecast map with its scale; cells outside the study area are grey."""
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        height = float(np.clip(5.2 * grid.rows / grid.columns, 2.5, 7.0))
        figure = make_figure(5.8, height)
        axes = figure.add_subplot()
        west, south, east, north = (edge / 1000 for edge in grid.bounds)
        image = axes.imshow(
            np.ma.masked_invalid(risk),
            cmap="YlGnBu",
            extent=(0, east - west, 0, north - south),
            interpolation="nearest",
            vmin=0,
        )
        axes.set_facecolor("#d9d9d9")
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("km")
        axes.set_ylabel("km")
        figure.colorbar(image, ax=axes, label="probability of at least one incident", shrink=0.85)
        return to_data_uri(figure)
