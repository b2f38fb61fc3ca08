"""The user guide's tables of settings against the forecasters themselves."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from riskengine.contract.forecasters import FORECASTERS
from riskengine.forecasters.catalogue import forecaster_class
from riskengine.jobs.convlstm import Parameters

GUIDE = Path(__file__).parents[2] / "docs" / "user-guide.md"
#: Parameters of their own in QGIS.
OWN = ("self", "threshold", "seed")


def rows() -> list[list[str]]:
    """Cells of the tables in the section on settings."""
    section = GUIDE.read_text(encoding="utf-8").partition("### Settings, seeds, checkpoints")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def defaults(name: str) -> dict[str, Any]:
    """What a user may set, as JSON has it."""
    signature = inspect.signature(forecaster_class(name).__init__)
    given = {key: each.default for key, each in signature.parameters.items() if key not in OWN}
    return json.loads(json.dumps(given))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", FORECASTERS)
def test_every_setting_is_in_the_guide_with_its_default(name: str) -> None:
    (row,) = (row for row in rows() if len(row) == 3 and row[1] == f"`{name}`")
    assert row[0] == FORECASTERS[name].title
    told = dict(each.split("=", 1) for each in re.findall(r"`([^`]+)`", row[2]))
    assert {key: json.loads(value) for key, value in told.items()} == defaults(name)


def test_the_guide_explains_every_setting_and_no_other() -> None:
    explained = [each for row in rows() if len(row) == 2 for each in re.findall(r"`(\w+)`", row[0])]
    assert len(explained) == len(set(explained))
    assert set(explained) == {key for name in FORECASTERS for key in defaults(name)}


def test_run_convlstm_prediction_trains_what_the_backtest_does() -> None:
    given = Parameters(heatmaps="grids.tif", output="risk.tif").model_dump()
    shared = {key: value for key, value in defaults("convlstm").items() if key in given}
    assert len(shared) >= 7
    assert {key: given[key] for key in shared} == shared


def test_the_methods_describe_every_forecaster() -> None:
    """The guide's titles are checked above."""
    page = (GUIDE.parent / "methods" / "forecasters.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| ([^|]+) \|", page, flags=re.M)[1:]
    assert [name for name in described if not name.startswith("-")] == [row[0] for row in rows() if len(row) == 3][1:]
