"""The contract of an outcome model: fit on rows with outcomes, predict probabilities, write itself as arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ....contract.outcomes import MODELS, OutcomeGroup, TextRole
from ....ground.context import JobContext
from ..rows import Floats, Rows


@dataclass(frozen=True)
class Reading:
    """What a model may read.

    Attributes
    ----------
    groups : tuple of OutcomeGroup
        Groups of features.
    minute : bool
        The recorded minute too, which is a leak.
    seed : int
    """

    groups: tuple[OutcomeGroup, ...]
    minute: bool = False
    seed: int = 0


class Predictor(ABC):
    """A model of an outcome; what it learned is in attributes that end in ``_``.

    Parameters
    ----------
    reading : Reading
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    @abstractmethod
    def fit(self, rows: Rows, context: JobContext | None = None) -> Self:
        """Learn from rows with outcomes; labels of texts may be in any order, and models keep those that they know."""

    @abstractmethod
    def predict(self, rows: Rows) -> Floats:
        """Predict the probability of the outcome, shape (N,), in (0, 1).

        Values never seen take their parent's smoothed rate. Rows need not have outcomes, and their labels may be
        others than those of the rows learned from.
        """

    def find_unseen(self, rows: Rows) -> Mapping[TextRole, NDArray[np.bool_]]:
        """Find by field the rows whose value was never seen, and which therefore take its parent's rate."""
        return {}

    def count_alike(self, rows: Rows) -> NDArray[np.int64]:
        """Count the rows learned from of each row's kind, as far as it was seen: how sure a rate of them is."""
        return np.zeros(len(rows), dtype=np.int64)

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """What it learned, as arrays for a model file."""

    @abstractmethod
    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take what `state` gave; raises `Damaged` where it does not hold together."""


def make_predictor(name: str, reading: Reading) -> Predictor:
    """Make a model by its name in `MODELS`, reading no group beyond what it can."""
    record = MODELS[name]
    module, _, kind = record.place.partition(":")
    made: type[Predictor] = getattr(import_module(f"{__package__}.{module}"), kind)
    groups = tuple(group for group in reading.groups if group in record.groups)
    return made(Reading(groups, reading.minute, reading.seed))


def limit_probabilities(probability: NDArray[Any]) -> Floats:
    """Keep probabilities off 0 and 1, so that a logit can be had of each."""
    return np.clip(np.asarray(probability, dtype=np.float64), 1e-6, 1 - 1e-6)
