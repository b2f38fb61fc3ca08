"""The table of boosting: fields, coordinates, and the smoothed rates of what a row shares with others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ....contract.outcomes import SMOOTHING, TextRole
from ....ground.damage import Damaged
from ..rows import MISSING, Coded, Floats, Rows
from .base import Reading
from .columns import ColumnMaker, Columns, Numbers, stack_columns
from .foldsums import NOWHERE, FoldSums, deal_folds, number_cells
from .rates import NestedRates
from .vocabulary import UNSEEN, Vocabulary, pack_texts, unpack_texts

KINDS = ("category", "kind")
#: Rates by name: of which fields together, towards which rate each is drawn, and as if by how many incidents more (a
#: street block sees few). A *kind* is a category with its description; where there is one of the two alone, it is the
#: category.
RATES: Mapping[str, tuple[tuple[str, ...], str, float]] = {
    "category": (("category",), "", SMOOTHING),
    "kind": (("kind",), "category", SMOOTHING),
    "location": (("kind", "location"), "kind", SMOOTHING),
    "domestic": (("kind", "domestic"), "kind", SMOOTHING),
    "setting": (("category", "location"), "category", SMOOTHING),
    "area": (("area", "kind"), "kind", SMOOTHING),
    "area_category": (("area", "category"), "category", SMOOTHING),
    "block": (("block",), "", 5.0),
    "block_category": (("block", "category"), "area_category", 5.0),
    "block_kind": (("block", "kind"), "kind", 5.0),
}
#: Counted too: how many incidents share these.
COUNTED = ("location", "block", "spot")
#: Metres: sides of the squares that stand for areas and blocks where there are none, and of a spot.
CELLS: Mapping[str, float] = {"area": 2000.0, "block": 100.0, "spot": 1.0}


class RateColumns(ColumnMaker):
    """Adds what became of others alike; of the rows learned from, none sees its own day.

    Parameters
    ----------
    reading : Reading
    kinds : NestedRates
    places : bool
        With coordinates and rates of places, in place of the name of the area.

    Attributes
    ----------
    places_ : dict of str to Vocabulary
        Areas and blocks by name, as far as rows have them.
    sums_ : dict of str to FoldSums
    """

    def __init__(self, reading: Reading, kinds: NestedRates, places: bool) -> None:
        super().__init__(reading, kinds)
        self.places = places and "place" in reading.groups

    def learn(self, rows: Rows) -> Columns:
        """Learn from rows with outcomes, and make their table; of outcomes a row sees those of other days alone."""
        self._learn_fields(rows)
        roles: tuple[TextRole, ...] = ("area", "block") if self.places else ()
        self.places_: dict[str, Vocabulary] = {
            role: Vocabulary.learn(rows.texts[role]) for role in roles if role in rows.texts
        }
        self.sums_: dict[str, FoldSums] = {}
        return self._stack(rows, rows.outcomes.astype(np.float64))

    def make(self, rows: Rows) -> Columns:
        """Make the table of rows, shape (N, columns), levels before numbers; NaN for what is not known."""
        return self._stack(rows, None)

    def _stack(self, rows: Rows, events: Floats | None) -> Columns:
        numbered = self._number_texts(rows)
        fields = self._assign_fields(rows, numbered)
        return stack_columns(len(rows), fields | self._make_rates(rows, numbered, events))

    @property
    def width(self) -> int:
        """How many columns there are."""
        sums = [name for name in self._list_sums() if name not in ("all", "spot")]
        return super().width + len(sums) + sum(name in self._list_sums() for name in COUNTED)

    def _make_rates(self, rows: Rows, numbered: dict[str, Numbers], events: Floats | None) -> dict[str, Floats]:
        """Make the columns of rates; with `events` it learns from them."""
        numbered = self._number_all(rows, numbered)
        fold = None if events is None else deal_folds(rows.day)
        count, sums = self._sum("all", np.zeros(len(rows), dtype=np.int64), fold, events)
        rates = {"": (sums + 0.5) / (count + 1)}
        counts: dict[str, Floats] = {}
        for name, (fields, parent, weight) in self._list_rates().items():
            counts[name], sums = self._sum(name, self._combine(numbered, fields), fold, events)
            rates[name] = (sums + weight * rates[parent]) / (counts[name] + weight)
        if self.places:
            counts["spot"], _ = self._sum("spot", numbered["spot"], fold, events)
        del rates[""]
        columns = {f"rate:{name}": values for name, values in rates.items()}
        return columns | {f"count:{name}": counts[name] for name in COUNTED if name in counts}

    def _sum(
        self, name: str, key: Numbers, fold: NDArray[np.int64] | None, values: Floats | None
    ) -> tuple[Floats, Floats]:
        if fold is None or values is None:
            return self.sums_[name].find(key)
        self.sums_[name], count, sums = FoldSums.learn(key, fold, values)
        return count, sums

    def _number_all(self, rows: Rows, numbered: dict[str, Numbers]) -> dict[str, Numbers]:
        """Number the value of each row by field, kinds and places too; below 0 for one never seen."""
        numbered = numbered | dict(zip(KINDS, (numbered[role] for role in self.kinds.roles), strict=False))
        if not self.places:
            return numbered
        texts: dict[str, Coded] = {role: rows.texts[role] for role in rows.texts}
        absent = Coded(np.full(len(rows), MISSING, dtype=np.int32), ())
        for name, size in CELLS.items():
            if name in self.places_:
                numbered[name] = self.places_[name].number(texts.get(name, absent))
            else:
                numbered[name] = number_cells(rows.x, rows.y, size)
        return numbered

    def _count_numbers(self, name: str) -> int:
        """How many numbers a field has that is combined with another."""
        if name in KINDS:
            return len(self.kinds.keys[KINDS.index(name)])
        return len(self.vocabularies_[name] if name in self.vocabularies_ else self.places_[name])

    def _combine(self, numbered: Mapping[str, Numbers], fields: tuple[str, ...]) -> Numbers:
        """Make one number of several fields'; `NOWHERE` where one was never seen."""
        key = numbered[fields[0]]
        for name in fields[1:]:
            number = numbered[name]
            both = (key > UNSEEN) & (number > UNSEEN)
            key = np.where(both, key * self._count_numbers(name) + number, NOWHERE)
        return key

    def _list_rates(self) -> dict[str, tuple[tuple[str, ...], str, float]]:
        """List the rates that it makes: those of which it has all fields, drawn towards the next that there is."""
        has = {*self.vocabularies_, *KINDS[: len(self.kinds.roles)], *(("area", "block") if self.places else ())}
        listed: dict[str, tuple[tuple[str, ...], str, float]] = {}
        for name, (fields, parent, weight) in RATES.items():
            if has.issuperset(fields):
                listed[name] = (fields, parent if parent in listed else "", weight)
        return listed

    def _list_sums(self) -> list[str]:
        """List the sums that it needs."""
        return ["all", *self._list_rates(), *(["spot"] if self.places else [])]

    def _list_texts(self, rows: Rows) -> dict[str, Coded]:
        # With coordinates, the name of the area adds noise.
        return {name: coded for name, coded in super()._list_texts(rows).items() if name != "area" or not self.places}

    def _list_numbers(self, rows: Rows) -> dict[str, Floats]:
        places = {"place:x": rows.x, "place:y": rows.y} if self.places else {}
        return super()._list_numbers(rows) | places

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what it learned as arrays of a model file."""
        arrays = super().state() | pack_texts("sums", tuple(self.sums_)) | pack_texts("places", tuple(self.places_))
        for role, vocabulary in self.places_.items():
            arrays |= vocabulary.state(f"place_{role}")
        for position, sums in enumerate(self.sums_.values()):
            arrays |= sums.state(f"sums{position}")
        return arrays

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take what `state` gave."""
        super().restore(state)
        roles = unpack_texts("places", state)
        if not {"area", "block"}.issuperset(roles):
            raise Damaged("places_bytes names other places than areas and blocks")
        self.places_ = {role: Vocabulary.restore(f"place_{role}", state) for role in roles}
        names = unpack_texts("sums", state)
        if list(names) != self._list_sums():
            raise Damaged("sums_bytes names other sums than those that it needs")
        self.sums_ = {name: FoldSums.restore(f"sums{position}", state) for position, name in enumerate(names)}
        return self
