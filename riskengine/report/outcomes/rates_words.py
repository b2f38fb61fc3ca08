"""What *Outcome rates* says in sentences: how often there is an outcome, who found it, where, and what is open."""

from __future__ import annotations

import math

import numpy as np

from ...contract.dates import format_days, format_moment
from ...contract.outcomes import COMPARED_LEAST, SHOWN_LEAST, Reported
from ...contract.texts import count_text, list_names, part_text, show_name
from ...measures.clustered import Interval
from ...measures.proportions import compute_share_limits
from ...systems.outcomes.cases import LEAST_DAYS, RECENT, OpenCases
from ...systems.outcomes.rates import Rates, RatesBy
from ...systems.outcomes.ratesstudy import RatesOf, RatesStudy
from ..words import format_share
from . import words

#: What rates are counted by, as heads of tables.
TITLES: dict[RatesBy, str] = {
    "category": "Category",
    "description": "Description",
    "location": "Kind of location",
    "area": "Area",
    "hour": "Hour",
    "month": "Month",
    "rows": "Rows of the incident",
}
#: Of intervals of areas that do not differ so many leave 0 out.
_BY_CHANCE = 0.05
#: Categories that a sentence names.
_LATE = 3


def find_rate(of: RatesOf) -> Interval:
    """Find the rate of all of them, with its interval."""
    return _find_share(of.outcomes, of.incidents)


def _find_share(part: int, whole: int) -> Interval:
    low, high = compute_share_limits(part, whole)
    return Interval(part / whole, float(low), float(high))


def list_intervals(rates: Rates) -> list[Interval]:
    """List the rates with their intervals."""
    return [Interval(*map(float, each)) for each in zip(rates.rate, *rates.limits, strict=True)]


def describe_headline(study: RatesStudy, outcome: str) -> str:
    """Say how often there is the outcome, of all incidents and of those that victims reported."""
    every = study.of["all"]
    when = f" of {format_days(study.first, study.last)}" if study.first else ""
    text = (
        f"Of {count_text(every.incidents, 'incident')}{when}, {format_with_limits(find_rate(every))} have"
        f" {outcome}"
    )
    if "victims" in study.of:
        victims = study.of["victims"]
        text += f"; {words.AMONG['victims']}, {format_with_limits(find_rate(victims))} of {victims.incidents:,}"
    return f"{text}."


def find_found_shares(study: RatesStudy) -> tuple[float, float]:
    """Find the share of the incidents that police found, and of the outcomes that these have; 0 where none."""
    if "victims" not in study.of:
        return 0.0, 0.0
    every, victims = study.of["all"], study.of["victims"]
    return 1 - victims.incidents / every.incidents, 1 - victims.outcomes / max(every.outcomes, 1)


def describe_found(study: RatesStudy) -> str:
    """Say how many outcomes come from what police found themselves, and why figures come twice."""
    if "victims" not in study.of:
        which = "all" if study.found else "none"
        return (
            f"By their names {which} of the categories are such that police find themselves, so figures come once."
            " Where that is wrong, name these categories."
        )
    incidents, outcomes = find_found_shares(study)
    return (
        f"What police find themselves ({list_names(study.found)}) is {format_share(incidents)} of the incidents and"
        f" has {format_share(outcomes)} of the outcomes. {words.FOUND_BY_POLICE} So figures come twice."
    )


def describe_cases(study: RatesStudy) -> list[str]:
    """Say how the last weeks compare with what is expected, that a fall there is none, and the proposed maturity."""
    return describe_open_cases(study.of[study.main].cases, study.main)


def describe_open_cases(cases: OpenCases | None, reported: Reported) -> list[str]:
    """Say the same of cases alone."""
    if cases is None:
        return ["No incident with a date has the outcome, so nothing tells how many cases are still open."]
    recent = _describe_recent(cases, words.AMONG[reported])
    said = [f"{recent} {words.NO_FALL}"] if cases.comparable else [words.NO_FALL]
    said.append(describe_maturity(cases))
    late = min(len(cases.late.names), _LATE)
    if late and cases.recent.high < 1:
        said.append(f"Most outcomes are missing of: {'; '.join(_describe_late(cases, n) for n in range(late))}.")
    return said


