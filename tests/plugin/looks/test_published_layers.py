"""Layers that 0.2.0 and 0.3.0 wrote are still what the algorithms read, and algorithms still write layers like them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsVectorLayer

FILES = Path(__file__).resolve().parents[2] / "contracts" / "files"
VERSIONS = ("0.2.0", "0.3.0")


@pytest.fixture(params=VERSIONS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a version's files: SQLite writes beside a GeoPackage even to read it."""
    shutil.copytree(FILES / request.param, tmp_path / "written")
    return tmp_path / "written"


def fields(layer: QgsVectorLayer) -> dict[str, str]:
    return {field.name(): field.typeName() for field in layer.fields()}


def test_imported_incidents_are_read(written: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    incidents = QgsVectorLayer(str(written / "incidents.gpkg"), "incidents")
    assert incidents.featureCount() == 150
    found = fields(incidents)
    assert found["occurred"] == "DateTime"
    assert {"category", "district"} <= set(found)
    given = {"INPUT": str(written / "incidents.gpkg"), "TIME_FIELD": "occurred", "CATEGORY_FIELD": "category"}
    index = run("buildcrimeindex", **given, OUTPUT=str(tmp_path / "city.crimeindex"))
    assert (index["COUNT"], index["REFUSED_COUNT"]) == (150, 0)
    grids = run("rasterizehotspots", **given, COLUMNS=5, ROWS=5, OUTPUT=str(tmp_path / "grids.tif"))
    assert (grids["COUNT"], grids["LEFT_OUT"]) == (150, 0)


def test_scores_are_what_they_were(written: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    """The same index asked at the points of the layer gives the layer's scores, in fields of the same names."""
    index, scores = str(written / "city.crimeindex"), written / "scores.gpkg"
    before = QgsVectorLayer(str(scores), "scores")
    asked = run("crimescorelayer", INDEX=index, POINTS=str(scores), RADIUS=900, OUTPUT=str(tmp_path / "again.gpkg"))
    after = QgsVectorLayer(asked["OUTPUT"], "again")
    assert set(fields(before)) <= set(fields(after))
    assert before.featureCount() == after.featureCount() > 0
    for name in ("score", "score_abs", "percentile"):
        old, new = ([each[name] for each in layer.getFeatures()] for layer in (before, after))
        assert new == pytest.approx(old, abs=1e-9), name
    whole = {"SPACING": 6000, "NO_AREA": 1, "RADIUS": 900}
    gridded = run("crimescorelayer", INDEX=index, **whole, OUTPUT=str(tmp_path / "new.gpkg"))
    fresh = QgsVectorLayer(gridded["OUTPUT"], "fresh")
    assert fields(before).items() <= fields(fresh).items()
    assert fresh.featureCount() == before.featureCount()
