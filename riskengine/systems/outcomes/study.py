"""A study of outcome models: judged on every split by the same rows, with what features add, and areas."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...contract.dates import format_days, format_moment
from ...contract.outcomes import DEFAULT_MODEL, GROUPS, MODELS, REFERENCE_TABLE, OutcomeSplit, Reported
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...measures.alarmcurves import compute_calibration_error
from ...measures.clustered import Interval
from .fairness import compare_areas
from .groups import Groups, climb_groups, list_groups
from .judged import AreaOutcomes, Leak, OpenTest, OutcomeStudy, Score, Step, Tested
from .judging import Judge, make_judge, trace_calibration
from .models.base import Predictor, Reading, make_predictor
from .reported import choose_rows, find_definitions, mark_definitions
from .rows import Floats, Rows
from .shift import Shift, learn_shift_alike
from .splits import BLOCK_SIDE, TESTED_SHARE, Parts, find_span, split_rows
from .training import find_mature

#: The judge of a split, with the probabilities and the shift of each model.
Judged = tuple[Judge, dict[str, Floats], dict[str, Shift]]
REPORTED: tuple[Reported, ...] = ("all", "victims", "strict")
#: How sentences on a split begin.
_WAYS: Mapping[OutcomeSplit, str] = {
    "forward": "Forward in time",
    "random": "At random",
    "incident": "At random by incident",
    "blocks": "By blocks of space",
}
#: Days of a test that tell a calibration error.
_TELLING_DAYS = 14
#: Share of the progress that the ladder takes, which fits some twenty models.
_LADDER = 0.6


@dataclass(frozen=True)
class OutcomePlan:
    """What is judged, and how.

    Attributes
    ----------
    model : str
        The default, in `MODELS`.
    beside : tuple of str
        Models compared with it; tables of rates always are.
    splits : tuple of OutcomeSplit
        The first is the one that was asked for: the ladder and the areas are of it.
    groups : tuple of OutcomeGroup
        That models may read, where rows have them.
    minute : bool
        The recorded minute too, which is a leak.
    test : float
        Share that is tested; from 1, days at the end (`split_rows`).
    maturity : int
        Days before the test that are not learned from.
    side : float
        Of blocks of space, metres.
    ladder : bool
        Add groups of features one by one, and leave each out.
    seed : int
    found : tuple of str
        Categories that police discover.
    definitions : bool
        Strict figures have descriptions that are outcomes by definition, too.
    """

    model: str = DEFAULT_MODEL
    beside: tuple[str, ...] = ()
    splits: tuple[OutcomeSplit, ...] = ("forward", "random")
    groups: Groups = tuple(GROUPS)
    minute: bool = False
    test: float = TESTED_SHARE
    maturity: int = 28
    side: float = BLOCK_SIDE
    ladder: bool = False
    seed: int = 0
    found: tuple[str, ...] = ()
    definitions: bool = False

    @property
    def models(self) -> tuple[str, ...]:
        """The tables of rates, the models beside, and the default, in the order of `MODELS`."""
        wanted = {self.model, REFERENCE_TABLE, *self.beside}
        return tuple(name for name, record in MODELS.items() if record.simple or name in wanted)


@dataclass(eq=False)
class _Results:
    """What has been found so far."""

    scores: list[Score] = field(default_factory=list)
    differences: dict[tuple[str, OutcomeSplit, Reported], Interval] = field(default_factory=dict)
    learned: dict[str, int] = field(default_factory=dict)
    tested: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def run_study(
    rows: Rows,
    plan: OutcomePlan,
    context: JobContext | None = None,
    indicator: Floats | None = None,
    leaks: Sequence[Leak] = (),
) -> OutcomeStudy:
    """Judge models of an outcome.

    Parameters
    ----------
    rows : Rows
        With outcomes.
    plan : OutcomePlan
    context : JobContext, optional
    indicator : ndarray, shape (N,), optional
        A number of the area of each row, such as its hardship.
    leaks : sequence of Leak
        Found when the rows were read; they are passed on.
    """
    context = context or JobContext()
    there = list_groups(rows)
    groups = tuple(group for group in GROUPS if group in plan.groups and group in there)
    masks = {reported: choose_rows(rows, plan.found, reported) for reported in REPORTED}
    found, first = _Results(), plan.splits[0]
    parts = _split_all(rows, plan, found, context)
    judged: dict[OutcomeSplit, Judged] = {}
    until = 1 - _LADDER if plan.ladder else 1.0
    for number, (split, part) in enumerate(parts.items()):
        _say(found, context, describe_parts(rows, part, plan.maturity))
        tested = {reported: mask[part.tested] for reported, mask in masks.items()}
        if not plan.definitions:
            # As far as those who learn can know it.
            tested["strict"] &= ~mark_definitions(rows, find_definitions(rows.select(part.learned)))[part.tested]
        judge = make_judge(rows.select(part.tested), split, tested, plan.seed)
        found.learned[split], found.tested[split] = len(part.learned), len(part.tested)
        with context.step(until * number / len(parts), until * (number + 1) / len(parts)):
            predicted, shifts = _judge_models(rows, part, judge, plan, groups, found, context)
        judged[split] = judge, predicted, shifts
    judge, predicted, shifts = judged[first]
    part, shifted = parts[first], shifts[plan.model](predicted[plan.model])
    areas = _compare_areas(rows, part, judge, shifted, indicator, plan.seed)
    steps: list[Step] = []
    if plan.ladder:
        with context.step(until, 1.0):
            steps = climb_groups(rows, part, plan.model, groups, plan.seed, plan.minute, context)
    begin, end = find_span(rows.day)
    return OutcomeStudy(
        default=plan.model,
        reference=REFERENCE_TABLE,
        scores=found.scores,
        differences=found.differences,
        steps=steps,
        leaks=list(leaks),
        areas=areas,
        origin=str(parts["forward"].origin) if "forward" in parts else "",
        first=str(begin),
        last=str(end),
        learned=found.learned,
        tested=found.tested,
        maturity=plan.maturity,
        curves=trace_calibration(predicted[plan.model], judge.happened, shifts[plan.model].value),
        notes=found.notes,
        seconds=found.seconds,
        tested_rows=Tested(first, part.tested, shifted),
        open_test=_measure_open_test(rows, plan, parts, judged),
    )


def _split_all(rows: Rows, plan: OutcomePlan, found: _Results, context: JobContext) -> dict[OutcomeSplit, Parts]:
    """Share rows out in every way; one that was not asked for, and that they do not allow, is said and left out."""
    parts: dict[OutcomeSplit, Parts] = {}
    for split in plan.splits:
        try:
            parts[split] = split_rows(rows, split, plan.test, plan.maturity, plan.seed, plan.side)
        except DataError as error:
            if not parts:
                raise
            _say(found, context, f"{_WAYS[split]}, nothing is judged: {error.problem}")
    return parts


def describe_parts(rows: Rows, parts: Parts, maturity: int) -> str:
    """Say how rows are shared out."""
    learned, tested = (count_text(len(each), "incident") for each in (parts.learned, parts.tested))
    if parts.split != "forward":
        return f"{_WAYS[parts.split]}, {learned} are learned from and {tested} are tested"
    first, last = find_span(rows.day[parts.learned])
    said = (
        f"{_WAYS['forward']}, {learned} of {format_days(str(first), str(last))} are learned from, and {tested} from "
        f"{format_moment(parts.origin)} on are tested"
    )
    if not maturity:
        return said
    days = count_text(maturity, "day")
    return f"{said}; the {days} before are not learned from, for outcomes come late"


def _judge_models(
    rows: Rows, parts: Parts, judge: Judge, plan: OutcomePlan, groups: Groups, found: _Results, context: JobContext
) -> tuple[dict[str, Floats], dict[str, Shift]]:
    """Fit, shift and judge every model on one split; the predicted probabilities and shifts by model."""
    learned, tested = rows.select(parts.learned), rows.select(parts.tested)
    predicted: dict[str, Floats] = {}
    shifts: dict[str, Shift] = {}
    for number, name in enumerate(plan.models):
        make = _make(name, Reading(groups, plan.minute, plan.seed))
        with context.step(number / len(plan.models), (number + 0.6) / len(plan.models)):
            context.progress(0.0, f"{MODELS[name].title} ({parts.split})")
            began = time.perf_counter()
            model = make().fit(learned, context)
            found.seconds.setdefault(name, time.perf_counter() - began)
            predicted[name] = model.predict(tested)
        with context.step((number + 0.6) / len(plan.models), (number + 1) / len(plan.models)):
            context.progress(0.0, f"{MODELS[name].title} ({parts.split}): its shift, of the last days learned from")
            shifts[name] = learn_shift_alike(make, rows, parts, plan.maturity, plan.seed, context)
        found.scores += judge.score(name, predicted[name], shifts[name].value)
    for name in plan.models:
        if name != REFERENCE_TABLE:
            for reported, difference in judge.compare(predicted[name], predicted[REFERENCE_TABLE]).items():
                found.differences[name, parts.split, reported] = difference
    return predicted, shifts


def _make(name: str, reading: Reading) -> Callable[[], Predictor]:
    return lambda: make_predictor(name, reading)


def _measure_open_test(
    rows: Rows, plan: OutcomePlan, parts: dict[OutcomeSplit, Parts], judged: dict[OutcomeSplit, Judged]
) -> OpenTest | None:
    """What of the forward test is too young, and the calibration error of the rest."""
    if not plan.maturity or "forward" not in parts:
        return None
    tested, mature = rows.day[parts["forward"].tested], find_mature(rows, plan.maturity)[parts["forward"].tested]
    last = find_span(rows.day)[1]
    days = int((last - parts["forward"].origin) / np.timedelta64(1, "D")) + 1
    young = min(days, plan.maturity)
    judge, predicted, shifts = judged["forward"]
    p, happened = predicted[plan.model][mature], judge.happened[mature]
    if days - young < _TELLING_DAYS:
        p = p[:0]
    ece, shifted = (
        compute_calibration_error(each, happened) if len(p) else float("nan")
        for each in (p, shifts[plan.model](p))
    )
    return OpenTest(days, len(tested), young, int((~mature).sum()), ece, shifted)


def _compare_areas(
    rows: Rows, parts: Parts, judge: Judge, probability: Floats, indicator: Floats | None, seed: int
) -> list[AreaOutcomes]:
    tested = rows.select(parts.tested)
    areas = []
    for reported in REPORTED[:2]:
        mask = judge.masks[reported]
        values = None if indicator is None else indicator[parts.tested][mask]
        areas.append(compare_areas(tested.select(mask), probability[mask], reported, values, seed))
    return [each for each in areas if each is not None]


def _say(found: _Results, context: JobContext, sentence: str) -> None:
    found.notes.append(sentence)
    context.log(sentence)
