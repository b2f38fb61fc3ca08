"""What is said of ways, in sentences that somebody who is about to walk can read: jobs, reports and the dock say it.

The words are *less exposed to reported crime*: nothing here calls a way safe.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...contract.routes import ONLY, SHORTEST
from ...contract.texts import count_text, format_amount, part_text, show_name
from ...systems.routes.results import DistrictShare, EdgeExposure, Way, Ways
from ..words import format_figure, format_percent

#: What half of the exposure means, and what it does not.
WALKER = (
    "Half the exposure means half as much reported crime along the way, not half the danger for a walker: nobody"
    " counts walkers, and busy streets have more crime reported because more people are there."
)
#: What minutes are made of.
MINUTES = "Minutes follow from length and speed alone, never from the exposure."
#: Districts, of which a sentence names so many at most.
_NAMED = 3
#: Changes of a district's share below this are none: half a metre in a hundred.
_LEAST_CHANGE = 0.005
#: Shares of a way below this are not told.
_TOLD = 0.005


def format_metres(metres: float) -> str:
    """Format a length: whole metres, and kilometres from ten on."""
    unit = "\N{NO-BREAK SPACE}km" if metres >= 10_000 else "\N{NO-BREAK SPACE}m"
    return (f"{metres / 1000:,.1f}" if metres >= 10_000 else f"{metres:,.0f}") + unit


def format_minutes(minutes: float) -> str:
    """Format how long a way takes, in whole minutes."""
    return count_text(max(round(minutes), 1), "minute") if math.isfinite(minutes) else "no time known"


def format_part(share: float) -> str:
    """Format a share that is not nothing, in whole per cent: never as 0 % and never as all where it is not."""
    if 0 < share < _TOLD:
        return "less than 1\N{NO-BREAK SPACE}%"
    if 1 - _TOLD < share < 1:
        return "more than 99\N{NO-BREAK SPACE}%"
    return format_percent(share, 0)


def label_way(way: Way, shortest: Way) -> str:
    """Label a way on the map: its metres, what it adds, what it saves."""
    if way.kind in (SHORTEST, ONLY):
        return format_metres(way.metres)
    saved = way.compute_saved(shortest)
    change = "" if math.isnan(saved) else f", {_format_signed(-saved)} exposure"
    return f"+{format_metres(way.metres - shortest.metres)}{change}"


def _format_signed(share: float) -> str:
    sign = "\N{MINUS SIGN}" if share < 0 else "+"
    return f"{sign}{format_percent(abs(share), 0)}"


def describe_way(way: Way, shortest: Way) -> str:
    """Say what a way costs and saves: what stands beside the dock's slider and in the log."""
    opening = f"{format_metres(way.metres)}, {format_minutes(way.minutes)}"
    if way.kind in (SHORTEST, ONLY):
        text = f"{opening}: the shortest way"
        text += ", and the least exposed to reported crime." if way.kind == ONLY else "."
    else:
        text = f"{opening}: {_describe_added(way, shortest)}, and {_describe_saved(way, shortest)}."
    return " ".join([text, *list_shares(way)])


def _describe_added(way: Way, shortest: Way) -> str:
    added = way.metres - shortest.metres
    if round(added) == 0:
        return "hardly longer than the shortest way"
    part = f" ({format_part(added / shortest.metres)})" if shortest.metres > 0 else ""
    return f"{format_metres(added)}{part} longer than the shortest way"


def _describe_saved(way: Way, shortest: Way) -> str:
    saved = way.compute_saved(shortest)
    if math.isnan(saved):
        return "no more exposed to reported crime than that one, which passes none"
    if saved < 0:
        return f"{format_part(-saved)} more exposed to reported crime, but along lit streets"
    if saved == 0:
        return "as exposed to reported crime"
    return f"{format_part(saved)} less exposed to reported crime"


def list_shares(way: Way) -> list[str]:
    """List sentences on parts of a way: unlit, without a known risk; nothing where there are none."""
    said = []
    if way.unlit >= _TOLD:
        said.append(f"{_begin_part(way.unlit)} of it is unlit.")
    if way.outside >= _TOLD:
        said.append(
            f"{_begin_part(way.outside)} of it lies where no risk is known: the mean of all streets stands for it."
        )
    return said


def _begin_part(share: float) -> str:
    return "All" if share == 1 else format_part(share).capitalize()


def describe_ways(ways: Ways) -> str:
    """Say what the least exposed way of a pair costs and saves against the shortest one, or why there is none."""
    if not ways.ways:
        return ways.reason
    shortest, least = ways.ways[0], ways.ways[-1]
    opening = f"The shortest way has {format_metres(shortest.metres)} ({format_minutes(shortest.minutes)})"
    if len(ways.ways) == 1:
        return f"{opening}; no way{_describe_cap(ways)} is less exposed to reported crime."
    return (
        f"{opening}. The least exposed way{_describe_cap(ways)} is {_describe_added(least, shortest)}, and"
        f" {_describe_saved(least, shortest)}."
    )


