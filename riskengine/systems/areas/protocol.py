"""The rolling protocol: twelve months to learn from, the next to test; on sampled points and on all cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from ...contract.choices import StudyClassifier
from ...contract.tools.areahotspots import CLASSIFIERS
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...measures.metrics import auc, log_loss
from .classifiers import Fitted, compute_f1, fit_classifier, is_scale_free
from .features import Features
from .importance import Importance, compute_importance
from .inputs import TRAINING, Floats, Inputs, Integers
from .sampling import Sample, draw_sample
from .switches import Switches

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Judged:
    """Forecasts for one month, and what came true.

    Attributes
    ----------
    month : int
    risk : ndarray, shape (n,)
        Of the sampled points; empty where nothing was sampled.
    happened : ndarray of bool, shape (n,)
    cells : ndarray, shape (cells,)
        Of all cells; empty for what forecasts none.
    hit : ndarray of bool, shape (cells,)
        Whether a cell had an incident.
    """

    month: int
    risk: Floats
    happened: Flags
    cells: Floats
    hit: Flags

    @cached_property
    def accuracy(self) -> float:
        """Share of the sampled points that were told right."""
        return float(((self.risk > 0.5) == self.happened).mean()) if len(self.risk) else float("nan")

    @cached_property
    def auc(self) -> float:
        """Of the sampled points."""
        return auc(self.risk, self.happened)

    @cached_property
    def f1(self) -> float:
        """Weighted F1 of the sampled points."""
        return compute_f1(self.happened, self.risk > 0.5) if len(self.risk) else float("nan")

    @cached_property
    def cells_auc(self) -> float:
        """Of all cells."""
        return auc(self.cells, self.hit[: len(self.cells)])

    @cached_property
    def cells_log_loss(self) -> float:
        """Of all cells."""
        return log_loss(self.cells, self.hit[: len(self.cells)])


#: Measures of `Judged` in the order of the tables.
MEASURES = ("accuracy", "auc", "f1", "cells_auc", "cells_log_loss")


@dataclass(eq=False)
class Run:
    """One classifier, or rule, over the months tested.

    Attributes
    ----------
    months : list of Judged
    settings : list
        What cross-validation chose, by month.
    importance : Importance or None
    """

    months: list[Judged] = field(default_factory=list)
    settings: list[object] = field(default_factory=list)
    importance: Importance | None = None

    def mean(self, measure: str) -> float:
        """Mean of a measure over the months; NaN where it has none."""
        return float(np.mean([getattr(month, measure) for month in self.months]))


class Protocol:
    """Runs classifiers under one choice of the switches.

    Parameters
    ----------
    inputs : Inputs
    switches : Switches
    seed : int
    """

    def __init__(self, inputs: Inputs, switches: Switches, seed: int) -> None:
        self.inputs = inputs
        self.switches = switches
        self.seed = seed
        self.features = Features(inputs, switches, seed)
        self._drawn: dict[int, tuple[Sample, Floats]] = {}

    def draw(self, month: int, context: JobContext | None = None) -> tuple[Sample, Floats]:
        """Draw the points of a month, once, with their features."""
        if month not in self._drawn:
            sample = draw_sample(self.inputs, month, self.switches.negatives, self.seed)
            if sample.happened.all() or not sample.happened.any():
                self._refuse(sample)
            features = self.features.compute(month, sample.x, sample.y, sample.area, context)
            self._drawn[month] = sample, features
        return self._drawn[month]

    def run(
        self,
        classifier: StudyClassifier,
        tests: Sequence[int] | Integers,
        setting: object = None,
        importance: bool = False,
        context: JobContext | None = None,
        where: str = "",
    ) -> Run:
        """Test a classifier on each of some months.

        Parameters
        ----------
        tests : sequence of int
            Numbers of months.
        setting : object, optional
            Spares the cross-validation.
        importance : bool
            Whether the importance of each feature is computed.
        where : str
            What stands behind the text of the progress.
        """
        context = context or JobContext()
        run = Run()
        for number, month in enumerate(tests):
            with context.step(number / len(tests), (number + 1) / len(tests)):
                text = f"{CLASSIFIERS.titles[classifier]}, {self.inputs.name_month(month)}"
                context.progress(0.0, f"{text} ({where})" if where else text)
                self._test(classifier, int(month), setting, importance, run, context)
        return run

    def _test(
        self,
        classifier: StudyClassifier,
        month: int,
        setting: object,
        importance: bool,
        run: Run,
        context: JobContext,
    ) -> None:
        drawn = [self.draw(each, context) for each in range(month - TRAINING, month)]
        learned = np.vstack([features for _, features in drawn])
        happened = np.concatenate([sample.happened for sample, _ in drawn])
        sample, test = self.draw(month, context)
        cells = self.inputs.cells
        everywhere = self.features.compute(month, cells.x, cells.y, cells.area, context)
        hit = self.inputs.counts[month] > 0

        def judge(fitted: Fitted, test: Floats, everywhere: Floats) -> Judged:
            return Judged(month, fitted.predict(test), sample.happened, fitted.predict(everywhere), hit)

        scaler = StandardScaler().fit(learned)
        again = StandardScaler().fit(test) if self.switches.scaler == "test" else scaler
        plain = fit_classifier(classifier, learned, happened, self.seed, setting, context)
        ways = [(plain, judge(plain, test, everywhere))]
        if is_scale_free(classifier):
            # Fitted on scaled features it is the same: these are brought to the scale that it learned on. All cells
            # are a forecast and no test, so they keep the scale of the months learned from.
            moved = scaler.inverse_transform(again.transform(test))
            ways.append((plain, judge(plain, moved, everywhere)))
        else:
            fitted = fit_classifier(classifier, scaler.transform(learned), happened, self.seed, setting, context)
            ways.append((fitted, judge(fitted, again.transform(test), scaler.transform(everywhere))))
        fitted, judged = self._choose(ways)
        run.months.append(judged)
        run.settings.append(fitted.setting)
        if importance:
            found = compute_importance(plain, test, sample.happened, self.features.names, self.seed, context)
            run.importance = found if run.importance is None else run.importance.join(found)

    def _choose(self, ways: list[tuple[Fitted, Judged]]) -> tuple[Fitted, Judged]:
        """Choose between unscaled and scaled features, by the test itself as published or by the months before."""
        if self.switches.best == "test":
            return max(ways, key=lambda way: way[1].f1)
        return max(ways, key=lambda way: np.nan_to_num(way[0].f1))

    def _refuse(self, sample: Sample) -> None:
        month = self.inputs.name_month(sample.month)
        lacking = "an incident" if not sample.happened.any() else "a place without one"
        raise DataError(
            f"In {month} there is no {lacking.partition(' ')[2]} to learn from: every month needs both",
            parameter="negatives",
            value=self.switches.negatives,
            remedy="Draw the places without an incident in another way, or give incidents of whole months",
        )
