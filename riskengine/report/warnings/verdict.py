"""The verdict on warnings: whether anything warns beyond place, hour and level, and what the level itself is worth."""

from __future__ import annotations

import math

from ...contract.forecasters import DEFAULT_WARNING, WARNING_CANDIDATES, title_of
from ...contract.texts import count_text, part_text
from ...evaluation.warned import WarningsJudged
from ...evaluation.warnjudging import describe_few
from ...measures.compare import Difference
from ..verdicts import format_interval, format_points, verdict_of, verdict_of_hits
from ..words import format_count, format_figure
from .names import WarningWords, find_words, name_model
from .numbers import count_events, find_default, find_rival, get_best_alarms, get_difference

#: What a negative answer is called, everywhere.
NOTHING = "No detectable short-term warning beyond place, hour and level"

#: What the level is worth beside calibration, by what it does to the number of events that are warned of.
_SAYS = {"better": ", and more events are warned of", "worse": ", but FEWER events are warned of"}


def describe_warnings_verdict(judged: WarningsJudged | None) -> tuple[str, str]:
    """Describe what a test of warnings comes to, and how it is to be taken: "", "unsure" or "worse".

    None where nothing was held out.
    """
    if judged is None:
        return (
            "Not evaluated: no window was held out, so nothing can be said about how good its warnings are.",
            "unsure",
        )
    words = find_words(judged.panel, judged.timing)
    if not judged.enough:
        return describe_few(count_events(judged), len(judged.windows)), "unsure"
    found = [_describe_learned(judged, words), _describe_level(judged, words), _describe_own(judged, words)]
    return " ".join(said for said, _ in found if said), _choose_tone([tone for said, tone in found if said])


def _choose_tone(tones: list[str]) -> str:
    """The worst one counts for the page; a gain that was found makes it a good one."""
    return "worse" if "worse" in tones else "" if tones[:1] == [""] else "unsure"


def _describe_learned(judged: WarningsJudged, words: WarningWords) -> tuple[str, str]:
    """Whether any learned model is better than the default."""
    default = find_default(judged)
    compared = {name: change for name in judged.learned if (change := get_difference(judged, name, default))}
    compared = {name: change for name, change in compared.items() if math.isfinite(change.mean)}
    if not compared:
        return (
            "Whether anything recent warns beyond place, hour and level was not asked: no learned model, such as"
            f" {name_model(WARNING_CANDIDATES[0])}, was compared.",
            "unsure",
        )
    verdicts = {name: verdict_of(change) for name, change in compared.items()}
    if set(verdicts.values()) == {"too few"}:
        return "Too few weeks to tell whether anything recent warns beyond place, hour and level.", "unsure"
    better = [name for name, verdict in verdicts.items() if verdict == "better"]
    if better:
        best = min(better, key=lambda name: compared[name].mean)
        some = part_text(len(better), len(compared), "learned model", "is", "are")
        more = f" ({some})" if len(compared) > 1 else ""
        return (
            f"There is a warning beyond place, hour and level: {title_of(best)} is better than"
            f" {name_model(default)}{more}, log-loss {format_interval(compared[best], each='week')}"
            f"{_set_events(judged, words, best, default)}.",
            "",
        )
    return f"{NOTHING}: {_describe_none_better(compared, default)}.", "unsure"


def _describe_none_better(compared: dict[str, Difference], default: str) -> str:
    """That none is better, the nearest of them, how many forecast the same, and how many lose."""
    beside, differing = name_model(default), [name for name, change in compared.items() if not _is_same(change)]
    nearest = min(differing, key=lambda name: compared[name].mean, default="")
    if len(compared) == 1:
        who = f"the one learned model ({name_model(next(iter(compared)))})"
        if not nearest:
            return f"{who} gives the forecasts of {beside}"
        lost = ", which is WORSE" if verdict_of(compared[nearest]) == "worse" else ""
        interval = format_interval(compared[nearest], each="week")
        return f"{who} is not better than {beside}; its log-loss differs by {interval}{lost}"
    said = [f"none of the {count_text(len(compared), 'learned model')} is better than {beside}"]
    if same := len(compared) - len(differing):
        said.append(f"{same:,} {'forecasts' if same == 1 else 'forecast'} just as it does")
    if nearest:
        interval = format_interval(compared[nearest], each="week")
        said.append(f"the nearest{' of the others' if same else ''} ({name_model(nearest)}) differs by {interval}")
    if worse := sum(verdict_of(change) == "worse" for change in compared.values()):
        said.append(f"{worse:,} {'is' if worse == 1 else 'are'} WORSE")
    return "; ".join(said)


def _is_same(change: Difference) -> bool:
    """Whether a model forecasts as the other does, as a learned one does that found nothing of use in its past."""
    return change.mean == change.low == change.high == 0


def _describe_level(judged: WarningsJudged, words: WarningWords) -> tuple[str, str]:
    """What the default gains over calendar and place."""
    default = find_default(judged)
    other = find_rival(judged, default) if default else ""
    change = get_difference(judged, default, other) if other else None
    if default != DEFAULT_WARNING or change is None:
        return "", ""
    says, who, beside = verdict_of(change), title_of(default), name_model(other)
    gain = f"log-loss {format_interval(change, each='week')}"
    if says == "too few":
        return f"Whether the level adds anything to {beside} cannot be told: {gain}.", "unsure"
    events = _set_events(judged, words, default, other)
    if says == "worse":
        return f"{who} is WORSE than {beside} ({gain}{events}): use that.", "worse"
    if says == "indistinguishable":
        return f"That the level adds anything to {beside} cannot be told: {gain}{events}.", "unsure"
    own, rest = (judged.scores[name].calibration_error for name in (default, other))
    error = f"calibration error {format_figure(own, rest)} against {format_figure(rest, own)}"
    what = f"What the level adds to {beside} is calibration" if own < rest else f"The level adds a little to {beside}"
    what += _SAYS.get(verdict_of_hits(judged.compare_recall(default, other)), "")
    return f"{what}: {who} is better, {gain}, {error}{events}.", ""


def _describe_own(judged: WarningsJudged, words: WarningWords) -> tuple[str, str]:
    """How the model that was to be compared first does beside the default, where it is another."""
    default, name = find_default(judged), judged.model
    change = get_difference(judged, name, default) if name != default else None
    if change is None or verdict_of(change) != "worse":
        return "", ""
    return (
        f"{title_of(name)} is WORSE than {name_model(default)}"
        f" (log-loss {format_interval(change, each='week')}): warn by the latter.",
        "worse",
    )


def _set_events(judged: WarningsJudged, words: WarningWords, name: str, other: str) -> str:
    """How many of the events two models warned of: at the same number of alarms, but where a ratio of costs decides."""
    own, beside = (get_best_alarms(judged, each) for each in (name, other))
    named = f"it names {format_count(own.warned_events)} of {count_text(own.events, 'event')}"
    rest = f"{name_model(other)} {format_count(beside.warned_events)}"
    if judged.budget.kind == "cost":
        with_own, with_rest = (f"with {count_text(each.raised, 'alarm')}" for each in (own, beside))
        return f"; {named} {with_own}, {rest} {with_rest}"
    change = format_points(judged.compare_recall(name, other))
    return f"; with {words.count(round(own.raised))} warned of {named}, {rest} ({change})"
