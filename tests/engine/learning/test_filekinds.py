"""Model files of every kind: each refuses the others, and what is damaged, with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from riskengine.forecasters.baselines import ConstantForecaster
from riskengine.forecasters.modelcard import make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.ground.artefacts import write_bundle
from riskengine.ground.errors import FormatError
from riskengine.learning.checkpoint import Checkpoint
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.systems.score.features import FeatureSet
from riskengine.systems.score.model import ScoreCard, ScoreModel
from riskengine.systems.score.network import Architecture, ScoreNetwork

READERS: dict[str, Callable[[Path], Any]] = {
    "forecastmodel": load_model,
    "scoremodel": ScoreModel.load,
    "checkpoint": lambda path: Checkpoint(path, {"seed": 1}).load(),
}


def score_card(**changes: Any) -> ScoreCard:
    features = FeatureSet(groups=("densities", "slopes"))
    card = {
        "name": "small",
        "protocol": "recommended",
        "features": features,
        "architecture": Architecture(inputs=len(features.list_names()), widths=(4,)),
        "radius": 200.0,
        "window_days": 365.0,
        "recent_days": 31.0,
        "reference_time": "2024-01-31T00:00:00",
        "crs": "EPSG:32614",
        "extent": (0.0, 0.0, 1.0, 1.0),
        "count_low": 1,
        "count_high": 5,
        "interval": 0.9,
        "widening": 0.0,
        "percentiles": np.linspace(0, 1, 101).tolist(),
        "seed": 0,
        "fingerprint": "0",
        "incidents": 9,
        "recent_incidents": 2,
        "versions": {},
    }
    return ScoreCard(**{**card, **changes})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {kind: tmp_path / kind for kind in READERS}
    edges = (np.datetime64("2024-01-01") + np.arange(11)).astype("datetime64[s]")
    grid = Grid(0.0, 0.0, 500.0, 2, 2, "EPSG:32614")
    maps = Heatmaps(np.eye(2, dtype=np.uint8)[None].repeat(10, 0), edges, np.ones((2, 2), bool), grid, "1 days")
    model = ConstantForecaster().fit(maps)
    save_model(paths["forecastmodel"], model, make_card(model, maps))
    card = score_card()
    ScoreModel(ScoreNetwork(card.architecture), card).save(paths["scoremodel"])
    Checkpoint(paths["checkpoint"], {"seed": 1}).save({"x": torch.tensor([1.0, float("inf")])}, {"best": float("inf")})
    return paths


@pytest.mark.parametrize("reader", READERS)
def test_each_kind_reads_its_own_and_refuses_the_others(reader: str, files: dict[str, Path], tmp_path: Path) -> None:
    assert READERS[reader](files[reader])
    for other in READERS.keys() - {reader}:
        sentence = rf"is not a {reader} file of Crime Risk \(it says 'crimerisk\.{other}'\)"
        with pytest.raises(FormatError, match=sentence):
            READERS[reader](files[other])
    bare = tmp_path / "bare"
    save_file({"x": np.zeros(2)}, bare)
    with pytest.raises(FormatError, match=rf"is not a {reader} file of Crime Risk \(it says None\)"):
        READERS[reader](bare)
    bundle = tmp_path / "bundle"
    write_bundle(bundle, "crimerisk.index", 1, {}, {})
    with pytest.raises(FormatError, match=r"is not a whole (model file|score model|checkpoint): it is truncated or of"):
        READERS[reader](bundle)


@pytest.mark.parametrize("reader", READERS)
def test_a_description_that_cannot_be_read(reader: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    for text, why in (
        ("{", "its description cannot be read"),
        (f'{{"kind": "crimerisk.{reader}", "format": 1}}', "its description does not hold together"),
    ):
        save_file({"x": np.zeros(2)}, path, metadata={"crimerisk": text})
        with pytest.raises(FormatError, match=f"is damaged: {why}"):
            READERS[reader](path)


def test_a_checkpoint_keeps_infinite_losses(files: dict[str, Path]) -> None:
    saved = Checkpoint(files["checkpoint"], {"seed": 1}).load()
    assert saved is not None
    assert saved.meta == {"best": float("inf")}
    assert torch.equal(saved.tensors["x"], torch.tensor([1.0, float("inf")]))


@pytest.mark.parametrize(
    ("changes", "weights", "why"),
    [
        ({}, {"layers.0.bias": np.full(4, np.nan, np.float32)}, r"weights that are no numbers \(layers.0.bias\)"),
        # Never built: no memory is asked for before the weights are seen to fit.
        ({"architecture": Architecture(inputs=14, widths=(10**9, 10**9))}, {}, "does not fit its weights"),
        ({"architecture": Architecture(inputs=14, widths=(-1,))}, {}, "does not fit its weights"),
        ({"architecture": Architecture(inputs=13, widths=(4,))}, {}, "does not fit its weights"),
        ({"features": FeatureSet(groups=("densities",))}, {}, "does not fit its weights"),
    ],
)
def test_a_damaged_score_model(
    changes: dict[str, Any], weights: dict[str, Any], why: str, files: dict[str, Path]
) -> None:
    model = ScoreModel.load(files["scoremodel"])
    arrays = {name: tensor.numpy() for name, tensor in model.network.state_dict().items()}
    path = files["scoremodel"]
    save_file({**arrays, **weights}, path, metadata={"crimerisk": score_card(**changes).model_dump_json()})
    with pytest.raises(FormatError, match=f"is damaged: .*{why}.*Choose a .crimescore file"):
        ScoreModel.load(path)
