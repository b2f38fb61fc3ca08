"""From street lines to a network: nodes where lines share a vertex, and who may go where, how fast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from ..contract.texts import count_text
from ..contract.tools.routes import ReadsNetwork
from ..ground.context import JobContext
from ..ground.errors import DataError
from .crossings import split_lines
from .ellipsoid import measure_distances
from .network import Network
from .reading import DEGREES, Streets, move_complex
from .rules import find_closed, read_directions, read_lighting, read_speeds


def build_network(streets: Streets, parameters: ReadsNetwork, context: JobContext) -> Network:
    """Build the network of a layer of streets.

    Lines are joined where they share a vertex, as QGIS does; with a snap tolerance also where an end is no farther from
    another street.

    Raises
    ------
    DataError
        If no street may be used.
    """
    parts, row = streets.parts, streets.row
    context.progress(0.1, "Building the network")
    if parameters.tolerance:
        split = split_lines(
            parts,
            streets.levels[row],
            streets.to_metres,
            streets.from_metres,
            parameters.tolerance,
            crossings=False,
        )
        parts, row = split.pieces, row[split.line]
        if split.snapped + split.touches:
            what = count_text(split.snapped + split.touches, "end")
            context.log(f"{what} joined to another street, {parameters.tolerance:g} m away or less")
    context.check_cancelled()
    network = join_lines(streets, parts, row)
    row = network.line
    context.progress(0.8)
    forward, backward = read_directions(streets, parameters, context)
    if parameters.travel == "foot":
        closed = find_closed(streets, context)
        forward, backward = forward & ~closed, backward & ~closed
    if not (forward | backward)[row].any():
        raise DataError(
            "No street may be used",
            parameter="network",
            value=parameters.travel,
            remedy="Look at the fields of direction, of the class and of who may walk",
        )
    speed, lit = read_speeds(streets, parameters, context), read_lighting(streets)
    return replace(network, forward=forward[row], backward=backward[row], speed=speed[row], lit=lit[row])


def join_lines(streets: Streets, parts: NDArray[np.object_], row: NDArray[np.int64]) -> Network:
    """Make a network of lines, P of them in the CRS of the streets, which everybody may use in both directions.

    Parameters
    ----------
    streets : Streets
    parts : ndarray of LineString, shape (P,)
    row : ndarray of int64, shape (P,)
        Of the layer, by position.
    """
    places, part = shapely.get_coordinates(parts, return_index=True)
    own = places @ np.array([1, 1j])
    # A vertex that is there twice in a row would be an edge without length.
    new = np.r_[True, (own[1:] != own[:-1]) | (part[1:] != part[:-1])]
    own, part = own[new], part[new]
    begins = np.r_[True, part[1:] != part[:-1]]
    ends = np.r_[begins[1:], True]
    number = _number_places(own)
    # A vertex of several lines, or twice in one, is a node.
    inner = ~begins & ~ends & (np.bincount(number)[number] > 1)
    row, first, vertex = _cut(row[part], begins, inner)
    metric = streets.to_metres(own)
    _, node = np.unique(np.r_[number[vertex[first[:-1]]], number[vertex[first[1:] - 1]]], return_inverse=True)
    at = np.zeros(node.max() + 1, dtype=complex)
    at[node] = metric[vertex[np.r_[first[:-1], first[1:] - 1]]]
    length = _measure(own, streets.own_crs, begins, vertex, first)
    moved, free = metric[vertex], np.ones(len(row), dtype=bool)
    return Network(
        at.real.copy(),
        at.imag.copy(),
        node[: len(row)].astype(np.int32),
        node[len(row) :].astype(np.int32),
        length,
        free,
        free,
        np.full(len(row), np.nan),
        np.full(len(row), -1, dtype=np.int8),
        row,
        first,
        np.c_[moved.real, moved.imag],
        streets.crs,
        len(streets.table),
    )


def _number_places(places: NDArray[np.complex128]) -> NDArray[np.int64]:
    """Number places by their exact coordinates."""
    order = np.lexsort((places.imag, places.real))
    new = np.r_[False, np.diff(places[order]) != 0]
    number = np.empty(len(places), dtype=np.int64)
    number[order] = np.cumsum(new)
    return number


def _cut(
    row: NDArray[np.int64], begins: NDArray[np.bool_], inner: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Edges between nodes: their rows, where each begins among the vertices, and the vertices (a node's twice)."""
    vertex = np.repeat(np.arange(len(row)), 1 + inner)
    # The second of the two begins an edge.
    second = np.r_[False, vertex[1:] == vertex[:-1]]
    start = begins[vertex] & ~second | second
    first = np.flatnonzero(start)
    return row[vertex[first]], np.r_[first, len(vertex)], vertex


def _measure(
    own: NDArray[np.complex128],
    crs: str,
    begins: NDArray[np.bool_],
    vertex: NDArray[np.int64],
    first: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Metres of each edge on the ellipsoid."""
    degrees = move_complex(own, crs, DEGREES)
    step = np.zeros(len(own))
    inside = np.flatnonzero(~begins)
    step[inside] = measure_distances(
        degrees.real[inside - 1], degrees.imag[inside - 1], degrees.real[inside], degrees.imag[inside]
    )
    along = np.r_[0.0, np.cumsum(step)]
    # A step leads to its vertex: that of an edge's first vertex is of the edge before.
    return np.asarray(along[vertex[first[1:] - 1] + 1] - along[vertex[first[:-1]] + 1])
