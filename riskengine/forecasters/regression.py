"""Logistic and Poisson regression with an offset, by L-BFGS on a large table."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from ..ground.context import JobContext

Array = NDArray[np.float64]

#: Logits beyond this say nothing that a history could justify.
_LIMIT = 12.0
_ROUNDS = 80
#: Newton's steps, and halvings of one, at most; a step that gains less than this share is the last.
_STEPS, _HALVINGS, _GAIN = 25, 12, 1e-8
#: A column that varies less is one that is the same in every row.
LEAST_DEVIATION = 1e-6


def regress(
    columns: NDArray[np.float32],
    offset: NDArray[np.float32],
    events: NDArray[Any],
    strength: float,
    text: str,
    context: JobContext,
    loss: Literal["log_loss", "poisson"] = "log_loss",
) -> tuple[Array, Array, Array, float]:
    """Minimise log-loss, or Poisson's, plus `strength` / 2 times the squared weights of the standardised columns.

    Parameters
    ----------
    columns : ndarray of float32, shape (rows, columns)
    offset : ndarray of float32, shape (rows,)
        Part of the logit, or of the logarithm of the expected count, that has no weight.
    events : ndarray of 0/1, or of counts, shape (rows,)
    strength : float
    text : str
        Takes the progress.

    Returns
    -------
    mean, scale, weights : ndarray, shape (columns,)
        Of the columns; weights of those standardised, 0 for a column that is the same in every row.
    intercept : float
    """
    # Summed in float64: the mean of a million rows has three digits in float32.
    mean = columns.mean(axis=0, dtype=np.float64)
    deviation = np.sqrt(np.maximum((columns**2).mean(axis=0, dtype=np.float64) - mean**2, 0))
    used = deviation > LEAST_DEVIATION
    scale = np.where(used, deviation, 1.0)
    happened = events.astype(np.float32)
    rounds = 0

    def cost(parameters: Array) -> tuple[float, Array]:
        nonlocal rounds
        rounds += 1
        context.progress(min(rounds / _ROUNDS, 0.95), text)
        weights = parameters[:-1] * used
        slopes, shift = fold_scaling(mean, scale, weights, float(parameters[-1]))
        z = limit_logits(columns @ slopes + offset + shift)
        forecast = expit(z) if loss == "log_loss" else np.exp(z)
        wrong = (forecast - happened).astype(np.float32)
        total = float(wrong.sum(dtype=np.float64))
        slope = (np.asarray(wrong @ columns, dtype=np.float64) - total * mean) / scale * used
        own = np.logaddexp(0.0, z) if loss == "log_loss" else forecast
        value = float((own - happened * z).sum()) + strength / 2 * float(weights @ weights)
        return value, np.append(slope + strength * weights, total)

    best = minimize(cost, np.zeros(columns.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    return mean, scale, best.x[:-1] * used, float(best.x[-1])


def regress_few(
    columns: NDArray[np.float32],
    offset: Array,
    outcome: NDArray[Any],
    strength: float,
    loss: Literal["log_loss", "poisson"],
    text: str,
    context: JobContext,
) -> tuple[Array, Array, Array, float]:
    """Do the same for log-loss of events or Poisson's of counts, to the last digit also where columns are alike.

    Newton's steps, each halved until it gains; a step costs the square of the number of columns.

    Parameters
    ----------
    columns : ndarray of float32, shape (rows, columns)
    offset : ndarray, shape (rows,)
        Part of the logit, or of the logarithm of the expected count.
    outcome : ndarray, shape (rows,)
    strength : float
    loss : {"log_loss", "poisson"}
    text : str
        Takes the progress.

    Returns
    -------
    mean, scale, weights, intercept
        As of `regress`.
    """
    mean = columns.mean(axis=0, dtype=np.float64)
    deviation = columns.std(axis=0, dtype=np.float64)
    used = deviation > LEAST_DEVIATION
    scale = np.where(used, deviation, 1.0)
    table = np.empty((len(columns), columns.shape[1] + 1), dtype=np.float32)
    table[:, :-1] = (columns - mean.astype(np.float32)) / scale.astype(np.float32)
    table[:, :-1][:, ~used] = 0.0
    table[:, -1] = 1.0
    # The intercept is free, but for a trifle that keeps the equations soluble.
    pull = np.append(np.full(columns.shape[1], strength + 1e-6), 1e-6)
    happened = np.asarray(outcome, dtype=np.float64)

    def cost(parameters: Array) -> tuple[float, Array]:
        z = limit_logits(table @ parameters.astype(np.float32) + offset)
        own = np.logaddexp(0.0, z) if loss == "log_loss" else np.exp(z)
        return float((own - happened * z).sum() + (pull * parameters**2).sum() / 2), z

    parameters = np.zeros(table.shape[1])
    value, z = cost(parameters)
    for number in range(_STEPS):
        context.progress(number / _STEPS, text)
        forecast = expit(z) if loss == "log_loss" else np.exp(z)
        curve = forecast * (1 - forecast) if loss == "log_loss" else forecast
        slope = np.asarray((forecast - happened).astype(np.float32) @ table, dtype=np.float64) + pull * parameters
        bend = np.asarray((table * curve.astype(np.float32)[:, None]).T @ table, dtype=np.float64) + np.diag(pull)
        step = np.linalg.solve(bend, slope)
        for _ in range(_HALVINGS):
            better, moved = cost(parameters - step)
            if better <= value:
                break
            step /= 2
        else:
            break
        gained, value, z = value - better, better, moved
        parameters = parameters - step
        if gained < _GAIN * max(abs(value), 1.0):
            break
    return mean, scale, parameters[:-1] * used, float(parameters[-1])


def fold_scaling(mean: Array, scale: Array, weights: Array, intercept: float) -> tuple[NDArray[np.float32], np.float32]:
    """Fold the scaling into weights and intercept, so that a table need not be standardised."""
    slopes = weights / scale
    return slopes.astype(np.float32), np.float32(intercept - float(mean @ slopes))


def limit_logits(z: NDArray[Any]) -> Array:
    """Keep logits within what a history can justify."""
    return np.asarray(np.clip(z, -_LIMIT, _LIMIT), dtype=np.float64)
