"""The map of an outcome: of each incident a probability, its interval, a class, and what is to be noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import OutcomeClass
from .expected import compute_limits
from .models.base import Predictor
from .reported import mark_definitions
from .rows import Floats, Rows

Mask = NDArray[np.bool_]
#: What is noted of incidents that are not rated.
FOUND_BY_POLICE, BY_DEFINITION, NOT_STRICT = "found by police", "outcome by definition", "not of the strict choice"


@dataclass(frozen=True, eq=False)
class Mapped:
    """What is said of N incidents.

    Attributes
    ----------
    probability, low, high : ndarray of float64, shape (N,)
        NaN for an incident that is not rated.
    classes : ndarray of str or None, shape (N,)
        An `OutcomeClass`; None where it is not rated.
    notes : ndarray of str or None, shape (N,)
    unseen : ndarray of bool, shape (N,)
        Rated, though something of it that its `Predictor` falls back on was never seen in training.
    """

    probability: Floats
    low: Floats
    high: Floats
    classes: NDArray[np.object_]
    notes: NDArray[np.object_]
    unseen: Mask


def map_outcomes(
    rows: Rows,
    probability: Floats,
    model: Predictor,
    drift: float,
    thresholds: tuple[float, float],
    left_out: dict[str, Mask],
) -> Mapped:
    """Say of each incident what the map shows.

    Parameters
    ----------
    rows : Rows
    probability : ndarray, shape (N,)
    model : Predictor
        That said so: it knows what it never saw, and how often it saw the rest.
    drift : float
        By how much the level of the test was off, of the logit.
    thresholds : (float, float)
        Likely above the one, unlikely below the other.
    left_out : dict of str to ndarray of bool, shape (N,)
        Incidents that are not rated, by what is noted of them; the first of several counts.
    """
    low, high = compute_limits(probability, model.count_alike(rows), drift)
    notes = note_unseen(rows, model)
    rated = np.ones(len(rows), dtype=np.bool_)
    for note, mask in reversed(left_out.items()):
        notes[mask] = note
        rated &= ~mask
    unseen = rated & (notes != None)  # noqa: E711
    probability, low, high = (np.where(rated, column, np.nan) for column in (probability, low, high))
    return Mapped(probability, low, high, choose_classes(probability, *thresholds), notes, unseen)


def choose_classes(probability: Floats, likely: float, unlikely: float) -> NDArray[np.object_]:
    """Choose the class of each probability; None for none."""
    named: tuple[OutcomeClass, OutcomeClass, OutcomeClass] = ("likely", "unlikely", "between")
    classes = np.select([probability > likely, probability < unlikely, probability >= unlikely], named, "")
    made: NDArray[np.object_] = classes.astype(object)
    made[classes == ""] = None
    return made


def note_unseen(rows: Rows, model: Predictor) -> NDArray[np.object_]:
    """Note of each incident what was never seen in training, and whose rate it takes; None for nothing."""
    notes: NDArray[np.object_] = np.full(len(rows), None, dtype=object)
    parent = "all incidents"
    for role, unseen in model.find_unseen(rows).items():
        notes[unseen] = f"{role} never seen: rate of {parent}"
        parent = f"its {role}"
    return notes


def leave_out(
    rows: Rows, victims: Mask, strict: Mask | None, definitions: Sequence[str]
) -> dict[str, Mask]:
    """Find the incidents that are not rated, by what is noted of them.

    Parameters
    ----------
    rows : Rows
    victims : ndarray of bool, shape (N,)
        Reported by victims or others, or all where all are rated.
    strict : ndarray of bool, shape (N,), or None
        None where the strict rule is not asked for.
    definitions : sequence of str
        Descriptions that are outcomes by definition, as the training had it; empty where they are rated.
    """
    found = {FOUND_BY_POLICE: ~victims, BY_DEFINITION: mark_definitions(rows, definitions)}
    if strict is not None:
        found[NOT_STRICT] = ~strict
    return found
