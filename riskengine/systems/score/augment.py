"""The rows a score model learns from: places, their scores, and the published resampling of the extremes.

Garrido Czacki (2021), section 5: places with a score below 0.3 are resampled 20 times and those above 0.8 three
times, moved by at most 50 m along each axis and at most one day; the score of a moved place is counted anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...intake.incidents import Incidents
from .definition import ScoreScale, in_window
from .index import CrimeIndex

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Augmentation:
    """How the extremes are resampled.

    Attributes
    ----------
    low, high : float
        Places with a score below `low` and above `high` are resampled.
    low_copies, high_copies : int
        That many times each; 0 for none.
    jitter : float
        Metres along each axis, at most.
    jitter_days : float
        Days, at most.
    """

    low: float = 0.3
    high: float = 0.8
    low_copies: int = 20
    high_copies: int = 3
    jitter: float = 50.0
    jitter_days: float = 1.0


@dataclass(frozen=True, eq=False)
class Rows:
    """Places with a known score; the first `originals` are the incidents' own.

    Attributes
    ----------
    x, y : ndarray of float64, shape (n,)
        Metres.
    shift : ndarray of float64, shape (n,)
        Days by which the resampled incident's date was moved; 0 for originals.
    score : ndarray of float64, shape (n,)
        S in [0, 1].
    source : ndarray of int, shape (n,)
        Which original the row was made from (its own number for originals).
    originals : int
    scale : ScoreScale
    reference : datetime64[s]
        End of the window that was counted.
    """

    x: Floats
    y: Floats
    shift: Floats
    score: Floats
    source: NDArray[np.int64]
    originals: int
    scale: ScoreScale
    reference: np.datetime64

    def __len__(self) -> int:
        return len(self.x)

    @property
    def source_x(self) -> Floats:
        """Where the row's original lies: what decides on which side of a split the row falls."""
        return self.x[self.source]

    @property
    def source_y(self) -> Floats:
        return self.y[self.source]


def make_rows(
    index: CrimeIndex,
    radius: float = 200.0,
    window_days: float = 365.0,
    reference: np.datetime64 | None = None,
    augmentation: Augmentation | None = None,
    seed: int = 0,
    context: JobContext | None = None,
) -> Rows:
    """Score the place of every incident of the window, and resample the extremes.

    Parameters
    ----------
    index : CrimeIndex
    radius : float
        Metres.
    window_days : float
    reference : datetime64, optional
        The last incident's time by default.
    augmentation : Augmentation, optional
        None leaves the extremes as they are.

    Raises
    ------
    DataError
        If all places have the same score: there is nothing to learn.
    """
    context = context or JobContext()
    counted, reference = in_window(index.incidents, window_days, reference)
    own: Incidents = index.incidents.select(counted)
    with context.step(0.0, 0.6):
        counts = index.count_within(own.x, own.y, radius, counted, context)
    scale = ScoreScale(np.sort(counts))
    if scale.counts[0] == scale.counts[-1]:
        raise DataError(
            f"Every incident has {count_text(int(scale.counts[0]), 'incident')} within {radius:g} m: there is no score"
            f" to learn",
            parameter="index",
            remedy="Use an index with more incidents, or a larger radius",
        )
    score = scale.to_score(counts)
    numbers = np.arange(len(own))
    if augmentation is None:
        return Rows(own.x, own.y, np.zeros(len(own)), score, numbers, len(own), scale, reference)
    copies = np.where(score < augmentation.low, augmentation.low_copies, 0)
    copies = np.where(score > augmentation.high, augmentation.high_copies, copies)
    source = np.repeat(numbers, copies)
    random = np.random.default_rng(seed)
    x = own.x[source] + random.uniform(-augmentation.jitter, augmentation.jitter, len(source))
    y = own.y[source] + random.uniform(-augmentation.jitter, augmentation.jitter, len(source))
    shift = random.uniform(-augmentation.jitter_days, augmentation.jitter_days, len(source))
    with context.step(0.6, 1.0):
        moved = scale.to_score(index.count_within(x, y, radius, counted, context)) if len(source) else np.zeros(0)
    return Rows(
        np.concatenate((own.x, x)),
        np.concatenate((own.y, y)),
        np.concatenate((np.zeros(len(own)), shift)),
        np.concatenate((score, moved)),
        np.concatenate((numbers, source)),
        len(own),
        scale,
        reference,
    )


def sample_rows(
    index: CrimeIndex,
    rows: Rows,
    number: int,
    radius: float,
    window_days: float,
    seed: int = 0,
    side: float = 1000.0,
    context: JobContext | None = None,
) -> Rows:
    """Sample places evenly from the area that the incidents cover, with their scores.

    Incidents' own places are never empty; a map asks everywhere.  The area is every square of `side` metres with an
    incident in it, and the eight squares around it.

    Returns
    -------
    Rows
        ``source`` is the nearest incident among the originals of `rows`: what decides on which side of a split a
        place falls. ``originals`` is 0.
    """
    counted, reference = in_window(index.incidents, window_days, rows.reference)
    own_x, own_y = rows.x[: rows.originals], rows.y[: rows.originals]
    occupied = np.unique(np.column_stack((np.floor(own_x / side), np.floor(own_y / side))), axis=0)
    around = np.array([(right, up) for right in (-1, 0, 1) for up in (-1, 0, 1)])
    cells = np.unique((occupied[:, None, :] + around[None, :, :]).reshape(-1, 2), axis=0)
    random = np.random.default_rng((seed, 2))
    place = (cells[random.integers(0, len(cells), number)] + random.uniform(size=(number, 2))) * side
    x, y = place[:, 0].copy(), place[:, 1].copy()
    counts = index.count_within(x, y, radius, counted, context)
    _, source = cKDTree(np.column_stack((own_x, own_y))).query(place, workers=-1)
    return Rows(x, y, np.zeros(number), rows.scale.to_score(counts), source.astype(np.int64), 0, rows.scale, reference)
