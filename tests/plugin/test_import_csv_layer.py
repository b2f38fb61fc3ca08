"""Import incidents: the dirt of real files, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def write(text: str | bytes, name: str = "déjà vu.csv") -> Path:
        path = tmp_path_factory.mktemp("csv") / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return write


HEADER = "longitude,latitude,datetime,category\n"
GOOD = "".join(f"-122.6{number},45.5{number},2024-01-0{number + 1} 10:00,Theft\n" for number in range(9))


@pytest.fixture
def imported(run: Any) -> Callable[..., Any]:
    def imported(path: Path, **parameters: Any) -> Any:
        return run("importincidents", INPUT=str(path), OUTPUT="memory:", REFUSED="memory:", **parameters)

    return imported


def rows(ran: Any) -> list[tuple[int, str]]:
    found = [(feature["line"], feature["reason"]) for feature in ran["REFUSED"].getFeatures()]
    assert len(found) == ran["REFUSED_COUNT"]
    return found


def test_one_row(imported: Any, write: Any) -> None:
    ran = imported(write(HEADER + "-122.6,45.5,2024-01-05 12:30,Theft\n"))
    assert ran["COUNT"] == 1
    feature = next(ran["OUTPUT"].getFeatures())
    assert feature["occurred"].toString("yyyy-MM-dd HH:mm:ss") == "2024-01-05 12:30:00"
    assert feature["category"] == "Theft"
    assert feature.geometry().asPoint().x() == -122.6


def test_all_at_one_place(imported: Any, write: Any) -> None:
    assert imported(write(HEADER + "-122.6,45.5,2024-01-05 12:30,Theft\n" * 40))["COUNT"] == 40


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (",,2024-01-05 10:00,a", "no coordinates"),
        ("0,0,2024-01-05 10:00,a", "(0, 0)"),
        ("45.52,-122.62,2024-01-05 10:00,a", "swapped"),
        ("-122.6,45.5,,a", "no time"),
        ("-122.6,45.5,soon,a", "soon"),
        ("-122.6,45.5,2024-02-30 10:00,a", "2024-02-30"),
        ("-122.6,45.5,2095-01-01 10:00,a", "future"),
        ("-122.6,45.5", "fields"),
    ],
)
def test_a_bad_row_is_kept_with_its_line(row: str, word: str, imported: Any, write: Any) -> None:
    ran = imported(write(HEADER + GOOD + row + "\n"))
    assert ran["COUNT"] == 9
    ((line, reason),) = rows(ran)
    assert line == 11
    assert word in reason
    assert next(ran["REFUSED"].getFeatures())["row"].startswith(row.split(",")[0])
    assert "9 of 10 rows imported, 1 refused" in ran.log.text


@pytest.mark.parametrize("text", ["", "\n\n", HEADER])
def test_nothing_in_it(text: str, refusal: Any, write: Any) -> None:
    path = write(text)
    said = refusal("importincidents", INPUT=str(path), OUTPUT="memory:")
    assert path.name in said or str(path) in said


def test_nothing_usable(refusal: Any, write: Any) -> None:
    said = refusal("importincidents", INPUT=str(write(HEADER + "0,0,2024-01-01 10:00,a\n" * 5)), OUTPUT="memory:")
    assert "(0, 0)" in said


def test_all_swapped(imported: Any, refusal: Any, write: Any) -> None:
    text = HEADER + "".join(f"45.5{n},-122.6{n},2024-01-0{n + 1} 10:00,a\n" for n in range(9))
    assert "swapped" in refusal("importincidents", INPUT=str(write(text)), OUTPUT="memory:")


def test_no_such_file(refusal: Any, tmp_path: Path) -> None:
    said = refusal("importincidents", INPUT=str(tmp_path / "none.csv"), OUTPUT="memory:")
    assert str(tmp_path / "none.csv") in said
    assert "Choose an existing file, folder or archive" in said


def test_not_a_table(refusal: Any, write: Any, grids_file: Path) -> None:
    for path in (grids_file, write(bytes(range(256)) * 50, "noise.csv")):
        said = refusal("importincidents", INPUT=str(path), OUTPUT="memory:")
        assert path.name in said


def test_unknown_header(refusal: Any, write: Any) -> None:
    said = refusal("importincidents", INPUT=str(write("a,b,c\n1,2,3\n")), OUTPUT="memory:")
    assert "a, b, c" in said
    assert "name the columns" in said


def test_columns_by_hand_in_feet(imported: Any, write: Any, plugin: Any) -> None:
    from crime_risk.riskengine.contract.tools.incidents import FORMATS

    text = "east;north;day;hour;kind\r\n" + "7645000;684000;05.01.2024;12:30;Einbruch Straße\r\n" * 3
    ran = imported(
        write(text.encode("cp1252")),
        PROFILE=list(FORMATS).index("columns"),
        X_FIELD="east",
        Y_FIELD="north",
        TIME_FIELD="day, hour",
        CATEGORY_FIELD="kind",
        CRS="EPSG:2913",
        DATE_ORDER=2,
    )
    assert ran["COUNT"] == 3
    assert ran["OUTPUT"].crs().authid() == "EPSG:2913"
    feature = next(ran["OUTPUT"].getFeatures())
    assert feature["occurred"].toString("yyyy-MM-dd HH:mm") == "2024-01-05 12:30"
    assert feature["category"] == "Einbruch Straße"


def test_a_column_that_is_not_there(refusal: Any, write: Any, plugin: Any) -> None:
    from crime_risk.riskengine.contract.tools.incidents import FORMATS

    said = refusal(
        "importincidents",
        INPUT=str(write(HEADER + GOOD)),
        PROFILE=list(FORMATS).index("columns"),
        X_FIELD="lon",
        Y_FIELD="latitude",
        TIME_FIELD="datetime",
        OUTPUT="memory:",
    )
    assert "lon" in said
    assert "longitude, latitude, datetime, category" in said
