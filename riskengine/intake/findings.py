"""What incidents tell of how they were recorded, where that limits a forecast.

Snapped places, coordinates that stand for many addresses, dates without a day, and categories that patrols find
rather than victims report: each is a sentence in the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..contract.texts import count_text, format_amount, show_names
from .exactness import is_too_fine, measure_exactness, name_clocks
from .incidents import Incidents
from .patrols import find_patrol_group

#: An incident repeats a place when another happened exactly there within so many days before it.
WINDOW = np.timedelta64(92, "D")
#: Share of such repeats from which places are called snapped: addresses give 2 to 7 %, shared points 33 to 72 %.
SNAPPED = 0.2
#: Share of the last tenth at coordinates known from before, from which repeats are called frequent.
REPEATED = 0.2
#: A coordinate that holds this share of all incidents, at least so many, and so many times the mean of a coordinate
#: stands for more than one address.
HELD, HELD_LEAST, HELD_TIMES = 0.005, 10, 10
#: Share of incidents at exactly midnight from which it stands for "unknown"; times rounded to the hour give 4 %.
MIDNIGHT = 0.1
#: Names shown in a sentence.
_SHOWN = 5
#: Coordinates are compared to the centimetre: projecting the same place twice gives the same one.
_SAME = 0.01
_DAY = 86_400


@dataclass(frozen=True)
class Finding:
    """One thing a reader of a forecast must know of its incidents.

    Attributes
    ----------
    kind : str
        ``snapped``, ``address artefacts``, ``fine cells``, ``categories``, ``months only``, ``no time of day`` or
        ``midnight``; of a risk map ``hindsight``, ``hindsight unknown`` or ``other categories``.
    sentence : str
        For people, with its full stop; places are rounded to 100 m.
    figures : dict of str to float or str
        The figures behind the sentence, JSON-able.
    """

    kind: str
    sentence: str
    figures: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Places:
    """How often incidents share exact coordinates.

    Attributes
    ----------
    incidents, places : int
        Incidents, and distinct coordinates among them.
    repeats : float
        Share of incidents with an earlier one at exactly their place within `WINDOW`; of those that have a window
        of the data before them, or of all where the data is shorter.
    by_chance : float
        The share to be expected within a metre, had the places around been recorded as they are or jittered.
    late : float
        Share of the last tenth of the incidents that lie at exactly a place of the first nine.
    spacing : float
        Median distance from a place to the next, metres.
    x, y : ndarray of float64
        The places.
    count : ndarray of int64
        Incidents at each.
    """

    incidents: int
    places: int
    repeats: float
    by_chance: float
    late: float
    spacing: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    count: NDArray[np.int64]


def list_findings(
    incidents: Incidents, cell: float | None = None, bin: str | None = None, places: Places | None = None
) -> list[Finding]:
    """List artefacts of how incidents were recorded.

    Parameters
    ----------
    incidents : Incidents
    cell : float, optional
        Side of the grid's cells, metres.
    bin : str, optional
        Length of the time bins, e.g. ``1 days``.
    places : Places, optional
        What `measure_places` says of them, where that is known already.

    Returns
    -------
    list of Finding
        Empty when nothing was found.

    Examples
    --------
    >>> list_findings(incidents, cell=250, bin="1 days")[0].kind  # doctest: +SKIP
    'snapped'
    """
    if not len(incidents):
        return []
    places = places or measure_places(incidents)
    findings = [*list_snapped(places, cell), *_held(places), *_times(incidents.time, bin)]
    known = incidents.category >= 0
    number = np.bincount(incidents.category[known], minlength=len(incidents.categories))
    used = [(name, int(count)) for name, count in zip(incidents.categories, number, strict=True) if count]
    return findings + _patrols([name for name, _ in used], {name: count / len(incidents) for name, count in used})


def list_category_findings(categories: Sequence[str]) -> list[Finding]:
    """List which of the categories are found by patrols rather than reported by victims; empty when none is."""
    return _patrols(list(categories), {})


def measure_places(incidents: Incidents) -> Places:
    """Count how often coordinates repeat exactly."""
    order = np.argsort(incidents.time, kind="stable")
    x, y, time = incidents.x[order], incidents.y[order], incidents.time[order].astype("datetime64[s]")
    cents = number_places(x, y)
    _, first, place, count = np.unique(cents, axis=0, return_index=True, return_inverse=True, return_counts=True)
    place = place.ravel()
    repeats = _repeats(place, time)
    # Where the data is shorter than two windows, the whole of it must do.
    settled = time >= time[0] + WINDOW if time[-1] - time[0] > 2 * WINDOW else np.ones(len(x), dtype=bool)
    late = max(len(x) * 9 // 10, 1)
    earlier = np.zeros(len(count), dtype=bool)
    earlier[place[:late]] = True
    tree = cKDTree(np.column_stack([x[first], y[first]]))
    spacing = tree.query(tree.data, k=2)[0][:, 1] if len(count) > 1 else np.array([np.inf])
    return Places(
        incidents=len(x),
        places=len(count),
        repeats=float(repeats[settled].mean()),
        by_chance=_by_chance(tree, count, time),
        late=float(earlier[place[late:]].mean()) if late < len(x) else 0.0,
        spacing=float(np.median(spacing)),
        x=x[first],
        y=y[first],
        count=count,
    )


def number_places(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Coordinates as whole numbers, shape (N, 2), that are equal where the place is the same."""
    return np.round(np.column_stack([x, y]) / _SAME).astype(np.int64)


