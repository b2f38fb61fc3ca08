"""What a study of outcome models found: figures with intervals, what each group of features adds, leaks, areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import OutcomeGroup, OutcomeSplit, Reported
from ...measures.clustered import Interval
from .rows import Floats

#: Figures of a score; `ece` is the expected calibration error in ten bins, as it is, after a shift of the logit learned
#: on the last days that the model may know, and after the shift that the test itself would give (an oracle).
#: `log_loss_shifted` is that of the probabilities that the kept model gives.
FIGURES = (
    "auc",
    "log_loss",
    "brier",
    "average_precision",
    "ece",
    "ece_shifted",
    "ece_oracle",
    "within_category_auc",
    "log_loss_shifted",
)


@dataclass(frozen=True)
class Score:
    """How good one model was on one split, with intervals by days.

    Attributes
    ----------
    model : str
    split : OutcomeSplit
    reported : Reported
        Whose rows.
    rows : int
    base : float
        Share of them with the outcome.
    figures : dict of str to Interval
        By `FIGURES`; NaN where one cannot be had.
    shift : float
        Of the logit, learned before the origin.
    """

    model: str
    split: OutcomeSplit
    reported: Reported
    rows: int
    base: float
    figures: Mapping[str, Interval]
    shift: float = 0.0


@dataclass(frozen=True)
class Step:
    """What a group of features changes of the log-loss, forward in time unless `split` says otherwise.

    Attributes
    ----------
    group : OutcomeGroup
    way : {"added", "left_out", "control"}
        Added to all groups before it; left out of all; or its control, added in its place.
    control : str
        What the control is, such as ``the day's number``; empty elsewhere.
    split : OutcomeSplit
    difference : Interval
        Log-loss with less that without; below zero where the group helps.
    log_loss : float
        Of the model with it (without it, where it is left out).
    auc : float
    """

    group: OutcomeGroup
    way: Literal["added", "left_out", "control"]
    control: str
    split: OutcomeSplit
    difference: Interval
    log_loss: float
    auc: float


LeakKind = Literal[
    "outcome_field", "outcome_text", "minute", "rows", "by_definition", "found_by_police", "person", "duplicates"
]


@dataclass(frozen=True)
class Leak:
    """Something in the data that tells the outcome, or that nobody could know when an incident is reported.

    Attributes
    ----------
    kind : LeakKind
    names : tuple of str
        Fields, descriptions or categories.
    figure : float
        Its own measure: the AUC of the field alone, the share of outcomes, and so on; NaN for none.
    rows : int
        Rows concerned.
    kept_out : bool
    sentence : str
        For the log and the report.
    asked : bool
        It is read, or shown, since the user named it among `READABLE_LEAKS`.
    """

    kind: LeakKind
    names: tuple[str, ...]
    figure: float
    rows: int
    kept_out: bool
    sentence: str
    asked: bool = False


@dataclass(frozen=True, eq=False)
class AreaOutcomes:
    """Observed against predicted by area, on the test rows of the default model.

    Attributes
    ----------
    names : sequence of str, length A
    rows : ndarray of int64, shape (A,)
    observed, predicted : ndarray of float64, shape (A,)
        Shares.
    low, high : ndarray of float64, shape (A,)
        Interval of observed less predicted.
    indicator : ndarray of float64, shape (A,), or None
        A chosen number of each area, such as a hardship index.
    raw_correlation, residual_correlation : Interval
        Spearman's, of the indicator with the observed rates, and with observed less predicted.
    reported : Reported
    """

    names: Sequence[str]
    rows: NDArray[np.int64]
    observed: Floats
    predicted: Floats
    low: Floats
    high: Floats
    reported: Reported
    indicator: Floats | None = None
    raw_correlation: Interval | None = None
    residual_correlation: Interval | None = None


@dataclass(frozen=True)
class OpenTest:
    """What of a test forward in time is younger than the maturity, so that later outcomes count as misses.

    Attributes
    ----------
    days, rows : int
        Of the test.
    young_days, young_rows : int
        Of these, younger.
    ece, ece_shifted : float
        Calibration error of the default on the others; NaN where they are of too few days.
    """

    days: int
    rows: int
    young_days: int
    young_rows: int
    ece: float
    ece_shifted: float


@dataclass(frozen=True, eq=False)
class Tested:
    """What the default model said of the test rows, shifted: for the layer of them.

    Attributes
    ----------
    split : OutcomeSplit
    rows : ndarray of int64, shape (T,)
        Positions in the rows of the study.
    probability : ndarray of float64, shape (T,)
    """

    split: OutcomeSplit
    rows: NDArray[np.int64]
    probability: Floats


@dataclass(frozen=True, eq=False)
class OutcomeStudy:
    """All that a study found.

    Attributes
    ----------
    default : str
        The model that the others are compared with.
    reference : str
        The table of rates that it must beat.
    scores : list of Score
    differences : dict of (str, OutcomeSplit, Reported) to Interval
        Log-loss of each model less that of `reference`, paired by row, resampled by days.
    steps : list of Step
        Empty where groups were not asked for.
    leaks : list of Leak
    areas : list of AreaOutcomes
    origin : str
        ISO date: the forward test begins here.
    first, last : str
        ISO dates of the rows.
    learned, tested : dict of OutcomeSplit to int
        Rows.
    maturity : int
        Days before the origin that training left out.
    curves : dict of str to (ndarray, ndarray)
        Reliability of the default, forward: mean predicted and observed in bins, before (``raw``) and after the shift
        (``shifted``).
    notes : list of str
        Sentences that the log said.
    seconds : dict of str to float
        Of one fit, by model.
    tested_rows : Tested or None
        Of the default model, on the split that was asked for.
    open_test : OpenTest or None
        None where the maturity is 0, or no test is forward.
    """

    default: str
    reference: str
    scores: list[Score]
    differences: Mapping[tuple[str, OutcomeSplit, Reported], Interval]
    steps: list[Step]
    leaks: list[Leak]
    areas: list[AreaOutcomes]
    origin: str
    first: str
    last: str
    learned: Mapping[str, int]
    tested: Mapping[str, int]
    maturity: int
    curves: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: Mapping[str, float] = field(default_factory=dict)
    tested_rows: Tested | None = None
    open_test: OpenTest | None = None

    def find(self, model: str, split: OutcomeSplit, reported: Reported = "all") -> Score | None:
        """Find a score."""
        found = (s for s in self.scores if (s.model, s.split, s.reported) == (model, split, reported))
        return next(found, None)
