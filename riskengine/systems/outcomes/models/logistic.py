"""Logistic regression: a part for each value of each field, which add up to a logit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit

from ....ground.context import JobContext
from ....ground.damage import ArraySpec, check_arrays
from ..rows import Coded, Floats, Rows
from .columns import ColumnMaker, find_weekdays, order_rows
from .fields import FieldModel
from .onehot import OneHot

#: Strength of the ridge penalty, steps at most, and the slope of the mean loss at which they end.
_RIDGE, _STEPS, _SLOPE = 1.0, 500, 1e-5
#: No weight is larger: with an endless one nothing can be said.
_FARTHEST = 1e6


class LinearColumns(ColumnMaker):
    """Hours and days of the week are values like others: nothing follows a straight line through a day."""

    MOST: ClassVar[int] = 100_000

    def _list_texts(self, rows: Rows) -> dict[str, Coded]:
        clock = {"hour": number_texts(rows.hour), "weekday": number_texts(find_weekdays(rows.day))}
        return super()._list_texts(rows) | (clock if "time" in self.reading.groups else {})

    def _list_numbers(self, rows: Rows) -> dict[str, Floats]:
        numbers = super()._list_numbers(rows)
        return {name: values for name, values in numbers.items() if name not in ("time:hour", "time:weekday")}


class Logistic(FieldModel):
    """Logistic regression with a ridge penalty.

    Attributes
    ----------
    columns_ : LinearColumns
    encoding_ : OneHot
    weights_ : ndarray of float64, shape (width + 1,)
        The last is the constant.
    """

    def _fit(self, rows: Rows, context: JobContext) -> bool:
        self.columns_ = LinearColumns(self.reading, self.rates_)
        table = self.columns_.learn(rows)
        if not table.shape[1]:
            return False
        context.progress(0.1, "Fitting a logistic regression")
        order = order_rows(table, rows.outcomes)
        self.encoding_ = OneHot(self.columns_).learn(table[order])
        self.weights_ = fit_logistic(self.encoding_.encode(table[order]), rows.outcomes[order], context)
        return True

    def _predict(self, rows: Rows) -> Floats:
        table = self.encoding_.encode(self.columns_.make(rows))
        return np.asarray(expit(table @ self.weights_[:-1] + self.weights_[-1]))

    def _state(self) -> dict[str, NDArray[Any]]:
        return self.columns_.state() | self.encoding_.state() | {"weights": self.weights_}

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.columns_ = LinearColumns(self.reading, self.rates_).restore(state)
        self.encoding_ = OneHot(self.columns_).restore(state)
        check_arrays({"weights": ArraySpec("f", (self.encoding_.width + 1,), -_FARTHEST, _FARTHEST)}, state)
        self.weights_ = np.asarray(state["weights"])


def fit_logistic(table: csr_array, outcome: NDArray[np.bool_], context: JobContext) -> Floats:
    """Fit weights of the columns, and a constant, which is not drawn towards 0; can be cancelled between steps."""
    happened = outcome.astype(np.float64)

    def lose(weights: Floats) -> tuple[float, Floats]:
        context.check_cancelled()
        odds = table @ weights[:-1] + weights[-1]
        loss = (np.logaddexp(0.0, odds) - happened * odds).sum() + _RIDGE / 2 * (weights[:-1] ** 2).sum()
        over = expit(odds) - happened
        slope = np.append(table.T @ over + _RIDGE * weights[:-1], over.sum())
        return float(loss) / len(happened), slope / len(happened)

    start = np.zeros(table.shape[1] + 1)
    found = minimize(lose, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "gtol": _SLOPE})
    return np.asarray(found.x, dtype=np.float64)


def number_texts(values: NDArray[Any]) -> Coded:
    """Make texts of whole numbers from 0 on; no value where there is no such number."""
    known = np.isfinite(values) & (values >= 0)
    codes = np.where(known, np.where(known, values, 0), -1).astype(np.int32)
    return Coded(codes, [f"{number:02d}" for number in range(int(codes.max(initial=0)) + 1)])