def _repeats(place: NDArray[Any], time: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Whether an incident of an earlier time, at most `WINDOW` before, lies at the same place; rows in time order.

    Incidents of one time may be one event with several victims: they repeat nothing.
    """
    order = np.lexsort((time, place))
    where, when = place[order], time[order]
    fresh = np.r_[True, (where[1:] != where[:-1]) | (when[1:] != when[:-1])]
    # The group of equal place and time each row belongs to, and the group before it.
    group = np.cumsum(fresh) - 1
    starts = np.flatnonzero(fresh)
    near = np.zeros(len(starts), dtype=bool)
    here, then = where[starts], when[starts]
    near[1:] = (here[1:] == here[:-1]) & (then[1:] - then[:-1] <= WINDOW)
    repeats = np.empty(len(place), dtype=bool)
    repeats[order] = near[group]
    return repeats


def _by_chance(tree: cKDTree, count: NDArray[np.int64], time: NDArray[np.datetime64]) -> float:
    """Share of incidents expected within a metre of an earlier one of the window, from the places within 100 m."""
    random = np.random.default_rng(0)
    some = random.choice(len(count), min(len(count), 2000), replace=False, p=count / count.sum())
    near = np.array([count[rows].sum() for rows in tree.query_ball_point(tree.data[some], 100.0)]) - count[some]
    days = max(float((time[-1] - time[0]).astype(np.int64)) / _DAY, 1.0)
    window = min(WINDOW.astype(np.int64) / days, 1.0)
    return float(-np.expm1(-near * window / 100.0**2).mean())


def list_snapped(places: Places, cell: float | None) -> list[Finding]:
    """List whether places are shared points, and whether cells are finer than these; empty where they are not."""
    if places.repeats < SNAPPED:
        return []
    figures: dict[str, float | str] = {
        "incidents": places.incidents,
        "places": places.places,
        "repeats": round(places.repeats, 4),
        "repeats_by_chance": round(places.by_chance, 4),
        "spacing_m": round(places.spacing, 1),
    }
    findings = [
        Finding(
            "snapped",
            f"Places are snapped: the {count_text(places.incidents, 'incident lies', 'incidents lie')} at"
            f" {count_text(places.places, 'coordinate')}, and"
            f" {places.repeats:.0%} repeat exactly the coordinate of another of the 92 days before"
            f" ({places.by_chance:.1%} would come that near by chance); near-repeat distances and cells finer than the"
            " shared points mean nothing.",
            figures,
        )
    ]
    if cell is not None and cell < places.spacing:
        findings.append(
            Finding(
                "fine cells",
                f"Cells of {format_amount(cell)} m are finer than the data: half of the shared points have no other"
                f" within"
                f" {places.spacing:.0f} m. Use larger cells.",
                {"cell_m": cell, "spacing_m": round(places.spacing, 1)},
            )
        )
    return findings


def _held(places: Places) -> list[Finding]:
    """Coordinates that hold implausibly many incidents; frequent repeats without snapping."""
    least = max(HELD * places.incidents, HELD_LEAST, HELD_TIMES * places.incidents / places.places)
    held = np.flatnonzero(places.count >= least)
    held = held[np.argsort(-places.count[held], kind="stable")]
    frequent = places.late >= REPEATED and places.repeats < SNAPPED
    if not len(held) and not frequent:
        return []
    share = float(places.count[held].sum()) / places.incidents
    figures: dict[str, float | str] = {
        "coordinates": len(held),
        "share": round(share, 4),
        "late_repeats": round(places.late, 4),
    }
    parts = []
    if len(held):
        near = [f"({round(places.x[row], -2):.0f}, {round(places.y[row], -2):.0f})" for row in held[:_SHOWN]]
        figures["places"] = ", ".join(near)
        one = len(held) == 1
        parts.append(
            f"{len(held)} coordinate{'' if one else 's'} hold{'s' if one else ''} {share:.1%} of the incidents, near"
            f" {', '.join(near)}{' and others' if len(held) > _SHOWN else ''}: perhaps a police station, a hospital or"
            " the middle of an area whose addresses are unknown, which a forecast takes for a hotspot"
        )
    if frequent:
        parts.append(
            f"{places.late:.0%} of the last tenth of the incidents lie exactly at a coordinate known from before:"
            " geocoded addresses, so that part of the repeats is a matter of the geocoder"
        )
    sentence = "; ".join(parts) + "."
    return [Finding("address artefacts", sentence[0].upper() + sentence[1:], figures)]


def _times(time: NDArray[np.datetime64], bin: str | None) -> list[Finding]:
    """Dates that are months only, and times of day that are none."""
    found = measure_exactness(time)
    if found.exactness == "month":
        if bin and not is_too_fine(bin, "month"):
            return []
        bins = f"bins of {bin} mean nothing" if bin else "bins shorter than a month mean nothing"
        return [
            Finding(
                "months only",
                f"The dates are months only: {found.share:.0%} of the incidents are set to the first of a month, so"
                f" {bins}. Use bins of a month.",
                {"first_of_month": round(found.share, 4)},
            )
        ]
    if not bin or not is_too_fine(bin, "day"):
        return []
    midnight = float((time == time.astype("datetime64[D]")).mean())
    if found.exactness == "day":
        at = "midnight" if found.clocks == (0,) else name_clocks(found.clocks)
        sentence = (
            f"The times hold no time of day: {found.share:.0%} of the incidents are set to {at}, so bins of {bin} mean"
            " nothing. Use bins of a day."
        )
        return [Finding("no time of day", sentence, {"midnight": round(midnight, 4)})]
    if midnight < MIDNIGHT:
        return []
    sentence = (
        f"{midnight:.0%} of the incidents happened at exactly midnight, which stands for an unknown time: bins of {bin}"
        " are too full there."
    )
    return [Finding("midnight", sentence, {"midnight": round(midnight, 4)})]


def _patrols(categories: list[str], share: dict[str, float]) -> list[Finding]:
    groups = {name: group for name in categories if (group := find_patrol_group(name)) is not None}
    if not groups:
        return []
    names = sorted(groups, key=lambda name: (-share.get(name, 0.0), name))
    shown = ", ".join(show_names(names[:_SHOWN])) + (" and others" if len(names) > _SHOWN else "")
    total = sum(share.get(name, 0.0) for name in names)
    part = f"; {total:.1%} of the incidents" if share else ""
    one = len(names) == 1
    figures: dict[str, float | str] = {
        "categories": len(names),
        "names": "\n".join(names),
        "groups": ", ".join(sorted(set(groups.values()))),
    }
    if share:
        figures["share"] = round(total, 4)
    return [
        Finding(
            "categories",
            f"{len(names)} of {len(categories)} categor{'y' if len(categories) == 1 else 'ies'} ({shown}{part})"
            f" {'is' if one else 'are'} mostly found by patrols rather than reported by victims: where a forecast sends"
            " patrols, more of it is found, which feeds the next forecast (Lum & Isaac 2016; Ensign et al. 2018)."
            " Forecast what victims report, or forecast these apart and do not send patrols by them.",
            figures,
        )
    ]
