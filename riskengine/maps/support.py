"""The units of space that incidents are counted on: a grid's cells, areas, or street segments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Kind = Literal["grid", "areas", "segments"]


class Support(ABC):
    """N units of space in a projected CRS in metres."""

    kind: ClassVar[Kind]
    #: WKT or authority code.
    crs: str
    #: All different; the cells of a grid have none.
    ids: tuple[str, ...]

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of an array of the units: (rows, columns) of a grid, else (N,)."""

    @property
    @abstractmethod
    def side(self) -> float:
        """How far apart units lie, metres: the side of a cell, or of a square as large as the median area."""

    @abstractmethod
    def measure_sizes(self) -> NDArray[np.float64]:
        """Measure the units, shape `shape`: square metres, of segments metres."""

    def measure_km(self) -> NDArray[np.float64]:
        """Measure the units, shape `shape`: km², of segments km, no finer than what tells two units apart.

        Cells and hexagons of a pattern differ by rounding alone, which must not decide which of them comes first.
        """
        plain = self.measure_sizes().astype(np.float32).astype(np.float64)
        return plain / (1e3 if self.kind == "segments" else 1e6)

    @abstractmethod
    def find_centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find x and y of a point in each unit, each of shape `shape`."""

    @abstractmethod
    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """Find the number of the unit that each point lies in, in the order of a flat array; -1 in none."""

    @abstractmethod
    def find_neighbours(self) -> csr_array:
        """Find which units touch, also at a corner: booleans of shape (N, N), units in the order of a flat array."""

    def take(self, units: NDArray[np.int64]) -> Support:
        """Take some of the units, in that order; a grid is whole."""
        raise NotImplementedError
