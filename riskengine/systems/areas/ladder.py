"""The ladder: as published, without each leak, with controls, without all leaks, and plain rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...contract.choices import StudyClassifier
from ...forecasters.baselines import PriorShare
from ...ground.context import JobContext
from .inputs import Inputs, Integers
from .protocol import Judged, Protocol, Run
from .switches import CLOSED, PUBLISHED, Switches


@dataclass(frozen=True, eq=False)
class Rung:
    """One line of the ladder.

    Attributes
    ----------
    key : str
        Of `contract.study.RUNGS`, which says what it is.
    run : Run
    """

    key: str
    run: Run


#: What each rung changes; the order is that of the report.
CHANGES: dict[str, Switches] = {
    "scaler": replace(PUBLISHED, scaler="training"),
    "best": replace(PUBLISHED, best="training"),
    "filling": replace(PUBLISHED, filling="forward"),
    "smoothed": replace(PUBLISHED, density="smoothed"),
    "year": replace(PUBLISHED, negatives="year"),
    "month": replace(PUBLISHED, negatives="month"),
    "anywhere": replace(PUBLISHED, negatives="anywhere"),
    "known": replace(PUBLISHED, negatives="known"),
    "covariates": replace(PUBLISHED, density="none"),
    "random": replace(PUBLISHED, density="none", features="random"),
    "closed": CLOSED,
}


def list_rungs(inputs: Inputs) -> list[str]:
    """List the rungs that change something for these inputs."""
    without_covariates = {"covariates"} if not len(inputs.names) else set()
    without_mobility = {"filling"} if inputs.mobility is None else set()
    return [key for key in CHANGES if key not in without_covariates | without_mobility]


def run_published(
    inputs: Inputs,
    tests: Integers,
    classifiers: Sequence[StudyClassifier],
    switches: Switches,
    seed: int,
    context: JobContext | None = None,
) -> dict[StudyClassifier, Run]:
    """Run each classifier with settings by cross-validation; the forest with the importance of its features."""
    context = context or JobContext()
    protocol = Protocol(inputs, switches, seed)
    runs: dict[StudyClassifier, Run] = {}
    for number, classifier in enumerate(classifiers):
        with context.step(number / len(classifiers), (number + 1) / len(classifiers)):
            runs[classifier] = protocol.run(classifier, tests, importance=classifier == "forest", context=context)
    return runs


def climb_ladder(
    inputs: Inputs, tests: Integers, published: Run, seed: int, context: JobContext | None = None
) -> list[Rung]:
    """Run the forest on every rung, and the two that need no learning.

    Parameters
    ----------
    published : Run
        The forest's, as published: its most frequent number of trees is that of all rungs.
    """
    context = context or JobContext()
    trees = Counter(published.settings).most_common(1)[0][0]
    keys = list_rungs(inputs)
    rungs = [Rung("published", published)]
    for number, key in enumerate(keys):
        with context.step(number / len(keys), (number + 1) / len(keys)):
            where = f"rung {number + 1} of {len(keys)}"
            run = Protocol(inputs, CHANGES[key], seed).run("forest", tests, trees, context=context, where=where)
            rungs.append(Rung(key, run))
    rungs.append(Rung("rule", run_rule(inputs, tests, seed)))
    rungs.append(Rung("rates", run_rates(inputs, tests)))
    return rungs


def run_rule(inputs: Inputs, tests: Integers, seed: int) -> Run:
    """Judge the rule that an incident happens where one happened before, at this exact coordinate, as published."""
    protocol, run = Protocol(inputs, replace(PUBLISHED, density="none", features="none"), seed), Run()
    for month in tests.tolist():
        sample, _ = protocol.draw(month)
        earlier = inputs.month < month
        known = np.isin(sample.x + 1j * sample.y, inputs.x[earlier] + 1j * inputs.y[earlier])
        nowhere = np.empty(0), np.empty(0, dtype=bool)
        run.months.append(Judged(month, known.astype(np.float64), sample.happened, *nowhere))
    return run


def run_rates(inputs: Inputs, tests: Integers) -> Run:
    """Judge each cell's share of past months with an incident, a little shrunk towards the mean of all cells."""
    panel, run = inputs.make_panel(), Run()
    for month in tests.tolist():
        history = panel.before(month)
        risk = PriorShare().fit(history).predict(history)[0].ravel()[inputs.cells.flat].astype(np.float64)
        nothing = np.empty(0), np.empty(0, dtype=bool)
        run.months.append(Judged(month, *nothing, risk, inputs.counts[month] > 0))
    return run
