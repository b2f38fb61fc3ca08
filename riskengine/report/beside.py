"""What stands beside a backtest, in sentences: a delay of the counts, a control of covariates, other weights, units."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..contract.dates import count_bins
from ..contract.texts import count_text, format_amount, show_name, show_names
from ..contract.units import SIZES, WHOLES, noun_of
from ..evaluation.beside import Control
from ..evaluation.judged import Judged
from ..evaluation.scoring import AREA_SHARE, Hits
from ..maps.panel import Panel
from .verdicts import format_hit_change, format_interval, verdict_of
from .whichunits import choose_compared, describe_kind, describe_units_compared, draw_units_compared, find_compared_hits
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
    size = SIZES[judged.panel.support.kind]
    return (
        f"By share of {what} ({format_amount(round(weighed.total))} in all) instead of {size},"
        f" {inner_title_of(name)} catches {format_share(other.hit_rate)} ({format_caught(other)}) with {share} of it"
        f" flagged, beside {format_share(area.hit_rate)} ({format_caught(area)}) with {share} of the"
        f" {WHOLES[judged.panel.support.kind]}: neither is the right one for every use."
    )


def _list_weighed(judged: Judged) -> Iterator[tuple[str, Hits, Hits]]:
    """List models with what they catch by area, and by the other weight."""
    if judged.weighed is None:
        return
    for name in judged.weighed.hits:
        by_area = next((each for each in judged.scores[name].shares if each.at == AREA_SHARE), None)
        if by_area is not None:
            yield name, by_area, judged.weighed.find_hits(name)


def collect_beside(judged: Judged) -> dict[str, Any]:
    """Collect what a report shows of it, by what the template calls it."""
    panel, late, weighed = judged.panel, judged.late, judged.weighed
    compared = []
    if judged.compared:
        shown = choose_compared(judged)
        compared = [(each, describe_kind(each), find_compared_hits(each, shown)) for each in judged.compared]
    return {
        "delay": describe_delay(judged),
        "late": [] if late is None else [(name, judged.scores[name], late.at_once[name]) for name in late.losses],
        "late_differences": {} if late is None else late.losses,
        "covariates": list_covariates(panel),
        "controls": [describe_control(each, panel) for each in judged.controls],
        "weights": describe_weights(judged),
        "weighed": list(_list_weighed(judged)),
        "weight": "" if weighed is None else weighed.name,
        "compared": compared,
        "compared_words": describe_units_compared(judged),
        "compared_figure": draw_units_compared(judged) if compared else None,
    }
