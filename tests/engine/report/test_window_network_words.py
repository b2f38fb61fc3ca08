"""What is said of a network that looks at pictures of windows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from riskengine.report.windownetwork.words import describe_verdict
from riskengine.systems.warning.ladder import Rung


@pytest.mark.parametrize(("right", "learned"), [(5, False), (9, True)])
def test_a_network_no_better_than_a_coin_has_not_learned(right: int, learned: bool) -> None:
    """Ten windows in each of twenty weeks, of which so many, one more or one fewer are told right."""
    told = np.concatenate([np.arange(10) < right + week % 3 - 1 for week in range(20)])
    rung = Rung("all", "random", told, np.repeat(np.arange(20), 10))
    study: Any = SimpleNamespace(main=SimpleNamespace(rung=rung), find_rung=lambda key: None)
    said = describe_verdict(study)
    assert said.startswith(f"It told {round(100 * told.mean())} of 100 test windows right")
    assert ("it has not learned to tell them yet" in said) is not learned
