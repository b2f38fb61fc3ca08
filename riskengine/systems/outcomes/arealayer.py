"""Areas, and which of them each incident is in: polygons of a layer, or the middles of incidents that name one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.fieldnames import find_field
from ...contract.texts import list_names, part_text, show_name
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...ground.wholetables import WholeTable, read_whole_table
from ...intake.project import project_places
from ...maps.areas import Areas
from ...maps.joining import pair_by_key
from ...maps.shapes import move_shapes
from ...maps.unitlayer import UnitRows, make_units
from ...measures.grouped import compute_medians
from .rows import MISSING, Coded, Floats, Rows

#: Where this part of the incidents has an area field that names an area of the layer, the field decides.
_KEYS_FIT = 0.5
#: Fields that a sentence names.
_LISTED = 40


@dataclass(frozen=True, eq=False)
class IncidentAreas:
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

    def put_into(self, rows: Rows) -> Rows:
        """The same rows, with these areas' ids as their area field."""
        return replace(rows, texts={**rows.texts, "area": Coded(self.code.astype(np.int32), self.ids)})


def find_areas(
    rows: Rows, layer: str | None, id_field: str | None, name_field: str | None, context: JobContext
) -> IncidentAreas | None:
    """Find which area each incident is in: by the area field where it names areas of the layer, else by its place.

    Returns
    -------
    IncidentAreas or None
        None where there is neither a layer nor an area field with places.

    Raises
    ------
    DataError
        If no incident is in any area of the layer.
    """
    if layer is None:
        return _find_middles(rows)
    areas = _read_areas(layer, id_field, name_field, rows, context)
    code = _assign(rows, areas, context)
    if not (code >= 0).any():
        raise DataError(
            "No incident lies in an area of the layer, and none names one",
            parameter="areas",
            value=layer,
            remedy="Choose areas of the same city, and the field of their key that the area field of the incidents has",
        )
    x, y = areas.find_centres()
    return IncidentAreas(areas.ids, areas.names, code, areas, x, y, areas.crs)


def _find_middles(rows: Rows) -> IncidentAreas | None:
    """Areas as the middles of the incidents that name them."""
    area, placed = rows.texts.get("area"), np.isfinite(rows.x)
    if area is None or not placed.any():
        return None
    there = np.unique(area.codes[placed & (area.codes != MISSING)])
    number = np.full(len(area.labels) + 1, -1, dtype=np.int64)
    number[there] = np.arange(len(there))
    code = number[area.codes]
    x, y = (compute_medians(code, axis, len(there)) for axis in (rows.x, rows.y))
    ids = [area.labels[label] for label in there.tolist()]
    return IncidentAreas(ids, ids, code, None, x, y, rows.crs)


def _read_areas(path: str, id_field: str | None, name_field: str | None, rows: Rows, context: JobContext) -> Areas:
    table = read_whole_table(path, "areas")
    ids = _read_labels(table, id_field, "area_id")
    names = _read_labels(table, name_field, "area_name") if name_field else ids
    written = table.shapes()
    if table.geometry is None or not table.crs or not any(shape is not None for shape in written):
        raise DataError(
            "The areas have no polygons, or no CRS",
            parameter="areas",
            value=path,
            remedy="Choose a layer of polygons, and set its CRS in its properties",
        )
    crs = rows.crs or _choose_crs(written, table.crs)
    units = UnitRows(ids, names, move_shapes(written, table.crs, crs), table.fids)
    made = make_units(units, crs, 0.0, context)
    if not isinstance(made, Areas):
        raise DataError(
            "The areas are lines", parameter="areas", value=path, remedy="Choose a layer of polygons, such as districts"
        )
    return made


def _read_labels(table: WholeTable, field: str | None, parameter: str) -> list[str]:
    """Values of a field as texts; empty for none."""
    if not field:
        return [""] * len(table)
    name = find_field(field, list(table.fields))
    if name is None:
        raise DataError(
            f"The areas have no field {show_name(field)}",
            parameter=parameter,
            value=field,
            remedy=f"Choose from: {list_names(list(table.fields), _LISTED)}",
        )
    codes, labels = table.code(name)
    return [labels[code] if code >= 0 else "" for code in codes.tolist()]


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
