"""The labels that a model knows: numbered in their own order, so that neither rows nor labels need any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....ground.damage import ArraySpec, Damaged, check_arrays
from ..rows import MISSING, Coded

#: Number of a label that was never seen.
UNSEEN = -1


@dataclass(frozen=True)
class Vocabulary:
    """Labels in order; a row without a value has the empty one.

    Attributes
    ----------
    labels : tuple of str
    """

    labels: tuple[str, ...]

    @classmethod
    def learn(cls, coded: Coded) -> Vocabulary:
        """Learn the labels that occur."""
        codes = np.unique(coded.codes)
        return cls(tuple(sorted({"" if code == MISSING else coded.labels[code] for code in codes.tolist()})))

    def __len__(self) -> int:
        return len(self.labels)

    def number(self, coded: Coded) -> NDArray[np.int64]:
        """Number the label of each row; `UNSEEN` where it is not known."""
        numbers = {label: number for number, label in enumerate(self.labels)}
        # The empty label last, where `MISSING`, which is -1, finds it.
        table = [numbers.get(label, UNSEEN) for label in (*coded.labels, "")]
        return np.asarray(table, dtype=np.int64)[coded.codes]

    def state(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the labels as arrays of a model file."""
        return pack_texts(name, self.labels)

    @classmethod
    def restore(cls, name: str, state: Mapping[str, NDArray[Any]]) -> Vocabulary:
        """Take what `state` gave.

        Raises
        ------
        Damaged
        """
        labels = unpack_texts(name, state)
        if list(labels) != sorted(set(labels)):
            raise Damaged(f"{name} holds labels out of order")
        return cls(labels)


def pack_texts(name: str, texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Write texts as their bytes, one after the other, and where each ends."""
    parts = [text.encode("utf-8", "replace") for text in texts]
    return {
        f"{name}_bytes": np.frombuffer(b"".join(parts), dtype=np.uint8),
        f"{name}_ends": np.cumsum([len(part) for part in parts], dtype=np.int64),
    }


def unpack_texts(name: str, state: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """Read what `pack_texts` wrote.

    Raises
    ------
    Damaged
    """
    check_arrays({f"{name}_ends": ArraySpec("i", ("texts",), 0)}, state)
    given = np.asarray(state.get(f"{name}_bytes", ()))
    ends = np.asarray(state[f"{name}_ends"]).tolist()
    if given.dtype != np.uint8 or given.ndim != 1 or ends != sorted(ends) or (ends or [0])[-1] != len(given):
        raise Damaged(f"{name}_bytes holds no texts")
    data = given.tobytes()
    try:
        return tuple(data[low:high].decode("utf-8") for low, high in zip([0, *ends], ends, strict=False))
    except UnicodeDecodeError as error:
        raise Damaged(f"{name}_bytes holds no texts") from error
