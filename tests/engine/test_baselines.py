"""The forecasts every model must beat."""

from __future__ import annotations

import numpy as np
import pytest

from riskengine.errors import DataError, ParameterError
from riskengine.forecast import ConstantForecaster, PriorCounts, PriorShare
from riskengine.grid import Grid
from riskengine.heatmaps import Heatmaps

ALL = [ConstantForecaster, PriorCounts, PriorShare]


def stack(counts: np.ndarray, mask: np.ndarray | None = None, **more: object) -> Heatmaps:
    edges = (np.datetime64("2024-01-01") + np.arange(len(counts) + 1)).astype("datetime64[s]")
    height, width = counts.shape[1:]
    inside = np.ones((height, width), bool) if mask is None else mask
    return Heatmaps(counts, edges, inside, Grid(0.0, 0.0, 500.0, width, height, "EPSG:32614"), "1 days", **more)  # type: ignore[arg-type]


@pytest.fixture
def maps() -> Heatmaps:
    counts = np.zeros((4, 2, 2), dtype=np.uint8)
    counts[0, 0, 0] = 3
    counts[2, 0, 0] = 1
    counts[3, 1, 1] = 2
    mask = np.array([[True, True], [False, True]])
    return stack(counts, mask)


def test_constant_by_hand(maps: Heatmaps) -> None:
    risk = ConstantForecaster().fit(maps).predict(maps)
    assert risk.shape == (1, 2, 2)
    assert risk[0, 0, 0] == pytest.approx((3 + 0.5) / (12 + 1))
    assert np.isnan(risk[0, 1, 0])


def test_prior_counts_by_hand(maps: Heatmaps) -> None:
    risk = PriorCounts(shrinkage=0).fit(maps).predict(maps, steps=2)
    assert risk[0, 0, 0] == pytest.approx(1 - np.exp(-1.0))
    assert risk[0, 0, 1] == 0
    assert risk[0, 1, 1] == pytest.approx(1 - np.exp(-0.5))
    assert np.array_equal(risk[0], risk[1], equal_nan=True)


def test_shrinkage_keeps_empty_cells_above_zero(maps: Heatmaps) -> None:
    mean = 6 / 3 / 4
    risk = PriorCounts(shrinkage=0.5).fit(maps).predict(maps)
    assert risk[0, 0, 1] == pytest.approx(1 - np.exp(-0.5 * mean / 4.5))


def test_prior_share_by_hand(maps: Heatmaps) -> None:
    risk = PriorShare(shrinkage=0).fit(maps).predict(maps)
    assert risk[0, 0, 0] == pytest.approx(0.5)
    assert PriorShare(shrinkage=0, threshold=2).predict(maps)[0, 0, 0] == pytest.approx(0.25)


def test_binary_maps_are_shares_not_rates(maps: Heatmaps) -> None:
    binary = stack((maps.counts > 0).astype(np.uint8), maps.mask, binary=True)
    assert PriorCounts(shrinkage=0).predict(binary)[0, 0, 0] == pytest.approx(0.5)
    with pytest.raises(ParameterError, match="threshold is 2"):
        PriorCounts(threshold=2).predict(binary)


@pytest.mark.parametrize("kind", ALL)
def test_unobserved_maps_teach_nothing(kind: type, maps: Heatmaps) -> None:
    observed = np.array([True, True, True, True, False])
    filled = stack(np.concatenate([maps.counts, np.full((1, 2, 2), 9, np.uint8)]), maps.mask, observed=observed)
    assert np.array_equal(kind().predict(maps), kind().predict(filled), equal_nan=True)


@pytest.mark.parametrize("kind", ALL)
def test_the_future_does_not_matter(kind: type) -> None:
    random = np.random.default_rng(0)
    counts = random.poisson(0.4, (12, 3, 3)).astype(np.uint8)
    changed = counts.copy()
    changed[8:] += 1
    model = kind()
    first, second = (model.predict_each(stack(each), 5) for each in (counts, changed))
    assert np.array_equal(first[:4], second[:4])
    assert not np.array_equal(first[4:], second[4:])


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("binary", "threshold"), [(False, 1), (False, 2), (True, 1)])
def test_predict_each_is_predict_at_every_origin(kind: type, binary: bool, threshold: int) -> None:
    counts = np.random.default_rng(0).poisson(0.8, (12, 3, 3)).astype(np.uint8)
    observed = np.ones(12, bool)
    observed[[0, 2, 6, 7, 11]] = False
    mask = np.ones((3, 3), bool)
    mask[0, 1] = False
    heat = stack(np.minimum(counts, 1) if binary else counts, mask, observed=observed, binary=binary)
    for first in (0, 1, 4):
        each = kind(threshold=threshold).predict_each(heat, first)
        assert each.dtype == np.float32
        for number, origin in enumerate(range(first, 12)):
            alone = kind(threshold=threshold).predict(heat.before(origin))[0]
            assert np.array_equal(each[number], alone, equal_nan=True)


@pytest.mark.parametrize("kind", ALL)
def test_predict_each_reads_every_map_once(kind: type) -> None:
    class Counting(kind):  # type: ignore[misc]
        read = 0

        def _seen(self, *args: object) -> np.ndarray:
            seen = super()._seen(*args)
            self.read += len(seen)
            return seen  # type: ignore[no-any-return]

    model = Counting()
    model.predict_each(stack(np.ones((40, 2, 2), np.uint8)), 5)
    assert model.read == 40


def test_refusals() -> None:
    empty = np.zeros((5, 2, 2), dtype=np.uint8)
    with pytest.raises(DataError, match="No incident"):
        PriorCounts().fit(stack(empty))
    with pytest.raises(DataError, match="No cell"):
        PriorCounts().fit(stack(empty, np.zeros((2, 2), bool)))
    with pytest.raises(DataError, match="no numbers"):
        PriorCounts().fit(stack(np.full((5, 2, 2), np.nan)))
    with pytest.raises(DataError, match="negative"):
        PriorCounts().fit(stack(np.full((5, 2, 2), -1)))
    with pytest.raises(DataError, match="0 observed maps"):
        PriorCounts().fit(stack(np.ones((5, 2, 2), np.uint8), observed=np.zeros(5, bool)))
    with pytest.raises(ParameterError, match="steps is 0"):
        PriorCounts().predict(stack(np.ones((5, 2, 2), np.uint8)), steps=0)
