"""What each group of features adds: added one by one, left out one by one, and beside controls.

Weather is beside *the day's number*: a value that all rows of a day share tells which day it is, whatever it measures.
Census is beside *census shuffled among areas*: the values of an area tell which area it is, whoever lives there. What
a group adds beyond its control is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import GROUPS, MODELS, OutcomeGroup
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...measures.metrics import auc, compute_losses
from ...measures.resampled import Resampling, number_clusters
from .judged import Step
from .models.base import Reading, make_predictor
from .rows import Floats, Rows
from .splits import Parts

Groups = tuple[OutcomeGroup, ...]
Fit = Callable[[Rows, Groups], Floats]
#: What stands for a group as its control, and census without the place, of which it tells much by itself.
DAY_NUMBER, SHUFFLED = "the day's number", "census shuffled among areas"
WITHOUT_PLACE, SHUFFLED_WITHOUT_PLACE = "census without the place", "census shuffled among areas, without the place"
#: Census is shuffled so many times; the mean loss of all is compared.
SHUFFLES = 3


def list_groups(rows: Rows) -> Groups:
    """List the groups of features that rows have, in the order in which they are added."""
    there = {
        "category": "category" in rows.texts,
        "description": "description" in rows.texts,
        "location": "location" in rows.texts,
        "domestic": "domestic" in rows.texts,
        "time": bool((~np.isnat(rows.day)).any()),
        "place": bool(np.isfinite(rows.x).any()) or "area" in rows.texts,
        "weather": bool(rows.weather),
        "census": bool(rows.census),
        "other": bool(rows.other or rows.labels),
    }
    return tuple(group for group in GROUPS if there[group])


def number_days(rows: Rows) -> Rows:
    """Give rows the number of their day instead of weather."""
    day = rows.day.astype("datetime64[D]")
    number = np.where(np.isnat(day), np.nan, day.astype(np.int64))
    return replace(rows, weather={"day": number})


def shuffle_census(rows: Rows, seed: int) -> Rows:
    """Give each area the census of another; an area is who has the same values of all fields."""
    table = np.column_stack([values for values in rows.census.values()])
    known = np.isfinite(table).any(axis=1)
    areas, number = np.unique(table[known], axis=0, return_inverse=True)
    shuffled = np.full_like(table, np.nan)
    shuffled[known] = areas[np.random.default_rng(seed).permutation(len(areas))][number.reshape(-1)]
    return replace(rows, census={name: shuffled[:, place] for place, name in enumerate(rows.census)})


@dataclass(eq=False)
class _Climb:
    """The rows of one split and what every step of the ladder needs of them."""

    model: str
    rows: Rows
    parts: Parts
    seed: int
    minute: bool
    days: Resampling
    happened: NDArray[np.bool_]
    context: JobContext
    fits: int
    done: int = 0

    def predict(self, rows: Rows, groups: Groups) -> Floats:
        """Fit the model on some groups, and predict the tested rows; with no groups, the share of the outcome."""
        self.context.progress(self.done / self.fits, f"ladder: model {self.done + 1} of {self.fits}")
        self.done += 1
        learned = rows.select(self.parts.learned)
        if not groups:
            return np.full(len(self.parts.tested), learned.outcomes.mean())
        model = make_predictor(self.model, Reading(groups, self.minute, self.seed))
        return model.fit(learned, self.context).predict(rows.select(self.parts.tested))

    def measure(self, predicted: Sequence[Floats]) -> _Fitted:
        """Measure one prediction, or the mean loss and AUC of several."""
        losses = np.mean([compute_losses(p, self.happened) for p in predicted], axis=0)
        return _Fitted(losses, float(np.mean([auc(p, self.happened) for p in predicted])))

    def step(self, group: OutcomeGroup, way: str, control: str, with_: _Fitted, without: _Fitted) -> Step:
        """Make a step: what the losses with a group differ from those without; of what is left out, that without."""
        shown = without if way == "left_out" else with_
        difference = self.days.mean(with_.losses - without.losses)
        split = self.parts.split
        return Step(group, way, control, split, difference, float(shown.losses.mean()), shown.auc)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class _Fitted:
    losses: Floats
    auc: float


def climb_groups(
    rows: Rows,
    parts: Parts,
    model: str,
    groups: Sequence[OutcomeGroup],
    seed: int = 0,
    minute: bool = False,
    context: JobContext | None = None,
) -> list[Step]:
    """Measure what each group of features changes of the log-loss, with intervals by days.

    Parameters
    ----------
    rows : Rows
        All of them.
    parts : Parts
        Of these rows.
    model : str
        In `MODELS`.
    groups : sequence of OutcomeGroup
        Those that rows have and may be read.
    """
    readable = tuple(g for g in GROUPS if g in groups and g in MODELS[model].groups)
    tested = rows.select(parts.tested)
    controls = ("weather" in readable) + ("census" in readable) * SHUFFLES
    beside_place = (1 + SHUFFLES + 1) * ({"census", "place"} <= set(readable))
    fits = len(readable) + 1 + max(len(readable) - 1, 0) + controls + beside_place
    days = number_clusters(tested.day.astype("datetime64[D]").astype(np.int64), seed)
    climb = _Climb(model, rows, parts, seed, minute, days, tested.outcomes, context or JobContext(), fits)
    steps, before = [], climb.measure([climb.predict(rows, ())])
    for number, group in enumerate(readable):
        here = readable[: number + 1]
        after = climb.measure([climb.predict(rows, here)])
        steps.append(climb.step(group, "added", "", after, before))
        steps += _control(climb, group, here, before)
        before = after
    everything = before
    for group in readable if len(readable) > 1 else ():
        rest = tuple(g for g in readable if g != group)
        # Without the last group is one step down the ladder, but that is a fit like any other: kept simple.
        without = climb.measure([climb.predict(rows, rest)])
        steps.append(climb.step(group, "left_out", "", everything, without))
    return steps


def _control(climb: _Climb, group: OutcomeGroup, here: Groups, before: _Fitted) -> list[Step]:
    """The control of a group, added in its place."""
    rows = climb.rows
    if group == "weather":
        control = climb.measure([climb.predict(number_days(rows), here)])
        return [climb.step(group, "control", DAY_NUMBER, control, before)]
    if group != "census":
        return []
    shuffled = [shuffle_census(rows, climb.seed + number) for number in range(SHUFFLES)]
    control = climb.measure([climb.predict(each, here) for each in shuffled])
    steps = [climb.step(group, "control", SHUFFLED, control, before)]
    if "place" in here:
        bare = tuple(g for g in here if g != "place")
        without = climb.measure([climb.predict(rows, bare[:-1])])
        true = climb.measure([climb.predict(rows, bare)])
        control = climb.measure([climb.predict(each, bare) for each in shuffled])
        steps.append(climb.step(group, "control", WITHOUT_PLACE, true, without))
        steps.append(climb.step(group, "control", SHUFFLED_WITHOUT_PLACE, control, without))
    return steps


def describe_fits(groups: Sequence[OutcomeGroup]) -> str:
    """Say how many groups a ladder has, for the log."""
    return count_text(len(groups), "group") + " of features"
