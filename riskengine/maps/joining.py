"""Which rows of a table belong to which areas: by key, by location, or by the area that both share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ..ground.context import JobContext
from .areas import Areas
from .shapes import Geometries, Shapes

#: An area of which less than this part is covered has a value that speaks of little of it.
LITTLE = 0.5
#: One that is covered by more lies under polygons that overlap: borders of two sources differ by less.
TWICE = 1.05
#: A polygon of which less lies in areas reaches beyond them.
WHOLE = 0.98
#: Pairs between two looks at whether the user has cancelled.
_AT_ONCE = 5_000
_POINTS, _POLYGONS = (0, 4), (3, 6)


@dataclass(frozen=True)
class Pairs:
    """Rows and the areas they belong to, as many of each as there are pairs.

    Attributes
    ----------
    row, area : ndarray of int64, shape (P,)
    weight : ndarray of float64, shape (P,)
        Of the row in the area's average.
    share : ndarray of float64, shape (P,)
        The part of the row's amount that falls to the area.
    points : bool
        The rows are points: an area without any holds none, where amounts are added up.
    """

    row: NDArray[np.int64]
    area: NDArray[np.int64]
    weight: NDArray[np.float64]
    share: NDArray[np.float64]
    points: bool = False

    def select(self, kept: NDArray[np.bool_]) -> Pairs:
        """Select some of the pairs."""
        return Pairs(self.row[kept], self.area[kept], self.weight[kept], self.share[kept], self.points)

    def weigh(self, weights: NDArray[np.float64]) -> Pairs:
        """Weigh each row by a value of its own, as a population; rows whose weight is not above zero are left out.

        Parameters
        ----------
        weights : ndarray of float64, shape (R,)
        """
        own = weights[self.row]
        kept = own > 0
        # Of a row's people so many live in the area as it shares of the row's area.
        return Pairs(self.row, self.area, self.share * own, self.share, self.points).select(kept)


def pair_with(row: NDArray[np.int64], area: NDArray[np.int64], points: bool = False) -> Pairs:
    """Pair rows and areas, each of equal weight and with its whole amount."""
    ones = np.ones(len(row))
    return Pairs(row.astype(np.int64), area.astype(np.int64), ones, ones, points)


def pair_by_key(keys: Sequence[str], labels: Sequence[str]) -> tuple[Pairs, list[str]]:
    """Pair rows and areas of the same key; blanks around it, and capitals where that is no matter, do not count.

    Parameters
    ----------
    keys : sequence of str, length R
        Of the rows; empty for none.
    labels : sequence of str, length N
        Of the areas; several may share one, and empty is none.

    Returns
    -------
    pairs : Pairs
    unknown : list of str
        Keys of no area, each once, in the order of the rows.
    """
    strict = {" ".join(label.split()) for label in labels}
    fold = len({label.casefold() for label in strict}) == len(strict)

    def tidy(text: str) -> str:
        text = " ".join(text.split())
        return text.casefold() if fold else text

    places: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        if tidied := tidy(label):
            places.setdefault(tidied, []).append(number)
    rows: list[int] = []
    areas: list[int] = []
    unknown: dict[str, None] = {}
    for row, key in enumerate(keys):
        found = places.get(tidy(key))
        if found is None:
            if key.strip():
                unknown[key] = None
            continue
        rows += [row] * len(found)
        areas += found
    return pair_with(np.array(rows, dtype=np.int64), np.array(areas, dtype=np.int64)), list(unknown)


def count_known(keys: Sequence[str], labels: Sequence[str]) -> int:
    """Count the areas that have a row of their key."""
    return len(np.unique(pair_by_key(sorted(set(keys)), labels)[0].area))


def is_polygonal(shapes: Geometries) -> bool:
    """Say whether most of what has a geometry is polygons."""
    kinds = shapely.get_type_id(shapes)
    return bool(np.isin(kinds, _POLYGONS).sum() > np.isin(kinds, _POINTS).sum())


def pair_by_location(shapes: Geometries, areas: Shapes) -> tuple[Pairs, int]:
    """Pair points with the area they lie in, or areas with the polygons that their middle lies in.

    Parameters
    ----------
    shapes : ndarray of shapely geometries, shape (R,)
        Metres, in the CRS of the areas; None for none. Of points and polygons the rarer kind is left out.

    Returns
    -------
    pairs : Pairs
    outside : int
        Rows that belong to no area; none of them if they are polygons.
    """
    if is_polygonal(shapes):
        polygons, codes = _find_distinct(shapes)
        middle, polygon = _find_within(polygons, areas)
        row, position = _unfold(polygon, codes)
        return pair_with(row, middle[position]), int((codes < 0).sum())
    points = np.isin(shapely.get_type_id(shapes), _POINTS) & ~shapely.is_empty(shapes)
    middle = shapely.centroid(shapes[points])
    found = areas.locate(shapely.get_x(middle), shapely.get_y(middle))
    row = np.flatnonzero(points)
    return pair_with(row[found >= 0], found[found >= 0], points=True), len(shapes) - int((found >= 0).sum())


@dataclass(frozen=True)
class Cover:
    """How polygons and areas lie over each other.

    Attributes
    ----------
    covered : ndarray of float64, shape (N,)
        The part of each area that polygons cover; above 1 where they overlap.
    inside : ndarray of float64, shape (R,)
        The part of each row's polygon that lies in areas; NaN where it has none.
    """

    covered: NDArray[np.float64]
    inside: NDArray[np.float64]


def pair_by_area(shapes: Geometries, areas: Areas, context: JobContext | None = None) -> tuple[Pairs, Cover]:
    """Pair polygons and areas that overlap: averages are weighted by, and amounts divided by, the area they share.

    Parameters
    ----------
    shapes : ndarray of shapely geometries, shape (R,)
        Metres, in the CRS of the areas; what is no polygon belongs to none.
    """
    context = context or JobContext()
    polygons, codes = _find_distinct(shapes)
    polygon, area = shapely.STRtree(areas.geometries).query(polygons, predicate="intersects")
    shared = np.zeros(len(polygon))
    for start in range(0, len(polygon), _AT_ONCE):
        context.progress(start / len(polygon))
        part = slice(start, start + _AT_ONCE)
        shared[part] = shapely.area(shapely.intersection(polygons[polygon[part]], areas.geometries[area[part]]))
    overlap = shared > 0
    polygon, area, shared = polygon[overlap], area[overlap], shared[overlap]
    whole = shapely.area(polygons)
    sizes = areas.measure_sizes()
    covered = np.bincount(area, shared, minlength=len(sizes)) / sizes
    within = np.bincount(polygon, shared, minlength=len(polygons)) / whole
    inside = np.where(codes >= 0, np.r_[within, np.nan][codes], np.nan)
    row, position = _unfold(polygon, codes)
    pairs = Pairs(row, area[position], shared[position], (shared / whole[polygon])[position])
    return pairs, Cover(covered, inside)


def find_larger(names: Sequence[str], shapes: Geometries, areas: Shapes) -> list[str]:
    """Find for each area the name of the first polygon that its middle lies in; empty for none."""
    polygons, codes = _find_distinct(shapes)
    name_of = {int(code): str(name) for name, code in reversed(list(zip(names, codes, strict=True)))}
    middle, polygon = _find_within(polygons, areas)
    found = [""] * len(areas.ids)
    for number, which in zip(middle[::-1].tolist(), polygon[::-1].tolist(), strict=True):
        found[number] = name_of[which]
    return found


def _find_within(polygons: Geometries, areas: Shapes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Areas whose middle lies in a polygon, and the polygons, in the order of the areas."""
    x, y = areas.find_centres()
    middle, polygon = shapely.STRtree(polygons).query(shapely.points(x, y), predicate="intersects")
    order = np.lexsort((polygon, middle))
    return middle[order], polygon[order]


