"""Classes of a risk of areas: by percentiles of the areas, by shares of the ground, and what does not go together."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from kit.maps import write_raster
from kit.panels import make_row

from riskengine.ground.errors import ParameterError
from riskengine.jobs import run_job

#: Four areas of 1, 1, 2 and 6 km², side by side.
ROW = make_row([1000, 1000, 2000, 6000])
#: Risk per km² falls from the second to the fourth, however large they are.
RISK = np.array([0.10, 0.30, 0.20, 0.55])


def write_risk(path: Path, risk: np.ndarray) -> str:
    """A row for each area, and each map of one month from May 2022."""
    maps = np.atleast_2d(risk)
    number = maps.size // len(ROW)
    months = np.datetime64("2022-05", "M") + np.repeat(np.arange(number), len(ROW))
    pyogrio.raw.write(
        path,
        np.tile(shapely.to_wkb(ROW), number),
        [
            np.array([*"ABCD"] * number, dtype=object),
            months.astype("datetime64[ms]"),
            (months + 1).astype("datetime64[ms]"),
            maps.ravel(),
        ],
        ["id", "start", "end", "risk"],
        layer="risk",
        driver="GPKG",
        geometry_type="Polygon",
        crs="EPSG:27700",
    )
    return str(path)


def run(folder: Path, risk: np.ndarray, **more: Any) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    target = folder / "classes.gpkg"
    done = run_job("classify", {"risk": write_risk(folder / "risk.gpkg", risk), "by_area": str(target), **more})
    meta, _, _, columns = pyogrio.raw.read(target)
    return done, {name: column.tolist() for name, column in zip(meta["fields"], columns, strict=True)}


def test_percentiles_are_of_the_areas(tmp_path: Path) -> None:
    done, rows = run(tmp_path, RISK, percentiles=[50, 75])
    # The median of the four risks is 0.25, their 75th percentile 0.30 + 0.25 × 0.25.
    assert done["thresholds"] == [pytest.approx([0.25, 0.3625])]
    assert rows["class"] == [0, 1, 0, 2]
    assert rows["label"][3] == "Above the 75th percentile"
    assert rows["id"] == [*"ABCD"]
    assert rows["size"] == [1e6, 1e6, 2e6, 6e6]
    assert [str(rows[key][0]) for key in ("start", "end")] == ["2022-05-01 00:00:00", "2022-06-01 00:00:00"]
    assert done["edges"] == [["2022-05-01T00:00:00", "2022-06-01T00:00:00"]]
    said = "Classes by percentiles of the areas; thresholds of the first map: 0.25, 0.36"
    assert done["classes_text"].startswith(said)


def test_shares_are_of_the_ground_and_the_densest_come_first(tmp_path: Path) -> None:
    """Expected incidents per km²: B 0.36, D 0.13, C 0.11, and A a little less than C."""
    density = [-math.log(1 - risk) / size for risk, size in zip(RISK, (1, 1, 2, 6))]
    assert density[1] > density[3] > density[2] > density[0]
    done, rows = run(tmp_path, RISK, method="shares", shares=[10, 70, 80])
    # 1 km² is 10 % of the ground: B. D makes it 70 %. C does not fit into 80 %.
    assert rows["class"] == [0, 3, 0, 2]
    assert rows["label"] == [
        "Other 20 % of the area (here 30 %)",
        "Riskiest 10 % of the area",
        "Other 20 % of the area (here 30 %)",
        "Riskiest 10 to 70 % of the area",
    ]
    assert done["thresholds"][0] == pytest.approx([density[3], density[3], density[1]])


def test_one_area_at_least(tmp_path: Path) -> None:
    done, rows = run(tmp_path, RISK, method="shares", shares=[1])
    assert rows["class"] == [0, 1, 0, 0]
    assert rows["label"][1] == "Riskiest 1 % of the area (here 10 %)"
    assert done["cells"] == [3, 1]


def test_over_all_maps_or_each(tmp_path: Path) -> None:
    """The quiet month has its own median, but lies below that of both together."""
    maps = np.array([RISK, RISK / 10])
    _, each = run(tmp_path, maps, percentiles=[50])
    assert each["class"] == [0, 1, 0, 1] * 2
    _, both = run(tmp_path, maps, percentiles=[50], over="stack")
    assert both["class"] == [1, 1, 1, 1, 0, 0, 0, 0]
    _, shares = run(tmp_path, maps, method="shares", shares=[10], over="stack")
    # 2 of 20 km²: B, 1 km², and then D of 6 km² does not fit.
    assert shares["class"] == [0, 1, 0, 0, 0, 0, 0, 0]


def test_no_risk_no_class(tmp_path: Path) -> None:
    _, rows = run(tmp_path, np.array([0.1, np.nan, 0.2, 0.3]), percentiles=[50])
    assert rows["label"][1] is None
    assert np.isnan(rows["class"][1])
    assert rows["class"][3] == 1


def test_a_reference_of_areas(tmp_path: Path) -> None:
    reference = write_risk(tmp_path / "reference.gpkg", RISK)
    done, rows = run(tmp_path, RISK / 2, percentiles=[50], reference=reference)
    assert done["thresholds"] == [pytest.approx([0.25])]
    assert rows["class"] == [0, 0, 0, 1]


def test_what_does_not_go_together(tmp_path: Path) -> None:
    areas = write_risk(tmp_path / "risk.gpkg", RISK)
    square = rasterio.Affine(500.0, 0.0, 500_000.0, 0.0, -500.0, 180_000.0)
    raster = write_raster(tmp_path / "risk.tif", np.array([[[0.1, 0.2]]], dtype=np.float32), square)
    said = r"output is .*c\.tif, but risk is a layer of areas\. Leave output empty: by_area has the result\."
    with pytest.raises(ParameterError, match=said):
        run_job("classify", {"risk": areas, "output": str(tmp_path / "c.tif")})
    said = r"by_area is .*c\.gpkg, but risk is a raster\. Leave by_area empty: output has the result\."
    with pytest.raises(ParameterError, match=said):
        run_job("classify", {"risk": raster, "by_area": str(tmp_path / "c.gpkg")})
    said = r"risk is a layer of areas, but reference is a raster\. Choose the same areas for reference\."
    with pytest.raises(ParameterError, match=said):
        run_job("classify", {"risk": areas, "reference": raster, "by_area": str(tmp_path / "c.gpkg")})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["risk.gpkg", "risk.tif"]
