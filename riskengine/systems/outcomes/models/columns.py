"""The table that trees are grown on: categories as levels, numbers as they are, and what was before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....contract.outcomes import TextRole
from ....ground.damage import ArraySpec, Damaged, check_arrays
from ..rows import MISSING, Coded, Floats, Rows
from .base import Reading
from .past import NOWHERE, PastSums, number_cells
from .rates import NESTED, NestedRates, smooth_rates
from .trees import MOST_LEVELS
from .vocabulary import Vocabulary, pack_texts, unpack_texts

Columns = NDArray[np.float32]

#: Sides of the squares, metres, in which earlier outcomes are summed.
CELLS = (250.0, 1000.0)
#: Residuals are rounded to so small a part that their sums are exact, in whichever order.
_GRAIN = 2.0**-24


@dataclass(frozen=True, eq=False)
class Levels:
    """The most frequent values of a field, each a level, and one for all others.

    Attributes
    ----------
    level : ndarray of int64, shape (values,)
        Of each value by its number.
    """

    level: NDArray[np.int64]

    @classmethod
    def learn(cls, numbers: NDArray[np.int64], values: int) -> Levels:
        """Learn from the number of each row's value, all of which are known."""
        count = np.bincount(numbers, minlength=values)
        if values <= MOST_LEVELS:
            return cls(np.arange(values))
        kept = np.sort(np.argsort(-count, kind="stable")[: MOST_LEVELS - 1])
        level = np.full(values, MOST_LEVELS - 1)
        level[kept] = np.arange(len(kept))
        return cls(level)

    @property
    def has_rest(self) -> bool:
        """Whether there are more values than levels."""
        return len(self.level) > MOST_LEVELS

    def assign(self, numbers: NDArray[np.int64]) -> Floats:
        """Assign levels; NaN to a value never seen."""
        return np.append(self.level.astype(np.float64), np.nan)[numbers]


