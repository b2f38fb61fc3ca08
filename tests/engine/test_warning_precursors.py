"""The test of warnings finds precursors of known strength with the recall of theory, and none where there are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskengine.contract.forecasters import DEFAULT_WARNING

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def benchmark() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import warning_precursors

        return warning_precursors


def test_precursors_are_found_as_theory_has_it(benchmark: Any) -> None:
    told = benchmark.find_precursors(range(3), benchmark.STRENGTH, ["level_terms"])
    assert told["found"] == 1.0
    recall = told["recall"]
    gained = recall["level_terms"] - recall[DEFAULT_WARNING]
    assert gained > 0.5 * (recall["theory"] - recall[DEFAULT_WARNING]) > 0.02


def test_nothing_is_found_where_there_are_none(benchmark: Any) -> None:
    told = benchmark.find_precursors(range(3), 0.0, ["level_terms"])
    assert told["found"] == 0.0
    assert told["recall"]["level_terms"] == pytest.approx(told["recall"][DEFAULT_WARNING], abs=0.03)


def test_precursors_trigger_the_share_they_are_said_to(benchmark: Any) -> None:
    """On average events are as many as without them; where there are none of late, only the others are left."""
    city = benchmark.simulate_city(5, 0.6, days=6000)
    plain = benchmark.simulate_city(5, 0.0, days=6000)
    ratio = (city.intensity / plain.intensity)[30:]
    assert ratio.mean() == pytest.approx(1.0, abs=0.05)
    assert ratio.min() == pytest.approx(0.4, abs=0.05)
    counts = city.panel.counts[30:]
    assert (counts - city.intensity[30:]).mean() == pytest.approx(0.0, abs=3 * np.sqrt(counts.mean() / counts.size))
