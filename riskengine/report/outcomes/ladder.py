"""What each group of features adds to the one before it and on top of all others, beside its control: in sentences."""

from __future__ import annotations

import math

from ...contract.outcomes import GROUPS, OutcomeGroup, OutcomeSplit
from ...systems.outcomes.groups import DAY_NUMBER, SHUFFLED, SHUFFLED_WITHOUT_PLACE, WITHOUT_PLACE
from ...systems.outcomes.judged import OutcomeStudy, Step
from . import words

#: What stands in a group's place.
_CONTROLS: dict[OutcomeGroup, str] = {"weather": DAY_NUMBER, "census": SHUFFLED}
#: What a group that is no more than its control tells.
_LABELS: dict[OutcomeGroup, str] = {"weather": "day", "census": "area"}
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


def find_step(
    study: OutcomeStudy, group: OutcomeGroup, way: str, split: OutcomeSplit, control: str = ""
) -> Step | None:
    """Find a step of the ladder."""
    wanted = (group, way, split, control)
    return next((step for step in study.steps if (step.group, step.way, step.split, step.control) == wanted), None)


def find_control(study: OutcomeStudy, group: OutcomeGroup, split: OutcomeSplit) -> Step | None:
    """Find what stands in the place of a group as its control."""
    name = _CONTROLS.get(group)
    return find_step(study, group, "control", split, name) if name else None


def describe_group(study: OutcomeStudy, group: OutcomeGroup) -> str:
    """Say what a group adds, and beside it what its control does: what follows the group's name, a sentence a split."""
    said = []
    for split in list_splits(study):
        added, last = (find_step(study, group, way, split) for way in ("added", "left_out"))
        if added is None and last is None:
            continue
        where = "" if split == "forward" else f" ({words.SPLITS[split].lower()})"
        parts = [] if added is None else [f"{words.format_difference(added.difference)} when added to those above"]
        parts += [] if last is None else [f"{words.format_difference(last.difference)} on top of all others"]
        said.append(f"{_judge(added, last)}{where}: {', '.join(parts)}.")
        control = find_control(study, group, split)
        said += [] if control is None else [_describe_control("In its place", control, added)]
        bare, shuffled = (
            find_step(study, group, "control", split, name) for name in (WITHOUT_PLACE, SHUFFLED_WITHOUT_PLACE)
        )
        if bare is not None and shuffled is not None:
            alone = f"Where models are not told the place it gives {words.format_difference(bare.difference)}; there"
            said.append(_describe_control(alone, shuffled, bare))
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


def _describe_control(before: str, control: Step, true: Step | None) -> str:
    name = control.control.partition(",")[0]
    text = f"{before} {name} has {words.format_difference(control.difference)}"
    if true is None or _read_sign(true) >= 0:
        return f"{text}."
    part = control.difference.mean / true.difference.mean
    if part < _MOSTLY:
        return f"{text}."
    return f"{text}, so {'all' if part >= 1 else 'most'} of that is a label of the {_LABELS[control.group]}."
