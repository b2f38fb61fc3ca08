"""A layer carries how exact its times are, where its values cannot say it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kit.algorithms import read_refusal

HEADER = "Longitude,Latitude,Month,Crime type\n"


def test_a_layer_of_one_month_is_still_of_months(run: Any, tmp_path: Path) -> None:
    """All at midnight of one first, the values alone look like a day."""
    path, layer = tmp_path / "month.csv", tmp_path / "o.gpkg"
    path.write_text(HEADER + "".join(f"-0.1{number},51.5{number},2024-03,Theft\n" for number in range(9)))
    ran = run("importincidents", INPUT=str(path), OUTPUT=str(layer))
    assert ran["EXACTNESS"] == "month"
    given = {"INPUT": str(layer), "TIME_FIELD": "occurred", "CELL_SIZE": 1000, "OUTPUT": str(tmp_path / "o.tif")}
    assert "These times are months" in read_refusal("rasterizehotspots", **given, BIN_UNIT=1)
