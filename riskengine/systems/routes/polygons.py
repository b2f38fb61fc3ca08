"""Polygons on the network: streets that are to be avoided, and the districts that ways go through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...ground.wholetables import WholeTable, read_whole_table
from ...intake.project import move_places
from ...streets.network import Network
from ...streets.reading import require_field
from .results import DistrictShare, Way

#: What lies in no district.
ELSEWHERE = "(outside all districts)"
#: What the layer of a parameter is called.
_LAYERS = {"avoid": "The layer of what to avoid", "areas": "The layer of districts"}


def find_avoided(path: str, network: Network, context: JobContext) -> NDArray[np.bool_]:
    """Find the edges that go through a polygon, shape (E,); one that runs along its outline does not."""
    _, shapes = _read_polygons(path, network.crs, "avoid")
    tree = shapely.STRtree(network.shapes)
    polygon, edges = tree.query(shapes, predicate="intersects")
    avoided = np.zeros(network.edges, dtype=bool)
    avoided[edges[~shapely.touches(shapes[polygon], network.shapes[edges])]] = True
    lines = len(np.unique(network.line[avoided]))
    context.log(f"{count_text(lines, 'street')} avoided, {network.metres[avoided].sum() / 1000:,.1f} km")
    return avoided


class Districts:
    """Polygons with names.

    Parameters
    ----------
    path : str
        A whole table of polygons.
    name : str
        The field of their names.
    crs : str
        Of the network.
    """

    def __init__(self, path: str, name: str, crs: str) -> None:
        table, shapes = _read_polygons(path, crs, "areas")
        codes, labels = table.code(require_field(name, "area_name", table.fields, "districts"))
        self._names = [labels[code] if code >= 0 else "" for code in codes.tolist()]
        self._shapes, self._tree = shapes, shapely.STRtree(shapes)

    def share_out(self, shortest: Sequence[Way], least: Sequence[Way]) -> list[DistrictShare]:
        """Share out the metres of all shortest and of all least exposed ways, without districts that none enters."""
        before, after = self._measure(shortest), self._measure(least)
        names = sorted({*before, *after}, key=lambda name: -max(before.get(name, 0), after.get(name, 0)))
        return [DistrictShare(name, before.get(name, 0.0), after.get(name, 0.0)) for name in names]

    def _measure(self, ways: Sequence[Way]) -> dict[str, float]:
        lines = shapely.linestrings(
            np.concatenate([way.vertices for way in ways]),
            indices=np.repeat(np.arange(len(ways)), [len(way.vertices) for way in ways]),
        )
        total = float(shapely.length(lines).sum())
        way, shape = self._tree.query(lines, predicate="intersects")
        inside = shapely.length(shapely.intersection(lines[way], self._shapes[shape]))
        found: dict[str, float] = {}
        for number, metres in zip(shape.tolist(), inside.tolist(), strict=True):
            found[self._names[number]] = found.get(self._names[number], 0.0) + metres
        rest = total - sum(found.values())
        # Districts may overlap, or share borders along which ways go.
        if rest > 0.001 * total:
            found[ELSEWHERE] = rest
        return {name: metres / total for name, metres in found.items() if metres > 0} if total else {}


def _read_polygons(path: str, crs: str, parameter: str) -> tuple[WholeTable, NDArray[np.object_]]:
    """A table of polygons, and its shapes in another CRS; rows without one have an empty shape."""
    table = read_whole_table(path, parameter)
    shapes = np.asarray(shapely.from_wkb(table.shapes(), on_invalid="ignore"), dtype=object)
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6))
    if not polygonal.any() or not table.crs:
        raise DataError(
            f"{_LAYERS[parameter]} has no polygon, or no CRS",
            parameter=parameter,
            value=len(table),
            remedy="Choose a layer of polygons with a CRS",
        )
    shapes[~polygonal] = shapely.Polygon()
    shapes = shapely.force_2d(shapes)
    places = shapely.get_coordinates(shapes)
    x, y = move_places(places[:, 0], places[:, 1], table.crs, crs)
    moved = shapely.set_coordinates(shapes, np.c_[x, y])
    return table, np.asarray(shapely.make_valid(moved), dtype=object)
