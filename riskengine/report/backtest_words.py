"""What a backtest found, in plain sentences: each claim with its number, and chance called chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..contract.forecasters import LONG_RUN
from ..evaluation.judged import Judged
from ..evaluation.scoring import AREA_SHARE
from ..measures.compare import Difference
from ..measures.metrics import AreaHits
from .figures import display_name
from .words import percent, within

#: A gain below this share of the log-loss is called small.
_SMALL = 0.02


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


def best_of(backtest: Judged, names: list[str] | tuple[str, ...]) -> str | None:
    """The one with the smallest log-loss; None if none of them has any."""
    finite = [name for name in names if name in backtest.scores and math.isfinite(backtest.scores[name].log_loss)]
    return min(finite, key=lambda name: backtest.scores[name].log_loss, default=None)


def rival(backtest: Judged) -> str | None:
    """The best simple baseline, which every model is compared with; None if there is none."""
    return best_of(backtest, backtest.baselines)


def catcher(backtest: Judged) -> str | None:
    """The simple baseline that catches most in the riskiest 5 % of the area, whatever its log-loss; None without any.

    A constant may have the best probabilities of them and yet say nothing of where.
    """
    names = [name for name in backtest.baselines if name in backtest.scores and name != backtest.model]
    return max(names, key=lambda name: backtest.scores[name].area.caught, default=None)


def differences(backtest: Judged) -> dict[str, Difference]:
    """Of every model that could be scored to the best baseline, by model; empty without a baseline."""
    other = rival(backtest)
    if other is None:
        return {}
    finite = [name for name, score in backtest.scores.items() if math.isfinite(score.log_loss)]
    return {name: backtest.against(name, other) for name in finite if name != other}


def verdict_of(difference: Difference) -> str:
    """``better``, ``worse``, ``indistinguishable``, or ``too few`` maps to tell."""
    if difference.too_few or not math.isfinite(difference.mean):
        return "too few"
    return difference.verdict


def change(value: float, digits: int = 5) -> str:
    """A difference with its sign, even where it is rounded to zero; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def digits_of(*differences: Difference) -> int:
    """Decimals that show two figures of the half width of the narrowest interval; one number for a whole table."""
    halves = [(each.high - each.low) / 2 for each in differences]
    finite = [half for half in halves if math.isfinite(half) and half > 0]
    return min(max(1 - math.floor(math.log10(min(finite))), 4), 6) if finite else 5


def bounds(difference: Difference, digits: int) -> str:
    """The interval alone, for a table."""
    if verdict_of(difference) == "too few":
        return "too few maps"
    return f"{change(difference.low, digits)} to {change(difference.high, digits)}"


def interval(difference: Difference, digits: int | None = None) -> str:
    """The difference and its interval, or why it has none."""
    digits = digits_of(difference) if digits is None else digits
    if not math.isfinite(difference.mean):
        return "no difference could be taken"
    if verdict_of(difference) == "too few":
        return f"{change(difference.mean, digits)}; too few maps for an interval"
    return f"{change(difference.mean, digits)}, {percent(difference.level, 0)} interval {bounds(difference, digits)}"


def count(value: float) -> str:
    """A number of incidents; with a decimal only where ties were shared out."""
    return f"{value:,.0f}" if abs(value - round(value)) < 0.05 else f"{value:,.1f}"


def of_all(hits: AreaHits) -> str:
    """n of N, never the share alone."""
    return f"{percent(hits.hit_rate)} of the incidents ({count(hits.caught)} of {count(hits.incidents)})"


