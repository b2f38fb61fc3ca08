"""Model files: back as they were, or refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from riskengine.errors import FormatError, OutputError, ParameterError
from riskengine.forecast.convlstm import ConvLSTMForecaster
from riskengine.forecast.modelfile import ModelCard, check_fits, describe, load_model, save_model
from riskengine.grid import Grid
from riskengine.heatmaps import Heatmaps


@pytest.fixture(scope="module")
def heatmaps() -> Heatmaps:
    counts = (np.random.default_rng(0).random((30, 5, 7)) < 0.3).astype(np.uint8)
    edges = (np.datetime64("2024-01-01") + np.arange(31)).astype("datetime64[s]")
    grid = Grid(1000.0, 2000.0, 500.0, 7, 5, "EPSG:32614")
    return Heatmaps(counts, edges, np.ones((5, 7), bool), grid, "1 days", categories=["ROBO <á>"])


@pytest.fixture(scope="module")
def model(heatmaps: Heatmaps) -> ConvLSTMForecaster:
    return ConvLSTMForecaster(sequence_length=6, channels=4, layers=2, epochs=2, seed=5).fit(heatmaps)


@pytest.fixture
def path(tmp_path: Path, model: ConvLSTMForecaster, heatmaps: Heatmaps) -> Path:
    file = tmp_path / "módel one.crimemodel"
    save_model(file, model, describe(model, heatmaps, {"convlstm": {"log_loss": 0.5, "auc": None}}))
    return file


def rewrite(path: Path, **changes: object) -> None:
    """Write the file again with another description."""
    model, card = load_model(path)
    head = {**card.model_dump(), **changes}
    save_file(dict(model.network_.state_dict()), path, metadata={"crimerisk": json.dumps(head)})


def test_round_trip(path: Path, model: ConvLSTMForecaster, heatmaps: Heatmaps) -> None:
    again, card = load_model(path)
    assert np.array_equal(again.predict(heatmaps, 3), model.predict(heatmaps, 3))
    assert again.curves_ == model.curves_
    assert (card.window.start, card.window.end, card.window.maps) == ("2024-01-01T00:00:00", "2024-01-31T00:00:00", 30)
    assert card.window.validation < card.window.end
    assert card.grid == {"cell": 500.0, "columns": 7, "rows": 5, "west": 1000.0, "north": 2000.0}
    assert (card.crs, card.bin, card.seed, card.categories) == ("EPSG:32614", "1 days", 5, ["ROBO <á>"])
    assert card.versions["torch"] == torch.__version__
    assert card.metrics["convlstm"]["log_loss"] == 0.5
    assert len(card.fingerprint) == 16


def test_same_model_same_bytes(path: Path, tmp_path: Path, model: ConvLSTMForecaster, heatmaps: Heatmaps) -> None:
    other = tmp_path / "b.crimemodel"
    save_model(other, model, describe(model, heatmaps, {"convlstm": {"log_loss": 0.5, "auc": None}}))
    assert other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.99])
def test_truncated(path: Path, keep: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(len(whole) * keep)])
    with pytest.raises(FormatError, match="truncated or of another kind"):
        load_model(path)


def test_missing_foreign_newer_damaged(path: Path, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="does not exist"):
        load_model(tmp_path / "none.crimemodel")
    foreign = tmp_path / "f.safetensors"
    save_file({"weight": torch.zeros(2)}, foreign)
    with pytest.raises(FormatError, match="is not a forecastmodel file"):
        load_model(foreign)
    (tmp_path / "text.crimemodel").write_text("a text")
    with pytest.raises(FormatError, match="truncated or of another kind"):
        load_model(tmp_path / "text.crimemodel")
    whole = path.read_bytes()
    rewrite(path, format=99)
    with pytest.raises(FormatError, match="newer Crime Risk"):
        load_model(path)
    path.write_bytes(whole)
    _, card = load_model(path)
    rewrite(path, architecture={**card.architecture.model_dump(), "channels": 8})
    with pytest.raises(FormatError, match="does not fit its weights"):
        load_model(path)
    path.write_bytes(whole)
    rewrite(path, architecture={**card.architecture.model_dump(), "channels": 10**9})
    with pytest.raises(FormatError, match="does not fit its weights"):
        load_model(path)


def test_weights_that_are_no_numbers(path: Path) -> None:
    model, card = load_model(path)
    weights = dict(model.network_.state_dict())
    weights["last.weight"] = torch.full_like(weights["last.weight"], float("nan"))
    save_file(weights, path, metadata={"crimerisk": card.model_dump_json()})
    with pytest.raises(FormatError, match="no numbers"):
        load_model(path)


def test_destination_without_folder(tmp_path: Path, model: ConvLSTMForecaster, heatmaps: Heatmaps) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        save_model(tmp_path / "no" / "m.crimemodel", model, describe(model, heatmaps))


def test_what_it_fits(path: Path, heatmaps: Heatmaps) -> None:
    _, card = load_model(path)
    assert check_fits(card, heatmaps) == []
    elsewhere = Heatmaps(
        heatmaps.counts, heatmaps.edges, heatmaps.mask, Grid(9e5, 9e5, 502.0, 7, 5, "EPSG:32615"), "1 days"
    )
    assert "other categories" in check_fits(card, elsewhere)[0]
    with pytest.raises(ParameterError, match="cells of 500 m"):
        check_fits(
            card, Heatmaps(heatmaps.counts, heatmaps.edges, heatmaps.mask, Grid(0, 0, 510.0, 7, 5, ""), "1 days")
        )
    with pytest.raises(ParameterError, match="maps of unknown length"):
        check_fits(card, Heatmaps(heatmaps.counts, heatmaps.edges, heatmaps.mask, heatmaps.grid, ""))


def test_the_card_is_json() -> None:
    assert "architecture" in ModelCard.model_json_schema()["properties"]
