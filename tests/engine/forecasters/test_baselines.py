"""The forecasts every model must beat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kit.maps import make_stack

from riskengine.forecasters.baselines import ConstantForecaster, PriorCounts, PriorShare
from riskengine.forecasters.kde import SpaceTimeKDE
from riskengine.forecasters.recent import RecentCounts
from riskengine.forecasters.weekday import WeekdayTrend
from riskengine.ground.errors import DataError, ParameterError
from riskengine.maps.heatmaps import Heatmaps
from riskengine.measures.metrics import log_loss

ALL = [ConstantForecaster, PriorCounts, PriorShare]


@pytest.fixture
def maps() -> Heatmaps:
    counts = np.zeros((4, 2, 2), dtype=np.uint8)
    counts[0, 0, 0] = 3
    counts[2, 0, 0] = 1
    counts[3, 1, 1] = 2
    mask = np.array([[True, True], [False, True]])
    return make_stack(counts, mask)


def test_negative_counts_are_refused_wherever_they_are(maps: Heatmaps) -> None:
    counts = maps.counts.astype(np.int16)
    counts[2, 1, 0] = -5
    ConstantForecaster().fit(replace(maps, counts=counts))
    counts[2, 1, 1] = -3
    with pytest.raises(DataError, match=r"negative counts \(-3\)"):
        ConstantForecaster().fit(replace(maps, counts=counts))
    broken = maps.counts.astype(np.float32)
    broken[1, 0, 1] = np.nan
    with pytest.raises(DataError, match="no numbers"):
        ConstantForecaster().fit(replace(maps, counts=broken))


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
    binary = make_stack((maps.counts > 0).astype(np.uint8), maps.mask, binary=True)
    assert PriorCounts(shrinkage=0).predict(binary)[0, 0, 0] == pytest.approx(0.5)
    with pytest.raises(ParameterError, match="threshold is 2"):
        PriorCounts(threshold=2).predict(binary)


@pytest.mark.parametrize("kind", ALL)
def test_forecasts_further_ahead_know_less(kind: type, maps: Heatmaps) -> None:
    ahead = kind().predict_ahead(maps, 1, 3)
    for number, origin in enumerate((0, 0, 1)):
        assert np.array_equal(ahead[number], kind().predict(maps.before(origin))[0], equal_nan=True)


@pytest.mark.parametrize("kind", ALL)
def test_unobserved_maps_teach_nothing(kind: type, maps: Heatmaps) -> None:
    observed = np.array([True, True, True, True, False])
    filled = make_stack(np.concatenate([maps.counts, np.full((1, 2, 2), 9, np.uint8)]), maps.mask, observed=observed)
    assert np.array_equal(kind().predict(maps), kind().predict(filled), equal_nan=True)


@pytest.mark.parametrize("kind", ALL)
def test_the_future_does_not_matter(kind: type) -> None:
    random = np.random.default_rng(0)
    counts = random.poisson(0.4, (12, 3, 3)).astype(np.uint8)
    changed = counts.copy()
    changed[8:] += 1
    model = kind()
    first, second = (model.predict_each(make_stack(each), 5) for each in (counts, changed))
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
    heat = make_stack(np.minimum(counts, 1) if binary else counts, mask, observed=observed, binary=binary)
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
    model.predict_each(make_stack(np.ones((40, 2, 2), np.uint8)), 5)
    assert model.read == 40


def test_refusals() -> None:
    empty = np.zeros((5, 2, 2), dtype=np.uint8)
    with pytest.raises(DataError, match="No incident"):
        PriorCounts().fit(make_stack(empty))
    with pytest.raises(DataError, match="No cell"):
        PriorCounts().fit(make_stack(empty, np.zeros((2, 2), bool)))
    with pytest.raises(DataError, match="no numbers"):
        PriorCounts().fit(make_stack(np.full((5, 2, 2), np.nan)))
    with pytest.raises(DataError, match="negative"):
        PriorCounts().fit(make_stack(np.full((5, 2, 2), -1)))
    with pytest.raises(DataError, match="0 observed maps"):
        PriorCounts().fit(make_stack(np.ones((5, 2, 2), np.uint8), observed=np.zeros(5, bool)))
    with pytest.raises(ParameterError, match="steps is 0"):
        PriorCounts().predict(make_stack(np.ones((5, 2, 2), np.uint8)), steps=0)


def test_recent_counts_by_hand(maps: Heatmaps) -> None:
    risk = RecentCounts(bins=2, shrinkage=0).fit(maps).predict(maps, steps=2)
    assert risk[0, 0, 0] == pytest.approx(1 - np.exp(-1 / 2))
    assert risk[0, 1, 1] == pytest.approx(1 - np.exp(-2 / 2))
    assert 0 < risk[0, 0, 1] < 1e-6
    assert np.isnan(risk[0, 1, 0])
    assert np.array_equal(risk[0], risk[1], equal_nan=True)
    # Three and a half incidents in two maps of three cells, of which one map's worth is mixed in.
    shrunk = RecentCounts(bins=2).predict(maps)
    assert shrunk[0, 0, 1] == pytest.approx(1 - np.exp(-(0 + 3.5 / 7) / 3))
    assert shrunk[0, 1, 1] == pytest.approx(1 - np.exp(-(2 + 3.5 / 7) / 3))


def test_recent_counts_look_past_maps_without_observation(maps: Heatmaps) -> None:
    gap = make_stack(maps.counts, maps.mask, observed=np.array([True, True, True, False]))
    risk = RecentCounts(bins=3, shrinkage=0).predict(gap)
    assert risk[0, 0, 0] == pytest.approx(1 - np.exp(-4 / 3))
    assert risk[0, 1, 1] < 1e-6


@pytest.mark.parametrize(("unit", "step", "window"), [("D", 1, 90), ("D", 7, 13), ("M", 1, 8), ("h", 12, 180)])
def test_recent_counts_cover_about_ninety_days(unit: str, step: int, window: int) -> None:
    bin = {("D", 1): "1 days", ("D", 7): "1 weeks", ("M", 1): "1 months", ("h", 12): "12 hours"}[unit, step]
    counts = np.zeros((200, 1, 2), dtype=np.uint8)
    counts[:, 0, 0] = 1
    for age, known in ((window, True), (window + 1, False)):
        counts[:, 0, 1] = 0
        counts[-age, 0, 1] = 1
        risk = RecentCounts(shrinkage=0).predict(make_stack(counts, bin=bin))[0, 0, 1]
        assert risk == pytest.approx(1 - np.exp(-1 / window) if known else 1e-7, rel=1e-3)


def test_weekday_by_hand() -> None:
    counts = np.zeros((56, 1, 1), dtype=np.uint8)
    counts[::7] = 2
    # 16 incidents on 8 Mondays, where an even week has 16/7; ten incidents' worth of evenness.
    monday, other = (16 + 10) / (16 / 7 + 10), (0 + 10) / (16 / 7 + 10)
    rate = (16 + 0.5 * (16.5 / 57)) / 56.5
    risk = WeekdayTrend().fit(make_stack(counts)).predict(make_stack(counts), steps=8)[:, 0, 0]
    expected = [monday, *[other] * 6, monday]
    assert risk == pytest.approx([1 - np.exp(-rate * factor) for factor in expected], rel=1e-5)


def test_trend_by_hand() -> None:
    # One incident a week in each of ten cells for 56 weeks, then two for four; a year is 52 weeks.
    counts = np.ones((60, 1, 10), dtype=np.uint8)
    counts[-4:] = 2
    rate = (56 + 0.5 * (560.5 / 521)) / 52.5
    trend = (80 + 100) / (4 * 560 / 52 + 100)
    risk = WeekdayTrend().predict(make_stack(counts, bin="1 weeks"))
    assert risk[0, 0] == pytest.approx(np.full(10, 1 - np.exp(-rate * trend)), rel=1e-5)
    unshrunk = WeekdayTrend(trend_shrinkage=0, shrinkage=0).predict(make_stack(counts, bin="1 weeks"))
    assert unshrunk[0, 0, 0] == pytest.approx(1 - np.exp(-2), rel=1e-5)


def test_hours_of_the_week() -> None:
    counts = np.zeros((168 * 6, 2, 2), dtype=np.uint8)
    counts[18::24] = 3
    # Saturday nights besides.
    counts[5 * 24 + 23 :: 168] = 3
    week = WeekdayTrend().predict(make_stack(counts, bin="1 hours"), steps=168)[:, 0, 0]
    assert sorted(np.argsort(week)[-8:]) == sorted([*range(18, 168, 24), 5 * 24 + 23])
    quiet = np.setdiff1d(np.arange(168), [*range(18, 168, 24), 5 * 24 + 23])
    assert week[quiet].max() < 0.35 * week[18]


def test_binary_maps_are_shares_for_the_recent_ones_too(maps: Heatmaps) -> None:
    binary = make_stack((maps.counts > 0).astype(np.uint8), maps.mask, binary=True)
    for model in (RecentCounts(bins=4, shrinkage=0), WeekdayTrend(shrinkage=0)):
        assert model.predict(binary)[0, 0, 0] == pytest.approx(0.5, rel=0.3 if "weekday" in model.name else 1e-6)
    assert RecentCounts(bins=4, shrinkage=0, threshold=2).predict(maps)[0, 0, 0] == pytest.approx(0.25)


def kde(long: float, recent: float, half_life: float, weight: float, **settings: float) -> SpaceTimeKDE:
    names = SpaceTimeKDE.LEARNED
    values = dict(zip(names, map(np.asarray, (long, recent, half_life, weight)), strict=True))
    return SpaceTimeKDE(**settings).restore(values)  # type: ignore[arg-type]


def rate_of(risk: np.ndarray) -> np.ndarray:
    return np.asarray(-np.log1p(-risk[0].astype(float)))


def test_kernel_density_by_hand() -> None:
    counts = np.zeros((2, 1, 5), dtype=np.uint8)
    counts[0, 0, 1] = 1
    bell = np.exp(-0.5 * (np.arange(5) - 1) ** 2)
    # One cell's bandwidth, so what would fall beyond either edge comes back: the kernel adds up to 1 inside.
    bell[4] = np.exp(-4.5)
    rate = rate_of(kde(500, 500, 1.0, 0.0, shrinkage=0).predict(make_stack(counts)))
    assert rate[0] == pytest.approx(0.5 * bell / bell.sum(), rel=1e-4)
    # The first of two maps weighs half of the second with a half-life of a day: 0.5 / 1.5 of an incident per map.
    rate = rate_of(kde(0, 0, 1.0, 0.25, shrinkage=0).predict(make_stack(counts)))
    assert rate[0, 1] == pytest.approx(0.75 / 2 + 0.25 / 3, rel=1e-5)


def test_kernel_density_keeps_the_total_inside_the_study_area() -> None:
    random = np.random.default_rng(1)
    mask = random.random((9, 11)) < 0.6
    counts = np.where(mask, random.poisson(0.2, (30, 9, 11)), 0).astype(np.uint8)
    for weight, total in ((0.0, counts.sum() / 30), (1.0, counts[-1].sum())):
        # A half-life of an hour forgets all but the last map.
        rate = rate_of(kde(900, 900, 1 / 24, weight, shrinkage=0).predict(make_stack(counts, mask)))
        assert np.nansum(rate) == pytest.approx(total, rel=1e-3)
        assert np.array_equal(np.isnan(rate), ~mask)


def test_kernel_density_chooses_the_bandwidth_that_the_past_supports() -> None:
    random = np.random.default_rng(3)
    y, x = np.mgrid[:16, :16]
    hill = 0.02 * np.exp(-((y - 8) ** 2 + (x - 8) ** 2) / 40)
    smooth = make_stack(random.poisson(hill, (150, 16, 16)).astype(np.uint8))
    model = SpaceTimeKDE().fit(smooth.before(120))
    assert model.long_bandwidth_ >= 750
    events = smooth.counts[120:] > 0
    other = PriorCounts().predict_each(smooth, 120)
    assert log_loss(model.predict_each(smooth, 120), events) < log_loss(other, events) - 1e-3
    # Single busy cells among quiet ones leave nothing to smooth.
    spots = make_stack(random.poisson(np.where((y % 3 == 0) & (x % 3 == 0), 0.8, 0.01), (150, 16, 16)).astype(np.uint8))
    assert SpaceTimeKDE().fit(spots).long_bandwidth_ < 200


def test_kernel_density_follows_a_hotspot_that_moves() -> None:
    random = np.random.default_rng(4)
    rates = np.full((160, 6, 6), 0.03)
    for day in range(160):
        rates[day, day // 20 % 6, day // 20 // 2] = 1.5
    moving = make_stack(random.poisson(rates).astype(np.uint8))
    model = SpaceTimeKDE().fit(moving)
    assert model.weight_ >= 0.5
    assert model.half_life_ <= 14
    still = make_stack(random.poisson(0.4, (160, 6, 6)).astype(np.uint8))
    assert SpaceTimeKDE().fit(still).weight_ == 0


def test_what_cannot_be_set() -> None:
    for make in (
        lambda: RecentCounts(bins=0),
        lambda: WeekdayTrend(days=0),
        lambda: SpaceTimeKDE(bandwidth=-1),
        lambda: SpaceTimeKDE(half_life=0),
    ):
        with pytest.raises(ParameterError):
            make()
