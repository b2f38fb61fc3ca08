"""Cards of models made for the catch: kept, refused by versions that would misread them, or refused as damaged."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.maps import make_stack
from kit.mutations import alter_model, read_model, write_model
from kit.panels import make_panel

from riskengine.contract.aims import Catch
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.modelcard import make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.ground.errors import CrimeRiskError, FormatError
from riskengine.maps.panel import Panel

CAUGHT = {
    "windows": 4,
    "window": 13,
    "bin": "1 weeks",
    "kind": "grid",
    "units": 111.0,
    "flagged": 0.645,
    "size": 417.5,
    "caught": 160.0,
    "incidents": 2578.0,
    "most": 410.0,
    "baseline": "prior_counts",
    "baseline_caught": 158.0,
    "verdict": "indistinguishable",
    "change": {"mean": 0.001, "low": -0.003, "high": 0.004, "level": 0.95, "blocks": 52, "places": 20},
}


def make_counts() -> Panel:
    counts = np.random.default_rng(0).poisson(0.3, (40, 5, 7)).astype(np.uint8)
    return make_stack(counts, bin="1 weeks")


def save(path: Path, panel: Panel, catch: Catch | None, kind: str = "prior_counts", **figures: Any) -> bytes:
    model = make_forecaster(kind).fit(panel)
    save_model(path, model, make_card(model, panel, {kind: figures} if figures else None, catch))
    return path.read_bytes()


def test_what_a_model_was_made_for_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "m.crimemodel"
    save(path, make_counts(), Catch(0.65, "km2", 13), caught=CAUGHT, log_loss=0.25)
    card = load_model(path)[1]
    assert card.catch == {"size": 0.65, "unit": "km2", "window": 13}
    assert card.metrics == {"prior_counts": {"caught": CAUGHT, "log_loss": 0.25}}
    # A card may know what the catch was asked for in.
    save(path, make_counts(), Catch(), caught=CAUGHT | {"unit": "units"})
    assert load_model(path)[1].metrics["prior_counts"]["caught"]["unit"] == "units"
    # One window, or one that nothing was caught in, has no interval.
    bare = CAUGHT | {"change": {"mean": 0.0, "low": None, "high": None, "level": 0.95, "blocks": 1}}
    save(path, make_counts(), Catch(), caught=bare)
    assert load_model(path)[1].metrics["prior_counts"]["caught"] == bare
    save(path, make_counts(), Catch(), caught=CAUGHT | {"change": None, "baseline": "", "verdict": "alone"})
    assert load_model(path)[1].metrics["prior_counts"]["caught"]["change"] is None


def test_older_versions_refuse_what_they_would_misread_and_read_the_rest(tmp_path: Path) -> None:
    """0.8 reads formats up to 3: figures of windows are none of bins, whatever model they are of."""
    path, stack = tmp_path / "m.crimemodel", make_counts()
    panel = make_panel(stack.counts.reshape(40, 35), [f"A{number}" for number in range(35)])
    formats = {}
    for name, counts in (("grid", stack), ("late", replace(stack, delay=1)), ("areas", panel)):
        for catch in (None, Catch()):
            formats[name, catch is not None] = read_model(save(path, counts, catch))[0]["format"]
            assert load_model(path)[1].catch == (None if catch is None else {"size": 5.0, "unit": "share", "window": 1})
    plain = {"grid": 2, "late": 3, "areas": 3}
    assert formats == {(name, catch): 4 if catch else number for name, number in plain.items() for catch in (0, 1)}


def test_a_card_without_a_catch_is_of_probabilities(tmp_path: Path) -> None:
    """As those of all versions before: they know no such key."""
    path = tmp_path / "m.crimemodel"
    card, arrays = read_model(save(path, make_counts(), None, log_loss=0.25))
    assert card.pop("catch") is None
    path.write_bytes(write_model(card, arrays, True))
    assert load_model(path)[1].catch is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"catch": {"size": 0, "unit": "share", "window": 1}}, r"catch\.size"),
        ({"catch": {"size": "5", "unit": "share", "window": 1}}, r"catch\.size"),
        ({"catch": {"size": 5, "unit": "acres", "window": 1}}, r"catch\.unit"),
        ({"catch": {"size": 5, "unit": "share", "window": 0}}, r"catch\.window"),
        ({"catch": {"size": 5, "unit": "share", "window": 1.5}}, r"catch\.window"),
        ({"catch": {"size": 5, "unit": "share"}}, r"catch\.window"),
        ({"metrics": {"kde": {"caught": CAUGHT | {"windows": 0}}}}, r"metrics\.kde\.caught"),
        ({"metrics": {"kde": {"caught": CAUGHT | {"bin": "1 <b>"}}}}, r"metrics\.kde\.caught"),
        ({"metrics": {"kde": {"caught": CAUGHT | {"caught": -1}}}}, r"metrics\.kde\.caught"),
        ({"metrics": {"kde": {"caught": 0.5}}}, "caught is no figure"),
        ({"metrics": {"kde": {"against": CAUGHT}}}, "against is something else"),
    ],
)
def test_a_damaged_catch_is_refused(changes: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "m.crimemodel"
    card, arrays = read_model(save(path, make_counts(), Catch(), caught=CAUGHT))
    path.write_bytes(write_model({**card, **changes}, arrays, True))
    with pytest.raises(FormatError, match=sentence):
        load_model(path)


def test_altered_at_random_it_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.crimemodel"
    content = save(path, make_counts(), Catch(0.65, "km2", 13), "catch", caught=CAUGHT)
    outcomes: Counter[str] = Counter()
    for seed in range(60):
        made, _ = alter_model(content, random.Random(seed))
        path.write_bytes(made)
        try:
            load_model(path)
            outcomes["read"] += 1
        except CrimeRiskError as error:
            outcomes["refused"] += 1
            said = str(error)
            assert any(words in said for words in ("is damaged", "is not a", "newer", "does not know")), said
    assert outcomes["refused"] > 20
    assert outcomes["read"] > 0, "some alterations are harmless"
