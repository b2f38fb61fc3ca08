"""Smoothed rates of nested fields: what models fall back on, and the tables that they must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....contract.outcomes import SMOOTHING, TextRole
from ....ground.damage import ArraySpec, Damaged, check_arrays
from ..rows import Floats, Rows
from .vocabulary import UNSEEN, Vocabulary, pack_texts, unpack_texts

#: Fields of a nested rate, the widest first.
NESTED: tuple[TextRole, ...] = ("category", "description", "location")
_LEARNED = ("keys", "rates", "counts")
Keys = NDArray[np.int64]


def smooth_rates(events: NDArray[Any], rows: NDArray[Any], parent: NDArray[Any] | float) -> Floats:
    """Draw shares towards their parent's, as if by `SMOOTHING` incidents more.

    Parameters
    ----------
    events, rows : ndarray
        Incidents with the outcome, and all.
    parent : ndarray or float
        In [0, 1].
    """
    return np.asarray((events + SMOOTHING * np.asarray(parent)) / (rows + SMOOTHING), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class NestedRates:
    """Share of incidents with the outcome by the first field, by the first two, and so on.

    Attributes
    ----------
    roles : tuple of TextRole
        Fields, the widest first.
    vocabularies : tuple of Vocabulary
        Of each.
    keys : tuple of ndarray of int64
        Of each number of fields: the combinations seen, in order.
    rates : tuple of ndarray of float64
        Their smoothed rates.
    counts : tuple of ndarray of int64
        How many rows each was learned from.
    overall : float
        Of all incidents, drawn towards a half as if by one more: it is never 0 or 1.
    """

    roles: tuple[TextRole, ...]
    vocabularies: tuple[Vocabulary, ...]
    keys: tuple[Keys, ...]
    rates: tuple[Floats, ...]
    counts: tuple[Keys, ...]
    overall: float

    @classmethod
    def learn(cls, rows: Rows, roles: Sequence[TextRole]) -> NestedRates:
        """Learn from rows with outcomes; fields that they lack are left out."""
        present = tuple(role for role in roles if role in rows.texts)
        vocabularies = tuple(Vocabulary.learn(rows.texts[role]) for role in present)
        events = rows.outcomes.astype(np.float64)
        overall = float((events.sum() + 0.5) / (len(rows) + 1))
        keys: list[Keys] = []
        rates: list[Floats] = []
        counts: list[Keys] = []
        parent: Floats = np.full(len(rows), overall)
        for combined in _combine(rows, present, vocabularies):
            seen, first, inverse, count = np.unique(
                combined, return_index=True, return_inverse=True, return_counts=True
            )
            found = smooth_rates(np.bincount(inverse, events, len(seen)), count, parent[first])
            keys.append(seen)
            rates.append(found)
            counts.append(count.astype(np.int64))
            parent = found[inverse]
        return cls(present, vocabularies, tuple(keys), tuple(rates), tuple(counts), overall)

    def find(self, rows: Rows) -> tuple[list[Floats], NDArray[np.int64]]:
        """Find the smoothed rates of rows.

        Returns
        -------
        rates : list of ndarray, shape (N,)
            Of no field, of one, and so on; a combination never seen has its parent's.
        depth : ndarray of int, shape (N,)
            How many of the fields were seen together.
        """
        rates: list[Floats] = [np.full(len(rows), self.overall)]
        depth = np.zeros(len(rows), dtype=np.int64)
        for place, values in zip(self.locate(rows), self.rates, strict=True):
            known = place != UNSEEN
            rates.append(np.where(known, np.append(values, 0.0)[place], rates[-1]))
            depth += known
        return rates, depth

    def locate(self, rows: Rows) -> list[NDArray[np.int64]]:
        """Find where in `keys` the first field, the first two, and so on of each row stand; `UNSEEN` for nowhere."""
        places = []
        for combined, keys in zip(_combine(rows, self.roles, self.vocabularies), self.keys, strict=True):
            place = np.searchsorted(keys, combined)
            places.append(np.where(np.append(keys, UNSEEN)[place] == combined, place, UNSEEN))
        return [np.where(place < len(keys), place, UNSEEN) for place, keys in zip(places, self.keys, strict=True)]

    def find_unseen(self, rows: Rows) -> dict[TextRole, NDArray[np.bool_]]:
        """Find by field the rows whose value was never seen, or not within those of the fields before it."""
        _, depth = self.find(rows)
        return {role: depth == number for number, role in enumerate(self.roles)}

    def count_alike(self, rows: Rows) -> NDArray[np.int64]:
        """Count the rows learned from that shared with each row as many of the fields as were seen, shape (N,)."""
        alike = np.zeros(len(rows), dtype=np.int64)
        for place, values in zip(self.locate(rows), self.counts, strict=True):
            alike = np.where(place != UNSEEN, np.append(values, 0)[place], alike)
        return alike

    def state(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the rates as arrays of a model file."""
        arrays: dict[str, NDArray[Any]] = {f"{name}_overall": np.asarray(self.overall)}
        arrays |= pack_texts(f"{name}_roles", self.roles)
        for role, vocabulary, *learned in zip(
            self.roles, self.vocabularies, self.keys, self.rates, self.counts, strict=True
        ):
            arrays |= vocabulary.state(f"{name}_{role}")
            arrays |= {f"{name}_{role}_{part}": array for part, array in zip(_LEARNED, learned, strict=True)}
        return arrays

    @classmethod
    def restore(cls, name: str, state: Mapping[str, NDArray[Any]], roles: Sequence[TextRole]) -> NestedRates:
        """Take what `state` gave.

        Parameters
        ----------
        roles : sequence of TextRole
            Which may be there, the widest first.

        Raises
        ------
        Damaged
        """
        written = unpack_texts(f"{name}_roles", state)
        present = tuple(role for role in roles if role in written)
        if present != written:
            raise Damaged(f"{name}_roles_bytes names other fields than those that it may")
        vocabularies = tuple(Vocabulary.restore(f"{name}_{role}", state) for role in present)
        check_arrays({f"{name}_overall": ArraySpec("f", (), 0, 1)}, state)
        for role in present:
            check_arrays(
                {
                    f"{name}_{role}_keys": ArraySpec("i", ("keys",), 0),
                    f"{name}_{role}_rates": ArraySpec("f", ("keys",), 0, 1),
                    f"{name}_{role}_counts": ArraySpec("i", ("keys",), 0),
                },
                state,
            )
            if (np.diff(state[f"{name}_{role}_keys"]) <= 0).any():
                raise Damaged(f"{name}_{role}_keys are out of order")
        keys, rates, counts = (
            tuple(np.asarray(state[f"{name}_{role}_{part}"]) for role in present) for part in _LEARNED
        )
        return cls(present, vocabularies, keys, rates, counts, float(state[f"{name}_overall"]))


def _combine(rows: Rows, roles: Sequence[TextRole], vocabularies: Sequence[Vocabulary]) -> list[Keys]:
    """One number for each combination of the first field, of the first two, and so on; below 0 where one is unseen."""
    combined: list[Keys] = []
    key = np.zeros(len(rows), dtype=np.int64)
    for role, vocabulary in zip(roles, vocabularies, strict=True):
        if role in rows.texts:
            number = vocabulary.number(rows.texts[role])
        else:
            number = np.full(len(rows), UNSEEN, dtype=np.int64)
        key = np.where((key >= 0) & (number >= 0), key * len(vocabulary) + number, np.int64(UNSEEN))
        combined.append(key)
    return combined
