"""What a check of routes says, in sentences: promised and delivered, and what that means for a walker."""

from __future__ import annotations

import numpy as np

from ...contract.texts import count_text
from ...systems.routes.delivered import JUDGED
from ...systems.routes.results import Delivery, Interval, RouteCheck
from ..words import format_percent

#: Controls that deliver less than this are as good as the risk: it was not the risk then.
_WALKER = (
    "Fewer reported incidents along a way do not mean as much less danger for a walker: nobody counts walkers, and a"
    " street with fewer incidents may have fewer people in it."
)


def describe_check(check: RouteCheck) -> str:
    """Describe what the first risk promised and delivered, beside the controls."""
    first = check.deliveries[0]
    found = first.delivered[JUDGED]
    if not np.isfinite(found.value):
        return f"No incident of the tested months lies within {JUDGED} m of a shortest way: there is nothing to compare."
    months, pairs = count_text(len(check.months), "month"), count_text(check.pairs, "pair")
    said = [
        f"In {months} not seen and for {pairs}, the less exposed ways, {format_percent(first.detour, 0)} longer,"
        f" {_compare(found)} reported incidents within {JUDGED} m than the shortest ones{_bound(found)}.",
        f"The risk promised {format_percent(1 - first.promised.value, 0)} less.",
        f"{format_percent(first.fewer, 0)} of the ways had fewer, {format_percent(first.more, 0)} had more.",
    ]
    if controls := [each for each in check.deliveries if each.control]:
        said.append(_describe_controls(controls))
    return " ".join([*said, _WALKER])


def _compare(found: Interval) -> str:
    if found.low <= 1 <= found.high:
        return "passed no clearly different number of"
    fewer = found.value < 1
    return f"passed {format_percent(abs(1 - found.value), 0)} {'fewer' if fewer else 'more'}"


def _bound(found: Interval) -> str:
    if not np.isfinite(found.low):
        return ""
    return f" (as a ratio {found.value:.2f}, 95 % interval {found.low:.2f} to {found.high:.2f})"


def _describe_controls(controls: list[Delivery]) -> str:
    values = [each.delivered[JUDGED].value for each in controls]
    one = len(values) == 1
    span = f"{values[0]:.2f}" if one else f"{min(values):.2f} to {max(values):.2f}"
    return f"By {'a map' if one else 'maps'} that no crime went into the ratio was {span}."
