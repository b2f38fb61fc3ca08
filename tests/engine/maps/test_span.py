"""The bins of a stack fit the times, and a wrong year does not make maps of decades."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.incidents import make_incidents, write_incidents

from riskengine.ground.errors import ParameterError
from riskengine.jobs import run_job
from riskengine.maps.heatmaps import read_heatmaps

MONTHS = np.repeat(np.arange("2023-01", "2023-07", dtype="datetime64[M]"), 5)
DAYS = np.arange("2023-01-01", "2023-02-10", dtype="datetime64[D]")


def rasterize(folder: Path, time: Any, **parameters: Any) -> tuple[dict[str, Any], list[str]]:
    place, context = np.linspace(0.0, 1000.0, len(time)), Recorder()
    given = {"incidents": write_incidents(folder / "in.npz", make_incidents(place, place, time)), **parameters}
    output = str(folder / "out.tif")
    return run_job("rasterize", {"output": output, "crs": "EPSG:32631", **given}, context), context.messages


@pytest.mark.parametrize(("time", "exactness", "bin"), [(MONTHS, "month", "1 months"), (DAYS, "day", "1 days")])
def test_automatic_bins_and_the_word_in_the_file(tmp_path: Path, time: Any, exactness: str, bin: str) -> None:
    _, said = rasterize(tmp_path, time)
    heatmaps = read_heatmaps(tmp_path / "out.tif")
    assert (heatmaps.bin, heatmaps.exactness, heatmaps.before(1).exactness) == (bin, exactness, exactness)
    assert any("chosen automatically" in line and f"exact to the {exactness}" in line for line in said)


@pytest.mark.parametrize(
    ("time", "unit", "match"),
    [
        (MONTHS, "days", "These times are months.*bins of 1 days.*Set BIN_UNIT to Months"),
        (MONTHS, "weeks", "These times are months"),
        (DAYS, "hours", "These times are days.*Set BIN_UNIT to Days"),
    ],
)
def test_bins_finer_than_the_times_are_refused(tmp_path: Path, time: Any, unit: str, match: str) -> None:
    with pytest.raises(ParameterError, match=match) as caught:
        rasterize(tmp_path, time, bin_unit=unit)
    assert caught.value.parameter == "bin_unit"
    assert not (tmp_path / "out.tif").exists()


def test_a_wrong_year_makes_no_maps_of_decades(tmp_path: Path) -> None:
    time = np.r_[DAYS, np.array(["1929-01-03"], dtype="datetime64[D]")]
    result, said = rasterize(tmp_path, time)
    assert (result["bins"], result["counted"], result["left_out"]) == (40, 40, 1)
    (line,) = [line for line in said if "far from all others" in line]
    assert "set START to 1929-01-03T00:00:00" in line
    result, said = rasterize(tmp_path, time, bin_unit="months", start="1929-01-01T00:00:00")
    assert (result["counted"], result["left_out"]) == (41, 0)
    assert not any("far from all others" in line for line in said)
