"""What is said of a test of warnings: the officer's sentence first, then what it cost, missed, and where it drifted."""

from __future__ import annotations

import math

import numpy as np

from ...contract.dates import format_moment, format_span
from ...contract.forecasters import title_of
from ...contract.texts import count_text, part_text
from ...contract.warnings import TRAILING_DAYS, Budget, describe_known, describe_windows
from ...evaluation.warned import WarningsJudged
from ...measures.alarms import Alarms, Group
from ..verdicts import format_interval
from ..words import format_count, format_figure, format_percent, format_share
from .limits import NO_GROUND
from .names import find_words, name_model
from .numbers import (
    count_events,
    count_hit,
    count_weeks,
    find_rival,
    get_alarms,
    get_best_alarms,
    get_difference,
    list_units,
    measure_stay,
)
from .verdict import describe_warnings_verdict

#: So many alarms are said as a share of 100; of fewer the number itself.
_HUNDRED = 100
#: A month that far from what was expected, in its standard deviations, is hardly chance.
_FAR = 3.0
#: Fewer expected windows than this are no round number.
_WHOLE = 10
#: With more of them repeated than this, warnings are a list of places.
_STAYS = 0.75


def describe_warnings(judged: WarningsJudged) -> str:
    """Say how often warnings came true, beside picking by calendar and place: the sentence an officer asks for."""
    words, name = find_words(judged.panel, judged.timing), judged.model
    tested = judged.events.size
    if not count_events(judged):
        nothing = f"None of the {words.count(tested)} tested had {words.had}"
        return f"{nothing}, so nothing can be said about how good warnings are."
    alarms = get_alarms(judged, name)
    if not alarms.raised:
        had = f"{count_hit(judged):,} of {words.count(tested)} had {words.had}"
        return f"No {words.one} was warned of, for none stood out of those before; {had}."
    said = f"Of {_say_of(alarms)} {words.one if alarms.raised == 1 else words.many} warned of, {_say_true(alarms)} had"
    said += f" {words.had}"
    rival = find_rival(judged, name)
    if rival and (beside := get_alarms(judged, rival)).raised:
        said += f"; of {_say_of(beside)} picked by {name_model(rival)}, {_say_true(beside)}"
    drawn = _HUNDRED * count_hit(judged) / tested
    return f"{said}; of {_HUNDRED:,} drawn at random, {round(drawn) if drawn >= 0.5 else 'fewer than 1'}."


def describe_alarms(judged: WarningsJudged) -> str:
    """Say how many alarms were really raised beside the budget, and how many false ones came with a true one."""
    words, alarms = find_words(judged.panel, judged.timing), get_alarms(judged, judged.model)
    cost = judged.budget.kind == "cost"
    rule = "" if cost else f", with a threshold that followed the last {TRAILING_DAYS} days before each warning"
    share = format_raised(judged, judged.budget, alarms, f" of all {words.many}")
    said = (
        f"Allowed were {words.describe_budget(judged.budget)}; really raised{rule}:"
        f" {count_text(alarms.raised, 'alarm')}, {share}."
    )
    if not alarms.raised:
        return said
    each = f", {format_figure(alarms.false_per_true)} false for each true one" if alarms.true else ""
    return f"{said} {part_text(alarms.true, alarms.raised, 'alarm', 'was true', 'were true')}{each}."


def describe_missed(judged: WarningsJudged) -> str:
    """Say how many windows with an event, and how many events, were warned of."""
    words, alarms = find_words(judged.panel, judged.timing), get_alarms(judged, judged.model)
    if not alarms.events or not alarms.raised:
        return ""
    return (
        f"They came before {format_count(alarms.true)} of the {words.count(alarms.hit)} that had {words.had}"
        f" ({format_share(alarms.recall)}), and before {format_count(alarms.warned_events)} of"
        f" {count_text(alarms.events, 'event')} ({format_share(alarms.recall_events)});"
        f" {format_count(alarms.events - alarms.warned_events)} came without a warning."
    )


def describe_lift(judged: WarningsJudged) -> str:
    """Say how much more often than those of calendar and place as many alarms are true."""
    rival = find_rival(judged, judged.model)
    # Where a ratio of costs decides, models do not raise as many.
    if judged.budget.kind == "cost" or not rival or not get_best_alarms(judged, rival).true:
        return ""
    own, change = get_best_alarms(judged, judged.model), judged.compute_lift(judged.model, rival)
    # In few windows a budget may buy less than one alarm.
    if not round(own.raised):
        return ""
    bounds = ""
    if math.isfinite(change.low):
        bounds = f" (95\N{NO-BREAK SPACE}% interval {format_figure(change.low)} to {format_figure(change.high)})"
    return (
        f"Where each raises {count_text(round(own.raised), 'alarm')}, those of {name_model(judged.model)} are true"
        f" {format_figure(change.mean)} times as often as those of {name_model(rival)}{bounds}."
    )


