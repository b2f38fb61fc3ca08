"""Figures of the reports, as data URIs; colours of Okabe & Ito, told apart also by line style and marker."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, num2date
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from ..contract.colours import RAMP
from ..contract.dates import label_moments
from ..contract.forecasters import FORECASTERS, LineStyle, title_of
from ..maps.support import Support
from .canvas import make_canvas

if TYPE_CHECKING:
    from ..learning.loop import Curves

#: Risk, from low to high, as its layer in QGIS has it; and what lies outside the study area.
RISK_COLOURS = LinearSegmentedColormap.from_list("risk", RAMP)
OUTSIDE = "#d9d9d9"
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


def choose_model_style(name: str, first: bool) -> dict[str, Any]:
    """Choose how the line of a forecaster among others is drawn; the one that is compared `first` stands out."""
    return {**choose_line_style(name), "linewidth": 2.4 if first else 1.6, "markersize": 6 if first else 5}


def add_model_legend(figure: Figure, axes: Axes, columns: int = 2, size: float = 9.5) -> None:
    """Add a legend above the axes, the line that was drawn last, which is compared first, at its begin."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles[::-1], labels[::-1], loc="outside upper center", ncols=columns, fontsize=size, handlelength=2.6
    )


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


class _Dates(Formatter):
    """Dates as people say them."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        return label_moments([num2date(value).isoformat() for value in values])  # type: ignore[no-untyped-call]


def label_dates(axes: Axes) -> None:
    """Label a time axis with dates as people say them."""
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=8))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(_Dates())


def add_probability_bar(figure: Figure, axes: Axes, image: Any, label: str, extend: str = "neither") -> None:
    """Add the scale of probabilities, in per cent, beside a map."""
    bar = figure.colorbar(image, ax=axes, label=label, shrink=0.85, extend=extend)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))


def draw_risk_map(risk: NDArray[np.float32], support: Support, title: str) -> str:
    """Draw a forecast map with its scale; what lies outside the study area is grey."""
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        canvas = make_canvas(support)
        figure = make_figure(5.8, float(np.clip(canvas.measure_height(4.0) + 0.7, 2.5, 7.0)))
        axes = figure.add_subplot()
        image = canvas.fill(axes, np.ma.masked_invalid(risk), cmap=RISK_COLOURS, vmin=0)
        axes.set_facecolor(OUTSIDE)
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("km")
        axes.set_ylabel("km")
        add_probability_bar(figure, axes, image, "probability of at least one incident")
        return to_data_uri(figure)
