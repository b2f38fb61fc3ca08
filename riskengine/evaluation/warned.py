"""The result of a test of warnings: how likely an event was in each window and unit, and what the alarms were worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import DEFAULT_WARNING, WARNING_REFERENCE
from ..contract.warnings import ENOUGH_EVENTS, Budget, Timing
from ..maps.panel import Panel
from ..measures.alarmcurves import AlarmCurve, measure_reliability, trace_alarms
from ..measures.alarms import (
    LEVEL,
    Alarms,
    AlarmSums,
    Group,
    bound_losses,
    compare_precision,
    compare_recall,
    compute_lift,
    group_alarms,
    sum_alarms,
)
from ..measures.compare import Difference
from ..measures.metrics import Reliability
from ..measures.thresholds import choose_most
from .beside import describe_difference, round_finite


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

    def to_dict(self) -> dict[str, Any]:
        """Every figure, JSON-able."""
        figures = ("log_loss", "brier", "auc", "average_precision", "calibration_error")
        return {
            **{name: round_finite(getattr(self, name)) for name in figures},
            "at": [{**asdict(budget), **describe_alarms(each)} for budget, each in self.at.items()],
            "raised": [{**asdict(budget), **describe_alarms(each)} for budget, each in self.raised.items()],
            "seconds": round(self.seconds, 3),
        }


@dataclass
class WarningsJudged:
    """A test of warnings.

    N are the units of the study area, F the windows tested.

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
        By model, `model` first.
    budget : Budget
        That was asked for.
    budgets : tuple of Budget
        All that are reported, `budget` among them.
    model : str
        The model that is compared first: the default where it took part.
    baselines : list of str
        The simple models that stand beside every other.
    against : dict of str to dict of str to Difference
        Log-loss of a model (outer key) minus that of another (inner: `WARNING_REFERENCE` and `DEFAULT_WARNING`, where
        they took part), over blocks of weeks.
    failures : dict of str to str
        Models that could not be run, and why: a sentence.
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
        return np.asarray(self.panel.counts[self.windows][:, self.panel.mask], dtype=np.int64)

    @property
    def starts(self) -> NDArray[np.datetime64]:
        """When each window tested begins, shape (F,)."""
        return self.panel.edges[self.windows]

    @property
    def ids(self) -> list[str]:
        """Ids of the units of the study area; of cells, which have none, their numbers."""
        every = getattr(self.panel.support, "ids", range(self.panel.mask.size))
        return [str(every[number]) for number in np.flatnonzero(self.panel.mask)]

    @property
    def enough(self) -> bool:
        """Whether there were enough events to say which model is better."""
        return int(self.events.sum()) >= ENOUGH_EVENTS

    @property
    def learned(self) -> list[str]:
        """The models that may know more than place, calendar and level: all but the default and the baselines."""
        return [name for name in self.scores if name not in (DEFAULT_WARNING, *self.baselines)]

    @property
    def beyond(self) -> list[str]:
        """The learned models whose log-loss lies below the default's with its whole interval, the best first.

        Where there is none: no short-term warning beyond place, hour and level was found.
        """
        if not self.enough:
            return []
        return sorted(
            (name for name in self.learned if self.is_better(name, DEFAULT_WARNING)),
            key=lambda name: self.against[name][DEFAULT_WARNING].mean,
        )

    def is_better(self, name: str, other: str) -> bool:
        """Whether a model's log-loss lies below another's with its whole interval."""
        found = self.against.get(name, {}).get(other)
        return found is not None and found.verdict == "better"

    def compare_losses(self, name: str, other: str, level: float = LEVEL) -> Difference:
        """Compare log-losses: `name` minus `other`, over blocks of about a week; negative is better."""
        return bound_losses(self.scores[name].fold_loss, self.scores[other].fold_loss, self.timing.window, level)

    def put_first(self, name: str) -> WarningsJudged:
        """The same with another model compared first."""
        names = [name, *(each for each in self.scores if each != name)]
        return replace(self, model=name, scores={each: self.scores[each] for each in names})

    def sum_most(self, name: str, budget: Budget | None = None) -> AlarmSums:
        """Sum up by window what a model's most likely windows of the whole test were worth, under a budget."""
        return sum_alarms(choose_most(self.risks[name], budget or self.budget, self.timing.window), self.events)

    def compare_recall(self, name: str, other: str, budget: Budget | None = None) -> Difference:
        """Compare the share of events warned of at the same budget: `name` minus `other`; positive is better."""
        return compare_recall(self.sum_most(name, budget), self.sum_most(other, budget), self.timing.window)

    def compare_precision(self, name: str, other: str, budget: Budget | None = None) -> Difference:
        """Compare precisions at the same number of alarms (no ratio of costs): `name` minus `other`."""
        return compare_precision(self.sum_most(name, budget), self.sum_most(other, budget), self.timing.window)

    def compute_lift(self, name: str, other: str = WARNING_REFERENCE, budget: Budget | None = None) -> Difference:
        """Compute how many times as often alarms of `name` were true, at the same number (no ratio of costs)."""
        return compute_lift(self.sum_most(name, budget), self.sum_most(other, budget), self.timing.window)

    def group_months(self, name: str) -> list[Group]:
        """Group the alarms that were raised by the month in which their windows begin, as ``2015-04``."""
        months = self.starts.astype("datetime64[M]").astype(str)
        return group_alarms(self.risks[name], self.scores[name].alarms, self.events, months.tolist())

    def group_units(self, name: str) -> list[Group]:
        """Group the alarms that were raised by unit, in their order; labels are `ids`."""
        return group_alarms(self.risks[name].T, self.scores[name].alarms.T, self.events.T, self.ids)

    def trace(self, name: str) -> AlarmCurve:
        """Trace what every budget would have been worth."""
        return trace_alarms(self.risks[name], self.events)

    def measure_reliability(self, name: str) -> Reliability:
        """Compare probabilities with what happened, in the bins of the calibration error."""
        return measure_reliability(self.risks[name], self.events > 0)

    def to_dict(self) -> dict[str, Any]:
        """Every figure, JSON-able."""
        return {
            "model": self.model,
            "baselines": self.baselines,
            "windows": len(self.windows),
            "units": len(self.ids),
            "events": int(self.events.sum()),
            "budget": asdict(self.budget),
            "timing": asdict(self.timing),
            "scores": {name: score.to_dict() for name, score in self.scores.items()},
            "against": {
                name: {other: describe_difference(each) for other, each in others.items()}
                for name, others in self.against.items()
            },
            "beyond": self.beyond,
            "failures": self.failures,
            "notes": self.notes,
        }


@dataclass(frozen=True)
class WarningChoice:
    """Which model was chosen on past windows, or is kept after those held out.

    Attributes
    ----------
    model : str
    reason : str
        Why, in a sentence without its full stop.
    judged : WarningsJudged, optional
        How the models did there; None where nothing could be tried. The model that is kept stands first.
    """

    model: str
    reason: str
    judged: WarningsJudged | None = None


def describe_alarms(alarms: Alarms) -> dict[str, float | None]:
    """Describe alarms as JSON-able figures."""
    return {name: round_finite(value) for name, value in _list_figures(alarms)}


def _list_figures(alarms: Alarms) -> Iterator[tuple[str, float]]:
    yield from asdict(alarms).items()
    for name in ("share", "precision", "recall", "recall_events", "false_per_true"):
        yield name, getattr(alarms, name)
