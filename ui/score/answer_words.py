"""An answer in words: what the score means, how it compares, and which data it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...bridge.crs import tr
from ...riskengine.contract.dates import format_moment, format_span
from ...riskengine.contract.texts import count_text, list_names, show_name
from .answers import Answer

#: As many categories are named; of more it is said how many there are.
_NAMED = 3
#: Letters of a name that a line of the dock has room for.
_SHORT = 36
#: Days of a window that may lack data before it is said, as the first and the last day are never whole.
_SLACK = 1.0


def describe_scale() -> str:
    """Describe what the ends of the score's scale mean."""
    return tr("0 is like the calmest place where an incident happened, or calmer; 1 is like the busiest")


def describe_comparison(percentile: float, predicted: bool = False) -> str:
    """Describe a percentile: the share of the incidents whose own places have this score or a lower one.

    Parameters
    ----------
    percentile : float
        From 0 to 100.
    predicted : bool
        It is that of a model, which compares with the incidents it was trained on.
    """
    if not percentile and not predicted:
        # Calmer than where any incident was, its score is 0 as at the calmest of these places.
        return tr("No incident happened at a place as calm as this one")
    whose = tr("incidents that the model learned from") if predicted else tr("incidents")
    if percentile < 1:
        share = tr("Fewer than 1 of 100 {incidents}")
    elif percentile > 99:
        share = tr("More than 99 of 100 {incidents}")
    else:
        share = tr("{share} of 100 {incidents}")
    said = tr("{these} happened at places with this score or a lower one")
    return said.format(these=share.format(share=f"{percentile:.0f}", incidents=whose))


def describe_data(index: str, result: Mapping[str, Any]) -> str:
    """Describe what the data of an index cover, without a full stop: days, incidents, categories.

    Parameters
    ----------
    index : str
        Its file.
    result : mapping
        Of the job ``query_score``.
    """
    data = result["data"]
    days = tr("{days} of data, {span}").format(
        days=count_text(data["days"], "day"), span=format_span(data["start"], data["end"])
    )
    said = tr("{index}: {days}; {incidents}").format(
        index=show_name(Path(index).stem, _SHORT), days=days, incidents=count_text(data["incidents"], "incident")
    )
    names = data["categories"]
    if not names:
        return said
    if len(names) <= _NAMED:
        return tr("{data} ({categories})").format(data=said, categories=list_names(names))
    return tr("{data} of {categories}").format(data=said, categories=count_text(len(names), "category", "categories"))


def describe_window(result: Mapping[str, Any]) -> str:
    """Describe the days whose incidents count, and how many of them have data."""
    window, covered = result["window_days"], result["covered_days"]
    words = {
        "days": format_days(window),
        "date": format_moment(str(result["reference_time"])[:10]),
        "covered": f"{math.ceil(covered):,}",
    }
    if covered >= window - _SLACK:
        return tr("in the {days} up to {date}").format(**words)
    return tr("in the {days} up to {date}, of which {covered} have data").format(**words)


def format_days(days: float) -> str:
    """Format a number of days, which is rarely no whole one."""
    return count_text(int(days) if days == int(days) else days, "day")


def list_rows(answer: Answer) -> list[tuple[str, str]]:
    """List what the answer says beside the score: titles and texts."""
    result = answer.result
    lines = []
    if answer.percentile is not None:
        lines.append((tr("Scale"), describe_scale()))
        lines.append((tr("Compared"), describe_comparison(answer.percentile, answer.predicted is not None)))
    if answer.predicted:
        holds = tr("{low} – {high}: holds the counted score at {share} of 100 places")
        share = f"{result['interval'] * 100:.3g}"
        low, high = f"{answer.lower:.2f}", f"{answer.upper:.2f}"
        lines.append((tr("Likely"), holds.format(low=low, high=high, share=share)))
    count = tr("{incidents} {window}").format(
        incidents=count_text(answer.incidents, "incident"), window=describe_window(result)
    )
    # Outside the data no count is known, which 0 would not say.
    if answer.known:
        lines.append((tr("Within {radius} m").format(radius=f"{result['radius']:g}"), count))
    lines.append((tr("Data"), describe_data(answer.index, result)))
    if answer.predicted:
        lines.append((tr("Counted score"), f"{result['exact']['score']:.2f}"))
        lines.append((tr("Model"), show_name(answer.model, _SHORT)))
    return lines


def list_sentences(answer: Answer) -> list[str]:
    """List everything the answer says in words; the first is the score."""
    if answer.score is None:
        said = tr("No score: the place lies outside the data")
    else:
        said = tr("Crime score {score}").format(score=f"{answer.score:.2f}")
    return [said, *(f"{title}: {text}" for title, text in list_rows(answer))]
