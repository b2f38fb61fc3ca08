"""What a training found out, in numbers: all that the report shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...learning.loop import Curves
from ...measures.clustered import Interval, compute_clustered_mean
from .augment import Rows
from .model import ScoreCard

Floats = NDArray[np.float64]

#: Edges of the bands of the true score that errors are told by.
BANDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class GrowthStep:
    """One architecture that was tried: its losses, and whether it did better than the one before."""

    architecture: str
    parameters: int
    train: float
    development: float
    epochs: int
    kept: bool


@dataclass(frozen=True)
class Comparison:
    """The error of one way to predict, judged in one way.

    Attributes
    ----------
    model : str
        E.g. "network, published features", "gradient boosting, recommended features", "median".
    split : {"random", "groups", "blocks"}
    l1 : Interval
        Mean absolute error over held-out rows, with its 95 % interval over blocks.
    held_out : int
        Rows it was judged on.
    minus_model : Interval or None
        By how much its error exceeds the report's own network's on the same held-out rows, where both were judged by
        the same split.
    """

    model: str
    split: str
    l1: Interval
    held_out: int
    minus_model: Interval | None = None


@dataclass(frozen=True)
class Importance:
    """How much larger the error becomes when a group of features is shuffled among the held-out rows."""

    group: str
    columns: int
    increase: float


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions for rows that their network has not seen.

    Attributes
    ----------
    row : ndarray of int, shape (n,)
        Which of the rows.
    truth, score, lower, upper : ndarray, shape (n,)
    block : ndarray of int, shape (n,)
        Number of the spatial block of the row's original.
    corner : ndarray of float, shape (blocks, 2)
        South-western corners of the blocks, metres.
    block_size : float
    inner : ndarray of bool, shape (n,)
        Whether the row's original lies farther than the radius from the edge of its block: what is counted around
        it then lies in the block, where nothing was trained on.
    """

    row: NDArray[np.int64]
    truth: Floats
    score: Floats
    lower: Floats
    upper: Floats
    block: NDArray[np.int64]
    corner: Floats
    block_size: float
    inner: NDArray[np.bool_]

    @property
    def error(self) -> Floats:
        """Absolute error of each row."""
        return np.abs(self.score - self.truth)

    def l1(self) -> Interval:
        """Mean absolute error, with its 95 % interval over blocks."""
        return compute_clustered_mean(self.error, self.block)

    def inner_l1(self) -> Interval:
        """The same of the rows in the inner part of their block; nan if there are none."""
        if not self.inner.any():
            return Interval(*(float("nan"),) * 3)
        return compute_clustered_mean(self.error[self.inner], self.block[self.inner])

    def coverage(self) -> Interval:
        """Share of truths inside their interval."""
        return compute_clustered_mean(self._inside().astype(np.float64), self.block)

    def list_bands(self) -> list[dict[str, float]]:
        """List rows, error, bias and coverage by band of the true score; bands without rows are left out."""
        band = np.clip(np.digitize(self.truth, BANDS) - 1, 0, len(BANDS) - 2)
        bands = []
        for number in range(len(BANDS) - 1):
            here = band == number
            if here.any():
                bands.append(
                    {
                        "low": BANDS[number],
                        "high": BANDS[number + 1],
                        "rows": int(here.sum()),
                        "l1": float(self.error[here].mean()),
                        "bias": float((self.score - self.truth)[here].mean()),
                        "coverage": float(self._inside()[here].mean()),
                        "width": float((self.upper - self.lower)[here].mean()),
                    }
                )
        return bands

    def count_by_block(self) -> tuple[NDArray[np.int64], Floats]:
        """Count the rows of each block, and compute their mean error (nan where there are none)."""
        number = np.bincount(self.block, minlength=len(self.corner))
        total = np.bincount(self.block, self.error, minlength=len(self.corner))
        with np.errstate(invalid="ignore"):
            return number, total / number

    def _inside(self) -> NDArray[np.bool_]:
        return (self.truth >= self.lower) & (self.truth <= self.upper)


@dataclass(eq=False)
class Study:
    """One training, from its rows to its comparisons.

    Attributes
    ----------
    card : ScoreCard
    rows : Rows
        Originals and resampled copies with their scores.
    held_out : HeldOut
        What the model's protocol calls held out: all rows by cross-fitting over blocks (recommended), a random
        tenth (published).
    background : HeldOut or None
        The same of places drawn evenly from the area, which a map shows; not part of `held_out`.
    curves : list of (str, Curves)
        Losses per epoch of each network that was fitted, with a name such as "fold 3" or "final".
    growth : list of GrowthStep
        Empty if nothing was grown.
    comparisons : list of Comparison
        Both protocols and the baselines; empty if they were not asked for.
    importance : list of Importance
    settings : dict
        Every parameter of the training.
    about : dict
        incidents, first, last (ISO), recent_incidents, recent_first, categories (list of [name, share], most frequent
        first), index (file name).
    notes : list of str
        Sentences the reader must not miss (warnings).
    seconds : float
        Of training, without comparisons and report.
    """

    card: ScoreCard
    rows: Rows
    held_out: HeldOut
    curves: list[tuple[str, Curves]]
    growth: list[GrowthStep] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    importance: list[Importance] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    background: HeldOut | None = None
