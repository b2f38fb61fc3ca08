"""Every sentence that judges a forecast, each once: the headline, the signal, a line a model, that of a card.

Each speaks of both aims, the probabilities and the catch; `verdicts` has the words for what a comparison says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..contract.forecasters import title_of
from ..contract.texts import count_text
from ..evaluation.judged import Judged
from ..forecasters.heldout import AGAINST, CATCH, CAUGHT
from ..measures.compare import Difference
from ..measures.concentration import FewCells
from ..measures.metrics import AreaHits, Weights
from . import catch_words
from .beside import describe_beside
from .card_catch import describe_caught
from .catch_numbers import compare_catches, find_rival
from .signals import count_better, describe_signal, find_most
from .units import units_of, words_of
from .verdicts import SMALL, Verdict, format_hit_change, format_interval, verdict_of, verdict_of_hits
from .words import (
    format_caught,
    format_change,
    format_count,
    format_figure,
    format_flagged,
    format_hits,
    format_share,
    inner_title_of,
    maps_text,
)

#: Of an interval over too few maps.
_NO_LIMITS = {"low": -math.inf, "high": math.inf}
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
        As `verdicts.Verdict.summary` has it, or ``failed``.
    """

    text: str
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """A model beside simple baselines.

    Attributes
    ----------
    rival, catcher : str
        The baseline with the best probabilities, and of all others than the model itself the one that catches most;
        empty where there is none.
    loss, hits : Difference, optional
        Log-loss minus that of the rival, and hit rate minus that of the catcher; None where they are not compared.
    verdict : Verdict
    """

    rival: str
    catcher: str
    loss: Difference | None
    hits: Difference | None
    verdict: Verdict


def find_catcher(judged: Judged, name: str | None = None) -> str | None:
    """Find the simple baseline, other than `name` (the model), that catches most at `AREA_SHARE`; None without any.

    A constant may have the best probabilities of them and yet say nothing of where.
    """
    model = judged.model if name is None else name
    return find_most(judged, [each for each in judged.baselines if each in judged.scores and each != model])


def compare(judged: Judged, name: str, other: str = "") -> Comparison:
    """Compare a model with the best simple baseline and with the one that catches most, or with one `other`."""
    if judged.catch is not None:
        return _compare_catch(judged, name, other)
    rival, catcher = other or judged.best_baseline, other or find_catcher(judged, name) or ""
    score = judged.scores[name]
    loss = hits = None
    if not math.isfinite(score.log_loss):
        probabilities = "none"
    elif rival in ("", name):
        probabilities = "baseline" if rival else "alone"
    else:
        loss = judged.compare_losses(name, rival)
        probabilities = verdict_of(loss)
    if not score.area.incidents:
        catch = "nothing"
    elif not catcher:
        catch = "alone"
    else:
        hits = judged.compare_hits(name, catcher)
        catch = verdict_of_hits(hits)
    return Comparison(rival, catcher, loss, hits, Verdict(probabilities, catch))


def _compare_catch(judged: Judged, name: str, other: str) -> Comparison:
    """Compare what two models' places caught, where that alone was asked for."""
    rival = other or find_rival(judged, name)
    if not judged.scores[name].area.incidents:
        return Comparison("", rival, None, None, Verdict("unasked", "nothing"))
    if not rival:
        return Comparison("", "", None, None, Verdict("unasked", "alone"))
    hits = compare_catches(judged, name, rival)
    return Comparison("", rival, None, hits, Verdict("unasked", verdict_of_hits(hits)))


def compute_differences(judged: Judged) -> dict[str, Difference]:
    """Compute by model the difference of each that could be scored to the best baseline; empty without one."""
    other = judged.best_baseline
    if not other:
        return {}
    finite = [name for name, score in judged.scores.items() if math.isfinite(score.log_loss)]
    return {name: judged.compare_losses(name, other) for name in finite if name != other}


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


def make_headline(judged: Judged | None) -> tuple[str, str]:
    """Make the verdict on the model and how it is to be taken: "", "unsure" or "worse"; None where nobody judged it."""
    if judged is None:
        return NOT_EVALUATED, "unsure"
    name, over = judged.model, maps_text(len(judged.maps), judged.panel.bin_noun)
    score = judged.scores.get(name)
    if score is None or not score.area.cells:
        return f"No answer: {inner_title_of(name)} has no forecast that could be scored on {over}.", "worse"
    found = compare(judged, name)
    if judged.catch is not None:
        return _head_catch(judged, found)
    said = [f"{title_of(name)}, over {over}: {found.verdict.describe()}"]
    if math.isfinite(score.log_loss):
        said.append(_set_losses(judged, found, score.log_loss))
    if score.area.incidents:
        units = units_of(judged.panel)
        flagged = f"with the riskiest {format_flagged(score.area, units)} flagged"
        caught = f"{flagged} it catches {format_hits(score.area, units)}"
        said.append(caught + _beside_catcher(judged, found, name))
    more = [_call_small(judged, found), _describe_precision(judged, found.catcher), _advise(found)]
    if found.verdict.probabilities == "baseline":
        more.append(_describe_others(judged, name))
    return " ".join(filter(None, [f"{'; '.join(said)}.", *more])), _choose_tone(found)


