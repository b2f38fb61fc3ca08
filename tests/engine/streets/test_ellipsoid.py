"""Lengths on the ellipsoid against values from other sources."""

from __future__ import annotations

import math

import numpy as np
import pytest

from riskengine.streets.ellipsoid import measure_distances

AXIS, FLATTENING = 6378137.0, 1 / 298.257223563


def measure(*places: float) -> float:
    return float(measure_distances(*(np.array([each]) for each in places))[0])


@pytest.mark.parametrize(
    ("places", "metres"),
    [
        ((0, 0, 1, 0), AXIS * math.radians(1)),
        # The first degree of the meridian, of published tables of WGS 84.
        ((0, 0, 0, 1), 110574.389),
        # New York's airport to London's, after Karney.
        ((-73.8, 40.6, -0.5, 51.6), 5551759.400),
    ],
)
def test_known_distances_are_met_to_a_millimetre(places: tuple[float, ...], metres: float) -> None:
    assert measure(*places) == pytest.approx(metres, abs=1e-3)


@pytest.mark.parametrize("latitude", [0.0, 33.4, -51.5, 78.2])
@pytest.mark.parametrize("step", [1e-7, 1e-4, 1e-3])
def test_streets_are_as_long_as_the_curvature_says(latitude: float, step: float) -> None:
    square = FLATTENING * (2 - FLATTENING)
    bend = 1 - square * math.sin(math.radians(latitude)) ** 2
    east = AXIS / math.sqrt(bend) * math.cos(math.radians(latitude)) * math.radians(step)
    north = AXIS * (1 - square) / bend**1.5 * math.radians(step)
    assert measure(10, latitude, 10 + step, latitude) == pytest.approx(east, abs=1e-5)
    assert measure(10, latitude - step / 2, 10, latitude + step / 2) == pytest.approx(north, abs=1e-5)


def test_a_street_over_the_date_line_is_short_and_one_without_length_has_none() -> None:
    assert measure(179.9999, 0, -179.9999, 0) == pytest.approx(AXIS * math.radians(0.0002), abs=1e-4)
    assert measure(-76.6, 39.3, -76.6, 39.3) == 0
