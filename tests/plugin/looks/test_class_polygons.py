"""Class polygons of several maps: each is shown in its bin, and while no time is chosen the first map is seen."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from kit.layers import EAST, NORTH, write_bands
from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeatureRequest,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorLayerTemporalContext,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QSize, Qt, QTime

DAYS = ("2024-12-30", "2024-12-31", "2025-01-01", "2025-01-02")


def write_risk(path: Path, edges: tuple[str, ...] = DAYS) -> str:
    """Three maps of 2 x 2 cells, a single risky cell on each, another one every day; bins between `edges`."""
    maps = [[[0.9, 0.1], [0.1, 0.1]], [[0.1, 0.8], [0.1, 0.1]], [[0.1, 0.1], [0.7, 0.1]]]
    write_bands(path, maps, nodata=-9999)
    raster = gdal.Open(str(path), gdal.GA_Update)
    for number, (start, end) in enumerate(pairwise(edges), 1):
        moments = [each if "T" in each else f"{each}T00:00:00" for each in (start, end)]
        raster.GetRasterBand(number).SetMetadata(dict(zip(("CRIMERISK_START", "CRIMERISK_END"), moments)))
    del raster
    return str(path)


def classify(run: Any, risk: str, folder: Path) -> QgsVectorLayer:
    """Classify, and open the polygons as they were loaded."""
    made = run(
        "classifyrisk", INPUT=risk, PERCENTILES="75", OUTPUT=str(folder / "c.tif"), POLYGONS=str(folder / "p.gpkg")
    )
    layer = made.layer("POLYGONS")
    assert layer.isValid()
    # The run owns it.
    layer.ran = made
    return layer


def make_moment(text: str) -> QDateTime:
    return QDateTime(QDate.fromString(text, "yyyy-MM-dd"), QTime(0, 0), Qt.TimeSpec.UTC)


def list_shown(layer: QgsVectorLayer, start: str, end: str) -> set[int]:
    """List the bands of the polygons that the Temporal Controller shows from `start` to `end`."""
    scope = QgsVectorLayerTemporalContext()
    scope.setLayer(layer)
    span = QgsDateTimeRange(make_moment(start), make_moment(end), True, False)
    text = layer.temporalProperties().createFilterString(scope, span)
    return {row["band"] for row in layer.getFeatures(QgsFeatureRequest().setFilterExpression(text))}


def find_risky_cell(layer: QgsVectorLayer, day: str = "") -> tuple[int, int]:
    """Find the column and row of the cell that is drawn in the highest class's colour, at a time or at none."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(QgsRectangle(EAST, NORTH - 200, EAST + 200, NORTH))
    settings.setOutputSize(QSize(100, 100))
    if day:
        settings.setIsTemporal(True)
        settings.setTemporalRange(QgsDateTimeRange(make_moment(day), make_moment(day).addDays(1), True, False))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage()
    cells = {(x, y): picture.pixelColor(25 + 50 * x, 25 + 50 * y).name() for x in (0, 1) for y in (0, 1)}
    (risky,) = [cell for cell, colour in cells.items() if list(cells.values()).count(colour) == 1]
    return risky


def test_each_day_shows_its_own_polygons(run: Any, tmp_path: Path) -> None:
    layer = classify(run, write_risk(tmp_path / "risk.tif"), tmp_path)
    for name in ("start", "end"):
        assert layer.fields().field(name).typeName() == "DateTime"
    times = layer.temporalProperties()
    assert times.isActive()
    assert times.mode() == Qgis.VectorTemporalMode.FeatureDateTimeStartAndEndFromExpressions
    assert times.limitMode() == Qgis.VectorTemporalLimitMode.IncludeBeginExcludeEnd
    (whole,) = layer.metadata().extent().temporalExtents()
    assert whole.begin().toString("yyyy-MM-dd") == "2024-12-30"
    assert whole.end().toString("yyyy-MM-dd") == "2025-01-02"
    assert [list_shown(layer, start, end) for start, end in pairwise(DAYS)] == [{1}, {2}, {3}]
    assert list_shown(layer, DAYS[0], DAYS[2]) == {1, 2}
    assert list_shown(layer, "2024-12-29", DAYS[0]) == list_shown(layer, DAYS[3], "2025-01-03") == set()
    assert [find_risky_cell(layer, day) for day in DAYS[:3]] == [(0, 0), (1, 0), (0, 1)]


