"""The table of boosting: fields, the past rate of rare descriptions, coordinates, and past rates nearby."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ....ground.damage import Damaged
from ..rows import Coded, Floats, Rows
from .base import Reading
from .columns import ColumnMaker, Columns, Numbers, stack_columns
from .past import NOWHERE, PastSums, number_cells
from .rates import NestedRates, smooth_rates
from .vocabulary import pack_texts, unpack_texts

#: Sides of the squares, metres, in which earlier outcomes are summed.
CELLS = (250.0, 1000.0)
#: Residuals are rounded to so small a part that their sums are exact, in whichever order.
_GRAIN = 2.0**-24


class PastColumns(ColumnMaker):
    """Adds what earlier days say; no row sees the outcome of its own day or of a later one.

    Parameters
    ----------
    reading : Reading
    kinds : NestedRates
    places : bool
        With coordinates and past local rates, in place of the name of the area.

    Attributes
    ----------
    past_ : dict of str to PastSums
        Outcomes by kind; and by square, how many more there were than the kinds let expect.
    """

    def __init__(self, reading: Reading, kinds: NestedRates, places: bool) -> None:
        super().__init__(reading, kinds)
        self.places = places

    def learn(self, rows: Rows) -> Columns:
        """Learn from rows with outcomes, and make their table; of outcomes a row sees those of earlier days alone."""
        self._learn_fields(rows)
        self.past_: dict[str, PastSums] = {}
        past = self._make_past(rows, rows.outcomes.astype(np.float64))
        return stack_columns(len(rows), self._make_fields(rows) | past)

    def make(self, rows: Rows) -> Columns:
        """Make the table of rows, shape (N, columns), levels before numbers; NaN for what is not known."""
        return stack_columns(len(rows), self._make_fields(rows) | self._make_past(rows, None))

    @property
    def width(self) -> int:
        """How many columns there are."""
        return super().width + self._has_rare + self._has_places * len(CELLS)

    def _make_past(self, rows: Rows, events: Floats | None) -> dict[str, Floats]:
        """What earlier outcomes say: the rate of rare descriptions, and how much more often it happened nearby.

        With `events` it learns from them.
        """
        columns: dict[str, Floats] = {}
        if self._has_rare or (self._has_places and events is not None):
            expected = self._find_past_rates(rows, events)
        if self._has_rare:
            levels = self.levels_[self.kinds.roles[-1]]
            level = levels.assign(self.kinds.locate(rows)[-1])
            columns["rare"] = np.where(level < levels.count - 1, np.nan, expected)
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
        for role, place in zip(self.kinds.roles, self.kinds.locate(rows), strict=True):
            count, sums = self._sum(role, place, rows, events)
            rate = smooth_rates(sums, count, rate)
        return rate

    def _sum(self, name: str, key: Numbers, rows: Rows, values: Floats | None) -> tuple[Floats, Floats]:
        if values is None:
            return self.past_[name].find(key, rows.day)
        self.past_[name], count, sums = PastSums.learn(key, rows.day, values)
        return count, sums

    @property
    def _has_rare(self) -> bool:
        """Whether descriptions are more than levels, so that the rare ones have their rate beside them."""
        return bool(self.kinds.roles) and self.levels_[self.kinds.roles[-1]].has_rest

    @property
    def _has_places(self) -> bool:
        return "place:x" in self.numbers_

    def _list_sums(self) -> list[str]:
        """List the sums over earlier days that it needs."""
        kinds = ["all", *self.kinds.roles] if self._has_rare or self._has_places else []
        return kinds + (list(map(_name_cells, CELLS)) if self._has_places else [])

    def _list_texts(self, rows: Rows) -> dict[str, Coded]:
        # With coordinates, the name of the area adds noise.
        return {name: coded for name, coded in super()._list_texts(rows).items() if name != "area" or not self.places}

    def _list_numbers(self, rows: Rows) -> dict[str, Floats]:
        places = {"place:x": rows.x, "place:y": rows.y} if self.places and "place" in self.reading.groups else {}
        return super()._list_numbers(rows) | places

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what it learned as arrays of a model file."""
        arrays = super().state() | pack_texts("past", tuple(self.past_))
        for position, sums in enumerate(self.past_.values()):
            arrays |= sums.state(f"past{position}")
        return arrays

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take what `state` gave."""
        super().restore(state)
        names = unpack_texts("past", state)
        if set(names) != set(self._list_sums()):
            raise Damaged("past_bytes names other sums than those that it needs")
        self.past_ = {name: PastSums.restore(f"past{position}", state) for position, name in enumerate(names)}
        return self


def _name_cells(size: float) -> str:
    return f"local_{size:g}"
