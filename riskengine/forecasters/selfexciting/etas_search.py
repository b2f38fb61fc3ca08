"""Decay and spread of the triggering kernel by likelihood, and how sure they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from .etas_em import Mix, build_background, build_triggered, fit_branching
from .etas_history import Column, Counted
from .etas_kernel import Kernel

Array = NDArray[np.float64]

#: Spreads that are tried first, in cells; and the least and the largest in metres.
SPREADS = (0.15, 0.3, 0.6, 1.2, 2.4)
#: Mean times to an offspring that are tried first, days; none shorter than a third of a bin or longer than a tenth of
#: the history, which would be another long-run mean.
MEMORIES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
#: Log-likelihood that a further part must bring to be kept.
WORTH = 4.0
#: Log-likelihood that a long-run mean must bring to forget: without it, old maps weigh as much as new ones.
FORGETTING = 10.0
#: Steps of the numeric slopes by the logarithms of decay and spread.
_STEP = 0.1
#: Blocks of time over which the slopes of the likelihood are taken for independent.
_BLOCKS = 40


def search(counted: Counted, background: list[Column], context: JobContext, finer: bool = True) -> tuple[Kernel, float]:
    """Choose decay, spread and coefficients by likelihood: a coarse grid, and finer ones around its best if wanted.

    Parameters
    ----------
    counted : Counted
    background : list of Column
        The long-run rates, and the first times the recent level: a part only where that is worth it.
    context : JobContext

    Returns
    -------
    kernel : Kernel
    likelihood : float
    """
    rates = background[:-1]
    plain, both = (fit_branching(columns, counted.count) for columns in (rates, background))
    used = background if both.likelihood > plain.likelihood + WORTH else rates
    tried: dict[tuple[float, float], Mix] = {}
    days, span = float(np.median(counted.days)), float(counted.days.sum())
    least, most = days / 3, max(span / 10, days)

    def best() -> tuple[float, float]:
        return max(tried, key=lambda key: tried[key].likelihood)

    def attempt(sigma: float, omegas: list[float]) -> None:
        new = [each for each in omegas if (sigma, each) not in tried and least <= 1.0001 / each <= 1.001 * most]
        for omega, column in zip(new, build_triggered(counted, sigma, new, context) if new else [], strict=True):
            start = tried[best()].weights if tried else None
            tried[sigma, omega] = fit_branching([*used, column], counted.count, start)

    memories = [each for each in MEMORIES if least <= each <= most] or [days]
    for number, share in enumerate(SPREADS):
        context.progress(0.7 * number / len(SPREADS), "Self-exciting: trying how long and how far incidents raise risk")
        attempt(share * counted.heatmaps.support.side, [1 / each for each in memories])
    for number, factor in enumerate((2**0.5, 2**0.25, 2**0.125) if finer else ()):
        context.progress(0.7 + 0.1 * number, "Self-exciting: refining how long and how far incidents raise risk")
        sigma, omega = best()
        for each in (sigma / factor, sigma, sigma * factor):
            attempt(each, [omega / factor, omega, omega * factor])
    sigma, omega = best()
    mix = tried[sigma, omega]
    weights = np.zeros(len(background) + 1)
    weights[: len(used)], weights[-1] = mix.weights[:-1], mix.weights[-1]
    return Kernel(weights, omega, sigma), mix.likelihood


def fit_process(
    counted: Counted, choices: list[tuple[float, float, float]], context: JobContext, finer: bool = True
) -> tuple[tuple[float, float, float], Kernel, list[Column]]:
    """Fit settings of the long-run mean that make counts likeliest with offspring, kernel, and background columns."""
    fits = []
    for number, settings in enumerate(choices):
        with context.step(number / len(choices), (number + 1) / len(choices)):
            background = build_background(counted, settings, context)
            kernel, likelihood = search(counted, background, context, finer)
        fits.append((likelihood - FORGETTING * bool(np.isfinite(settings[2])), settings, kernel, background))
    _, settings, kernel, background = max(fits, key=lambda each: each[0])
    return settings, kernel, background


def estimate_covariance(counted: Counted, background: list[Column], kernel: Kernel, context: JobContext) -> Array:
    """Estimate the covariance of (coefficient of the offspring, ln omega, ln sigma), shape (3, 3).

    Huber's sandwich over blocks of time: right also where counts vary more than a Poisson process, as those of
    clusters do. `background` are the long-run rates and the level; those that are not used take no part.
    """
    slower, middle, faster = build_triggered(
        counted, kernel.sigma, [kernel.omega * np.exp(step) for step in (-_STEP, 0.0, _STEP)], context
    )
    (narrow,) = build_triggered(counted, kernel.sigma * np.exp(-_STEP), [kernel.omega], context)
    (wide,) = build_triggered(counted, kernel.sigma * np.exp(_STEP), [kernel.omega], context)
    theta = kernel.weights[-1]
    used = [column for column, weight in zip(background, kernel.weights[:-1], strict=True) if weight > 0]
    slopes = [*used, middle, _slope(slower, faster, theta), _slope(narrow, wide, theta)]
    intensity = [weight * column.at for column, weight in zip([*background, middle], kernel.weights, strict=True)]
    rate = np.maximum(np.sum(intensity, axis=0), 1e-300)
    at = np.stack([slope.at for slope in slopes])
    maps = len(counted.days)
    score = -np.stack([slope.total for slope in slopes], axis=1)
    for number in range(len(slopes)):
        score[:, number] += np.bincount(counted.when, counted.count / rate * at[number], minlength=maps)
    scored = np.flatnonzero(counted.scored)
    blocks = np.array_split(scored, min(_BLOCKS, max(len(scored) // 4, 2)))
    sums = np.stack([score[block].sum(axis=0) for block in blocks])
    sums = sums - sums.mean(axis=0)
    weighted = at * (np.sqrt(counted.count) / rate)
    curve = np.einsum("kn,jn->kj", weighted, weighted)
    # Parts differ by orders of magnitude: scaled before the inverse.
    scale = np.sqrt(np.maximum(np.diag(curve), 1e-300))
    inverse = np.linalg.pinv(curve / np.outer(scale, scale), rcond=1e-10, hermitian=True) / np.outer(scale, scale)
    spread = sums.T @ sums * len(blocks) / (len(blocks) - 1)
    result: Array = (inverse @ spread @ inverse)[-3:, -3:]
    return result


def _slope(low: Column, high: Column, theta: float) -> Column:
    half = theta / (2 * _STEP)
    return Column(half * (high.at - low.at), half * (high.total - low.total))
