"""A training that was stopped goes on, and ends as if it never had been."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from kit.contexts import Recorder, make_stopping_context
from kit.maps import make_travelling

from riskengine.forecasters.networks.convlstm import ConvLSTMForecaster
from riskengine.forecasters.networks.convlstm_published import PublishedConvLSTM
from riskengine.ground.errors import Cancelled, FormatError, OutputError, ParameterError
from riskengine.learning.checkpoint import Checkpoint
from riskengine.maps.heatmaps import Heatmaps

KINDS = (
    (ConvLSTMForecaster, {"sequence_length": 6, "channels": 4, "layers": 1, "batch_size": 4, "epochs": 5}),
    (PublishedConvLSTM, {"sequence_length": 4, "channels": 4, "epochs": 5}),
)


def weights(model: Any) -> list[torch.Tensor]:
    return list(model.network_.state_dict().values())


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_stopped_twice_it_ends_with_the_same_weights(kind: Any, settings: dict[str, Any], tmp_path: Path) -> None:
    heatmaps = make_travelling(60, 6)
    whole = kind(**settings).fit(heatmaps)
    path = tmp_path / "halfway.crimecheckpoint"
    for epoch in (2, 4):
        model = kind(**settings)
        model.checkpoint = str(path)
        with pytest.raises(Cancelled):
            model.fit(heatmaps, make_stopping_context(epoch))
        assert [each.name for each in tmp_path.iterdir()] == [path.name]
    context = Recorder()
    model = kind(**settings)
    model.checkpoint = str(path)
    # Other random numbers drawn in between must not matter.
    torch.rand(7)
    model.fit(heatmaps, context)
    assert any(text.startswith("Going on after epoch 3") for text in context.messages)
    assert all(torch.equal(one, other) for one, other in zip(weights(whole), weights(model), strict=True))
    assert model.curves_.loss == whole.curves_.loss
    assert model.curves_.validation == whole.curves_.validation
    assert np.array_equal(model.predict(heatmaps), whole.predict(heatmaps))
    assert not path.exists(), "removed when training ends well"
    assert "checkpoint" not in model.settings()


def test_it_does_not_go_on_with_another_training(tmp_path: Path) -> None:
    kind, settings = KINDS[0]
    heatmaps = make_travelling(60, 6)
    path = str(tmp_path / "c.crimecheckpoint")

    def stopped(history: Heatmaps, **more: Any) -> None:
        model = kind(**{**settings, **more})
        model.checkpoint = path
        model.fit(history, make_stopping_context(2))

    with pytest.raises(Cancelled):
        stopped(heatmaps)
    with pytest.raises(ParameterError, match=r"another training \(channels 4, now 5\).*delete it to train anew"):
        stopped(heatmaps, channels=5)
    with pytest.raises(ParameterError, match=r"another training \(maps [0-9a-f]+, now [0-9a-f]+\)"):
        stopped(make_travelling(60, 6, seed=1))
    unobserved = make_travelling(60, 6)
    unobserved.observed[3] = False
    with pytest.raises(ParameterError, match="another training"):
        stopped(unobserved)
    assert Path(path).exists()


def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(FormatError, match="not a whole checkpoint"):
        Checkpoint(path, {}).load()
    Checkpoint(path, {"a": 1}).save({"x": torch.zeros(3)}, {"epoch": 1})
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(FormatError, match="not a whole checkpoint"):
        Checkpoint(path, {"a": 1}).load()
    assert Checkpoint(tmp_path / "none", {}).load() is None


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    key = {"rate": 0.1, "shape": (2, 3), "seed": np.int64(4), "none": None}
    checkpoint = Checkpoint(tmp_path / "c", key)
    checkpoint.save({"x": torch.arange(3), "y": torch.tensor(2.5)}, {"state": {"big": 2**100}})
    saved = Checkpoint(tmp_path / "c", key).load()
    assert saved is not None
    assert torch.equal(saved.tensors["x"], torch.arange(3))
    assert saved.tensors["y"].item() == 2.5
    assert saved.meta == {"state": {"big": 2**100}}
    checkpoint.remove()
    checkpoint.remove()
    assert checkpoint.load() is None


def test_a_folder_that_is_missing_is_said_before_training(tmp_path: Path) -> None:
    kind, settings = KINDS[0]
    model = kind(**settings)
    model.checkpoint = str(tmp_path / "no" / "c")
    context = Recorder()
    with pytest.raises(OutputError, match=r"folder .* does not exist"):
        model.fit(make_travelling(60, 6), context)
    assert not context.texts
