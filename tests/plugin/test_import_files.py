"""Import incidents: folders, archives and further files, and new months on a layer that is there."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit.layers import make_appending
from qgis.core import QgsVectorLayer

HEADER = "case number,longitude,latitude,datetime,category,beat\n"


def make_month(month: int, count: int = 6) -> str:
    """A month of rows."""
    return HEADER + "".join(
        f"{month:02d}-{n},-122.6{n},45.5{n},2024-{month:02d}-0{n + 1} 10:{n}0,Theft,{n:03d}\n" for n in range(count)
    )


@pytest.fixture
def append(run: Any, tmp_path: Path) -> Callable[..., Any]:
    """Import into a layer of a GeoPackage, appending where it is there."""

    def append(text: str, target: Path, **parameters: Any) -> Any:
        path = tmp_path / "months" / "month.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        layer = QgsVectorLayer(str(target), "kept", "ogr") if target.exists() else None
        output = str(target) if layer is None else make_appending(layer)
        return run("importincidents", INPUT=str(path), OUTPUT=output, REFUSED="memory:", **parameters)

    return append


def read_rows(path: Path) -> list[tuple[Any, ...]]:
    layer = QgsVectorLayer(str(path), "kept", "ogr")
    return [
        (row["case number"], row["occurred"].toString("yyyy-MM-dd HH:mm"), row.geometry().asPoint().x())
        for row in layer.getFeatures()
    ]


def test_a_month_imported_twice_leaves_the_layer_as_it_was(append: Any, tmp_path: Path) -> None:
    target = tmp_path / "kept.gpkg"
    append(make_month(1), target)
    before = read_rows(target)
    again = append(make_month(1), target)
    assert read_rows(target) == before
    assert (again["COUNT"], again["REFUSED_COUNT"]) == (0, 6)
    assert {row["reason"] for row in again["REFUSED"].getFeatures()} == {"in the layer already"}
    assert "6 rows are in the layer already" in again.log.text
    assert "0 of 6 rows imported, 6 refused" in again.log.text


def test_new_months_are_appended_and_what_is_there_is_left_out(append: Any, tmp_path: Path) -> None:
    target = tmp_path / "kept.gpkg"
    append(make_month(1), target)
    new = make_month(2).removeprefix(HEADER)
    ran = append(make_month(1) + new, target)
    assert (ran["COUNT"], ran["REFUSED_COUNT"]) == (6, 6)
    assert [row[0] for row in read_rows(target)] == [f"{m:02d}-{n}" for m in (1, 2) for n in range(6)]
    assert [row["line"] for row in ran["REFUSED"].getFeatures()] == list(range(2, 8))


def test_what_differs_in_a_field_or_in_its_time_is_another_row(append: Any, tmp_path: Path) -> None:
    target = tmp_path / "kept.gpkg"
    append(make_month(1), target)
    later = make_month(1).replace("10:00", "10:01").replace(",005", ",015").replace("Theft,003", "Fraud,003")
    assert append(later, target)["COUNT"] == 3
    # With a column that the layer has not, and without one that it has.
    other = make_month(1).replace(",beat", ",seen").replace("01-2,", "01-9,")
    assert append(other, target)["COUNT"] == 1


def test_a_layer_in_another_crs(append: Any, run: Any, tmp_path: Path) -> None:
    target = tmp_path / "kept.gpkg"
    made = append(make_month(1), tmp_path / "degrees.gpkg")
    run("native:reprojectlayer", INPUT=made["OUTPUT"], TARGET_CRS="EPSG:32610", OUTPUT=str(target))
    assert append(make_month(1) + make_month(3).removeprefix(HEADER), target)["COUNT"] == 6
    assert len(read_rows(target)) == 12


def test_a_layer_that_keeps_no_time(append: Any, run: Any, tmp_path: Path) -> None:
    target = tmp_path / "kept.gpkg"
    made = append(make_month(1), tmp_path / "whole.gpkg")
    run("native:deletecolumn", INPUT=made["OUTPUT"], COLUMN=["occurred"], OUTPUT=str(target))
    ran = append(make_month(1), target)
    assert ran["COUNT"] == 6
    assert any("cannot be told" in text for text in ran.log.warnings)


def test_a_folder_called_zip_and_further_files(run: Any, refusal: Any, tmp_path: Path) -> None:
    folder = tmp_path / "year.zip"
    folder.mkdir()
    (folder / "1.csv").write_text(make_month(1), encoding="utf-8")
    (folder / "2.csv.gz").write_bytes(gzip.compress(make_month(2).encode()))
    with zipfile.ZipFile(tmp_path / "3", "w") as archive:
        archive.writestr("3/3.csv", make_month(3))
    more = [str(tmp_path / "3")]
    ran = run("importincidents", INPUT=str(folder), MORE=more, OUTPUT="memory:", REFUSED="memory:")
    assert (ran["COUNT"], ran["REFUSED_COUNT"]) == (18, 0)
    said = refusal("importincidents", INPUT=str(folder), MORE=[str(tmp_path / "none.csv")], OUTPUT="memory:")
    assert f"MORE: there is no file {tmp_path / 'none.csv'}" in said
    said = refusal("importincidents", INPUT=str(folder), MORE=more, OUTPUT="memory:", REFUSED=more[0])
    assert "also an input" in said


def test_several_rows_of_an_incident(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "charges.csv"
    path.write_text(make_month(1) + make_month(1).removeprefix(HEADER).replace("Theft", "Fraud"), encoding="utf-8")
    ran = run("importincidents", INPUT=str(path), OUTPUT="memory:")
    assert ran["COUNT"] == 12
    assert any("Incident number = case number" in text for text in ran.log.warnings)
    ran = run("importincidents", INPUT=str(path), ID_FIELD="case number", OUTPUT="memory:")
    assert [(row["category"], row["rows"]) for row in ran["OUTPUT"].getFeatures()] == [("Theft", 2)] * 6
    assert "6 of 12 rows imported, 0 refused, 6 merged" in ran.log.text


def test_no_spreadsheet_runs_a_refused_row(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "formulas.csv"
    bad = ["=cmd|' /C calc'!A0,,,2024-01-01,a,b", "-87.6,,,2024-01-01,a,b", "-@SUM(1),,,2024-01-01,a,b"]
    path.write_text(make_month(1) + "\n".join(bad), encoding="utf-8")
    table = tmp_path / "refused.csv"
    run("importincidents", INPUT=str(path), OUTPUT="memory:", REFUSED=str(table))
    rows = [row["row"] for row in QgsVectorLayer(str(table), "refused", "ogr").getFeatures()]
    assert rows == ["\"=cmd|' /C calc'!A0\",,,2024-01-01,a,b", bad[1], '"-@SUM(1)",,,2024-01-01,a,b']