def _name_inner(name: str) -> str:
    return inner_title_of(name) if name else ""


def _choose_tone(found: Comparison) -> str:
    return {"better": "", "worse": "worse"}.get(found.verdict.summary, "unsure")


def _head_catch(judged: Judged, found: Comparison) -> tuple[str, str]:
    """The headline of a test of the catch."""
    name, other = judged.model, found.catcher
    verdict = found.verdict.describe(catcher=_name_inner(other), each=catch_words.name_bin(judged))
    said = [f"{title_of(name)}, over {catch_words.count_tested(judged)}: {verdict}"]
    if judged.scores[name].area.incidents:
        said += [catch_words.describe_hits(judged, name, other, found.hits), catch_words.describe_index(judged, name)]
    more = [catch_words.describe_precision(judged, name, other), _advise(found)]
    return " ".join(filter(None, [f"{'; '.join(said)}.", *more])), _choose_tone(found)


def describe_held_out(model: str, metrics: Mapping[str, Any]) -> str:
    """Describe how good a trained model was on held-out maps, from the figures of its card."""
    own = metrics.get(model) or {}
    if caught := own.get(CAUGHT):
        return describe_caught(caught)
    against = own.get(AGAINST)
    if not against:
        return "Not evaluated on held-out maps."
    ratio, catch = float(against["ratio"]), against.get(CATCH)
    verdict = Verdict(str(against["verdict"]), str(catch["verdict"]) if catch else "unrecorded")
    figure = "the same as that"
    if abs(1 - ratio) >= 0.0005:
        figure = f"{format_share(abs(1 - ratio))} {'lower' if ratio < 1 else 'higher'} than that"
    rival = inner_title_of(str(against["baseline"]))
    said = [
        f"On {count_text(int(against['maps']), 'held-out ' + against.get('bin', 'map'))}: {verdict.describe()}",
        f"log-loss of its probabilities {figure} of {rival}, the best simple baseline",
    ]
    if catch and catch["incidents"]:
        area, units = _read_hits(catch), words_of(catch.get("units", "grid"))
        caught = f"in the riskiest {format_flagged(area, units)} it catches {format_hits(area, units)}"
        if change := catch["change"]:
            limits = {name: end if change[name] is None else change[name] for name, end in _NO_LIMITS.items()}
            difference = Difference(**(change | limits))
            other = catch["baseline"]
            caught += _set_beside(catch["baseline_caught"], area, other, difference, other == against["baseline"])
        said.append(caught)
    return f"{'; '.join(said)}."


def _read_hits(catch: Mapping[str, Any]) -> AreaHits:
    """What a card says was caught."""
    few = FewCells(catch["few_cells"], catch["few_incidents"]) if catch["few_cells"] else None
    sizes = (catch["share"], catch["flagged"], catch["cells"], catch["caught"], catch["incidents"])
    weights = Weights(**catch["weights"]) if catch.get("weights") else None
    return AreaHits(*sizes, hit_cells=math.nan, most=math.nan, maps=catch["maps"], few=few, weights=weights)


def describe_comparison(judged: Judged) -> list[str]:
    """Describe the best baselines, whether there is a signal, and every model in a line, as they rank; failed last."""
    lines = describe_models(judged)
    if judged.catch is not None:
        of_models = [line.text for line in lines.values()]
        return [*catch_words.list_sentences(judged), *of_models, *describe_beside(judged)]
    best, maps = judged.best_baseline, maps_text(len(judged.maps), judged.panel.bin_noun)
    losses = {name: score.log_loss for name, score in judged.scores.items()}
    ranked = sorted(losses, key=lambda name: (not math.isfinite(losses[name]), losses[name]))
    listed = [lines[name].text for name in (*ranked, *judged.failures)]
    if not best:
        return [f"No simple baseline was scored on {maps}: how good this is cannot be said.", *listed]
    said = f"Over {maps} the best simple baseline is {title_of(best)}"
    said += f", with a log-loss of {format_figure(losses[best])}"
    catcher = find_catcher(judged, "") or ""
    area, units = judged.scores[catcher].area, units_of(judged.panel)
    if area.incidents:
        who = "it also" if catcher == best else f"of all simple baselines {title_of(catcher)}"
        caught, flagged = format_hits(area, units), format_flagged(area, units)
        said += f"; {who} catches the most: {caught} with the riskiest {flagged} flagged"
    return [
        sentence for sentence in (f"{said}.", describe_signal(judged), *listed, *describe_beside(judged)) if sentence
    ]


