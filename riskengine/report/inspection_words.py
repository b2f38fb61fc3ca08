"""What the look at incidents found, and what it means for scores, near repeats and forecasts, in sentences."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..contract.dates import format_moment, format_span
from ..contract.texts import count_text
from ..contract.tools.shared import HOTSPOT_GRIDS
from ..intake.findings import MIDNIGHT, SNAPPED, Finding
from ..intake.incidents import Incidents
from ..intake.inspection import Delay, Inspection
from ..maps.grid import choose_automatic_cell
from ..maps.suggested import Suggested
from .words import format_percent

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Scores count the incidents of so many days by default.
_YEAR = 365
#: So many months are named at the top.
_NAMED = 3
#: Fewer incidents of a category tell little of places.
_FEW = 100
#: Share of duplicates, or of incidents without a category, from which the top of the page names them.
_WORTH_NAMING = 0.01


class Said(NamedTuple):
    """What was found, what it means, and a short word of warning for the top of the page, empty if nothing warns."""

    found: str
    meaning: str
    warning: str = ""


def format_days(days: float) -> str:
    """Format a length of time given in days: as minutes, hours or days."""
    if days < 1 / 24:
        return count_text(round(days * 1440), "minute") if days else "the same minute"
    if days < 2 and days != round(days):
        return count_text(round(days * 24), "hour")
    return count_text(round(days), "day")


def _format_month(month: np.datetime64) -> str:
    return format_span(month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]"))


def describe_span(inspection: Inspection) -> str:
    """Say from when to when they are, as exactly as that is known."""
    if inspection.exactness == "month":
        months = inspection.first.astype("datetime64[M]"), inspection.last.astype("datetime64[M]") + 1
        return format_span(*(month.astype("datetime64[D]") for month in months))
    return f"from {format_moment(inspection.first)} to {format_moment(inspection.last)}"


def describe_times(inspection: Inspection, far: int) -> Said:
    """Describe the span and how exact the times are."""
    days = int((inspection.last - inspection.first) / np.timedelta64(86_400, "s")) + 1
    unit = inspection.exactness
    known = {
        "minute": "exact to the minute",
        "hour": "full hours",
        "day": "days, without a time of day",
        "month": "months, set to the first day of each",
    }[unit]
    months = int((inspection.last.astype("datetime64[M]") - inspection.first.astype("datetime64[M]")).astype(int)) + 1
    span = count_text(months, "month") if unit == "month" else count_text(days, "day")
    when = describe_span(inspection)
    found = f"{when[0].upper()}{when[1:]}, {span}. The times are {known}."
    means = {
        "minute": "Scores and near repeats, which count days, can be computed, and forecasts of an hour or longer.",
        "hour": "Scores and near repeats, which count days, can be computed, and forecasts of an hour or longer.",
        "day": "Scores and near repeats, which count days, can be computed, and forecasts of a day or longer; nothing"
        " can be said by the hour.",
        "month": "Scores count all incidents of a month as of its first day; near repeats within days or weeks cannot"
        " be found; forecasts need bins of a month.",
    }
    meaning = means[unit]
    if days < _YEAR:
        meaning += " Scores count a year by default, and this is less: compare them only with scores of as long a time."
    warning = "The times are months only." if unit == "month" else ""
    if far:
        found += f" {count_text(far, 'incident lies', 'incidents lie')} far from all others in time, as below."
        warning = f"{warning} {count_text(far, 'date lies', 'dates lie')} far from all others.".strip()
    return Said(found, meaning, warning)


def describe_months(suggested: Suggested) -> Said:
    """Describe the counts by month."""
    period = suggested.period
    counts = period.counts
    empty, chosen = int((counts == 0).sum()), int(period.chosen.sum())
    found = f"{count_text(len(counts), 'month')}, {empty or 'none'} of them without any incident."
    if len(counts) > 1:
        low, high = int(counts.argmin()), int(counts.argmax())
        found += (
            f" The fullest, {_format_month(period.months[high])}, holds {counts[high]:,}, the emptiest,"
            f" {_format_month(period.months[low])}, holds {counts[low]:,}; the first and the last may be incomplete."
        )
    if chosen < len(counts):
        found += (
            f" Select period keeps {count_text(chosen, 'month')} with {count_text(period.incidents, 'incident')} and"
            f" leaves out {period.left_out:,}."
        )
        meaning = (
            "Scores of a year with thin months are too low, near repeats across a gap are missed, and a forecast takes"
            " months that were not recorded for quiet ones. Use the start and end at the foot of this page."
        )
        thin = [_format_month(month) for month in period.months[~period.chosen]]
        named = ", ".join(thin[:_NAMED]) + (" and others" if len(thin) > _NAMED else "")
        few = count_text(len(thin), "month is", "months are")
        return Said(found, meaning, f"{few} outside the longest run of well-filled ones: {named}.")
    return Said(
        found,
        "No month is so thin that it must be left out: scores and near repeats can use the whole span, and forecasts"
        " can learn from it.",
    )


def describe_hours(inspection: Inspection) -> Said:
    """Describe counts by weekday and hour, where hours are known."""
    hours = inspection.hours
    if hours is None:
        return Said(
            "No time of day is known, so there is no table.",
            "Scores and near repeats do without it; forecasts cannot have bins of hours.",
        )
    day, hour = np.unravel_index(int(hours.argmax()), hours.shape)
    share = format_percent(float(hours.max() / hours.sum()))
    found = (
        f"The fullest hour of the week is {WEEKDAYS[int(day)]} from {int(hour)} to {int(hour) + 1} h with {share} of"
        f" the incidents; were all hours alike, each would have {format_percent(1 / 168)}."
        f" {format_percent(inspection.midnight)} happened at exactly midnight."
    )
    meaning = "Scores and near repeats count days, and do not see this; forecasts in bins of hours learn it."
    if inspection.midnight < MIDNIGHT:
        return Said(found, meaning)
    meaning += " Midnight stands for an unknown time here, and such bins are too full there."
    return Said(found, meaning, f"{format_percent(inspection.midnight)} of the times are exactly midnight.")


def describe_categories(inspection: Inspection) -> Said:
    """Describe how many categories there are and what is without one."""
    total, without = inspection.places.incidents, inspection.uncategorised
    if not inspection.categories:
        return Said(
            "No incident has a category, or no category field was chosen.",
            "Scores, near repeats and forecasts are of all incidents together, whatever they are.",
        )
    rare = sum(category.count < _FEW for category in inspection.categories)
    share = without / total
    lacking = "no incident is without"
    if without:
        lacking = f"{count_text(without, 'incident')} ({format_percent(share)}) without one"
    found = f"{count_text(len(inspection.categories), 'category', 'categories')}; {lacking}."
    meaning = (
        "Scores, near repeats and forecasts of categories with one cause say more than those of all together."
        if len(inspection.categories) > 1
        else "Scores, near repeats and forecasts are of this one kind."
    )
    if rare:
        meaning += (
            f" {count_text(rare, 'category has', 'categories have')} fewer than {_FEW} incidents: too few for a score"
            " or a forecast of their own."
        )
    if without:
        meaning += " What has no category is in no score or forecast of a category."
    return Said(
        found, meaning, f"{format_percent(share)} of the incidents have no category." if share >= _WORTH_NAMING else ""
    )


def describe_refusals(refused: int, total: int) -> Said:
    """Describe what could not be used, of `total` incidents that could and `refused` that could not."""
    if not refused:
        return Said("Nothing was refused: each has a place and a time.", "Scores, near repeats and forecasts see all.")
    share = format_percent(refused / (refused + total))
    return Said(
        f"{refused:,} of {refused + total:,} ({share}) have no place or time that can be used.",
        "They are in no score, near repeat or forecast. If they are mostly of one kind or place (protected addresses,"
        " one station's records), what is computed is too low there.",
        f"{refused:,} ({share}) were refused." if refused >= _WORTH_NAMING * (refused + total) else "",
    )


def describe_places(inspection: Inspection, findings: list[Finding]) -> Said:
    """Describe repeated coordinates; what artefacts they are, `findings` say."""
    places = inspection.places
    found = f"{count_text(places.incidents, 'incident')} at {count_text(places.places, 'coordinate')}."
    if places.repeats < SNAPPED:
        found += (
            f" {format_percent(places.repeats)} repeat exactly the coordinate of another of the 92 days before;"
            f" {format_percent(places.by_chance)} would come that near by chance."
        )
    if math.isfinite(places.spacing):
        found += f" Half of the coordinates have another within {places.spacing:,.0f} m."
    if places.repeats >= SNAPPED:
        return Said(
            found,
            "Scores rise and fall by whole groups of incidents where a shared point enters the circle; near repeats at"
            " 0 m are made by whoever moved the points; forecasts must not have cells finer than the shared points.",
            "Places are snapped to shared points.",
        )
    if any(finding.kind == "address artefacts" for finding in findings):
        return Said(
            found,
            "Scores beside such a coordinate are too high, near repeats there may be of different places, and a"
            " forecast takes it for a hotspot. Look at what is there before you believe it.",
            "Some coordinates stand for many addresses.",
        )
    return Said(
        found, "Nothing hints at moved or shared points: scores, near repeats and forecasts can use the distances."
    )


def describe_strays(incidents: Incidents, inspection: Inspection, suggested: Suggested) -> Said:
    """Describe places far from all others."""
    number = len(inspection.strays.rows)
    if not number:
        return Said(
            "No place lies far from all others.", "The extent that grids for forecasts are drawn to is that of a city."
        )
    x, y = incidents.x, incidents.y
    wide = choose_automatic_cell((float(x.min()), float(y.min()), float(x.max()), float(y.max())))
    found = (
        f"{count_text(number, 'incident lies', 'incidents lie')} farther from the middle half of all than three times"
        " its width."
    )
    meaning = "Scores and near repeats of the others do not change."
    if wide > suggested.automatic_cell:
        meaning += (
            f" A forecast on a grid drawn to all of them would have cells of {wide:,.0f} m instead of"
            f" {suggested.automatic_cell:,.0f} m. Leave them out, or choose a study area."
        )
    return Said(found, meaning, f"{count_text(number, 'place lies', 'places lie')} far from all others.")


def describe_duplicates(inspection: Inspection) -> Said:
    """Describe incidents that are the same in time, place and category."""
    same, total = inspection.duplicates, inspection.places.incidents
    if not same.shared:
        return Said(
            "No two have the same time and place.", "Each row counts once in scores, near repeats and forecasts."
        )
    share = same.rows / total
    found = (
        f"{count_text(same.rows, 'incident has', 'incidents have')} the time, place and category of an earlier row"
        f" ({format_percent(share)}), and at most {same.largest:,} are the same."
    )
    if same.shared > same.rows:
        found += f" {same.shared:,} ({format_percent(same.shared / total)}) have its time and place, in any category."
    dated = inspection.exactness in ("day", "month")
    coarse = [f"times are {inspection.exactness}s"] if dated else []
    coarse += ["places are snapped"] if inspection.places.repeats >= SNAPPED else []
    meaning = (
        "They may be doubled rows, or victims or charges of one event, and each counts: scores and forecasts rise with"
        " them, and near repeats find pairs at no distance and no time. Find out which they are before you drop any."
    )
    if coarse:
        said = " and ".join(coarse)
        meaning = f"Since {said}, different incidents may look the same here. {meaning}"
    # Where dates are coarse, most of them are different incidents.
    if dated or share < _WORTH_NAMING:
        return Said(found, meaning)
    have = count_text(same.rows, "incident has", "incidents have")
    warning = have.replace(" ha", f" ({format_percent(share)}) ha") + " the time, place and category of another."
    return Said(found, meaning, warning)


def describe_delay(inspection: Inspection, asked: bool) -> Said:
    """Describe how long after it happened an incident was reported; `asked` is whether a time of report was given."""
    delay = inspection.delay
    if delay is None or not delay.known:
        found = "No time of report was given: choose it as REPORTED_FIELD of Inspect incidents, if there is one."
        if asked:
            found = (
                "No delay can be worked out: the times are months only."
                if delay is None
                else f"No delay can be worked out: {describe_unusable(delay)}."
            )
        return Said(
            found,
            "A forecast, or the score of the latest days, may know only what was reported by then. Without the delay,"
            " a backtest takes each incident as known at once, and flatters; so do near repeats within days.",
        )
    found = (
        f"Half of the incidents are reported within {format_days(delay.median)}, nine of ten within"
        f" {format_days(delay.ninety)}; {format_percent(delay.over_week)} take more than 7 days and"
        f" {format_percent(delay.over_month)} more than 30."
    )
    if delay.by_day:
        found += " Whole days are compared, since one of the two times has no time of day."
    if delay.negative or delay.unknown:
        found += f" Not counted: {describe_unusable(delay)}."
    meaning = (
        f"At the moment of a forecast about {format_percent(delay.missing_week)} of the incidents of the 7 days before"
        f" and {format_percent(delay.missing_month)} of the 30 days before are not reported yet, and more of what is"
        " still to be reported when the data were drawn. Scores of the latest days are too low by as much, near repeats"
        " are seen late, and a backtest that knows every incident at once flatters."
    )
    warn = delay.missing_week >= 10 * _WORTH_NAMING
    warning = f"{format_percent(delay.missing_week)} of a week's incidents are not reported at its end."
    if delay.negative:
        return Said(
            found,
            meaning,
            (f"{warning} " if warn else "")
            + f"{count_text(delay.negative, 'incident was', 'incidents were')} reported before happening.",
        )
    return Said(found, meaning, warning if warn else "")


def describe_unusable(delay: Delay) -> str:
    """Describe the incidents without a delay."""
    parts = []
    if delay.negative:
        parts.append(f"{count_text(delay.negative, 'incident')} reported before they happened, a mistake")
    if delay.unknown:
        parts.append(f"{count_text(delay.unknown, 'incident')} without a time of report that can be read")
    return ", ".join(parts)


def explain_parameters(inspection: Inspection, suggested: Suggested) -> dict[str, str]:
    """Explain each of the suggested parameters, by its name."""
    period, one = suggested.period, len(inspection.strays.rows) > 0
    strays = ", strays left out" if one else ""
    cell = f"a fiftieth of the shorter side of the extent{strays}, rounded"
    if suggested.cell > suggested.automatic_cell:
        cell = (
            f"{suggested.automatic_cell:,.0f} m would be chosen ({cell}), but half of the shared points have no other"
            f" within {inspection.places.spacing:,.0f} m"
        )
    days = (period.end - period.start) / np.timedelta64(86_400, "s")
    number = period.incidents / (int(period.chosen.sum()) if suggested.bin_unit == "months" else days)
    a_map = count_text(round(number, 1), "incident")
    return {
        "CRS": "in which metres are measured",
        "BIN_UNIT": f"as exact as the times allow, a day at least: {a_map} a map, over the whole city",
        "CELL_SIZE": cell,
        "START, END": "what Select period chooses of the months above",
        "STUDY_AREA": f"left empty: the hull of the incidents. Draw your own in {HOTSPOT_GRIDS} ▸ Select study area",
    }
