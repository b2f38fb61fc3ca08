"""Growing a network: layer by layer while it helps, and what is left when it is cancelled."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled
from riskengine.systems.score.fitting import Table
from riskengine.systems.score.growth import grow_network
from riskengine.systems.score.settings import Settings, make_published_settings


@pytest.fixture(scope="module")
def rows() -> tuple[Table, Table]:
    """A score that is all but linear in its logit: logistic regression learns it."""
    random = np.random.default_rng(0)
    table = random.normal(size=(3000, 4)).astype(np.float32)
    return table, (1 / (1 + np.exp(-table @ np.array([1.0, -0.5, 0.3, 0.0])))).astype(np.float32)


@pytest.fixture(scope="module")
def settings() -> Settings:
    start = make_published_settings(widths=(6, 4, 3))
    return replace(start, fitting=replace(start.fitting, epochs=30, patience=30, learning_rate=0.05, batch_size=512))


def test_it_ends_when_a_layer_does_not_help(rows: tuple[Table, Table], settings: Settings) -> None:
    network, curves, growth = grow_network(lambda epoch: rows, rows, settings, 4, JobContext())
    assert growth[0].architecture == "4-1"
    assert growth[0].parameters == 5
    assert all(step.kept for step in growth[:-1])
    kept = [step for step in growth if step.kept]
    assert network.architecture.describe() == kept[-1].architecture
    assert [step.development for step in kept] == sorted((step.development for step in kept), reverse=True)
    assert [name for name, _ in curves] == [step.architecture for step in growth]


def test_cancelled_it_leaves_the_best_of_all_so_far(rows: tuple[Table, Table], settings: Settings) -> None:
    """A deeper network in its first epoch does not push out the finished one before it."""
    cancelled = threading.Event()
    context = JobContext(on_log=lambda message, level: cancelled.set(), cancelled=cancelled)
    # The first word comes when logistic regression is fitted.
    with pytest.raises(Cancelled) as stopped:
        grow_network(lambda epoch: rows, rows, settings, 4, context)
    assert stopped.value.best is not None
    network, curves = stopped.value.best
    assert network.architecture.describe() == "4-1"
    assert len(curves.validation) == 30
