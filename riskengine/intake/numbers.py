"""Numbers from text: what tables without types hold."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: What tables write where there is no value.
_NOTHING = frozenset(("", "-", "--", ".", "..", ":", "na", "n/a", "#n/a", "nan", "null", "none", "nil"))
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII)
#: What numbers are grouped with by people who group them with blanks or apostrophes.
_BLANKS = str.maketrans(dict.fromkeys(" \u00a0\u2009\u202f'\u2019"))
_SIGNS = str.maketrans({"\u2212": "-"})
#: Larger ones are none in single precision.
_LARGEST = float(np.finfo(np.float32).max)


def read_numbers(texts: Sequence[object]) -> tuple[NDArray[np.float64], list[str]]:
    """Read a column of texts as numbers; what is none is given back.

    The whole column decides what a comma is: it groups thousands where every text with one can be read so, else it
    is a decimal comma.

    Parameters
    ----------
    texts : sequence, length R
        Texts, or None.

    Returns
    -------
    numbers : ndarray of float64, shape (R,)
        NaN where nothing is given, and where the text is no number.
    refused : list of str
        The texts that are no numbers, as often as they occur.
    """
    plain = ["" if text is None else str(text).strip(" \t\r\n\"'\ufeff").translate(_SIGNS) for text in texts]
    distinct = {text: text.translate(_BLANKS) for text in set(plain)}
    commas = [text for text in distinct.values() if "," in text and text.lower() not in _NOTHING]
    grouped = all(_GROUPED.fullmatch(text) for text in commas)
    known: dict[str, float | None] = {}
    for text, bare in distinct.items():
        if text.lower() in _NOTHING:
            known[text] = np.nan
            continue
        number = bare.replace(",", "") if grouped else _make_point(bare)
        value = float(number) if _NUMBER.fullmatch(number) else None
        known[text] = value if value is not None and abs(value) <= _LARGEST else None
    values = [known[text] for text in plain]
    refused = [text for text, value in zip(plain, values, strict=True) if value is None]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64), refused


def _make_point(text: str) -> str:
    """A point for the decimal comma; points before it group thousands."""
    head, comma, tail = text.partition(",")
    return f"{head.replace('.', '')}.{tail}" if comma and "," not in tail and "." not in tail else text
