"""How a table is joined, by which columns, and which of its columns are worth joining; what is chosen is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from ....contract.texts import list_names, show_name
from ....contract.tools.joincontext import JoinContext
from ....ground.errors import ParameterError
from ....intake.profiles import reduce_name
from ....intake.timenames import tell_part
from .tables import AnyTable, take_sample, tidy_key, write_texts

#: Names less alike are not taken for one key; of these the values decide.
_ALIKE = 0.6
#: So large a share of the incidents' keys must be in the table, and of the table's rows must be of a key of their own.
_SHARED, _DISTINCT = 0.5, 0.9
#: Of what a part of a time is a part, its unit, and the number of the first; years are counted from 1970.
_PARTS = {"year": ("Y", "Y", 1970), "month": ("Y", "M", 1), "day": ("M", "D", 1), "hour": ("D", "h", 0)}
_WORDS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Keys:
    """The columns that hold one key.

    Attributes
    ----------
    incidents, table : str
    """

    incidents: str
    table: str


def find_keys(incidents: AnyTable, table: AnyTable, own: str | None, other: str | None) -> Keys | None:
    """Find the columns that hold the same key: by names that are alike, and values that both have.

    Parameters
    ----------
    incidents, table : AnyTable
    own, other : str or None
        The columns of the one and the other, where they are known.
    """
    if own and other:
        return Keys(own, other)
    pairs = [
        (1.0 if own or other else compare_names(mine, theirs), mine, theirs)
        for mine in ([own] if own else _list_keys(incidents))
        for theirs in ([other] if other else _list_keys(table))
    ]
    best: tuple[float, float, Keys] | None = None
    samples = take_sample(incidents), np.arange(min(len(table), 100_000))
    for alike, mine, theirs in sorted(pairs, reverse=True):
        if alike < _ALIKE or (best is not None and alike < best[0]):
            break
        here, there = (
            [tidy_key(text) for text in write_texts(each, name, rows) if text.strip()]
            for each, name, rows in ((incidents, mine, samples[0]), (table, theirs, samples[1]))
        )
        known = set(there)
        if not here or len(known) < _DISTINCT * len(there):
            continue
        shared = sum(text in known for text in here) / len(here)
        named = compare_names(mine, theirs)
        if shared >= _SHARED and (best is None or (shared, named) > (best[1], compare_names(*_names(best[2])))):
            best = alike, shared, Keys(mine, theirs)
    return None if best is None else best[2]


def _names(keys: Keys) -> tuple[str, str]:
    return keys.incidents, keys.table


def _list_keys(table: AnyTable) -> list[str]:
    """The columns that may hold a key: no times, and nothing that is yes or no."""
    return [name for name, kind in table.fields.items() if kind in ("text", "integer", "long", "real")]


def compare_names(one: str, other: str) -> float:
    """Compare two names: 1 where the one is in the other, as CommunityArea in Community Area Number."""
    first, second = sorted((reduce_name(one), reduce_name(other)), key=len)
    if len(first) > 3 and first in second:
        return 1.0
    return SequenceMatcher(None, first, second).ratio()


def require_keys(found: Keys | None, parameters: JoinContext, incidents: AnyTable, table: AnyTable) -> Keys:
    """Take the keys that were found.

    Raises
    ------
    ParameterError
        If none were; lists the columns of both.
    """
    if found is not None:
        return found
    raise ParameterError(
        "No column of the incidents holds the keys of a column of the table; the incidents have"
        f" {list_names(list(incidents.fields), 30)}, the table has {list_names(list(table.fields), 30)}",
        parameter="key_field",
        value=parameters.key_field,
        remedy="Name both columns, or those of the dates",
    )


def choose_columns(
    table: AnyTable, used: Sequence[str], when: NDArray[np.datetime64] | None = None
) -> tuple[list[str], list[str]]:
    """Choose the columns that are worth joining; returns them, and sentences about those that are left out.

    Parameters
    ----------
    table : AnyTable
    used : sequence of str
        Columns of the date or key, which the incidents have themselves.
    when : ndarray of datetime64, shape (R,), optional
        Times of the rows: columns that hold their years, months, days or hours say nothing more.
    """
    chosen: list[str] = []
    parts: list[str] = []
    constant: list[str] = []
    empty: list[str] = []
    for name, kind in table.fields.items():
        if name in used or kind == "other":
            continue
        codes, labels = table.code(name)
        if not len(labels):
            empty.append(name)
        elif when is not None and _repeats_time(name, codes, labels, when):
            parts.append(name)
        elif len(labels) == 1 and len(codes) > 1 and (codes >= 0).all():
            constant.append(name)
        else:
            chosen.append(name)
    if not chosen:
        chosen, constant = constant, []
    said = [
        f"{list_names(names, 10)} {'is' if len(names) == 1 else 'are'} left out: {why}"
        for names, why in (
            (parts, "the date says as much"),
            (constant, "the same in every row"),
            (empty, "empty in every row"),
        )
        if names
    ]
    return chosen, said


def _repeats_time(name: str, codes: NDArray[np.int32], labels: Sequence[str], when: NDArray[np.datetime64]) -> bool:
    """Whether a column calls itself a part of the time, and holds it: minTemp speaks of no minutes."""
    part = tell_part(name)
    if part not in _PARTS or not all(label.strip().replace(".", "", 1).isdigit() for label in labels):
        return False
    within, unit, first = _PARTS[part]
    whole = when.astype(f"datetime64[{unit}]").astype(np.int64)
    start = 0 if part == "year" else when.astype(f"datetime64[{within}]").astype(f"datetime64[{unit}]").astype(np.int64)
    known = (codes >= 0) & ~np.isnat(when)
    held = np.array([float(label) for label in labels])[codes[known]]
    return bool((held == (whole - start + first)[known]).all())


def name_first_text(table: AnyTable, rows: Sequence[int], but: Sequence[str]) -> list[str]:
    """Name rows without a key by the first text that each has, such as CHICAGO."""
    texts = [name for name, kind in table.fields.items() if kind == "text" and name not in but]
    columns = [write_texts(table, name, np.array(rows, dtype=np.int64)) for name in texts]
    return [
        show_name(next((text for text in each if _WORDS.search(text)), f"row {row + 1}"))
        for row, each in zip(rows, zip(*columns, strict=True) if columns else [()] * len(rows), strict=True)
    ]
