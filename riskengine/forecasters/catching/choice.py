"""Which unit the next incident chooses: a conditional logit, and what units expect by it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

Array = NDArray[np.float64]

#: Newton steps, and the gain in log-likelihood at which they end.
_STEPS, _ENOUGH = 40, 1e-5
#: Slopes from and to.
SLOPES = (0.2, 2.0)


def fit_choice(
    columns: Array, counts: Array, starts: NDArray[np.intp], strength: Array, towards: Array, sizes: Array
) -> Array:
    """Fit how incidents choose among units: with a probability proportional to the exponential of columns times
    coefficients, which are held towards others.

    Parameters
    ----------
    columns : ndarray, shape (M, K)
        Of the units of each window, one window after the other.
    counts : ndarray, shape (M,)
        Incidents of each.
    starts : ndarray of int, shape (windows,)
        First row of each window.
    strength, towards : ndarray, shape (K,)
        Of the pull, in log-likelihood, and the coefficients it pulls to.
    sizes : ndarray, shape (M,)
        Logarithms of the units' sizes: one twice as large is chosen twice as often.

    Returns
    -------
    ndarray, shape (K,)
    """
    lengths = np.diff(np.append(starts, len(counts)))
    totals = np.add.reduceat(counts, starts)

    def look(coefficients: Array) -> tuple[float, Array]:
        reach = columns @ coefficients + sizes
        most = np.maximum.reduceat(reach, starts)
        raised = np.exp(reach - np.repeat(most, lengths))
        sums = np.add.reduceat(raised, starts)
        pull = float(strength @ (coefficients - towards) ** 2) / 2
        gain = float(counts @ reach) - float(totals @ (np.log(sums) + most)) - pull
        return gain, raised / np.repeat(sums, lengths)

    coefficients = towards.copy()
    gain, chosen = look(coefficients)
    for _ in range(_STEPS):
        expected = chosen * np.repeat(totals, lengths)
        slope = columns.T @ (counts - expected) - strength * (coefficients - towards)
        means = np.add.reduceat(columns * chosen[:, None], starts, axis=0)
        curve = (columns * expected[:, None]).T @ columns - (means * totals[:, None]).T @ means + np.diag(strength)
        step, length, before = np.linalg.solve(curve, slope), 1.0, gain
        while length > 1e-3:
            trial, shares = look(coefficients + length * step)
            if trial > gain:
                coefficients, gain, chosen = coefficients + length * step, trial, shares
                break
            length /= 2
        if gain - before < _ENOUGH:
            break
    return coefficients


def fit_slope(heights: Sequence[Array], sizes: Array, counts: Sequence[Array]) -> float:
    """Fit what heights are multiplied by, so that units of all heights had as many incidents as they expect.

    Where the choice was learned among few units, those that it seldom looked at may expect too much or too little.

    Parameters
    ----------
    heights : sequence of ndarray, shape (N,)
        Logarithm of what a unit of size one expects, up to a constant, in each window.
    sizes : ndarray, shape (N,)
    counts : sequence of ndarray, shape (N,)
    """

    def cost(slope: float) -> float:
        lost = 0.0
        for height, count in zip(heights, counts, strict=True):
            raised = slope * (height - height.max())
            happened = np.flatnonzero(count)
            lost += count[happened].sum() * np.log(sizes @ np.exp(raised)) - count[happened] @ raised[happened]
        return float(lost)

    return float(minimize_scalar(cost, bounds=SLOPES, method="bounded", options={"xatol": 1e-3}).x)


def fit_shares(
    heights: Array, counts: Array, starts: NDArray[np.intp], sizes: Array, strength: float
) -> NDArray[np.float64]:
    """Fit the weights of a pool, none negative and one in sum, by which incidents most likely chose their units.

    Parameters
    ----------
    heights : ndarray, shape (K, M)
        Logarithms of the members' forecasts, one window after the other; the first is the one that is held to.
    counts : ndarray, shape (M,)
    starts : ndarray of int, shape (windows,)
    sizes : ndarray, shape (M,)
        Logarithms.
    strength : float
        Of the pull towards the first member alone, in log-likelihood.
    """
    members = len(heights)
    alone = np.eye(members)[0]
    lengths = np.diff(np.append(starts, len(counts)))
    totals = np.add.reduceat(counts, starts)
    scale = max(float(totals.sum()), 1.0)

    def cost(weights: Array) -> tuple[float, Array]:
        reach = weights @ heights + sizes
        most = np.maximum.reduceat(reach, starts)
        raised = np.exp(reach - np.repeat(most, lengths))
        sums = np.add.reduceat(raised, starts)
        pull = weights - alone
        lost = float(totals @ (np.log(sums) + most)) - float(counts @ reach) + strength / 2 * float(pull @ pull)
        wrong = raised / np.repeat(sums, lengths) * np.repeat(totals, lengths) - counts
        return lost / scale, (heights @ wrong + strength * pull) / scale

    best = minimize(
        cost,
        np.full(members, 1.0 / members),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * members,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": lambda weights: np.ones(members)},
        options={"ftol": 1e-10, "maxiter": 200},
    ).x
    return np.clip(best, 0.0, 1.0) / np.clip(best, 0.0, 1.0).sum()