def _find_distinct(shapes: Geometries) -> tuple[Geometries, NDArray[np.int64]]:
    """The polygons, valid, each once: dated tables repeat them; and which of them each row has, -1 for none."""
    polygonal = np.isin(shapely.get_type_id(shapes), _POLYGONS) & ~shapely.is_empty(shapes)
    rows = np.flatnonzero(polygonal)
    numbers: dict[bytes, int] = {}
    written = shapely.to_wkb(shapes[rows])
    codes = np.full(len(shapes), -1, dtype=np.int64)
    codes[rows] = [numbers.setdefault(each, len(numbers)) for each in written]
    polygons = np.array(shapely.from_wkb(list(numbers)), dtype=object).reshape(len(numbers))
    bad = ~shapely.is_valid(polygons)
    polygons[bad] = shapely.buffer(shapely.make_valid(polygons[bad]), 0)
    empty = shapely.area(polygons) <= 0
    if empty.any():
        # What is left of a line drawn as a polygon.
        kept = np.cumsum(~empty) - 1
        codes[rows] = np.where(empty[codes[rows]], -1, kept[codes[rows]])
        polygons = polygons[~empty]
    return polygons, codes


def _unfold(polygon: NDArray[np.int64], codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All rows of each polygon: the rows, and the positions in `polygon` that they stand for."""
    order = np.argsort(codes, kind="stable")
    begin, end = np.searchsorted(codes[order], polygon), np.searchsorted(codes[order], polygon, side="right")
    length = end - begin
    offsets = np.repeat(begin - np.cumsum(length) + length, length) + np.arange(int(length.sum()))
    return order[offsets], np.repeat(np.arange(len(polygon)), length)
