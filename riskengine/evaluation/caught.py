"""What a test of the catch gives: what each model's places caught in windows as a whole, at every position of the grid.

The backtest's other figures stand in `riskengine.evaluation.judged.Judged`, whose maps are the windows here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..contract.aims import Catch
from ..maps.panel import Panel

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Caught:
    """What one model's places caught; P grid positions, the given one first, F windows of B bins.

    Attributes
    ----------
    name : str
    caught, incidents : ndarray, shape (P, F, B)
        n and N by bin. A window may end with bins that were not observed: they count nothing.
    most : ndarray, shape (P, F)
        n*, the most that as many units could have caught in each window.
    flagged, cells : ndarray, shape (P,)
        Size of the flagged units of one window, and of the study area: km², of segments km.
    parts : ndarray of float32, shape (F, ...)
        How much of each unit was flagged, at the given position: 1, of ties at the edge and of the last of areas a part.
    expected : ndarray of float32, shape (F, ...)
        Incidents that were expected in each unit, at the given position; NaN outside the study area.
    stable : ndarray, shape (F - 1,)
        Share of what was flagged in a window that is flagged in the next one too, at the given position.
    """

    name: str
    caught: Array
    incidents: Array
    most: Array
    flagged: Array
    cells: Array
    parts: NDArray[np.float32]
    expected: NDArray[np.float32]
    stable: Array


@dataclass(frozen=True)
class CellSize:
    """The same on cells of another size, over as many positions.

    Attributes
    ----------
    side : float
        Metres.
    caught, incidents, most : dict of str to float
        Mean over the positions, by model: the one that is compared first, and prior counts.
    pai : dict of str to float
    """

    side: float
    caught: dict[str, float]
    incidents: dict[str, float]
    most: dict[str, float]
    pai: dict[str, float]


@dataclass
class CatchJudged:
    """The test of a catch.

    Attributes
    ----------
    catch : Catch
    panel : Panel
        All counts by the panel's own bins; the windows are gathered from them.
    starts : ndarray of int, shape (F,)
        First bin of each window.
    models : dict of str to Caught
        The one that is compared first is first.
    offsets : tuple of (float, float), shape (P,)
        Shifts of the grid east and north, as shares of a cell; one of none where only the given position was tried.
    sizes : list of CellSize
        By side, the given one among them; empty of areas and where there were no incidents to count anew.
    too_fine : str
        A sentence where cells are smaller than the data are exact; else empty.
    failures : dict of str to str
        Models that could not be run at further positions, and why.
    """

    catch: Catch
    panel: Panel
    starts: NDArray[np.int64]
    models: dict[str, Caught]
    offsets: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    sizes: list[CellSize] = field(default_factory=list)
    too_fine: str = ""
    failures: dict[str, str] = field(default_factory=dict)
