"""Outcome rates, as its tool runs it: a table of incidents in, rates, areas, report and CSV out."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from kit.contexts import Recorder
from kit.pages import Page
from kit.tables import read_table

from riskengine.ground.errors import DataError, ParameterError
from riskengine.jobs import run_job

Rates = Callable[..., tuple[dict[str, Any], Recorder]]
#: Category, description, district and resolution of the incidents of each day, each with its number.
DAY = (
    ("LARCENY", "GRAND THEFT", "NORTH", "NONE"),
    ("LARCENY", "GRAND THEFT", "NORTH", "NONE"),
    ("LARCENY", "PETTY THEFT", "SOUTH", "ARREST, CITED"),
    ("ASSAULT", "BATTERY", "SOUTH", "ARREST, BOOKED"),
    ("ASSAULT", "BATTERY", "NORTH", "UNFOUNDED"),
    ("DRUG/NARCOTIC", "POSSESSION", "SOUTH", "ARREST, BOOKED"),
)


def read_rows(path: Path) -> list[dict[str, Any]]:
    columns = read_table(path)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.fixture
def incidents(tmp_path: Path) -> Path:
    """Six incidents a day for a hundred days, around two places; the last row stands there twice."""
    rows = []
    for day in range(100):
        for number, (category, description, district, resolution) in enumerate(DAY):
            x, y = -122.4 + 0.001 * number, 37.7 + (0.05 if district == "NORTH" else 0.0)
            date = f"{1 + day // 28:02d}/{1 + day % 28:02d}/2017"
            rows.append([6 * day + number, category, description, date, f"{8 + number}:15", district, resolution, x, y])
    rows.append(rows[-1])
    path = tmp_path / "incidents.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["IncidntNum", "Category", "Descript", "Date", "Time", "PdDistrict", "Resolution", "X", "Y"])
        writer.writerows(rows)
    return path


@pytest.fixture
def rates(incidents: Path) -> Rates:
    """`rates(**parameters)`: the job's result, and what was said."""

    def rates(**parameters: Any) -> tuple[dict[str, Any], Recorder]:
        said = Recorder()
        return run_job("outcome_rates", {"incidents": str(incidents), **parameters}, said), said

    return rates


def test_rates_of_all_and_of_victims_reports(rates: Rates, tmp_path: Path) -> None:
    path = tmp_path / "rates.gpkg"
    result, said = rates(rates=str(path))
    # Of six a day three are arrests; without drugs two of five. One row is there twice.
    assert (result["incidents"], result["outcomes"]) == (601, 301)
    assert result["rate"] == pytest.approx(301 / 601)
    assert result["rate_victims"] == pytest.approx(0.4)
    assert result["found_share"] == pytest.approx(101 / 601)
    assert result["found_outcomes"] == pytest.approx(101 / 301)
    assert set(result["values"].split("; ")) == {"ARREST, BOOKED", "ARREST, CITED"}
    assert result["duplicates"] == 1
    assert result["maturity"] == 0
    assert result["headline"] in said.messages
    found = {(row["rows"], row["by"], row["parent"], row["value"]): row for row in read_rows(path)}
    battery = found["victims", "description", "ASSAULT", "BATTERY"]
    assert (battery["incidents"], battery["outcomes"], battery["rate"]) == (200, 100, 0.5)
    assert battery["low"] == pytest.approx(0.4313, abs=1e-4)
    assert found["all", "area", None, "SOUTH"]["rate"] == 1
    assert found["victims", "area", None, "SOUTH"]["incidents"] == 200
    assert found["all", "hour", None, "10:00"]["outcomes"] == 100
    assert ("victims", "category", None, "DRUG/NARCOTIC") not in found
    assert found["all", "rows", None, "2"]["incidents"] == 2


def test_one_row_for_each_incident_counts_a_duplicate_once(rates: Rates) -> None:
    result, _ = rates(merge=True)
    assert (result["incidents"], result["outcomes"]) == (600, 300)