class ColumnMaker:
    """Makes the table of a model's fields; what it learned is in attributes that end in ``_``.

    Parameters
    ----------
    reading : Reading
    places : bool
        With coordinates and past local rates.

    Attributes
    ----------
    kinds_ : NestedRates
        Categories with their descriptions.
    vocabularies_ : dict of str to Vocabulary
        Of all other texts.
    levels_ : dict of str to Levels
    numbers_ : tuple of str
        Numbers that it reads, as ``group:field``.
    past_ : dict of str to PastSums
    """

    def __init__(self, reading: Reading, places: bool) -> None:
        self.reading = reading
        self.places = places

    def learn(self, rows: Rows) -> Columns:
        """Learn from rows with outcomes, and make their table; of outcomes a row sees those of earlier days alone."""
        self.kinds_ = NestedRates.learn(rows, [role for role in NESTED[:2] if role in self.reading.groups])
        self.vocabularies_ = {name: Vocabulary.learn(coded) for name, coded in self._list_texts(rows).items()}
        sizes = self._count_values()
        self.levels_ = {name: Levels.learn(number, sizes[name]) for name, number in self._number_texts(rows).items()}
        self.numbers_ = tuple(name for name, values in self._list_numbers(rows).items() if np.isfinite(values).any())
        self.past_: dict[str, PastSums] = {}
        return self._make(rows, learning=True)

    def make(self, rows: Rows) -> Columns:
        """Make the table of rows, shape (N, columns); NaN for what is not known."""
        return self._make(rows, learning=False)

    @property
    def categories(self) -> int:
        """How many columns, the first ones, are levels."""
        return len(self.levels_)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.levels_) + len(self.numbers_) + self._has_rare + self._has_places * len(CELLS)

    def _make(self, rows: Rows, learning: bool) -> Columns:
        columns: dict[str, NDArray[Any]] = {}
        for name, values in self._number_texts(rows).items():
            columns[name] = self.levels_[name].assign(values)
        given = self._list_numbers(rows)
        for name in self.numbers_:
            columns[name] = given.get(name, np.full(len(rows), np.nan))
        columns |= self._make_past(rows, learning)
        table = np.empty((len(rows), len(columns)), dtype=np.float32)
        for position, column in enumerate(columns.values()):
            table[:, position] = column
        return table

    def _make_past(self, rows: Rows, learning: bool) -> dict[str, Floats]:
        """What earlier outcomes say: the rate of rare descriptions, and how much more often it happened nearby."""
        columns: dict[str, Floats] = {}
        events = rows.outcomes.astype(np.float64) if learning else None
        if self._has_rare or (learning and self._has_places):
            expected = self._find_past_rates(rows, events)
        if self._has_rare:
            level = self.levels_[self.kinds_.roles[-1]].assign(self.kinds_.locate(rows)[-1])
            columns["rare"] = np.where(level < MOST_LEVELS - 1, np.nan, expected)
        if self._has_places:
            over = None if events is None else np.rint((events - expected) / _GRAIN) * _GRAIN
            for size in CELLS:
                cell = number_cells(rows.x, rows.y, size)
                count, sums = self._sum(_name_cells(size), cell, rows, over)
                local = smooth_rates(sums, count, 0.0)
                columns[_name_cells(size)] = np.where((cell == NOWHERE) | np.isnat(rows.day), np.nan, local)
        return columns

    def _find_past_rates(self, rows: Rows, events: Floats | None) -> Floats:
        """The smoothed rate of each row's description before its day, and where that is new of its category."""
        # The first day knows nothing: as if one of two had happened.
        count, sums = self._sum("all", np.zeros(len(rows), dtype=np.int64), rows, events)
        rate = (sums + 0.5) / (count + 1)
        for role, place in zip(self.kinds_.roles, self.kinds_.locate(rows), strict=True):
            count, sums = self._sum(role, place, rows, events)
            rate = smooth_rates(sums, count, rate)
        return rate

    def _sum(self, name: str, key: NDArray[np.int64], rows: Rows, values: Floats | None) -> tuple[Floats, Floats]:
        if values is None:
            return self.past_[name].find(key, rows.day)
        self.past_[name], count, sums = PastSums.learn(key, rows.day, values)
        return count, sums

    @property
    def _has_rare(self) -> bool:
        """Whether descriptions are more than levels, so that the rare ones have their rate beside them."""
        return bool(self.kinds_.roles) and self.levels_[self.kinds_.roles[-1]].has_rest

    @property
    def _has_places(self) -> bool:
        return "place:x" in self.numbers_

    def _list_sums(self) -> list[str]:
        """List the sums over earlier days that it needs."""
        kinds = ["all", *self.kinds_.roles] if self._has_rare or self._has_places else []
        return kinds + (list(map(_name_cells, CELLS)) if self._has_places else [])

    def _list_texts(self, rows: Rows) -> dict[str, Coded]:
        """List the texts but categories and their descriptions, by a name of their own."""
        groups = self.reading.groups
        roles: list[TextRole] = [role for role in ("location", "domestic") if role in groups]
        # With coordinates, the name of the area adds noise.
        roles += ["area"] if "place" in groups and not self.places else []
        texts: dict[str, Coded] = {role: rows.texts[role] for role in roles if role in rows.texts}
        labels = {f"label:{name}": rows.labels[name] for name in sorted(rows.labels)} if "other" in groups else {}
        return {**texts, **labels}

    def _count_values(self) -> dict[str, int]:
        """How many values of each text it knows; a description counts once in each of its categories."""
        kinds: dict[str, int] = {role: len(keys) for role, keys in zip(self.kinds_.roles, self.kinds_.keys, strict=True)}
        return {**kinds, **{name: len(vocabulary) for name, vocabulary in self.vocabularies_.items()}}

    def _number_texts(self, rows: Rows) -> dict[str, NDArray[np.int64]]:
        """Number the value of each row by text."""
        kinds: dict[str, NDArray[np.int64]] = dict(zip(self.kinds_.roles, self.kinds_.locate(rows), strict=True))
        texts = self._list_texts(rows)
        absent = Coded(np.full(len(rows), MISSING, dtype=np.int32), ())
        others = {name: known.number(texts.get(name, absent)) for name, known in self.vocabularies_.items()}
        return {**kinds, **others}

    def _list_numbers(self, rows: Rows) -> dict[str, Floats]:
        """List the numbers that rows have and the model may read, as ``group:field``."""
        groups = self.reading.groups
        numbers: dict[str, Floats] = {}
        if "time" in groups:
            numbers["time:hour"] = np.where(rows.hour == MISSING, np.nan, rows.hour)
            if self.reading.minute:
                numbers["time:minute"] = np.where(rows.minute == MISSING, np.nan, rows.minute)
            numbers["time:weekday"] = find_weekdays(rows.day)
        if self.places and "place" in groups:
            numbers |= {"place:x": rows.x, "place:y": rows.y}
        for group, fields in (("weather", rows.weather), ("census", rows.census), ("other", rows.other)):
            if group in groups:
                numbers |= {f"{group}:{name}": fields[name] for name in sorted(fields)}
        return numbers

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what it learned as arrays of a model file."""
        arrays = self.kinds_.state("kinds") | pack_texts("numbers", self.numbers_)
        arrays |= pack_texts("texts", tuple(self.vocabularies_))
        for number, vocabulary in enumerate(self.vocabularies_.values()):
            arrays |= vocabulary.state(f"text{number}")
        for position, levels in enumerate(self.levels_.values()):
            arrays[f"levels{position}"] = levels.level
        arrays |= pack_texts("past", tuple(self.past_))
        for number, sums in enumerate(self.past_.values()):
            arrays |= sums.state(f"past{number}")
        return arrays

    def restore(self, state: Mapping[str, NDArray[Any]]) -> ColumnMaker:
        """Take what `state` gave.

        Raises
        ------
        Damaged
        """
        self.kinds_ = NestedRates.restore("kinds", state, NESTED[:2])
        self.numbers_ = unpack_texts("numbers", state)
        names = unpack_texts("texts", state)
        self.vocabularies_ = {name: Vocabulary.restore(f"text{number}", state) for number, name in enumerate(names)}
        self.levels_ = {}
        for number, (name, values) in enumerate(self._count_values().items()):
            spec = ArraySpec("i", (values,), 0, MOST_LEVELS - 1)
            check_arrays({f"levels{number}": spec}, state)
            self.levels_[name] = Levels(np.asarray(state[f"levels{number}"]))
        self.past_ = {
            name: PastSums.restore(f"past{number}", state) for number, name in enumerate(unpack_texts("past", state))
        }
        if set(self.past_) != set(self._list_sums()):
            raise Damaged("past_bytes names other sums than those that it needs")
        return self


def find_weekdays(day: NDArray[np.datetime64]) -> Floats:
    """Find the days of the week, 0 for Monday; NaN where no day is known."""
    # 1 January 1970 was a Thursday.
    return np.where(np.isnat(day), np.nan, (day.astype("datetime64[D]").astype(np.int64) + 3) % 7)


def _name_cells(size: float) -> str:
    return f"local_{size:g}"
