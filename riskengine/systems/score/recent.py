"""The recent incidents: all that a prediction of the crime score may look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...intake.incidents import Incidents
from .definition import in_window
from .index import CrimeIndex

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RecentIncidents:
    """Incidents younger than `days` at the reference time, with their age and a search tree.

    Attributes
    ----------
    incidents : Incidents
    age : ndarray of float64, shape (n,)
        Days before the reference time.
    reference : datetime64[s]
    days : float
    """

    incidents: Incidents
    age: Floats
    reference: np.datetime64
    days: float

    @classmethod
    def of(cls, index: CrimeIndex, days: float, reference: np.datetime64 | None = None) -> RecentIncidents:
        """The recent incidents of an index; `reference` is the time of its last incident by default.

        Raises
        ------
        ParameterError
            For days <= 0.
        DataError
            If nothing lies in the window.
        """
        return cls.among(index.incidents, days, reference)

    @classmethod
    def among(cls, incidents: Incidents, days: float, reference: np.datetime64 | None = None) -> RecentIncidents:
        """The same of incidents without an index."""
        recent, reference = in_window(incidents, days, reference)
        kept = incidents.select(recent)
        age = (reference - kept.time).astype("timedelta64[s]").astype(np.float64) / 86_400
        return cls(kept, age, reference, float(days))

    def __len__(self) -> int:
        return len(self.incidents)

    @property
    def x(self) -> Floats:
        return self.incidents.x

    @property
    def y(self) -> Floats:
        return self.incidents.y

    @property
    def time(self) -> NDArray[np.datetime64]:
        return self.incidents.time

    @property
    def category(self) -> NDArray[np.int32]:
        return self.incidents.category

    @property
    def categories(self) -> list[str]:
        return self.incidents.categories

    @property
    def fid(self) -> NDArray[np.int64]:
        return self.incidents.fid

    @cached_property
    def tree(self) -> cKDTree:
        """The exact tree over the recent incidents, built when first needed."""
        return cKDTree(np.column_stack((self.x, self.y)))
