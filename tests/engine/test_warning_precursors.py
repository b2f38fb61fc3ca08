"""The test of warnings finds precursors of known strength with the recall of theory, and none where there are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    """What the model warns of lies more than halfway from what the default does to what the best possible would."""
    told = benchmark.find_precursors(range(2), benchmark.STRENGTH, ["level_terms"])
    recall = told["recall"]
    assert told["found"] == 1.0
    assert recall["theory"] > recall[DEFAULT_WARNING] + 0.05
    assert recall["level_terms"] > (recall["theory"] + recall[DEFAULT_WARNING]) / 2


def test_nothing_is_found_where_there_are_none(benchmark: Any) -> None:
    told = benchmark.find_precursors(range(2), 0.0, ["level_terms"])
    assert told["found"] == 0.0
    assert told["recall"][DEFAULT_WARNING] == pytest.approx(told["recall"]["theory"], abs=0.03)
