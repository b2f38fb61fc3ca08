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
#: More of a member, before weights are brought to a sum of one, than this tells nothing.
_MOST_WEIGHT = 4.0
#: Levels from and to: logarithms of factors.
LEVELS = (-20.0, 20.0)


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


def fit_levels(heights: Sequence[Array], sizes: Array, counts: Sequence[Array], ranks: Sequence[int]) -> Array:
    """Fit by how much groups of units of neighbouring ranks expect more, so that in past windows they had just that.

    The choice is learned among few units: what it says of the highest, and of all others, may be too much or too
    little. The highest are never lowered against those that come next, for the order among them is the catch.

    Parameters
    ----------
    heights : sequence of ndarray, shape (N,)
        Logarithm of what a unit of size one expects, up to a constant, in each window.
    sizes : ndarray, shape (N,)
    counts : sequence of ndarray, shape (N,)
    ranks : sequence of int
        Ranks at which the groups end, but for the last group, which holds the rest.

    Returns
    -------
    ndarray, shape (groups,)
        Logarithms of factors; that of the last group is 0.
    """
    groups = [_group(each, ranks) for each in heights]
    # A share of the window each, however large the numbers.
    weights = [sizes * np.exp(each - each.max()) for each in heights]
    held = np.array([np.bincount(each, one, len(ranks) + 1) for each, one in zip(groups, weights, strict=True)])
    had = np.array([np.bincount(each, one, len(ranks) + 1) for each, one in zip(groups, counts, strict=True)])
    levels = _match(held, had)
    if levels[0] < levels[1]:
        joined = _match(*(np.column_stack([each[:, :2].sum(axis=1), each[:, 2:]]) for each in (held, had)))
        levels = np.r_[joined[0], joined]
    return np.asarray(np.clip(levels - levels[-1], *LEVELS))


def _match(held: Array, had: Array) -> Array:
    """Find the levels with which groups expect in all windows together what they had, both of shape (windows, groups).

    One incident more of each: a group that never had any expects next to none, and not nothing.
    """
    levels = np.zeros(held.shape[1])
    for _ in range(_STEPS):
        expected = held * np.exp(levels)
        expected *= (had.sum(axis=1) / expected.sum(axis=1))[:, None]
        levels += np.log((had.sum(axis=0) + 1) / (expected.sum(axis=0) + 1))
    return levels


def expect_shares(height: Array, sizes: Array, levels: Array, ranks: Sequence[int]) -> Array:
    """Find the share of the incidents that each unit expects, shape (N,), with the levels of `fit_levels`.

    The order of the units stays: where a group is raised above one before it, what is higher there is cut.
    """
    raised = height + levels[_group(height, ranks)]
    order = np.argsort(-height, kind="stable")
    raised[order] = np.minimum.accumulate(raised[order])
    share = sizes * np.exp(raised - raised.max())
    return np.asarray(share / share.sum())


def _group(height: Array, ranks: Sequence[int]) -> NDArray[np.intp]:
    """Number the groups of units, 0 for the highest, shape (N,); units of equal height are of one group."""
    edges = [-np.partition(-height, min(rank, len(height)) - 1)[min(rank, len(height)) - 1] for rank in ranks]
    return np.asarray(sum((height < edge).astype(np.intp) for edge in edges), dtype=np.intp)


def fit_shares(
    heights: Array, counts: Array, starts: NDArray[np.intp], sizes: Array, strength: float, towards: Array
) -> NDArray[np.float64]:
    """Fit the weights of a pool, none negative and one in sum, by which incidents most likely chose their units.

    What is fitted may have any sum, and its proportions are kept: were the sum held at one, a member that is as right
    in its order and too sure of it would have to be mixed with one that is less sure.

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
        method="L-BFGS-B",
        bounds=[(0.0, _MOST_WEIGHT)] * members,
        options={"ftol": 1e-12, "maxiter": 500},
    ).x
    weights = np.clip(np.asarray(best, dtype=np.float64), 0.0, _MOST_WEIGHT)
    return np.asarray(weights / weights.sum() if weights.any() else towards)


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
