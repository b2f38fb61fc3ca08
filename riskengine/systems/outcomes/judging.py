"""How good probabilities of an outcome are, on all tested rows, on what victims reported, and on the strict ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import OutcomeSplit, Reported
from ...measures.alarmcurves import measure_reliability
from ...measures.clustered import Interval
from ...measures.metrics import compute_losses
from ...measures.resampled import NOTHING, Resampling, number_clusters
from .judged import Score
from .rows import Floats, Rows
from .shift import fit_shift, shift_probabilities

Masks = Mapping[Reported, NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Judge:
    """The rows of one test, by which every model is judged with the same draws of days.

    Attributes
    ----------
    split : OutcomeSplit
    happened : ndarray of bool, shape (N,)
    category : ndarray of int, shape (N,), or None
        None where incidents have no categories.
    masks : dict of Reported to ndarray of bool, shape (N,)
        Whose rows.
    days : Resampling
    """

    split: OutcomeSplit
    happened: NDArray[np.bool_]
    category: NDArray[np.int32] | None
    masks: Masks
    days: Resampling

    def score(self, model: str, probability: Floats, shift: float) -> list[Score]:
        """Score a model's probabilities, shape (N,), on the rows of each kind; its shift is that of all rows."""
        return [
            self._score(model, reported, probability[mask], shift, mask)
            for reported, mask in self.masks.items()
            if mask.any()
        ]

    def compare(self, first: Floats, second: Floats) -> dict[Reported, Interval]:
        """Compute the log-loss of the first less that of the second, paired by row, with intervals by days."""
        difference = compute_losses(first, self.happened) - compute_losses(second, self.happened)
        return {
            reported: self.days.select(mask).mean(difference[mask])
            for reported, mask in self.masks.items()
            if mask.any()
        }

    def _score(self, model: str, reported: Reported, p: Floats, shift: float, mask: NDArray[np.bool_]) -> Score:
        o, days = self.happened[mask], self.days.select(mask)
        shifted, oracle = shift_probabilities(p, shift), shift_probabilities(p, fit_shift(p, o))
        figures = {
            "auc": days.auc(p, o),
            "log_loss": days.mean(compute_losses(p, o)),
            "brier": days.mean((p - o) ** 2),
            "average_precision": days.average_precision(p, o),
            "ece": days.calibration_error(p, o),
            "ece_shifted": days.calibration_error(shifted, o),
            "ece_oracle": days.calibration_error(oracle, o),
            "log_loss_shifted": days.mean(compute_losses(shifted, o)),
            "within_category_auc": NOTHING if self.category is None else days.auc(p, o, self.category[mask]),
        }
        return Score(model, self.split, reported, len(p), float(o.mean()), figures, shift)


def make_judge(rows: Rows, split: OutcomeSplit, masks: Masks, seed: int = 0) -> Judge:
    """Make the judge of tested rows.

    Parameters
    ----------
    rows : Rows
        The tested ones.
    masks : dict of Reported to ndarray of bool
        Of these rows.
    """
    category = rows.texts["category"].codes if "category" in rows.texts else None
    days = number_clusters(rows.day.astype("datetime64[D]").astype(np.int64), seed)
    return Judge(split, rows.outcomes, category, masks, days)


def trace_calibration(
    probability: Floats, happened: NDArray[np.bool_], shift: float
) -> dict[str, tuple[Floats, Floats]]:
    """Trace the mean predicted and observed in ten bins, as predicted (``raw``) and after the shift (``shifted``)."""
    found = {}
    for name, p in (("raw", probability), ("shifted", shift_probabilities(probability, shift))):
        bins = measure_reliability(p, happened)
        found[name] = (bins.predicted, bins.observed)
    return found
