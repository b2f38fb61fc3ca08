"""Model files: back as they were, or refused with a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from kit.maps import make_stack
from safetensors.numpy import save_file

from riskengine.forecasters.baselines import ConstantForecaster
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.modelcard import ModelCard, make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.forecasters.modelfit import check_fits
from riskengine.forecasters.networks.convlstm import ConvLSTMForecaster
from riskengine.ground.damage import ArraySpec
from riskengine.ground.errors import FormatError, OutputError, ParameterError
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras


@pytest.fixture(scope="module")
def heatmaps() -> Heatmaps:
    counts = (np.random.default_rng(0).random((30, 5, 7)) < 0.3).astype(np.uint8)
    grid = Grid(1000.0, 2000.0, 500.0, 7, 5, "EPSG:32614")
    return make_stack(counts, grid=grid, categories=["ROBO <á>"])


@pytest.fixture(scope="module")
def model(heatmaps: Heatmaps) -> ConvLSTMForecaster:
    return ConvLSTMForecaster(sequence_length=6, channels=4, layers=2, epochs=2, seed=5).fit(heatmaps)


@pytest.fixture
def path(tmp_path: Path, model: ConvLSTMForecaster, heatmaps: Heatmaps) -> Path:
    file = tmp_path / "módel one.crimemodel"
    save_model(file, model, make_card(model, heatmaps, {"convlstm": {"log_loss": 0.5, "auc": None}}))
    return file


def rewrite(path: Path, **changes: object) -> None:
    """Write the file again with another description."""
    model, card = load_model(path)
    head = {**card.model_dump(), **changes}
    save_file(model.state(), path, metadata={"crimerisk": json.dumps(head)})


def test_round_trip(path: Path, model: ConvLSTMForecaster, heatmaps: Heatmaps) -> None:
    again, card = load_model(path)
    assert np.array_equal(again.predict(heatmaps, 3), model.predict(heatmaps, 3))
    assert again.curves_ == model.curves_
    assert (card.window.start, card.window.end, card.window.maps) == ("2024-01-01T00:00:00", "2024-01-31T00:00:00", 30)
    assert card.window.validation < card.window.end
    assert card.grid == {"cell": 500.0, "columns": 7, "rows": 5, "west": 1000.0, "north": 2000.0}
    assert (card.crs, card.bin, card.seed, card.categories) == ("EPSG:32614", "1 days", 5, ["ROBO <á>"])
    assert torch.__version__.startswith(card.versions["torch"])
    assert card.metrics["convlstm"]["log_loss"] == 0.5
    assert len(card.fingerprint) == 16


def test_same_model_same_bytes(path: Path, tmp_path: Path, model: ConvLSTMForecaster, heatmaps: Heatmaps) -> None:
    other = tmp_path / "b.crimemodel"
    save_model(other, model, make_card(model, heatmaps, {"convlstm": {"log_loss": 0.5, "auc": None}}))
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
    save_file({"weight": np.zeros(2)}, foreign)
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
    rewrite(path, settings={**card.settings, "channels": 8})
    with pytest.raises(FormatError, match="does not fit its weights"):
        load_model(path)
    for wrong, why in (
        ({"channels": 10**9}, "channels is 1000000000"),
        ({"channels": "many"}, "channels is 'many'"),
        ({"channels": 4.5}, "channels is 4.5"),
        ({"colour": 1}, "no setting 'colour'"),
        ({"layers": -1}, "layers is -1"),
        ({"schedule": {"epochs": []}}, "schedule is"),
    ):
        path.write_bytes(whole)
        rewrite(path, settings={**card.settings, **wrong})
        with pytest.raises(FormatError, match=why):
            load_model(path)
    path.write_bytes(whole)
    rewrite(path, name="oracle")
    with pytest.raises(FormatError, match="'oracle', which this version does not know"):
        load_model(path)


def test_weights_that_are_no_numbers(path: Path) -> None:
    model, card = load_model(path)
    weights = model.state()
    weights["network.last.weight"] = np.full_like(weights["network.last.weight"], np.nan)
    save_file(weights, path, metadata={"crimerisk": card.model_dump_json()})
    with pytest.raises(FormatError, match="no numbers"):
        load_model(path)


def test_destination_without_folder(tmp_path: Path, model: ConvLSTMForecaster, heatmaps: Heatmaps) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        save_model(tmp_path / "no" / "m.crimemodel", model, make_card(model, heatmaps))


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
    assert "settings" in ModelCard.model_json_schema()["properties"]


def test_a_file_of_format_1(tmp_path: Path, model: ConvLSTMForecaster, heatmaps: Heatmaps) -> None:
    """As the first release of the plugin wrote it: an architecture in the header, bare names of weights."""
    old = tmp_path / "old.crimemodel"
    head = {
        "kind": "crimerisk.forecastmodel",
        "format": 1,
        "name": "convlstm",
        "architecture": {"sequence_length": 6, "channels": 4, "layers": 2, "kernel": 3, "threshold": 1},
        "window": {
            "start": "2024-01-01T00:00:00",
            "validation": str(heatmaps.edges[model.trained_maps_]),
            "end": "2024-01-31T00:00:00",
            "maps": 30,
        },
        "grid": {"cell": 500.0, "columns": 7, "rows": 5, "west": 1000.0, "north": 2000.0},
        "crs": "EPSG:32614",
        "bin": "1 days",
        "positive_weight": model.weight_,
        "schedule": asdict(model.training),
        "curves": asdict(model.curves_),
        "metrics": {},
        "seed": 5,
        "versions": {"riskengine": "0.1.0"},
        "fingerprint": "0123456789abcdef",
        "categories": ["ROBO <á>"],
    }
    weights = {name: tensor.numpy() for name, tensor in model.network_.state_dict().items()}
    save_file(weights, old, metadata={"crimerisk": json.dumps(head)})
    again, card = load_model(old)
    assert np.array_equal(again.predict(heatmaps, 2), model.predict(heatmaps, 2))
    assert again.curves_ == model.curves_
    assert (again.weight_, again.trained_maps_, again.fitted_maps_) == (model.weight_, model.trained_maps_, 30)
    assert (card.name, card.threshold, card.seed) == ("convlstm", 1, 5)
    assert check_fits(card, heatmaps) == []
    save_model(tmp_path / "new.crimemodel", again, make_card(again, heatmaps))
    newer, _ = load_model(tmp_path / "new.crimemodel")
    assert np.array_equal(newer.predict(heatmaps, 2), model.predict(heatmaps, 2))


def test_what_knows_each_cell_fits_its_own_grid_alone(heatmaps: Heatmaps) -> None:
    class Background(ConstantForecaster):
        LEARNED = {"background_": ArraySpec("f", ("rows", "columns"))}

    model = Background().fit(heatmaps)
    model.background_ = np.ones((5, 7))
    card = make_card(model, heatmaps)
    assert check_fits(card, heatmaps) == []
    moved = replace(heatmaps, support=Grid(1500.0, 2000.0, 500.0, 7, 5, "EPSG:32614"))
    with pytest.raises(ParameterError, match=r"each cell of its own grid .* 7 × 5 cells from 1500, 2000"):
        check_fits(card, moved)
    smaller = replace(heatmaps, mask=np.arange(35).reshape(5, 7) > 3)
    with pytest.raises(ParameterError, match="another study area"):
        check_fits(card, smaller)
    model.background_ = np.ones(int(smaller.mask.sum()))
    assert make_card(model, smaller).located
    model.background_ = np.ones(3)
    assert check_fits(make_card(model, heatmaps), moved) == []


def test_layers_it_was_fitted_with(heatmaps: Heatmaps) -> None:
    extras = Extras(np.zeros((2, 5, 7), np.float32), ("distance", "people"))
    with_layers = replace(heatmaps, extras=extras)
    model = ConstantForecaster().fit(with_layers)
    card = make_card(model, with_layers)
    assert check_fits(card, with_layers) == []
    with pytest.raises(ParameterError, match=r"distance, people, these maps come with \(none\)"):
        check_fits(card, heatmaps)


def test_infinite_numbers_only_where_they_are_meant(heatmaps: Heatmaps, tmp_path: Path) -> None:
    class Limits(ConstantForecaster):
        LEARNED = {"limits_": ArraySpec("f", ("limits",))}

    model = Limits().fit(heatmaps)
    model.limits_ = np.array([1.0, np.inf])
    path = tmp_path / "m.crimemodel"
    card = make_card(model, heatmaps)
    save_model(path, model, card)
    load_model(path)
    save_file(
        model.state(), path, metadata={"crimerisk": card.model_copy(update={"may_be_infinite": []}).model_dump_json()}
    )
    with pytest.raises(FormatError, match="no numbers"):
        load_model(path)


def test_counts_do_not_wait_for_torch(heatmaps: Heatmaps, tmp_path: Path) -> None:
    path = tmp_path / "m.crimemodel"
    model = make_forecaster("prior_counts").fit(heatmaps)
    save_model(path, model, make_card(model, heatmaps))
    code = (
        "import sys; from riskengine.forecasters.modelfile import load_model; import riskengine.jobs.forecast;"
        f" load_model({str(path)!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
