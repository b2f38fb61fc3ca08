"""Which unit the next incident chooses: a conditional logit, and what units expect by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, gammaln, logit

Array = NDArray[np.float64]

#: Newton steps, and the gain in log-likelihood at which they end.
_STEPS, _ENOUGH = 40, 1e-5
#: Slopes from and to.
SLOPES = (0.1, 3.0)


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


def fit_slopes(heights: Sequence[Array], sizes: Array, counts: Sequence[Array], focus: int) -> Array:
    """Fit two slopes, above and below the unit ranked `focus`, with which units of all heights had what they expect.

    The choice is learned among few units: what it says of all others, and of the highest, may be too much or too
    little. The order of the units stays.

    Parameters
    ----------
    heights : sequence of ndarray, shape (N,)
        Logarithm of what a unit of size one expects, up to a constant, in each window.
    sizes : ndarray, shape (N,)
    counts : sequence of ndarray, shape (N,)
    focus : int

    Returns
    -------
    ndarray, shape (2,)
    """
    split = [_split(each, focus) for each in heights]
    happened = [np.flatnonzero(each) for each in counts]

    def cost(slopes: Array) -> float:
        lost = 0.0
        for (above, below), count, units in zip(split, counts, happened, strict=True):
            raised = slopes[0] * above + slopes[1] * below
            most = raised.max()
            total = np.log(sizes @ np.exp(raised - most)) + most
            lost += float(count[units].sum() * total - count[units] @ raised[units])
        return lost

    best = minimize(cost, np.ones(2), method="Nelder-Mead", bounds=[SLOPES] * 2, options={"xatol": 1e-2, "fatol": 0.1})
    return np.asarray(best.x, dtype=np.float64)


def expect_shares(height: Array, sizes: Array, slopes: Array, focus: int) -> Array:
    """Find the share of the incidents that each unit expects, shape (N,), with the slopes of `fit_slopes`."""
    above, below = _split(height, focus)
    raised = slopes[0] * above + slopes[1] * below
    share = sizes * np.exp(raised - raised.max())
    return np.asarray(share / share.sum())


def _split(height: Array, focus: int) -> tuple[Array, Array]:
    """Split heights into what they are above and below that of the unit ranked `focus`."""
    number = min(focus, len(height)) - 1
    apart = height - -np.partition(-height, number)[number]
    return np.maximum(apart, 0.0), np.minimum(apart, 0.0)


def fit_shares(
    heights: Array, counts: Array, starts: NDArray[np.intp], sizes: Array, strength: float, towards: Array
) -> NDArray[np.float64]:
    """Fit the weights of a pool, none negative and one in sum, by which incidents most likely chose their units.

    Parameters
    ----------
    heights : ndarray, shape (K, M)
        Logarithms of the members' forecasts, one window after the other.
    counts : ndarray, shape (M,)
    starts : ndarray of int, shape (windows,)
    sizes : ndarray, shape (M,)
        Logarithms.
    strength : float
        Of the pull, in log-likelihood.
    towards : ndarray, shape (K,)
        The weights it pulls to.
    """
    members = len(heights)
    lengths = np.diff(np.append(starts, len(counts)))
    totals = np.add.reduceat(counts, starts)
    scale = max(float(totals.sum()), 1.0)

    def cost(weights: Array) -> tuple[float, Array]:
        reach = weights @ heights + sizes
        most = np.maximum.reduceat(reach, starts)
        raised = np.exp(reach - np.repeat(most, lengths))
        sums = np.add.reduceat(raised, starts)
        pull = weights - towards
        lost = float(totals @ (np.log(sums) + most)) - float(counts @ reach) + strength / 2 * float(pull @ pull)
        wrong = raised / np.repeat(sums, lengths) * np.repeat(totals, lengths) - counts
        return lost / scale, (heights @ wrong + strength * pull) / scale

    best = minimize(
        cost,
        towards,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * members,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": lambda weights: np.ones(members)},
        options={"ftol": 1e-10, "maxiter": 200},
    ).x
    weights = np.clip(np.asarray(best, dtype=np.float64), 0.0, 1.0)
    shares: Array = weights / weights.sum()
    return shares


@dataclass(frozen=True)
class PointMass:
    """How much a unit's own incidents say, whatever else is expected there.

    A share of the units are taken for a law to themselves, as repeat addresses are: what is expected there weighs as
    one incident does, and their own incidents say the rest. Which units these are is not known: each is one with the
    probability that its incidents give it (Bayes), next to nothing where there are about as many as expected.

    Attributes
    ----------
    share : float
        Of the units; 0 where own incidents say nothing more.
    half_life : float
        Days after which an own incident, and its bin, weigh half.
    """

    share: float
    half_life: float


def find_own(expected: Array, counts: Array, bins: float) -> tuple[Array, Array]:
    """Find what units would expect that are a law to themselves, and the log odds for it that their incidents give.

    Parameters
    ----------
    expected, counts : ndarray, shape (N,)
        Rates by all else, and incidents in so many bins.
    """
    mean = expected * bins
    # A rate that is exponential around what is expected, against exactly that: no other term differs.
    odds = gammaln(counts + 1) + mean - np.log1p(mean) - counts * np.log1p(mean)
    return (1 + counts) / (1 / expected + bins), odds


def mix_own(expected: Array, own: Array, odds: Array, share: float) -> Array:
    """Mix what all else expects with what the own incidents say (`find_own`), where a share of the units are such."""
    if not share:
        return expected
    known = np.ones(len(odds)) if share == 1 else expit(odds + logit(share))
    return np.asarray(expected + known * (own - expected))
