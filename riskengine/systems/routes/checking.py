"""Whether less exposed ways were worth it: many pairs, in months that nobody knew of when the risk was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...contract.routes import LEAST, NEAR, SHORTEST
from ...contract.texts import part_text
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...intake.incidents import Incidents
from ...streets.network import Network
from .delivered import JUDGED, JudgedWays, compare_ratio, describe_delivery
from .months import Month
from .near import NearbyIncidents, measure_repeated
from .results import EdgeExposure, Interval, PairOfPlaces, RouteCheck, Way, Ways
from .ways import WayFinder, WayPlan

#: Caps on the detour, per cent, that are told beside each other.
DETOURS = (5.0, 10.0, 25.0)


@dataclass(frozen=True)
class JudgedRisk:
    """A risk that ways are chosen by.

    Attributes
    ----------
    title : str
    make : callable
        Makes the exposure of all edges from the incidents before an origin, which it is given too.
    control : bool
        A map that no crime went into.
    lasting : bool
        It is the same for all months.
    """

    title: str
    make: Callable[[Incidents, np.datetime64, JobContext], EdgeExposure]
    control: bool = False
    lasting: bool = False


@dataclass(frozen=True, eq=False)
class CheckedWay:
    """One way of a tested pair and month, and the incidents within each distance of `NEAR`."""

    pair: int
    month: str
    kind: str
    way: Way
    near: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Checked:
    """A check, and the ways of the first risk that it rests on.

    Attributes
    ----------
    check : RouteCheck
    ways : list of CheckedWay
        The shortest and the less exposed way of each pair and month.
    fronts : list of Ways
        The same, of each pair and month.
    tested : list of JudgedWays
        By risk.
    """

    check: RouteCheck
    ways: list[CheckedWay]
    fronts: list[Ways]
    tested: list[JudgedWays]


@dataclass(eq=False)
class _Found:
    """What was found of one risk, month by month."""

    less: list[list[Way]] = field(default_factory=list)
    short: list[list[Way]] = field(default_factory=list)
    by_detour: dict[float, list[list[Way]]] = field(default_factory=lambda: {each: [] for each in DETOURS})
    inexact: int = 0


def check_ways(
    network: Network,
    incidents: Incidents,
    pairs: Sequence[PairOfPlaces],
    months: Sequence[Month],
    risks: Sequence[JudgedRisk],
    plan: WayPlan,
    context: JobContext,
) -> Checked:
    """Find the ways of all pairs by each risk in each month, and count the month's incidents near them.

    Parameters
    ----------
    incidents : Incidents
        Of the tested months and of those before, metres in the network's CRS.
    risks : sequence of JudgedRisk
        The first is the one that was asked for; ways under other caps, and the ways themselves, are told of it alone.
    plan : WayPlan
        With the cap on the detour.

    Raises
    ------
    DataError
        If no pair has a way.
    """
    nearby, repeated = [], []
    for month in months:
        start, end = (each.astype("datetime64[s]") for each in (month, month + 1))
        now, before = incidents.between(start, end), incidents.before(start)
        nearby.append(NearbyIncidents(now.x, now.y))
        repeated.append((measure_repeated(now.x, now.y, before.x, before.y), len(now)))
    kept, tested, first = list(pairs), [], None
    notes = [] if len(months) > 1 else ["One month was tested: the intervals are over pairs alone"]
    for number, risk in enumerate(risks):
        with context.step(number / len(risks), (number + 1) / len(risks)):
            if first is None:
                kept = _keep_joined(network, pairs, plan, context, notes)
            found = _find_all(network, incidents, kept, months, risk, plan, not number, context)
        first = first or found
        tested.append(_measure(risk, found.less, found.short, nearby))
        if found.inexact:
            asked = len(kept) * len(months)
            took = "took too long to be exact and was found by weights", "took too long to be exact, found by weights"
            notes.append(f"{risk.title}: {part_text(found.inexact, asked, 'front', *took)}")
        context.log(_say(tested[-1]))
    assert first is not None
    names = tuple(str(month) for month in months)
    counts = np.array([len_of for _, len_of in repeated], dtype=np.float64)
    shares = np.array([share for share, _ in repeated])
    check = RouteCheck(
        names,
        len(kept),
        tuple(map(describe_delivery, tested)),
        tuple((cap, _deliver(ways, first.short, nearby)) for cap, ways in first.by_detour.items()),
        repeated=float(np.nansum(shares * counts) / counts.sum()) if counts.sum() else float("nan"),
        notes=tuple(notes),
    )
    return Checked(check, *_list_ways(first, kept, names, nearby), tested)


def _keep_joined(
    network: Network, pairs: Sequence[PairOfPlaces], plan: WayPlan, context: JobContext, notes: list[str]
) -> list[PairOfPlaces]:
    """The pairs that have a way at all, whatever the risk; why others have none is noted."""
    none = np.zeros(network.edges)
    flat = EdgeExposure(network.metres, none, none, 1.0, 1.0, float("nan"), "", "")
    kept, reason = [], ""
    finder = WayFinder(network, flat, replace(plan, detour=0.0, wanted="ends"))
    for pair in pairs:
        context.check_cancelled()
        ways = finder.find(pair, context)
        if ways.ways:
            kept.append(pair)
        else:
            reason = reason or ways.reason
    if len(kept) < len(pairs):
        lost = part_text(len(pairs) - len(kept), len(pairs), "pair", "has no way and is", "have no way and are")
        notes.append(f"{lost} left out: {reason}")
        if not kept:
            raise DataError(notes[-1], parameter="pairs", value=len(pairs), remedy="Choose places near the streets")
    return kept


def _find_all(
    network: Network,
    incidents: Incidents,
    pairs: Sequence[PairOfPlaces],
    months: Sequence[Month],
    risk: JudgedRisk,
    plan: WayPlan,
    widely: bool,
    context: JobContext,
) -> _Found:
    """The ways of all pairs and months by one risk; with `widely` under all caps."""
    found = _Found()
    wide = replace(plan, detour=max(plan.detour, *DETOURS), wanted="all") if widely else replace(plan, wanted="ends")
    exposure: EdgeExposure | None = None
    for at, month in enumerate(months):
        if exposure is None or not risk.lasting:
            origin = month.astype("datetime64[s]")
            exposure = risk.make(incidents.before(origin), origin, context)
        elif at:
            # Neither the risk nor the pairs change: the ways are those of the month before.
            for lists in (found.less, found.short, *(found.by_detour.values() if widely else ())):
                lists.append(lists[0])
            continue
        fronts, finder = [], WayFinder(network, exposure, wide)
        for number, pair in enumerate(pairs):
            done = (at + number / len(pairs)) / len(months)
            context.progress(done, f"{risk.title}: {month}, pair {number + 1} of {len(pairs)}")
            fronts.append(finder.find(pair, context))
        found.inexact += sum(not each.exact for each in fronts)
        found.short.append([each.ways[0] for each in fronts])
        found.less.append([choose_within(each, plan.detour) for each in fronts])
        for cap, chosen in found.by_detour.items() if widely else ():
            chosen.append([choose_within(each, cap) for each in fronts])
    return found


def choose_within(ways: Ways, detour: float) -> Way:
    """Choose the least exposed of the efficient ways that are at most so many per cent longer than the shortest."""
    cap = ways.ways[0].metres * (1 + detour / 100) * (1 + 1e-12)
    return [way for way in ways.ways if way.metres <= cap][-1]


def _measure(
    risk: JudgedRisk, less: list[list[Way]], short: list[list[Way]], nearby: Sequence[NearbyIncidents]
) -> JudgedWays:
    both = (less, short)
    return JudgedWays(
        risk.title,
        np.array([[[way.exposure for way in ways] for ways in months] for months in both]),
        np.array([[[way.metres for way in ways] for ways in months] for months in both]),
        np.array([_count(months, nearby) for months in both]),
        risk.control,
    )


def _count(months: list[list[Way]], nearby: Sequence[NearbyIncidents]) -> NDArray[np.int64]:
    """Incidents near the ways of each month, shape (M, P, distances)."""
    return np.array([near.count([way.vertices for way in ways]) for ways, near in zip(months, nearby, strict=True)])


def _deliver(less: list[list[Way]], short: list[list[Way]], nearby: Sequence[NearbyIncidents]) -> Interval:
    at = NEAR.index(JUDGED)
    return compare_ratio(_count(less, nearby)[..., at], _count(short, nearby)[..., at])


def _list_ways(
    found: _Found, pairs: Sequence[PairOfPlaces], months: Sequence[str], nearby: Sequence[NearbyIncidents]
) -> tuple[list[CheckedWay], list[Ways]]:
    ways, fronts = [], []
    for month, short, less, near in zip(months, found.short, found.less, nearby, strict=True):
        counts = [near.count([way.vertices for way in each]) for each in (short, less)]
        for number, pair in enumerate(pairs):
            for kind, chosen, counted in zip((SHORTEST, LEAST), (short, less), counts, strict=True):
                ways.append(CheckedWay(number + 1, month, kind, chosen[number], counted[number]))
            fronts.append(Ways(pair, (short[number], less[number])))
    return ways, fronts


def _say(tested: JudgedWays) -> str:
    """One line of the log a risk."""
    made = describe_delivery(tested)
    ratios = ", ".join(f"{ratio.value:.2f} within {metres} m" for metres, ratio in made.delivered.items())
    return f"{made.title}: promised {made.promised.value:.2f}, delivered {ratios}"
