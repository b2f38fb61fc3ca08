"""Cells finer than places are exact."""

from __future__ import annotations

import numpy as np
import pytest
from kit.incidents import make_incidents

from riskengine.intake.finecells import describe_fine_cells, measure_rounding
from riskengine.intake.incidents import Incidents


def make_rounded(step: float) -> Incidents:
    """Half a year of incidents all over 5 km, their coordinates rounded."""
    random = np.random.default_rng(2)
    x, y = (np.round(random.uniform(0, 5000, 400) / step) * step for _ in range(2))
    times = np.datetime64("2024-01-01T12:00") + random.integers(0, 180, 400) * np.timedelta64(1, "D")
    return make_incidents(x, y, times)


@pytest.mark.parametrize("step", [10.0, 50.0, 100.0, 250.0])
def test_rounded_coordinates_are_told_from_smaller_cells(step: float) -> None:
    incidents = make_rounded(step)
    assert measure_rounding(incidents.x, incidents.y) == step
    assert describe_fine_cells(incidents, step / 2) == (
        f"Cells of {step / 2:g} m are finer than the data: coordinates are rounded to {step:g} m. Use larger cells."
    )
    assert describe_fine_cells(incidents, step) == ""


def test_coordinates_as_they_are_and_few_whole_ones_are_no_matter() -> None:
    assert describe_fine_cells(make_rounded(0.3), 5.0) == ""
    few = make_rounded(100.0).select(np.arange(4))
    assert measure_rounding(few.x, few.y) == 0.0
    assert describe_fine_cells(few.select(np.arange(0)), 5.0) == ""


def test_shared_points_far_apart_are_told() -> None:
    # 25 anonymised points 300 m apart hold all, as data.police.uk publishes them.
    random = np.random.default_rng(4)
    x, y = (random.integers(0, 5, 400) * 300.0 + 0.37 for _ in range(2))
    times = np.datetime64("2024-01-01T12:00") + np.sort(random.integers(0, 400, 400)) * np.timedelta64(1, "D")
    said = describe_fine_cells(make_incidents(x, y, times), 200.0)
    assert said.startswith("Cells of 200 m are finer than the data: half of the shared points have")
    assert describe_fine_cells(make_incidents(x, y, times), 400.0) == ""
