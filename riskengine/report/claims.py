"""Every sentence that judges a forecast, each once: the verdict, the signal, a line a model, that of a card."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..contract.forecasters import LONG_RUN, title_of
from ..evaluation.judged import Judged
from ..forecasters.modelcard import AGAINST
from ..measures.compare import Difference
from .words import format_change, format_flagged, format_hits, format_percent, inner_title_of, maps_text

#: A gain below this share of the log-loss is called small.
_SMALL = 0.02
#: How a model compares with another, by verdict.
COMPARED = {
    "better": "distinguishably better than",
    "worse": "distinguishably WORSE than",
    "indistinguishable": "not distinguishable from",
    "too few": "too few maps to tell it from",
}
NOT_EVALUATED = (
    "Not evaluated: no map with enough past lies after the model's training window, so nothing can be said about how"
    " good this forecast is."
)


@dataclass(frozen=True)
class Line:
    """A sentence about one model.

    Attributes
    ----------
    text : str
    verdict : str
        ``better``, ``worse``, ``indistinguishable``, ``too few``, ``baseline`` (the one compared with), ``alone``
        (nothing to compare with) or ``failed``.
    """

    text: str
    verdict: str


def find_catcher(judged: Judged) -> str | None:
    """Find the simple baseline that catches most at `AREA_SHARE`; None without any.

    A constant may have the best probabilities of them and yet say nothing of where.
    """
    names = [name for name in judged.baselines if name in judged.scores and name != judged.model]
    return max(names, key=lambda name: judged.scores[name].area.caught, default=None)


def compute_differences(judged: Judged) -> dict[str, Difference]:
    """Compute by model the difference of each that could be scored to the best baseline; empty without one."""
    other = judged.best_baseline
    if not other:
        return {}
    finite = [name for name, score in judged.scores.items() if math.isfinite(score.log_loss)]
    return {name: judged.compare_losses(name, other) for name in finite if name != other}


def verdict_of(difference: Difference) -> str:
    """``better``, ``worse``, ``indistinguishable``, or ``too few`` maps to tell."""
    if difference.too_few or not math.isfinite(difference.mean):
        return "too few"
    return difference.verdict


def digits_of(*differences: Difference) -> int:
    """Decimals that show two figures of the half width of the narrowest interval; one number for a whole table."""
    halves = [(each.high - each.low) / 2 for each in differences]
    finite = [half for half in halves if math.isfinite(half) and half > 0]
    return min(max(1 - math.floor(math.log10(min(finite))), 4), 6) if finite else 5


def format_bounds(difference: Difference, digits: int) -> str:
    """Format the interval alone, for a table."""
    if verdict_of(difference) == "too few":
        return "too few maps"
    return f"{format_change(difference.low, digits)} to {format_change(difference.high, digits)}"


def format_interval(difference: Difference, digits: int | None = None) -> str:
    """Format the difference and its interval, or say why it has none."""
    digits = digits_of(difference) if digits is None else digits
    if not math.isfinite(difference.mean):
        return "no difference could be taken"
    if verdict_of(difference) == "too few":
        return f"{format_change(difference.mean, digits)}; too few maps for an interval"
    level, bounds = format_percent(difference.level, 0), format_bounds(difference, digits)
    return f"{format_change(difference.mean, digits)}, {level} interval {bounds}"


def make_headline(judged: Judged | None) -> tuple[str, str]:
    """Make the verdict on the model and how it is to be taken: "", "unsure" or "worse"; None where nobody judged it."""
    if judged is None:
        return NOT_EVALUATED, "unsure"
    name, maps = judged.model, len(judged.maps)
    score = judged.scores.get(name)
    if score is None or not score.area.cells:
        return f"No answer: {inner_title_of(name)} has no forecast that could be scored on {maps_text(maps)}.", "worse"
    if not math.isfinite(score.log_loss):
        return _by_order(judged)
    start = f"{title_of(name)}: log-loss {score.log_loss:.4f} over {maps_text(maps)}"
    other = judged.best_baseline
    if not other:
        text = f"{start}. No simple baseline was scored beside it, so nothing can be said about how good that is."
        return f"{text} {_hits(judged)}", "unsure"
    if other == name:
        rest = [each for each in judged.scores if each != name]
        beaten = "No other model was scored" if not rest else _none_beat(judged, rest, name)
        text = f"{start}. It is a simple baseline, and the best of them. {beaten}."
        return f"{text} {_hits(judged)}", "unsure"
    against, base = judged.compare_losses(name, other), judged.scores[other].log_loss
    verdict = verdict_of(against)
    text = (
        f"{start}{':' if verdict == 'too few' else ','} {COMPARED[verdict]} the best simple baseline,"
        f" {inner_title_of(other)} ({base:.4f}; difference {format_interval(against)})."
    )
    if verdict == "better" and base > 0 and 1 - score.log_loss / base < _SMALL:
        share = format_percent(1 - score.log_loss / base)
        text += f" The gain is small, {share} of the log-loss{_of_constant(judged, other)}."
    if verdict == "worse":
        text += f" Use {inner_title_of(other)} instead."
    return f"{text} {_hits(judged)}", {"better": "", "worse": "worse"}.get(verdict, "unsure")


def describe_held_out(model: str, metrics: Mapping[str, Any]) -> str:
    """Describe how good a trained model was on held-out maps, from the figures of its card."""
    against = (metrics.get(model) or {}).get(AGAINST)
    if not against:
        return "Not evaluated on held-out maps."
    ratio = float(against["ratio"])
    figure = "the same log-loss"
    if abs(1 - ratio) >= 0.0005:
        figure = f"log-loss {format_percent(abs(1 - ratio))} {'lower' if ratio < 1 else 'higher'}"
    compared = (
        f"{COMPARED[str(against['verdict'])]} the best simple baseline, {inner_title_of(str(against['baseline']))}"
    )
    return f"On {against['maps']} held-out maps {compared} ({figure})."


def describe_comparison(judged: Judged) -> list[str]:
    """Describe which models differ from the best baseline, whether there is a signal, and what could not be run."""
    best, maps, each = judged.best_baseline, maps_text(len(judged.maps)), describe_models(judged)
    failed = [each[name].text for name in judged.failures]
    if not best:
        return [f"No simple baseline was scored on these {maps}: how good this is cannot be said.", *failed]
    said = [
        f"The best simple baseline is {title_of(best)}, with a log-loss of {judged.scores[best].log_loss:.4f} over"
        f" {maps}."
    ]
    compared = compute_differences(judged)
    if any(difference.too_few for difference in compared.values()):
        said.append(f"{maps} are too few to tell any model from it.")
    else:
        digits = digits_of(*compared.values())
        for verdict in ("better", "indistinguishable", "worse"):
            names = [name for name, difference in compared.items() if difference.verdict == verdict]
            names.sort(key=lambda name: compared[name].mean)
            models = "; ".join(f"{title_of(name)} ({format_interval(compared[name], digits)})" for name in names)
            words = COMPARED[verdict]
            said += [f"{words[0].upper()}{words[1:]} it: {models}."] if names else []
    by_order = [each[name].text for name in judged.scores if name not in compared and name != best]
    return [sentence for sentence in (*said, describe_signal(judged), *by_order, *failed) if sentence]


def describe_signal(judged: Judged) -> str:
    """Describe whether there is anything beyond the long-run mean; empty if no cell's own mean was scored.

    A map that is judged by its order alone is no answer either.
    """
    given = not judged.seconds and judged.model in judged.scores
    if given and not math.isfinite(judged.scores[judged.model].log_loss):
        return ""
    means = [name for name in LONG_RUN if name in judged.scores and math.isfinite(judged.scores[name].log_loss)]
    if not means or not any(name in judged.scores for name in LONG_RUN if name != "constant"):
        return ""
    mean = min(means, key=lambda name: judged.scores[name].log_loss)
    others = [name for name in judged.scores if name not in LONG_RUN and math.isfinite(judged.scores[name].log_loss)]
    place = f"the long-run mean ({inner_title_of(mean)})"
    if not others:
        return f"No signal beyond {place} was sought: nothing else was scored."
    against = {name: judged.compare_losses(name, mean) for name in others}
    better = [name for name in others if verdict_of(against[name]) == "better"]
    if all(verdict_of(each) == "too few" for each in against.values()):
        return f"Whether there is a signal beyond {place} cannot be told from {maps_text(len(judged.maps))}."
    if better:
        best = min(better, key=lambda name: against[name].mean)
        share = 1 - judged.scores[best].log_loss / judged.scores[mean].log_loss
        beat = "1 other model beats" if len(better) == 1 else f"{len(better)} of the {len(others)} other models beat"
        most = "" if len(better) == 1 else "most of all "
        return (
            f"There is a signal beyond {place}: {beat} it, {most}{inner_title_of(best)}"
            f" ({format_interval(against[best])}; {format_percent(share)} of the log-loss)."
        )
    nearest = min(others, key=lambda name: (against[name].mean, name))
    end = "Where it happens is known from long ago; when adds nothing certain."
    if mean == "constant":
        end = "Neither where nor when it happens could be told better than by one probability for all cells."
    tried = "the one other model tried is not" if len(others) == 1 else f"none of the {len(others)} other models is"
    return (
        f"These models found no signal beyond {place}: {tried} distinguishably better. The nearest,"
        f" {inner_title_of(nearest)}, differs by {format_interval(against[nearest])}. {end}"
    )


def describe_models(judged: Judged) -> dict[str, Line]:
    """Describe every model in a sentence, failed ones too, by model."""
    other, compared = judged.best_baseline, compute_differences(judged)
    digits = digits_of(*compared.values())
    said: dict[str, Line] = {}
    for name, score in judged.scores.items():
        shown = title_of(name)
        if not score.area.cells:
            said[name] = Line(f"{shown}: no forecast that could be scored.", "failed")
        elif not math.isfinite(score.log_loss):
            said[name] = _order_line(judged, name)
        elif not other:
            said[name] = Line(f"{shown}: log-loss {score.log_loss:.4f}; no baseline to compare it with.", "alone")
        elif name == other:
            said[name] = Line(
                f"{shown}: the best simple baseline (log-loss {score.log_loss:.4f}); the others are compared with it.",
                "baseline",
            )
        else:
            verdict = verdict_of(compared[name])
            words = f"{COMPARED[verdict]} {inner_title_of(other)}"
            said[name] = Line(f"{shown}: {words} ({format_interval(compared[name], digits)}).", verdict)
    for name, why in judged.failures.items():
        said[name] = Line(f"{title_of(name)} could not be run: {why}", "failed")
    return said


def _by_order(judged: Judged) -> tuple[str, str]:
    """The answer for values that are no probabilities."""
    name, other = judged.model, find_catcher(judged)
    text = f"{title_of(name)}: its values are no probabilities, so only their order is judged. {_hits(judged)}"
    if other is None:
        return text, "unsure"
    difference, shown = compare_hits(judged, name, other)
    words = {
        "better": f"It catches distinguishably more than {inner_title_of(other)}",
        "worse": f"It catches distinguishably FEWER than {inner_title_of(other)}",
        "indistinguishable": f"That cannot be told from {inner_title_of(other)}",
        "too few": f"There are too few maps to tell it from {inner_title_of(other)}",
    }
    verdict = verdict_of_hits(difference)
    return f"{text} {words[verdict]} (difference {shown}).", {"better": "", "worse": "worse"}.get(verdict, "unsure")


def _order_line(judged: Judged, name: str) -> Line:
    start, other = f"{title_of(name)}: judged by its order alone", find_catcher(judged)
    if other is None or other == name:
        return Line(f"{start}; it catches {format_hits(judged.scores[name].area)}.", "alone")
    difference, shown = compare_hits(judged, name, other)
    at = format_flagged(judged.scores[name].area)
    return Line(f"{start}; hit rate at {at} against {inner_title_of(other)}: {shown}.", verdict_of_hits(difference))


def verdict_of_hits(difference: Difference) -> str:
    """As `verdict_of`, for a difference of hit rates: more is better."""
    verdict = verdict_of(difference)
    return verdict if verdict == "too few" else difference.verdict_of_more


def compare_hits(judged: Judged, name: str, other: str) -> tuple[Difference, str]:
    """Compare hit rates at `AREA_SHARE`: that of one model minus that of another, and the same in words."""
    difference = judged.compare_hits(name, other)
    if not math.isfinite(difference.mean):
        return difference, "not known"
    points = f"{format_change(100 * difference.mean, 2)} percentage points"
    if verdict_of(difference) == "too few":
        return difference, f"{points}; too few maps for an interval"
    level = format_percent(difference.level, 0)
    return (
        difference,
        f"{points}, {level} interval {format_change(100 * difference.low, 2)} to"
        f" {format_change(100 * difference.high, 2)}",
    )


def _of_constant(judged: Judged, other: str) -> str:
    """How much of a constant's log-loss the baseline already takes off, where that is known."""
    constant = judged.scores.get("constant")
    if other == "constant" or constant is None or not constant.log_loss > 0:
        return ""
    share = 1 - judged.scores[other].log_loss / constant.log_loss
    return f"; that of {inner_title_of(other)} is already {format_percent(share)} below a constant’s"


def _none_beat(judged: Judged, names: list[str], other: str) -> str:
    better = [name for name in names if verdict_of(judged.compare_losses(name, other)) == "better"]
    if better:
        return f"Distinguishably better than it: {', '.join(inner_title_of(name) for name in better)}"
    if len(names) == 1:
        return f"The other one, {inner_title_of(names[0])}, is not distinguishably better"
    return f"None of the other {len(names)} is distinguishably better"


def _hits(judged: Judged) -> str:
    area = judged.scores[judged.model].area
    if not area.incidents:
        return "No incident lies in the test, so no hit rate exists."
    text = (
        f"With the riskiest {format_flagged(area)} flagged it catches {format_hits(area)};"
        f" {format_percent(area.precision)} of the flagged cells were hit."
    )
    other = find_catcher(judged)
    if other is None:
        return text
    plain = judged.scores[other].area
    return (
        f"{text} The simple baseline that catches most, {inner_title_of(other)}: {format_hits(plain)},"
        f" {format_percent(plain.precision)} of the flagged cells."
    )