def describe_drift(judged: WarningsJudged) -> str:
    """Say whether as much happened as was expected, and which month was farthest off."""
    words, months = find_words(judged.panel, judged.timing), judged.group_months(judged.model)
    hit, expected = count_hit(judged), sum(each.expected for each in months)
    if not hit or not expected:
        return ""
    amount = format_count(expected) if expected >= _WHOLE else format_figure(expected)
    said = (
        f"Over the whole test {amount} {words.many} with an event were expected, and {hit:,} came"
        f" ({format_figure(hit / expected)} times as many)"
    )
    if len(months) < 2:
        return f"{said}."
    worst = max(months, key=_measure_surprise)
    if _measure_surprise(worst) < _FAR:
        return f"{said}; no month was farther off than chance would have it."
    month = format_moment(f"{worst.label}-01", "1 months")
    came = format_count(worst.alarms.hit)
    return f"{said}; farthest off was {month}: {format_figure(worst.expected)} expected, {came} came."


def describe_units(judged: WarningsJudged) -> str:
    """Say on how few of the units half of the warnings fell; empty of one unit."""
    words, units = find_words(judged.panel, judged.timing), list_units(judged)
    raised = np.sort([each.alarms.raised for each in units])[::-1]
    total = int(raised.sum())
    if not total:
        return ""
    few, never = int(np.searchsorted(np.cumsum(raised), total / 2)) + 1, int((raised == 0).sum())
    quiet = f" {count_text(never, f'{words.units.noun} was', f'{words.units.many} were')} never warned of."
    return (
        f"Half of the {count_text(total, 'warning')} fell on {few:,} of {count_text(len(units), words.units.noun)}:"
        f" whoever lives there bears them.{quiet if never else ''}"
    )


def describe_stay(judged: WarningsJudged) -> str:
    """Say how many of the warnings repeat that of the window before: a list that never moves is a list of places."""
    words, stay = find_words(judged.panel, judged.timing), measure_stay(judged)
    if words.alone or not math.isfinite(stay):
        return ""
    noun = words.each.partition(" ")[0]
    return (
        f"Of all warnings {format_percent(stay, 0)} repeat one for the same {words.units.noun} in the {noun} before:"
        f" {'these say where, and hardly when' if stay > _STAYS else 'where they fall changes'}."
    )


def describe_task(judged: WarningsJudged) -> str:
    """Say how windows lie, what is known when, and that other windows are another task."""
    windows = describe_windows(judged.timing)
    return (
        f"{windows[0].upper()}{windows[1:]}. {describe_known(judged.timing)} Figures of windows of another length,"
        " beginning, lead or delay are of another task, and are not compared with these."
    )


def describe_tested(judged: WarningsJudged) -> str:
    """Say what was tested: how much, when, and how much happened."""
    words, edges, windows = find_words(judged.panel, judged.timing), judged.panel.edges, judged.windows
    tested = judged.events.size
    return (
        f"{words.count(tested)}, {format_span(edges[windows[0]], edges[windows[-1] + 1])}, with"
        f" {count_text(count_events(judged), 'event')} in {count_hit(judged):,} of them"
        f" ({format_percent(count_hit(judged) / tested)})"
    )


def describe_model(judged: WarningsJudged, name: str) -> str:
    """Describe one model in a sentence, a failed one too."""
    if name in judged.failures:
        return f"{title_of(name)} could not be run: {judged.failures[name]}"
    score, rival = judged.scores[name], find_rival(judged, name)
    change = get_difference(judged, name, rival) if rival else None
    said = [f"log-loss {format_figure(score.log_loss)}"]
    if change is not None:
        said.append(f"minus that of {name_model(rival)} {format_interval(change, each='week')}")
    said.append(f"AUC {format_figure(score.auc)}, calibration error {format_figure(score.calibration_error)}")
    alarms = get_best_alarms(judged, name)
    if alarms.events and round(alarms.raised):
        share = f"{format_count(alarms.warned_events)} of {count_text(alarms.events, 'event')}"
        said.append(f"{share} warned of with {count_text(round(alarms.raised), 'alarm')}")
    return f"{title_of(name)}: {'; '.join(said)}."


def list_sentences(judged: WarningsJudged) -> list[str]:
    """List what is said of a test in its log, in the order of the report."""
    said = [
        describe_warnings(judged),
        describe_alarms(judged),
        describe_missed(judged),
        describe_lift(judged),
        describe_warnings_verdict(judged)[0],
        describe_drift(judged),
        describe_units(judged),
        describe_stay(judged),
        *(describe_model(judged, name) for name in (*judged.scores, *judged.failures)),
        describe_task(judged),
        NO_GROUND,
    ]
    return [sentence for sentence in said if sentence]


def format_raised(judged: WarningsJudged, budget: Budget, alarms: Alarms, of: str) -> str:
    """Format how many alarms were really raised, in the unit of their budget; `of` follows a share."""
    if budget.kind == "week":
        return f"{format_figure(alarms.raised / count_weeks(judged))} a week"
    return f"{format_share(alarms.share)}{of}"


def _say_of(alarms: Alarms) -> str:
    return f"{_HUNDRED:,}" if alarms.raised >= _HUNDRED else f"the {format_count(alarms.raised)}"


def _say_true(alarms: Alarms) -> str:
    return f"{round(_HUNDRED * alarms.precision):,}" if alarms.raised >= _HUNDRED else format_count(alarms.true)


def _measure_surprise(month: Group) -> float:
    """How far what came lies from what was expected, in standard deviations of it."""
    return abs(month.alarms.hit - month.expected) / math.sqrt(max(month.expected, 1.0))
