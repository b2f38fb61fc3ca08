"""Percentile risk classes: thresholds, classes, class polygons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import rasterize, shapes

from ..contract import tags as tagnames
from ..contract.flagged import format_share, is_as_wanted
from ..contract.tools.risk import ClassifyRisk
from ..ground.bigarrays import make_empty_stack
from ..ground.errors import DataError, FormatError, ParameterError
from .bins import read_moment
from .geotiff import RASTER_ERRORS, check_raster
from .grid import MOST_FINE_CELLS

#: Published classes (Omdena/Safecity after Holm & Plynning): 25th, 75th, 91st and 96th percentile.
DEFAULT_PERCENTILES = tuple(ClassifyRisk.percentiles)
#: Shares of the area that a patrol may cover, per cent.
DEFAULT_SHARES = tuple(ClassifyRisk.shares)
CLASS_NODATA = 255
#: float32, or float64 where the raster has numbers that float32 does not hold.
Risk = NDArray[np.float32] | NDArray[np.float64]


class SaysWhen:
    """What has a start and an end for each of its maps, as ISO times; empty texts where it does not say."""

    starts: list[str]
    ends: list[str]

    @property
    def spans(self) -> NDArray[np.datetime64]:
        """The start and the end of each map, shape (S, 2); NaT where it does not say."""
        pairs = zip(self.starts, self.ends, strict=True)
        return np.array([[read_moment(start), read_moment(end)] for start, end in pairs], dtype="datetime64[s]")

    @property
    def edges(self) -> list[list[str]]:
        """The start and the end of each map; empty if not all of them say when they are."""
        spans = self.spans
        return [] if np.isnat(spans).any() else [[str(start), str(end)] for start, end in spans]


@dataclass
class RiskStack(SaysWhen):
    """A raster of risks: `risk` (S, H, W) with NaN outside the study area, and how it lies on the ground."""

    risk: Risk
    transform: Any
    crs: Any
    starts: list[str]
    ends: list[str]
    tags: dict[str, str]


def read_risk(path: str, parameter: str = "risk") -> RiskStack:
    """Read any single- or multi-band raster of risks, band by band; no-data and non-finite cells become NaN.

    A large one does not come into memory as a whole. Of a predicted score only its first band, the score, is a risk.

    Raises
    ------
    FormatError
        If it cannot be read as a raster.
    DataError
        If it has no valid cell.
    """
    try:
        with rasterio.open(path) as source:
            check_raster(source, path, parameter, MOST_FINE_CELLS)
            tags = source.tags()
            bands = source.indexes[:1] if tags.get(tagnames.KIND) == tagnames.PREDICTED_SCORE_KIND else source.indexes
            held = np.result_type(np.float32, *source.dtypes) == np.float32
            risk = make_empty_stack((len(bands), *source.shape), np.dtype(np.float32 if held else np.float64))
            empty = True
            for number, which in enumerate(bands):
                band = source.read(which, masked=True).astype(risk.dtype).filled(np.nan)
                band[~np.isfinite(band)] = np.nan
                empty = empty and bool(np.isnan(band).all())
                risk[number] = band
            band_tags = [source.tags(band) for band in bands]
            stack = RiskStack(
                risk,
                source.transform,
                source.crs,
                [each.get(tagnames.START, "") for each in band_tags],
                [each.get(tagnames.END, "") for each in band_tags],
                tags,
            )
    except RASTER_ERRORS as error:
        raise FormatError(
            f"{path} cannot be read as a raster", parameter=parameter, value=path, remedy="Choose a risk raster"
        ) from error
    if empty:
        raise DataError(
            f"{path} has no cell with a value",
            parameter=parameter,
            value=path,
            remedy="Choose a raster that has values",
        )
    return stack


def check_percentiles(percentiles: Sequence[float]) -> list[float]:
    """Percentiles in rising order, each strictly between 0 and 100.

    Raises
    ------
    ParameterError
        Otherwise, or if there are none or more than 20.
    """
    return _check_rising("percentiles", percentiles, "percentiles", "The published ones are 25, 75, 91, 96")


def compute_thresholds(risk: NDArray[np.float64], percentiles: Sequence[float]) -> NDArray[np.float64]:
    """Compute the risk at each percentile over all valid cells of `risk` (numpy's linear interpolation)."""
    return np.nanpercentile(risk, percentiles)


def compute_precise_thresholds(risk: Risk, percentiles: Sequence[float]) -> NDArray[np.float64]:
    """As `compute_thresholds` of `risk` in double precision, without a copy of it in double precision."""
    values = np.asarray(risk[~np.isnan(risk)])
    place = np.true_divide(percentiles, 100) * (len(values) - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, len(values) - 1)
    values.partition(np.unique([below, above]))
    low, high, share = values[below].astype(np.float64), values[above].astype(np.float64), place - below
    # From the nearer end, as numpy does it.
    limits: NDArray[np.float64] = np.where(share < 0.5, low + (high - low) * share, high - (high - low) * (1 - share))
    return limits


def classify(risk: Risk, limits: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Class of each cell: how many thresholds it lies strictly above; 255 for NaN.

    Strictly: where all cells are equal none stands out, so none is flagged.
    """
    classes = np.searchsorted(limits, risk, side="left").astype(np.uint8)
    classes[np.isnan(risk)] = CLASS_NODATA
    return classes


def check_shares(shares: Sequence[float]) -> list[float]:
    """Shares of the area in per cent, in rising order, each above 0 and below 100.

    Raises
    ------
    ParameterError
        Otherwise, or if there are none or more than 20.
    """
    return _check_rising("area shares", shares, "shares", "For example 1, 5, 10, 20")


def _check_rising(title: str, given: Sequence[float], parameter: str, remedy: str) -> list[float]:
    values = [float(value) for value in given]
    rising = all(low < high for low, high in pairwise(values))
    if not values or len(values) > 20 or not rising or not all(0 < value < 100 for value in values):
        raise ParameterError(
            f"{title} are {', '.join(f'{value:g}' for value in values) or 'empty'}; they must rise from 0 to 100",
            parameter=parameter,
            value=values,
            remedy=remedy,
        )
    return values


def classify_shares(risk: Risk, shares: Sequence[float]) -> tuple[NDArray[np.uint8], NDArray[np.float64], int]:
    """Classes that hold exactly the riskiest shares of the valid cells.

    The riskiest `share` of N cells are floor(share × N), at least one. Of cells of equal risk the place
    decides, the first in reading order (north to south, west to east) before the others.

    Parameters
    ----------
    risk : ndarray, shape (H, W) or (S, H, W)
        Ranked as a whole.
    shares : sequence of float
        Rising, per cent.

    Returns
    -------
    classes : ndarray of uint8
        0 for the rest, up to ``len(shares)`` for the smallest share; 255 for NaN.
    limits : ndarray of float64, shape (len(shares),)
        Risk of the last cell within each share, the largest share first, so that they rise.
    ties : int
        Cells left outside a share although their risk is that of its last cell.
    """
    flat = risk.ravel()
    valid = np.flatnonzero(~np.isnan(flat))
    # A stable sort of the negative keeps equal cells in reading order.
    order = valid[np.argsort(-flat[valid], kind="stable")]
    classes = np.full(flat.shape, CLASS_NODATA, dtype=np.uint8)
    classes[valid] = 0
    limits, ties = [], 0
    for number, share in enumerate(reversed(shares), 1):
        flagged = max(int(share / 100 * len(order) + 1e-9), 1)
        classes[order[:flagged]] = number
        limit = flat[order[flagged - 1]] if len(order) else np.nan
        limits.append(limit)
        ties += int((flat[order[flagged:]] == limit).sum())
    return classes.reshape(risk.shape), np.array(limits, dtype=np.float64), ties


def list_share_labels(shares: Sequence[float], cells: Sequence[float] = (), whole: str = "area") -> list[str]:
    """List one label a class, lowest first: the rest, …, the riskiest share.

    Parameters
    ----------
    shares : sequence of float
        Rising, per cent.
    cells : sequence of float, optional
        How many, or how much area, each class holds, lowest first: where that is another share of the area, the label
        says so.
    whole : str
        What the shares are of; of segments their length.
    """
    labels = _list_wanted_labels(shares, whole)
    if not sum(cells):
        return labels
    steps = [0.0, *shares, 100.0]
    wanted = reversed([(high - low) / 100 for low, high in pairwise(steps)])
    real = [number / sum(cells) for number in cells]
    return [
        label if is_as_wanted(share, asked) else f"{label} (here {format_share(share)})"
        for label, share, asked in zip(labels, real, wanted, strict=True)
    ]


def _list_wanted_labels(shares: Sequence[float], whole: str) -> list[str]:
    middle = [f"Riskiest {low:g} to {high:g} % of the {whole}" for low, high in reversed(list(pairwise(shares)))]
    return [f"Other {100 - shares[-1]:g} % of the {whole}", *middle, f"Riskiest {shares[0]:g} % of the {whole}"]


def list_class_labels(percentiles: Sequence[float]) -> list[str]:
    """List one label a class, lowest first: "up to the 25th percentile", …, "above the 96th"."""
    names = [_ordinal(value) for value in percentiles]
    middle = [f"{low} to {high} percentile" for low, high in pairwise(names)]
    return [f"Up to the {names[0]} percentile", *middle, f"Above the {names[-1]} percentile"]


def _ordinal(value: float) -> str:
    if value != int(value):
        return f"{value:g}th"
    number = int(value)
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def make_class_polygons(
    classes: NDArray[np.uint8], risk: Risk, transform: Any
) -> Iterator[tuple[dict[str, Any], int, float, float]]:
    """Make the polygons of connected cells of one class.

    Yields
    ------
    polygon : dict
        GeoJSON geometry, metres.
    risk_class : int
    area : float
        Square metres.
    mean_risk : float
    """
    # Every polygon's own number is burnt in once, so that means come from one pass instead of a mask each.
    outlines = list(shapes(classes, mask=classes != CLASS_NODATA, transform=transform))
    if not outlines:
        return
    zone = np.full(classes.shape, -1, dtype=np.int32)
    rasterize(((shape, number) for number, (shape, _) in enumerate(outlines)), out=zone, transform=transform)
    valid = zone >= 0
    cells = np.bincount(zone[valid], minlength=len(outlines))
    total = np.bincount(zone[valid], weights=np.nan_to_num(risk[valid]), minlength=len(outlines))
    cell_area = abs(transform.a * transform.e)
    for number, (shape, value) in enumerate(outlines):
        yield shape, int(value), float(cells[number] * cell_area), float(total[number] / max(cells[number], 1))
