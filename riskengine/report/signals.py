"""Whether there is anything beyond the long-run mean, and how many models have found it."""

from __future__ import annotations

import math
from collections.abc import Collection

from ..contract.forecasters import FORECASTERS, GRID
from ..contract.texts import count_text
from ..evaluation.judged import Judged
from .units import units_of
from .verdicts import format_hit_change, format_interval, verdict_of, verdict_of_hits
from .words import format_share, inner_title_of, maps_text


def describe_signal(judged: Judged) -> str:
    """Describe whether there is anything beyond the long-run mean; empty if no cell's own mean was scored.

    A map that is judged by its order alone is no answer either, nor is a test of the catch.
    """
    if judged.catch is not None:
        return ""
    given = not judged.seconds and judged.model in judged.scores
    if given and not math.isfinite(judged.scores[judged.model].log_loss):
        return ""
    finite = [name for name, score in judged.scores.items() if math.isfinite(score.log_loss)]
    means = [name for name in judged.long_run if name in finite]
    if not set(means) - {"constant"}:
        return ""
    mean = min(means, key=lambda name: judged.scores[name].log_loss)
    catcher = find_most(judged, means) or mean
    others = [name for name in finite if name not in means]
    of = f", the best of the {count_text(len(means), 'model')} that know nothing recent" if len(means) > 1 else ""
    place = f"the long-run mean ({inner_title_of(mean)}{of})"
    if not others:
        return f"No signal beyond {place} was sought: nothing else was scored."
    losses = {name: judged.compare_losses(name, mean) for name in others}
    if all(verdict_of(each) == "too few" for each in losses.values()):
        few = maps_text(len(judged.maps), judged.panel.bin_noun)
        return f"Whether there is a signal beyond {place} cannot be told from {few}."
    better = [name for name in others if verdict_of(losses[name]) == "better"]
    hits = {name: judged.compare_hits(name, catcher) for name in others}
    more = [name for name in others if verdict_of_hits(hits[name]) == "better"]
    counted = count_better(judged, others, mean, catcher)
    lost = len(judged.scores) + len(judged.failures) - len(means) - len(others)
    counted += f" ({lost:,} could not be compared)" if lost else ""
    said = []
    if better:
        best = min(better, key=lambda name: losses[name].mean)
        share = format_share(1 - judged.scores[best].log_loss / judged.scores[mean].log_loss)
        change = format_interval(losses[best])
        said.append(f"The best probabilities are those of {inner_title_of(best)} (log-loss {change}, {share} lower).")
    if more:
        most = max(more, key=lambda name: hits[name].mean)
        change = format_hit_change(hits[most])
        said.append(f"The most is caught by {inner_title_of(most)} (difference {change}).")
    if said and not any(map(_reads_neighbours, means)) and any(map(_reads_neighbours, better + more)):
        said.append("No long-run mean here is smoothed in space: a part of that may be smoothing alone.")
    if said:
        only = "" if better else " in the catch alone"
        return " ".join([f"There is a signal beyond {place}{only}: {counted}.", *said])
    nearest = min(others, key=lambda name: (losses[name].mean, name))
    near = f"The nearest, {inner_title_of(nearest)}, differs by {format_interval(losses[nearest])} in log-loss."
    end = "Where it happens is known from long ago; when adds nothing certain."
    if mean == "constant":
        everywhere = f"all {units_of(judged.panel).many}"
        end = f"Neither where nor when it happens could be told better than by one probability for {everywhere}."
    return f"These models found no signal beyond {place}: {counted}. {near} {end}"


def _reads_neighbours(name: str) -> bool:
    return name in FORECASTERS and GRID in FORECASTERS[name].needs


def find_most(judged: Judged, names: Collection[str]) -> str | None:
    """Find the one of some models that catches most; None of none."""
    return max(names, key=lambda name: judged.scores[name].area.caught, default=None)


def count_better(judged: Judged, names: Collection[str], mean: str, catcher: str) -> str:
    """Count the models that are better than others: by their probabilities than one, by their catch than another."""
    better = sum(verdict_of(judged.compare_losses(name, mean)) == "better" for name in names)
    catches = [verdict_of_hits(judged.compare_hits(name, catcher)) for name in names]
    more = catches.count("better")
    than = f" than {inner_title_of(catcher)}" if catcher != mean else ""
    one = len(names) == 1
    if one:
        text = f"the one other model is{'' if better else ' not'} better calibrated than it"
    else:
        number = f"{better or 'none'} of the {count_text(len(names), 'other model')}"
        text = f"{number} {'are' if better > 1 else 'is'} better calibrated than it"
    if not judged.scores[mean].area.incidents:
        return text
    if all(each == "too few" for each in catches):
        return f"{text}; whether {'it' if one else 'any'} catches more{than} cannot be told"
    if one:
        return f"{text}, and catches {'' if more else 'no '}more{than}"
    return f"{text}, and {more or 'none'} catch{'' if more > 1 else 'es'} more{than}"
