"""Network exposure in QGIS: fields and lengths, any risk, the style, what the log says, what is refused."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.layers import EAST, METRES, NORTH, make_square
from kit.streetlayers import Line, make_streets
from osgeo import gdal, osr
from qgis.core import QgsDistanceArea, QgsFeature, QgsGeometry, QgsProject, QgsVectorLayer

#: A street through the middle of the incidents, one a kilometre beside, and one far from all of them.
LINES: Sequence[Line] = (((0, 0), (400, 0)), ((0, 1000), (400, 1000)), ((90_000, 0), (90_400, 0)))


@pytest.fixture
def incidents(points: Any) -> QgsVectorLayer:
    """365 incidents of 2015 along the first street, and 100 spread over the town."""
    first = datetime.datetime(2015, 1, 1)
    rows = [(EAST + 2 * (day % 200), NORTH, first + datetime.timedelta(days=day), "Theft") for day in range(365)]
    spread = [(EAST + 200 * x, NORTH + 200 * y, first, "Theft") for x in range(-3, 7) for y in range(-3, 7)]
    return points([*rows, *spread])


def read_rows(path: Any) -> tuple[QgsVectorLayer, list[QgsFeature]]:
    layer = QgsVectorLayer(str(path), "exposure", "ogr")
    assert layer.isValid()
    return layer, list(layer.getFeatures())


def test_each_line_keeps_its_fields_and_gets_length_risk_and_exposure(run: Any, incidents: Any, tmp_path: Path) -> None:
    streets = make_streets(LINES)
    ran = run("networkexposure", INPUT=streets, INCIDENTS=incidents, OUTPUT=str(tmp_path / "exposure.gpkg"))
    _, (busy, quiet, far) = read_rows(tmp_path / "exposure.gpkg")
    assert [each["name"] for each in (busy, quiet, far)] == ["0 Street", "1 Street", "2 Street"]
    measure = QgsDistanceArea()
    measure.setSourceCrs(streets.crs(), QgsProject.instance().transformContext())
    measure.setEllipsoid("WGS84")
    for feature in (busy, quiet, far):
        assert feature["length_m"] == pytest.approx(measure.measureLength(feature.geometry()), abs=1e-3)
        assert feature["exposure"] == pytest.approx(feature["risk_per_m"] * feature["length_m"])
    assert busy["risk_per_m"] > 20 * quiet["risk_per_m"] > 0
    # Nothing is known of it, and it is not cheap for that.
    assert far["outside"] == 1
    assert quiet["risk_per_m"] < far["risk_per_m"] < busy["risk_per_m"]
    assert ran["STREETS"] == 3
    assert ran["OUTSIDE"] == 1
    assert ran["COMPONENTS"] == 3
    assert ran["STEP_USED"] == 25
    assert ran["METRES"] == pytest.approx(1200, rel=0.001)
    assert ran["EXPOSURE"] == pytest.approx(sum(each["exposure"] for each in (busy, quiet, far)))


def test_the_log_names_risk_step_and_what_lies_outside(run: Any, incidents: Any, tmp_path: Path) -> None:
    ran = run("networkexposure", INPUT=make_streets(LINES), INCIDENTS=incidents, OUTPUT=str(tmp_path / "made.gpkg"))
    assert "density of 465 incidents, Jan – Dec 2015, kernel 100 m" in ran.log.text
    assert "every 25 m" in ran.log.text
    assert "1 of 3 lines lies outside the risk, 0.4 of 1.2 km" in ran.log.text
    assert "2 parts of the network" in ran.log.text


def test_streets_are_drawn_by_their_risk_and_those_outside_apart(run: Any, incidents: Any, tmp_path: Path) -> None:
    run("networkexposure", INPUT=make_streets(), INCIDENTS=incidents, OUTPUT=str(tmp_path / "made.gpkg"))
    layer, features = read_rows(tmp_path / "made.gpkg")
    *classes, away = layer.renderer().ranges()
    widths = [each.symbol().width() for each in classes]
    assert widths == sorted(set(widths)), "classes cannot be told apart without colours"
    assert "incidents per km² and year" in classes[0].label()
    assert "Outside the risk" in away.label()
    own = [each["risk_per_m"] for each in features if each["outside"] <= 0.5]
    assert (classes[0].lowerValue(), classes[-1].upperValue()) == (min(own), max(own))
    assert len(own) < len(features)
    assert "density of 465 incidents" in layer.metadata().abstract()


def test_faults_are_points_that_name_the_lines(run: Any, incidents: Any, tmp_path: Path) -> None:
    # The second crosses the first without a vertex.
    streets = make_streets([*LINES, ((200, -100), (200, 100))])
    ran = run("networkexposure", INPUT=streets, INCIDENTS=incidents, FAULTS=str(tmp_path / "faults.gpkg"))
    found = list(QgsVectorLayer(str(tmp_path / "faults.gpkg"), "faults", "ogr").getFeatures())
    assert ran["FAULTS_COUNT"] == len(found)
    assert {each["feature_id"] for each in found if each["kind"] == "outside"} == {3}
    (crossing,) = [each for each in found if each["kind"] == "crossing"]
    assert {crossing["feature_id"], crossing["other_id"]} == {1, 4}


def write_raster(path: Path, values: Any, cell: float = 200.0) -> str:
    """A raster whose lower left corner is that of the town."""
    values = np.asarray(values, dtype=np.float32)
    rows, columns = values.shape
    file = gdal.GetDriverByName("GTiff").Create(str(path), columns, rows, 1, gdal.GDT_Float32)
    file.SetGeoTransform((EAST, cell, 0, NORTH - cell / 2 + rows * cell, 0, -cell))
    reference = osr.SpatialReference()
    reference.SetFromUserInput(METRES)
    file.SetProjection(reference.ExportToWkt())
    file.GetRasterBand(1).WriteArray(values)
    file.FlushCache()
    return str(path)


def test_a_raster_takes_the_place_of_incidents(run: Any, tmp_path: Path) -> None:
    risk = write_raster(tmp_path / "risk.tif", [[0.1, 0.5]])
    output = tmp_path / "made.gpkg"
    ran = run("networkexposure", INPUT=make_streets(LINES), RISK=risk, OUTPUT=str(output), REFUSED="memory:")
    _, (busy, _, _) = read_rows(output)
    # Half of it in each of two cells.
    assert busy["risk_per_m"] == pytest.approx(0.3, rel=0.02)
    assert busy["above"] == pytest.approx(0, abs=0.02)
    assert ran["REFUSED_COUNT"] == 0
    assert ran["STEP_USED"] == 100


def test_scored_polygons_take_the_place_of_incidents(run: Any, tmp_path: Path) -> None:
    scores = QgsVectorLayer(f"Polygon?crs={METRES}&field=predicted_score:double", "scores", "memory")
    for x, score in ((-50, 0.2), (200, 0.8)):
        feature = QgsFeature(scores.fields())
        feature.setGeometry(QgsGeometry.fromWkt(make_square(x, -125, 250)))
        feature.setAttributes([score])
        assert scores.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(scores, False)
    run("networkexposure", INPUT=make_streets(LINES), SCORES=scores, OUTPUT=str(tmp_path / "made.gpkg"))
    _, (busy, quiet, _) = read_rows(tmp_path / "made.gpkg")
    assert busy["risk_per_m"] == pytest.approx(0.5, abs=0.02)
    assert quiet["outside"] == 1


def test_a_risk_is_needed_and_one_alone(refusal: Any, incidents: Any, tmp_path: Path) -> None:
    streets, risk = make_streets(LINES), write_raster(tmp_path / "risk.tif", [[0.1, 0.5]])
    assert "INCIDENTS is empty, and so is every other risk" in refusal("networkexposure", INPUT=streets)
    assert "Choose one risk" in refusal("networkexposure", INPUT=streets, INCIDENTS=incidents, RISK=risk)


def test_a_risk_of_another_city_is_refused(refusal: Any, incidents: Any) -> None:
    said = refusal("networkexposure", INPUT=make_streets(LINES[2:]), INCIDENTS=incidents, OUTPUT="memory:")
    assert "No street lies where the risk is known" in said
    assert "same city" in said


def test_a_layer_that_is_measured_again_keeps_both(run: Any, incidents: Any, tmp_path: Path) -> None:
    first, second = tmp_path / "first.gpkg", tmp_path / "second.gpkg"
    run("networkexposure", INPUT=make_streets(LINES), INCIDENTS=incidents, OUTPUT=str(first))
    run("networkexposure", INPUT=str(first), INCIDENTS=incidents, KERNEL=300, OUTPUT=str(second))
    layer, (busy, _, _) = read_rows(second)
    assert busy["risk_per_m_2"] < busy["risk_per_m"]
    assert "risk_per_m_2" in layer.renderer().classAttribute()
