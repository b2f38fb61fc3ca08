"""Maps of incidents as counts per cell: no incident is drawn at its own place."""

from __future__ import annotations

import math
from itertools import pairwise

import matplotlib as mpl
import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from numpy.typing import NDArray

from ..contract.colours import list_count_steps, list_shades
from .figures import PLOT_STYLE, make_figure, to_data_uri

#: Cells along the longer side of a map, at most: finer ones would not be seen.
_MOST_CELLS = 120


def draw_counts_map(x: NDArray[np.float64], y: NDArray[np.float64], cell: float) -> tuple[str, float]:
    """Draw how many incidents lie in each cell, in the steps and colours of hotspot grids.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Metres, at least one.
    cell : float
        Wanted size of the cells, metres; doubled until the map has few enough.

    Returns
    -------
    figure : str
    cell : float
        The size that was drawn, metres.
    """
    while max(np.ptp(x), np.ptp(y)) > _MOST_CELLS * cell:
        cell *= 2
    west, south = math.floor(x.min() / cell), math.floor(y.min() / cell)
    column, row = np.floor(x / cell).astype(int) - west, np.floor(y / cell).astype(int) - south
    counts = np.zeros((row.max() + 1, column.max() + 1))
    np.add.at(counts, (row, column), 1)
    steps, labels = list_count_steps(int(counts.max()))
    edges = [0.5, *(step + 0.5 for step in steps)]
    rows, columns = counts.shape
    with mpl.rc_context({**PLOT_STYLE, "axes.grid": False}):
        figure = make_figure(5.8, float(np.clip(4.2 * rows / columns + 0.5, 2.5, 7.0)))
        axes = figure.add_subplot()
        image = axes.imshow(
            np.ma.masked_equal(counts, 0),
            cmap=ListedColormap(list_shades(len(steps))),
            norm=BoundaryNorm(edges, len(steps)),
            extent=(0, columns * cell / 1000, 0, rows * cell / 1000),
            origin="lower",
            interpolation="nearest",
        )
        axes.set_xlabel("km")
        axes.set_ylabel("km")
        bar = figure.colorbar(image, ax=axes, label="incidents in a cell", shrink=0.85, spacing="uniform")
        bar.set_ticks([(low + high) / 2 for low, high in pairwise(edges)], labels=labels)
        bar.ax.tick_params(length=0)
        return to_data_uri(figure), cell
