"""A whole table is handed to the engine as the layer has it, and comes back as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate

FIELDS = "field=Arrest:string(10)&field=day:date&field=beat:integer&field=fid:integer"


def make_layer(ids: bool = False) -> QgsVectorLayer:
    fields = FIELDS if ids else FIELDS.rpartition("&")[0]
    layer = QgsVectorLayer(f"Point?crs=EPSG:4326&{fields}", "crimes", "memory")
    for number, day in enumerate([QDate(2018, 2, 28), None, QDate(1969, 1, 1)]):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(f"POINT({number} 1)") if number != 1 else QgsGeometry())
        feature.setAttributes(["true", day, number or None, 7 - number][: layer.fields().count()])
        layer.dataProvider().addFeature(feature)
    return layer


def save(layer: QgsVectorLayer, path: Path) -> QgsVectorLayer:
    import processing

    processing.run("native:savefeatures", {"INPUT": layer, "OUTPUT": str(path)})
    return QgsVectorLayer(str(path), "crimes", "ogr")


def read_given(layer: Any, folder: Path) -> str:
    """What the job gets for a layer."""
    from crime_risk.algorithms.tool_algorithm import ToolAlgorithm
    from crime_risk.algorithms.values import Asked
    from crime_risk.riskengine.contract.tools.base import Shown, Tool
    from crime_risk.riskengine.contract.tools.kinds import Table

    class Whole(Tool):
        ID = JOB = "whole"
        TITLE = SUMMARY = GROUP = HELP = TAGS = ""
        PROGRESS = (0.0, 90.0)
        OUTPUTS = ()
        rows: Annotated[str, Table(whole=True), Shown("Rows", name="INPUT")]

    Whole.__annotations__ = {"rows": Annotated[str, Table(whole=True), Shown("Rows", name="INPUT")]}
    algorithm = ToolAlgorithm(Whole)
    algorithm.initAlgorithm()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    asked = Asked(algorithm, Whole, {"INPUT": layer}, context, QgsProcessingFeedback(), folder)
    return str(asked.prepare()["rows"])


def list_rows(layer: QgsVectorLayer, names: list[str]) -> list[tuple[Any, ...]]:
    assert layer.isValid()
    return [
        ("" if feature.geometry().isEmpty() else feature.geometry().asWkt(), *(feature[name] for name in names))
        for feature in layer.getFeatures()
    ]


def test_a_plain_table_is_not_copied(tmp_path: Path) -> None:
    layer = save(make_layer(), tmp_path / "crimes.gpkg")
    folder = tmp_path / "exchange"
    folder.mkdir()
    assert read_given(layer, folder) == f"{tmp_path / 'crimes.gpkg'}|layername=crimes"
    assert not list(folder.iterdir())


@pytest.mark.parametrize("ids", [False, True], ids=["plain", "with a field fid"])
def test_any_other_layer_is_written_with_all_its_fields(ids: bool, tmp_path: Path) -> None:
    layer = make_layer(ids)
    names = layer.fields().names()
    QgsProject.instance().addMapLayer(layer, False)
    try:
        written = QgsVectorLayer(read_given(layer, tmp_path), "written", "ogr")
        assert list_rows(written, names) == list_rows(layer, names)
    finally:
        QgsProject.instance().removeMapLayer(layer.id())


def test_of_a_selection_only_that_is_read(tmp_path: Path) -> None:
    layer = save(make_layer(), tmp_path / "crimes.gpkg")
    QgsProject.instance().addMapLayer(layer, False)
    try:
        layer.selectByExpression("beat = 2")
        chosen = QgsProcessingFeatureSourceDefinition(layer.id(), True)
        written = QgsVectorLayer(read_given(chosen, tmp_path), "written", "ogr")
        assert [row[1:] for row in list_rows(written, ["fid", "beat", "day"])] == [(3, 2, QDate(1969, 1, 1))]
    finally:
        QgsProject.instance().removeMapLayer(layer.id())


@pytest.mark.parametrize("kept", [["fid", "Arrest", "day", "beat"], ["Arrest", "day", "beat"]])
def test_ids_that_the_layer_did_not_have_go_nowhere_else(kept: list[str], tmp_path: Path) -> None:
    from crime_risk.algorithms.sinks import Table

    layer = save(make_layer(), tmp_path / "made.gpkg")
    table = Table(tmp_path / "made.gpkg", kept)
    fields, features = table.read(table.open())
    assert fields.names() == kept
    assert fields.field("day").typeName() == "Date"
    expected = [tuple(row[1:]) for row in list_rows(layer, kept)]
    assert [tuple(feature[name] for name in kept) for feature in features] == expected
    if "fid" not in kept:
        assert [feature.attributes()[0] for feature in table.read(table.open())[1]] == ["true"] * 3


@pytest.mark.parametrize("output", ["memory:", "TEMPORARY_OUTPUT", "joined.gpkg", "joined.shp", "joined.geojson"])
def test_a_join_keeps_dates_and_shows_no_ids_of_its_own(output: str, run: Any, tmp_path: Path) -> None:
    layer = make_layer()
    (tmp_path / "wards.csv").write_text("beat,level\n2,high\n")
    target = output if output in ("memory:", "TEMPORARY_OUTPUT") else str(tmp_path / output)
    QgsProject.instance().addMapLayer(layer, False)
    try:
        ran = run(
            "joincontext",
            INPUT=layer,
            TABLE_FILE=str(tmp_path / "wards.csv"),
            JOIN_BY="key",
            OUTPUT=target,
        )
        made = ran["OUTPUT"]
        made = made if isinstance(made, QgsVectorLayer) else QgsVectorLayer(str(made), "made", "ogr")
        names = ["Arrest", "day", "beat"]
        assert [name for name in made.fields().names() if (name, output[-5:]) != ("fid", ".gpkg")] == [*names, "level"]
        assert list_rows(made, names) == list_rows(layer, names)
        assert isinstance(next(made.getFeatures())["day"], QDate)
        assert [feature["level"] or None for feature in made.getFeatures()] == [None, None, "high"]
    finally:
        QgsProject.instance().removeMapLayer(layer.id())


def test_incidents_that_are_refused_are_recovered_with_all_they_had(run: Any, tmp_path: Path) -> None:
    layer = make_layer()
    QgsProject.instance().addMapLayer(layer, False)
    try:
        layer.startEditing()
        layer.changeAttributeValue(next(layer.getFeatures()).id(), 0, "false")
        layer.commitChanges()
        refused = run("outcomerates", INPUT=layer, REFUSED="memory:")["REFUSED"]
    finally:
        QgsProject.instance().removeMapLayer(layer.id())
    assert refused.fields().names() == ["Arrest", "day", "beat", "reason"]
    assert [feature.attributes()[1:] for feature in refused.getFeatures()] == [[None, 1, "no date"]]
