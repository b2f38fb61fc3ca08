"""What the level would have forecast for past bins, and what came of it: what a correction is learned and judged on."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.warnings import ENOUGH_EVENTS
from ...maps.panel import Panel
from ...measures.compare import bootstrap_interval
from ..base import counts_events, mark_events
from .base import Array, LevelForecaster, Way
from .cityclock import measure_days
from .loglink import compute_losses

Rows = NDArray[np.bool_]
Learn = Callable[[Rows], Callable[[Rows], Array]]

#: Share of a history at its start for which nothing is forecast, and folds that the rest is cut into.
_WARM, _FOLDS = 0.25, 4
#: Units times bins that are learned from, at most: of a longer history every second, third, … bin.
_MOST_ROWS = 300_000
_WEEK = 7.0
#: Of the interval that has to lie below 0 for a correction to be kept.
PROOF = 0.95


@dataclass(frozen=True)
class PastForecasts:
    """Forecasts of past bins, each by a level that was fitted on nothing later than its fold's beginning.

    Attributes
    ----------
    ways : list of (int, int)
        Bins known, and bin forecast, as `LevelForecaster.compute_intensity` takes them.
    expected : ndarray, shape (R, N)
    events : ndarray of 0/1, shape (R, N)
    counts : ndarray, shape (R, N)
        Of events, where they are `counted`; else the same as `events`.
    counted : bool
    fold : ndarray of int, shape (R,)
    block : int
        Bins of a week, at least one: the blocks of an interval.
    """

    ways: list[Way]
    expected: Array
    events: NDArray[np.uint8]
    counts: NDArray[np.floating]
    counted: bool
    fold: NDArray[np.int64]
    block: int

    @property
    def enough(self) -> bool:
        """Whether no fold is lacking, with events enough to judge by in all."""
        return len(np.unique(self.fold)) == _FOLDS and int(self.events.sum()) >= ENOUGH_EVENTS

    def cross(self, learn: Learn) -> Array:
        """Correct each fold with what is learned on the others, shape (R, N).

        Parameters
        ----------
        learn : callable
            Learns from the rows that a mask of shape (R,) marks; returns what corrects the rows of another mask.
        """
        corrected = self.expected.copy()
        for fold in np.unique(self.fold):
            rows = self.fold == fold
            corrected[rows] = learn(~rows)(rows)
        return corrected

    def judge(
        self, corrected: Array, against: Array | None = None, which: Rows | slice = slice(None)
    ) -> tuple[float, bool]:
        """Judge corrected forecasts against the level's, or others: mean difference of the log-losses, and proof.

        Parameters
        ----------
        corrected : ndarray, shape (R, N)
        against : ndarray, shape (R, N), optional
        which : ndarray of bool, shape (R,), optional
            Bins that count; all by default.

        Returns
        -------
        float
            Below 0 where the corrected forecasts are better.
        bool
            Whether the whole interval by weeks lies below 0.
        """
        own, former = (
            compute_losses(each[which], self.events[which]).mean(axis=1)
            for each in (corrected, self.expected if against is None else against)
        )
        found = bootstrap_interval(own, former, block=self.block, level=PROOF)
        return found.mean, bool(found.high < 0)


def forecast_past(
    make: Callable[[], LevelForecaster], history: Panel, threshold: int, most_rows: int = _MOST_ROWS
) -> PastForecasts:
    """Forecast the bins of a history but the first by levels fitted before them, as late as its delay has it.

    Parameters
    ----------
    make : callable
        Makes an unfitted level.
    """
    bins, units = len(history), int(history.mask.sum())
    cuts = np.linspace(max(round(bins * _WARM), 1), bins, _FOLDS + 1).round().astype(int)
    step = -(-(bins - cuts[0]) * units // most_rows)
    # What a bin's level is made of ends before its way's first number: the panel is read without its delay.
    panel = history.drop_delay()
    ways: list[Way] = []
    expected, folds = [], []
    for fold, (begin, end) in enumerate(itertools.pairwise(cuts)):
        known = history.before(int(begin))
        targets = np.arange(begin, end)[history.observed[begin:end]][::step]
        seen = known.observed & (np.asarray(known.counts[:, known.mask]).sum(axis=1) > 0) if len(known) else np.zeros(0)
        if not seen.any() or not len(targets):
            continue
        of_fold = [(max(int(target) - history.delay, 0), int(target)) for target in targets]
        expected.append(make().fit(known).compute_intensity(panel, panel.edges, of_fold))
        ways += of_fold
        folds.append(np.full(len(of_fold), fold))
    bins_forecast = np.array([target for _, target in ways], dtype=np.int64)
    events = mark_events(history, threshold, bins_forecast)[:, history.mask]
    counted = not counts_events(history, threshold)
    counts = np.asarray(history.counts[bins_forecast][:, history.mask]) if counted else events
    return PastForecasts(
        ways,
        np.concatenate(expected) if expected else np.zeros((0, units)),
        events,
        counts.astype(np.float32),
        counted,
        np.concatenate(folds) if folds else np.zeros(0, dtype=np.int64),
        max(round(_WEEK / float(measure_days(history.edges).mean()) / step), 1),
    )
