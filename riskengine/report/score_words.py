"""What the score model's figures say, in plain sentences."""

from __future__ import annotations

import math

from ..contract.texts import count_text
from ..measures.clustered import Interval
from ..systems.score.model import ScoreCard
from ..systems.score.study import Comparison, Study
from .words import format_change

#: What `riskengine.systems.score.comparing` calls the network of the report.
OWN = "this network"
#: What each group of features is, for people.
GROUPS = {
    "pairs": "distance and age of the nearest, as published",
    "distances": "distance of the nearest",
    "more": "distance of farther neighbours",
    "ages": "age of the nearest",
    "clock": "hour and weekday of the nearest",
    "offsets": "whether the nearest lie to one side",
    "rings": "counts within rings",
    "densities": "smoothed densities",
    "slopes": "how steeply the densities change",
}


def compute_factor(card: ScoreCard, l1: float) -> float:
    """Compute by what factor in the number of incidents an error on the scale is off."""
    return math.exp(l1 * (math.log(card.count_high) - math.log(card.count_low)))


def format_metres(length: float) -> str:
    """Format a length as people say it."""
    return f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"


def format_bounds(interval: Interval, digits: int = 3) -> str:
    """Format the bounds of an interval, or say why there are none with too few blocks."""
    if not math.isfinite(interval.low):
        return "too few blocks for an interval"
    return f"95\N{NO-BREAK SPACE}% interval {max(interval.low, 0.0):.{digits}f} to {interval.high:.{digits}f}"


def describe_group(group: str) -> str:
    """Describe what a group of features is, for people."""
    return GROUPS.get(group, group)


def is_network(comparison: Comparison) -> bool:
    """Say whether it judges a network, not a baseline."""
    return "network" in comparison.model


def is_own(comparison: Comparison) -> bool:
    """Say whether it judges the very network of the report."""
    return comparison.model == OWN


def find_best(study: Study, split: str, own: bool) -> Comparison | None:
    """Find the report's own network under a split, or the best of the simpler models.

    Those judged on the same rows as the network are told apart by their difference to it.
    """
    candidates = [
        each for each in study.comparisons if each.split == split and (is_own(each) if own else not is_network(each))
    ]
    paired = all(each.minus_model is not None for each in candidates)
    return min(candidates, key=lambda each: (each.minus_model if paired else None) or each.l1, default=None)


def make_headline(study: Study) -> tuple[str, str]:
    """Make the one sentence an analyst needs, and how it is to be taken: "", "unsure" or "worse"."""
    card, l1 = study.card, study.held_out.l1()
    off = f"off by {l1.mean:.3f} of the scale ({format_bounds(l1)})"
    typical = f"typically by a factor of {compute_factor(card, l1.mean):.2g} in the number of incidents"
    if card.protocol == "recommended":
        sentence, tone = _against_baseline(study, l1)
        return f"On places it has never seen, the model is on average {off}, i.e. {typical}.{sentence}", tone
    text = f"On rows drawn at random the model is on average {off}, i.e. {typical}. But that split leaks:"
    honest = find_best(study, "blocks", own=True)
    if honest is None:
        return (
            f"{text} on places it has never seen expect a larger error. The recommended protocol measures it.",
            "unsure",
        )
    return (
        f"{text} on blocks it has never seen, the same network is off by {honest.l1.mean:.3f}"
        f" ({format_bounds(honest.l1)}).",
        "unsure",
    )


def _against_baseline(study: Study, l1: Interval) -> tuple[str, str]:
    rival = find_best(study, "blocks", own=False)
    if rival is None:
        return "", ""
    digits = 3 if round(l1.mean, 3) != round(rival.l1.mean, 3) else 4
    name = f"the best of the simpler models judged alike, {rival.model} ({rival.l1.mean:.{digits}f})"
    minus = rival.minus_model
    if minus is not None and math.isfinite(minus.low):
        apart = (
            f"on the same {count_text(rival.held_out, 'row')} that one’s error differs by"
            f" {format_change(minus.mean, 4)} (95\N{NO-BREAK SPACE}% interval {format_change(minus.low, 4)} to"
            f" {format_change(minus.high, 4)})"
        )
        if minus.low > 0:
            return f" That is better than {name}; {apart}.", ""
        if minus.high < 0:
            return f" That is WORSE than {name}: use that instead; {apart}.", "worse"
        return f" It cannot be told from {name}: {apart}.", "" if minus.mean > 0 else "unsure"
    if l1.mean < rival.l1.low:
        return f" That is better than {name}.", ""
    if l1.mean > rival.l1.high:
        return f" That is WORSE than {name}: use that instead.", "worse"
    side = "slightly better than" if l1.mean < rival.l1.mean else "no better than"
    return f" That is {side} {name}, and within that one’s interval.", "" if l1.mean < rival.l1.mean else "unsure"


def describe_leak(study: Study) -> str:
    """Describe what one network's error does between the published split and blocks; empty if it was not measured."""
    networks = dict.fromkeys(each.model for each in study.comparisons if is_network(each))
    # What the published features leak comes first: it is their split.
    for model in sorted(networks, key=lambda model: (not model.startswith("published"), "published" not in model)):
        under = {each.split: each for each in study.comparisons if each.model == model}
        if "random" in under and "blocks" in under:
            seen, unseen = under["random"].l1.mean, under["blocks"].l1.mean
            if unseen <= seen:
                return f"Measured here: {model} is off by {seen:.4f} on random rows and by {unseen:.4f} on new blocks."
            return (
                f"Measured here: {model} is off by {seen:.4f} on random rows but by {unseen:.4f} on new blocks,"
                f" {100 * (unseen / seen - 1):.0f} % more. That is what having seen the neighbourhood was worth."
            )
    return ""
