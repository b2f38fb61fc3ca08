"""Chicago's reports of 2018: the tables of rates, as they were measured when the published study was read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from riskengine.contract.tools.outcomemodel import TrainOutcomeModel
from riskengine.ground.context import JobContext
from riskengine.jobs.models import model_of
from riskengine.systems.outcomes.judged import OutcomeStudy
from riskengine.systems.outcomes.reading import read_rows
from riskengine.systems.outcomes.study import OutcomePlan, run_study


@pytest.fixture(scope="module")
def study(data_folder: Path) -> OutcomeStudy:
    file = data_folder / "chicago" / "crimes_2018.csv"
    if not file.exists():
        pytest.skip("Chicago is not among the data")
    read = read_rows(model_of(TrainOutcomeModel)(incidents=str(file), model_output="none.crimeoutcome"), JobContext())
    plan = OutcomePlan(model="rate_location", found=read.found, maturity=0, splits=("forward",))
    return run_study(replace(read.rows, weather={}, census={}), plan)


@pytest.mark.parametrize(
    ("model", "auc", "loss", "victims", "within"),
    [
        ("rate", 0.8065, 0.3256, 0.658, 0.5),
        ("rate_description", 0.8879, 0.2690, 0.789, 0.705),
        ("rate_location", 0.8971, 0.2590, 0.806, 0.736),
    ],
)
def test_tables_of_rates_reach_forward_in_time_what_was_measured(
    study: OutcomeStudy, model: str, auc: float, loss: float, victims: float, within: float
) -> None:
    everything, reported = study.find(model, "forward"), study.find(model, "forward", "victims")
    assert everything
    assert reported
    assert everything.figures["auc"].mean == pytest.approx(auc, abs=0.00006)
    assert everything.figures["log_loss"].mean == pytest.approx(loss, abs=0.00006)
    assert reported.figures["auc"].mean == pytest.approx(victims, abs=0.0006)
    assert everything.figures["within_category_auc"].mean == pytest.approx(within, abs=0.0006)


def test_the_test_is_the_last_44_days_and_the_level_fell(study: OutcomeStudy) -> None:
    assert (study.origin, study.tested["forward"]) == ("2018-06-26", 34_371)
    score = study.find("rate_location", "forward")
    assert score
    assert score.shift < 0
    assert score.figures["ece_shifted"].mean < score.figures["ece"].mean
    strict = study.find("rate_location", "forward", "strict")
    assert strict
    assert strict.base == pytest.approx(0.079, abs=0.002)
    assert np.isfinite(strict.figures["auc"].low)
