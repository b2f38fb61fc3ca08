"""Smoothed counts: read off a grid they are what the sum of the kernels is, whoever else is asked."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from kit.contexts import Recorder
from scipy.spatial import cKDTree

from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled
from riskengine.systems.score import surfaces
from riskengine.systems.score.parts import CHUNK, TILE, list_parts, work_on_parts

BANDWIDTHS = (50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0)
#: Of the logarithm of the count, which is what the networks see, and of the relative slope.
COUNT_TOLERANCE, SLOPE_TOLERANCE = 0.1, 0.2


@pytest.fixture(scope="module")
def town() -> cKDTree:
    """3,000 incidents in clusters within 4 km, far from the origin as in a UTM zone."""
    random = np.random.default_rng(1)
    centres = random.uniform(0, 4000, (30, 2))[random.integers(0, 30, 3000)]
    return cKDTree(np.array((500_000.0, 2_150_000.0)) + centres + random.normal(0, 150, (3000, 2)))


@pytest.fixture(scope="module")
def places() -> tuple[np.ndarray, np.ndarray]:
    x, y = np.random.default_rng(2).uniform(-1000, 5000, (2, 400))
    return 500_000 + x, 2_150_000 + y


def test_gridded_is_summed(
    town: cKDTree, places: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    count, slope = surfaces.compute_smoothed_counts(town, *places, BANDWIDTHS)
    monkeypatch.setattr(surfaces, "FEW", 10**6)
    exact, exact_slope = surfaces.compute_smoothed_counts(town, *places, BANDWIDTHS)
    error = np.abs(np.log(count + 0.02) - np.log(exact + 0.02))
    assert error.max() < COUNT_TOLERANCE
    assert error.mean() < 0.005
    error = np.abs(np.log1p(slope / (count + 0.02)) - np.log1p(exact_slope / (exact + 0.02)))
    assert error.max() < SLOPE_TOLERANCE
    assert error.mean() < 0.02


def test_a_place_is_told_the_same_in_any_company(town: cKDTree, places: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = places
    count, slope = surfaces.compute_smoothed_counts(town, x, y, BANDWIDTHS)
    some = np.random.default_rng(3).permutation(len(x))[:50]
    found, steep = surfaces.compute_smoothed_counts(town, x[some], y[some], BANDWIDTHS)
    assert found == pytest.approx(count[some], rel=1e-5, abs=1e-5)
    assert steep == pytest.approx(slope[some], rel=1e-4, abs=1e-4)


def test_where_nothing_is_near(town: cKDTree) -> None:
    x, y = np.full(40, 800_000.0), np.linspace(2_150_000, 2_151_000, 40)
    count, slope = surfaces.compute_smoothed_counts(town, x, y, BANDWIDTHS)
    assert not count.any()
    assert not slope.any()


def test_one_incident_by_hand() -> None:
    tree = cKDTree(np.array([[1000.0, 1000.0]]))
    count, slope = surfaces.compute_smoothed_counts(
        tree, np.array([1000.0, 1100.0]), np.array([1000.0, 1000.0]), (100.0,)
    )
    assert count[:, 0] == pytest.approx([1.0, np.exp(-0.5)])
    assert slope[:, 0] == pytest.approx([0.0, np.exp(-0.5)])


def test_parts_hold_every_row_once() -> None:
    random = np.random.default_rng(4)
    x, y = random.normal(0, 20_000, (2, 2 * CHUNK + 5000))
    parts = list_parts(x, y)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(x)))
    for part in parts:
        assert len(part) <= CHUNK
        assert len({(a // TILE, b // TILE) for a, b in zip(x[part], y[part])}) == 1
    assert list_parts(x[:0], y[:0]) == []


def test_cancel_between_parts() -> None:
    random = np.random.default_rng(5)
    parts = list_parts(*random.uniform(0, 20 * TILE, (2, 5000)))
    cancelled = threading.Event()
    done: list[int] = []

    def work(part: np.ndarray) -> None:
        done.append(len(part))
        cancelled.set()

    with pytest.raises(Cancelled):
        work_on_parts(work, parts, JobContext(cancelled=cancelled))
    assert len(done) < len(parts)


def test_progress_ends_at_one() -> None:
    parts = list_parts(*np.random.default_rng(6).uniform(0, 4 * TILE, (2, 5000)))
    context = Recorder()
    work_on_parts(lambda part: None, parts, context)
    assert context.shares == sorted(context.shares)
    assert context.shares[-1] == 1.0
