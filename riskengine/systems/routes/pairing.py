"""Pairs of places: two points, a point and a layer, or two layers with a field that pairs them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from ...contract.texts import count_text
from ...contract.tools.saferoutes import SafeRoutes
from ...ground.context import JobContext
from ...ground.errors import DataError, ParameterError
from ...ground.wholetables import read_whole_table
from ...intake.project import move_places
from ...streets.reading import DEGREES, require_field
from .results import PairOfPlaces, Ways

#: Pairs of one run: more are a study of their own, and better asked in parts.
MOST_PAIRS = 100_000


@dataclass(frozen=True)
class _Place:
    name: str
    x: float
    y: float


def read_pairs(parameters: SafeRoutes, crs: str, context: JobContext) -> tuple[list[PairOfPlaces], list[Ways]]:
    """Read the pairs, metres in `crs`; and those of which a place is missing, with the reason.

    Raises
    ------
    ParameterError, DataError
        If a layer cannot be read as places, or no two places are a pair.
    """
    starts, start_key = _read_side(parameters, "start", "starts", crs, context)
    ends, end_key = _read_side(parameters, "end", "ends", crs, context)
    if start_key and end_key:
        pairs, lonely = _match(starts, ends)
    else:
        pairs, lonely = _combine(starts, ends), []
    if not pairs:
        raise DataError(
            "No start has an end with the same value",
            parameter="starts_field",
            value=parameters.starts_field,
            remedy="Choose fields whose values pair the places of both layers",
        )
    if len(pairs) > MOST_PAIRS:
        raise DataError(
            f"There are more than {MOST_PAIRS:,} pairs",
            parameter="starts" if parameters.starts else "ends",
            value=len(pairs),
            remedy="Choose fewer places, in parts",
        )
    if lonely:
        context.warn(f"{count_text(len(lonely), 'place is', 'places are')} without a partner")
    return pairs, lonely


def _read_side(
    parameters: SafeRoutes, one: str, several: str, crs: str, context: JobContext
) -> tuple[list[_Place], str]:
    """Places of a side, and the field that pairs them; empty for a point, and for a layer without one."""
    point = getattr(parameters, one)
    if point:
        if len(point) != 2 or not np.isfinite(point).all():
            raise ParameterError(
                f"{one} is {point}, which is no place",
                parameter=one,
                value=point,
                remedy="Give a longitude and a latitude",
            )
        x, y = move_places(np.array(point[:1]), np.array(point[1:]), DEGREES, crs)
        return [_Place("", float(x[0]), float(y[0]))], ""
    table = read_whole_table(getattr(parameters, several), several)
    named = getattr(parameters, key := f"{several}_field")
    field = require_field(named, key, table.fields, several) if named else ""
    if table.geometry is None or not table.crs:
        raise DataError(
            f"The layer of {several} has no places, or no CRS",
            parameter=several,
            remedy="Choose a layer of points with a CRS",
        )
    x, y = table.points()
    placed = np.isfinite(x) & np.isfinite(y)
    if missing := int((~placed).sum()):
        context.warn(f"{count_text(missing, 'row')} of the layer of {several} without a place, left out")
    x, y = move_places(x[placed], y[placed], table.crs, crs)
    if field:
        codes, labels = table.code(field)
        names = [labels[code] if code >= 0 else "" for code in codes[placed].tolist()]
    else:
        names = [str(fid) for fid in table.fids[placed].tolist()]
    return [_Place(name, *at) for name, *at in zip(names, x.tolist(), y.tolist(), strict=True)], field


def _match(starts: list[_Place], ends: list[_Place]) -> tuple[list[PairOfPlaces], list[Ways]]:
    """Places of the same value; with several on a side, each with each, and numbered."""
    by_name: dict[str, list[_Place]] = defaultdict(list)
    for end in ends:
        by_name[end.name].append(end)
    several, numbers = Counter(start.name for start in starts), Counter[str]()
    pairs: list[PairOfPlaces] = []
    lonely: list[Ways] = []
    used: set[str] = set()
    for start in starts:
        partners = by_name.get(start.name, []) if start.name else []
        used.add(start.name if partners else "")
        for end in partners[: MOST_PAIRS + 1 - len(pairs)]:
            numbers[start.name] += 1
            name = f"{start.name} ({numbers[start.name]})" if several[start.name] * len(partners) > 1 else start.name
            pairs.append(PairOfPlaces(name, (start.x, start.y), (end.x, end.y)))
        if not partners:
            here = (start.x, start.y)
            lonely.append(Ways(PairOfPlaces(start.name, here, here), (), reason="No end has this value"))
    for end in ends:
        if end.name not in used or not end.name:
            here = (end.x, end.y)
            lonely.append(Ways(PairOfPlaces(end.name, here, here), (), reason="No start has this value"))
    return pairs, lonely


def _combine(starts: list[_Place], ends: list[_Place]) -> list[PairOfPlaces]:
    """One place with each of the other side."""
    return [
        PairOfPlaces(start.name or end.name or "1", (start.x, start.y), (end.x, end.y))
        for start in starts
        for end in ends
    ]
