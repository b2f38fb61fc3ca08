"""Corrections of an expected number, by its logarithm: Σ weight × column is added to it, held towards nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: A correction makes an expected number no more than so many times as large, or as small, as a logarithm.
MOST_CORRECTION = 2.0
#: Newton's steps, and halvings of one, at most; a step that gains less than this share is the last.
_STEPS, _HALVINGS, _GAIN = 30, 12, 1e-9
LEAST = 1e-12


def compute_losses(expected: Array, events: NDArray[np.uint8]) -> Array:
    """Compute the log-loss of p = 1 − e^(−expected), of each row."""
    return np.where(events > 0, -np.log(np.maximum(-np.expm1(-expected), LEAST)), expected)


def fit_weights(columns: NDArray[np.float32], expected: Array, events: NDArray[np.uint8], strengths: Array) -> Array:
    """Fit weights: minimise the log-loss of p = 1 − e^(−expected × e^(columns · weights)) plus Σ strength/2 × weight².

    There is no intercept: without weights the expected number stays as it is, and so does its level.

    Parameters
    ----------
    columns : ndarray, shape (rows, columns)
    expected : ndarray, shape (rows,)
        Above 0.
    events : ndarray of 0/1, shape (rows,)
    strengths : ndarray, shape (columns,)

    Returns
    -------
    ndarray, shape (columns,)
    """
    # A trifle keeps the equations soluble where a column is 0 throughout.
    pull = strengths + 1e-6

    def measure(weights: Array) -> tuple[float, Array]:
        corrected = correct(expected, columns @ weights)
        return float(compute_losses(corrected, events).sum() + (pull * weights**2).sum() / 2), corrected

    weights = np.zeros(columns.shape[1])
    value, corrected = measure(weights)
    for _ in range(_STEPS):
        # Of an event the slope is −m / (e^m − 1), of none m; the curvature is what both are expected to give.
        odds = corrected / np.maximum(np.expm1(corrected), LEAST)
        slope = columns.T @ np.where(events > 0, -odds, corrected) + pull * weights
        bend = (columns * (corrected * odds)[:, None]).T @ columns + np.diag(pull)
        step = np.linalg.solve(bend, slope)
        for _ in range(_HALVINGS):
            better, moved = measure(weights - step)
            if better <= value:
                break
            step /= 2
        else:
            break
        gained, value, corrected, weights = value - better, better, moved, weights - step
        if gained < _GAIN * max(abs(value), 1.0):
            break
    return weights


def correct(expected: Array, correction: NDArray[np.floating]) -> Array:
    """Multiply expected numbers by e to their corrections, none beyond `MOST_CORRECTION`."""
    return np.asarray(expected * np.exp(np.clip(correction, -MOST_CORRECTION, MOST_CORRECTION)))
