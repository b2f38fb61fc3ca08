"""Join context in QGIS: a file as it was published, layers, their names, and what the result says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsFeature, QgsGeometry, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QDateTime

WEATHER = b"date,month,day,year,maxTemp,minTemp \r5/1/18,5,1,2018,61,41\r5/2/18,5,2,2018,70,\r"


@pytest.fixture
def crimes() -> Any:
    """Three incidents of 1 to 3 May 2018 in a row."""
    layer = QgsVectorLayer("Point?crs=EPSG:4326&field=Date:datetime&field=Community Area:double", "crimes", "memory")
    for day in (1, 2, 3):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(f"POINT({day} 1)"))
        feature.setAttributes([QDateTime.fromString(f"2018-05-0{day}T10:00:00", "yyyy-MM-ddTHH:mm:ss"), 22.0 + day])
        assert layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer, False)
    yield layer
    QgsProject.instance().removeMapLayer(layer.id())


def list_values(layer: Any, name: str) -> list[Any]:
    return [feature[name] if feature[name] else None for feature in layer.getFeatures()]


def test_a_file_with_the_line_ends_of_old_macs_joins_by_date(run: Any, crimes: Any, tmp_path: Path) -> None:
    file = tmp_path / "weather.csv"
    file.write_bytes(WEATHER)
    output = tmp_path / "joined.gpkg"
    ran = run("joincontext", INPUT=crimes, TABLE_FILE=str(file), PREFIX="w_", OUTPUT=str(output))
    assert (ran["JOINED_COUNT"], ran["WITHOUT"], ran["FIELDS_ADDED"]) == (2, 1, 2)
    layer = QgsVectorLayer(str(output), "joined", "ogr")
    assert list_values(layer, "w_maxTemp") == [61.0, 70.0, None]
    assert list_values(layer, "w_minTemp") == [41.0, None, None]
    assert list_values(layer, "Community Area") == [23.0, 24.0, 25.0]
    assert [feature.geometry().asPoint().x() for feature in layer.getFeatures()] == [1, 2, 3]
    assert layer.fields()["Date"].typeName() == "DateTime"
    layer.loadDefaultMetadata()
    assert "°F" in layer.metadata().abstract()


def test_the_result_of_one_join_is_joined_again(run: Any, crimes: Any, tmp_path: Path) -> None:
    weather, census = tmp_path / "weather.csv", tmp_path / "census.csv"
    weather.write_bytes(WEATHER)
    census.write_text("Community Area Number,NAME,hardship\n23,A,50\n24,B,\n,CITY,40\n")
    first = run("joincontext", INPUT=crimes, TABLE_FILE=str(weather), OUTPUT=str(tmp_path / "one.gpkg"))["OUTPUT"]
    second = run("joincontext", INPUT=first, TABLE_FILE=str(census), OUTPUT="memory:")
    layer = second["OUTPUT"]
    assert second["JOINED_BY"] == "by key: Community Area Number = Community Area"
    names = ["Date", "Community Area", "maxTemp", "minTemp", "NAME", "hardship"]
    assert [name for name in layer.fields().names() if name != "fid"] == names
    assert list_values(layer, "hardship") == [50.0, None, None]


def test_a_file_named_from_where_one_stands_is_found(
    run: Any, crimes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weather = tmp_path / "weather.csv"
    weather.write_bytes(WEATHER)
    run("joincontext", INPUT=crimes, TABLE_FILE=str(weather), OUTPUT=str(tmp_path / "one.gpkg"))
    monkeypatch.chdir(tmp_path)
    assert run("joincontext", INPUT="one.gpkg", TABLE_FILE=str(weather), OUTPUT="memory:")["JOINED_COUNT"] == 2


def test_polygons_of_a_layer_join_by_location(run: Any, crimes: Any, tmp_path: Path) -> None:
    areas = QgsVectorLayer("Polygon?crs=EPSG:4326&field=name:string", "areas", "memory")
    for number, name in enumerate(["first", "second"]):
        feature = QgsFeature(areas.fields())
        low = 0.5 + number
        feature.setGeometry(QgsGeometry.fromWkt(f"POLYGON(({low} 0,{low + 1} 0,{low + 1} 2,{low} 2,{low} 0))"))
        feature.setAttributes([name])
        assert areas.dataProvider().addFeature(feature)
    ran = run("joincontext", INPUT=crimes, TABLE=areas, OUTPUT=str(tmp_path / "joined.gpkg"))
    layer = QgsVectorLayer(str(tmp_path / "joined.gpkg"), "joined", "ogr")
    assert list_values(layer, "name") == ["first", "second", None]
    assert ran["WITHOUT"] == 1


def test_what_cannot_be_joined_is_refused_before_any_work(refusal: Any, crimes: Any, tmp_path: Path) -> None:
    assert "TABLE and TABLE_FILE are empty" in refusal("joincontext", INPUT=crimes, OUTPUT="memory:")
    file = tmp_path / "weather.csv"
    file.write_bytes(WEATHER)
    both = {"INPUT": crimes, "TABLE": crimes, "TABLE_FILE": str(file), "OUTPUT": "memory:"}
    assert "Leave one of them empty" in refusal("joincontext", **both)
    late = {"INPUT": crimes, "TABLE_FILE": str(file), "JOINED": "key", "DELAY": 1, "OUTPUT": "memory:"}
    assert "DELAY is 1, but only values by date or hour are late" in refusal("joincontext", **late)
