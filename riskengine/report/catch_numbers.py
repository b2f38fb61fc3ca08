"""The figures that reports show of a test of the catch: by model n of N, PAI, PEI*, precision, and what differs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import CATCH_BASELINE
from ..evaluation.caught import ENOUGH, CatchJudged
from ..evaluation.judged import Judged
from ..maps.aims import measure_costs
from ..maps.bins import multiply_bin
from ..measures.clustered import Interval
from ..measures.compare import Difference

Array = NDArray[np.float64]

#: The curve of the catch goes to this many times the asked size.
_REACH = 3.0


@dataclass(frozen=True)
class CatchFigures:
    """What one model caught: over all positions of the grid on average, and on the grid as given.

    Attributes
    ----------
    name : str
    caught, incidents, most : float
        n, N and n*, the mean over positions.
    here : tuple of float
        n and N on the given grid.
    rate, pai : Interval
        n / N; and that over the share of the area, as uncertain as the hit rate, since the share is chosen.
    pei : float
        n / n*.
    share : float
        Of the study area that was flagged.
    units : float
        Flagged in a window.
    precision : float
        Share of the flagged units that were hit, on the given grid.
    by_position : ndarray, shape (P,)
        n at each position.
    stable : float
        Share of a window's places that are those of the next one too; NaN of one window.
    """

    name: str
    caught: float
    incidents: float
    most: float
    here: tuple[float, float]
    rate: Interval
    pai: Interval
    pei: float
    share: float
    units: float
    precision: float
    by_position: Array
    stable: float


def compute_figures(judged: Judged, name: str) -> CatchFigures:
    """Compute the figures of one model of a test of the catch."""
    catch = read_catch(judged)
    found = catch.models[name]
    caught = found.caught.sum(axis=(1, 2))
    parts = found.parts[:, judged.panel.mask]
    hit = judged.counts[:, judged.panel.mask] > 0
    flagged, rate = float(parts.sum()), catch.measure_rate(name)
    return CatchFigures(
        name,
        found.n,
        found.total,
        float(found.most.sum(axis=1).mean()),
        (float(caught[0]), float(found.incidents[0].sum())),
        rate,
        Interval(float(found.pai.mean()), rate.low / found.share, rate.high / found.share),
        float(found.pei.mean()),
        found.share,
        flagged / len(parts),
        float((parts * hit).sum()) / flagged if flagged else math.nan,
        caught,
        float(found.stable.mean()) if len(found.stable) else math.nan,
    )


def read_catch(judged: Judged) -> CatchJudged:
    """Read the test of the catch of forecasts that were judged by it."""
    assert judged.catch is not None
    return judged.catch


def find_rival(judged: Judged, name: str) -> str:
    """Find what the catch of a model is compared with: prior counts, or the other baseline that caught most."""
    models = read_catch(judged).models
    if CATCH_BASELINE in models and name != CATCH_BASELINE:
        return CATCH_BASELINE
    return read_catch(judged).find_best([each for each in judged.baselines if each != name])


def compare_catches(judged: Judged, name: str, other: str) -> Difference:
    """Compare the shares of the incidents that two models caught: the first minus the other, more is better."""
    return read_catch(judged).compare(name, other)


def read_window(catch: CatchJudged) -> str:
    """Read how long a window is, as bins are: ``13 weeks``."""
    return multiply_bin(catch.panel.bin, catch.catch.window)


def trace_catch(judged: Judged, name: str) -> tuple[Array, Array]:
    """Trace what a model would have caught at other sizes, on the given grid: shares of what the catch is measured by
    (area, or the number of units), and n.

    Units come as they are chosen, by what is expected for their cost; those that tie come at once.
    """
    catch = read_catch(judged)
    found, mask = catch.models[name], judged.panel.mask
    costs = measure_costs(catch.catch, catch.panel).each
    most = min(_REACH * find_used_share(judged, name), 1.0)
    shares = np.linspace(0.0, most, 121)
    caught = np.zeros_like(shares)
    for expected, counts in zip(found.expected[:, mask], judged.counts[:, mask], strict=True):
        worth = np.divide(expected, costs, out=np.full(len(costs), -np.inf), where=costs > 0)
        order = np.argsort(-worth, kind="stable")
        ends = np.flatnonzero(np.diff(worth[order], append=np.nan))
        used, held = np.cumsum(costs[order])[ends] / costs.sum(), np.cumsum(counts[order])[ends]
        caught += np.interp(shares, np.r_[0.0, used], np.r_[0.0, held])
    return shares, caught


def find_used_share(judged: Judged, name: str) -> float:
    """Find which share of what a catch is measured by a window's places use, on the given grid."""
    catch = read_catch(judged)
    costs = measure_costs(catch.catch, catch.panel).each
    return float((catch.models[name].parts[:, judged.panel.mask] @ costs).mean() / costs.sum())


def turns_on_few(judged: Judged, name: str) -> bool:
    """Whether single incidents decide what a model and its rival caught."""
    catch, other = read_catch(judged), find_rival(judged, name)
    return max(catch.models[each].n for each in (name, other) if each) < ENOUGH
