"""The simulated city."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.warp import transform

from riskengine.ground.errors import ParameterError
from riskengine.jobs import run_job
from riskengine.simulation.cityplan import hour_of_week
from riskengine.simulation.simulate import SimulatedCity, simulate_city


@pytest.fixture(scope="module")
def city() -> SimulatedCity:
    return simulate_city(60_000, days=364, seed=5, branching=0.4, decay_days=5.0, spread=100.0)


def test_the_same_seed_gives_the_same_city() -> None:
    first, second, other = (simulate_city(500, days=30, seed=seed) for seed in (3, 3, 4))
    for name in ("x", "y", "time", "category", "parent"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert not np.array_equal(first.x, other.x)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3000),
    st.integers(1, 60),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.2, 0.8]),
    st.floats(0.1, 50),
)
def test_what_always_holds(count: int, days: int, seed: int, branching: float, decay: float) -> None:
    made = simulate_city(count, days, seed, branching=branching, decay_days=decay)
    assert len(made) == count
    assert len(made.to_incidents()) == count
    assert (np.diff(made.time) >= np.timedelta64(0)).all()
    assert made.time[0] >= np.datetime64("2024-01-01")
    assert made.time[-1] < np.datetime64("2024-01-01") + np.timedelta64(days, "D")
    child = np.flatnonzero(made.parent >= 0)
    assert (made.parent < count).all()
    assert (made.time[made.parent[child]] <= made.time[child]).all()
    assert (made.category[made.parent[child]] == made.category[child]).all()
    assert np.isfinite(made.x).all()


def test_the_branching_ratio_is_recovered(city: SimulatedCity) -> None:
    # Incidents of the last 50 days have lost offspring to the end of the window.
    early = city.time < city.time[-1] - np.timedelta64(50, "D")
    children = np.bincount(city.parent[city.parent >= 0], minlength=len(city))
    assert children[early].mean() == pytest.approx(0.4, abs=0.015)


def test_offspring_are_near_in_time_and_place(city: SimulatedCity) -> None:
    child = np.flatnonzero(city.parent >= 0)
    parent = city.parent[child]
    delay = (city.time[child] - city.time[parent]).astype(float) / 86400
    assert delay.mean() == pytest.approx(5.0, rel=0.05)
    for values in (city.x, city.y):
        assert (values[child] - values[parent]).std() == pytest.approx(100.0, rel=0.05)


def test_day_and_week_have_their_rhythm(city: SimulatedCity) -> None:
    # Offspring follow their parents at any hour, so only the background keeps the rhythm.
    first = city.parent < 0
    for code in range(len(city.categories)):
        hours = hour_of_week(city.time[first & (city.category == code)])
        counts = np.bincount(hours, minlength=168)
        expected = city.background.week[code] * counts.mean()
        assert np.corrcoef(counts, expected)[0, 1] > 0.8
        np.testing.assert_allclose(counts.sum(), expected.sum())
    violence = city.categories.index("violence")
    assert city.background.week[violence].argmax() // 24 >= 5


def test_hour_of_week_begins_on_monday() -> None:
    assert hour_of_week(np.array(["2024-01-01T00:30:00", "2024-01-07T23:59:59"], dtype="datetime64[s]")).tolist() == [
        0,
        167,
    ]


def test_without_exactness_the_expected_number_is_right() -> None:
    counts = [len(simulate_city(2000, days=60, seed=seed, exact=False)) for seed in range(40)]
    # Families of mean size 1.3 spread a count wider than a Poisson's.
    assert np.mean(counts) == pytest.approx(2000, abs=5 * np.sqrt(2000 / 0.75**2 / 40))


def test_places_follow_the_density(city: SimulatedCity) -> None:
    # Importance sampling over the plane: the mean of 1/f over places drawn from f is the area they cover.
    random = np.random.default_rng(0)
    west, east = city.background.west, city.background.west + city.parameters["size"]
    south = city.background.south
    x = random.uniform(west, east, 400_000)
    y = random.uniform(south, south + east - west, 400_000)
    for code in range(len(city.categories)):
        density = city.background.compute_density(x, y, code)
        drawn = city.background.sample_places(20_000, code, random)
        inside = (drawn[0] >= west) & (drawn[0] < east) & (drawn[1] >= south) & (drawn[1] < south + east - west)
        assert density.mean() * (east - west) ** 2 == pytest.approx(inside.mean(), abs=0.03)
        north = y > south + (east - west) / 2
        expected = density[north].sum() / density.sum()
        assert (drawn[1][inside] > south + (east - west) / 2).mean() == pytest.approx(expected, abs=0.03)


def test_the_intensity_counts_the_incidents(city: SimulatedCity) -> None:
    # The integral of the intensity over the city in the hours of two weeks is the expected number.
    random = np.random.default_rng(1)
    size = city.parameters["size"]
    x = city.background.west + random.uniform(0, size, 3_000)
    y = city.background.south + random.uniform(0, size, 3_000)
    hours = np.datetime64("2024-06-03T00:30:00") + np.arange(0, 14 * 24, 7).astype("timedelta64[h]")
    mean = np.mean([city.compute_intensity(hour, x, y).mean() for hour in hours])
    start = np.datetime64("2024-06-03T00:00:00")
    seen = len(city.to_incidents().between(start, start + np.timedelta64(14, "D"))) / 14
    assert mean * size**2 / 1e6 == pytest.approx(seen, rel=0.15)


def test_the_intensity_rises_where_something_just_happened(city: SimulatedCity) -> None:
    row = len(city) // 2
    place = city.x[row : row + 1], city.y[row : row + 1]
    code = int(city.category[row])
    after = city.compute_intensity(city.time[row] + np.timedelta64(1, "s"), *place, category=code)[0]
    before = city.compute_intensity(city.time[row], *place, category=code)[0]
    kernel = 0.4 / 5.0 / (2 * np.pi * 100.0**2) * 1e6
    assert after - before == pytest.approx(kernel, rel=0.01)


@pytest.mark.parametrize(
    "wrong", [{"incidents": 0}, {"days": 0}, {"branching": 1.0}, {"decay_days": 0}, {"spread": -1}, {"size": 10}]
)
def test_impossible_parameters(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        simulate_city(**wrong)  # type: ignore[arg-type]


def test_the_job_writes_a_file_that_can_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "città.csv"
    made = run_job("simulate", {"path": str(path), "incidents": 2000, "days": 60, "seed": 2, "dirt": 0.05})
    assert made["incidents"] == 2000
    assert set(made["dirty"].values()) == {20}
    assert sum(made["categories"].values()) == 2000
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[0] == "longitude,latitude,datetime,category,district"
    assert "Île Verte" in text
    read = run_job("import_csv", {"path": str(path), "folder": str(tmp_path), "profile": "columns", **made["columns"]})
    assert (read["imported"], read["refused"]) == (1900, 100)
    assert set(read["reasons"].values()) == {20}


def test_neighbourhoods_fill_the_city_and_every_incident_names_its_own(tmp_path: Path) -> None:
    given = {"incidents": 3000, "days": 90, "areas": str(tmp_path / "n.gpkg"), "neighbourhoods": 40}
    run_job("simulate", {"path": str(tmp_path / "with.csv"), **given})
    meta, _, shapes, columns = pyogrio.raw.read(tmp_path / "n.gpkg")
    layer = dict(zip(meta["fields"].tolist(), columns, strict=True))
    shapes = shapely.from_wkb(shapes)
    assert meta["crs"] == "EPSG:32631"
    assert len(set(layer["id"])) == len(set(layer["name"])) == 40
    # They lie side by side and leave no hole in a city of 20 km.
    assert shapely.area(shapes).sum() == pytest.approx(20_000.0**2)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(20_000.0**2)
    assert (layer["deprivation"].min(), layer["deprivation"].max()) == (0, 100)
    table = pd.read_csv(tmp_path / "with.csv", keep_default_na=False)
    where = dict(zip(layer["id"], shapes, strict=True))
    x, y = transform("EPSG:4326", "EPSG:32631", table["longitude"].tolist(), table["latitude"].tolist())
    named = table["neighbourhood"] != ""
    assert named.mean() > 0.9
    for row in np.flatnonzero(named)[:200]:
        # Coordinates are rounded to a hand's breadth.
        assert where[table["neighbourhood"][row]].distance(shapely.Point(x[row], y[row])) < 0.2
    # The city is the same without them.
    run_job("simulate", {"path": str(tmp_path / "without.csv"), "incidents": 3000, "days": 90})
    pd.testing.assert_frame_equal(
        table.drop(columns="neighbourhood"), pd.read_csv(tmp_path / "without.csv", keep_default_na=False)
    )


def test_the_job_refuses_a_future_window(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="future"):
        run_job("simulate", {"path": str(tmp_path / "a.csv"), "start": "2090-01-01"})
    assert list(tmp_path.iterdir()) == []
