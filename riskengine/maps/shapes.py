"""Units that have shapes: what areas and segments share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform

from .support import Support

if TYPE_CHECKING:
    from typing_extensions import Self

Geometries = NDArray[np.object_]
#: Numbers of points, and of units they are in or at; a point may have several.
Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]

#: Shapes that lie no farther apart than this touch: digitised borders seldom meet to the millimetre. Metres.
TOUCH = 0.5


@dataclass(frozen=True)
class Shapes(Support):
    """Units with ids and geometries.

    Attributes
    ----------
    ids : tuple of str
        All different.
    geometries : ndarray of shapely geometries, shape (N,)
        Metres; valid and not empty.
    crs : str
        WKT or authority code of a projected CRS in metres.
    names : tuple of str
        What people call them; by default their ids.
    """

    ids: tuple[str, ...]
    geometries: Geometries
    crs: str
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.names:
            object.__setattr__(self, "names", self.ids)

    @property
    def shape(self) -> tuple[int]:
        """(N,)."""
        return (len(self.ids),)

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.geometries)

    @property
    def table_geometry(self) -> Literal["multipolygon", "multiline"]:
        """What a table of them holds (`ground.tables.write_table`)."""
        return "multiline" if self.kind == "segments" else "multipolygon"

    def take(self, units: NDArray[np.int64]) -> Self:
        """Take some of the units, in that order."""
        ids, names = (tuple(each[number] for number in units.tolist()) for each in (self.ids, self.names))
        return replace(self, ids=ids, names=names, geometries=self.geometries[units])

    def pack_shapes(self) -> list[bytes]:
        """Pack each unit as a geometry of several parts, in well-known binary: a table has one kind of geometry."""
        shapes = self.geometries.copy()
        for single, join in ((1, shapely.multilinestrings), (3, shapely.multipolygons)):
            alone = shapely.get_type_id(shapes) == single
            shapes[alone] = join(shapes[alone][:, None])
        return list(shapely.to_wkb(shapes, byte_order=1))

    @abstractmethod
    def match(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Pairs:
        """Find all units that each point belongs to by its place: pairs of numbers of points and of units."""

    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """Find the number of the unit each point belongs to, the first of several; -1 for none.

        A point on a border belongs to the area that comes first, so that each is counted once.
        """
        return take_first(self.match(x, y), len(x))


def take_first(pairs: Pairs, points: int) -> NDArray[np.int64]:
    """Take for each of so many points the first of its units; -1 for none."""
    point, unit = pairs
    found = np.full(points, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(found, point, unit)
    found[found == np.iinfo(np.int64).max] = -1
    return found


def spread(found: NDArray[np.int64], units: NDArray[np.int64], place: NDArray[np.int64], places: int) -> Pairs:
    """Give each point the units of its place."""
    units = units[np.argsort(found, kind="stable")]
    several = np.bincount(found, minlength=places)
    first, number = (np.cumsum(several) - several)[place], several[place]
    point = np.repeat(np.arange(len(place)), number)
    within = np.arange(len(point)) - np.repeat(np.cumsum(number) - number, number)
    return point, units[np.repeat(first, number) + within]


@dataclass(frozen=True)
class Gathered:
    """The rows of a layer made one unit for each id.

    Attributes
    ----------
    ids, names : tuple of str, length N
    geometries : ndarray, shape (N,)
    joined : list of str
        Ids that stand on several rows; their parts are one unit.
    empty : list of str
        Ids that have no geometry that can be used.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    geometries: Geometries
    joined: list[str]
    empty: list[str]


def gather_rows(
    ids: Sequence[str], names: Sequence[str] | None, geometries: Geometries, kept: NDArray[np.bool_]
) -> Gathered:
    """Gather the rows that are kept by their ids; without names the ids stand for them."""
    rows: dict[str, list[int]] = {}
    for number in np.flatnonzero(kept).tolist():
        rows.setdefault(str(ids[number]), []).append(number)
    made = [geometries[each[0]] if len(each) == 1 else shapely.union_all(geometries[each]) for each in rows.values()]
    called = names if names is not None else ids
    return Gathered(
        tuple(rows),
        tuple(str(called[each[0]]) for each in rows.values()),
        np.array(made, dtype=object),
        [name for name, each in rows.items() if len(each) > 1],
        sorted({str(ids[number]) for number in np.flatnonzero(~kept).tolist()} - set(rows)),
    )


def move_shapes(written: NDArray[np.object_], source: str, target: str) -> NDArray[np.object_]:
    """Read well-known binary and bring it to another CRS.

    Parameters
    ----------
    written : ndarray of bytes or None, shape (R,)
    source, target : str
        WKT or authority codes.

    Returns
    -------
    ndarray of shapely geometries, shape (R,)
        None where there is none, or where it has no place in the target.
    """
    shapes = np.asarray(shapely.force_2d(shapely.from_wkb(written, on_invalid="ignore")), dtype=object)
    if CRS.from_user_input(source) == CRS.from_user_input(target):
        return shapes

    def move(places: NDArray[np.float64]) -> NDArray[Any]:
        if not len(places):
            return places
        return np.stack(transform(source, target, *places.T.tolist()), axis=1)

    moved = np.asarray(shapely.transform(shapes, move), dtype=object)
    lost = ~np.isfinite(shapely.bounds(moved)).all(axis=1)
    moved[lost] = None
    return moved