def headline(backtest: Judged) -> tuple[str, str]:
    """The answer, and how it is to be taken: "", "unsure" or "worse"."""
    name, maps = backtest.model, len(backtest.maps)
    score = backtest.scores.get(name)
    if score is None or not score.area.cells:
        return f"No answer: {within(name)} has no forecast that could be scored on {_maps(maps)}.", "worse"
    if not math.isfinite(score.log_loss):
        return _by_order(backtest)
    start = f"{display_name(name)}: log-loss {score.log_loss:.4f} over {_maps(maps)}"
    other = rival(backtest)
    if other is None:
        text = f"{start}. No simple baseline was scored beside it, so nothing can be said about how good that is."
        return f"{text} {_hits(backtest)}", "unsure"
    if other == name:
        rest = [each for each in backtest.scores if each != name]
        beaten = "No other model was scored" if not rest else _none_beat(backtest, rest, name)
        text = f"{start}. It is a simple baseline, and the best of them. {beaten}."
        return f"{text} {_hits(backtest)}", "unsure"
    against, base = backtest.against(name, other), backtest.scores[other].log_loss
    told = f"the best simple baseline, {within(other)} ({base:.4f}; difference {interval(against)})"
    verdict = verdict_of(against)
    if verdict == "better":
        text, look = f"{start}, distinguishably better than {told}.", ""
        if base > 0 and 1 - score.log_loss / base < _SMALL:
            share = percent(1 - score.log_loss / base)
            text += f" The gain is small, {share} of the log-loss{_of_constant(backtest, other)}."
    elif verdict == "worse":
        text, look = f"{start}, distinguishably WORSE than {told}. Use {within(other)} instead.", "worse"
    elif verdict == "too few":
        text, look = f"{start}: too few maps to tell it from {told}.", "unsure"
    else:
        text, look = f"{start}, which cannot be told from {told}.", "unsure"
    return f"{text} {_hits(backtest)}", look


def signal(backtest: Judged) -> str:
    """Whether anything beyond the long-run mean was found, in words; empty if no cell's own mean was scored."""
    mean = best_of(backtest, LONG_RUN)
    if mean is None or not any(name in backtest.scores for name in LONG_RUN if name != "constant"):
        return ""
    others = [
        name for name in backtest.scores if name not in LONG_RUN and math.isfinite(backtest.scores[name].log_loss)
    ]
    place = f"the long-run mean ({within(mean)})"
    if not others:
        return f"No signal beyond {place} was sought: nothing else was scored."
    found = {name: backtest.against(name, mean) for name in others}
    better = [name for name in others if verdict_of(found[name]) == "better"]
    if all(verdict_of(each) == "too few" for each in found.values()):
        return f"Whether there is a signal beyond {place} cannot be told from {_maps(len(backtest.maps))}."
    if better:
        best = min(better, key=lambda name: found[name].mean)
        share = 1 - backtest.scores[best].log_loss / backtest.scores[mean].log_loss
        beat = "1 other model beats" if len(better) == 1 else f"{len(better)} of the {len(others)} other models beat"
        most = "" if len(better) == 1 else "most of all "
        return (
            f"There is a signal beyond {place}: {beat} it, {most}{within(best)} ({interval(found[best])};"
            f" {percent(share)} of the log-loss)."
        )
    nearest = min(others, key=lambda name: (found[name].mean, name))
    end = "Where it happens is known from long ago; when adds nothing certain."
    if mean == "constant":
        end = "Neither where nor when it happens could be told better than by one probability for all cells."
    tried = "the one other model tried is not" if len(others) == 1 else f"none of the {len(others)} other models is"
    return (
        f"These models found no signal beyond {place}: {tried} distinguishably better. The nearest,"
        f" {within(nearest)}, differs by {interval(found[nearest])}. {end}"
    )


def lines(backtest: Judged) -> dict[str, Line]:
    """A sentence for every model, failed ones too, by model."""
    other = rival(backtest)
    found = differences(backtest)
    digits = digits_of(*found.values())
    told: dict[str, Line] = {}
    for name, score in backtest.scores.items():
        shown = display_name(name)
        if not score.area.cells:
            told[name] = Line(f"{shown}: no forecast that could be scored.", "failed")
        elif not math.isfinite(score.log_loss):
            told[name] = _order_line(backtest, name)
        elif other is None:
            told[name] = Line(f"{shown}: log-loss {score.log_loss:.4f}; no baseline to compare it with.", "alone")
        elif name == other:
            told[name] = Line(
                f"{shown}: the best simple baseline (log-loss {score.log_loss:.4f}); the others are compared with it.",
                "baseline",
            )
        else:
            difference = found[name]
            verdict = verdict_of(difference)
            words = {
                "better": f"distinguishably better than {within(other)}",
                "worse": f"distinguishably worse than {within(other)}",
                "indistinguishable": f"indistinguishable from {within(other)}",
                "too few": f"too few maps to tell it from {within(other)}",
            }[verdict]
            told[name] = Line(f"{shown}: {words} ({interval(difference, digits)}).", verdict)
    for name, why in backtest.failures.items():
        told[name] = Line(f"{display_name(name)}: could not be run. {why}", "failed")
    return told


