"""The sentence that a card's note of the catch gives, for whatever was held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kit.catches import make_judged_catch
from kit.pages import collapse_blanks
from kit.panels import make_panel

from riskengine.contract.aims import Catch, CatchUnit
from riskengine.report.card_catch import note_caught
from riskengine.report.claims import describe_held_out

CHANGE = {"mean": 0.0008, "low": -0.003, "high": 0.004, "level": 0.95, "blocks": 52}
NOTE: dict[str, Any] = {
    "windows": 4,
    "window": 13,
    "bin": "1 weeks",
    "kind": "grid",
    "units": 111.0,
    "flagged": 0.645,
    "size": 417.5,
    "caught": 160.4,
    "incidents": 2578.0,
    "most": 410.0,
    "baseline": "prior_counts",
    "baseline_caught": 158.0,
    "verdict": "indistinguishable",
    "change": CHANGE,
}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {},
            "Tried on 4 quarters held out: the 111 cells chosen for each quarter, 0.154 % of the area, held 160 of"
            " 2,578 incidents, prior counts at as many cells 158 (+0.1 points [−0.3, +0.4]: no difference can be"
            " told).",
        ),
        (
            {
                "windows": 1,
                "units": 1.0,
                "change": {**CHANGE, "low": None, "high": None, "blocks": 3},
                "verdict": "too few",
            },
            "Tried on 1 quarter held out: the cell chosen, 0.154 % of the area, held 160 of 2,578 incidents, prior"
            " counts at as many cells 158 (+0.1 points: too short a test to tell a difference).",
        ),
        (
            {
                "kind": "areas",
                "bin": "1 months",
                "window": 2,
                "verdict": "better",
                "change": {**CHANGE, "mean": 0.02, "low": 0.01, "high": 0.03, "places": 40},
            },
            "Tried on 4 windows of 2 months held out: the 111 areas chosen for each window of 2 months, 0.154 % of the"
            " area, held 160 of 2,578 incidents, prior counts at as many km² 158 (+2.0 points [+1.0, +3.0]: more than"
            " chance explains).",
        ),
        (
            {"kind": "areas", "unit": "units", "units": 3.0},
            "Tried on 4 quarters held out: the 3 areas chosen for each quarter, 0.154 % of the area, held 160 of 2,578"
            " incidents, prior counts at as many areas 158 (+0.1 points [−0.3, +0.4]: no difference can be told).",
        ),
        (
            {"kind": "segments", "unit": "share", "units": 3.0},
            "Tried on 4 quarters held out: the 3 segments chosen for each quarter, 0.154 % of the length, held 160 of"
            " 2,578 incidents, prior counts at as many km 158 (+0.1 points [−0.3, +0.4]: no difference can be told).",
        ),
        (
            {"baseline": "", "verdict": "alone", "change": None},
            "Tried on 4 quarters held out: the 111 cells chosen for each quarter, 0.154 % of the area, held 160 of"
            " 2,578 incidents.",
        ),
        (
            {"incidents": 0.0, "caught": 0.0, "verdict": "nothing", "change": None},
            "Tried on 4 quarters held out: no incident happened, so nothing can be said about its catch.",
        ),
    ],
)
def test_what_was_caught_is_said_as_it_is(changed: dict[str, Any], sentence: str) -> None:
    assert collapse_blanks(describe_held_out("catch", {"catch": {"caught": {**NOTE, **changed}}})) == sentence


@pytest.mark.parametrize("unit", ["units", "share"])
def test_a_note_keeps_what_the_catch_was_asked_for_in(unit: CatchUnit) -> None:
    panel = make_panel(np.arange(48, dtype=np.uint8).reshape(12, 4))
    judged = make_judged_catch(panel, {"ensemble": np.arange(4.0), "prior_counts": np.arange(4.0)}, 6, 3, 1)
    assert judged.catch is not None
    judged.catch.catch = Catch(1, unit, 3)
    assert note_caught(judged)["unit"] == unit


def test_a_model_for_the_catch_without_held_out_windows_says_so() -> None:
    assert describe_held_out("catch", {"catch": {"log_loss": 0.2}}) == "Not evaluated on held-out maps."
