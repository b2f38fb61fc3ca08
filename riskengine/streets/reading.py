"""Street lines of a layer, as they are, and which fields say more of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError

from ..contract.fieldnames import find_field
from ..contract.texts import list_names, show_name
from ..contract.tools.routes import ReadsLines
from ..contract.utm import find_utm_code
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from ..ground.wholetables import WholeTable, read_whole_table
from ..intake.project import move_places

DEGREES = "EPSG:4326"
#: Names by which fields are found, reduced to letters, the usual ones first; all of a level's are taken.
NAMES: Mapping[str, tuple[str, ...]] = {
    "direction": ("oneway", "onewaydir", "direction", "trafficdir", "dirtravel", "flowdir"),
    "speed": ("maxspeed", "speedlimit", "speed", "postedspeed", "postedspd"),
    "class": ("highway", "fclass", "roadclass", "class", "streettype", "roadtype"),
    "foot": ("foot", "pedestrian", "walkable"),
    "lit": ("lit", "lighting", "streetlight", "streetlights"),
    "level": ("bridge", "tunnel", "layer", "zlevel", "level"),
}
#: What the log calls the roles.
_ROLES: Mapping[str, str] = {
    "direction": "one-way",
    "speed": "speed",
    "class": "kind of street",
    "foot": "who may walk",
    "lit": "lighting",
    "level": "bridges and tunnels",
}


@dataclass(frozen=True, eq=False)
class Streets:
    """P parts of the lines of a layer's rows.

    Attributes
    ----------
    table : WholeTable
    parts : ndarray of LineString, shape (P,)
        In the CRS of the layer, with a length.
    row : ndarray of int64, shape (P,)
        Of the table, by position.
    crs : str
        Projected, metres: in which places are measured.
    levels : ndarray of int64, shape (rows,)
        Rows with different numbers are joined only at vertices they share.
    fields : dict of str to str
        Found or given, by role; roles without a field are missing.
    empty, parted : ndarray of int64
        Rows without a length, and rows of several parts.
    notes : tuple of str
        What was chosen, and what has to be known.
    """

    table: WholeTable
    parts: NDArray[np.object_]
    row: NDArray[np.int64]
    crs: str
    levels: NDArray[np.int64]
    fields: Mapping[str, str]
    empty: NDArray[np.int64]
    parted: NDArray[np.int64]
    notes: tuple[str, ...]

    @property
    def own_crs(self) -> str:
        """The CRS of the layer."""
        return self.table.crs or DEGREES

    def to_metres(self, places: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Bring places of the layer, as x + iy, to the working CRS."""
        return move_complex(places, self.own_crs, self.crs)

    def from_metres(self, places: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Bring places of the working CRS, as x + iy, to that of the layer."""
        return move_complex(places, self.crs, self.own_crs)


def move_complex(places: NDArray[np.complex128], crs: str, wanted: str) -> NDArray[np.complex128]:
    """Bring places, as x + iy, from one CRS to another."""
    if crs == wanted or not len(places):
        return places
    try:
        x, y = move_places(places.real, places.imag, crs, wanted)
    except CPLE_BaseError as error:
        raise make_misplaced_error(crs) from error
    return np.asarray(x + 1j * y)


def make_misplaced_error(crs: str) -> DataError:
    """Make the error of streets with coordinates that their CRS has not."""
    return DataError(
        f"Some street does not lie on the earth: {show_name(crs)} is not the CRS of its coordinates",
        parameter="network",
        value=crs,
        remedy="Give the layer the CRS of its coordinates (right-click, Layer CRS), or correct the street",
    )


def read_streets(parameters: ReadsLines, context: JobContext, crs: str = "") -> Streets:
    """Read the lines of a layer, and find the fields that say more of them.

    Parameters
    ----------
    parameters : ReadsLines
        Fields of `ReadsNetwork` are looked at where there are such.
    context : JobContext
    crs : str
        The working CRS; left empty, the UTM zone of the middle of the streets.

    Raises
    ------
    DataError
        If no row is a line, or the layer is in no known CRS.
    ParameterError
        If a field that was named is none of the layer's.
    """
    table = read_whole_table(parameters.network, "network")
    shapes = np.asarray(shapely.from_wkb(table.shapes(), on_invalid="ignore"), dtype=object)
    shapes = shapely.force_2d(shapes)
    parts, row = shapely.get_parts(shapes, return_index=True)
    length = shapely.length(parts)
    linear = (shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING) & (length > 0) & np.isfinite(length)
    parts, row = parts[linear], row[linear]
    if not len(parts):
        raise DataError(
            "The layer of streets has no line",
            parameter="network",
            value=len(table),
            remedy="Choose a layer of lines, such as street centre lines",
        )
    number = np.bincount(row, minlength=len(table))
    notes: list[str] = []
    own = table.crs or _guess_crs(parts, notes)
    crs = crs or _choose_crs(parts, own)
    if crs != own:
        notes.append(f"The streets are measured in metres of {crs}")
    fields, levels = find_fields(parameters, table, notes)
    for note in notes:
        context.log(note)
    return Streets(
        table, parts, row, crs, levels, fields, np.flatnonzero(number == 0), np.flatnonzero(number > 1), tuple(notes)
    )


def find_fields(
    parameters: ReadsLines, table: WholeTable, notes: list[str]
) -> tuple[dict[str, str], NDArray[np.int64]]:
    """Find the fields that were named, or have a name that says what they hold; and the level of each row."""
    names = list(table.fields)
    found: dict[str, str] = {}
    for role in NAMES:
        key = f"{role}_field"
        if role != "level" and hasattr(parameters, key):
            given = getattr(parameters, key)
            name = require_field(given, key, names) if given else _find(NAMES[role], names)
            if name:
                found[role] = name
    asked = [require_field(name, "level_fields", names) for name in parameters.level_fields]
    level = asked or [name for wanted in NAMES["level"] if (name := _find((wanted,), names))]
    if found or level:
        said = [f"{show_name(name)} ({_ROLES[role]})" for role, name in found.items()]
        said += [f"{show_name(name)} ({_ROLES['level']})" for name in level]
        notes.append(f"Fields of the streets: {', '.join(said)}")
    levels = np.zeros(len(table), dtype=np.int64)
    for name in level:
        codes, labels = table.code(name)
        # Ground level is said by no value as well as by no, 0 and F.
        plain = np.array([_reduce_level(label) for label in labels] + [""], dtype=object)
        _, numbers = np.unique(plain[codes].astype(str), return_inverse=True)
        levels = levels * (int(numbers.max(initial=0)) + 1) + numbers
    return found, levels


def _reduce_level(label: str) -> str:
    text = label.strip().casefold()
    return "" if text in ("no", "0", "f", "false", "n", "none", "null") else text


def require_field(name: str, parameter: str, names: Iterable[str], what: str = "streets") -> str:
    """Find a field that was named, in whatever letters; an error that lists those of the layer of `what` if none is."""
    names = list(names)
    found = find_field(name, names)
    if found is None:
        raise ParameterError(
            f"The layer of {what} has no field {show_name(name)}",
            parameter=parameter,
            value=name,
            remedy=f"Choose from: {list_names(names, 40)}",
        )
    return found


def _find(wanted: Sequence[str], names: Sequence[str]) -> str:
    by_letters = {"".join(filter(str.isalpha, name.casefold())): name for name in reversed(names)}
    return next((by_letters[each] for each in wanted if each in by_letters), "")


def _guess_crs(parts: NDArray[np.object_], notes: list[str]) -> str:
    west, south, east, north = shapely.total_bounds(parts)
    if west >= -180 and east <= 180 and south >= -90 and north <= 90:
        notes.append("The layer of streets says no CRS; its coordinates are taken for longitudes and latitudes")
        return DEGREES
    raise DataError(
        "The layer of streets is in no known CRS, so that its lengths are not known",
        parameter="network",
        remedy="Give the layer the CRS of its coordinates: right-click, Layer CRS",
    )


def _choose_crs(parts: NDArray[np.object_], own: str) -> str:
    middle = np.median(shapely.get_coordinates(parts), axis=0)
    place = move_complex(middle[:1] + 1j * middle[1:], own, DEGREES)
    longitude, latitude = float(place[0].real), float(place[0].imag)
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):
        raise make_misplaced_error(own)
    return find_utm_code(longitude, latitude)
