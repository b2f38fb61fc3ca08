"""Calibration undoes what distorts a probability, and leaves alone what it knows too little about."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from riskengine.learning.calibration import Calibration, fit_calibration
from riskengine.measures.metrics import log_loss, reliability


def outcomes(seed: int, size: int = 200_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    true = expit(random.normal(-2.5, 1.2, size))
    return true, (random.random(size) < true).astype(np.uint8)


def test_a_known_distortion_is_undone() -> None:
    true, events = outcomes(0)
    # Twice too sure, and three times too high in the odds.
    risk = expit(2.0 * logit(true) + np.log(3)).astype(np.float32)
    found = fit_calibration(risk, events)
    assert found.slope == pytest.approx(0.5, abs=0.02)
    assert found.shift == pytest.approx(-0.5 * np.log(3), abs=0.03)
    others, happened = outcomes(1)
    calibrated = found(expit(2.0 * logit(others) + np.log(3)))
    assert log_loss(calibrated, happened) == pytest.approx(log_loss(others, happened), abs=1e-3)
    curve = reliability(calibrated, happened)
    assert curve.predicted == pytest.approx(curve.observed, rel=0.1, abs=0.005)


def test_a_calibrated_forecast_stays_as_it_is() -> None:
    true, events = outcomes(2)
    found = fit_calibration(true, events)
    assert found.slope == pytest.approx(1, abs=0.03)
    assert found.shift == pytest.approx(0, abs=0.06)
    np.testing.assert_allclose(Calibration()(true), true, rtol=1e-5)


def test_cells_outside_the_study_area_stay_outside() -> None:
    true, events = outcomes(3, 4000)
    risk = true.reshape(10, 20, 20).astype(np.float32)
    outside = np.zeros((20, 20), dtype=bool)
    outside[:5] = True
    masked = np.where(outside, np.nan, risk)
    events = events.reshape(risk.shape)
    wrong = np.where(outside, 1 - events, events)
    assert fit_calibration(masked, events) == fit_calibration(masked, wrong)
    calibrated = Calibration(0.7, -0.2)(masked)
    assert calibrated.dtype == np.float32
    assert np.array_equal(np.isnan(calibrated), np.isnan(masked))


def test_little_evidence_changes_little() -> None:
    risk = np.full(30, 0.3)
    assert fit_calibration(risk, np.zeros(30)) == Calibration()
    few = fit_calibration(risk, np.r_[np.ones(2), np.zeros(28)])
    assert abs(few.slope - 1) < 0.4
    assert abs(few.shift) < 0.4
    assert fit_calibration(np.full(5, np.nan), np.ones(5)) == Calibration()


def test_order_is_kept_and_extremes_stay_probabilities() -> None:
    risk = np.array([0.0, 1e-9, 0.1, 0.5, 1.0])
    calibrated = Calibration(0.8, 0.3)(risk)
    assert (np.diff(calibrated) >= 0).all()
    assert 0 < calibrated.min() < calibrated.max() < 1
    # A forecast that is worse than none is flattened, never turned over.
    true, events = outcomes(4, 5000)
    assert fit_calibration(1 - true, events).slope >= 0
