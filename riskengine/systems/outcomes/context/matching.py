"""Which group of rows each incident belongs to: those of its day or hour, of its key, or the polygon it lies in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ....ground.context import JobContext
from .tables import tidy_key

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Match:
    """Groups of rows of a table, and the one that each incident belongs to.

    Attributes
    ----------
    incident : ndarray of int64, shape (N,)
        Group of each incident; -1 for none.
    row : ndarray of int64, shape (R,)
        Group of each row; -1 for none.
    groups : int
        Numbered in the order of their days or hours, or in that in which the table has them.
    """

    incident: Whole
    row: Whole
    groups: int

    def count_rows(self) -> Whole:
        """Count the rows of each group."""
        return np.bincount(self.row[self.row >= 0], minlength=self.groups)

    def count_incidents(self) -> Whole:
        """Count the incidents of each group."""
        return np.bincount(self.incident[self.incident >= 0], minlength=self.groups)


def match_times(incident: NDArray[np.datetime64], row: NDArray[np.datetime64], unit: str, delay: int) -> Match:
    """Match incidents with the rows of their day or hour, or of the one so many days before.

    Parameters
    ----------
    incident, row : ndarray of datetime64, shape (N,), (R,)
        NaT for none.
    unit : {"D", "h"}
    delay : int
        Days after which a value is known.
    """
    wanted = shift_times(incident, unit, delay)
    had = row.astype(f"datetime64[{unit}]")
    known = np.unique(had[~np.isnat(had)])
    return Match(_find(wanted, known), _find(had, known), len(known))


def shift_times(incident: NDArray[np.datetime64], unit: str, delay: int) -> NDArray[np.datetime64]:
    """The days or hours whose values incidents have, with a delay in days; NaT for no time."""
    return np.asarray(incident.astype(f"datetime64[{unit}]") - np.timedelta64(delay, "D"))


def _find(times: NDArray[np.datetime64], known: NDArray[np.datetime64]) -> Whole:
    place = np.searchsorted(known, times)
    place[place == len(known)] = 0
    return np.where(known[place] == times, place, -1).astype(np.int64)


def match_keys(
    incident: tuple[NDArray[np.int32], Sequence[str]], row: tuple[NDArray[np.int32], Sequence[str]]
) -> Match:
    """Match incidents with the rows of their key; see `tidy_key` for which keys are the same.

    Parameters
    ----------
    incident, row : (ndarray of int32, sequence of str)
        Codes, -1 for none, and their labels.
    """
    numbers: dict[str, int] = {}
    for label in row[1]:
        if tidied := tidy_key(label):
            numbers.setdefault(tidied, len(numbers))
    own = np.array([*(numbers.get(tidy_key(label), -1) for label in row[1]), -1], dtype=np.int64)
    theirs = np.array([*(numbers.get(tidy_key(label), -1) for label in incident[1]), -1], dtype=np.int64)
    return Match(theirs[incident[0]], own[row[0]], len(numbers))


def match_places(
    x: NDArray[np.float64], y: NDArray[np.float64], polygons: NDArray[np.object_], context: JobContext | None = None
) -> tuple[Match, int]:
    """Match incidents with the polygon that they lie in or on, the first of several.

    Parameters
    ----------
    x, y : ndarray of float64, shape (N,)
        NaN for no place.
    polygons : ndarray of shapely geometries, shape (R,)
        In the same CRS; None for none.
    context : JobContext, optional

    Returns
    -------
    match : Match
        Each row is a group.
    several : int
        Incidents that lie in more than one.
    """
    context = context or JobContext()
    # One test for each place: published incidents share them. They come sorted by x.
    places, place = np.unique(x + 1j * y, return_inverse=True)
    first = np.full(len(places), -1, dtype=np.int64)
    number = np.zeros(len(places), dtype=np.int64)
    shapely.prepare(polygons)
    bounds = shapely.bounds(polygons)
    west, east = np.searchsorted(places.real, bounds[:, 0]), np.searchsorted(places.real, bounds[:, 2], side="right")
    for polygon in np.flatnonzero(west < east).tolist():
        context.progress(polygon / len(polygons))
        within = places[west[polygon] : east[polygon]]
        near = np.flatnonzero((within.imag >= bounds[polygon, 1]) & (within.imag <= bounds[polygon, 3]))
        inside = near[shapely.intersects_xy(polygons[polygon], within.real[near], within.imag[near])] + west[polygon]
        number[inside] += 1
        first[inside[first[inside] < 0]] = polygon
    match = Match(first[place], np.arange(len(polygons)), len(polygons))
    return match, int((number[place] > 1).sum())
