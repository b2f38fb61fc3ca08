"""Rows that say again what another row says: in another file, of the same incident, or in the layer already."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text

#: Reasons of refused rows.
IN_OTHER_FILE = "the same row as in an earlier file"
IN_LAYER = "in the layer already"

#: Names of columns that number incidents, reduced to letters and digits.
_ID_NAME = re.compile(
    r"(?:(?:crime|incid(?:e?nt)?|case|report|off[ea]nse|complaint|cmplnt|event|occurrence)(?:unique)?"
    r"(?:num(?:ber)?|no|nr|nbr|id|key)|dr_?no|rd_?no?|ccn|dc_?key|goffencenumber|folio|aktenzeichen|expediente)"
)
#: From this share of rows that repeat an id with its time and place, merging is worth a word.
_WORTH_MERGING = 0.03
#: Pairs of files that are named.
_SHOWN = 5
#: Decimals to which coordinates of the layer and of the file are compared: they may have been transformed.
_DECIMALS = 7
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def find_in_other_files(rows: NDArray[np.int64], files: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the rows that an earlier file has too.

    Parameters
    ----------
    rows : ndarray
        A hash of each row.
    files : ndarray
        The number of the file it comes from, never less than that of the row before.

    Returns
    -------
    ndarray
        The number of the first file with the same row; -1 where that is the row's own.
    """
    _, first, which = np.unique(rows, return_index=True, return_inverse=True)
    earliest = files[first[which.ravel()]]
    return np.where(earliest < files, earliest, -1)


def describe_repeats(names: Sequence[str], where: NDArray[np.int64], earlier: NDArray[np.int64]) -> list[str]:
    """Describe which files repeat rows of which, a sentence each pair, the most rows first; a few of them."""
    pairs = Counter(zip(where.tolist(), earlier.tolist(), strict=True)).most_common()
    said = [
        f"{count_text(count, 'row')} of {names[file]} {'is' if count == 1 else 'are'} in {names[before]} too: "
        f"{'it is' if count == 1 else 'they are'} read once"
        for (file, before), count in pairs[:_SHOWN]
    ]
    return said + (
        [f"So were rows of {count_text(len(pairs) - _SHOWN, 'other pair')} of files"] if len(pairs) > _SHOWN else []
    )


def merge_rows(ids: NDArray[np.object_], good: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Merge the good rows of each id into its first one; a row without an id stands for itself.

    Returns
    -------
    extra : ndarray of bool
        Rows that an earlier one stands for.
    count : ndarray of int64
        How many rows the first of each id stands for; 1 elsewhere.
    """
    extra = np.zeros(len(ids), dtype=bool)
    count = np.ones(len(ids), dtype=np.int64)
    which = np.flatnonzero(good & (ids != ""))
    if len(which):
        _, first, number = np.unique(ids[which].astype(str), return_index=True, return_counts=True)
        extra[which] = True
        extra[which[first]] = False
        count[which[first]] = number
    return extra, count


def is_id_name(name: str) -> bool:
    """Whether a column's name says that it numbers incidents."""
    return _ID_NAME.fullmatch(re.sub(r"[\W_]", "", name.lower())) is not None


def describe_shared_ids(header: Sequence[str], rows: Iterable[Sequence[str]], same: Sequence[int]) -> str:
    """Describe that several rows tell of one incident, with the remedy; empty where they do not.

    Parameters
    ----------
    header : sequence of str
    rows : iterable of sequences of str
        The first ones: rows of one incident mostly stand together.
    same : sequence of int
        Columns of place and time, in which such rows do not differ.
    """
    columns = [n for n, name in enumerate(header) if is_id_name(name)]
    whole = [row for row in rows if len(row) >= len(header)]
    for column in columns:
        given = [(row[column], *(row[other] for other in same)) for row in whole if row[column].strip()]
        again = len(given) - len(set(given))
        if again > _WORTH_MERGING * max(len(given), 1):
            return (
                f"{again:,} of the first {count_text(len(given), 'row')} {'repeats' if again == 1 else 'repeat'}"
                f" {header[column]}, time and place of another: "
                "several rows tell of one incident, such as its charges or victims. Incident number = "
                f"{header[column]} (ID_FIELD) makes one point of them"
            )
    return ""


class KnownRows:
    """The rows of the layer that is appended to, as it keeps them.

    The file is a CSV: its first line holds a JSON object with the layer's CRS, the second names x, y, and the fields
    that the layer shares with an import.

    Parameters
    ----------
    path : path
    crs : str
        Of the file that is imported.
    there : sequence of str
        Its fields; others of the layer are not compared.
    """

    def __init__(self, path: str | Path, crs: str, there: Sequence[str]) -> None:
        with Path(path).open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            meta = json.loads(next(lines)[0])
            names = next(lines)
            kept = [number for number, name in enumerate(names) if name in there]
            #: The fields that are compared.
            self.fields = [names[number] for number in kept]
            rows = list(lines)
        x = np.array([float(row[0]) for row in rows])
        y = np.array([float(row[1]) for row in rows])
        if meta["crs"] != crs and len(rows):
            from rasterio.warp import transform

            x, y = (np.array(each) for each in transform(meta["crs"], crs, x, y)[:2])
        columns = [[row[number] for row in rows] for number in kept]
        self._keys = set(_make_keys(x, y, columns))

    def find(self, x: NDArray[np.float64], y: NDArray[np.float64], columns: Mapping[str, Sequence[Any]]) -> list[bool]:
        """Find out which rows are there already."""
        return [key in self._keys for key in _make_keys(x, y, [columns[name] for name in self.fields])]


def _make_keys(x: NDArray[np.float64], y: NDArray[np.float64], columns: Sequence[Sequence[Any]]) -> Iterator[int]:
    places = zip(np.round(x, _DECIMALS).tolist(), np.round(y, _DECIMALS).tolist(), strict=True)
    plain = [list(map(_reduce, column)) for column in columns]
    for place, *values in zip(places, *plain, strict=True):
        yield hash((place, *values))


def _reduce(value: Any) -> Any:
    """A value as it is compared: a layer may keep a number as a text, or the other way round."""
    if value is None or value == "":
        return None
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]"))
    if isinstance(value, str):
        value = value.strip()
        return (float(value) if _PLAIN.fullmatch(value) else value) if value else None
    return float(value)