def describe_models(judged: Judged) -> dict[str, Line]:
    """Describe every model in a sentence, failed ones too, by model."""
    said: dict[str, Line] = {}
    each = "map" if judged.catch is None else catch_words.name_bin(judged)
    for name, score in judged.scores.items():
        if not score.area.cells:
            said[name] = Line(f"{title_of(name)}: no forecast that could be scored.", "failed")
            continue
        found, figures = compare(judged, name), []
        if judged.catch is not None and score.area.incidents:
            figures.append(f"{catch_words.format_caught(judged, name)} caught")
            figures += [format_hit_change(found.hits, each)] if found.hits else []
        elif math.isfinite(score.log_loss):
            figures.append(f"log-loss {format_interval(found.loss) if found.loss else format_figure(score.log_loss)}")
        if judged.catch is None and score.area.incidents:
            change = f", {format_hit_change(found.hits)}" if found.hits else ""
            figures.append(f"{format_caught(score.area)} caught{change}")
        both = found.verdict.describe(_name_inner(found.rival), _name_inner(found.catcher), each)
        shown = f" ({'; '.join(figures)})" if figures else ""
        said[name] = Line(f"{title_of(name)}: {both}{shown}.", found.verdict.summary)
    for name, why in judged.failures.items():
        said[name] = Line(f"{title_of(name)} could not be run: {why}", "failed")
    return said


def _set_losses(judged: Judged, found: Comparison, loss: float) -> str:
    """The log-loss, beside that of the best baseline and the difference to it."""
    if found.loss is None:
        return f"log-loss {format_figure(loss)}"
    base = judged.scores[found.rival].log_loss
    # What differs by more than chance must not look the same.
    differ = found.verdict.probabilities in ("better", "worse")
    own, other = (format_figure(one, two if differ else None) for one, two in ((loss, base), (base, loss)))
    who = f"{inner_title_of(found.rival)}, the best simple baseline"
    return f"log-loss {own} against {other} of {who} (difference {format_interval(found.loss)})"


def _beside_catcher(judged: Judged, found: Comparison, name: str) -> str:
    """What the baseline that catches most catches, and the difference to it."""
    if found.hits is None:
        return ""
    area, same = judged.scores[found.catcher].area, found.loss is not None and found.catcher == found.rival
    return _set_beside(area.caught, area, found.catcher, found.hits, same, name in judged.baselines)


def _set_beside(
    caught: float, area: AreaHits, catcher: str, difference: Difference, same: bool, other: bool = False
) -> str:
    """Say what the baseline catches; `same` where it is the best one too, `other` where the model itself is one."""
    share = format_share(caught / area.incidents)
    which = f"the {'other ' if other else ''}simple baseline that catches the most"
    who = f"{inner_title_of(catcher)}, {'which also catches the most' if same else which}"
    return f" against {share} ({format_count(caught)}) of {who} (difference {format_hit_change(difference)})"


def _call_small(judged: Judged, found: Comparison) -> str:
    """How small a gain is, and how much of a constant's log-loss the baseline already takes off, where it is known."""
    loss, base = judged.scores[judged.model].log_loss, judged.scores.get(found.rival)
    if found.verdict.probabilities != "better" or base is None or not 0 < 1 - loss / base.log_loss < SMALL:
        return ""
    text = f"The gain is small, {format_share(1 - loss / base.log_loss)} of the log-loss"
    constant = judged.scores.get("constant")
    if found.rival != "constant" and constant is not None and constant.log_loss > 0:
        share = format_share(1 - base.log_loss / constant.log_loss)
        text += f"; that of {inner_title_of(found.rival)} is already {share} below a constant’s"
    return f"{text}."


def _describe_precision(judged: Judged, catcher: str) -> str:
    """Precision, which stands beside every hit rate."""
    area = judged.scores[judged.model].area
    if not area.incidents:
        return ""
    text = f"{format_share(area.precision_by_count)} of the flagged {units_of(judged.panel).many} were hit"
    if catcher:
        other = judged.scores[catcher].area.precision_by_count
        text += f", {format_share(other)} of those of {inner_title_of(catcher)}"
    return f"{text}."


def _advise(found: Comparison) -> str:
    """What to use instead, for what."""
    rival, catcher = inner_title_of(found.rival), inner_title_of(found.catcher)
    worse, fewer = found.verdict.probabilities == "worse", found.verdict.catch == "worse"
    if worse and fewer and rival != catcher:
        return f"Use {rival} for probabilities, {catcher} for the catch."
    if worse:
        return f"For probabilities, use {rival}." if found.verdict.catch == "better" else f"Use {rival} instead."
    return f"To catch more, use {catcher}." if fewer else ""


def _describe_others(judged: Judged, name: str) -> str:
    """Whether any other model beats the baseline that is best of them."""
    others = [each for each, score in judged.scores.items() if each != name and math.isfinite(score.log_loss)]
    if not others:
        return "No other model was scored."
    if all(verdict_of(judged.compare_losses(each, name)) == "too few" for each in others):
        few = count_text(len(judged.maps), "test map is", "test maps are")
        return f"{few} too few to compare the others with it."
    counted = count_better(judged, others, name, name)
    return f"{counted[0].upper()}{counted[1:]}."