def test_values_and_police_categories_are_the_users_where_they_are_given(rates: Rates, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    result, said = rates(outcome_values=["arrest, cited"], found_by_police=["larceny"], report=str(report))
    assert "No incident with a date has the outcome, so nothing tells how many cases are still open." in said.messages
    ages = next(row for row in Page(report).rows if row[0] == "0 to 6 days")
    assert (ages[1], ages[4:]) == ("43", ["–", "–", "–"])
    assert result["outcomes"] == 100
    assert result["rate_victims"] == 0
    assert result["found_outcomes"] == 1
    with pytest.raises(ParameterError, match=r"The field Resolution has no value CHARGED.*Choose from: .*UNFOUNDED"):
        rates(outcome_values=["CHARGED"])


def test_areas_without_polygons_are_points_where_their_incidents_are(rates: Rates, tmp_path: Path) -> None:
    path = tmp_path / "areas.gpkg"
    rates(by_area=str(path))
    found = {row["id"]: row for row in read_rows(path)}
    north, south = found["NORTH"], found["SOUTH"]
    assert (north["incidents"], north["outcomes"], north["victims_incidents"]) == (300, 0, 300)
    assert (south["incidents"], south["victims_incidents"], south["victims_outcomes"]) == (301, 200, 200)
    assert (north["label"], south["victims_label"]) == ("below", "above")
    assert south["rate"] == 1
    assert south["difference"] == pytest.approx(1 - south["expected"])
    assert south["differ_low"] > 0
    # 0.05° of latitude are 5.56 km.
    assert north["place"][1] - south["place"][1] == pytest.approx(5_550, abs=20)
    assert pyogrio.read_info(path)["crs"] == "EPSG:32610"


def test_report_and_csv_say_what_the_log_says(rates: Rates, tmp_path: Path) -> None:
    report, table = tmp_path / "report.html", tmp_path / "rates.csv"
    result, said = rates(report=str(report), csv=str(table))
    text = report.read_text(encoding="utf-8")
    assert result["headline"] in text
    assert "so rates fall toward the end of a file: that is not a fall." in text
    assert any("1 of 601 rows equals an earlier one in every field" in message for message in said.messages)
    assert "1 of 601 rows equals an earlier one in every field" in text
    rows = {(row["rows"], row["at"], row["figure"]): row for row in csv.DictReader(table.open(encoding="utf-8"))}
    assert float(rows["victims", "all", "rate"]["number"]) == pytest.approx(0.4)


def test_incidents_without_places_or_areas_have_no_map_but_all_else(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    lines = [f"2024-01-{1 + day % 28:02d},{'THEFT' if day % 3 else 'ARSON'},{day % 2}" for day in range(120)]
    path.write_text("\n".join(["date,category,arrest", *lines]) + "\n")
    said, areas = Recorder(), tmp_path / "areas.gpkg"
    result = run_job("outcome_rates", {"incidents": str(path), "by_area": str(areas)}, said)
    assert (result["incidents"], result["outcomes"], result["maturity"]) == (120, 60, -1)
    assert not areas.exists()
    assert any(message.startswith("BY_AREA is not written: the incidents have no places") for message in said.messages)


def test_a_table_that_says_no_outcome_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    path.write_text("date,category\n2024-01-01,THEFT\n2024-01-02,ARSON\n")
    with pytest.raises(DataError, match="No field of the table says by its name what became of the incidents"):
        run_job("outcome_rates", {"incidents": str(path)}, Recorder())


def test_intervals_of_rows_of_one_incident_are_said_to_be_too_narrow(rates: Rates, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    _, said = rates(report=str(page))
    sentence = "2 rows are of 1 incident with several rows each. Intervals of rates take each row for an incident"
    assert any(each.startswith(sentence) for each in said.messages)
    assert sentence in page.read_text(encoding="utf-8")
    _, merged = rates(merge=True)
    assert not any("several rows each" in each for each in merged.messages)
