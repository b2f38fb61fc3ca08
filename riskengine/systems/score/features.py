"""What a score model sees of the recent incidents around a place.

``pairs`` are the published features (Garrido Czacki 2021, section 5): distance in kilometres and age in months of
the ten nearest incidents, nearest first.  The other groups are ours; ``scripts/benchmark.sh score_study`` measures
what each of them is worth, and docs/measured.md has the table.
"""

from __future__ import annotations

from typing import Annotated, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ...contract.choices import FeatureGroup
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import ParameterError
from .network import MAX_INPUTS
from .parts import list_parts, work_on_parts
from .recent import RecentIncidents
from .surfaces import compute_smoothed_counts

Floats = NDArray[np.float64]
Table = NDArray[np.float32]

#: Distance written for a neighbour that does not exist, metres.
NOWHERE = 100_000.0
#: Added before the logarithm of a distance, metres: places are not known better.
_DISTANCE_FLOOR = 10.0
#: Added before the logarithm of a smoothed count.
_COUNT_FLOOR = 0.02
_PAIR_DAYS = 30.0


#: Radii and bandwidths: finer ones would take grids that fill the memory.
Metres = Annotated[float, Field(ge=10, le=100_000)]


class FeatureSet(BaseModel):
    """Which features, in which order.

    Attributes
    ----------
    groups : list of str
        ``pairs``: distance (km) and age / 30 days of the k nearest, as published · ``distances``: log distances of
        the k nearest · ``more``: of neighbours farther down the line · ``ages`` of the k nearest · ``clock``: hour
        and weekday of the k nearest, averaged · ``offsets``: how far the centre of the nearest lies to one side ·
        ``rings``: log counts within `radii` · ``densities``: log smoothed counts at `bandwidths` · ``slopes``: how
        steeply those change.
    k : int
    more : list of int
        Those not beyond the k nearest are left out; where none is left, the 5th and 10th after them are taken.
    radii, bandwidths : list of float
        Metres.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)
    groups: tuple[FeatureGroup, ...] = Field(min_length=1)
    k: int = Field(default=10, ge=1, le=1000)
    more: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(default=(15, 20), max_length=100)
    radii: tuple[Metres, ...] = (50.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0, 700.0, 1000.0)
    bandwidths: tuple[Metres, ...] = (50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0)

    @property
    def neighbours(self) -> int:
        """How many nearest incidents have to be found for each place."""
        deepest = max(self.farther) if "more" in self.groups else 0
        near = {"pairs", "distances", "ages", "clock", "offsets"} & set(self.groups)
        return max(self.k if near else 0, deepest)

    @property
    def farther(self) -> list[int]:
        """Which neighbours beyond the k nearest the group ``more`` looks at."""
        return [number for number in self.more if number > self.k] or [self.k + 5, self.k + 10]

    def list_names(self) -> list[str]:
        """List a name for each column, in order."""
        return [name for group in self.groups for name in self._names_of(group)]

    def list_columns(self) -> dict[str, list[int]]:
        """List the columns of each group."""
        positions: dict[str, list[int]] = {}
        start = 0
        for group in self.groups:
            width = len(self._names_of(group))
            positions[group] = list(range(start, start + width))
            start += width
        return positions

    def _names_of(self, group: FeatureGroup) -> list[str]:
        nearest = range(1, self.k + 1)
        return {
            "pairs": [f"{what} {number}" for number in nearest for what in ("distance km", "age / 30 days")],
            "distances": [f"log distance {number}" for number in nearest],
            "more": [f"log distance {number}" for number in self.farther],
            "ages": [f"age {number}" for number in nearest],
            "clock": ["hour (cosine)", "hour (sine)", "night share", "weekend share"],
            "offsets": [f"offset of nearest {number}" for number in self._offset_steps()],
            "rings": [f"log count {radius:g} m" for radius in self.radii],
            "densities": [f"log density {bandwidth:g} m" for bandwidth in self.bandwidths],
            "slopes": [f"log slope {bandwidth:g} m" for bandwidth in self.bandwidths],
        }[group]

    def _offset_steps(self) -> list[int]:
        return [number for number in (3, 5, 10, 20) if number <= self.k] or [self.k]


GROUPS: tuple[FeatureGroup, ...] = get_args(FeatureGroup)


def check_size(wanted: FeatureSet) -> None:
    """Refuse more features than a network may have.

    Raises
    ------
    ParameterError
    """
    number = len(wanted.list_names())
    if number > MAX_INPUTS:
        raise ParameterError(
            f"k is {wanted.k}: the features {', '.join(wanted.groups)} then have {count_text(number, 'column')}; the"
            f" limit is"
            f" {MAX_INPUTS:,}",
            parameter="k",
            value=wanted.k,
            remedy="Choose a smaller k, usually 10, or fewer groups of features",
        )


def compute_features(
    recent: RecentIncidents,
    x: Floats,
    y: Floats,
    wanted: FeatureSet,
    context: JobContext | None = None,
    shift: Floats | None = None,
) -> Table:
    """Compute the features of places.

    Parameters
    ----------
    recent : RecentIncidents
    x, y : ndarray, shape (n,)
        Metres.
    wanted : FeatureSet
    shift : ndarray, shape (n,), optional
        Days by which the published resampling moved the date of a place: added to the ages seen from there.

    Returns
    -------
    ndarray of float32, shape (n, len(wanted.names()))
    """
    context = context or JobContext()
    table = np.empty((len(x), len(wanted.list_names())), dtype=np.float32)

    def fill(part: NDArray[np.int64]) -> None:
        table[part] = compute_tile_features(recent, x[part], y[part], wanted, None if shift is None else shift[part])

    work_on_parts(fill, list_parts(x, y), context)
    return table


def compute_tile_features(
    recent: RecentIncidents,
    x: Floats,
    y: Floats,
    wanted: FeatureSet,
    shift: Floats | None = None,
    asked: int = 0,
) -> Table:
    """Compute the features of places that lie close together (one of `list_parts`); `asked` as for smoothed counts."""
    distance, age, number = _nearest(recent, x, y, wanted.neighbours)
    if shift is not None:
        age = age + shift[:, None]
    smooth = slope = np.zeros((len(x), 0))
    if {"densities", "slopes"} & set(wanted.groups):
        smooth, slope = compute_smoothed_counts(recent.tree, x, y, wanted.bandwidths, asked)
    k = wanted.k
    parts: list[NDArray[np.float64]] = []
    for group in wanted.groups:
        if group == "pairs":
            pairs = np.empty((len(x), 2 * k))
            pairs[:, 0::2], pairs[:, 1::2] = distance[:, :k] / 1000.0, age[:, :k] / _PAIR_DAYS
            parts.append(pairs)
        elif group == "distances":
            parts.append(np.log(distance[:, :k] + _DISTANCE_FLOOR))
        elif group == "more":
            parts.append(np.log(distance[:, [rank - 1 for rank in wanted.farther]] + _DISTANCE_FLOOR))
        elif group == "ages":
            parts.append(age[:, :k] / recent.days)
        elif group == "clock":
            parts.append(_clock(recent, number[:, :k]))
        elif group == "offsets":
            parts.append(_offsets(recent, x, y, distance, number, wanted._offset_steps()))
        elif group == "rings":
            parts.append(_rings(recent, x, y, wanted.radii))
        elif group == "densities":
            parts.append(np.log(smooth + _COUNT_FLOOR))
        else:
            parts.append(np.log1p(slope / (smooth + _COUNT_FLOOR)))
    return np.concatenate(parts, axis=1, dtype=np.float32, casting="same_kind")


def _nearest(recent: RecentIncidents, x: Floats, y: Floats, number: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Distance, age and row of the nearest; row -1 where there are not so many."""
    if number == 0:
        return np.zeros((len(x), 0)), np.zeros((len(x), 0)), np.zeros((len(x), 0), dtype=np.int64)
    distance, row = recent.tree.query(np.column_stack((x, y)), k=np.arange(1, number + 1), workers=-1)
    missing = row == len(recent)
    age = np.append(recent.age, recent.days)[row]
    return np.minimum(distance, NOWHERE), age, np.where(missing, -1, row).astype(np.int64)


