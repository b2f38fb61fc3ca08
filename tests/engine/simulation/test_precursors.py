"""Shootings of the simulated city that follow violence: as many as were asked for, and found as theory says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskengine.ground.errors import ParameterError
from riskengine.jobs import run_job
from riskengine.simulation.districts import make_neighbourhoods
from riskengine.simulation.precursors import (
    Targets,
    add_targets,
    compute_expected,
    compute_recall,
    draw_targets,
    measure_shares,
)
from riskengine.simulation.simulate import SimulatedCity, simulate_city

DAYS = 730


@pytest.fixture(scope="module")
def city() -> SimulatedCity:
    return simulate_city(12_000, days=DAYS, seed=7, branching=0.0)


@pytest.fixture(scope="module")
def followed(city: SimulatedCity) -> Targets:
    return draw_targets(city, 3000, share=0.6, hours=36.0)


def test_as_many_follow_violence_as_were_asked_for_in_its_place_and_time(
    city: SimulatedCity, followed: Targets
) -> None:
    assert len(followed) == pytest.approx(3000, abs=170)
    rows = followed.precursor[followed.precursor >= 0]
    assert len(rows) / len(followed) == pytest.approx(0.6, abs=0.03)
    assert {city.categories[code] for code in city.category[rows]} == {"violence"}
    after = followed.precursor >= 0
    lag = (followed.time[after] - city.time[rows]) / np.timedelta64(3600, "s")
    assert lag.min() >= 0
    assert lag.max() <= 36
    assert lag.mean() == pytest.approx(18, abs=0.8)
    assert np.array_equal(followed.x[after], city.x[rows])


def test_without_strength_nothing_follows_and_the_city_stays_as_it_was(city: SimulatedCity) -> None:
    alone = draw_targets(city, 3000, share=0.0)
    assert (alone.precursor == -1).all()
    assert len(alone) == pytest.approx(3000, abs=170)
    both = add_targets(city, alone)
    kept = both.category != both.categories.index("shooting")
    assert np.array_equal(both.x[kept], city.x)
    assert np.array_equal(both.time[kept], city.time)
    assert (np.diff(both.time) >= np.timedelta64(0)).all()


@pytest.mark.parametrize("late", [0, 24])
@pytest.mark.parametrize("share", [0.0, 0.6])
def test_warnings_by_the_true_intensity_catch_what_theory_says(city: SimulatedCity, late: int, share: float) -> None:
    areas = make_neighbourhoods(city, 40)
    begins = np.datetime64("2024-01-08", "s") + np.arange(DAYS - 9) * np.timedelta64(86_400, "s")
    caught, theory, events, expected_events = [], [], 0, 0.0
    for seed in range(4):
        # The same violence and other shootings: its seed alone is another.
        other = SimulatedCity(**{**vars(city), "parameters": city.parameters | {"seed": seed}})
        targets = draw_targets(other, 3000, share, hours=36.0)
        unit = areas.locate(city.x, city.y)
        shares = measure_shares(city, areas.locate, 40)
        expected = compute_expected(city, targets, unit, shares, begins, 24, late)
        counts = np.zeros_like(expected)
        day = ((targets.time - begins[0]) // np.timedelta64(86_400, "s")).astype(int)
        where = areas.locate(targets.x, targets.y)
        fine = (day >= 0) & (day < len(begins)) & (where >= 0)
        np.add.at(counts, (day[fine], where[fine]), 1)
        events += counts.sum()
        expected_events += expected.sum()
        ranked = np.argsort(-expected.ravel(), kind="stable")[: expected.size // 10]
        caught.append(counts.ravel()[ranked].sum() / counts.sum())
        theory.append(compute_recall(expected, 0.1))
    assert expected_events == pytest.approx(events, rel=0.03)
    assert np.mean(caught) == pytest.approx(np.mean(theory), abs=0.02)


def test_precursors_raise_what_can_be_caught_and_a_delay_lowers_it(city: SimulatedCity) -> None:
    areas = make_neighbourhoods(city, 40)
    unit, shares = areas.locate(city.x, city.y), measure_shares(city, areas.locate, 40)
    begins = np.datetime64("2024-01-08", "s") + np.arange(DAYS - 9) * np.timedelta64(86_400, "s")

    def find(share: float, late: int) -> float:
        targets = draw_targets(city, 3000, share, hours=36.0)
        return compute_recall(compute_expected(city, targets, unit, shares, begins, 24, late), 0.1)

    assert find(0.6, 0) > find(0.6, 24) + 0.05
    assert find(0.6, 24) > find(0.0, 0) + 0.005
    assert find(0.0, 24) == pytest.approx(find(0.0, 0), abs=1e-9)


def test_what_cannot_be_is_refused(city: SimulatedCity) -> None:
    with pytest.raises(ParameterError, match=r"'share' is 1\.5"):
        draw_targets(city, 10, share=1.5)


def test_the_job_writes_shootings_where_they_are_asked_for_and_else_what_it_always_wrote(tmp_path: Path) -> None:
    asked = {"incidents": 2000, "days": 60, "seed": 3}
    plain = run_job("simulate", asked | {"path": str(tmp_path / "plain.csv")})
    more = run_job(
        "simulate",
        asked | {"path": str(tmp_path / "more.csv"), "targets": 300, "precursors": 0.5, "precursor_hours": 24},
    )
    one, other = (pd.read_csv(tmp_path / f"{name}.csv", dtype=str) for name in ("plain", "more"))
    assert "shooting" not in plain["categories"]
    assert more["categories"]["shooting"] == pytest.approx(300, abs=70)
    assert more["parameters"]["precursors"] == 0.5
    kept = other[other["category"] != "shooting"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, one)
