"""What covariates are worth: the same model with those of other areas, dealt out at random."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import COVARIATES
from ..contract.texts import list_names
from ..contract.units import noun_of
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..maps.covariates import shuffle_covariates
from ..maps.panel import Panel
from .beside import Control
from .entrants import find_record
from .judged import Judged
from .rolling import score_again
from .scoring import compare_hits, compare_losses


def run_control(
    judged: Judged,
    forecasters: Mapping[str, Forecaster],
    context: JobContext | None = None,
    workers: int | None = None,
) -> list[Control]:
    """Backtest the models that read covariates again with shuffled ones; none where there are no covariates.

    Every area keeps its counts, and gets the covariates of another one, the same in all bins. The first seed of the
    plan deals them out. What all areas have alike, such as the weather, stays as it is: the log names it.
    """
    context = context or JobContext()
    covariates, alike = list_telling(judged.panel)
    if alike:
        are, they = ("is", "it adds") if len(alike) == 1 else ("are", "they add")
        noun = noun_of(judged.panel.support.kind)
        context.log(f"{list_names(alike)} {are} the same in all {noun}s: the control cannot say what {they}.")
    if not covariates:
        return []
    readers = {
        name: each
        for name, each in forecasters.items()
        if name in judged.scores and (entry := find_record(name, each)) is not None and COVARIATES in entry.needs
    }
    panel = shuffle_covariates(judged.panel, judged.plan.seeds[0])
    scores = score_again(judged, panel, readers, context, workers)
    made = []
    for name, score in scores.items():
        pair = judged.scores[name], score, judged.block
        made.append(Control(name, covariates, score, compare_losses(*pair), compare_hits(*pair)))
    return made


def list_telling(panel: Panel) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List the covariates that tell areas apart at some time, and those that all areas have alike."""
    extras = panel.extras
    fixed = zip(extras.static_names, extras.static[:, None], strict=True)
    values = [*fixed, *((each.name, each.values) for each in extras.covariates)]
    differ = {name: _differs(each[:, panel.mask]) for name, each in values}
    return tuple(name for name in differ if differ[name]), tuple(name for name in differ if not differ[name])


def _differs(values: NDArray[np.float32]) -> bool:
    """Whether any row has two values, unknown ones among them."""
    return any(len(np.unique(row)) > 1 for row in values)
