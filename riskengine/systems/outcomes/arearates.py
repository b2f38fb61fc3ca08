"""Rates of an outcome by area, beside what the categories reported there would have elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.outcomes import COMPARED_LEAST, SHOWN_LEAST
from ...contract.texts import list_names, part_text
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...intake.project import project_places
from ...intake.valuetable import read_value_table
from ...maps.areas import Areas
from ...maps.joining import pair_by_key
from ...maps.shapes import move_shapes
from ...maps.unitlayer import UnitRows, make_units
from ...measures.clustered import compute_clustered_mean
from ...measures.proportions import compute_share_limits
from .rates import expect_outcomes
from .rows import MISSING, Floats, Rows

#: Area fields of which this part names an area of the layer go with its keys.
_KEYS_FIT = 0.5


@dataclass(frozen=True, eq=False)
class Places:
    """A areas, and which of them each incident is in.

    Attributes
    ----------
    ids, names : sequence of str, length A
    code : ndarray of int64, shape (N,)
        -1 for none.
    shapes : Areas or None
        None where no polygons were given: then each is where the middle of its incidents is.
    x, y : ndarray of float64, shape (A,)
        Of that middle, metres; NaN for areas without an incident that has a place.
    crs : str
    """

    ids: Sequence[str]
    names: Sequence[str]
    code: NDArray[np.int64]
    shapes: Areas | None
    x: Floats
    y: Floats
    crs: str


@dataclass(frozen=True, eq=False)
class AreaRates:
    """Rates of A areas.

    Attributes
    ----------
    incidents, outcomes : ndarray of int64, shape (A,)
    low, high : ndarray of float64, shape (A,)
        The 95 % interval of the rate.
    expected : ndarray of float64, shape (A,)
        The rate that its incidents' categories and descriptions have elsewhere, too.
    difference : ndarray of float64, shape (A, 3)
        Rate less `expected`, and its 95 % interval over days; NaN with fewer than `COMPARED_LEAST` incidents.
    """

    incidents: NDArray[np.int64]
    outcomes: NDArray[np.int64]
    low: Floats
    high: Floats
    expected: Floats
    difference: Floats

    @property
    def rate(self) -> Floats:
        """Shares with the outcome, shape (A,); NaN without incidents."""
        with np.errstate(invalid="ignore"):
            return self.outcomes / self.incidents

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Areas with incidents enough to say anything."""
        return self.incidents >= SHOWN_LEAST

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Areas with incidents enough to be compared."""
        return np.isfinite(self.difference[:, 1])

    def list_labels(self) -> list[str]:
        """Say of each area how it compares: a key of `contract.outcomes.AREA_LABELS`."""
        _, low, high = self.difference.T
        conditions = [~self.shown, ~self.compared, high < 0, low > 0]
        return np.select(conditions, ["hidden", "few", "below", "above"], "expected").tolist()


def compare_areas(rows: Rows, places: Places, chosen: NDArray[np.bool_]) -> AreaRates:
    """Compare the rate of each area with what its categories and descriptions have in all of them.

    Parameters
    ----------
    rows : Rows
    places : Places
    chosen : ndarray of bool, shape (N,)
        The rows that count.
    """
    rows, code = rows.select(chosen), places.code[chosen]
    size, inside = len(places.ids), code >= 0
    happened = rows.outcomes
    expected = expect_outcomes(rows, np.ones(len(rows), dtype=bool))
    incidents = np.bincount(code[inside], minlength=size)
    outcomes = np.bincount(code[inside], happened[inside], minlength=size).astype(np.int64)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(code[inside], expected[inside], minlength=size) / incidents
    difference = np.full((size, 3), np.nan)
    day = rows.day.astype(np.int64)
    for area in np.flatnonzero(incidents >= COMPARED_LEAST).tolist():
        own = np.flatnonzero(code == area)
        difference[area] = compute_clustered_mean(happened[own] - expected[own], day[own])
    return AreaRates(incidents, outcomes, *compute_share_limits(outcomes, incidents), mean, difference)


def find_places(
    rows: Rows, layer: str | None, key_field: str | None, name_field: str | None, context: JobContext
) -> Places | None:
    """Find which area each incident is in: by the area field where it names areas of the layer, else by its place.

    Returns
    -------
    Places or None
        None where there is neither a layer nor an area field with places.

    Raises
    ------
    DataError
        If no incident is in any area of the layer.
    """
    if layer is None:
        return _find_middles(rows)
    areas = _read_areas(layer, key_field, name_field, rows, context)
    code = _assign(rows, areas, context)
    if not (code >= 0).any():
        raise DataError(
            "No incident lies in an area of the layer, and none names one",
            parameter="areas",
            value=layer,
            remedy="Choose areas of the same city, and the field of their key that the area field of the incidents has",
        )
    x, y = areas.find_centres()
    return Places(areas.ids, areas.names, code, areas, x, y, areas.crs)


def _find_middles(rows: Rows) -> Places | None:
    """Areas as the middles of the incidents that name them."""
    area, placed = rows.texts.get("area"), np.isfinite(rows.x)
    if area is None or not placed.any():
        return None
    there = np.unique(area.codes[placed & (area.codes != MISSING)])
    number = np.full(len(area.labels) + 1, -1, dtype=np.int64)
    number[there] = np.arange(len(there))
    code = number[area.codes]
    x, y = np.full(len(there), np.nan), np.full(len(there), np.nan)
    for each in range(len(there)):
        own = placed & (code == each)
        x[each], y[each] = np.median(rows.x[own]), np.median(rows.y[own])
    ids = [area.labels[label] for label in there.tolist()]
    return Places(ids, ids, code, None, x, y, rows.crs)


def _read_areas(
    path: str, key_field: str | None, name_field: str | None, rows: Rows, context: JobContext
) -> Areas:
    table = read_value_table(path, [], context, key_field=key_field or "", shapes=True, parameter="areas")
    names = table.keys
    if name_field:
        names = read_value_table(path, [], context, key_field=name_field, parameter="areas").keys
    if table.shapes is None or not table.crs:
        raise DataError(
            "The areas have no polygons, or no CRS",
            parameter="areas",
            value=path,
            remedy="Choose a layer of polygons, and set its CRS in its properties",
        )
    crs = rows.crs or _choose_crs(table.shapes, table.crs)
    numbers = np.arange(table.rows, dtype=np.int64)
    empty = [""] * table.rows
    made = make_units(
        UnitRows(table.keys or empty, names or empty, move_shapes(table.shapes, table.crs, crs), numbers),
        crs,
        0.0,
        context,
    )
    if not isinstance(made, Areas):
        raise DataError(
            "The areas are lines", parameter="areas", value=path, remedy="Choose a layer of polygons, such as districts"
        )
    return made


def _choose_crs(shapes: NDArray[np.object_], crs: str) -> str:
    """The UTM zone of the layer's middle, where the incidents have no places."""
    west, south, east, north = shapely.total_bounds(shapely.from_wkb(shapes))
    return project_places(np.array([(west + east) / 2]), np.array([(south + north) / 2]), crs)[2]


def _assign(rows: Rows, areas: Areas, context: JobContext) -> NDArray[np.int64]:
    field = rows.texts.get("area")
    if field is not None:
        pairs, unknown = pair_by_key(field.labels, areas.ids)
        of_label = np.full(len(field.labels) + 1, -1, dtype=np.int64)
        # The first of several areas of one key.
        of_label[pairs.row[::-1]] = pairs.area[::-1]
        code = of_label[field.codes]
        if (code >= 0).mean() > _KEYS_FIT:
            if unknown:
                context.log(f"The layer has no area of the key {list_names(unknown)}")
            _log_inside(code, "names an area of the layer", "name an area of the layer", context)
            return code
    code = np.full(len(rows), -1, dtype=np.int64)
    placed = np.isfinite(rows.x)
    code[placed] = areas.locate(rows.x[placed], rows.y[placed])
    _log_inside(code, "lies in an area", "lie in an area", context)
    return code


def _log_inside(code: NDArray[np.int64], one: str, many: str, context: JobContext) -> None:
    context.log(part_text(int((code >= 0).sum()), len(code), "incident", one, many))
