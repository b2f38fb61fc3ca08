"""The catch on the tasks of `forecast`: what the default for the catch finds in 5 % of the area, and prior counts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from common import say
from forecast_tasks import TASKS

from riskengine.contract.aims import Catch
from riskengine.contract.forecasters import CATCH_BASELINE, DEFAULT_CATCH
from riskengine.evaluation.catching import run_catch
from riskengine.evaluation.plan import Plan

#: The size at which the other figures of these tasks are taken too, of each map by itself.
CATCH = Catch(5.0, "share", 1)


def compare_task(name: str, data: Path) -> dict[str, Any]:
    """Test the default for the catch and prior counts on one task: n of N each, and the paired difference."""
    task, began = TASKS[name], time.perf_counter()
    panel = task.read(data)
    judged = run_catch(panel, [CATCH_BASELINE, DEFAULT_CATCH], Plan(len(panel) - task.test), CATCH)
    if judged.catch is None or judged.failures:
        raise SystemExit(f"{name}: {judged.failures}")
    models, difference = judged.catch.models, judged.catch.compare(DEFAULT_CATCH, CATCH_BASELINE)
    row = {
        "default": models[DEFAULT_CATCH].n,
        "prior_counts": models[CATCH_BASELINE].n,
        "incidents": models[CATCH_BASELINE].total,
        "default_pai": float(models[DEFAULT_CATCH].pai.mean()),
        "prior_counts_pai": float(models[CATCH_BASELINE].pai.mean()),
        "difference": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "verdict": difference.verdict_of_more,
        "seconds": time.perf_counter() - began,
    }
    interval = f"{difference.mean:+.5f} [{difference.low:+.5f}, {difference.high:+.5f}] {row['verdict']}"
    caught = f"{row['default']:.0f} of {row['incidents']:.0f}, prior counts {row['prior_counts']:.0f}"
    say(f"{name}: the catch at 5 % {caught}; {interval}; {row['seconds']:.0f} s")
    return row


def summarize_catch(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """List the tasks that are counted on which the default catches distinguishably more, and fewer."""
    counted = {name: row for name, row in rows.items() if TASKS[name].counted}
    return {
        "catch": rows,
        **{
            f"catch_{verdict}_on": [name for name, row in counted.items() if row["verdict"] == verdict]
            for verdict in ("better", "worse")
        },
    }
