"""Warnings of Baltimore: the windows, events and base rates of the published years, and a default at its level."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from riskengine.maps.windows import gather_windows

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def warnings_bench(data_folder: Path) -> Any:
    if not (data_folder / "baltimore").is_dir():
        pytest.skip("Baltimore is not among the data")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        from warning_parts import data as warning_data
        from warning_parts import models as warning_models

        yield SimpleNamespace(data=warning_data, models=warning_models)


@pytest.mark.parametrize(
    ("setup", "windows", "rate"),
    [
        ("city_2h", 7_512, 0.158),
        ("city_12h", 1_251, 0.619),
        ("district_24h", 5_625, 0.209),
        ("neighbourhood_7d", 24_464, 0.051),
    ],
)
@pytest.mark.parametrize("delay", [0, 24])
def test_windows_and_base_rates_are_those_of_the_study(
    warnings_bench: Any, data_folder: Path, setup: str, windows: int, rate: float, delay: int
) -> None:
    made = warnings_bench.data.make_baltimore(data_folder, setup, delay)
    bins = made.timing.bins
    assert made.panel.delay * made.timing.step == delay
    first = warnings_bench.data.find_first_window(made)
    tested = np.asarray(gather_windows(made.panel, 0, bins).counts[first // bins :])
    assert tested.size == windows
    assert (tested > 0).mean() == pytest.approx(rate, abs=0.0006)
    assert made.panel.observed.all()


def test_all_dated_rows_of_the_targets_are_events_with_their_victims(warnings_bench: Any, data_folder: Path) -> None:
    events = warnings_bench.data.make_baltimore(data_folder, "city_2h").events
    assert (len(events), len(events.rows)) == (3395, 3953)
    assert (int(events.victims.sum()), int(events.victims.max())) == (3953, 7)


def test_the_level_is_better_than_calendar_and_place_in_the_districts(warnings_bench: Any, data_folder: Path) -> None:
    made = warnings_bench.data.make_baltimore(data_folder, "district_24h")
    first = warnings_bench.data.find_first_window(made)
    judged = warnings_bench.models.judge(made.panel, made.timing, first, ["level"])
    figures = warnings_bench.models.describe_model(judged, "level")
    assert figures["auc"] >= 0.64
    assert figures["log_loss"] <= 0.493
    assert figures["ece"] <= 0.02
    assert figures["minus_a1_high"] < 0
    assert figures["recall_events_10"] == pytest.approx(0.17, abs=0.02)
