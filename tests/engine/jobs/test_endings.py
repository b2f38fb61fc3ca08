"""Names of files that later steps read by their ending: refused with another one before any work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from riskengine.contract.tools import list_tools
from riskengine.contract.tools.base import Parameter, Tool, parameters_of
from riskengine.contract.tools.kinds import File, FileDestination
from riskengine.ground.errors import ParameterError
from riskengine.jobs import run_job

#: Input that is not there: whoever looks for it has begun to work.
NEEDED: dict[str, dict[str, Any]] = {
    "add_covariates": {"panel": "absent.gpkg", "table": "table.csv", "fields": ["a"], "key_field": "b"},
    "count_areas": {"incidents": "absent.json", "crs": "EPSG:32614", "units": "squares", "size": 500},
    "convlstm": {"heatmaps": "absent.tif", "output": "risk.tif"},
    "train_forecast": {"heatmaps": "absent.tif"},
    "build_index": {"incidents": "absent.json", "crs": "EPSG:32614"},
    "train_score": {"index": "absent.crimeindex"},
    "train_outcome": {"incidents": "absent.gpkg"},
    "train_warning": {"incidents": "absent.json", "crs": "EPSG:32614", "targets": ["Shooting"]},
    "train_window_network": {
        "incidents": "absent.json",
        "crs": "EPSG:32614",
        "targets": ["Shooting"],
        "areas": "absent.npz",
        "model_output": "net.crimewindow",
    },
}


def list_read_on() -> list[tuple[type[Tool], Parameter]]:
    return [
        (tool, each)
        for tool in list_tools().values()
        for each in parameters_of(tool)
        if isinstance(each.kind, FileDestination) and each.kind.ending
    ]


def test_every_ending_that_a_tool_reads_is_one_that_a_tool_writes() -> None:
    read = {
        each.kind.ending
        for tool in list_tools().values()
        for each in parameters_of(tool)
        if isinstance(each.kind, File) and each.kind.ending
    }
    assert read == {"crimemodel", "crimeindex", "crimescore", "crimewindow", "crimeoutcome"}
    # A panel is chosen as the layer it is loaded as.
    assert {each.kind.ending for _, each in list_read_on()} == {*read, "gpkg"}
    assert {tool.JOB for tool, _ in list_read_on()} == set(NEEDED)


@pytest.mark.parametrize("name", ["two.model", "two", "two.{ending}.zip", "{ending}"])
@pytest.mark.parametrize(("tool", "parameter"), list_read_on(), ids=lambda each: getattr(each, "ID", ""))
def test_a_job_refuses_another_ending_before_any_work(
    tool: type[Tool], parameter: Parameter, name: str, tmp_path: Path
) -> None:
    ending = parameter.kind.ending
    path = tmp_path / name.format(ending=ending)
    sentence = re.escape(f"{parameter.key} is {path}; choose a file that ends in .{ending}")
    with pytest.raises(ParameterError, match=sentence) as refused:
        run_job(tool.JOB, {**NEEDED[tool.JOB], parameter.key: str(path)})
    assert refused.value.parameter == parameter.key
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("tool", "parameter"), list_read_on(), ids=lambda each: getattr(each, "ID", ""))
@pytest.mark.parametrize("name", ["two.{ending}", "TWO.{upper}", "a b.ñ.{ending}"])
def test_a_job_takes_the_ending_however_it_is_written(
    tool: type[Tool], parameter: Parameter, name: str, tmp_path: Path
) -> None:
    ending = parameter.kind.ending
    given: dict[str, Any] = {parameter.key: str(tmp_path / name.format(ending=ending, upper=ending.upper()))}
    with pytest.raises(Exception, match="absent") as failed:
        run_job(tool.JOB, {**NEEDED[tool.JOB], **given})
    assert "ends in" not in str(failed.value)
