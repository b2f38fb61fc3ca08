"""Places in one column, degrees with minutes and seconds, and what coordinates without a CRS could be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from riskengine.ground.errors import CrimeRiskError
from riskengine.intake.crshint import describe_units
from riskengine.intake.placecheck import parse_numbers
from riskengine.intake.points import holds_points, parse_angle, parse_points
from riskengine.jobs import run_job

HERE = (-87.63, 41.88)


@pytest.mark.parametrize(
    "text",
    [
        "POINT (-87.63 41.88)",
        "point(-87.63 41.88)",
        "SRID=4326;POINT(-87.63 41.88)",
        "POINT Z (-87.63 41.88 12)",
        "(41.88, -87.63)",
        "41.88, -87.63",
        "41.88 -87.63",
        "1 MAIN ST\nCHICAGO, IL\n(41.88, -87.63)",
        '{"type": "Point", "coordinates": [-87.63, 41.88]}',
        "41°52'48\"N 87°37'48\"W",
        "41 52 48 N, 87 37 48 W",
        "N 41.88, W 87.63",
        "87°37'48\" W, 41°52'48\" N",
    ],
)
def test_one_place_in_every_writing(text: str) -> None:
    points = parse_points([text, "", text])
    assert (points.x[0], points.y[0]) == pytest.approx(HERE)
    assert np.isnan(points.x[1])
    assert not points.unreadable.any()


@pytest.mark.parametrize(
    "text", ["41.88", "12,5", "1 MAIN ST", "2024-03-01", "2130", "POINT EMPTY", "(41.88)", "10:30:00"]
)
def test_what_is_no_point(text: str) -> None:
    assert not holds_points([text] * 3)


def test_the_whole_column_tells_which_is_the_latitude() -> None:
    turned = parse_points(["(-120.5, 45.5)", "(-80.5, 45.0)"])
    assert turned.x.tolist() == [-120.5, -80.5]
    assert "longitude, latitude" in turned.note
    usual = parse_points(["(19.4, -99.1)"])
    assert (usual.x[0], usual.y[0]) == (-99.1, 19.4)
    assert "latitude, longitude" in usual.note


@given(some.integers(0, 89), some.integers(0, 59), some.integers(0, 59), some.sampled_from("NSEW"))
def test_an_angle_is_what_it_says(degrees: int, minutes: int, seconds: int, letter: str) -> None:
    value = (degrees + minutes / 60 + seconds / 3600) * (-1 if letter in "SW" else 1)
    for text in (f"{degrees}°{minutes}'{seconds}\"{letter}", f"{degrees} {minutes} {seconds} {letter}"):
        assert parse_angle(text) == pytest.approx(value)


def test_angles_stand_among_numbers_in_two_columns() -> None:
    numbers, unreadable = parse_numbers(["19°25'57\"N", "19.5", "99 9 0 W", "19°75'", "", "7 PM"])
    assert numbers[:3] == pytest.approx([19.4325, 19.5, -99.15])
    assert unreadable.tolist() == [False, False, False, True, False, True]


def import_rows(tmp_path: Path, text: str, **given: Any) -> dict[str, Any]:
    path = tmp_path / "rows.csv"
    path.write_text(text, "utf-8")
    output = str(tmp_path / "incidents.geojson")
    return run_job("import_csv", {"path": str(path), "folder": str(tmp_path), "output": output, **given})


def test_a_column_of_points_is_found_and_imported(tmp_path: Path) -> None:
    rows = "".join(f'{n},"1 MAIN ST\n(41.8{n}, -87.6{n})",2024-03-0{n} 10:00\n' for n in range(1, 6))
    done = import_rows(tmp_path, "id,Place,When\n" + rows + '6,"nowhere",2024-03-06 10:00\n')
    assert (done["imported"], done["refused"]) == (5, 1)
    assert any("latitude, longitude" in note for note in done["notes"])
    text = (tmp_path / "incidents.geojson").read_text("utf-8")
    assert "-87.61" in text
    assert "MAIN ST" in text, "what stands beside the point stays"


def test_by_hand_the_one_column_is_enough(tmp_path: Path) -> None:
    rows = "".join(f"POINT (-87.6{n} 41.8{n});2024-03-0{n} 10:00\n" for n in range(1, 6))
    done = import_rows(tmp_path, "geo;lat;when\n".replace("lat;", "") + rows, profile="columns", x="geo", time=["when"])
    assert done["imported"] == 5


@pytest.mark.parametrize(
    ("east", "north", "said"),
    [
        (448_000.0, 4_636_000.0, "UTM"),
        (530_000.0, 180_000.0, "British National Grid"),
        (-9_754_000.5, 5_142_000.5, "Web Mercator"),
        (-87_623_177.0, 41_881_832.0, "divide them by 1,000,000"),
        (1_150_000.0, 1_900_000.0, "State Plane"),
    ],
)
def test_what_numbers_could_be(east: float, north: float, said: str) -> None:
    assert said in describe_units(np.array([east] * 3), np.array([north] * 3))


def test_a_file_without_a_header_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(CrimeRiskError) as caught:
        import_rows(tmp_path, "448100,4636000,2024-03-01\n448200,4636100,2024-03-02\n448300,4636200,2024-03-03\n")
    said = str(caught.value)
    assert all(word in said for word in ("field_1, field_2, field_3", "X_FIELD", "Y_FIELD", "TIME_FIELD", "CRS", "UTM"))
    assert "EPSG:" not in said


def test_metres_taken_for_degrees_are_told_by_their_own_numbers(tmp_path: Path) -> None:
    rows = "".join(f"44810{n},463600{n},2024-03-0{n} 10:00\n" for n in range(1, 6))
    with pytest.raises(CrimeRiskError) as caught:
        import_rows(tmp_path, "lon,lat,when\n" + rows)
    assert "UTM" in str(caught.value)
    assert "EPSG:326" not in str(caught.value)
