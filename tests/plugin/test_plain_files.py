"""What the engine reads of a plain file is what QGIS would have read, feature by feature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

FIELDS = "field=occurred:datetime&field=day:date&field=told:string(80)&field=kind:string(400)&field=code:integer"


def make_layer(rows: list[tuple[Any, ...]], path: Path, geometry: str = "Point") -> QgsVectorLayer:
    """Make a GeoPackage of rows: WKT or None, then the values."""
    import processing

    layer = QgsVectorLayer(f"{geometry}?crs=EPSG:4326&{FIELDS}", "rows", "memory")
    for wkt, *values in rows:
        feature = QgsFeature(layer.fields())
        if wkt is not None:
            feature.setGeometry(QgsGeometry.fromWkt(wkt))
        feature.setAttributes(values)
        layer.dataProvider().addFeature(feature)
    processing.run("native:savefeatures", {"INPUT": layer, "OUTPUT": str(path)})
    return QgsVectorLayer(str(path), "rows", "ogr")


def at(hour: int, second: int = 0, milliseconds: int = 0) -> QDateTime:
    return QDateTime(QDate(2024, 3, 31), QTime(hour, 30, second, milliseconds), Qt.TimeSpec.UTC)


BEFORE_1970 = QDateTime(QDate(1969, 12, 31), QTime(23, 59, 59, 500), Qt.TimeSpec.UTC)
ROWS = [
    ("POINT(-122.61 45.51)", at(2, 5, 999), QDate(2024, 3, 31), "2024-03-31 02:30", "Theft", 7),
    ("POINT(-122.62 45.52)", None, None, None, None, None),
    (None, at(3), QDate(2024, 3, 31), "x", "Burglary", 7),
    ("POINT EMPTY", at(3), QDate(2024, 3, 31), "x", "Burglary", 7),
    ("POINT(-122.63 45.53)", BEFORE_1970, QDate(1969, 1, 1), "", "", -3),
    ("POINT(0 0)", at(4), QDate(2024, 1, 1), " padded ", "k" * 300, 8),
    ("POINT(-122.64 45.54)", at(5), QDate(2024, 1, 1), "t" * 70, " " * 10 + "k" * 300, 8),
    ("POINT(-122.65 45.55)", at(6), QDate(2024, 1, 1), "Ä", "Theft", 7),
]


def read(layer: QgsVectorLayer, time: str, kind: str, folder: Path, plain: bool) -> tuple[dict[str, Any], Any]:
    from crime_risk.bridge import layers, plain_files

    folder.mkdir()
    file = plain_files.find_plain_file(layer.source(), layer)
    assert file is not None
    source, context, feedback = as_source(layer), QgsProcessingContext(), QgsProcessingFeedback()
    places = layers.read_incidents(source, time, kind, "", folder, context, feedback, file=file if plain else None)
    with np.load(folder / "incidents.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}, places


def as_source(layer: QgsVectorLayer) -> QgsProcessingFeatureSource:
    context = QgsProcessingContext()
    source = QgsProcessingFeatureSource(layer, context)
    source.keep = (layer, context)
    return source


@pytest.mark.parametrize("time", ["occurred", "day", "told"])
@pytest.mark.parametrize("kind", ["kind", "code", ""])
def test_it_is_what_qgis_reads(time: str, kind: str, engine: Any, tmp_path: Path) -> None:
    layer = make_layer(ROWS, tmp_path / "rows.gpkg")
    mine, my_places = read(layer, time, kind, tmp_path / "engine", True)
    theirs, their_places = read(layer, time, kind, tmp_path / "qgis", False)
    assert my_places.refused
    assert sorted(my_places.refused) == sorted(their_places.refused)
    assert my_places.crs == their_places.crs
    assert set(mine) == set(theirs)
    texts = mine.pop("categories"), theirs.pop("categories")
    for name in ("x", "y", "fid"):
        assert np.array_equal(mine[name], theirs[name]), name
    for name in set(mine) - {"x", "y", "fid", "category"}:
        assert mine[name].tolist() == theirs[name].tolist(), name
    # A text may have another number.
    mine_named, theirs_named = (
        [names[code] if code >= 0 else None for code in arrays["category"]]
        for names, arrays in zip(texts, (mine, theirs))
    )
    assert mine_named == theirs_named


def test_measures_and_parts_of_tables_are_left_to_qgis(tmp_path: Path) -> None:
    from crime_risk.bridge.plain_files import find_plain_file

    measured = make_layer([("POINT M(-122.61 45.51 9)", *ROWS[0][1:])], tmp_path / "m.gpkg", "PointM")
    assert find_plain_file("", measured) is None
    make_layer(ROWS[:2], tmp_path / "rows.gpkg")
    part = QgsVectorLayer(f"{tmp_path / 'rows.gpkg'}|layername=rows|geometrytype=Point", "part", "ogr")
    assert part.isValid()
    assert find_plain_file("", part) is None


@pytest.mark.parametrize("geometry", ["MultiPoint", "PointZ"])
def test_other_points_are_left_to_qgis(geometry: str, engine: Any, tmp_path: Path) -> None:
    wkt = "MULTIPOINT((-122.61 45.51))" if geometry == "MultiPoint" else "POINT Z(-122.61 45.51 9)"
    layer = make_layer([(wkt, *ROWS[0][1:]), (wkt, *ROWS[1][1:])], tmp_path / "rows.gpkg", geometry)
    mine, _ = read(layer, "occurred", "kind", tmp_path / "engine", True)
    assert len(mine["x"]) == 2


def test_what_is_more_than_a_table_is_no_plain_file(tmp_path: Path) -> None:
    from crime_risk.bridge.plain_files import find_plain_file

    layer = make_layer(ROWS[:2], tmp_path / "rows.gpkg")
    file = find_plain_file(layer.source(), layer)
    assert file is not None
    assert (file.path, file.table) == (tmp_path / "rows.gpkg", "rows")
    QgsProject.instance().addMapLayer(layer, False)
    try:
        for definition in (
            QgsProcessingFeatureSourceDefinition(layer.id(), True),
            QgsProcessingFeatureSourceDefinition(layer.id(), False, 1),
            QgsProcessingFeatureSourceDefinition(layer.id(), False, -1, filterExpression="code = 7"),
        ):
            assert find_plain_file(definition, layer) is None
        assert find_plain_file(QgsProcessingFeatureSourceDefinition(layer.id()), layer) is not None
        layer.startEditing()
        assert find_plain_file("", layer) is None
        layer.rollBack()
        layer.setSubsetString("code = 7")
        assert find_plain_file("", layer) is None
    finally:
        QgsProject.instance().removeMapLayer(layer.id())
    memory = QgsVectorLayer("Point?crs=EPSG:4326&field=a:int", "m", "memory")
    assert find_plain_file("", memory) is None
    assert find_plain_file("", None) is None
