"""What each group of features adds to the one before it and on top of all others, beside its control: in sentences."""

from __future__ import annotations

import math

from ...contract.outcomes import GROUPS, OutcomeGroup, OutcomeSplit
from ...systems.outcomes.judged import OutcomeStudy, Step
from . import words

#: A control with this part of what a group adds does most of the same.
_MOSTLY = 0.5


def list_groups(study: OutcomeStudy) -> list[OutcomeGroup]:
    """List the groups that the ladder has, in the order in which they are added."""
    there = {step.group for step in study.steps}
    return [group for group in GROUPS if group in there]


def list_splits(study: OutcomeStudy) -> list[OutcomeSplit]:
    """List the splits that the ladder has."""
    there = {step.split for step in study.steps}
    return [split for split in words.SPLITS if split in there]


def find_step(study: OutcomeStudy, group: OutcomeGroup, way: str, split: OutcomeSplit) -> Step | None:
    """Find a step of the ladder."""
    found = (step for step in study.steps if (step.group, step.way, step.split) == (group, way, split))
    return next(found, None)


def describe_group(study: OutcomeStudy, group: OutcomeGroup) -> str:
    """Say what a group adds, and beside it what its control does: what follows the group's name, a sentence a split."""
    said = []
    for split in list_splits(study):
        added, last, control = (find_step(study, group, way, split) for way in ("added", "left_out", "control"))
        if added is None and last is None:
            continue
        where = "" if split == "forward" else f" ({words.SPLITS[split].lower()})"
        parts = [] if added is None else [f"{words.format_difference(added.difference)} when added to those above"]
        parts += [] if last is None else [f"{words.format_difference(last.difference)} on top of all others"]
        said.append(f"{_judge(added, last)}{where}: {', '.join(parts)}.")
        said += [] if control is None else [_describe_control(control, added)]
    return " ".join(said)


def _judge(added: Step | None, last: Step | None) -> str:
    """What a group does to the log-loss, as far as its intervals tell."""
    first, top = (_read_sign(step) for step in (added, last))
    if first < 0 and (top < 0 or last is None):
        return "helps"
    if top < 0:
        return "helps once the others are there"
    if max(first, top) > 0:
        return "hurts" if min(first, top) >= 0 else "helps alone and hurts on top of all others"
    return "helps only as long as the others are missing" if first < 0 else "adds nothing that can be told from chance"


def _read_sign(step: Step | None) -> int:
    """Whether a step lowers (−1) or raises (1) the log-loss beyond doubt."""
    if step is None or not math.isfinite(step.difference.low):
        return 0
    return -1 if step.difference.high < 0 else int(step.difference.low > 0)


def _describe_control(control: Step, added: Step | None) -> str:
    text = f"In its place {control.control}: {words.format_difference(control.difference)}"
    if added is None or _read_sign(added) >= 0:
        return f"{text}."
    part = control.difference.mean / added.difference.mean
    if part >= 1:
        return f"{text}, so all of that comes without knowing any of it."
    return f"{text}, so most of that comes without knowing any of it." if part >= _MOSTLY else f"{text}."
