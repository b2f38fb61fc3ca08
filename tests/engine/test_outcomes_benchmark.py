"""The benchmark of outcomes: the keys that its checks read, and means over random splits."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kit.outcomerows import make_outcome_rows

from riskengine.systems.outcomes.study import OutcomePlan, run_study

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bench() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import outcomes
        from outcome_parts import measuring

        yield SimpleNamespace(parts=outcomes.PARTS, usage=outcomes.__doc__, measuring=measuring)


def test_every_key_that_is_read_is_there_and_a_number(bench: Any) -> None:
    plan = OutcomePlan(model="rate_description", found=("NARCOTICS",), maturity=0)
    found = bench.measuring.describe_study(run_study(make_outcome_rows(3000), plan))
    for kind in ("random", "forward", "forward_victims", "forward_strict"):
        for key in ("auc", "log_loss", "brier", "ece", "ece_shifted"):
            assert np.isfinite(found[kind][key])
    assert found["minus_table_low"] < found["minus_table"] < found["minus_table_high"]
    assert found["within_category_auc_low"] < found["within_category_auc"] < found["within_category_auc_high"]


def test_draws_give_the_mean_and_spread_of_their_splits(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.measuring, "DRAWS", 3)
    found = bench.measuring.draw_splits(make_outcome_rows(3000), {"table": "rate_location"}, found=["NARCOTICS"])
    everything, victims = found["table"]["all"], found["table"]["victims"]
    assert everything["auc"] > victims["auc"] > 0.5
    assert 0 < everything["auc_sd"] < 0.05
    assert set(victims) == {f"{name}{end}" for name in ("auc", "log_loss", "brier", "ece") for end in ("", "_sd")}


def test_its_usage_names_every_part(bench: Any) -> None:
    named = bench.usage.split("parts: ")[1].replace("\n", " ")
    assert [each.strip() for each in named.split(",")] == list(bench.parts)
