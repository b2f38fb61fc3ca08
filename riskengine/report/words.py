"""What the figures say, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..evaluation.judged import Judged
from ..evaluation.scoring import AREA_SHARE
from ..measures.compare import Difference
from .figures import display_name

#: Categories named below the title; the table names all.
SHOWN_CATEGORIES = 4


def verdict(held_out: Judged | None) -> str:
    """How much better or worse than the baselines the model is, and whether that can be told from chance."""
    if held_out is None:
        return (
            "Not evaluated: no map with enough past lies after the model's training window, so nothing can be said"
            " about how good this forecast is."
        )
    model = display_name(held_out.model)
    best = held_out.best_baseline
    against_best = held_out.against(held_out.model, best)
    score = held_out.scores[held_out.model]
    text = f"Over {len(held_out.maps)} held-out maps the log-loss of {model} is {score.log_loss:.4f}"
    others = {"constant": "a constant forecast", "prior_counts": "prior counts"}
    beside = [
        f"{_share(held_out.ratio(other))} {words}"
        for other, words in others.items()
        if other in held_out.scores and other != held_out.model
    ]
    text += (": " + " and ".join(beside) if beside else "") + ". "
    name = within(best)
    if against_best.verdict == "better":
        text += f"It is distinguishably better than the best simple baseline, {name} ({_interval(against_best)})."
        if held_out.ratio(best) > 0.98:
            text += " The gain is small: most of the risk is place, which plain counts already know."
    elif against_best.verdict == "worse":
        text += (
            f"It is distinguishably WORSE than the simple baseline {name} ({_interval(against_best)}):"
            f" use {name} instead of this model."
        )
    elif against_best.too_few:
        text += (
            f"Its difference to the best simple baseline, {name}, is {signed(against_best.mean)}, but"
            f" {len(held_out.maps)} held-out maps are too few to tell it from chance."
        )
    else:
        tendency = "slightly better" if against_best.mean < 0 else "slightly worse"
        text += (
            f"It is {tendency} than the best simple baseline, {name}, but the difference cannot be told from"
            f" chance ({_interval(against_best)}): here the model adds nothing certain to it."
        )
    flagged, plain = score.area, held_out.scores[best].area
    for each in held_out.scores.values():
        if each.name != held_out.model and each.area.caught > plain.caught:
            plain, best = each.area, each.name
    text += (
        f" In the riskiest {percent(AREA_SHARE, 0)} of the area it catches {percent(flagged.hit_rate)} of the"
        " incidents,"
        f" {within(best)} {percent(plain.hit_rate)}."
    )
    return text


def categories_text(categories: Sequence[str], most: int | None = None) -> str:
    """Which categories were counted, beyond `most` only the first; never "all", which nobody recorded."""
    if not categories:
        return "categories not recorded"
    if most is None or len(categories) <= most:
        return ", ".join(categories)
    return f"{', '.join(categories[:most])} and {len(categories) - most} more categories"


def within(name: str) -> str:
    """What a forecaster is called within a sentence: "plain counts", but "ConvLSTM"."""
    title = display_name(name)
    first = title.partition(" ")[0].partition("-")[0]
    return title[:1].lower() + title[1:] if first.istitle() else title


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


def signed(value: float) -> str:
    """A difference with its sign, a true minus."""
    return f"{value:+.5f}".replace("-", "−")


def _share(ratio: float) -> str:
    """A ratio of log-losses as "12.3 % below"."""
    if ratio != ratio:
        return "not comparable with"
    return percent(abs(1 - ratio)) + (" below" if ratio < 1 else " above")


def _interval(difference: Difference) -> str:
    return (
        f"difference {signed(difference.mean)}, {percent(difference.level, 0)} interval"
        f" {signed(difference.low)} to {signed(difference.high)}"
    )
