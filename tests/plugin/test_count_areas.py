"""Count incidents by area in QGIS: layers in any CRS, a panel that loads and plays, steps of a model, refusals."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from kit.layers import EAST, METRES, NORTH, Row
from qgis.core import (
    Qgis,
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDateTimeRange,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerTemporalContext,
)

Boxes = Sequence[tuple[int | None, str | None, tuple[float, float, float, float] | None]]
#: The town's two halves, and a field without anything; metres from its corner.
HALVES: Boxes = (
    (1, "West", (-1000, -1000, 1400, 4000)),
    (2, "East", (1400, -1000, 4000, 4000)),
    (3, "Far", (9000, 9000, 9500, 9500)),
)


def make_layer(boxes: Boxes, crs: str = METRES, kind: str = "Polygon") -> QgsVectorLayer:
    """Boxes, or their outlines as lines, in `crs`, with the fields code and title."""
    layer = QgsVectorLayer(f"{kind}?crs={crs}&field=code:integer&field=title:string", "wards", "memory")
    project = QgsProject.instance()
    way = QgsCoordinateTransform(QgsCoordinateReferenceSystem(METRES), QgsCoordinateReferenceSystem(crs), project)
    for code, title, box in boxes:
        feature = QgsFeature(layer.fields())
        feature.setAttributes([code, title])
        if box is not None:
            west, south, east, north = (
                each + corner for each, corner in zip(box, (EAST, NORTH, EAST, NORTH), strict=True)
            )
            ring = f"({west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south})"
            shape = QgsGeometry.fromWkt(f"POLYGON({ring})" if kind == "Polygon" else f"LINESTRING{ring}")
            shape = shape.densifyByCount(20)
            shape.transform(way)
            feature.setGeometry(shape)
        layer.dataProvider().addFeature(feature)
    return layer


@pytest.fixture
def count(run: Callable[..., Any], town_layer: QgsVectorLayer, tmp_path: Path) -> Callable[..., Any]:
    """`count(PARAMETER=…)`: the town by halves into panel.gpkg."""

    def counted(**parameters: Any) -> Any:
        given = {
            "INPUT": town_layer,
            "TIME_FIELD": "occurred",
            "AREAS": make_layer(HALVES),
            "AREA_ID": "code",
            "AREA_NAME": "title",
            "OUTPUT": str(tmp_path / "panel.gpkg"),
        }
        return run("countareas", **{**given, **parameters})

    return counted


def read(destination: str) -> list[dict[str, Any]]:
    layer = QgsVectorLayer(destination, "counts", "ogr")
    assert layer.isValid(), destination
    return [dict(zip(each.fields().names(), each.attributes(), strict=True)) for each in layer.getFeatures()]


def test_the_town_by_week_and_half(count: Any, town: list[Row], tmp_path: Path) -> None:
    ran = count()
    rows = read(ran["OUTPUT"])
    assert ran["OUTPUT"] == f"{tmp_path / 'panel.gpkg'}|layername=counts_by_area"
    assert sum(row["incidents"] for row in rows) == ran["COUNT"] == 300
    west = sum(x < EAST + 1400 for x, *_ in town)
    assert sum(row["incidents"] for row in rows if row["id"] == "1") == pytest.approx(west, abs=2)
    assert {row["name"] for row in rows} == {"West", "East"}
    assert (ran["AREA_COUNT"], ran["BINS"], ran["NEVER"], ran["WITHOUT_AREA"]) == (3, 6, 1, 0)
    assert "1 of 3 areas never had an incident: 3." in ran.log.text


def test_areas_in_degrees_are_brought_to_metres_and_give_the_same(count: Any, tmp_path: Path) -> None:
    metres = read(count()["OUTPUT"])
    ran = count(AREAS=make_layer(HALVES, "EPSG:4326"), OUTPUT=str(tmp_path / "degrees.gpkg"))
    assert "The areas are in EPSG:4326 and are brought to EPSG:32610." in ran.log.text
    assert [row["incidents"] for row in read(ran["OUTPUT"])] == [row["incidents"] for row in metres]


def test_lines_count_what_lies_near_them(count: Any) -> None:
    ran = count(AREAS=make_layer(HALVES, kind="LineString"), TOLERANCE=400)
    assert 0 < ran["COUNT"] < 300
    assert ran["COUNT"] + ran["WITHOUT_AREA"] == 300
    assert "farther than 400 m from every line" in ran.log.text


def test_the_panel_plays_in_the_temporal_controller(count: Any) -> None:
    layer = QgsVectorLayer(count()["OUTPUT"], "counts", "ogr")
    layer.loadDefaultStyle()
    assert layer.renderer().type() == "graduatedSymbol"
    properties = layer.temporalProperties()
    assert properties.isActive()
    assert properties.mode() == Qgis.VectorTemporalMode.FeatureDateTimeStartAndEndFromExpressions
    assert len({each.id() for each in layer.getFeatures()}) == layer.featureCount()


def test_counts_are_loaded_with_the_areas_below_them(town_layer: QgsVectorLayer, tmp_path: Path) -> None:
    """QGIS itself would load the file's first table, which has no counts."""
    context, project = QgsProcessingContext(), QgsProject()
    context.setProject(project)
    algorithm = QgsApplication.processingRegistry().algorithmById("crimerisk:countareas").create()
    path = str(tmp_path / "panel.gpkg")
    given = {"INPUT": town_layer, "TIME_FIELD": "occurred", "UNITS": 2, "SIZE": 400, "OUTPUT": path}
    details = QgsProcessingContext.LayerDetails("Counts by area", project, "OUTPUT")
    context.addLayerToLoadOnCompletion(path, details)
    _, fine = algorithm.run(given, context, QgsProcessingFeedback(), catchExceptions=False)
    assert fine
    waiting = context.layersToLoadOnCompletion()
    assert {each.partition("layername=")[2]: one.name for each, one in waiting.items()} == {
        "counts_by_area": "Counts by area, Mon 1 Jan – Sun 11 Feb 2024",
        "areas": "Areas",
    }
    above, below = (
        next(one.layerSortKey for each, one in waiting.items() if each.endswith(name))
        for name in ("counts_by_area", "|layername=areas")
    )
    assert above > below


