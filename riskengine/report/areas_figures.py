"""Figures of the report of the published study: ROC curves, importance, and the map of hotspots."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from ..systems.areas.importance import Importance
from ..systems.areas.inputs import Cells
from ..systems.areas.protocol import Run
from .canvas import make_canvas
from .figures import OUTSIDE, PLOT_STYLE, STYLE, make_figure, to_data_uri

#: Lines that are told apart by colour and by dashes.
_LINES = (
    ("#0072B2", "-"),
    ("#D55E00", "--"),
    ("#009E73", "-."),
    ("#CC79A7", ":"),
    ("#E69F00", (0, (5, 1, 1, 1, 1, 1))),
)
_QUIET, _HOT = "#f3f1ea", "#bd0026"


def draw_roc(runs: Sequence[tuple[str, Run]]) -> str:
    """Draw the ROC curve of each run over the sampled points of all months."""
    with mpl.rc_context(STYLE):
        figure = make_figure(5.2, 4.6)
        axes = figure.add_subplot()
        for (title, run), (colour, dashes) in zip(runs, _LINES, strict=False):
            risk = np.concatenate([month.risk for month in run.months])
            happened = np.concatenate([month.happened for month in run.months])
            false, true, _ = roc_curve(happened, risk)
            axes.plot(false, true, color=colour, linestyle=dashes, label=f"{title} ({run.mean('auc'):.3f})")
        axes.plot([0, 1], [0, 1], color="#999", linewidth=1, linestyle=":")
        axes.set_xlabel("share of places without an incident that are flagged")
        axes.set_ylabel("share of places with one that are flagged")
        axes.set_aspect("equal")
        axes.legend(loc="lower right", fontsize=9)
        return to_data_uri(figure)


def draw_importance(importance: Importance, most: int = 14) -> str:
    """Draw how much the weighted F1 falls when each feature is shuffled."""
    shown = importance.ordered[:most]
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(5.2, 0.9 + 0.3 * len(shown))
        axes = figure.add_subplot()
        axes.barh([name[:40] for name, _ in shown], [fall for _, fall in shown], color="#0072B2")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("fall of the weighted F1 when shuffled")
        return to_data_uri(figure)


def draw_hotspots(cells: Cells, maps: Sequence[tuple[str, NDArray[np.bool_]]]) -> str:
    """Draw maps of flagged cells side by side."""
    canvas = make_canvas(cells.grid)
    width = 3.6
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = make_figure(width * len(maps), canvas.measure_height(width) + 0.9)
        for axes, (title, flagged) in zip(figure.subplots(1, len(maps), squeeze=False)[0], maps, strict=True):
            values = np.full(cells.grid.shape, np.nan)
            values.ravel()[cells.flat] = flagged
            canvas.fill(axes, np.ma.masked_invalid(values), cmap=ListedColormap([_QUIET, _HOT]), vmin=0, vmax=1)
            axes.set_facecolor(OUTSIDE)
            axes.set_title(title, fontsize=10)
            axes.set_xticks([])
            axes.set_yticks([])
        handles = [Patch(color=_HOT, label="hotspot"), Patch(color=_QUIET, label="none")]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
        return to_data_uri(figure)
