"""What is said of a check of routes: what was promised, what was delivered, and what that means for a walker."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...contract.dates import format_moment
from ...contract.texts import count_text
from ...systems.routes.results import Delivery, Interval, RouteCheck
from ..html import format_number
from .words import format_part

#: Metres from a way within which incidents are counted for the verdict.
MAIN = 100
#: From this share on, the places of incidents are said to repeat.
_REPEATED = 0.25


def list_controls(check: RouteCheck) -> list[Delivery]:
    """List the risks that no crime went into."""
    return [each for each in check.deliveries if each.control]


def judge(ratio: Interval) -> str:
    """Judge incidents near the less exposed ÷ near the shortest ways: fewer, more, or unsure; classes of the page."""
    if ratio.high < 1:
        return "fewer"
    return "more" if ratio.low > 1 else "unsure"


def format_ratio(interval: Interval) -> str:
    """Format a ratio and its interval in a line of text; a dash where there is none."""
    value = format_number(interval.value, 2)
    return f"{value} ({format_bounds(interval)})" if is_bounded(interval) else value


def format_bounds(interval: Interval) -> str:
    """Format the ends of an interval."""
    return f"{format_number(interval.low, 2)} to {format_number(interval.high, 2)}"


def is_bounded(interval: Interval) -> bool:
    """Whether both ends of an interval can be told."""
    return math.isfinite(interval.low) and math.isfinite(interval.high)


def _compare(ratio: Interval) -> str:
    """A ratio in words: "32 % fewer incidents than the shortest ones (95 % interval: 29 % to 35 % fewer)"."""
    text = " ".join(
        [_say_change(ratio.value), "incidents", "as" if _is_even(ratio.value) else "than", "the shortest ones"]
    )
    if not is_bounded(ratio):
        return text
    # The smaller change first; where one end is fewer and the other more, both are said.
    near, far = (ratio.high, ratio.low) if ratio.high < 1 else (ratio.low, ratio.high)
    first, last = _say_change(near), _say_change(far)
    if first.split()[-1] == last.split()[-1]:
        first = first.rpartition(" ")[0]
    return f"{text} (95\N{NO-BREAK SPACE}% interval: {first} to {last})"


def _is_even(ratio: float) -> bool:
    return round(ratio, 2) == 1


def _say_change(ratio: float) -> str:
    if _is_even(ratio):
        return "as many"
    return f"{format_part(abs(1 - ratio))} {'fewer' if ratio < 1 else 'more'}"


def _say_promise(ratio: float) -> str:
    return _say_change(ratio).replace("fewer", "less").replace("as many", "as much")


def format_months(months: Sequence[str]) -> str:
    """Format tested months, each given as ``2015-06``."""
    return ", ".join(format_moment(f"{month}-01", "1 months") for month in months)


def describe_check(check: RouteCheck) -> str:
    """Say what was delivered in months not seen, and what the risk had promised: the verdict."""
    first = check.deliveries[0]
    where = f"{count_text(check.pairs, 'pair')} of places in {count_text(len(check.months), 'month')} not seen"
    ratio = first.delivered[MAIN]
    if not math.isfinite(ratio.value):
        return f"{where}: no incident lies within {MAIN} m of a shortest way, so nothing can be compared."
    text = f"{where}: within {MAIN} m, the less exposed ways passed {_compare(ratio)}"
    if judge(ratio) == "unsure" and is_bounded(ratio):
        text += "; that may be chance"
    return f"{text}. The risk had promised {_say_promise(first.promised.value)}."


def describe_for_walker(check: RouteCheck) -> str:
    """Say what it means for somebody who walks."""
    first = check.deliveries[0]
    text = (
        f"For a walker: a way that is {format_part(max(first.detour, 0))} longer"
        if first.detour > 0
        else "For a walker: a way that is no longer"
    )
    same = max(1 - first.fewer - first.more, 0.0)
    return (
        f"{text} passed fewer reported incidents in {round(100 * first.fewer)} of 100 cases, as many in"
        f" {round(100 * same)} and more in {round(100 * first.more)}. It says nothing of the danger for one"
        " person: nobody counts walkers."
    )


def describe_gap(check: RouteCheck) -> str:
    """Say whether the risk kept what it promised, by the interval of the difference."""
    gap = check.deliveries[0].gap
    if not math.isfinite(gap.value):
        return "What was promised cannot be compared with what was delivered."
    points = f"promised {format_ratio(check.deliveries[0].promised)}, delivered" + (
        f" {format_ratio(check.deliveries[0].delivered[MAIN])} within {MAIN} m"
    )
    if not is_bounded(gap) or gap.low <= 0 <= gap.high:
        return f"The risk kept its promise within what chance explains: {points}."
    return f"The risk delivered {'less' if gap.value < 0 else 'more'} than it promised: {points}."


def describe_controls(check: RouteCheck) -> str:
    """Say what ways along random maps and small streets delivered: whether a detour alone would have done it."""
    controls = list_controls(check)
    if not controls:
        return ""
    ratios = [each.delivered[MAIN].value for each in controls if math.isfinite(each.delivered[MAIN].value)]
    if not ratios:
        return "No control could be compared."
    low, high = min(ratios), max(ratios)
    figures = format_number(low, 2) if len(ratios) == 1 else f"{format_number(low, 2)} to {format_number(high, 2)}"
    text = f"Controls, which no crime went into, delivered {figures} within {MAIN} m"
    best = check.deliveries[0].delivered[MAIN].value
    if low <= best:
        return f"{text}: the risk is not told from them."
    return f"{text}; the risk delivered {format_number(best, 2)}, so a detour alone does not explain it."


def describe_distances(check: RouteCheck) -> str:
    """Say why three distances are counted, and whether a way only stepped one street aside."""
    delivered = check.deliveries[0].delivered
    listed = ", ".join(
        f"{format_number(ratio.value, 2)} within {metres} m" for metres, ratio in sorted(delivered.items())
    )
    text = f"Incidents near the less exposed ÷ near the shortest ways: {listed}."
    if math.isfinite(check.repeated) and check.repeated >= _REPEATED:
        text += (
            f" {format_part(check.repeated).capitalize()} of the tested incidents lie exactly where an earlier one"
            " lies, since geocoding puts many on the same point. A way that steps one street aside passes those points"
            " farther off and may pass the crimes all the same; only a gain that holds within 100 and 200 m is one."
        )
    return text


def describe_detours(check: RouteCheck) -> str:
    """Say which cap gives most of what the largest one gives."""
    found = [(cap, ratio.value) for cap, ratio in sorted(check.by_detour) if math.isfinite(ratio.value)]
    if len(found) < 2:
        return ""
    largest, best = found[-1]
    if best >= 1:
        return f"Even ways up to {largest:g} % longer pass no fewer incidents."
    enough, value = next((cap, ratio) for cap, ratio in found if 1 - ratio >= 0.5 * (1 - best))
    if enough == largest:
        return f"Most of the gain needs ways up to {largest:g} % longer."
    part = (1 - value) / (1 - best)
    return (
        f"A cap of {enough:g} % gives {format_part(part) if part < 1 else 'all'} of the gain of {largest:g} %:"
        f" {format_number(value, 2)} against {format_number(best, 2)}."
    )
