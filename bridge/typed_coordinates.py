"""Coordinates typed where an address is expected."""

from __future__ import annotations

import re
from typing import NamedTuple

from .crs import tr
from .geocoder_choice import GeocodingError

_DEGREES = r"(?P<sign{n}>[+\-−]?)(?P<degrees{n}>\d{{1,3}}(?:[.,]\d+)?)\s*(?:°|º|deg)?"
_MINUTES = r"(?:\s*(?P<minutes{n}>\d{{1,2}}(?:[.,]\d+)?)\s*['′’])?"
_SECONDS = r"(?:\s*(?P<seconds{n}>\d{{1,2}}(?:[.,]\d+)?)\s*(?:\"|″|”|''))?"
_NUMBER = rf"\s*{_DEGREES}{_MINUTES}{_SECONDS}\s*"
_AXIS = r"(?P<axis{n}>[NSEW])"
#: The letters stand before both numbers, behind both, or nowhere.
_PAIRS = [
    re.compile(
        r"\s*" + part.format(n=1) + r"(?:[,;]|(?<=\s)|(?<=[NSEW]))\s*" + part.format(n=2) + r"\s*", re.IGNORECASE
    )
    for part in (_NUMBER + _AXIS, _AXIS + _NUMBER, r"(?P<axis{n}>)" + _NUMBER)
]
#: Two bare whole numbers may as well be a house and a street.
_DEGREE_LIKE = re.compile(r"\d[.,]\d|[°º′’″”]")
_MARKED = re.compile(r"\d[.,]\d|[°º+\-−]|[NSEW]", re.IGNORECASE)


class TypedPair(NamedTuple):
    """Two numbers, and whether it was said which is which."""

    latitude: float
    longitude: float
    certain: bool


def read_typed_pair(text: str) -> TypedPair | None:
    """Read "19.43, -99.13", "19,43; -99,13", "99.13 W 19.43 N", "19° 25′ 48″ N, 99° 8′ W" or the like.

    Without N, S, E or W the latitude stands first, unless only the other order is a place on Earth.

    Parameters
    ----------
    text : str

    Returns
    -------
    TypedPair or None
        None if the text is no pair of coordinates.

    Raises
    ------
    GeocodingError
        If they are no place on Earth.

    Examples
    --------
    >>> read_typed_pair("19.43, -99.13")
    TypedPair(latitude=19.43, longitude=-99.13, certain=False)
    """
    match = next((hit for pair in _PAIRS if (hit := pair.fullmatch(text))), None)
    if match is None or not _MARKED.search(text):
        return None
    first, first_axis = _value(match, 1)
    second, second_axis = _value(match, 2)
    if first_axis and first_axis == second_axis:
        return None
    certain = bool(first_axis)
    swapped = first_axis == "longitude" or (not certain and abs(first) > 90 >= abs(second))
    latitude, longitude = (second, first) if swapped else (first, second)
    if abs(latitude) > 90 or abs(longitude) > 180:
        if not _DEGREE_LIKE.search(text):
            # "100 S 200 W" is how streets are numbered in Utah.
            return None
        raise GeocodingError(
            tr("{text} is no place on Earth: a latitude is at most 90, a longitude at most 180 degrees.").format(
                text=text.strip()
            )
        )
    return TypedPair(latitude, longitude, certain or swapped)


def _value(match: re.Match[str], number: int) -> tuple[float, str]:
    def figure(name: str) -> float:
        return float((match[f"{name}{number}"] or "0").replace(",", "."))

    value = figure("degrees") + figure("minutes") / 60 + figure("seconds") / 3600
    letter = match[f"axis{number}"].upper()
    if match[f"sign{number}"] in ("-", "−") or letter in ("S", "W"):
        value = -value
    return value, {"N": "latitude", "S": "latitude", "E": "longitude", "W": "longitude", "": ""}[letter]
