"""Fitting a self-exciting process to binned counts: expected branching over what is known before each map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ...ground.context import JobContext
from .etas_history import Column, Counted, read_counts
from .etas_kernel import PARTS, LongRun, Mover, State, average_survival, decay
from .etas_sparse import fill_triggered, find_occupied

Array = NDArray[np.float64]

#: Settings of the long-run mean that are tried on the history.
BANDWIDTHS = (0.7, 1.5, 3.0)
STRENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
HALF_LIVES = (float("inf"), 730.0, 365.0, 180.0)
#: Cells of all maps that are spread at once.
_CHUNK = 4_000_000
_LEAST_SHARE = 1e-9


def choose_long_run(
    counted: Counted, context: JobContext, half_lives: Sequence[float] = HALF_LIVES
) -> list[tuple[float, float, float]]:
    """Choose bandwidth, strength and half-life whose long-run mean best foretells the maps that follow it.

    Two choices: the best that weighs all maps alike, and the best that forgets, if it is as good or better.
    """
    history = counted.heatmaps
    mask = history.mask
    blocks = np.unique(np.linspace(counted.warm, len(history), 25).astype(int))
    scores: dict[tuple[float, float, float], float] = {}
    for number, half_life in enumerate(half_lives):
        context.progress(number / len(half_lives), "Self-exciting: choosing the long-run mean")
        means = [LongRun(mask, bandwidth, 1.0, half_life, history.support) for bandwidth in BANDWIDTHS]
        for low, high in zip([0, *blocks[:-1]], blocks, strict=True):
            seen, exposure = np.zeros(mask.shape), 0.0
            for each in np.flatnonzero(history.observed[low:high]) + low:
                counts = read_counts(history, counted.threshold, each, each + 1)[0]
                pace = counted.pace[counted.slot[each]]
                seen += counts
                exposure += counted.days[each] * pace
            if low >= counted.warm:
                for mean in means:
                    near = mean.near()
                    for strength in STRENGTHS:
                        mean.strength = strength
                        rate = np.maximum(mean.drawn(near)[mask], 1e-12)
                        key = (mean.bandwidth, strength, half_life)
                        gain = float((seen[mask] * np.log(rate)).sum() - exposure * rate.sum())
                        scores[key] = scores.get(key, 0.0) + gain
            for each in np.flatnonzero(history.observed[low:high]) + low:
                counts = read_counts(history, counted.threshold, each, each + 1)[0]
                for mean in means:
                    mean.update(counts, counted.days[each], counted.pace[counted.slot[each]])
            context.check_cancelled()
    best = [
        max((key for key in scores if np.isfinite(key[2]) == forgets), key=lambda key: scores[key])
        for forgets in sorted({bool(np.isfinite(each)) for each in half_lives})
    ]
    return best if len(best) > 1 and scores[best[1]] > scores[best[0]] else best[:1]


def build_background(counted: Counted, settings: tuple[float, float, float], context: JobContext) -> list[Column]:
    """Build the long-run rates before each map, and the first times the recent level; fills the stand-ins."""
    history = counted.heatmaps
    state = State(history.mask, history.support, settings)
    at, total = np.zeros((PARTS + 1, len(counted.when))), np.zeros((PARTS + 1, len(counted.days)))
    bounds = np.searchsorted(counted.when, np.arange(len(counted.days) + 1))
    scored = counted.scored
    for number, days in enumerate(counted.days):
        if number % 64 == 0:
            context.progress(number / len(counted.days), "Self-exciting: reckoning the long-run mean before each map")
        pace = float(counted.pace[counted.slot[number]])
        if scored[number]:
            rates = state.mean.rates()
            rates = np.concatenate([rates, rates[:1] * state.mean.level()]).reshape(PARTS + 1, -1) * (days * pace)
            rows = slice(bounds[number], bounds[number + 1])
            at[:, rows] = rates[:, counted.cell[rows]]
            total[:, number] = rates.sum(axis=1)
        if history.observed[number]:
            state.show(read_counts(history, counted.threshold, number, number + 1)[0], days, pace)
        else:
            counted.standin[number] = state.show(None, days, pace)
    return [Column(one, sums) for one, sums in zip(at, total, strict=True)]


def build_triggered(counted: Counted, sigma: float, omegas: Sequence[float], context: JobContext) -> list[Column]:
    """Build what past incidents trigger in each map per unit of branching ratio, for one spread and several decays."""
    mask = counted.heatmaps.mask
    maps = len(counted.days)
    columns = [Column(np.zeros(len(counted.when)), np.zeros(maps)) for _ in omegas]
    occupied = find_occupied(counted, sigma)
    if occupied is not None:
        fill_triggered(counted, sigma, omegas, occupied, columns, context)
        return columns
    mover = Mover(counted.heatmaps.support, sigma)
    step = max(_CHUNK // mask.size, 1)
    states = [np.zeros(mask.size) for _ in omegas]
    bounds = np.searchsorted(counted.when, np.arange(maps + 1))
    scored, inside = counted.scored, mask.ravel().astype(np.float64)
    for low in range(0, maps, step):
        context.check_cancelled()
        high = min(low + step, maps)
        moved = mover.move(counted.maps(low, high)).reshape(high - low, -1)
        for number in range(low, high):
            days = counted.days[number]
            rows = slice(bounds[number], bounds[number + 1])
            for each, (omega, column) in enumerate(zip(omegas, columns, strict=True)):
                state = states[each]
                if scored[number]:
                    share = -np.expm1(-omega * days)
                    column.at[rows] = share * state[counted.cell[rows]]
                    column.total[number] = share * float(state @ inside)
                state *= decay(omega, days)
                state += average_survival(omega, days) * moved[number - low]
    return columns


@dataclass
class Mix:
    """Coefficients of the parts of an intensity.

    Attributes
    ----------
    weights : ndarray, shape (K,)
    likelihood : float
        Poisson log-likelihood, up to a constant.
    """

    weights: Array
    likelihood: float


def fit_branching(columns: Sequence[Column], counts: Array, start: Array | None = None, rounds: int = 25) -> Mix:
    """Fit coefficients, none below 0, that make the counts most likely.

    Each round shares every incident among the parts that may have caused it (the expected branching), and sets each
    part's coefficient to the incidents it got over what it would give at coefficient 1. A Newton step on the same
    likelihood, towards its best non-negative point, spares the many last rounds.
    """
    # einsum and not @: products this thin are slower with BLAS threads, far slower on a busy machine.
    at = np.stack([column.at for column in columns])
    total = np.array([column.total.sum() for column in columns])
    number = float(counts.sum())
    scale = np.where(total > 0, number / np.maximum(total, 1e-300), 0.0)
    at *= scale[:, None]
    shares = np.full(len(columns), 1 / len(columns)) if start is None else np.maximum(start * total / number, 1e-4)
    shares = shares / shares.sum()

    def gain(rate: Array, trial: Array) -> float:
        return float(np.einsum("n,n->", counts, np.log(rate))) - number * float(trial.sum())

    rate = _mixed(at, shares)
    best = gain(rate, shares)
    for _ in range(rounds):
        before = best
        # The incidents that each part is expected to have caused, as shares of all.
        shares = np.maximum(shares * np.einsum("kn,n->k", at, counts / rate) / number, _LEAST_SHARE)
        rate = _mixed(at, shares)
        best = gain(rate, shares)
        weighted = at * (np.sqrt(counts) / rate)
        curve = np.einsum("kn,jn->kj", weighted, weighted) + 1e-9 * number * np.eye(len(shares))
        slope = np.einsum("kn,n->k", at, counts / rate) - number
        root = np.linalg.cholesky(curve)
        aim = nnls(root.T, np.linalg.solve(root, curve @ shares + slope))[0]
        for length in (1.0, 0.5, 0.25):
            trial = np.maximum(shares + length * (aim - shares), _LEAST_SHARE)
            trial_rate = _mixed(at, trial)
            value = gain(trial_rate, trial)
            if value > best:
                shares, rate, best = trial, trial_rate, value
                break
        if best - before < 1e-3:
            break
    return Mix(np.where(shares <= 10 * _LEAST_SHARE, 0.0, shares) * scale, best)


def _mixed(at: Array, shares: Array) -> Array:
    return np.asarray(np.maximum(np.einsum("kn,k->n", at, shares), 1e-300))
