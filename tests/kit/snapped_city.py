"""A small city whose incidents lie at shared points, as police.uk's do: for the study of area hotspots."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from kit.incidents import make_incidents
from kit.panels import make_panel

from riskengine.intake.incidents import Incidents
from riskengine.maps.panel import Extras, Panel

#: Areas from west to east, and from south to north; each is a square of 1 km.
SIDE = 6
MONTHS = 17
_POINTS = 250
_A_MONTH = 120


def make_snapped_incidents(months: int = MONTHS, seed: int = 0) -> Incidents:
    """Make incidents of so many months from January 2020 at 250 points: few have most, half of the city has none."""
    random = np.random.default_rng(seed)
    x, y = random.uniform(0, SIDE * 500.0, _POINTS), random.uniform(0, SIDE * 1000.0, _POINTS)
    weight = random.pareto(1.5, _POINTS) + 0.1
    point = random.choice(_POINTS, months * _A_MONTH, p=weight / weight.sum())
    month = np.repeat(np.datetime64("2020-01") + np.arange(months), _A_MONTH)
    return make_incidents(x[point], y[point], month.astype("datetime64[s]"))


def make_city(covariates: int = 2, seed: int = 0, **more: Any) -> Panel:
    """Make the panel of its areas, with fixed covariates that differ from area to area."""
    west, south = np.meshgrid(np.arange(SIDE) * 1000.0, np.arange(SIDE) * 1000.0)
    shapes = shapely.box(west.ravel(), south.ravel(), west.ravel() + 1000, south.ravel() + 1000)
    number = SIDE * SIDE
    values = np.random.default_rng(seed).normal(size=(covariates, number)).astype(np.float32)
    names = tuple(("Income", "Health", "Crime")[:covariates])
    extras = Extras(static=values, static_names=names, channels=np.zeros((0, MONTHS, number), dtype=np.uint8))
    more = {"extras": extras, **more}
    return make_panel(np.ones((MONTHS, number), dtype=np.uint8), [f"A{each}" for each in range(number)], shapes, **more)
