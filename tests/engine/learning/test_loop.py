"""The loop of early stopping, on losses given by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from riskengine.ground.errors import Cancelled
from riskengine.learning.loop import Stopping, Training, format_time_left


class Given:
    """Epoch n sets the only weight to n; validation losses are given. After the last of them it is cancelled."""

    def __init__(self, network: nn.Module, losses: list[float]) -> None:
        self.network, self.losses, self.number = network, losses, 0

    def epoch(self, number: int) -> float:
        self.number = number
        with torch.no_grad():
            for weight in self.network.parameters():
                weight.fill_(number)
        if number > len(self.losses):
            raise Cancelled()
        return float(number)

    def validate(self) -> float:
        return self.losses[self.number - 1]


def trained(losses: list[float], best: float = float("inf"), **stopping: object) -> tuple[Training, float]:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    training = Training(network, Stopping(**{"epochs": len(losses), "patience": 0, **stopping}))  # type: ignore[arg-type]
    training.best = best
    training.run(Given(network, losses), lambda: None)
    return training, network.weight.item()


@pytest.mark.parametrize(
    ("stopping", "epochs", "kept"),
    [
        ({}, 6, 2),
        ({"ties": "last"}, 6, 4),
        ({"patience": 2}, 4, 2),
        ({"patience": 2, "ties": "last"}, 6, 4),
        ({"patience": 1}, 3, 2),
        ({"patience": 1, "keep": "last"}, 6, 6),
        ({"epochs": 1}, 1, 1),
        ({"epochs": 0}, 0, 0),
    ],
)
def test_when_it_stops_and_what_it_keeps(stopping: dict[str, object], epochs: int, kept: int) -> None:
    training, weight = trained([3.0, 2.0, 2.5, 2.0, 2.5, 2.5], **stopping)
    assert (len(training.curves.loss), training.curves.best_epoch, weight) == (epochs, kept, kept)
    assert len(training.curves.validation) == len(training.curves.elapsed) == epochs


def test_a_start_that_no_epoch_betters_is_kept() -> None:
    training, weight = trained([3.0, 2.0, 2.5], best=1.0, patience=2)
    assert (len(training.curves.loss), training.curves.best_epoch, weight) == (2, 0, 0)
    assert training.curves.best == 2.0


def test_a_cancel_carries_the_best_so_far() -> None:
    with pytest.raises(Cancelled) as caught:
        trained([3.0, 2.0, 2.5], epochs=9)
    network, curves = caught.value.best
    assert network.weight.item() == 2
    assert (curves.loss, curves.best_epoch) == ([1.0, 2.0, 3.0], 2)


def test_time_left() -> None:
    assert format_time_left(30, 0.5) == "about 30 s"
    assert format_time_left(600, 0.5) == "about 10 min"
    assert format_time_left(1, 1.0) == "about 1 s"
    assert format_time_left(0, 0.0) == "about 1 s"
