"""Pairs of places between which ways are tested: random nodes of the network, so far apart as somebody walks."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ...contract.texts import count_text, part_text, show_name
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...ground.wholetables import read_whole_table
from ...intake.project import move_places
from ...streets.network import Network
from ...streets.reading import DEGREES, require_field
from .results import PairOfPlaces

#: Starts that are tried for each pair wanted: some have nothing in the right distance.
_TRIES = 20


def draw_pairs(
    network: Network, number: int, nearest: float, farthest: float, seed: int, area: Any = None
) -> list[PairOfPlaces]:
    """Draw pairs of nodes of the largest connected part; the same seed gives the same pairs.

    A start is any node with the same chance, its end any node in the right distance.

    Parameters
    ----------
    nearest, farthest : float
        Metres in a straight line.
    area : shapely geometry, optional
        Both ends lie in it, such as where incidents are recorded.

    Raises
    ------
    DataError
        If there are too few such pairs.
    """
    nodes = _find_largest_part(network)
    if area is not None:
        nodes = nodes[shapely.contains_xy(area, network.x[nodes], network.y[nodes])]
    places = np.column_stack([network.x[nodes], network.y[nodes]])
    tree, random = cKDTree(places), np.random.default_rng(seed)
    found: dict[tuple[int, int], PairOfPlaces] = {}
    for start in random.integers(0, len(nodes), _TRIES * number).tolist() if len(nodes) else []:
        if len(found) == number:
            break
        near = np.array(tree.query_ball_point(places[start], farthest, return_sorted=True))
        near = near[np.hypot(*(places[near] - places[start]).T) >= nearest]
        if len(near):
            end = int(random.choice(near))
            name = str(len(found) + 1)
            pair = PairOfPlaces(name, (*places[start].tolist(),), (*places[end].tolist(),))
            found.setdefault((start, end), pair)
    if len(found) < number:
        raise DataError(
            f"Only {count_text(len(found), 'pair')} of places {nearest:,.0f} to {farthest:,.0f} m apart could be drawn"
            f" from the {count_text(len(nodes), 'node')} of the network's largest part where incidents lie",
            parameter="pairs",
            value=number,
            remedy="Ask for fewer pairs, or for places nearer to each other",
        )
    return list(found.values())


def _find_largest_part(network: Network) -> NDArray[np.int64]:
    """Nodes that can all be reached from each other, the most there are."""
    forward, backward = network.forward, network.backward
    tail = np.concatenate([network.tail[forward], network.head[backward]])
    head = np.concatenate([network.head[forward], network.tail[backward]])
    links = csr_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(network.nodes, network.nodes))
    _, part = connected_components(links, directed=True, connection="strong")
    return np.flatnonzero(part == np.bincount(part).argmax()) if network.nodes else np.zeros(0, dtype=np.int64)


def read_own_pairs(path: str, field: str, crs: str, context: JobContext) -> list[PairOfPlaces]:
    """Read pairs of places: points, of which two each with the same value of a field are a pair.

    Of each pair the first point of the layer is the start. Values that are not there exactly twice are told.

    Raises
    ------
    DataError
        If no two points are a pair.
    """
    table = read_whole_table(path, "own_pairs")
    codes, labels = table.code(require_field(field, "pair_field", table.fields, "pairs"))
    x, y = table.points()
    placed = np.isfinite(x) & np.isfinite(y) & (codes >= 0)
    x[placed], y[placed] = move_places(x[placed], y[placed], table.crs or DEGREES, crs)
    number = np.bincount(codes[placed], minlength=len(labels))
    pairs = []
    for code in np.flatnonzero(number == 2).tolist():
        first, second = np.flatnonzero(placed & (codes == code)).tolist()
        pairs.append(PairOfPlaces(show_name(labels[code]), (x[first], y[first]), (x[second], y[second])))
    if not pairs:
        raise DataError(
            f"No value of {show_name(field)} is that of exactly two points, so that there is no pair",
            parameter="pair_field",
            value=field,
            remedy="Give both places of a pair the same value, and each pair another one",
        )
    if others := int((number != 2).sum()):
        context.warn(
            f"{part_text(others, len(labels), 'value', 'is', 'are')} not that of exactly two points, and left out"
        )
    return pairs
