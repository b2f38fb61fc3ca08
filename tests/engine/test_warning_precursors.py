"""The test of warnings finds precursors of known strength with the recall of theory, and none where there are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def benchmark() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import warning as of_warnings

        return of_warnings


def test_precursors_are_found_as_theory_has_it_and_none_where_there_are_none(benchmark: Any) -> None:
    """What is warned of lies more than halfway from what the default does to what the best possible would."""
    told = benchmark.measure_precursors(2, models=["level_terms"])
    assert told["found"] == 1.0
    assert told["recall_theory"] > told["recall_level"] + 0.05
    assert told["recall"] > (told["recall_theory"] + told["recall_level"]) / 2
    assert told["nothing_beyond_level"] == 1.0
