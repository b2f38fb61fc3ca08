"""Polygons of a user: those to avoid, and the districts that ways go through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.fieldnames import find_field
from ...contract.texts import list_names, show_name
from ...ground.errors import DataError, ParameterError
from ...ground.wholetables import WholeTable, read_whole_table
from ...maps.joining import is_polygonal
from ...maps.shapes import gather_rows, move_shapes
from ...streets.network import Network
from ...streets.reading import DEGREES
from .results import DistrictShare, Ways

Geometries = NDArray[np.object_]


def read_polygons(path: str, parameter: str, crs: str) -> tuple[WholeTable, Geometries]:
    """Read a layer of polygons in the working CRS: its table, and a geometry for each row, None where there is none.

    Raises
    ------
    DataError
        If it holds none, or something else.
    """
    table = read_whole_table(path, parameter)
    shapes = move_shapes(table.shapes(), table.crs or DEGREES, crs)
    there = shapely.get_dimensions(shapes) >= 0
    if not there.any() or not is_polygonal(shapes[there]):
        raise DataError(
            f"The layer {show_name(path)} does not hold polygons alone",
            parameter=parameter,
            value=path,
            remedy="Choose a layer of polygons, or leave it empty",
        )
    return table, np.where(there, shapely.make_valid(shapes), None)


def find_avoided(network: Network, polygons: Geometries) -> NDArray[np.bool_]:
    """Find the edges that go through a polygon, shape (E,); one that runs along its outline does not."""
    closed = np.zeros(network.edges, dtype=bool)
    polygon, edge = shapely.STRtree(network.shapes).query(polygons, predicate="intersects")
    closed[edge[~shapely.touches(polygons[polygon], network.shapes[edge])]] = True
    return closed


def read_districts(path: str, field: str, crs: str) -> tuple[tuple[str, ...], Geometries]:
    """Read districts: names, and one geometry for each name.

    Raises
    ------
    ParameterError
        If the layer has no such field.
    """
    table, shapes = read_polygons(path, "areas", crs)
    name = find_field(field, table.fields)
    if name is None:
        raise ParameterError(
            f"The layer of districts has no field {show_name(field)}",
            parameter="area_name",
            value=field,
            remedy=f"Choose from: {list_names(list(table.fields), 40)}",
        )
    codes, labels = table.code(name)
    there = (codes >= 0) & ~shapely.is_missing(shapes)
    gathered = gather_rows([labels[code] if code >= 0 else "" for code in codes.tolist()], None, shapes, there)
    return gathered.names, gathered.geometries


def measure_districts(found: Sequence[Ways], names: Sequence[str], polygons: Geometries) -> list[DistrictShare]:
    """Measure the share of each district in all metres of the shortest and of the least exposed ways.

    Districts that no way goes through are left out; what lies in no district is in no share.
    """
    ends = [[each.ways[end] for each in found if each.ways] for end in (0, -1)]
    shares = []
    for ways in ends:
        lines = np.array([shapely.linestrings(way.vertices) for way in ways], dtype=object)
        metres = np.array([way.metres for way in ways])
        way, district = shapely.STRtree(polygons).query(lines, predicate="intersects")
        # Lengths on the ellipsoid are known of whole ways.
        part = shapely.length(shapely.intersection(lines[way], polygons[district])) / shapely.length(lines[way])
        shares.append(np.bincount(district, part * metres[way], len(names)) / max(metres.sum(), 1e-9))
    shortest, least = shares
    gone = np.flatnonzero(shortest + least > 0)
    return [DistrictShare(names[each], float(shortest[each]), float(least[each])) for each in gone]
