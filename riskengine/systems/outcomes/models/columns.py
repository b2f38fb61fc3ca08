"""The table that models of many fields read: the values of each text as levels, and numbers as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ....contract.outcomes import TextRole
from ....ground.damage import ArraySpec, Damaged, check_arrays
from ..rows import MISSING, Coded, Floats, Rows
from .base import Reading
from .rates import NestedRates
from .trees import MOST_LEVELS
from .vocabulary import Vocabulary, pack_texts, unpack_texts

Columns = NDArray[np.float32]
Numbers = NDArray[np.int64]
#: Names of numbers: what they are of, and their field.
_NUMBER = re.compile("(?:time|place|weather|census|other):", re.ASCII)
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Levels:
    """The most frequent values of a field, each a level, and one level for all others.

    Attributes
    ----------
    level : ndarray of int64, shape (values,)
        Of each value by its number.
    most : int
        Levels at most.
    """

    level: Numbers
    most: int

    @classmethod
    def learn(cls, numbers: Numbers, values: int, most: int) -> Levels:
        """Learn from the number of each row's value, all of which are known."""
        if values <= most:
            return cls(np.arange(values), most)
        kept = np.sort(np.argsort(-np.bincount(numbers, minlength=values), kind="stable")[: most - 1])
        level = np.full(values, most - 1)
        level[kept] = np.arange(len(kept))
        return cls(level, most)

    @property
    def has_rest(self) -> bool:
        """Whether there are more values than levels."""
        return len(self.level) > self.most

    @property
    def count(self) -> int:
        """How many levels there are."""
        return min(len(self.level), self.most)

    def assign(self, numbers: Numbers) -> Floats:
        """Assign levels; NaN to a value never seen."""
        return np.append(self.level.astype(np.float64), np.nan)[numbers]


