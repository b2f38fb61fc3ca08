"""Whatever the CRS, the metres are the same; bins follow the calendar and the wall clock."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.layers import SYSTEMS, read_band_times, read_bands
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)


@pytest.fixture(scope="module")
def in_every_crs(points: Any, town: Any) -> dict[str, QgsVectorLayer]:
    return {crs: points(town, crs=crs) for crs in SYSTEMS}


def test_the_same_metres(in_every_crs: dict[str, QgsVectorLayer], run: Any, tmp_path: Path) -> None:
    found = {}
    for crs, layer in in_every_crs.items():
        name = crs.replace(":", "_")
        index = run("buildcrimeindex", INPUT=layer, TIME_FIELD="occurred", OUTPUT=str(tmp_path / f"{name}.crimeindex"))
        scored = run("crimescorelayer", INDEX=index["OUTPUT"], POINTS=layer, OUTPUT="memory:")
        assert scored["OUTPUT"].crs().authid() == crs
        grid = run("crimescorelayer", INDEX=index["OUTPUT"], SPACING=500, OUTPUT="memory:")
        assert grid["OUTPUT"].crs().authid() == "EPSG:32610"
        grids = run(
            "rasterizehotspots", INPUT=layer, TIME_FIELD="occurred", CELL_SIZE=250, OUTPUT=str(tmp_path / f"{name}.tif")
        )
        raster = QgsRasterLayer(grids["OUTPUT"], "grids")
        assert raster.crs().authid() == "EPSG:32610"
        assert raster.rasterUnitsPerPixelX() == pytest.approx(250)
        found[crs] = (
            [feature["score_abs"] for feature in scored["OUTPUT"].getFeatures()],
            [feature["score_abs"] for feature in grid["OUTPUT"].getFeatures()],
            read_bands(grids["OUTPUT"]).tolist(),
            [round(edge, 3) for edge in (raster.extent().xMinimum(), raster.extent().yMaximum())],
        )
    for crs in SYSTEMS[1:]:
        assert found[crs] == found["EPSG:4326"], crs


def test_the_automatic_cell_is_the_same_and_reported(in_every_crs: Any, run: Any, tmp_path: Path) -> None:
    cells = set()
    for number, layer in enumerate(in_every_crs.values()):
        ran = run("rasterizehotspots", INPUT=layer, TIME_FIELD="occurred", OUTPUT=str(tmp_path / f"{number}.tif"))
        cells.add(ran["CELL"])
        assert f"Cell size {ran['CELL']:g} m, chosen from the extent" in ran.log.text
    assert len(cells) == 1


def test_a_working_crs_of_ones_own(town_layer: Any, run: Any, tmp_path: Path) -> None:
    ran = run(
        "rasterizehotspots",
        INPUT=town_layer,
        TIME_FIELD="occurred",
        CRS="EPSG:32611",
        CELL_SIZE=250,
        OUTPUT=str(tmp_path / "a.tif"),
    )
    assert QgsRasterLayer(ran["OUTPUT"], "a").crs().authid() == "EPSG:32611"
    assert ran["COUNT"] == 300


def area_layer(crs: str) -> QgsVectorLayer:
    """The western half of the town."""
    layer = QgsVectorLayer(f"Polygon?crs={crs}", "west", "memory")
    geometry = QgsGeometry.fromWkt(
        "Polygon ((525000 5040000, 526500 5040000, 526500 5043000, 525000 5043000, 525000 5040000))"
    )
    metres, target = QgsCoordinateReferenceSystem("EPSG:32610"), QgsCoordinateReferenceSystem(crs)
    geometry.transform(QgsCoordinateTransform(metres, target, QgsProject.instance()))
    feature = QgsFeature()
    feature.setGeometry(geometry)
    layer.dataProvider().addFeatures([feature])
    layer.updateExtents()
    QgsProject.instance().addMapLayer(layer, False)
    return layer


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32610", "EPSG:2913"])
def test_study_area(crs: str, town_layer: Any, town: Any, index_file: Path, run: Any, tmp_path: Path) -> None:
    area = area_layer(crs)
    ran = run(
        "rasterizehotspots",
        INPUT=town_layer,
        TIME_FIELD="occurred",
        STUDY_AREA=area,
        EXTENT="524500,528500,5039500,5043500 [EPSG:32610]",
        CELL_SIZE=500,
        OUTPUT=str(tmp_path / "area.tif"),
    )
    inside = sum(525_000 <= x < 526_500 and 5_040_000 < y <= 5_043_000 for x, y, *_ in town)
    assert abs(ran["COUNT"] - inside) <= 2
    assert ran["COUNT"] + ran["LEFT_OUT"] == len(town)
    grids = read_bands(ran["OUTPUT"])
    assert grids.shape[1:] == (8, 8)
    assert (grids[0] != 255).sum() == 18, "3 x 6 cells lie inside"
    assert ((grids != 255) == (grids[0] != 255)).all()
    scored = run("crimescorelayer", INDEX=str(index_file), SPACING=100, POLYGONS=area, OUTPUT="memory:")
    assert scored["COUNT"] == pytest.approx(15 * 30, abs=50)
    assert all(524_999 <= f.geometry().asPoint().x() <= 526_501 for f in scored["OUTPUT"].getFeatures())


def test_a_study_area_elsewhere(refusal: Any, town_layer: Any, index_file: Path, tmp_path: Path) -> None:
    """As where its CRS is wrong: neither maps without incidents nor scores of 0."""
    area = QgsVectorLayer("Polygon?crs=EPSG:4326", "away", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromWkt("Polygon ((10 50, 10.05 50, 10.05 50.05, 10 50.05, 10 50))"))
    area.dataProvider().addFeatures([feature])
    area.updateExtents()
    for algorithm, given in (
        ("rasterizehotspots", {"INPUT": town_layer, "TIME_FIELD": "occurred", "STUDY_AREA": area, "CELL_SIZE": 5000}),
        ("crimescorelayer", {"INDEX": str(index_file), "SPACING": 1000, "POLYGONS": area}),
    ):
        said = refusal(algorithm, **given, OUTPUT=str(tmp_path / "out.tif"))
        assert "None of the 300 incidents lies inside the polygons" in said
        assert "Choose polygons that overlap the incidents" in said
        assert not list(tmp_path.iterdir())


def test_counts_and_binary(points: Any, run: Any, tmp_path: Path) -> None:
    noon = datetime.datetime(2024, 1, 5, 12)
    rows = [(525_010, 5_040_010, noon, "a")] * 3 + [(525_210, 5_040_010, noon, "b")] * 2
    layer = points(rows, crs="EPSG:32610")
    extent = "525000,525300,5040000,5040100 [EPSG:32610]"
    for binary, expected in ((False, [3, 0, 2]), (True, [1, 0, 1])):
        ran = run(
            "rasterizehotspots",
            INPUT=layer,
            TIME_FIELD="occurred",
            EXTENT=extent,
            CELL_SIZE=100,
            BINARY=binary,
            OUTPUT=str(tmp_path / f"{binary}.tif"),
        )
        assert read_bands(ran["OUTPUT"]).ravel().tolist() == expected
        assert ran["BINS"] == 1
    only = run(
        "rasterizehotspots",
        INPUT=layer,
        TIME_FIELD="occurred",
        CATEGORY_FIELD="category",
        CATEGORIES=" B ; ",
        EXTENT=extent,
        CELL_SIZE=100,
        OUTPUT=str(tmp_path / "b.tif"),
    )
    assert read_bands(only["OUTPUT"]).ravel().tolist() == [0, 0, 2]
    assert only["COUNT"] == 2


@pytest.mark.parametrize(
    ("unit", "length", "first", "last", "count"),
    [
        # The night in which clocks are set forward in New York, and the leap day: bins are of the wall clock.
        (0, 2, ("2024-02-28 00:00", "2024-02-28 02:00"), ("2024-03-11 00:00", "2024-03-11 02:00"), 12 * 12 + 1),
        (1, 1, ("2024-02-28 00:00", "2024-02-29 00:00"), ("2024-03-11 00:00", "2024-03-12 00:00"), 13),
        (2, 1, ("2024-02-26 00:00", "2024-03-04 00:00"), ("2024-03-11 00:00", "2024-03-18 00:00"), 3),
        (3, 1, ("2024-02-01 00:00", "2024-03-01 00:00"), ("2024-03-01 00:00", "2024-04-01 00:00"), 2),
    ],
)
def test_bins(unit: int, length: int, first: Any, last: Any, count: int, points: Any, run: Any, tmp_path: Path) -> None:
    moments = [
        datetime.datetime(2024, 2, 28, 1, 30),
        datetime.datetime(2024, 2, 29, 23, 59, 59),
        datetime.datetime(2024, 3, 10, 2, 30),
        datetime.datetime(2024, 3, 11, 0, 0, 0),
    ]
    for kind in ("datetime", "text"):
        layer = points([(525_000, 5_040_000, moment, "") for moment in moments], kind=kind)
        ran = run(
            "rasterizehotspots",
            INPUT=layer,
            TIME_FIELD="occurred",
            BIN_UNIT=unit,
            BIN_LENGTH=length,
            OUTPUT=str(tmp_path / f"{kind}.tif"),
        )
        times = read_band_times(QgsRasterLayer(ran["OUTPUT"], "grids"), "yyyy-MM-dd HH:mm")
        assert (times[0], times[-1], len(times)) == (first, last, count)
        stack = np.nansum(read_bands(ran["OUTPUT"], nan=True), axis=(1, 2))
        expected = [0] * count
        for moment in moments:
            text = moment.strftime("%Y-%m-%d %H:%M")
            expected[next(number for number, (start, end) in enumerate(times) if start <= text < end)] += 1
        assert stack.tolist() == expected


def test_a_period(town_layer: Any, town: Any, run: Any, tmp_path: Path) -> None:
    ran = run(
        "rasterizehotspots",
        INPUT=town_layer,
        TIME_FIELD="occurred",
        START="2024-01-10T00:00:00",
        END="2024-01-20T00:00:00",
        COLUMNS=4,
        ROWS=4,
        OUTPUT=str(tmp_path / "ten.tif"),
    )
    assert ran["BINS"] == 10
    inside = sum(datetime.datetime(2024, 1, 10) <= row[2] < datetime.datetime(2024, 1, 20) for row in town)
    assert ran["COUNT"] == inside


def test_window_and_reference_time(points: Any, town: Any, index_file: Path, run: Any) -> None:
    place = points([(525_600, 5_040_700, town[0][2], "")], crs="EPSG:32610")

    def count(radius: float, window: float, reference: datetime.datetime) -> int:
        return sum(
            (x - 525_600) ** 2 + (y - 5_040_700) ** 2 < radius**2
            and datetime.timedelta(0) <= reference - when < datetime.timedelta(days=window)
            for x, y, when, _ in town
        )

    for radius, window, reference in (
        (200, 365, datetime.datetime(2024, 2, 9, 23)),
        (150, 7, datetime.datetime(2024, 1, 20, 12)),
        (1000, 1.5, datetime.datetime(2024, 1, 15)),
    ):
        ran = run(
            "crimescorelayer",
            INDEX=str(index_file),
            POINTS=place,
            RADIUS=radius,
            WINDOW=window,
            REFERENCE_TIME=reference.isoformat(),
            OUTPUT="memory:",
        )
        scored = next(ran["OUTPUT"].getFeatures())
        assert scored["score_abs"] == count(radius, window, reference) > 0


@pytest.mark.parametrize(("crs", "scale"), [("EPSG:32610", 1.0), ("EPSG:3857", 1 / 2.04), ("EPSG:4326", None)])
def test_areas_of_classes_are_metres_on_the_ground(
    crs: str, scale: float | None, run: Any, grids_file: Path, tmp_path: Path
) -> None:
    """A risk raster brought to another CRS: its class polygons measure what they do on the ground."""
    from osgeo import gdal

    warped = tmp_path / "warped.tif"
    gdal.Warp(str(warped), gdal.Translate("", str(grids_file), format="MEM", bandList=[1]), dstSRS=crs)
    ran = run("classifyrisk", INPUT=str(warped), OUTPUT=str(tmp_path / "classes.tif"), POLYGONS="memory:")
    zones = list(ran["POLYGONS"].getFeatures())
    assert zones
    transform = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem(crs), QgsCoordinateReferenceSystem("EPSG:32610"), QgsProject.instance()
    )
    for zone in zones:
        on_the_ground = zone.geometry()
        on_the_ground.transform(transform)
        assert zone["area_m2"] == pytest.approx(on_the_ground.area(), rel=0.002)
        if scale is not None:
            assert zone["area_m2"] == pytest.approx(zone.geometry().area() * scale, rel=0.02)


def test_the_order_of_dates(points: Any, run: Any, tmp_path: Path) -> None:
    """The whole column shows day first; a filter leaves only dates that may be either, and the user knows."""
    texts = ["25/03/2024 10:00", "02/03/2024 10:00", "04/03/2024 10:00"]
    rows = [(525_000 + 500 * number, 5_040_000, text, str(number)) for number, text in enumerate(texts)]
    layer = points(rows, kind="text")
    given = {"INPUT": layer, "TIME_FIELD": "occurred", "FILTER": "category > '0'"}
    for order, first, last in ((2, "2024-03-02", "2024-03-04"), (3, "2024-02-03", "2024-04-03")):
        index = run("buildcrimeindex", **given, DATE_ORDER=order, OUTPUT=str(tmp_path / f"{order}.crimeindex"))
        assert (index["FIRST"], index["LAST"]) == (f"{first}T10:00:00", f"{last}T10:00:00")
        grids = run("rasterizehotspots", **given, DATE_ORDER=order, OUTPUT=str(tmp_path / f"{order}.tif"))
        times = read_band_times(QgsRasterLayer(grids["OUTPUT"], "grids"), "yyyy-MM-dd HH:mm")
        assert (times[0][0], times[-1][0]) == (f"{first} 00:00", f"{last} 00:00")


def test_one_list_of_orders() -> None:
    from qgis.core import QgsApplication, QgsProcessingParameterDefinition

    registry = QgsApplication.processingRegistry()
    found = [
        registry.algorithmById(f"crimerisk:{name}").parameterDefinition("DATE_ORDER")
        for name in ("importincidents", "buildcrimeindex", "rasterizehotspots")
    ]
    assert len({(one.description(), one.help(), tuple(one.options()), one.defaultValue()) for one in found}) == 1
    assert all(one.flags() & QgsProcessingParameterDefinition.Flag.FlagAdvanced for one in found)
