"""Cards of models of warnings: kept, refused by versions that would misread them, or refused as damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.mutations import read_model, write_model
from kit.warningpanels import draw_panel

from riskengine.contract.warnings import Budget, Timing
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.modelcard import make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.forecasters.warningnote import (
    make_note,
    read_budget,
    read_timing,
    refuse_warnings,
    require_warnings,
)
from riskengine.ground.errors import FormatError, ParameterError

TIMING, BUDGET = Timing(12, 6, 12, 24), Budget("week", 5.0)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    panel = draw_panel(TIMING, days=60)
    model = make_forecaster("calendar").fit(panel)
    note = make_note(TIMING, ["SHOOTING", "HOMICIDE"], ["ASSAULT"], BUDGET, "Of 100 windows, 31.")
    path = tmp_path_factory.mktemp("card") / "w.crimemodel"
    save_model(path, model, make_card(model, panel, warning=note))
    return path


def test_what_a_model_warns_of_comes_back(saved: Path) -> None:
    card = load_model(saved)[1]
    note = require_warnings(card.warning)
    assert (read_timing(note), read_budget(note)) == (TIMING, BUDGET)
    assert (note["targets"], note["similar"]) == (["SHOOTING", "HOMICIDE"], ["ASSAULT"])
    assert note["said"] == "Of 100 windows, 31."
    assert (card.bin, card.delay) == ("12 hours", 3)


def test_older_versions_refuse_it_and_other_models_keep_their_format(saved: Path) -> None:
    panel = draw_panel(TIMING, days=60)
    model = make_forecaster("calendar").fit(panel)
    assert read_model(saved.read_bytes())[0]["format"] == 5
    assert make_card(model, panel).format == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 5},
        {"window": 12.0},
        {"begin": 168},
        {"delay": -1},
        {"lead": 0},
        {"targets": []},
        {"budget": {"kind": "share", "size": 0.0}},
        {"budget": {"kind": "some", "size": 1.0}},
        {"said": None},
    ],
)
def test_damaged_notes_are_refused(saved: Path, wrong: dict[str, Any], tmp_path: Path) -> None:
    head, arrays = read_model(saved.read_bytes())
    head["warning"] |= wrong
    path = tmp_path / "d.crimemodel"
    path.write_bytes(write_model(head, arrays, True))
    with pytest.raises(FormatError, match="damaged"):
        load_model(path)


def test_tools_tell_models_apart_in_sentences_that_name_the_other_tool(saved: Path) -> None:
    note = load_model(saved)[1].warning
    with pytest.raises(ParameterError, match=r"warns of windows of 12 hours.*Give it to Warn"):
        refuse_warnings(note)
    refuse_warnings(None)
    with pytest.raises(ParameterError, match=r"forecasts risk and warns of nothing.*Give it to Forecast risk"):
        require_warnings(None)