class ColumnMaker:
    """Makes the table of a model's fields; what it learned is in attributes that end in ``_``.

    Parameters
    ----------
    reading : Reading
    kinds : NestedRates
        Categories with their descriptions, as learned from the same rows.

    Attributes
    ----------
    vocabularies_ : dict of str to Vocabulary
        Of all other texts.
    levels_ : dict of str to Levels
    numbers_ : tuple of str
        Numbers that it reads, as ``group:field``.
    """

    #: Levels of a text, at most.
    MOST: ClassVar[int] = MOST_LEVELS

    def __init__(self, reading: Reading, kinds: NestedRates) -> None:
        self.reading = reading
        self.kinds = kinds

    def learn(self, rows: Rows) -> Columns:
        """Learn from rows with outcomes, and make their table."""
        self._learn_fields(rows)
        return stack_columns(len(rows), self._make_fields(rows))

    def make(self, rows: Rows) -> Columns:
        """Make the table of rows, shape (N, columns), levels before numbers; NaN for what is not known."""
        return stack_columns(len(rows), self._make_fields(rows))

    def _learn_fields(self, rows: Rows) -> None:
        self.vocabularies_ = {name: Vocabulary.learn(coded) for name, coded in self._list_texts(rows).items()}
        sizes = self._count_values()
        numbered = self._number_texts(rows)
        self.levels_ = {name: Levels.learn(number, sizes[name], self.MOST) for name, number in numbered.items()}
        self.numbers_ = tuple(name for name, values in self._list_numbers(rows).items() if np.isfinite(values).any())

    def _make_fields(self, rows: Rows) -> dict[str, Floats]:
        return self._assign_fields(rows, self._number_texts(rows))

    def _assign_fields(self, rows: Rows, numbered: Mapping[str, Numbers]) -> dict[str, Floats]:
        columns = {name: self.levels_[name].assign(values) for name, values in numbered.items()}
        given = self._list_numbers(rows)
        return columns | {name: given.get(name, np.full(len(rows), np.nan)) for name in self.numbers_}

    @property
    def categories(self) -> int:
        """How many columns, the first ones, are levels."""
        return len(self.levels_)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.levels_) + len(self.numbers_)

    def _list_texts(self, rows: Rows) -> dict[str, Coded]:
        """List the texts but categories and their descriptions, by a name of their own."""
        groups = self.reading.groups
        roles: list[TextRole] = [role for role in ("location", "domestic") if role in groups]
        roles += ["area"] if "place" in groups else []
        texts: dict[str, Coded] = {role: rows.texts[role] for role in roles if role in rows.texts}
        labels = {f"label:{name}": rows.labels[name] for name in sorted(rows.labels)} if "other" in groups else {}
        return {**texts, **labels}

    def _list_numbers(self, rows: Rows) -> dict[str, Floats]:
        """List the numbers that rows have and the model may read, as ``group:field``."""
        groups = self.reading.groups
        numbers: dict[str, Floats] = {}
        if "time" in groups:
            numbers["time:hour"] = np.where(rows.hour == MISSING, np.nan, rows.hour)
            if self.reading.minute:
                numbers["time:minute"] = np.where(rows.minute == MISSING, np.nan, rows.minute)
            numbers["time:weekday"] = find_weekdays(rows.day)
        for group, fields in (("weather", rows.weather), ("census", rows.census), ("other", rows.other)):
            if group in groups:
                numbers |= {f"{group}:{name}": fields[name] for name in sorted(fields)}
        return numbers

    def _count_values(self) -> dict[str, int]:
        """How many values of each text it knows; a description counts once in each of its categories."""
        kinds: dict[str, int] = {role: len(keys) for role, keys in zip(self.kinds.roles, self.kinds.keys, strict=True)}
        return {**kinds, **{name: len(vocabulary) for name, vocabulary in self.vocabularies_.items()}}

    def _number_texts(self, rows: Rows) -> dict[str, Numbers]:
        """Number the value of each row by text."""
        kinds: dict[str, Numbers] = dict(zip(self.kinds.roles, self.kinds.locate(rows), strict=True))
        texts = self._list_texts(rows)
        absent = Coded(np.full(len(rows), MISSING, dtype=np.int32), ())
        others = {name: known.number(texts.get(name, absent)) for name, known in self.vocabularies_.items()}
        return {**kinds, **others}

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what it learned as arrays of a model file."""
        arrays = pack_texts("numbers", self.numbers_) | pack_texts("texts", tuple(self.vocabularies_))
        for position, vocabulary in enumerate(self.vocabularies_.values()):
            arrays |= vocabulary.state(f"text{position}")
        return arrays | {f"levels{position}": kept.level for position, kept in enumerate(self.levels_.values())}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take what `state` gave.

        Raises
        ------
        Damaged
        """
        self.numbers_, names = unpack_texts("numbers", state), unpack_texts("texts", state)
        # Columns go by their names: of two of one name the table would have one, and the model would read two.
        if len({*self.numbers_}) < len(self.numbers_) or not all(_NUMBER.match(name) for name in self.numbers_):
            raise Damaged("numbers_bytes names no fields of numbers")
        if len({*self.kinds.roles, *names}) < len(self.kinds.roles) + len(names) or any(
            ":" in name and not name.startswith("label:") for name in names
        ):
            raise Damaged("texts_bytes names other fields than it may")
        self.vocabularies_ = {name: Vocabulary.restore(f"text{number}", state) for number, name in enumerate(names)}
        self.levels_ = {}
        for position, (name, values) in enumerate(self._count_values().items()):
            check_arrays({f"levels{position}": ArraySpec("i", (values,), 0, min(values, self.MOST) - 1)}, state)
            self.levels_[name] = Levels(np.asarray(state[f"levels{position}"]), self.MOST)
        return self


def stack_columns(rows: int, columns: Mapping[str, Floats]) -> Columns:
    """Put columns beside each other; of numbers that so few digits cannot hold, the largest stands for all."""
    table = np.empty((rows, len(columns)), dtype=np.float32)
    for position, column in enumerate(columns.values()):
        table[:, position] = np.clip(column, -_LARGEST, _LARGEST)
    return table


def find_weekdays(day: NDArray[np.datetime64]) -> Floats:
    """Find the days of the week, 0 for Monday; NaN where no day is known."""
    # 1 January 1970 was a Thursday.
    return np.where(np.isnat(day), np.nan, (day.astype("datetime64[D]").astype(np.int64) + 3) % 7)


def order_rows(table: Columns, outcome: NDArray[np.bool_]) -> Numbers:
    """Put rows into an order that follows from what they hold: sums of gradients depend on it in the last digit."""
    random = np.random.default_rng(0)
    factors = random.integers(1, 2**63, (table.shape[1],), dtype=np.uint64) * np.uint64(2)
    factors += np.uint64(1)
    mixed = outcome.astype(np.uint64)
    for number in range(table.shape[1]):
        mixed += np.ascontiguousarray(table[:, number]).view(np.uint32).astype(np.uint64) * factors[number]
        mixed ^= mixed >> np.uint64(29)
    # Rows that are mixed alike are alike, and any order of these will do.
    return np.argsort(mixed)
