"""A trained outcome model, and its file (``.crimeoutcome``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict, Field

from ...contract.outcomes import MODELS, OutcomeGroup, ReadableLeak
from ...ground.artefacts import compute_fingerprint
from ...ground.damage import CrsText, Damaged, Moment
from ...intake.project import move_places
from ...learning.modelfile import Card, FileKind
from .models.base import Predictor, Reading, make_predictor
from .rows import Floats, Rows
from .shift import shift_probabilities

KIND = "crimerisk.crimeoutcome"
FORMAT = 1
SUFFIX = ".crimeoutcome"
_FARTHEST = 20.0


class OutcomeCard(Card):
    """Everything an outcome model says about itself.

    Attributes
    ----------
    name : str
        In `contract.outcomes.MODELS`.
    groups : list of OutcomeGroup
        Groups of features that it reads.
    minute : bool
        It reads the recorded minute, which is a leak.
    seed : int
    shift : float
        Added to the logit: how far the level had moved by the last days.
    drift : float
        By how much the levels of categories were off in the test, of the logit.
    outcome : str
        What counts, such as ``an arrest (Arrest is True)``.
    fields : dict of str to str
        Names of the fields that it read, by role.
    weather, census, other : list of str
        Names of further fields.
    people : list of str
        Those of them that describe people.
    found : list of str
        Categories that police discover.
    definitions : list of str
        Descriptions that are outcomes by definition, as the incidents learned from have it.
    leaks : list of str
        Of `READABLE_LEAKS`, what was asked for: it is read, or shown on the map.
    first, last : str
        First and last day of the incidents learned from, ISO.
    rows : int
        So many of them.
    rate : float
        Share of them with the outcome.
    maturity : int
        Days at the end of the file that were left out.
    crs : str
        Of the places; empty without any.
    fingerprint : str
        Of the incidents learned from.
    metrics : dict
        Of the test.
    versions : dict
    """

    model_config = ConfigDict(allow_inf_nan=False)
    kind: str = KIND
    format: int = FORMAT
    name: str
    groups: list[OutcomeGroup]
    minute: bool = False
    seed: int
    shift: float = Field(ge=-_FARTHEST, le=_FARTHEST)
    drift: float = Field(ge=0, le=_FARTHEST)
    outcome: str
    fields: dict[str, str] = {}
    weather: list[str] = []
    census: list[str] = []
    other: list[str] = []
    people: list[str] = []
    found: list[str] = []
    definitions: list[str] = []
    leaks: list[ReadableLeak] = []
    first: Moment
    last: Moment
    rows: int = Field(ge=1)
    rate: float = Field(ge=0, le=1)
    maturity: int = Field(ge=0)
    crs: CrsText | Literal[""] = ""
    fingerprint: str
    metrics: dict[str, Any] = {}
    versions: dict[str, str]


OUTCOME_MODEL = FileKind(
    KIND,
    FORMAT,
    OutcomeCard,
    "outcome model",
    f"Choose a {SUFFIX} file written by Train outcome model, or train it again",
)


@dataclass(frozen=True, eq=False)
class OutcomeModel:
    """A model with its card."""

    predictor: Predictor
    card: OutcomeCard

    def predict(self, rows: Rows) -> Floats:
        """Predict the probability of the outcome at the latest level, shape (N,)."""
        return shift_probabilities(self.predictor.predict(_move_rows(rows, self.card.crs)), self.card.shift)

    def save(self, path: str | Path, parameter: str = "model_output") -> None:
        """Write the file whole or not at all."""
        OUTCOME_MODEL.write(path, self.predictor.state(), self.card, parameter)


def _move_rows(rows: Rows, crs: str) -> Rows:
    """Bring places to the CRS of a training: a part of a city may have its middle in another zone than the whole."""
    placed = np.isfinite(rows.x) & np.isfinite(rows.y)
    if not crs or rows.crs in ("", crs) or not placed.any():
        return rows
    x, y = rows.x.copy(), rows.y.copy()
    x[placed], y[placed] = move_places(x[placed], y[placed], rows.crs, crs)
    return replace(rows, x=x, y=y, crs=crs)


def load_outcome_model(path: str | Path, parameter: str = "model") -> OutcomeModel:
    """Read a model's file; runs no code of it.

    Raises
    ------
    FormatError
    """
    card, arrays = OUTCOME_MODEL.read(path, parameter)
    if card.name not in MODELS:
        raise OUTCOME_MODEL.make_error(path, f"holds a model of a kind that is not known here ({card.name})", parameter)
    made = make_predictor(card.name, Reading(tuple(card.groups), card.minute, card.seed))
    try:
        return OutcomeModel(made.restore(arrays), card)
    except (Damaged, KeyError, ValueError, IndexError, TypeError) as error:
        raise OUTCOME_MODEL.make_misfit_error(path, parameter, error) from error


def compute_rows_fingerprint(rows: Rows) -> str:
    """Compute a short hash of the incidents: days, hours, places, texts, and what became of them."""
    texts: Mapping[str, Any] = {str(role): coded for role, coded in sorted(rows.texts.items())}
    codes = [coded.codes for coded in texts.values()]
    labels = "\0".join(label for coded in texts.values() for label in coded.labels).encode("utf-8", "replace")
    return compute_fingerprint(
        rows.day.astype(np.int64),
        rows.hour,
        rows.x,
        rows.y,
        *codes,
        np.frombuffer(labels, dtype=np.uint8),
        rows.outcomes,
    )
