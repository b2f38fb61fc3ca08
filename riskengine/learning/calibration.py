"""Calibration on past forecasts: the logit of a probability, stretched and shifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

_FLOOR = 1e-6
#: Levels a unit of the logit at which rows are gathered.
_LEVELS = 100.0


@dataclass(frozen=True)
class Calibration:
    """p becomes expit(slope * logit(p) + shift); slope 1 and shift 0 leave it as it is."""

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, risk: NDArray[Any]) -> NDArray[np.float32]:
        """Calibrated probabilities; NaN stays NaN."""
        odds = logit(np.clip(risk, _FLOOR, 1 - _FLOOR).astype(np.float64))
        return np.asarray(expit(self.slope * odds + self.shift), dtype=np.float32)


def fit_calibration(
    risk: NDArray[Any], events: NDArray[Any], strength: float = 10.0, gathered: bool = False
) -> Calibration:
    """Slope and shift that minimise the log-loss of past forecasts (Platt 1999), held near 1 and 0.

    Parameters
    ----------
    risk : ndarray
        Forecasts made before the events, NaN where there was none.
    events : ndarray of 0/1, same shape
    strength : float
        Weight of the pull towards no change; it matters only where there are a few dozen events.
    gathered : bool
        Rows of nearly the same logit are taken together: a hundred times as fast where there are many, and the same
        to the fifth digit.
    """
    known = ~np.isnan(risk)
    odds = logit(np.clip(risk[known], _FLOOR, 1 - _FLOOR).astype(np.float64))
    happened = np.asarray(events)[known].astype(np.float64)
    rows: NDArray[np.float64] | float = 1.0
    if gathered:
        odds, happened, rows = _gather(odds, happened)
    if not happened.any():
        return Calibration()

    def cost(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, shift = parameters
        z = slope * odds + shift
        wrong = rows * (expit(z) - happened)
        pull = np.array([slope - 1.0, shift])
        value = float((rows * (np.logaddexp(0.0, z) - happened * z)).sum() + strength / 2 * pull @ pull)
        return value, np.array([wrong @ odds, wrong.sum()]) + strength * pull

    fitted = minimize(cost, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, 5.0), (-5.0, 5.0)])
    return Calibration(float(fitted.x[0]), float(fitted.x[1]))


def _gather(odds: NDArray[np.float64], happened: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Gather rows of nearly the same logit: the mean logit, the share of events, and how many rows, of each."""
    level = np.round(odds * _LEVELS).astype(np.int64)
    level -= level.min()
    rows = np.bincount(level).astype(np.float64)
    kept = rows > 0
    rows = rows[kept]
    return np.bincount(level, odds)[kept] / rows, np.bincount(level, happened)[kept] / rows, rows
