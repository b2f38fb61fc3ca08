"""Inspect incidents in QGIS: the time of report comes along, and what QGIS refused is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsVectorLayer


@pytest.fixture
def layer() -> QgsVectorLayer:
    """Thirty incidents, each reported as text three days later; one without a place, one without a time."""
    made = QgsVectorLayer(
        "Point?crs=EPSG:4326&field=occurred:datetime&field=told:string&field=clock:time", "town", "memory"
    )
    features = []
    for number in range(30):
        feature = QgsFeature(made.fields())
        feature.setAttributes([f"2024-03-{number % 20 + 1:02}T10:{number:02}:00", f"2024-03-{number % 20 + 4:02}"])
        if number == 29:
            feature.setAttribute(0, None)
        if number:
            place = QgsPointXY(-122.6 + 0.0013 * number, 45.5 + 0.0007 * (number % 7))
            feature.setGeometry(QgsGeometry.fromPointXY(place))
        features.append(feature)
    made.dataProvider().addFeatures(features)
    return made


def test_delay_and_refusals(layer: QgsVectorLayer, run: Any, tmp_path: Path) -> None:
    report = tmp_path / "look.html"
    done = run("inspectincidents", INPUT=layer, REPORTED_FIELD="told", REPORT=str(report), REFUSED="memory:")
    assert (done["COUNT"], done["REFUSED_COUNT"], done["DELAY_MEDIAN"]) == (28, 2, 3)
    text = report.read_text(encoding="utf-8")
    assert "A look at town" in text
    assert '<td class="name"><bdi>no geometry</bdi></td><td class="n">1</td>' in text
    assert '<td class="name"><bdi>no time given</bdi></td><td class="n">1</td>' in text


def test_a_field_of_reports_that_holds_no_dates(layer: QgsVectorLayer, refusal: Any, tmp_path: Path) -> None:
    said = refusal("inspectincidents", INPUT=layer, REPORTED_FIELD="clock", REPORT=str(tmp_path / "look.html"))
    assert "REPORTED_FIELD: clock holds times of day without their dates" in said