def test_a_temporary_panel_goes_to_the_next_step(run: Any, count: Any, tmp_path: Path) -> None:
    """What a model hands on is the layer of counts; the next step finds its file."""
    first = count(OUTPUT="TEMPORARY_OUTPUT", END="2024-02-05T00:00:00")
    ran = count(APPEND_TO=first["OUTPUT"], AREAS=None, AREA_ID=None, AREA_NAME=None, START="2024-02-05T00:00:00")
    rows = read(ran["OUTPUT"])
    assert sum(row["incidents"] for row in rows) == 300
    assert (ran["BINS"], ran["COUNT"]) == (6, 300 - first["COUNT"])


def test_a_column_of_the_incidents_says_the_area(count: Any, points: Any, town: list[Row]) -> None:
    """The category field stands for it here: two in three names are none of the areas'."""
    boxes: Boxes = ((1, "Theft", HALVES[0][2]), (2, "Mill", HALVES[1][2]))
    ran = count(INPUT=points(town), AREAS=make_layer(boxes), AREA_ID="title", AREA_COLUMN="category")
    theft = sum(each[3] == "Theft" for each in town)
    assert (ran["COUNT"], ran["WITHOUT_AREA"]) == (theft, 300 - theft)
    assert ran["DISAGREEING"] > 0
    assert f"{300 - theft} of 300 incidents name an area that the layer does not have: Burglary." in ran.log.text


def test_refused_incidents_are_a_table(count: Any, tmp_path: Path) -> None:
    ran = count(AREAS=make_layer(HALVES[:1]), REFUSED=str(tmp_path / "refused.gpkg"))
    rows = read(ran["REFUSED"])
    assert len(rows) == ran["REFUSED_COUNT"] == ran["WITHOUT_AREA"] > 0
    assert {row["reason"] for row in rows} == {"in no area"}


def test_rows_without_id_or_shape_are_named(count: Any) -> None:
    boxes: Boxes = (*HALVES, (None, "Nobody", (5000, 0, 6000, 900)), (7, "Nowhere", None))
    ran = count(AREAS=make_layer(boxes))
    assert "1 area has no id: feature 4." in ran.log.text
    assert "1 area has no polygon and is left out: 7." in ran.log.text


