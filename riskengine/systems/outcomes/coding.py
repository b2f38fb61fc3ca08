"""Fields of a table as labels or numbers, so that the same value is the same whatever type a file gives it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import clean_text, part_text, show_name
from ...ground.context import JobContext
from ...ground.errors import ParameterError
from ...ground.wholetables import WholeTable
from ...intake.numbers import read_numbers
from .rows import MISSING, Coded, Floats

#: Whole numbers as columns of real numbers write them.
_POINTED = re.compile(r"(-?\d+)\.0+")
#: A text field is one of numbers if so many of its values are.
_NUMBERS = 0.9


def read_labels(table: WholeTable, name: str) -> Coded:
    """Read a field as labels: blanks are none, outer and double blanks and the point of ``24.0`` are left out."""
    codes, labels = table.code(name)
    return merge_labels(codes, [_tidy(label) for label in labels])


def merge_labels(codes: NDArray[np.int32], labels: Sequence[str]) -> Coded:
    """Make one of labels that are the same; an empty one is none."""
    known: dict[str, int] = {}
    numbers = [MISSING if not label else known.setdefault(label, len(known)) for label in labels]
    by_code = np.array([*numbers, MISSING], dtype=np.int32)
    return Coded(by_code[np.where(codes < 0, len(labels), codes)], list(known))


def read_feature(table: WholeTable, name: str, context: JobContext) -> Floats | Coded:
    """Read a field as numbers, or as labels where most of its values are no numbers."""
    kind = table.fields[name]
    if kind in ("integer", "long", "real", "boolean"):
        numbers = np.array(table.column(name), dtype=np.float64)
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers
    if kind not in ("text", "other"):
        raise ParameterError(
            f"The field {show_name(name)} holds dates, and no numbers or texts",
            parameter="fields",
            value=name,
            remedy="Leave it out: the day and the hour are features of their own",
        )
    labels = read_labels(table, name)
    numbers, refused = read_numbers(labels.labels)
    rows = np.bincount(labels.codes[labels.codes != MISSING], minlength=len(labels.labels))
    fine = np.isfinite(numbers)
    if not fine.any() or rows[fine].sum() < _NUMBERS * rows.sum():
        return labels
    if lost := int(rows[~fine].sum()) if refused else 0:
        is_none = "holds no number there and is taken as missing", "hold no number there and are taken as missing"
        context.warn(f"{show_name(name)}: {part_text(lost, len(table), 'row', *is_none)}")
    return np.append(numbers, np.nan)[labels.codes]


def _tidy(label: str) -> str:
    plain = " ".join(clean_text(label).split())
    pointed = _POINTED.fullmatch(plain)
    return pointed[1] if pointed else plain
