"""From features to the arrays for the engine: the same values, and little memory."""

from __future__ import annotations

import datetime
import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)

NOON = datetime.datetime(2024, 1, 5, 12)


@pytest.fixture
def exchange(tmp_path: Path) -> Any:
    """The arrays that the engine gets for a layer."""

    def exchange(layer: Any, category: str = "category") -> dict[str, Any]:
        import numpy as np
        from crime_risk.bridge import layers
        from qgis.core import QgsProcessingFeatureSource

        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        source = QgsProcessingFeatureSource(layer, context)
        layers.read_incidents(source, "occurred", category, "", tmp_path, context, QgsProcessingFeedback())
        with np.load(tmp_path / "incidents.npz", allow_pickle=False) as file:
            return {name: file[name] for name in file.files}

    return exchange


def test_values_and_their_types(exchange: Any, points: Any) -> None:
    rows = [
        (525_000, 5_040_000, NOON, "Theft"),
        (None, None, NOON, "nowhere"),
        (525_100, 5_040_000, datetime.datetime(1969, 12, 31, 23, 59, 59), None),
        ("Point (0 0)", 0, NOON, "zero"),
        (525_200, 5_040_000, None, ""),
        (525_300, 5_040_000, NOON, "Theft"),
    ]
    none = -(2**63)
    for kind, times in (("datetime", [1704456000, -1, none, 1704456000]), ("date", [1704412800, -86400, none, None])):
        arrays = exchange(points(rows, kind=kind))
        assert arrays["time"].tolist()[:3] == times[:3]
        assert {name: str(array.dtype) for name, array in arrays.items()} == {
            "x": "float64",
            "y": "float64",
            "fid": "int64",
            "time": "int64",
            "category": "int32",
            "categories": arrays["categories"].dtype.str,
            "exactness": arrays["exactness"].dtype.str,
        }
        assert arrays["x"].round(6).tolist() == [525_000, 525_100, 525_200, 525_300]
        assert arrays["fid"].tolist() == [1, 3, 5, 6]
        names = [*arrays["categories"].tolist(), None]
        assert [names[code] for code in arrays["category"]] == ["Theft", None, None, "Theft"]
    arrays = exchange(points(rows, kind="text"), category="")
    assert arrays["time_text"].tolist() == ["2024-01-05 12:00:00", "1969-12-31 23:59:59", "", "2024-01-05 12:00:00"]
    assert arrays["category"].tolist() == [-1] * 4
    assert arrays["categories"].tolist() == []


def test_a_clock_that_this_computer_skips_is_kept(
    exchange: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file's times without a zone come in that of this computer, where half past two is no time on that day."""
    clocks = ("01:30", "02:30", "03:30")
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-74.0, 40.7]},
            "properties": {"occurred": f"2024-03-10T{clock}:00"},
        }
        for clock in clocks
    ]
    path = tmp_path / "reports.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    layer = QgsVectorLayer(str(path), "reports", "ogr")
    QgsProject.instance().addMapLayer(layer, False)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        values = [feature["occurred"] for feature in layer.getFeatures()]
        assert [value.isValid() for value in values] == [True, False, True], "Qt skips it"
        seconds = exchange(layer, category="")["time"].tolist()
    finally:
        monkeypatch.undo()
        time.tzset()
    midnight = datetime.datetime(2024, 3, 10, tzinfo=datetime.timezone.utc).timestamp()
    assert seconds == [midnight + 3600 * hour + 1800 for hour in (1, 2, 3)]


def test_one_long_text_costs_little(exchange: Any, points: Any, run: Any, tmp_path: Path) -> None:
    """Arrays give every row the room of the longest text; what is longer than any time stays refused."""
    texts = ["2024-01-05 12:00"] * 50 + ["x" * 4000, "2024-01-05" + " " * 60 + "or so", " " * 70 + "2024-01-06 12:00"]
    layer = points([(525_000, 5_040_000, text, "c" * 4000) for text in texts], kind="text")
    arrays = exchange(layer)
    assert arrays["time_text"].dtype == "<U64"
    assert arrays["time_text"][-1] == "2024-01-06 12:00"
    assert arrays["categories"].dtype == "<U255"
    ran = run(
        "buildcrimeindex",
        INPUT=layer,
        TIME_FIELD="occurred",
        REFUSED="memory:",
        OUTPUT=str(tmp_path / "a.crimeindex"),
    )
    assert (ran["COUNT"], ran["REFUSED_COUNT"]) == (51, 2)
    assert all(feature["reason"].endswith("...'") for feature in ran["REFUSED"].getFeatures())


@pytest.mark.parametrize("kind", ["datetime", "text"])
def test_memory_per_feature(kind: str, exchange: Any, points: Any) -> None:
    count = 20_000
    rows = [(525_000 + row % 977, 5_040_000 + row % 991, NOON, f"category {row % 7}") for row in range(count)]
    layer = points(rows, crs="EPSG:32610", kind=kind)
    exchange(layer)
    tracemalloc.start()
    exchange(layer)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Lists of values took hundreds of bytes; a text of 19 characters alone takes 76 in an array, twice with its file.
    assert peak / count < (150 if kind == "datetime" else 350)


def test_many_points_are_moved_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np
    from crime_risk.bridge import crs

    degrees, metres = QgsCoordinateReferenceSystem("EPSG:4326"), QgsCoordinateReferenceSystem("EPSG:32610")
    x, y = np.linspace(-123, -122, 25), np.linspace(45, 46, 25)
    y[13] = np.nan
    whole = crs.transform_arrays(x, y, degrees, metres, QgsProject.instance().transformContext())
    monkeypatch.setattr(crs, "_BLOCK", 10)
    blocks = crs.transform_arrays(x, y, degrees, metres, QgsProject.instance().transformContext())
    assert np.array_equal(whole, blocks, equal_nan=True)
    assert np.isfinite(blocks[0]).sum() == 24


@pytest.mark.parametrize("algorithm", ["crimescorelayer", "selectstudyarea"])
def test_an_engine_that_leaves_out_half_of_its_answer(
    algorithm: str,
    refusal: Any,
    town_layer: Any,
    index_file: Path,
    engine: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, dict[str, Any]] = {
        "crimescorelayer": {"INDEX": str(index_file), "SPACING": 500},
        "selectstudyarea": {"INPUT": town_layer, "TIME_FIELD": "occurred"},
    }
    monkeypatch.setattr(engine, "call", lambda job, *_, **__: engine.Answer(job, {}))
    said = refusal(algorithm, **given[algorithm], OUTPUT=str(tmp_path / "out.gpkg"))
    assert "The engine gave no answer that makes sense to" in said
    assert "its result has no" in said
    assert not list(tmp_path.iterdir())
