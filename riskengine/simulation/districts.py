"""Made-up areas of the simulated city: nine districts, and neighbourhoods of any number with a made-up deprivation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from .cityplan import CENTRE
from .simulate import SimulatedCity

#: Row by row from the north-west.
DISTRICTS = (
    *("Saint-Étienne", "North Quay", "Île Verte", "Old Market", "Centre", "Señorío"),
    *("Mühlbach", "South Gate", "Łąka"),
)
#: Share of the deprivation's spread that goes with how much happens there; the rest is chance.
_TRUE = 0.5


@dataclass(frozen=True)
class Neighbourhoods:
    """Polygons that fill the city.

    Attributes
    ----------
    ids, names : list of str
    shapes : ndarray of shapely Polygon, shape (N,)
        Metres in the city's CRS.
    deprivation : ndarray, shape (N,)
        From 0 to 100, evenly; half of it goes with how much happens there. It is invented.
    """

    ids: list[str]
    names: list[str]
    shapes: NDArray[np.object_]
    deprivation: NDArray[np.float64]

    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """Find the number of the neighbourhood of each place; -1 beyond the city."""
        place, found = shapely.STRtree(self.shapes).query(shapely.points(x, y), predicate="intersects")
        number = np.full(len(x), -1, dtype=np.int64)
        # On a border the first one has it.
        number[place[::-1]] = found[::-1]
        return number


def find_districts(x: NDArray[np.float64], y: NDArray[np.float64], size: float) -> NDArray[np.int64]:
    """Find which of `DISTRICTS` places lie in, in a city of `size` metres."""
    third = size / 6
    column = np.digitize(x - CENTRE[0], [-third, third])
    row = np.digitize(CENTRE[1] - y, [-third, third])
    return np.asarray(row * 3 + column)


def make_neighbourhoods(city: SimulatedCity, number: int) -> Neighbourhoods:
    """Make the neighbourhoods of a city: small in its middle, larger at its edge.

    Parameters
    ----------
    city : SimulatedCity
    number : int
        How many; the same city and number give the same ones.
    """
    # A stream of its own, so that the city is the same with and without them.
    random = np.random.default_rng([city.parameters["seed"], 2])
    size = city.parameters["size"]
    x, y = (middle + np.clip(random.normal(0, size / 4, number), -size / 2, size / 2) for middle in CENTRE)
    shapes = _divide(x, y, size)
    middles = shapely.centroid(shapes)
    x, y = shapely.get_x(middles), shapely.get_y(middles)
    district = find_districts(x, y, size)
    names = [f"{DISTRICTS[each]} {(district[: row + 1] == each).sum()}" for row, each in enumerate(district)]
    busy = sum(city.background.compute_density(x, y, category) for category in range(len(city.categories)))
    mixed = _TRUE * _rank(np.asarray(busy)) + (1 - _TRUE) * random.random(number)
    return Neighbourhoods([f"N{row:03d}" for row in range(1, number + 1)], names, shapes, 100 * _rank(mixed))


def _divide(x: NDArray[np.float64], y: NDArray[np.float64], size: float) -> NDArray[np.object_]:
    """Give all ground of the city to the nearest of some points; in their order from north to south."""
    west, south = CENTRE[0] - size / 2, CENTRE[1] - size / 2
    box = shapely.box(west, south, west + size, south + size)
    parts = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(np.column_stack((x, y))), extend_to=box))
    shapes = shapely.intersection(parts, box)
    middles = shapely.centroid(shapes)
    return np.asarray(shapes[np.lexsort((shapely.get_x(middles), -shapely.get_y(middles)))])


def _rank(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 for the least to 1 for the most."""
    return values.argsort().argsort() / max(len(values) - 1, 1)
