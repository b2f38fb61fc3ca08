"""Judging, areas and the study as a whole, on a city whose rates are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.outcomerows import AREAS, make_outcome_rows
from scipy import stats
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from riskengine.ground.errors import Cancelled, DataError
from riskengine.measures.clustered import compute_clustered_mean
from riskengine.report.outcomes.sentences import describe_open_test
from riskengine.systems.outcomes.fairness import compare_areas
from riskengine.systems.outcomes.judged import FIGURES, OutcomeStudy
from riskengine.systems.outcomes.judging import make_judge
from riskengine.systems.outcomes.rows import Coded, Rows
from riskengine.systems.outcomes.study import OutcomePlan, run_study

FOUND = ("NARCOTICS",)
#: Tables of rates alone: what is asked here is not how good a model is.
PLAN = OutcomePlan(model="rate_location", found=FOUND, maturity=0, splits=("forward", "random"))


def make_city(drift: float = 0.0) -> Rows:
    return make_outcome_rows(6000, days=100, drift=drift)


@pytest.fixture(scope="module")
def study() -> OutcomeStudy:
    return run_study(make_city(), PLAN)


def test_figures_are_scikit_learns_of_all_rows_and_of_what_victims_reported() -> None:
    rows = make_city().select(np.arange(3000))
    p = np.random.default_rng(0).random(len(rows))
    victims = rows.texts["category"].codes < 2
    judge = make_judge(rows, "random", {"all": np.ones(len(rows), bool), "victims": victims})
    for score, mask in zip(judge.score("rate", p, 0.0), (slice(None), victims), strict=True):
        o, q = rows.outcomes[mask], p[mask]
        assert (score.rows, score.base) == (len(o), pytest.approx(o.mean()))
        assert set(score.figures) == set(FIGURES)
        assert score.figures["auc"].mean == pytest.approx(roc_auc_score(o, q))
        assert score.figures["log_loss"].mean == pytest.approx(log_loss(o, q))
        assert score.figures["brier"].mean == pytest.approx(brier_score_loss(o, q))
        assert score.figures["average_precision"].mean == pytest.approx(average_precision_score(o, q))
        assert score.figures["ece"] == score.figures["ece_shifted"]
        assert score.figures["ece_oracle"].mean < score.figures["ece"].mean
        for figure in score.figures.values():
            assert figure.low <= figure.mean <= figure.high


def test_a_model_is_compared_row_by_row_with_another() -> None:
    rows = make_city().select(np.arange(3000))
    judge = make_judge(rows, "random", {"all": np.ones(len(rows), bool)})
    good, bad = np.where(rows.outcomes, 0.6, 0.4), np.full(len(rows), 0.5)
    assert judge.compare(bad, bad)["all"] == (0.0, 0.0, 0.0)
    found = judge.compare(good, bad)["all"]
    assert found.mean == pytest.approx(np.log(0.5) - np.log(0.6))
    assert found.high < 0


def test_every_model_is_judged_on_every_split_and_kind_of_rows(study: OutcomeStudy) -> None:
    rates = ("rate", "rate_description", "rate_location")
    for model in rates:
        for split in PLAN.splits:
            sizes = []
            for reported in ("all", "victims", "strict"):
                score = study.find(model, split, reported)
                assert score is not None
                sizes.append(score.rows)
            assert sizes[0] == study.tested[split] > sizes[1] >= sizes[2]
    assert study.learned == {"forward": 6000 - study.tested["forward"], "random": 4800}
    kinds = ("all", "victims", "strict")
    assert set(study.differences) == {(m, s, r) for m in rates[:2] for s in PLAN.splits for r in kinds}
    assert study.differences["rate", "forward", "all"].low > 0
    assert (study.origin, study.first, study.last) == ("2024-03-21", "2024-01-01", "2024-04-09")


def test_what_police_find_makes_the_figure_of_all_rows_look_good(study: OutcomeStudy) -> None:
    everything, victims = (study.find("rate", "forward", reported) for reported in ("all", "victims"))
    assert everything
    assert victims
    assert everything.figures["auc"].low > victims.figures["auc"].high
    assert everything.figures["within_category_auc"].mean == 0.5


def test_nothing_that_happens_after_the_origin_changes_a_prediction_or_the_shift(study: OutcomeStudy) -> None:
    rows = make_city()
    flipped = rows.outcomes ^ (rows.day >= np.datetime64("2024-03-21"))
    other = run_study(replace(rows, happened=flipped), replace(PLAN, splits=("forward",)))
    assert study.tested_rows
    assert other.tested_rows
    assert np.array_equal(study.tested_rows.probability, other.tested_rows.probability)
    assert [score.shift for score in other.scores] == [
        score.shift for score in study.scores if score.split == "forward"
    ]


def test_with_a_level_that_falls_the_shift_halves_the_calibration_error() -> None:
    found = run_study(make_outcome_rows(20_000, days=100, drift=-1.5), replace(PLAN, splits=("forward",)))
    score = found.find("rate_location", "forward")
    assert score
    assert score.shift < -0.2
    assert score.figures["ece_shifted"].mean < score.figures["ece"].mean / 2
    assert score.figures["log_loss_shifted"].mean < score.figures["log_loss"].mean
    raw, shifted = (np.abs(p - o).max() for p, o in (found.curves["raw"], found.curves["shifted"]))
    assert shifted < raw


def test_days_whose_outcomes_are_not_known_are_not_learned_from() -> None:
    found = run_study(make_city(), replace(PLAN, maturity=28, splits=("forward",)))
    assert found.learned["forward"] == int((make_city().day < np.datetime64("2024-03-21") - 28).sum())
    assert "the 28 days before are not learned from" in found.notes[0]
    assert "Mon 1 Jan – Wed 21 Feb 2024" in found.notes[0]


def test_the_same_plan_gives_the_same_study(study: OutcomeStudy) -> None:
    assert run_study(make_city(), PLAN).scores == study.scores


def test_progress_rises_and_a_study_can_be_cancelled() -> None:
    recorder = Recorder()
    run_study(make_city(), replace(PLAN, ladder=True), recorder)
    assert recorder.shares == sorted(recorder.shares)
    assert 0.5 < recorder.shares[-1] <= 1.0
    with pytest.raises(Cancelled):
        run_study(make_city(), PLAN, Recorder(lambda seen: len(seen.shares) > 2))


def test_areas_have_intervals_by_days_and_small_ones_have_none() -> None:
    rows = make_city()
    code = rows.texts["area"].codes.copy()
    keep = np.ones(len(rows), bool)
    for area, most in ((0, 20), (1, 60)):
        keep[np.flatnonzero(code == area)[most:]] = False
    rows = rows.select(keep)
    p = np.random.default_rng(1).uniform(0.1, 0.4, len(rows))
    hardship = np.where(np.random.default_rng(2).random(len(rows)) < 0.05, np.nan, rows.census["hardship"])
    found = compare_areas(rows, p, "all", hardship)
    assert found
    assert list(found.names) == [f"area {number}" for number in range(1, AREAS)]
    assert found.rows[0] == 60
    assert np.isnan(found.low[0])
    for place in range(1, AREAS - 1):
        inside = rows.texts["area"].codes == place + 1
        one = compute_clustered_mean(rows.outcomes[inside] - p[inside], rows.day[inside].astype(int))
        assert (found.low[place], found.high[place]) == pytest.approx((one.low, one.high))
    assert found.indicator is not None
    assert found.indicator.tolist() == [10.0 * number for number in range(1, AREAS)]
    assert found.raw_correlation
    assert found.residual_correlation
    assert found.raw_correlation.mean == pytest.approx(stats.spearmanr(found.indicator, found.observed).statistic)
    residual = found.observed - found.predicted
    assert found.residual_correlation.mean == pytest.approx(stats.spearmanr(found.indicator, residual).statistic)


def test_incidents_without_areas_have_none(study: OutcomeStudy) -> None:
    rows = make_city()
    nowhere: dict[Any, Coded] = {role: coded for role, coded in rows.texts.items() if role != "area"}
    assert compare_areas(replace(rows, texts=nowhere), np.full(len(rows), 0.2), "all") is None
    assert [areas.reported for areas in study.areas] == ["all", "victims"]


def test_a_split_beside_the_one_asked_for_that_cannot_be_is_said_and_left_out() -> None:
    rows = make_outcome_rows(400)
    rows = replace(rows, day=np.full(len(rows), rows.day[0]))
    context = Recorder()
    found = run_study(rows, replace(PLAN, splits=("random", "forward")), context)
    assert {score.split for score in found.scores} == {"random"}
    assert any("Forward in time, nothing is judged: 400 incidents of 1 day" in note for note in found.notes)
    with pytest.raises(DataError, match="of 1 day leave 0 rows to learn from"):
        run_study(rows, PLAN, context)


def test_strict_figures_leave_out_descriptions_that_the_rows_learned_from_show_to_be_the_outcome() -> None:
    rows = make_city()
    description = rows.texts["description"]
    sure = description.codes == description.labels.index("THEFT a")
    late = (description.codes == description.labels.index("THEFT b")) & (rows.day >= np.datetime64("2024-03-21"))
    rows = replace(rows, happened=rows.outcomes | sure | late)
    strict, victims = (
        run_study(rows, replace(PLAN, splits=("forward",), definitions=asked)).find("rate", "forward", "strict")
        for asked in (False, True)
    )
    assert strict is not None
    assert victims is not None
    # What only the test shows is not left out: nobody could know it.
    assert victims.rows - strict.rows == (sure & (rows.day >= np.datetime64("2024-03-21"))).sum() > 100
    assert strict.base < victims.base


def test_what_of_a_test_is_younger_than_the_maturity_is_counted_and_the_rest_judged_apart() -> None:
    rows = make_city()
    plan = replace(PLAN, maturity=14, test=30, splits=("forward",))
    late = rows.day > rows.day.max() - np.timedelta64(14, "D")
    # Of the last days no outcome has come yet.
    found = run_study(replace(rows, happened=rows.outcomes & ~late), plan)
    score, part = found.find("rate_location", "forward"), found.open_test
    assert score is not None
    assert part is not None
    assert (part.days, part.young_days) == (30, 14)
    assert (part.rows, part.young_rows) == (score.rows, late.sum())
    assert part.ece < 0.05 < score.figures["ece"].mean
    said = describe_open_test(found)
    assert f"The last 14 days of the 30 that are tested forward in time ({late.sum():,} of {score.rows:,}" in said
    assert "on the 16 days before them the calibration error is 0.0" in said
    short = describe_open_test(run_study(rows, replace(plan, test=20)))
    assert "6 older days are too few to tell how much" in short
    assert run_study(rows, replace(plan, maturity=0)).open_test is None
