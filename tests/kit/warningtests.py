"""Tests of warnings made up for the tests of sentences and pages: events and probabilities that tests write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from riskengine.contract.warnings import Budget, Timing
from riskengine.evaluation.catchcount import Forecasts
from riskengine.evaluation.warned import WarningsJudged
from riskengine.evaluation.warnjudging import judge_warnings
from riskengine.ground.context import JobContext
from riskengine.maps.areas import make_areas
from riskengine.maps.panel import Panel

#: Days that begin at midnight, all known at once; a tenth of them may be warned of.
DAYS, TENTH = Timing(24, 0, 0, 0), Budget()
#: Names that stand beside every model, of those that a test has.
BASELINES = ("constant", "clock", "calendar", "calendar_reset")


def make_warning_steps(
    counts: np.ndarray,
    timing: Timing = DAYS,
    start: str = "2018-01-01",
    categories: Sequence[str] = ("SHOOTING",),
    names: Sequence[str] | None = None,
) -> Panel:
    """A panel of the steps of a timing, shape (T, N), of N areas in a square of cells of 1 km; one is the city."""
    number = counts.shape[1]
    side = int(np.ceil(np.sqrt(number)))
    rows, columns = np.divmod(np.arange(number), side)
    boxes = shapely.box(1000.0 * columns, 1000.0 * rows, 1000.0 * (columns + 1), 1000.0 * (rows + 1))
    ids = ["city"] if number == 1 else [f"A{each:03}" for each in range(number)]
    areas, _ = make_areas(ids, boxes, "EPSG:26918", names=names)
    first = np.datetime64(start, "h") + timing.begin % timing.window
    edges = (first + timing.step * np.arange(len(counts) + 1)).astype("datetime64[s]")
    panel = Panel(counts, edges, np.ones(number, bool), areas, f"{timing.step} hours", delay=timing.late)
    panel.categories = list(categories)
    return panel


def make_warnings_judged(
    panel: Panel,
    risks: Mapping[str, np.ndarray],
    timing: Timing = DAYS,
    first: int = 56,
    budget: Budget = TENTH,
    failures: Mapping[str, str] | None = None,
) -> WarningsJudged:
    """Make what a test of warnings gives of models that say so, from window `first` on.

    Parameters
    ----------
    risks : mapping of str to ndarray, shape (W, N)
        Probability of an event in every window of the panel, those before the test too; the model that is compared
        first is first.
    """
    starts = np.arange(len(panel) // timing.bins) * timing.bins
    made = Forecasts(
        starts,
        {name: np.asarray(risk, dtype=np.float32) for name, risk in risks.items()},
        dict.fromkeys(risks, 1.25),
        dict(failures or {}),
        set(),
    )
    baselines = [name for name in BASELINES if name in risks]
    return judge_warnings(panel, made, first * timing.bins, timing, budget, baselines, next(iter(risks)), JobContext())
