"""The rasterize job counts what it was asked to count: period, categories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskengine.context import JobContext
from riskengine.errors import DataError
from riskengine.heatmaps import read_heatmaps
from riskengine.incidents import Incidents, write_exchange
from riskengine.jobs import run_job


@pytest.fixture
def job(tmp_path: Path) -> Any:
    """Runs the job on an incident every noon of January 2024, of categories in two spellings."""
    days = np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]")
    time = days.astype("datetime64[s]") + np.timedelta64(12, "h")
    count = len(time)
    place = np.linspace(0.0, 1000.0, count)
    category = (np.arange(count) % 2).astype(np.int32)
    path = tmp_path / "incidents.npz"
    write_exchange(path, Incidents(place, place, time, category, ["Theft", "THEFT"], np.arange(count)))

    def run(**parameters: Any) -> tuple[dict[str, Any], list[str]]:
        said: list[str] = []
        result = run_job(
            "rasterize",
            {"incidents": str(path), "output": str(tmp_path / "out.tif"), "crs": "EPSG:32631", **parameters},
            JobContext(on_log=lambda message, level: said.append(message)),
        )
        assert read_heatmaps(tmp_path / "out.tif").counts.sum() == result["counted"]
        return result, said

    return run


def test_period_is_half_open_also_within_a_bin(job: Any) -> None:
    result, said = job(bin_unit="weeks", start="2024-01-10T00:00:00", end="2024-01-12T12:00:00")
    assert (result["counted"], result["left_out"]) == (2, 29)
    assert sum("is incomplete" in line for line in said) == 2


def test_period_on_bin_edges_says_nothing(job: Any) -> None:
    result, said = job(start="2024-01-10T00:00:00", end="2024-01-12T00:00:00")
    assert (result["counted"], result["bins"]) == (2, 2)
    assert not any("is incomplete" in line for line in said)


def test_empty_period_is_refused(job: Any) -> None:
    with pytest.raises(DataError, match="No incident lies in the period"):
        job(start="2024-03-01T00:00:00", end="2024-04-01T00:00:00")


def test_categories_in_any_case_are_one(job: Any) -> None:
    assert job(categories=["theft"])[0]["counted"] == 31


def test_unknown_category_lists_the_known(job: Any) -> None:
    with pytest.raises(DataError, match="Choose from: THEFT, Theft"):
        job(categories=["arson"])
