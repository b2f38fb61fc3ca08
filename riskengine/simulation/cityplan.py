"""The simulated city's background: hot areas, streets, and the rhythm of the week."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

CRS = "EPSG:32631"
CENTRE = (500_000.0, 5_300_000.0)
CATEGORIES = ("burglary", "theft", "violence", "vehicle crime")

_SHARES = np.array([0.18, 0.42, 0.25, 0.15])
#: Share of the background that lies in hot areas rather than along the streets of the whole city.
_HOT = np.array([0.45, 0.7, 0.75, 0.5])
#: Hour of the day at which each category peaks, how sharply, and how much more there is at weekends.
_PEAK = np.array([14.0, 16.0, 22.0, 2.0])
_SHARPNESS = np.array([0.6, 1.0, 1.3, 0.9])
_WEEKEND = np.array([0.8, 0.9, 1.6, 1.1])


@dataclass(frozen=True)
class Background:
    """Where and when background incidents happen.

    Attributes
    ----------
    rate : ndarray
        Background incidents a day, per category.
    week : ndarray, (categories, 168)
        Weight of each hour of the week from Monday 0 h; its mean over the simulated window is 1.
    weights : ndarray, (categories, areas)
        Share of each hot area in f_c; they sum to the category's share of hot areas.
    x, y, sd : ndarray
        Centres and standard deviations of the hot areas.
    cells : ndarray, (rows, columns)
        Share of each base cell in the base; sums to 1.
    cell, street, width : float
        Sides of a base cell, distance between streets, width of a street; metres.
    west, south : float
        Corner of the base.
    """

    rate: NDArray[np.float64]
    week: NDArray[np.float64]
    weights: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    sd: NDArray[np.float64]
    cells: NDArray[np.float64]
    cell: float
    street: float
    width: float
    west: float
    south: float

    def compute_density(self, x: NDArray[Any], y: NDArray[Any], category: int) -> NDArray[np.float64]:
        """Compute f_c at these places, per square metre."""
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        column = np.floor((x - self.west) / self.cell).astype(np.int64)
        row = np.floor((y - self.south) / self.cell).astype(np.int64)
        rows, columns = self.cells.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        share = np.where(inside, self.cells[np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)], 0.0)
        # Half of a cell's incidents lie along its north-south streets, half along the others.
        on_street = sum(
            (np.abs((value % self.street) - self.street / 2) <= self.width / 2).astype(np.float64)
            for value in (x - self.west, y - self.south)
        )
        density = (1 - self.weights[category].sum()) * share / self.cell**2
        density = density * np.asarray(on_street) / 2 * self.street / self.width
        for weight, west, south, sd in zip(self.weights[category], self.x, self.y, self.sd, strict=True):
            square = ((x - west) ** 2 + (y - south) ** 2) / sd**2
            density = density + weight / (2 * np.pi * sd**2) * np.exp(-square / 2)
        return np.asarray(density, dtype=np.float64)

    def sample_places(
        self, count: int, category: int, random: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sample `count` places from f_c, in random order."""
        weights = self.weights[category]
        per_area = random.multinomial(count, [*weights, max(0.0, 1 - weights.sum())])
        area = np.repeat(np.arange(len(weights)), per_area[:-1])
        x = [self.x[area] + self.sd[area] * random.standard_normal(len(area))]
        y = [self.y[area] + self.sd[area] * random.standard_normal(len(area))]
        base = int(per_area[-1])
        cells = np.repeat(np.arange(self.cells.size), random.multinomial(base, self.cells.ravel()))
        row, column = np.divmod(cells, self.cells.shape[1])
        along = random.uniform(0, self.cell, base)
        streets = round(self.cell / self.street)
        across = (random.integers(0, streets, base) + 0.5) * self.street + random.uniform(-0.5, 0.5, base) * self.width
        vertical = random.random(base) < 0.5
        x.append(self.west + column * self.cell + np.where(vertical, across, along))
        y.append(self.south + row * self.cell + np.where(vertical, along, across))
        order = random.permutation(count)
        return np.concatenate(x)[order], np.concatenate(y)[order]

    def with_rate(self, rate: float) -> Background:
        """The same city with `rate` background incidents a day."""
        return replace(self, rate=_SHARES * rate)


def sample_background(
    random: np.random.Generator, rate: float, size: float, window: NDArray[np.datetime64]
) -> Background:
    """Sample a random city of `size` metres with `rate` background incidents a day over the hours of `window`."""
    areas, cell = 12, 500.0
    west, south = CENTRE[0] - size / 2, CENTRE[1] - size / 2
    side = max(2, int(size // cell))
    shape = (side, side)
    away = np.hypot(*np.meshgrid(*(2 * [np.linspace(-1, 1, side)]), indexing="ij"))
    cells = random.lognormal(0.0, 0.9, shape) * np.exp(-1.5 * away**2)
    hours = np.arange(168)
    swing = np.cos(2 * np.pi * ((hours % 24) + 0.5 - _PEAK[:, None]) / 24)
    week = np.exp(_SHARPNESS[:, None] * swing) * np.where(hours // 24 >= 5, _WEEKEND[:, None], 1.0)
    weights = random.dirichlet(np.full(areas, 0.6), len(CATEGORIES)) * _HOT[:, None]
    return Background(
        rate=_SHARES * rate,
        week=week / week[:, hour_of_week(window)].mean(axis=1, keepdims=True),
        weights=weights,
        x=CENTRE[0] + random.normal(0, size / 6, areas),
        y=CENTRE[1] + random.normal(0, size / 6, areas),
        sd=random.uniform(size / 80, size / 20, areas),
        cells=cells / cells.sum(),
        cell=cell,
        street=125.0,
        width=16.0,
        west=west,
        south=south,
    )


def hour_of_week(time: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Hours since Monday, 0 h."""
    # 1970-01-01 was a Thursday: three days after a Monday.
    return np.asarray((time.astype("datetime64[h]").astype(np.int64) + 72) % 168)
