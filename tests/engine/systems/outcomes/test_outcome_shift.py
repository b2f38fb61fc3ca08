"""The shift of the logit: what it is fitted to, and what it is learned on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.outcomerows import START, make_outcome_rows
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from riskengine.contract.outcomes import GROUPS
from riskengine.measures.metrics import log_loss
from riskengine.systems.outcomes.models.base import Reading, make_predictor
from riskengine.systems.outcomes.shift import fit_shift, learn_shift, shift_probabilities
from riskengine.systems.outcomes.splits import split_rows

RANDOM = np.random.default_rng(0)
P = expit(RANDOM.normal(-1.5, 1.5, 4000))


def make() -> object:
    return make_predictor("rate_description", Reading(tuple(GROUPS)))


@given(st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_as_many_outcomes_are_expected_as_there_were_at_the_least_log_loss(moved: float) -> None:
    happened = np.random.default_rng(1).random(len(P)) < expit(logit(P) + moved)
    shift = fit_shift(P, happened)
    shifted = shift_probabilities(P, shift)
    assert shifted.sum() == pytest.approx(happened.sum(), rel=1e-4)
    assert shift == pytest.approx(moved, abs=0.25)
    best = minimize_scalar(lambda each: log_loss(expit(logit(P) + each), happened), bounds=(-5, 5), method="bounded")
    assert shift == pytest.approx(best.x, abs=1e-3)
    assert (np.argsort(shifted, kind="stable") == np.argsort(P, kind="stable")).mean() > 0.99


def test_few_rows_or_outcomes_tell_no_shift() -> None:
    assert fit_shift(P[:100], P[:100] > 0.5) == 0.0
    rare = np.zeros(len(P), bool)
    rare[:5] = True
    assert fit_shift(P, rare) == fit_shift(P, ~rare) == 0.0
    assert shift_probabilities(P, 0.0) is P


def test_a_level_that_falls_is_found_on_the_last_days_before_the_origin() -> None:
    rows = make_outcome_rows(20_000, days=150, drift=-1.5)
    parts = split_rows(rows, "forward", 30)
    learned, tested = rows.select(parts.learned), rows.select(parts.tested)
    shift = learn_shift(make, learned)  # type: ignore[arg-type]
    assert shift.value == pytest.approx(-0.6, abs=0.2)
    # A fifth of the 120 days learned from.
    assert (shift.first, shift.last) == (str(START + 96), str(START + 119))
    raw = make_predictor("rate_description", Reading(tuple(GROUPS))).fit(learned).predict(tested)
    assert abs(shift(raw).mean() - tested.outcomes.mean()) < abs(raw.mean() - tested.outcomes.mean()) / 2


def test_as_many_days_lie_before_those_it_is_learned_on_as_before_the_test() -> None:
    rows = make_outcome_rows(20_000, days=150, drift=-3.0)
    near, far = learn_shift(make, rows), learn_shift(make, rows, maturity=40)  # type: ignore[arg-type]
    assert (near.first, near.rows) == (far.first, far.rows)
    # A level that falls evenly has fallen by half of the days left out more.
    assert far.value == pytest.approx(near.value - 3.0 * 20 / 150, abs=0.15)


def test_of_a_single_day_nothing_is_learned() -> None:
    rows = make_outcome_rows(500, days=1)
    assert learn_shift(make, rows).value == 0.0  # type: ignore[arg-type]
