"""The file of an outcome model: what is read is what was written, and what was altered is used or refused."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from kit.mutations import alter_model, read_model, write_model
from kit.outcomerows import make_outcome_rows

from riskengine.contract.outcomes import GROUPS, MODELS
from riskengine.ground.errors import CrimeRiskError, FormatError
from riskengine.learning.modelfile import list_versions
from riskengine.systems.outcomes.model import SUFFIX, OutcomeCard, OutcomeModel, load_outcome_model
from riskengine.systems.outcomes.models.base import Reading, make_predictor

LEARNED, ASKED = make_outcome_rows(500, days=40), make_outcome_rows(100, days=50, seed=1)


def write(name: str, folder: Path) -> tuple[Path, OutcomeModel]:
    predictor = make_predictor(name, Reading(tuple(GROUPS), seed=3)).fit(LEARNED)
    card = OutcomeCard(
        name=name,
        groups=list(GROUPS),
        seed=3,
        shift=-0.3,
        drift=0.2,
        outcome="Arrest: true",
        fields={"category": "Primary Type"},
        found=["NARCOTICS"],
        first="2024-01-01",
        last="2024-02-09",
        rows=len(LEARNED),
        rate=float(LEARNED.outcomes.mean()),
        maturity=28,
        crs="EPSG:32616",
        fingerprint="abc",
        versions=list_versions(),
    )
    model = OutcomeModel(predictor, card)
    path = folder / f"{name}{SUFFIX}"
    model.save(path)
    return path, model


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write("boosting_place", tmp_path_factory.mktemp("written"))[0]


@pytest.mark.parametrize("name", MODELS)
def test_what_is_read_is_what_was_written(name: str, tmp_path: Path) -> None:
    path, model = write(name, tmp_path)
    loaded = load_outcome_model(path)
    assert loaded.card == model.card
    said = loaded.predict(ASKED)
    assert np.array_equal(said, model.predict(ASKED))
    # The shift is part of what a model says.
    assert said.mean() < model.predictor.predict(ASKED).mean()


@pytest.mark.parametrize("name", ["rate_location", "logistic", "boosting_place", "network"])
def test_altered_files_are_used_or_refused(name: str, tmp_path: Path) -> None:
    path, _ = write(name, tmp_path)
    content, outcomes = path.read_bytes(), Counter[str]()
    for seed in range(60):
        path.write_bytes(alter_model(content, random.Random(f"{name} {seed}"))[0])
        try:
            model = load_outcome_model(path)
        except CrimeRiskError as error:
            outcomes["refused"] += 1
            said = str(error)
            assert any(words in said for words in ("is damaged", "is not a", "newer", "not known here")), said
            assert "Choose a" in said or "newer" in said, said
            continue
        with np.errstate(all="ignore"):
            said_of = model.predict(ASKED)
        assert ((said_of >= 0) & (said_of <= 1)).all()
        outcomes["read"] += 1
    assert outcomes["refused"] > 20
    assert outcomes["read"] > 0, "some alterations are harmless"


def test_other_files_are_refused_with_a_remedy(written: Path, tmp_path: Path) -> None:
    content = written.read_bytes()
    card, arrays = read_model(content)
    altered = tmp_path / f"m{SUFFIX}"
    for what, sentence in {
        content[: len(content) // 2]: "is not a whole outcome model: it is truncated or of another kind",
        b"PK\3\4": "is not a whole outcome model",
        write_model({**card, "name": "oracle"}, arrays, True): r"of a kind that is not known here \(oracle\)",
        write_model({**card, "name": "network"}, arrays, True): "its description does not fit its weights",
        write_model({**card, "format": 99}, arrays, True): "newer",
        write_model({**card, "kind": "crimerisk.model"}, arrays, True): "crimerisk.model",
    }.items():
        altered.write_bytes(what)
        with pytest.raises(FormatError, match=sentence):
            load_outcome_model(altered)
    with pytest.raises(FormatError, match="does not exist"):
        load_outcome_model(tmp_path / f"none{SUFFIX}")