def _by_order(backtest: Judged) -> tuple[str, str]:
    """The answer for values that are no probabilities."""
    name, other = backtest.model, catcher(backtest)
    text = f"{display_name(name)}: its values are no probabilities, so only their order is judged. {_hits(backtest)}"
    if other is None:
        return text, "unsure"
    difference, told = hits_change(backtest, name, other)
    words = {
        "better": f"It catches distinguishably more than {within(other)}",
        "worse": f"It catches distinguishably FEWER than {within(other)}",
        "indistinguishable": f"That cannot be told from {within(other)}",
        "too few": f"There are too few maps to tell it from {within(other)}",
    }
    verdict = hits_verdict(difference)
    return f"{text} {words[verdict]} (difference {told}).", {"better": "", "worse": "worse"}.get(verdict, "unsure")


def _order_line(backtest: Judged, name: str) -> Line:
    start, other = f"{display_name(name)}: judged by its order alone", catcher(backtest)
    if other is None or other == name:
        return Line(f"{start}; it catches {of_all(backtest.scores[name].area)}.", "alone")
    found, told = hits_change(backtest, name, other)
    return Line(f"{start}; hit rate at 5 % of the area against {within(other)}: {told}.", hits_verdict(found))


def hits_verdict(difference: Difference) -> str:
    """As `verdict_of`, for a difference of hit rates: more is better."""
    verdict = verdict_of(difference)
    return {"better": "worse", "worse": "better"}.get(verdict, verdict)


def hits_change(backtest: Judged, name: str, other: str) -> tuple[Difference, str]:
    """Hit rate at 5 % of the area of one model minus that of another, and the same in words."""
    found = backtest.hits_against(name, other)
    if not math.isfinite(found.mean):
        return found, "not known"
    points = f"{change(100 * found.mean, 2)} percentage points"
    if verdict_of(found) == "too few":
        return found, f"{points}; too few maps for an interval"
    level = percent(found.level, 0)
    return found, f"{points}, {level} interval {change(100 * found.low, 2)} to {change(100 * found.high, 2)}"


def _of_constant(backtest: Judged, other: str) -> str:
    """How much of a constant's log-loss the baseline already takes off, where that is known."""
    constant = backtest.scores.get("constant")
    if other == "constant" or constant is None or not constant.log_loss > 0:
        return ""
    share = 1 - backtest.scores[other].log_loss / constant.log_loss
    return f"; that of {within(other)} is already {percent(share)} below a constant’s"


def _none_beat(backtest: Judged, names: list[str], other: str) -> str:
    better = [name for name in names if verdict_of(backtest.against(name, other)) == "better"]
    if better:
        return f"Distinguishably better than it: {', '.join(within(name) for name in better)}"
    if len(names) == 1:
        return f"The other one, {within(names[0])}, is not distinguishably better"
    return f"None of the other {len(names)} is distinguishably better"


def _hits(backtest: Judged) -> str:
    area = backtest.scores[backtest.model].area
    if not area.incidents:
        return "No incident lies in the test, so no hit rate exists."
    text = (
        f"With the riskiest {percent(AREA_SHARE, 0)} of the area flagged it catches {of_all(area)};"
        f" {percent(area.precision)} of the flagged cells were hit."
    )
    other = catcher(backtest)
    if other is None:
        return text
    plain = backtest.scores[other].area
    return (
        f"{text} The simple baseline that catches most, {within(other)}: {of_all(plain)}, {percent(plain.precision)} of"
        " the flagged cells."
    )


def _maps(number: int) -> str:
    return f"{number:,} test {'map' if number == 1 else 'maps'}"