def test_without_a_time_the_first_map_is_seen(run: Any, tmp_path: Path) -> None:
    """As of the raster: of maps drawn through each other none could be read."""
    layer = classify(run, write_risk(tmp_path / "risk.tif"), tmp_path)
    assert find_risky_cell(layer) == (0, 0)
    layer.setSubsetString('"band" = 3')
    assert find_risky_cell(layer) == (0, 1)


def test_a_file_opened_by_hand_keeps_times_and_style(run: Any, tmp_path: Path) -> None:
    classify(run, write_risk(tmp_path / "risk.tif"), tmp_path)
    layer = QgsVectorLayer(str(tmp_path / "p.gpkg"), "by hand", "ogr")
    layer.loadDefaultStyle()
    assert layer.temporalProperties().isActive()
    assert list_shown(layer, DAYS[1], DAYS[2]) == {2}
    assert find_risky_cell(layer) == (0, 0)


@pytest.mark.parametrize(
    ("edges", "said"),
    [
        (DAYS, "Mon 30 Dec 2024"),
        (("2024-12-16", "2024-12-23", "2024-12-30", "2025-01-06"), "Mon 16 Dec 2024 – Sun 22 Dec 2024"),
        (("2024-12-30T20:00:00", "2024-12-30T22:00:00", "2024-12-31", "2024-12-31T02:00:00"),
         "Mon 30 Dec 2024, 20:00 – 22:00"),
    ],
)  # fmt: skip
def test_the_map_tip_says_the_date_as_people_do(edges: Any, said: str, run: Any, tmp_path: Path) -> None:
    layer = classify(run, write_risk(tmp_path / "risk.tif", edges), tmp_path)
    scope = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    risky = next(row for row in layer.getFeatures() if row["band"] == 1 and row["class"] == 1)
    scope.setFeature(risky)
    tip = QgsExpression.replaceExpressionText(layer.mapTipTemplate(), scope)
    assert tip == f"<b>Above the 75th percentile</b><br>{said}<br>mean risk 0.9"


def test_a_raster_that_says_no_time(run: Any, tmp_path: Path) -> None:
    """Of another tool: the fields are empty, and nothing plays."""
    layer = classify(run, write_risk(tmp_path / "risk.tif", ()), tmp_path)
    assert not layer.temporalProperties().isActive()
    assert {bool(row["start"]) or bool(row["end"]) for row in layer.getFeatures()} == {False}
    assert find_risky_cell(layer) == (0, 0)


def test_a_time_that_is_none_is_no_time(run: Any, tmp_path: Path) -> None:
    layer = classify(
        run, write_risk(tmp_path / "risk.tif", ("some day", "2024-12-31", "2025-01-01", "2025-13-01")), tmp_path
    )
    starts = {row["band"]: row["start"] for row in layer.getFeatures()}
    assert not layer.temporalProperties().isActive()
    assert starts[2].toString("yyyy-MM-ddTHH:mm") == "2024-12-31T00:00"
    assert not starts[1]


def test_a_single_map_is_seen_at_any_time(run: Any, tmp_path: Path) -> None:
    write_bands(tmp_path / "one.tif", [[0.9, 0.1], [0.1, 0.1]], nodata=-9999)
    raster = gdal.Open(str(tmp_path / "one.tif"), gdal.GA_Update)
    raster.GetRasterBand(1).SetMetadata(
        {"CRIMERISK_START": "2024-12-30T00:00:00", "CRIMERISK_END": "2024-12-31T00:00:00"}
    )
    del raster
    layer = classify(run, str(tmp_path / "one.tif"), tmp_path)
    assert not layer.temporalProperties().isActive()
    assert next(layer.getFeatures())["end"].toString("yyyy-MM-dd") == "2024-12-31"
