"""Which pairs of places a tool asks for: two places, or two layers with a field that pairs them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ...contract.fieldnames import find_field
from ...contract.texts import count_text, list_names, show_name
from ...contract.tools.saferoutes import AsksForPlaces
from ...ground.errors import DataError, ParameterError
from ...ground.wholetables import read_whole_table
from ...intake.project import move_places
from ...streets.reading import DEGREES
from .results import PairOfPlaces, Ways

#: More are refused: two layers without a field that tells places apart would make millions.
MOST_PAIRS = 100_000
#: A place, metres in the working CRS; not finite where a row has no point.
Place = tuple[float, float]


@dataclass(frozen=True)
class _Places:
    """Places by what pairs them, in the order of their layer; under an empty text where nothing does."""

    by_name: dict[str, list[Place]]
    paired: bool


def list_pairs(parameters: AsksForPlaces, crs: str) -> tuple[list[PairOfPlaces], list[Ways]]:
    """List the pairs that are asked for, and what has no partner or no place, with the reason.

    One place goes with each of the other layer. Of two layers each start goes with each end of the same value.

    Parameters
    ----------
    parameters : AsksForPlaces
    crs : str
        The working CRS.

    Raises
    ------
    DataError
        If there is no pair, or there are too many.
    """
    starts = _read_places(parameters, "start", crs)
    ends = _read_places(parameters, "end", crs)
    both = starts.paired and ends.paired
    names = dict.fromkeys([*starts.by_name, *ends.by_name]) if both else None
    pairs, without = [], []
    if names is None:
        # The single place has no name, and goes with all.
        one, many = (starts, ends) if ends.paired else (ends, starts)
        groups = [(name, (one.by_name[""], places)) for name, places in many.by_name.items()]
        groups = groups if ends.paired else [(name, (places, single)) for name, (single, places) in groups]
    else:
        groups = [(name, (starts.by_name.get(name, []), ends.by_name.get(name, []))) for name in names]
    number = sum(len(first) * len(second) for _, (first, second) in groups)
    if number > MOST_PAIRS:
        raise DataError(
            f"{count_text(number, 'pair')} are asked for; at most {MOST_PAIRS:,} are looked at",
            parameter="start_field",
            value=number,
            remedy="Choose a field whose values pair fewer places, or fewer places",
        )
    for name, (first, second) in groups:
        shown = show_name(name) if name else ""
        if not first or not second:
            missing = "start" if not first else "end"
            place = (first or second)[0]
            without.append(Ways(PairOfPlaces(shown, place, place), (), reason=f"No {missing} has this value"))
        several = len(first) * len(second) > 1
        for rank, (start, end) in enumerate(product(first, second), start=1):
            pair = PairOfPlaces(f"{shown} ({rank})" if several else shown, start, end)
            if np.isfinite([*start, *end]).all():
                pairs.append(pair)
            else:
                missing = "end" if np.isfinite(start).all() else "start"
                without.append(Ways(pair, (), reason=f"The {missing} has no point on the map"))
    if not pairs:
        raise DataError(
            "There is no pair of places" + (f": {without[0].reason}" if without else ""),
            parameter="starts" if parameters.starts else "ends",
            remedy="Choose two layers of points, and fields that have the same value in both for places of a pair",
        )
    return pairs, without


def _read_places(parameters: AsksForPlaces, which: str, crs: str) -> _Places:
    place: list[float] | None = getattr(parameters, which)
    if place is not None:
        x, y = move_places(*(np.array([each], dtype=np.float64) for each in place), DEGREES, crs)
        return _Places({"": [(float(x[0]), float(y[0]))]}, False)
    return _read_layer(parameters, f"{which}s", getattr(parameters, f"{which}_field"), crs)


def _read_layer(parameters: Any, key: str, field: str | None, crs: str) -> _Places:
    path = getattr(parameters, key)
    table = read_whole_table(path, key)
    x, y = table.points()
    there = np.isfinite(x) & np.isfinite(y)
    if there.any():
        x[there], y[there] = move_places(x[there], y[there], table.crs or DEGREES, crs)
    if field:
        name = find_field(field, table.fields)
        if name is None:
            raise ParameterError(
                f"The layer of {key} has no field {show_name(field)}",
                parameter=f"{key[:-1]}_field",
                value=field,
                remedy=f"Choose from: {list_names(list(table.fields), 40)}",
            )
        codes, labels = table.code(name)
        called = [labels[code] if code >= 0 else "" for code in codes.tolist()]
    else:
        called = [str(number) for number in table.fids.tolist()]
    by_name: dict[str, list[Place]] = {}
    for name, place in zip(called, zip(x.tolist(), y.tolist(), strict=True), strict=True):
        by_name.setdefault(name, []).append(place)
    # No value pairs nothing with anything.
    if getattr(parameters, "starts" if key == "ends" else "ends"):
        by_name.pop("", None)
    return _Places(by_name, True)
