"""What stands beside a backtest, in sentences: a delay of the counts, a control of covariates, other weights, units."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..contract.dates import count_bins
from ..contract.texts import count_text, format_amount, show_name, show_names
from ..contract.units import SIZES, noun_of
from ..evaluation.beside import Control, UnitsJudged
from ..evaluation.judged import Judged
from ..evaluation.scoring import AREA_SHARE, Hits
from ..maps.panel import Panel
from .verdicts import format_hit_change, format_interval, verdict_of
from .words import format_caught, format_figure, format_percent, format_share, inner_title_of

#: What the control says, by the verdict on the true covariates beside the shuffled ones.
_CONTROLS = {
    "better": "they tell it something that chance does not",
    "worse": "it does WORSE with the true ones",
    "indistinguishable": "what they add cannot be told from chance",
    "too few": "too few maps to tell whether they add anything",
}


def describe_beside(judged: Judged) -> list[str]:
    """Describe all of it in sentences, for the log."""
    controls = [describe_control(each, judged.panel) for each in judged.controls]
    said = (describe_delay(judged), *controls, describe_weights(judged), describe_units_compared(judged))
    return [sentence for sentence in said if sentence]


def describe_delay(judged: Judged) -> str:
    """Say how late counts are known, and what that costs the model of what it gains; empty where they are not late."""
    late, panel, name = judged.late, judged.panel, judged.model
    if not panel.delay:
        return ""
    text = f"Counts are known {count_bins(panel.delay, panel.bin)} late"
    if late is None or name not in late.losses:
        return f"{text}, and every forecast here was made without those that came later."
    title, loss = inner_title_of(name), late.losses[name]
    said = f"{text}; that cost {title} {format_interval(loss, unit='of log-loss')}{_share_of_gain(judged)}"
    hits = late.hits[name]
    return f"{said}; its hit rate changed by {format_hit_change(hits)}." if math.isfinite(hits.mean) else f"{said}."


def _share_of_gain(judged: Judged) -> str:
    """What part that is of the gain over the best baseline, had all counts been known at once."""
    late, name = judged.late, judged.model
    assert late is not None
    rivals = [score.log_loss for other, score in late.at_once.items() if other in judged.baselines and other != name]
    gain = min(rivals, default=math.nan) - late.at_once[name].log_loss
    cost = late.losses[name].mean
    if not (gain > 0 and cost > 0) or name in judged.baselines:
        return ""
    return f"; that is {format_share(cost / gain)} of what it gains over the best baseline where there is no delay"


def describe_control(control: Control, panel: Panel) -> str:
    """Say what the covariates are worth to a model."""
    number = len(control.covariates)
    which = f"covariates of other {noun_of(panel.support.kind)}s, dealt out at random,"
    verdict = _CONTROLS[verdict_of(control.loss)]
    return (
        f"{count_text(number, 'covariate')} ({', '.join(show_names(control.covariates))}): with the {which}"
        f" {inner_title_of(control.model)} has a log-loss of {format_figure(control.shuffled.log_loss)}; with the true"
        f" ones it differs by {format_interval(control.loss)}: {verdict}."
    )


def list_covariates(panel: Panel) -> list[tuple[str, str]]:
    """List the covariates of a panel by name, each with when it is known."""
    fixed = [(show_name(name), "does not change") for name in panel.extras.static_names]
    return fixed + [(show_name(each.name), _describe_known(each.delay, panel.bin)) for each in panel.extras.covariates]


def _describe_known(delay: int, bin_length: str) -> str:
    if delay < 0:
        return f"known {count_bins(-delay, bin_length)} ahead"
    return f"known {count_bins(delay, bin_length)} late" if delay else "known when its bin is over"


def describe_weights(judged: Judged) -> str:
    """Say what is caught where flags go by another weight than area; empty where nobody asked."""
    weighed, name = judged.weighed, judged.model
    if weighed is None or name not in weighed.hits:
        return ""
    area, other = judged.scores[name].area, weighed.find_hits(name).area
    what, share = show_name(weighed.name), format_percent(AREA_SHARE, 0)
    if not area.incidents:
        return ""
    return (
        f"By share of {what} ({format_amount(round(weighed.total))} in all) instead of {SIZES[judged.panel.support.kind]},"
        f" {inner_title_of(name)} catches {format_share(other.hit_rate)} ({format_caught(other)}) with {share} of it"
        f" flagged, beside {format_share(area.hit_rate)} ({format_caught(area)}) with {share} of the"
        " area: neither is the right one for every use."
    )


def list_weighed(judged: Judged) -> Iterator[tuple[str, Hits, Hits]]:
    """List models with what they catch by area, and by the other weight."""
    if judged.weighed is None:
        return
    for name in judged.weighed.hits:
        by_area = next((each for each in judged.scores[name].shares if each.at == AREA_SHARE), None)
        if by_area is not None:
            yield name, by_area, judged.weighed.find_hits(name)


def choose_compared(judged: Judged) -> str:
    """Choose the model by which kinds of units are compared: the one compared first, where it ran on all; else any."""
    hits = judged.compared[0].hits
    return judged.model if judged.model in hits else next(iter(hits))


def describe_kind(units: UnitsJudged) -> str:
    """Describe a kind of units: its name, how many, and how large half of them are."""
    size = SIZES[units.kind]
    return f"{count_text(units.units, noun_of(units.kind))}, half of them below {format_figure(units.size)} {size}"


def find_compared_hits(units: UnitsJudged, name: str) -> Hits:
    """Find what a model caught on a kind of units at the share of the headline."""
    return next(each for each in units.hits[name] if each.at == AREA_SHARE)


def describe_units_compared(judged: Judged) -> str:
    """Say which kind of units catches most at the same flagged area; empty where none were compared."""
    if not judged.compared:
        return ""
    name = choose_compared(judged)
    rates = {each.title: find_compared_hits(each, name) for each in judged.compared}
    first = judged.compared[0]
    flagged = f"{format_figure(first.km2[first.shares.index(AREA_SHARE)])} {SIZES[first.kind]}"
    if {"segments"} & {each.kind for each in judged.compared[1:]} and first.kind != "segments":
        flagged += " (of segments the same share of their length)"
    ranked = sorted(rates, key=lambda title: -_rate(rates[title]))
    most, least = rates[ranked[0]], rates[ranked[-1]]
    if not most.area.incidents:
        return f"With the same {flagged} flagged on every kind of units nothing could be caught: no incident happened."
    return (
        f"With the same {flagged} flagged, {inner_title_of(name)} catches most on {show_name(ranked[0])}"
        f" ({format_share(most.area.hit_rate)}, {format_caught(most.area)}) and least on {show_name(ranked[-1])}"
        f" ({format_share(least.area.hit_rate)}, {format_caught(least.area)}). Smaller units follow the incidents more"
        " closely; where places were snapped, units finer than the snapping flatter."
    )


def _rate(hits: Hits) -> float:
    return hits.area.hit_rate if math.isfinite(hits.area.hit_rate) else -1.0
