"""Train early-warning network in QGIS: a network that Draw window maps reads, a report, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from kit.layers import EAST, METRES, NORTH
from qgis.core import QgsFeature, QgsGeometry, QgsRectangle, QgsVectorLayer


@pytest.fixture(scope="module")
def whole_town() -> QgsVectorLayer:
    """The town as one area, in metres."""
    layer = QgsVectorLayer(f"Polygon?crs={METRES}", "town", "memory")
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(EAST, NORTH, EAST + 2800, NORTH + 3000)))
    layer.dataProvider().addFeature(feature)
    return layer


@pytest.fixture
def given(town_layer: QgsVectorLayer, whole_town: QgsVectorLayer, tmp_path: Path) -> dict[str, Any]:
    return {
        "INPUT": town_layer,
        "TIME_FIELD": "occurred",
        "CATEGORY_FIELD": "category",
        "AREAS": whole_town,
        "TARGETS": "Theft",
        "WINDOW": 6,
        "NETWORK": 0,
        "WIDTH": 30,
        "HEIGHT": 32,
        "EPOCHS": 1,
        "MODEL": str(tmp_path / "town.crimewindow"),
    }


def test_a_network_with_its_ladder_and_window_maps_that_read_it(run: Any, given: Any, tmp_path: Path) -> None:
    report, table = tmp_path / "report.html", tmp_path / "figures.csv"
    ran = run("trainwindownetwork", **given, REPORT=str(report), TABLE=str(table))
    assert 0 <= ran["ACCURACY_LOW"] < ran["ACCURACY"] < ran["ACCURACY_HIGH"] <= 1
    assert 0 <= ran["PREVIOUS_ACCURACY"] <= 1
    assert ran["VERDICT"].startswith("This network detects and does not warn: ")
    assert ran["VERDICT"] in ran.log.text
    assert "hour and weekday alone" in ran["VERDICT"]
    assert ran["VERDICT"].split(". ")[0] in report.read_text(encoding="utf-8")
    with table.open(encoding="utf-8") as file:
        found = {(row["what"], row["split"], row["measure"]): float(row["value"]) for row in csv.DictReader(file)}
    assert found["point", "random", "accuracy"] == found["point", "forward", "accuracy"] == 1
    assert found["network", "random", "accuracy"] == pytest.approx(ran["ACCURACY"], abs=1e-5)
    assert found["network", "random", "windows"] == ran["TESTED"]
    drawn = run(
        "windowmaps",
        **{key: given[key] for key in ("INPUT", "TIME_FIELD", "CATEGORY_FIELD", "AREAS", "TARGETS", "WINDOW", "MODEL")},
        PICTURES=str(tmp_path / "maps"),
        LABELS=str(tmp_path / "labels.gpkg"),
    )
    assert (drawn["WIDTH_USED"], drawn["HEIGHT_USED"]) == (30, 32)
    assert (drawn["WINDOWS"], drawn["WITH_TARGET"]) == (ran["WINDOWS"], ran["WITH_TARGET"])
    assert all(0 <= each["probability"] <= 1 for each in drawn.layer("LABELS").getFeatures())


def test_without_a_ladder_there_is_no_figure_of_the_window_before(run: Any, given: Any) -> None:
    ran = run("trainwindownetwork", **given, LADDER=False)
    assert "PREVIOUS_ACCURACY" not in ran.results or ran["PREVIOUS_ACCURACY"] is None
    assert ran["VERDICT"].endswith("switch it on.")


def test_what_is_refused(refusal: Any, given: Any, tmp_path: Path) -> None:
    said = refusal("trainwindownetwork", **{**given, "NETWORK": 1})
    assert "Pictures with a width of 30 pixels are too small for the layers of this network: it needs 46." in said
    said = refusal("trainwindownetwork", **{**given, "MODEL": str(tmp_path / "town.crimemodel")})
    assert ".crimewindow" in said
    said = refusal("trainwindownetwork", **{**given, "WINDOW": 168})
    assert "40 are the least to learn from and to test on" in said
    assert sorted(tmp_path.iterdir()) == []
