"""What each group of features adds: added one by one, left out one by one, and beside controls.

Weather is beside *the day's number*: a value that all rows of a day share tells which day it is, whatever it measures.
Census is beside *census shuffled among areas*: the values of an area tell which area it is, whoever lives there. What
a group adds beyond its control is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ...contract.outcomes import GROUPS, MODELS, OutcomeGroup
from ...ground.context import JobContext
from ...measures.metrics import auc, compute_losses
from ...measures.resampled import number_clusters
from .judged import Step
from .models.base import Reading, make_predictor
from .rows import Floats, Rows
from .splits import Parts

Groups = tuple[OutcomeGroup, ...]
Way = Literal["added", "left_out", "control"]
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
    table = np.column_stack(list(rows.census.values()))
    known = np.isfinite(table).any(axis=1)
    areas, number = np.unique(table[known], axis=0, return_inverse=True)
    shuffled = np.full_like(table, np.nan)
    shuffled[known] = areas[np.random.default_rng(seed).permutation(len(areas))][number.reshape(-1)]
    return replace(rows, census={name: shuffled[:, place] for place, name in enumerate(rows.census)})


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Losses of the tested rows, and the AUC."""

    losses: Floats
    auc: float


class _Climb:
    """The models of one ladder: each is fitted once, on the rows of one split.

    Parameters
    ----------
    model, rows, parts, seed, minute, context
        As of `climb_groups`.
    fits : int
        So many there will be.
    """

    def __init__(
        self, model: str, rows: Rows, parts: Parts, seed: int, minute: bool, fits: int, context: JobContext
    ) -> None:
        self.model, self.rows, self.parts, self.seed, self.minute = model, rows, parts, seed, minute
        self.fits, self.context, self.done = fits, context, 0
        tested = rows.select(parts.tested)
        self.happened = tested.outcomes
        self.days = number_clusters(tested.day.astype("datetime64[D]").astype(np.int64), seed)
        base = np.full(len(tested), rows.outcomes[parts.learned].mean())
        self.known: dict[Groups, _Fitted] = {(): self._measure([base])}

    def fit(self, groups: Groups) -> _Fitted:
        """Fit the model on some groups; without any it is the share of the outcome."""
        if groups not in self.known:
            self.known[groups] = self.fit_others([self.rows], groups)
        return self.known[groups]

    def fit_others(self, controls: Sequence[Rows], groups: Groups) -> _Fitted:
        """Fit it on rows in which something is replaced; of several the mean."""
        return self._measure([self._predict(rows, groups) for rows in controls])

    def step(self, group: OutcomeGroup, way: Way, with_: _Fitted, without: _Fitted, control: str = "") -> Step:
        """Make a step: losses with a group less those without, and the figures of the model that is new."""
        shown = without if way == "left_out" else with_
        difference = self.days.mean(with_.losses - without.losses)
        return Step(group, way, control, self.parts.split, difference, float(shown.losses.mean()), shown.auc)

    def _predict(self, rows: Rows, groups: Groups) -> Floats:
        model = make_predictor(self.model, Reading(groups, self.minute, self.seed))
        with self.context.step(self.done / self.fits, (self.done + 1) / self.fits):
            self.done += 1
            self.context.progress(0.0, f"Ladder: model {self.done} of {self.fits}")
            return model.fit(rows.select(self.parts.learned), self.context).predict(rows.select(self.parts.tested))

    def _measure(self, predicted: Sequence[Floats]) -> _Fitted:
        losses = np.mean([compute_losses(p, self.happened) for p in predicted], axis=0)
        return _Fitted(losses, float(np.mean([auc(p, self.happened) for p in predicted])))


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
        That may be read, where rows have them.
    seed : int
    minute : bool
    context : JobContext, optional
    """
    readable = tuple(group for group in list_groups(rows) if group in groups and group in MODELS[model].groups)
    added = [readable[: number + 1] for number in range(len(readable))]
    rest = {group: tuple(each for each in readable if each != group) for group in readable}
    bare = _leave_place(readable)
    # Census has a control of several fits, and all of it once more without the place.
    controls = ("weather" in readable) + SHUFFLES * ("census" in readable) * (1 + bool(bare))
    distinct = {*added, *rest.values(), bare, bare[:-1]} - {()}
    fits = len(distinct) + controls
    climb = _Climb(model, rows, parts, seed, minute, fits, context or JobContext())
    steps = []
    for here in added:
        group, before = here[-1], climb.fit(here[:-1])
        steps.append(climb.step(group, "added", climb.fit(here), before))
        if group == "weather":
            control = climb.fit_others([number_days(rows)], here)
            steps.append(climb.step(group, "control", control, before, DAY_NUMBER))
        if group == "census":
            shuffled = [shuffle_census(rows, seed + number) for number in range(SHUFFLES)]
            steps.append(climb.step(group, "control", climb.fit_others(shuffled, here), before, SHUFFLED))
            if bare:
                before, control = climb.fit(bare[:-1]), climb.fit_others(shuffled, bare)
                steps.append(climb.step(group, "control", climb.fit(bare), before, WITHOUT_PLACE))
                steps.append(climb.step(group, "control", control, before, SHUFFLED_WITHOUT_PLACE))
    everything = climb.fit(readable)
    return steps + [climb.step(group, "left_out", everything, climb.fit(rest[group])) for group in readable]


def _leave_place(readable: Groups) -> Groups:
    """Groups up to census without the place; none where rows lack either."""
    if not {"place", "census"} <= set(readable):
        return ()
    return tuple(group for group in readable[: readable.index("census") + 1] if group != "place")
