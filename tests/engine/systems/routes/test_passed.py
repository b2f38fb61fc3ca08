"""Incidents passed: along a straight way each within the distance counts once, and none beyond it."""

from __future__ import annotations

from math import erf

import numpy as np
import pytest

from riskengine.systems.routes.fields.passed import PassedField, compute_passing

BOX = (0.0, 0.0, 3000.0, 3000.0)
DISTANCE = 100.0


def add_up_along(beside: float, degrees: float) -> float:
    """What a way of 4 km adds up that goes by an incident so many metres beside it."""
    along, turn = np.arange(-2000, 2000, 5.0) + 2.5, np.radians(degrees)
    x = 1503.0 + along * np.cos(turn) - beside * np.sin(turn)
    y = 1507.0 + along * np.sin(turn) + beside * np.cos(turn)
    field = PassedField(np.array([1503.0]), np.array([1507.0]), DISTANCE, 2.0, BOX)
    inside = (x > 0) & (y > 0) & (x < 3000) & (y < 3000)
    return float(field.look_up(x[inside], y[inside]).sum() * 5.0)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 45.0])
def test_an_incident_within_the_distance_counts_once_however_near_it_is(degrees: float) -> None:
    near = np.array([add_up_along(beside, degrees) for beside in (0.0, 40.0, 80.0)])
    # Of one incident in two years: half stays where it is, the other half lies around by a Gaussian.
    around = [(erf((100 - beside) / 100 / 2**0.5) + erf((100 + beside) / 100 / 2**0.5)) / 2 for beside in (0, 40, 80)]
    assert near == pytest.approx((0.5 + 0.5 * np.array(around)) / 2, rel=0.02)


def test_beyond_the_distance_little_is_left_and_far_away_nothing() -> None:
    assert 0 < add_up_along(150.0, 20.0) < 0.25 * add_up_along(50.0, 20.0)
    assert add_up_along(1200.0, 0.0) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("cell", [5.0, 10.0, 40.0])
def test_over_all_lines_an_incident_adds_up_to_twice_the_distance(cell: float) -> None:
    assert compute_passing(DISTANCE, cell).sum() * cell**2 == pytest.approx(2 * DISTANCE)
