"""Logistic regression: a part for each value of each field, which add up to a logit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from ....ground.context import JobContext
from ....ground.damage import ArraySpec, check_arrays
from ..rows import Coded, Floats, Rows
from .columns import ColumnMaker, find_weekdays, order_rows
from .fields import FieldModel
from .onehot import OneHot

#: Inverse strength of scikit-learn's ridge penalty, and its steps.
_RIDGE, _STEPS = 1.0, 500


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
        context.progress(0.2, "Fitting a logistic regression")
        order = order_rows(table, rows.outcomes)
        self.encoding_ = OneHot(self.columns_).learn(table[order])
        model = LogisticRegression(C=_RIDGE, max_iter=_STEPS).fit(
            self.encoding_.encode(table[order]), rows.outcomes[order]
        )
        self.weights_ = np.append(model.coef_[0], model.intercept_)
        return True

    def _predict(self, rows: Rows) -> Floats:
        table = self.encoding_.encode(self.columns_.make(rows))
        return np.asarray(expit(table @ self.weights_[:-1] + self.weights_[-1]))

    def _state(self) -> dict[str, NDArray[Any]]:
        return self.columns_.state() | self.encoding_.state() | {"weights": self.weights_}

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.columns_ = LinearColumns(self.reading, self.rates_).restore(state)
        self.encoding_ = OneHot(self.columns_).restore(state)
        check_arrays({"weights": ArraySpec("f", (self.encoding_.width + 1,))}, state)
        self.weights_ = np.asarray(state["weights"])


def number_texts(values: NDArray[Any]) -> Coded:
    """Make texts of whole numbers from 0 on; no value where there is no such number."""
    known = np.isfinite(values) & (values >= 0)
    codes = np.where(known, np.where(known, values, 0), -1).astype(np.int32)
    return Coded(codes, [f"{number:02d}" for number in range(int(codes.max(initial=0)) + 1)])
