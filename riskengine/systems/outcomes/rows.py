"""Incidents with what is known of each when it is reported, and what became of it: the rows that models learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import TextRole

Floats = NDArray[np.float64]
#: Code of a row without a value; hour or minute of one without a time of day.
MISSING = -1


@dataclass(frozen=True, eq=False)
class Coded:
    """Texts as numbers.

    Attributes
    ----------
    codes : ndarray of int32, shape (N,)
        Into `labels`; `MISSING` for none.
    labels : sequence of str
    """

    codes: NDArray[np.int32]
    labels: Sequence[str]

    def select(self, rows: NDArray[Any]) -> Coded:
        """Select rows by mask or position; the labels stay."""
        return Coded(self.codes[rows], self.labels)


@dataclass(frozen=True, eq=False)
class Rows:
    """N incidents, in the order of their layer.

    Attributes
    ----------
    fid : ndarray of int64, shape (N,)
        Position of each in its table.
    day : ndarray of datetime64[D], shape (N,)
        NaT where no date is known.
    hour, minute : ndarray of int8, shape (N,)
        `MISSING` where no time of day is known. The minute is a leak: nothing reads it unless asked to.
    x, y : ndarray of float64, shape (N,)
        Metres in `crs`; NaN for no place.
    texts : dict of TextRole to Coded
        The roles that the data have.
    weather, census, other : dict of str to ndarray of float64, shape (N,)
        Numbers by the name of their field; NaN for none.
    labels : dict of str to Coded
        Other fields that are texts.
    told : ndarray of bool, shape (N,), or None
        Whether a text of it that said the outcome was left out; None where none did.
    happened : ndarray of bool, shape (N,), or None
        Whether it had the outcome; None where that is not known.
    crs : str
        Empty without places.
    """

    fid: NDArray[np.int64]
    day: NDArray[np.datetime64]
    hour: NDArray[np.int8]
    minute: NDArray[np.int8]
    x: Floats
    y: Floats
    texts: Mapping[TextRole, Coded]
    weather: Mapping[str, Floats] = field(default_factory=dict)
    census: Mapping[str, Floats] = field(default_factory=dict)
    other: Mapping[str, Floats] = field(default_factory=dict)
    labels: Mapping[str, Coded] = field(default_factory=dict)
    happened: NDArray[np.bool_] | None = None
    crs: str = ""
    told: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.fid)

    @property
    def outcomes(self) -> NDArray[np.bool_]:
        """`happened` of rows that models learn from or are judged by."""
        assert self.happened is not None
        return self.happened

    def select(self, rows: NDArray[Any]) -> Rows:
        """Select rows by mask or position."""
        return replace(
            self,
            fid=self.fid[rows],
            day=self.day[rows],
            hour=self.hour[rows],
            minute=self.minute[rows],
            x=self.x[rows],
            y=self.y[rows],
            texts={role: coded.select(rows) for role, coded in self.texts.items()},
            weather={name: values[rows] for name, values in self.weather.items()},
            census={name: values[rows] for name, values in self.census.items()},
            other={name: values[rows] for name, values in self.other.items()},
            labels={name: coded.select(rows) for name, coded in self.labels.items()},
            happened=None if self.happened is None else self.happened[rows],
            told=None if self.told is None else self.told[rows],
        )