def _clock(recent: RecentIncidents, number: NDArray[np.int64]) -> Floats:
    seconds = recent.time.astype("datetime64[s]").astype(np.int64)
    hour = (seconds % 86_400) / 3600.0
    # The first day of 1970 was a Thursday.
    weekend = (seconds // 86_400 + 3) % 7 >= 5
    night = (hour >= 22) | (hour < 6)
    turn = 2 * np.pi * hour / 24
    columns = (np.cos(turn), np.sin(turn), night.astype(np.float64), weekend.astype(np.float64))
    return np.column_stack([_mean(column[number], number >= 0) for column in columns])


def _mean(values: Floats, there: NDArray[np.bool_]) -> Floats:
    """The mean of each row over the neighbours that exist; there always is one."""
    return np.asarray(np.where(there, values, 0.0).sum(axis=1) / there.sum(axis=1))


def _offsets(
    recent: RecentIncidents, x: Floats, y: Floats, distance: Floats, number: NDArray[np.int64], steps: list[int]
) -> Floats:
    columns = []
    for step in steps:
        nearest = number[:, :step]
        there = nearest >= 0
        away = np.hypot(_mean(recent.x[nearest], there) - x, _mean(recent.y[nearest], there) - y)
        columns.append(away / np.maximum(_mean(distance[:, :step], there), _DISTANCE_FLOOR))
    return np.column_stack(columns)


def _rings(recent: RecentIncidents, x: Floats, y: Floats, radii: tuple[float, ...]) -> Floats:
    points = np.column_stack((x, y))
    counts = [recent.tree.query_ball_point(points, radius, return_length=True, workers=-1) for radius in radii]
    return np.log1p(np.column_stack(counts).astype(np.float64))
