"""The model that is kept: fitted on all days whose outcomes are known, and shifted to their latest level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import DataError
from .expected import measure_drift
from .judged import OutcomeStudy
from .models.base import Predictor
from .rows import MISSING, Rows
from .shift import learn_shift
from .splits import find_span

_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, eq=False)
class Trained:
    """A model with what it was trained on.

    Attributes
    ----------
    predictor : Predictor
    shift : float
        Of the logit: how far the level had moved by the last days.
    drift : float
        By how much the levels of categories were off in the test, of the logit: what an interval must allow for.
    rows : Rows
    first, last : str
        ISO dates.
    """

    predictor: Predictor
    shift: float
    drift: float
    rows: Rows
    first: str
    last: str


def train_kept(
    rows: Rows, make: Callable[[], Predictor], maturity: int, study: OutcomeStudy, context: JobContext
) -> Trained:
    """Fit a model on all rows but those of the last days, whose outcomes are not known yet.

    Parameters
    ----------
    rows : Rows
    make : callable
        Makes the model, not fitted.
    maturity : int
        Days until outcomes are known.
    study : OutcomeStudy
        Of the same model: what it said of the test.

    Raises
    ------
    DataError
        If no row is old enough.
    """
    known = rows.select(find_mature(rows, maturity))
    if not len(known):
        raise DataError(
            f"All incidents are of the last {count_text(maturity, 'day')}, in which outcomes are not known yet",
            parameter="maturity",
            value=maturity,
            remedy="Give incidents of more days, or a smaller maturity",
        )
    first, last = find_span(known.day)
    context.progress(0.0, "Fitting the model that is kept")
    with context.step(0.0, 0.5):
        predictor = make().fit(known, context)
    with context.step(0.5, 1.0):
        shift = learn_shift(make, known, maturity, context=context)
    return Trained(predictor, shift.value, _measure_drift(rows, study), known, str(first), str(last))


def find_mature(rows: Rows, maturity: int) -> NDArray[np.bool_]:
    """Find the rows with a day whose outcomes are known at the end of the file, shape (N,)."""
    last = find_span(rows.day)[1]
    return np.asarray(rows.day <= last - maturity * _DAY, dtype=np.bool_)


def _measure_drift(rows: Rows, study: OutcomeStudy) -> float:
    tested = study.tested_rows
    if tested is None:
        return 0.0
    asked = rows.select(tested.rows)
    category = asked.texts.get("category")
    codes = category.codes if category is not None else np.full(len(asked), MISSING, dtype=np.int32)
    return measure_drift(tested.probability, asked.outcomes, codes)
