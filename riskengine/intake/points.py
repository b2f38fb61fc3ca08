"""Places written in one text: well-known text, pairs of coordinates, GeoJSON, and degrees with minutes and seconds."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_WKT = re.compile(
    rf"(?:SRID=\d+;)?\s*POINT\s*(?:Z|M|ZM)?\s*\(\s*({_NUMBER})[\s,]+({_NUMBER})(?:\s+{_NUMBER})*\s*\)", re.I
)
# An address may stand before the brackets.
_BRACKETS = re.compile(rf"[(\[]\s*({_NUMBER})\s*[,;\s]\s*({_NUMBER})\s*[)\]]\s*$")
# Without brackets both need a point: 12,5 is one number.
_PAIR = re.compile(r"([-+]?\d+\.\d+)\s*[,;\s]\s*([-+]?\d+\.\d+)")
_TWO_ANGLES = re.compile(r"(.*\d.*?[NS])[,;\s]*(\d.*[EW])|([NS].*\d.*?)[,;\s]+([EW].*\d.*)", re.I | re.S)
_TWO_TURNED = re.compile(r"(.*\d.*?[EW])[,;\s]*(\d.*[NS])|([EW].*\d.*?)[,;\s]+([NS].*\d.*)", re.I | re.S)
_ANGLE = re.compile(
    r"""(?P<before>[NSEW])?\s*(?P<sign>[-+−])?\s*(?P<degrees>\d{1,3}(?:[.,]\d+)?)\s*(?P<mark>°|º|deg|:|\s)?\s*
    (?:(?P<minutes>\d{1,2}(?:[.,]\d+)?)\s*(?:['′’]|min|:|\s)?\s*)?
    (?:(?P<seconds>\d{1,2}(?:[.,]\d+)?)\s*(?:''|["″”]|sec)?\s*)?(?P<after>[NSEW])?""",
    re.I | re.X,
)
#: Share of the texts given that must be points before a column counts as one of points.
_UNDERSTOOD = 0.8

#: Longitude or x first; latitude first; a pair of which only the whole column may tell.
_X_FIRST, _Y_FIRST, _OPEN = 0, 1, 2


@dataclass(frozen=True)
class Points:
    """Places of a column.

    Attributes
    ----------
    x, y : ndarray of float64
        NaN where there is none.
    unreadable : ndarray of bool
        A text is given that is no point.
    note : str
        Which of a pair was taken for the latitude; empty where the texts say it.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    unreadable: NDArray[np.bool_]
    note: str


def parse_points(texts: Sequence[str] | NDArray[np.object_]) -> Points:
    """Read a column of points; each distinct text is read once.

    Which of a pair is the latitude is decided by the whole column: the one that never leaves ±90, and the first, as
    portals write it, where both could be.
    """
    known = {text: _read_point(text) for text in {str(each).strip() for each in texts}}
    pairs = [(a, b) for a, b, order in filter(None, known.values()) if order == _OPEN]
    x_first = any(abs(a) > 90 for a, _ in pairs) and not any(abs(b) > 90 for _, b in pairs)
    note = ""
    if pairs:
        first, second = ("longitude", "latitude") if x_first else ("latitude", "longitude")
        note = f"Pairs such as {pairs[0][0]:g}, {pairs[0][1]:g} were read as {first}, {second}"
    places: dict[str, tuple[float, float]] = {}
    for text, point in known.items():
        if point is not None:
            a, b, order = point
            turned = order == _Y_FIRST or (order == _OPEN and not x_first)
            places[text] = (b, a) if turned else (a, b)
    nowhere = (np.nan, np.nan)
    stripped = [str(each).strip() for each in texts]
    found = np.array([places.get(text, nowhere) for text in stripped], dtype=np.float64).reshape(-1, 2)
    unreadable = np.array(
        [bool(text) and text not in places and not _says_nothing(text) for text in stripped], dtype=bool
    )
    return Points(found[:, 0], found[:, 1], unreadable, note)


def holds_points(texts: Sequence[str]) -> bool:
    """Whether nearly all texts given are points."""
    given = [text for text in (each.strip() for each in texts) if text and not _says_nothing(text)]
    return bool(given) and sum(_read_point(text) is not None for text in given) >= _UNDERSTOOD * len(given)


def parse_angle(text: str) -> float | None:
    """Read degrees, minutes and seconds, such as ``19°25'57"N`` or ``99 09 00 W``, as degrees; None for others."""
    match = _ANGLE.fullmatch(text.strip())
    if match is None:
        return None
    part = {name: (value or "").replace(",", ".") for name, value in match.groupdict().items()}
    letter = (part["before"] or part["after"]).upper()
    # A bare number has another reader, and two numbers alone may be anything.
    if (not letter and part["mark"].strip() in ("", ":")) or (part["before"] and part["after"]):
        return None
    minutes, seconds = float(part["minutes"] or 0), float(part["seconds"] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    value = float(part["degrees"]) + minutes / 60 + seconds / 3600
    return -value if letter in ("S", "W") or part["sign"] in ("-", "−") else value


def _says_nothing(text: str) -> bool:
    return text.casefold() in ("na", "n/a", "nan", "null", "none", "-", "point empty")


def _read_point(text: str) -> tuple[float, float, int] | None:
    """Two numbers, and which of them is x."""
    if match := _WKT.fullmatch(text):
        return float(match[1]), float(match[2]), _X_FIRST
    if text.startswith("{"):
        return _read_geojson(text)
    if match := _BRACKETS.search(text) or _PAIR.fullmatch(text):
        return float(match[1]), float(match[2]), _OPEN
    for pattern, order in ((_TWO_ANGLES, _Y_FIRST), (_TWO_TURNED, _X_FIRST)):
        if match := pattern.fullmatch(text):
            a, b = (parse_angle(each) for each in match.groups() if each is not None)
            if a is not None and b is not None:
                return a, b, order
    return None


def _read_geojson(text: str) -> tuple[float, float, int] | None:
    try:
        given: Any = json.loads(text)
        x, y = given["coordinates"][:2]
        return float(x), float(y), _X_FIRST
    except (ValueError, TypeError, KeyError, IndexError):
        return None
