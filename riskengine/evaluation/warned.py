"""The result of a test of warnings: how likely an event was in each window and unit, and what the alarms were worth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..contract.warnings import Budget, Timing
from ..maps.panel import Panel
from ..measures.compare import Difference


@dataclass(frozen=True)
class Alarms:
    """What alarms were worth: windows of units, and the events in them.

    Attributes
    ----------
    raised, windows : int
        Alarms, and windows of units there were.
    true : int
        Alarms in whose window there was an event; the others are false.
    hit : int
        Windows of units with an event.
    warned_events, events : int
        Events in windows that were warned of, and all.
    """

    raised: int
    windows: int
    true: int
    hit: int
    warned_events: int
    events: int

    @property
    def precision(self) -> float:
        """Share of the alarms that were true."""
        return self.true / self.raised if self.raised else float("nan")

    @property
    def recall(self) -> float:
        """Share of the windows with an event that were warned of."""
        return self.true / self.hit if self.hit else float("nan")

    @property
    def recall_events(self) -> float:
        """Share of the events that were warned of."""
        return self.warned_events / self.events if self.events else float("nan")

    @property
    def false_per_true(self) -> float:
        """False alarms for each true one."""
        return (self.raised - self.true) / self.true if self.true else float("inf")


@dataclass(frozen=True)
class WarningScore:
    """Every figure of one model.

    Attributes
    ----------
    name : str
    log_loss, brier, auc, average_precision, calibration_error : float
        Over all windows of all units.
    fold_loss : ndarray, shape (F,)
        Mean log-loss of the units, by window.
    at : dict of Budget to Alarms
        With the most likely windows of units of the whole test warned of, as many as the budget has: no threshold
        could be known before, but models can be compared.
    raised : dict of Budget to Alarms
        With the threshold that followed the last 28 days before each warning, as alarms are really raised.
    alarms : ndarray of bool, shape (F, N)
        The alarms raised with the budget that was asked for.
    seconds : float
        Fitting and forecasting.
    """

    name: str
    log_loss: float
    brier: float
    auc: float
    average_precision: float
    calibration_error: float
    fold_loss: NDArray[np.float64]
    at: dict[Budget, Alarms] = field(default_factory=dict)
    raised: dict[Budget, Alarms] = field(default_factory=dict)
    alarms: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    seconds: float = 0.0


@dataclass
class WarningsJudged:
    """A test of warnings.

    Attributes
    ----------
    panel : Panel
        Whose bins are the windows (`maps.windows.gather_windows`), history and test, with the events of each unit.
    timing : Timing
    windows : ndarray of int, shape (F,)
        Numbers of the windows tested, the observed ones.
    risks : dict of str to ndarray of float32, shape (F, N)
        Probability of at least one event by model.
    scores : dict of str to WarningScore
        By model, the default first.
    budget : Budget
        That was asked for.
    budgets : tuple of Budget
        All that are reported, `budget` among them.
    model : str
        The model that is compared first.
    baselines : list of str
    against : dict of str to dict of str to Difference
        Log-loss of a model (outer key) minus that of another (inner), over blocks of weeks.
    failures : dict of str to str
    notes : list of str
        Sentences a reader must know.
    """

    panel: Panel
    timing: Timing
    windows: NDArray[np.int64]
    risks: dict[str, NDArray[np.float32]]
    scores: dict[str, WarningScore]
    budget: Budget
    budgets: tuple[Budget, ...]
    model: str
    baselines: list[str]
    against: dict[str, dict[str, Difference]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def events(self) -> NDArray[np.int64]:
        """Events by window tested and unit, shape (F, N)."""
        return np.asarray(self.panel.counts[self.windows], dtype=np.int64)
