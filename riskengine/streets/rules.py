"""What fields of streets say: which way, how fast, who may walk, whether it is lit."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..contract.routes import DEFAULT_SPEED, Direction
from ..contract.texts import list_values, part_text
from ..contract.tools.routes import ReadsNetwork
from ..ground.context import JobContext
from .reading import Streets

#: What directions are written as, where the user does not say: OpenStreetMap's words, and street offices'.
DIRECTIONS: Mapping[str, Direction] = {
    **dict.fromkeys(("yes", "true", "1", "f", "ft", "forward", "with"), "forward"),
    **dict.fromkeys(("-1", "reverse", "t", "tf", "backward", "against"), "backward"),
    **dict.fromkeys(("", "no", "false", "0", "b", "both", "n"), "both"),
}
#: Classes of streets without walkers, and without anybody.
MOTORWAYS = ("motorway", "motorway_link", "freeway", "fwy", "interstate", "int")
UNBUILT = ("construction", "proposed", "razed", "abandoned")
#: What says that nobody may walk there; and that a street is lit, or is not.
NO_WALKING = ("no", "private", "0", "false")
LIT, UNLIT = ("yes", "true", "1", "24/7", "automatic", "limited", "sunset-sunrise"), ("no", "false", "0", "disused")

_SPEED = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(mph|km/?h|kmh|kph)?\s*", re.IGNORECASE)
_MILE = 1.609344


def read_directions(
    streets: Streets, parameters: ReadsNetwork, context: JobContext
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Read whether each row may be used forward, and backward; shape (rows,) each."""
    rows = len(streets.table)
    both = np.ones(rows, dtype=bool), np.ones(rows, dtype=bool)
    field = streets.fields.get("direction")
    if parameters.travel == "foot" and not parameters.oneway_on_foot:
        return both
    if field is None:
        which = parameters.default_direction
        return both[0] & (which != "backward"), both[1] & (which != "forward")
    given = {
        _reduce(value): direction
        for direction, value in (
            ("forward", parameters.value_forward),
            ("backward", parameters.value_backward),
            ("both", parameters.value_both),
        )
        if value is not None
    }
    known: Mapping[str, str] = given or DIRECTIONS
    codes, labels = _read_labels(streets, field)
    strange = [label for label in labels if label and label not in known]
    if strange:
        context.log(
            f"{field}: {list_values(strange, 8)} taken as the default direction, {parameters.default_direction}"
        )
    found = np.array([known.get(label, parameters.default_direction) for label in labels])[codes]
    context.log(f"{part_text(int((found != 'both').sum()), rows, 'line')} one-way, by {field}")
    return found != "backward", found != "forward"


def read_speeds(streets: Streets, parameters: ReadsNetwork, context: JobContext) -> NDArray[np.float64]:
    """Read the speed of each row, km/h; shape (rows,)."""
    usual = parameters.speed or DEFAULT_SPEED[parameters.travel]
    field = streets.fields.get("speed") if parameters.travel == "vehicle" else None
    if field is None:
        context.log(f"Minutes at {usual:g} km/h")
        return np.full(len(streets.table), usual)
    codes, labels = _read_labels(streets, field)
    speeds = np.array([parse_speed(label) for label in labels])[codes]
    missing = ~(speeds > 0)
    context.log(f"{part_text(int(missing.sum()), len(missing), 'line')} without a speed in {field}: {usual:g} km/h")
    return np.where(missing, usual, speeds)


def parse_speed(text: str) -> float:
    """Km/h of a text such as 50, 30 mph; NaN for any other."""
    found = _SPEED.fullmatch(text)
    if found is None:
        return float("nan")
    speed = float(found[1].replace(",", "."))
    return speed * _MILE if (found[2] or "").casefold() == "mph" else speed


def find_closed(streets: Streets, context: JobContext) -> NDArray[np.bool_]:
    """Find the rows on which nobody walks; shape (rows,)."""
    closed = np.zeros(len(streets.table), dtype=bool)
    for role, values in (("class", (*MOTORWAYS, *UNBUILT)), ("foot", NO_WALKING)):
        if field := streets.fields.get(role):
            codes, labels = _read_labels(streets, field)
            left = np.array([label in values for label in labels])[codes]
            if left.any():
                what = list_values([label for label in labels if label in values], 8)
                context.log(f"On foot {part_text(int(left.sum()), len(left), 'line')} left out, by {field}: {what}")
            closed |= left
    return closed


def read_lighting(streets: Streets) -> NDArray[np.int8]:
    """Read whether each row is lit: 1, 0 for unlit, -1 where it is not known; shape (rows,)."""
    field = streets.fields.get("lit")
    if field is None:
        return np.full(len(streets.table), -1, dtype=np.int8)
    codes, labels = _read_labels(streets, field)
    return np.array([1 if label in LIT else 0 if label in UNLIT else -1 for label in labels], dtype=np.int8)[codes]


def _read_labels(streets: Streets, field: str) -> tuple[NDArray[np.int64], list[str]]:
    """Codes of a field's values, and the values as small letters; the last is that of none."""
    codes, labels = streets.table.code(field)
    return codes.astype(np.int64), [*map(_reduce, labels), ""]


def _reduce(value: str) -> str:
    return value.strip().casefold()