def test_areas_are_called_by_their_feature_where_no_field_is_chosen(count: Any) -> None:
    ran = count(AREA_ID=None, AREA_NAME=None)
    assert {row["id"] for row in read(ran["OUTPUT"])} == {"1", "2"}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"AREAS": None}, "AREAS is empty. Choose a layer of polygons or lines, or other UNITS."),
        ({"UNITS": 1}, "SIZE is empty. Say how large they are, in metres."),
        (
            {"UNITS": 2, "SIZE": 500, "AREA_COLUMN": "category"},
            "AREA_COLUMN is category, but squares and hexagons have",
        ),
        ({"AREA_ID": "codes"}, "AREA_ID: the layer has no field codes. It has: code, title."),
        ({"AREA_COLUMN": "lsoa"}, "AREA_COLUMN: the layer has no field lsoa."),
        ({"OUTPUT": "panel.shp"}, "choose a file that ends in .gpkg."),
        (
            {"OUTPUT": "ogr:dbname='{}' table=\"counts\" (geom)"},
            "a panel is a file of its own: choose a file that ends in .gpkg",
        ),
        ({"OUTPUT": "memory:counts"}, "OUTPUT is memory:counts; a panel is a file of its own"),
    ],
)
def test_what_cannot_work_is_refused_before_any_work(
    refusal: Any, town_layer: QgsVectorLayer, tmp_path: Path, parameters: dict[str, Any], said: str
) -> None:
    given = {"INPUT": town_layer, "TIME_FIELD": "occurred", "AREAS": make_layer(HALVES), "OUTPUT": "panel.gpkg"}
    asked = {**given, **parameters}
    name = asked["OUTPUT"]
    asked["OUTPUT"] = name.format(tmp_path / "all.gpkg") if ":" in name else str(tmp_path / name)
    assert said in refusal("countareas", **asked)
    assert not list(tmp_path.iterdir())


def read_counts(path: str) -> list[tuple[Any, ...]]:
    """The rows of a panel's counts."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT * FROM counts").fetchall()
    assert rows
    return rows


def test_a_panel_that_is_continued_is_not_overwritten(count: Any, refusal: Any, town_layer: QgsVectorLayer) -> None:
    destination = count()["OUTPUT"]
    path = destination.partition("|")[0]
    before = read_counts(path)
    said = refusal("countareas", INPUT=town_layer, TIME_FIELD="occurred", APPEND_TO=destination, OUTPUT=path)
    assert "is also an input and would be overwritten" in said
    # Not byte by byte: QGIS marks a file that it has opened.
    assert read_counts(path) == before


def test_a_failed_run_leaves_the_panel_of_before(count: Any, refusal: Any, town_layer: Any, tmp_path: Path) -> None:
    destination = count()["OUTPUT"]
    path = Path(destination.partition("|")[0])
    before = read_counts(str(path))
    far = make_layer((HALVES[2],))
    said = refusal("countareas", INPUT=town_layer, TIME_FIELD="occurred", AREAS=far, OUTPUT=str(path))
    assert "None of the 300 incidents belongs to one of the 1 area" in said
    assert read_counts(str(path)) == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(("unit", "bins"), [(1, 40), (2, 6)])
def test_only_the_areas_of_the_shown_time_are_drawn(count: Any, unit: int, bins: int) -> None:
    """A bin begins with its first moment and ends before that of the next, whatever its length."""
    ran = count(BIN_UNIT=unit)
    layer = QgsVectorLayer(ran["OUTPUT"], "counts", "ogr")
    layer.loadDefaultStyle()
    starts = sorted({row["start"] for row in read(ran["OUTPUT"])})
    assert ran["BINS"] == bins
    for start, after in pairwise(starts[:4]):
        scope = QgsVectorLayerTemporalContext()
        scope.setLayer(layer)
        asked = layer.temporalProperties().createFilterString(scope, QgsDateTimeRange(start, after, True, False))
        shown = {each["start"] for each in layer.getFeatures(QgsFeatureRequest().setFilterExpression(asked))}
        assert shown == {start}
