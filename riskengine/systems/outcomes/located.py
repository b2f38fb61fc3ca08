"""Places of incidents in metres: geometries in any CRS, or two fields of coordinates."""

from __future__ import annotations

import numpy as np

from ...contract.texts import none_text, part_text
from ...ground.wholetables import WholeTable
from ...intake.placecheck import parse_numbers
from ...intake.project import project_places
from .rows import Floats
from .telling import Told

_DEGREES = "EPSG:4326"
#: Dummy places, and those of another city, lie farther than this from the middle of all, metres.
_FAR = 300_000.0


def read_places(table: WholeTable, x_field: str, y_field: str, told: Told) -> tuple[Floats, Floats, str]:
    """Read x and y of every row in metres, and their CRS; NaN for no place, and an empty CRS where no row has one.

    Parameters
    ----------
    table : WholeTable
    x_field, y_field : str
        Of longitudes and latitudes, for a table without geometries; empty for none.
    """
    crs = table.crs
    if table.geometry is not None:
        x, y = (axis.copy() for axis in table.points())
        crs = crs or _guess_degrees(x, y)
    elif x_field and y_field:
        x, y = (_read_axis(table, name) for name in (x_field, y_field))
        crs = _guess_degrees(x, y)
    else:
        return _nowhere(table, "The table has no places, so that nothing is known of where", told)
    if not crs:
        return _nowhere(table, "The places are in no known CRS, and are not used: give the layer one", told)
    place = np.isfinite(x) & np.isfinite(y) & ((x != 0) | (y != 0))
    if crs == _DEGREES:
        # 90° is a dummy of San Francisco's.
        place &= (np.abs(x) <= 180) & (np.abs(y) < 89)
    if not place.any():
        return _nowhere(table, f"{none_text(len(table), 'row', 'has', 'has no')} a place", told)
    moved_x, moved_y, zone = project_places(x[place], y[place], crs)
    near = np.hypot(moved_x - np.median(moved_x), moved_y - np.median(moved_y)) <= _FAR
    x[:], y[:] = np.nan, np.nan
    place[place] = near
    x[place], y[place] = moved_x[near], moved_y[near]
    missing = int((~place).sum())
    told.note(f"Places are in metres of {zone}")
    if missing:
        has = "has no place, or one far from all others", "have no place, or one far from all others"
        it = "it stays" if missing == 1 else "they stay"
        told.note(f"{part_text(missing, len(table), 'row', *has)}: {it}, with no place as a feature")
    return x, y, zone


def _nowhere(table: WholeTable, why: str, told: Told) -> tuple[Floats, Floats, str]:
    told.note(why)
    return np.full(len(table), np.nan), np.full(len(table), np.nan), ""


def _read_axis(table: WholeTable, name: str) -> Floats:
    if table.fields[name] in ("integer", "long", "real"):
        return np.array(table.column(name), dtype=np.float64)
    if table.fields[name] != "text":
        return np.full(len(table), np.nan)
    codes, labels = table.code(name)
    return np.append(parse_numbers(labels)[0], np.nan)[codes]


def _guess_degrees(x: Floats, y: Floats) -> str:
    """The CRS of longitudes and latitudes where nearly all are, empty for other numbers."""
    given = np.isfinite(x) & np.isfinite(y)
    inside = given & (np.abs(x) <= 180) & (np.abs(y) <= 90)
    # Places in metres near their origin are rarer than a column of fractions.
    return _DEGREES if given.any() and inside.sum() >= 0.95 * given.sum() and (x[inside] % 1).any() else ""
