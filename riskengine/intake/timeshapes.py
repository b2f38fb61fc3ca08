"""Fields of many texts at once: texts of one shape hold their numbers at the same places.

The shape of a text is the text with every digit replaced by 0.  A column has few shapes, so the
patterns run once per shape and the numbers of all its rows are read as columns of a character matrix.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Value of a field that a text does not have.
ABSENT = -1

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_NAME = (
    r"(?P<name>JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
    r"(?:UARY|RUARY|CH|IL|E|Y|UST|T|TEMBER|OBER|EMBER)?\.?"
)
_WEEKDAY = r"(?:(?:MON|TUE|WED|THU|FRI|SAT|SUN)[A-Z]*\.?,? +)?"
_CLOCK = (
    r"(?P<hour>\d{1,2})(?:[:.H](?P<minute>\d{1,2})(?:[:.](?P<second>\d{1,2})(?:[.,:](?P<fraction>\d{1,9}))?)?)?"
    r"(?: *(?P<half>AM|PM|A\. ?M\.|P\. ?M\.))?"
)
# Hours without minutes count only with AM or PM: "2019-02-01 23" is more likely cut off.
_FULL_CLOCK = rf"(?=\d+[:.H]|\d+ *[AP]){_CLOCK}"
_ZONE = r"(?: ?(?P<zone>Z|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?|UTC|GMT))?"
_TAIL = rf"(?:(?:T|,? +| - ){_FULL_CLOCK}{_ZONE})?"

#: Patterns of dates, tried in this order.
DATES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<year>\d{{4}})([-/. ])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}}){_TAIL}",
        rf"(?P<a>\d{{1,2}})([-/. ])(?P<b>\d{{1,2}})\2(?P<c>\d{{4}}|\d{{2}}){_TAIL}",
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})",
        r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})",
        rf"(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}}){_TAIL}",
        rf"(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}})T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?{_ZONE}",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:ST|ND|RD|TH)?[-/. ]+{_NAME}[-/., ]+(?P<year>\d{{4}}|\d{{2}}){_TAIL}",
        rf"{_WEEKDAY}{_NAME} +(?P<day>\d{{1,2}})(?:ST|ND|RD|TH)?,? +(?P<year>\d{{4}}){_TAIL}",
        # Qt's text date: Fri Feb 1 23:00:00 2019 GMT+0100
        rf"{_WEEKDAY}{_NAME} +(?P<day>\d{{1,2}}) +{_FULL_CLOCK} +(?P<year>\d{{4}}){_ZONE}",
        rf"{_NAME}[-/., ]+(?P<year>\d{{4}})",
    )
)

#: Patterns of times of day; a date in front is allowed and ignored.
CLOCKS = (
    re.compile(rf"T?{_FULL_CLOCK}{_ZONE}"),
    re.compile(r"(?P<number>\d{1,4})"),
    re.compile(rf"(?P<dated>\d{{4}})[-/.]\d{{1,2}}[-/.]\d{{1,2}}{_TAIL}"),
    re.compile(rf"\d{{1,2}}[-/.]\d{{1,2}}[-/.](?P<dated>\d{{4}}|\d{{2}}){_TAIL}"),
)

_FIELDS = (
    *("year", "year_digits", "month", "day", "a", "a_digits", "b", "c", "c_digits"),
    *("hour", "minute", "second", "half", "fraction", "zone", "number", "dated"),
)
_WIDTH = 48
_CHUNK = 250_000
_SPACES = (0x09, 0xA0, 0x2009, 0x202F)


def read_shapes(texts: list[str], patterns: tuple[re.Pattern[str], ...]) -> dict[str, NDArray[np.int64]]:
    """Fields of `texts` by the first pattern that matches the whole text.

    Parameters
    ----------
    texts : list of str
        Stripped; longer ones than any date are taken for not understood.
    patterns : tuple of re.Pattern
        Over upper-case text; may tell digits from other characters but not one digit from another.

    Returns
    -------
    dict of str to ndarray
        Every field of every pattern, `ABSENT` where a text does not have it.  ``half`` is 0 for AM
        and 1 for PM; a month name becomes ``month``; ``zone`` is the offset, in seconds east of UTC.
    """
    fields = {name: np.full(len(texts), ABSENT, dtype=np.int64) for name in _FIELDS}
    for start in range(0, len(texts), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        _read_chunk(texts[chunk], patterns, {name: values[chunk] for name, values in fields.items()})
    return fields


def _read_chunk(texts: list[str], patterns: tuple[re.Pattern[str], ...], fields: dict[str, NDArray[np.int64]]) -> None:
    words = np.array([text if len(text) <= _WIDTH else "" for text in texts], dtype=f"U{_WIDTH}")
    wide = words.view(np.uint32).reshape(len(words), _WIDTH)
    wide = np.where(np.isin(wide, _SPACES), 32, wide)
    letters = np.where(wide < 128, wide, ord("?")).astype(np.uint8)
    letters[(letters >= ord("a")) & (letters <= ord("z"))] -= 32
    digit = (letters >= ord("0")) & (letters <= ord("9"))
    shape = np.where(digit, np.uint8(ord("0")), letters)
    # Shapes are told apart by a random projection modulo 2^64: a collision is out of the question.
    weights = np.random.default_rng(20190201).integers(1, 2**63, _WIDTH, dtype=np.uint64)
    with np.errstate(over="ignore"):
        key = shape.astype(np.uint64) @ weights
    codes, _ = pd.factorize(key)
    rows_by_shape = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes)) if len(codes) else np.array([], dtype=np.intp)
    start = 0
    for end in ends:
        rows = rows_by_shape[start:end]
        start = end
        text = letters[rows[0]].tobytes().rstrip(b"\0").decode("ascii")
        match = next((hit for hit in (pattern.fullmatch(text) for pattern in patterns) if hit), None)
        if match is None:
            continue
        for name, value in match.groupdict().items():
            if value is None:
                continue
            if name == "name":
                fields["month"][rows] = _MONTHS.index(value) + 1
            elif name == "half":
                fields["half"][rows] = value.startswith("P")
            elif name == "zone":
                fields["zone"][rows] = _read_offset(value, letters[rows, slice(*match.span(name))])
            else:
                low, high = match.span(name)
                powers = 10 ** np.arange(high - low - 1, -1, -1, dtype=np.int64)
                fields[name][rows] = (letters[rows, low:high].astype(np.int64) - 48) @ powers
                if name in ("year", "a", "c"):
                    fields[f"{name}_digits"][rows] = high - low


def _read_offset(example: str, letters: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Seconds east of UTC of offsets of one shape, such as ``Z``, ``+00:00`` or ``UTC-00``."""
    places = [place for place, letter in enumerate(example) if letter.isdigit()]
    worth = np.array([36000, 3600, 600, 60], dtype=np.int64)[: len(places)]
    return (-1 if "-" in example else 1) * ((letters[:, places].astype(np.int64) - 48) @ worth)
