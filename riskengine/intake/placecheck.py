"""Coordinates from text, and which of them cannot be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..contract.placeholders import choose_wide_box, find_placeholders
from ..contract.texts import part_text
from ..ground.errors import DataError, ParameterError
from .crshint import describe_units
from .points import parse_angle

MISSING = "no coordinates"
UNREADABLE = "coordinates are not numbers"
ZERO = "coordinates are (0, 0)"
RANGE = "coordinates are no longitude and latitude"
SWAPPED = "longitude and latitude look swapped"
OUTSIDE = "outside the area of the profile"

_GIVE_CRS = "Give the coordinate reference system (CRS)"
_NOTHING = ("", "na", "n/a", "nan", "null", "none", "-")


@dataclass(frozen=True)
class Frame:
    """What coordinates are expected to be.

    Attributes
    ----------
    geographic : bool
        Degrees, x being the longitude.
    bbox : tuple of float or None
        West, south, east, north of the plausible area.
    """

    geographic: bool
    bbox: tuple[float, float, float, float] | None = None


def is_geographic(crs: str) -> bool:
    """Whether `crs` is in degrees.

    Raises
    ------
    ParameterError
        If there is no such CRS.
    """
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    try:
        return bool(CRS.from_user_input(crs).is_geographic)
    except CRSError as error:
        raise ParameterError(
            f"The coordinate reference system {crs!r} is not known",
            parameter="crs",
            value=crs,
            remedy="Give an authority's code, such as EPSG:4326 for longitude and latitude, or the WKT",
        ) from error


def parse_numbers(texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers or degrees with minutes and seconds, NaN where there is none, and where a text is given that is neither.

    A comma is a decimal comma unless a point follows it or it occurs twice; then it groups thousands.
    """
    column = np.array([text.strip() for text in texts], dtype=object)
    missing = np.array([text.lower() in _NOTHING for text in column], dtype=bool)
    comma = np.array(["," in text for text in column], dtype=bool)
    for row in np.flatnonzero(comma):
        text = column[row]
        grouped = "." in text or text.count(",") > 1
        column[row] = text.replace(",", "" if grouped else ".")
    column[missing] = None
    numbers = np.array(pd.to_numeric(pd.Series(column, dtype=object), errors="coerce"), dtype=np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    unreadable = np.isnan(numbers) & ~missing
    # Degrees with minutes and seconds, which few files have.
    for row in np.flatnonzero(unreadable):
        if (angle := parse_angle(texts[int(row)])) is not None:
            numbers[row], unreadable[row] = angle, False
    return numbers, unreadable


def check_places(
    x: NDArray[np.float64], y: NDArray[np.float64], unreadable: NDArray[np.bool_], frame: Frame
) -> NDArray[np.object_]:
    """Why a row's place cannot be used; ``''`` where it can.

    With a plausible area, whatever lies outside is refused, as swapped if it lies inside when x and y
    change places.  Without one, a row counts as swapped if its latitude is impossible, or if it lies
    far from the middle half of the data and its swapped place does not; other strays are kept, but for
    those that stand for "unknown".

    Raises
    ------
    DataError
        If most places look swapped, or most are no degrees although the CRS is geographic.
    """
    reason = np.full(len(x), "", dtype=object)
    missing = np.isnan(x) | np.isnan(y)
    zero = (x == 0) & (y == 0)
    placeholders = find_placeholders(x, y, frame.geographic, np.quantile, frame.bbox)
    usable = ~missing & ~zero & ~np.any(list(placeholders.values()), axis=0)
    count = int(usable.sum())
    impossible = usable & frame.geographic & ~_degrees(x, y)
    swapped = np.zeros(len(x), dtype=bool)
    outside = np.zeros(len(x), dtype=bool)
    if frame.bbox:
        outside = usable & ~_inside(x, y, frame.bbox)
        swapped = outside & _inside(y, x, frame.bbox)
    elif count:
        swapped = (impossible & _degrees(y, x)) if frame.geographic else swapped
        possible = usable & ~impossible
        if possible.any():
            box = choose_wide_box(x[possible], y[possible], np.quantile)
            swapped |= usable & ~_inside(x, y, box) & _inside(y, x, box)
    if count and 2 * int(swapped.sum()) > count:
        raise DataError(
            f"Longitude and latitude look swapped in {part_text(int(swapped.sum()), count, 'row')}",
            parameter="x",
            remedy="Swap the columns of X and Y: X is the longitude (east-west), Y the latitude (north-south)",
        )
    if count and 2 * int((impossible & ~swapped).sum()) > count:
        example = _pair(x, y, impossible & ~swapped)
        hint = describe_units(x[impossible], y[impossible])
        raise DataError(
            f"The coordinates, such as {example}, are no longitude and latitude",
            parameter="crs",
            value=example,
            remedy=". ".join(filter(None, (hint, f"{_GIVE_CRS} that the publisher names for them"))),
        )
    if count and frame.bbox and 2 * int(outside.sum()) > count:
        example = _pair(x, y, outside)
        raise DataError(
            f"{part_text(int(outside.sum()), count, 'row')}, such as {example},"
            f" {'lies' if outside.sum() == 1 else 'lie'} outside the area of the profile",
            parameter="profile",
            value=example,
            remedy="Check the coordinate reference system, or choose the profile 'columns' and name them by hand",
        )
    kinds = [(mask, kind) for kind, mask in placeholders.items()]
    for mask, kind in (*kinds, (outside, OUTSIDE), (impossible, RANGE), (swapped, SWAPPED)):
        for row in np.flatnonzero(mask):
            reason[row] = f"{kind}: '{x[row]:.10g}, {y[row]:.10g}'"
    reason[zero] = ZERO
    reason[missing] = MISSING
    reason[unreadable] = UNREADABLE
    return reason


def _pair(x: NDArray[np.float64], y: NDArray[np.float64], mask: NDArray[np.bool_]) -> str:
    """The first of the coordinates where `mask` holds."""
    return f"{x[mask][0]:.10g}, {y[mask][0]:.10g}"


def _degrees(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(x) <= 180) & (np.abs(y) <= 90), dtype=bool)


def _inside(x: NDArray[Any], y: NDArray[Any], box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    west, south, east, north = box
    with np.errstate(invalid="ignore"):
        return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north), dtype=bool)