def _describe_cap(ways: Ways) -> str:
    """How much longer than the shortest a way might be; nothing where there is no cap."""
    if not math.isfinite(ways.cap) or ways.ways[0].metres <= 0:
        return ""
    return f" with a detour of at most {format_percent(max(ways.cap / ways.ways[0].metres - 1, 0), 0)}"


def describe_front(ways: Ways) -> str:
    """Say how many ways there are to choose from, and whether these are all."""
    number = len(ways.ways)
    if not ways.exact:
        return (
            f"{count_text(number, 'way was', 'ways were')} found by weights after the time limit: other ways that no"
            " way beats in both metres and exposure may be missing."
        )
    if number == 1:
        return "No longer way within the cap on detour is less exposed."
    return f"{count_text(number, 'way')} to choose from: no other way beats one of them in both metres and exposure."


def find_halfway(ways: Ways) -> Way | None:
    """Find the shortest way that saves at least half of what the least exposed one does; None where it is an end."""
    shortest, least = ways.ways[0], ways.ways[-1]
    middle = next(way for way in ways.ways if 2 * way.cost <= shortest.cost + least.cost or way is least)
    return None if middle in (shortest, least) else middle


def describe_moved(ways: Ways, least: float = 20.0) -> list[str]:
    """Say how far the places are from the streets where ways begin and end, where that is farther than `least`."""
    return [
        f"{place} lies {format_metres(metres)} from the nearest street that can be used; metres count from there."
        for place, metres in zip(("The start", "The end"), ways.moved, strict=True)
        if metres > least
    ]


def describe_many(found: Sequence[Ways]) -> str:
    """Say what the least exposed ways of many pairs cost and save together."""
    if len(found) == 1:
        return describe_ways(found[0])
    good = [each for each in found if each.ways]
    if not good:
        return f"None of the {count_text(len(found), 'pair')} has a way."
    shortest, least = ([each.ways[place] for each in good] for place in (0, -1))
    metres, exposure = (sum(way.metres for way in shortest), sum(way.exposure for way in shortest))
    longer = sum(way.metres for way in least) / metres - 1 if metres else 0.0
    opening = (
        f"{count_text(len(good), 'pair has', 'pairs have')} a way"
        if len(good) == len(found)
        else f"{part_text(len(good), len(found), 'pair', 'has', 'have')} a way"
    )
    if exposure <= 0:
        return f"{opening}. The shortest ways pass no reported crime."
    saved = 1 - sum(way.exposure for way in least) / exposure
    if saved == 0:
        return f"{opening}. The shortest ways are the least exposed to reported crime, too."
    change = f"{format_part(abs(saved))} {'less' if saved > 0 else 'more'} exposed to reported crime"
    return (
        f"{opening}. Added up, the least exposed ways are {format_part(longer)} longer than the shortest ones, and"
        f" {change}."
    )


def describe_exposure(exposure: EdgeExposure) -> list[str]:
    """List sentences on the risk: what it is, how it was looked up, what had none."""
    unit = f", in {exposure.unit}" if exposure.unit else ""
    step = (
        f"looked up every {format_amount(exposure.step)} m along the streets and added up"
        if math.isfinite(exposure.step)
        else "read from the layer of streets and added up"
    )
    said = [f"The risk is the {show_name(exposure.title, 200)}{unit}; it is {step}."]
    if math.isfinite(exposure.mean) and math.isfinite(exposure.threshold):
        said.append(
            f"All streets have {format_figure(exposure.mean)} on average; a way's share above the percentile counts"
            f" what is above {format_figure(exposure.threshold)}."
        )
    return said


def list_district_changes(districts: Sequence[DistrictShare]) -> tuple[list[DistrictShare], list[DistrictShare]]:
    """List the districts that less exposed ways avoid and those that they gain, the largest change first."""
    ordered = sorted(districts, key=lambda each: each.least - each.shortest)
    avoided = [each for each in ordered if each.shortest - each.least > _LEAST_CHANGE]
    gained = [each for each in reversed(ordered) if each.least - each.shortest > _LEAST_CHANGE]
    return avoided, gained


def describe_districts(districts: Sequence[DistrictShare]) -> list[str]:
    """Say which districts less exposed ways avoid, and which they go through instead, with shares of all metres."""
    if not districts:
        return []
    avoided, gained = list_district_changes(districts)
    if not avoided and not gained:
        return ["Less exposed ways go through the same districts as the shortest ones."]
    said = []
    for found, does in ((avoided, "avoid"), (gained, "go instead through")):
        if found:
            named = [
                f"{show_name(each.name)} (from {format_percent(each.shortest, 0)} to {format_percent(each.least, 0)})"
                for each in found
            ]
            said.append(f"Less exposed ways {does} {_list_shown(named)}.")
    said.append("In brackets: the district's share of the metres of all shortest, then of all least exposed ways.")
    return said


def _list_shown(names: Sequence[str]) -> str:
    """List a few names that are fit to be shown already, and how many more there are."""
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
