"""The exposure of the lines of a layer: what their edges have, put together again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.texts import count_text, format_amount
from ...streets.faults import Faults
from ...streets.network import Network
from .results import EdgeExposure

Floats = NDArray[np.float64]

#: Fields that Network exposure adds to the lines; units: metres, the risk's, the risk's × metres, shares 0–1.
LINE_FIELDS = {"length_m": "real", "risk_per_m": "real", "exposure": "real", "above": "real", "outside": "real"}
#: Classes of the layer's style.
_CLASSES = 5


@dataclass(frozen=True, eq=False)
class ExposedLines:
    """The exposure of R rows of a layer; NaN for rows without a line.

    Attributes
    ----------
    metres, risk, exposure, above, outside : ndarray, shape (R,)
        The risk is the mean along the line.
    """

    metres: Floats
    risk: Floats
    exposure: Floats
    above: Floats
    outside: Floats

    @property
    def columns(self) -> list[Floats]:
        """The values of `LINE_FIELDS`."""
        return [self.metres, self.risk, self.exposure, self.above, self.outside]


def sum_lines(network: Network, found: EdgeExposure) -> ExposedLines:
    """Put the edges of each line together again."""

    def add_up(values: Floats) -> Floats:
        return np.bincount(network.line, values, network.rows).astype(np.float64)

    metres = add_up(network.metres)
    metres[metres == 0] = np.nan
    exposure = np.where(np.isnan(metres), np.nan, add_up(found.exposure))
    above, outside = (np.minimum(add_up(each * network.metres) / metres, 1.0) for each in (found.above, found.outside))
    return ExposedLines(metres, exposure / metres, exposure, above, outside)


def choose_limits(lines: ExposedLines) -> list[float]:
    """Choose the limits of the style's classes: each holds as many metres; fewer where many streets have one risk."""
    there = np.flatnonzero(np.isfinite(lines.risk))
    order = there[np.argsort(lines.risk[there], kind="stable")]
    reached = np.cumsum(lines.metres[order])
    places = np.searchsorted(reached, np.arange(1, _CLASSES) / _CLASSES * reached[-1])
    inner = lines.risk[order[np.minimum(places, len(order) - 1)]]
    return np.unique(np.r_[lines.risk[order[[0, -1]]], inner]).tolist()


def add_outside(faults: Faults, network: Network, found: EdgeExposure) -> Faults:
    """Add the lines that the risk does not cover, at the middle of their longest edge outside of it."""
    metres = found.outside * network.metres
    away = np.flatnonzero((metres > 0) & network.usable)
    order = away[np.lexsort((-metres[away], network.line[away]))]
    row, first = np.unique(network.line[order], return_index=True)
    middle = shapely.line_interpolate_point(network.shapes[order[first]], 0.5, normalized=True)
    number = len(row)
    total = np.bincount(network.line[away], metres[away], network.rows)
    return replace(
        faults,
        kind=np.r_[faults.kind, np.full(number, "outside")],
        x=np.r_[faults.x, shapely.get_x(middle)],
        y=np.r_[faults.y, shapely.get_y(middle)],
        row=np.r_[faults.row, row],
        other=np.r_[faults.other, np.full(number, -1)],
        metres=np.r_[faults.metres, total[row]],
    )


def describe_lines(lines: ExposedLines, found: EdgeExposure, percentile: float) -> str:
    """Say what was measured: how many lines, by what risk, how much on average, how much at the percentile."""
    there = np.isfinite(lines.metres)
    unit = f" {found.unit}" if found.unit else ""
    return (
        f"{count_text(int(there.sum()), 'line')}, {lines.metres[there].sum() / 1000:,.1f} km, exposed to the "
        f"{found.title}: {format_amount(found.mean)}{unit} on average, {format_amount(found.threshold)} at "
        f"percentile {percentile:g} of the length"
    )
