"""The page of the forecasters, its tables of settings above all, against the forecasters themselves."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from riskengine.contract.forecasters import FORECASTERS, OWN_PARAMETERS
from riskengine.contract.tools.base import parameters_of
from riskengine.contract.tools.forecast import ConvLSTMPrediction
from riskengine.forecasters.catalogue import import_forecaster

PAGE = (Path(__file__).parents[3] / "docs" / "methods" / "forecasters.md").read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    """Cells of the tables in the section on settings."""
    section = PAGE.partition("\n## Settings\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def defaults(name: str) -> dict[str, Any]:
    """What a user may set, as JSON has it."""
    signature = inspect.signature(import_forecaster(name).__init__)
    given = {key: each.default for key, each in signature.parameters.items() if key not in ("self", *OWN_PARAMETERS)}
    return json.loads(json.dumps(given))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", FORECASTERS)
def test_every_setting_stands_there_with_its_default(name: str) -> None:
    (row,) = (row for row in rows() if len(row) == 4 and row[2] == f"`{name}`")
    assert row[:2] == [str(list(FORECASTERS).index(name)), FORECASTERS[name].title]
    stated = dict(each.split("=", 1) for each in re.findall(r"`([^`]+)`", row[3]))
    assert {key: json.loads(value) for key, value in stated.items()} == defaults(name)


def test_the_page_explains_every_setting_and_no_other() -> None:
    explained = [each for row in rows() if len(row) == 2 for each in re.findall(r"`(\w+)`", row[0])]
    assert len(explained) == len(set(explained))
    assert set(explained) == {key for name in FORECASTERS for key in defaults(name)}


def test_run_convlstm_prediction_trains_what_the_backtest_does() -> None:
    given = {each.key: each.default for each in parameters_of(ConvLSTMPrediction)}
    shared = {key: value for key, value in defaults("convlstm").items() if key in given}
    assert len(shared) >= 7
    assert {key: given[key] for key in shared} == shared


def test_every_forecaster_is_described() -> None:
    described = re.findall(r"^\| ([^|]+) \|", PAGE.partition("\n## ")[0], flags=re.M)[1:]
    titles = [record.title for record in FORECASTERS.values()]
    assert [name for name in described if not name.startswith("-")] == titles