def _describe_recent(cases: OpenCases, of: str) -> str:
    last, ratio = format_moment(cases.last), cases.recent
    text = f"In the {RECENT} days up to {last}, {of}, there are {format_ratio(ratio)} of the outcomes that"
    text += f" the rates of cases of {count_text(cases.mature, 'day')} and more lead to expect"
    if not ratio.high < 1:
        text += ": no fall that can be told from chance"
    return f"{text}."


def _describe_late(cases: OpenCases, number: int) -> str:
    late = cases.late
    before, after = (
        _find_share(int(outcomes[number]), int(incidents[number]))
        for outcomes, incidents in ((late.mature_outcomes, late.mature), (late.recent_outcomes, late.recent))
    )
    return (
        f"{show_name(late.names[number])}, {format_with_limits(before)} of the older cases and"
        f" {format_with_limits(after)} of the {late.recent[number]:,} of these {RECENT} days"
    )


def describe_maturity(cases: OpenCases) -> str:
    """Say how many days until outcomes are known, or why that cannot be told."""
    if not cases.long_enough:
        return (
            f"The file is of {count_text(cases.days, 'day')}, too few to show how long outcomes take ({LEAST_DAYS} are"
            " needed). Ask whoever publishes it, or look at a longer file of the same source."
        )
    if cases.maturity is None:
        return (
            f"Rates fall through more than half of the file, so no maturity can be proposed from its"
            f" {count_text(cases.days, 'day')}: take a longer file, or leave out as much as can be spared."
        )
    if not cases.maturity:
        return "Proposed maturity: 0 days, for the last four weeks do not fall short of what is expected."
    return (
        f"Proposed maturity: {count_text(cases.maturity, 'day')}, the age from which on four weeks of cases no longer"
        " fall short beyond chance. Only a file of several years can tell this from the season, or from a change of"
        " what police do."
    )


def describe_areas(study: RatesStudy, reported: Reported) -> str:
    """Say how many areas differ from what their categories lead to expect, and how many would by chance."""
    rates = study.of[reported].areas
    assert rates is not None
    compared = int(rates.compared.sum())
    if not compared:
        return f"{words.REPORTED[reported]}: no area has {COMPARED_LEAST} incidents, so none is compared."
    labels = rates.list_labels()
    above, below = labels.count("above"), labels.count("below")
    chance = _BY_CHANCE * compared
    return (
        f"{words.REPORTED[reported]}: {part_text(above + below, compared, 'area', 'differs', 'differ')} from what is"
        f" expected of the categories and descriptions reported there ({above} above, {below} below); by chance alone"
        f" about {chance:{'.0f' if chance >= 1 else '.1f'}} would."
    )


def describe_few(study: RatesStudy) -> str:
    """Say how many areas have too few incidents."""
    rates = study.of[study.main].areas
    assert rates is not None
    few = int(np.isnan(rates.rate).sum())
    text = (
        f"A rate is shown from {SHOWN_LEAST} incidents on, a difference from {COMPARED_LEAST} on: with fewer, areas"
        " differ as much by chance."
    )
    return f"{text} {count_text(few, 'area has', 'areas have')} fewer than {SHOWN_LEAST}." if few else text


def format_with_limits(interval: Interval) -> str:
    """Format a share within a sentence, with its interval: ``19.6 % (19.4 to 19.8 %)``."""
    if not math.isfinite(interval.low):
        return format_share(interval.mean)
    low = format_share(interval.low).removesuffix("\N{NO-BREAK SPACE}%")
    return f"{format_share(interval.mean)} ({low} to {format_share(interval.high)})"


def format_ratio(interval: Interval) -> str:
    """Format observed ÷ expected as so many of 100."""
    whole = [f"{100 * each:.0f}" if math.isfinite(each) else "–" for each in interval]
    unit = "\N{NO-BREAK SPACE}%"
    return f"{whole[0]}{unit} ({whole[1]} to {whole[2]}{unit})" if math.isfinite(interval.low) else f"{whole[0]}{unit}"
