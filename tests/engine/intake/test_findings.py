"""What the recording of incidents does to a forecast, told from the incidents themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kit.incidents import make_incidents
from rasterio.warp import transform

from riskengine.intake.findings import Finding, list_category_findings, list_findings, measure_places
from riskengine.intake.incidents import Incidents


def days(count: int, over: int = 365) -> np.ndarray:
    start = np.datetime64("2022-01-01T09:30:00", "s")
    return start + (np.arange(count) * over * 86_400 // count).astype("timedelta64[s]")


def kinds(found: list[Finding]) -> list[str]:
    return [finding.kind for finding in found]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(4)


def test_places_as_they_are_give_no_finding(random: np.random.Generator) -> None:
    x, y = random.normal(0, 3000, (2, 5000))
    assert list_findings(make_incidents(x, y, days(5000)), cell=50, bin="1 hours") == []


def test_snapped_places_and_the_cells_that_are_finer(random: np.random.Generator) -> None:
    # A lattice of 100 m with 400 points.
    x, y = random.integers(0, 20, (2, 5000)) * 100.0
    found = list_findings(make_incidents(x, y, days(5000)), cell=50, bin="1 days")
    assert kinds(found) == ["snapped", "fine cells"]
    assert found[0].figures["places"] == 400
    assert found[0].figures["repeats"] > 0.9 > 0.1 > found[0].figures["repeats_by_chance"]  # type: ignore[operator]
    assert found[1].figures["spacing_m"] == 100
    assert kinds(list_findings(make_incidents(x, y, days(5000)), cell=250)) == ["snapped"]


def test_repeats_by_hand() -> None:
    day = np.datetime64("2022-01-01", "D") + np.array([0, 0, 50, 200, 250, 250]).astype("timedelta64[D]")
    places = measure_places(make_incidents(np.array([5.0, 5, 5, 5, 9, 9]), np.zeros(6), day))
    assert (places.incidents, places.places) == (6, 2)
    # Of the three that have 92 days before them none repeats: the third at place 5 is 150 days late, and two at one
    # time are no repeat. Only the incident of day 50 would be one.
    assert places.repeats == 0.0
    assert places.spacing == 4.0
    short = measure_places(make_incidents(np.array([5.0, 5, 5]), np.zeros(3), day[:3]))
    assert short.repeats == pytest.approx(1 / 3)


def test_a_coordinate_that_stands_for_many_is_named_to_100_m_only(random: np.random.Generator) -> None:
    x, y = random.normal(0, 3000, (2, 4000)) + np.array([[500_000.0], [4_000_000.0]])
    x[::50], y[::50] = 501_234.5, 4_001_234.5
    found = list_findings(make_incidents(x, y, days(4000)))
    assert kinds(found) == ["address artefacts"]
    assert found[0].figures["coordinates"] == 1
    assert found[0].figures["share"] == 0.02
    assert "near (501200, 4001200)" in found[0].sentence
    assert "1234" not in found[0].sentence.replace("4001200", "") + str(found[0].figures)


@pytest.mark.parametrize(
    ("bin", "expected"),
    [("1 days", ["months only"]), ("2 weeks", ["months only"]), (None, ["months only"]), ("1 months", [])],
)
def test_dates_that_are_months(random: np.random.Generator, bin: str | None, expected: list[str]) -> None:
    time = (np.datetime64("2022-01", "M") + random.integers(0, 12, 500)).astype("datetime64[s]")
    x, y = random.normal(0, 3000, (2, 500))
    assert kinds(list_findings(make_incidents(x, y, time), bin=bin)) == expected


def test_times_of_day_that_are_none(random: np.random.Generator) -> None:
    x, y = random.normal(0, 3000, (2, 500))
    midnight = days(500).astype("datetime64[D]")
    assert kinds(list_findings(make_incidents(x, y, midnight), bin="2 hours")) == ["no time of day"]
    assert list_findings(make_incidents(x, y, midnight), bin="1 days") == []
    partly = np.where(np.arange(500) % 5 == 0, midnight.astype("datetime64[s]"), days(500))
    found = list_findings(make_incidents(x, y, partly), bin="2 hours")
    assert kinds(found) == ["midnight"]
    assert found[0].figures["midnight"] == 0.2


def test_categories_with_and_without_incidents(random: np.random.Generator) -> None:
    x, y = random.normal(0, 3000, (2, 1000))
    codes, names = np.repeat([0, 1, 2], [60, 40, 900]), ["NARCOTICS", "WEAPONS VIOLATION", "THEFT"]
    found = list_findings(make_incidents(x, y, days(1000), codes, names))
    assert kinds(found) == ["categories"]
    assert found[0].figures["share"] == 0.1
    assert "2 of 3 categories (NARCOTICS, WEAPONS VIOLATION; 10.0% of the incidents) are" in found[0].sentence
    assert list_category_findings(["THEFT", "BURGLARY"]) == []
    alone = list_category_findings(["NARCOTICS"])
    assert kinds(alone) == ["categories"]
    assert "1 of 1 category (NARCOTICS) is" in alone[0].sentence


def real(path: Path, columns: tuple[str, str, str], crs: str) -> Incidents:
    if not path.exists():
        pytest.skip(f"no data at {path}")
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    table = pd.concat([pd.read_csv(file, usecols=list(columns), low_memory=False) for file in files])
    x, y = (pd.to_numeric(table[name], errors="coerce") for name in columns[:2])
    time = pd.to_datetime(table[columns[2]], errors="coerce")
    known = (x.notna() & y.notna() & time.notna()).to_numpy()
    if crs.startswith("EPSG:"):
        east, north = map(np.array, transform("EPSG:4326", crs, x[known].to_numpy(), y[known].to_numpy()))
    else:
        east, north = x[known].to_numpy() * 0.3048, y[known].to_numpy() * 0.3048
    return make_incidents(east, north, time[known].to_numpy("datetime64[s]"))


def test_london_is_snapped_and_has_months_only(data_folder: Path) -> None:
    data = real(data_folder / "london" / "police_uk", ("Longitude", "Latitude", "Month"), "EPSG:27700")
    found = list_findings(data, cell=50, bin="1 weeks")
    assert kinds(found) == ["snapped", "fine cells", "months only"]
    # FACTS.md section 6: 35 % of a month's points repeat an exact coordinate of the three months before.
    assert found[0].figures["repeats"] == pytest.approx(0.35, abs=0.02)


def test_portland_vehicle_theft_has_address_artefacts(data_folder: Path) -> None:
    path = data_folder / "portland" / "vehicle_theft_2012_2017.csv"
    found = list_findings(real(path, ("x_coordina", "y_coordina", "occ_date"), "feet"), cell=250, bin="1 weeks")
    assert kinds(found) == ["address artefacts"]
    assert found[0].figures["late_repeats"] == pytest.approx(0.27, abs=0.01)


def test_portland_burglary_is_fine(data_folder: Path) -> None:
    path = data_folder / "portland" / "burglary_2012_2017.csv"
    assert list_findings(real(path, ("x_coordina", "y_coordina", "occ_date"), "feet"), 250, "1 weeks") == []


def test_baltimore_addresses_are_shared_points(data_folder: Path) -> None:
    path = data_folder / "baltimore" / "bpd_part1_2011_2016.csv"
    assert kinds(list_findings(real(path, ("lon", "lat", "datetime"), "EPSG:26918"), 500, "2 hours")) == ["snapped"]


def test_mexico_city_is_jittered_not_snapped(data_folder: Path) -> None:
    path = data_folder / "mexico_city" / "fgj_carpetas_2019-02_2020-01.csv"
    assert list_findings(real(path, ("lon", "lat", "fecha_hecho"), "EPSG:32614"), 50, "1 days") == []
