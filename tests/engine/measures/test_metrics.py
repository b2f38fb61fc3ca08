"""Every measure against a value worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from riskengine.measures.flagging import compute_ratio_interval, count_flagged_hits
from riskengine.measures.metrics import (
    auc,
    average_precision,
    brier,
    brier_skill,
    count_area_hits,
    count_area_hits_by_map,
    log_loss,
    reliability,
    skill,
)

P = np.array([0.9, 0.2, 0.6, 0.4])
O = np.array([1, 0, 0, 1])  # noqa: E741


def test_log_loss_by_hand() -> None:
    expected = -(math.log(0.9) + math.log(0.8) + math.log(0.4) + math.log(0.4)) / 4
    assert log_loss(P, O) == pytest.approx(expected)


def test_log_loss_of_a_certain_miss_is_finite() -> None:
    assert log_loss([0.0], [1]) == pytest.approx(-math.log(1e-6))


def test_brier_and_skill_by_hand() -> None:
    assert brier(P, O) == pytest.approx((0.01 + 0.04 + 0.36 + 0.36) / 4)
    assert brier_skill(P, O, 0.5) == pytest.approx(1 - 0.1925 / 0.25)


def test_auc_by_hand_and_with_ties() -> None:
    # Pairs (event, other): .9>.2, .9>.6, .4>.2, .4<.6
    assert auc(P, O) == pytest.approx(3 / 4)
    assert auc([0.5, 0.5, 0.5], [1, 0, 0]) == pytest.approx(0.5)
    assert auc([0.7, 0.7, 0.1], [1, 0, 0]) == pytest.approx(0.75)
    assert math.isnan(auc([0.1, 0.2], [0, 0]))


def test_auc_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(0)
    p = random.integers(0, 20, 500) / 20
    o = random.random(500) < p
    assert auc(p, o) == pytest.approx(roc_auc_score(o, p))


def test_average_precision_by_hand_and_with_ties() -> None:
    # Flagging .9: 1 of 1; down to .4: 2 of 3. Recall rises by half each time.
    assert average_precision(P, O) == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    # Two of the four tied cells are events, and they enter together.
    assert average_precision([0.9, 0.5, 0.5, 0.5, 0.5], [0, 1, 1, 0, 0]) == pytest.approx(2 / 5)
    assert average_precision(np.full(10, 0.2), [1] * 3 + [0] * 7) == pytest.approx(0.3)
    assert math.isnan(average_precision([0.1, 0.2], [0, 0]))


def test_average_precision_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score

    random = np.random.default_rng(0)
    p = random.integers(0, 20, 500) / 20
    o = random.random(500) < p
    assert average_precision(p, o) == pytest.approx(average_precision_score(o, p))


def test_skill_by_hand() -> None:
    assert skill(0.1925, 0.25) == pytest.approx(1 - 0.1925 / 0.25)
    assert math.isnan(skill(0.0, 0.0))


def test_cells_outside_the_study_area_do_not_count() -> None:
    outside = np.array([0.9, np.nan, 0.2, 0.6, np.nan, 0.4])
    events = np.array([1, 1, 0, 0, 1, 1])
    for measure in (log_loss, brier, auc, average_precision):
        assert measure(outside, events) == pytest.approx(measure(P, O))


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="4 predictions for 2 outcomes"):
        log_loss(P, [0, 1])


def test_area_hits_by_hand() -> None:
    # Ten cells; the two riskiest hold 3 and 0 of the 8 incidents; the best two would have held 3 + 2.
    risk = np.array([[0.9, 0.8, 0.5, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.0]])
    counts = np.array([[3, 0, 2, 1, 1, 1, 0, 0, 0, 0]])
    hits = count_area_hits(risk, counts, 0.2)
    assert (hits.caught, hits.incidents, hits.flagged, hits.cells, hits.most) == (3, 8, 2, 10, 5)
    assert hits.hit_rate == pytest.approx(3 / 8)
    assert hits.pai == pytest.approx((3 / 8) / 0.2)
    assert hits.pei == pytest.approx(3 / 5)
    assert hits.precision == pytest.approx(1 / 2)


def test_ser_by_hand() -> None:
    risk = np.array([[0.9, 0.8, 0.5, 0.4], [0.9, 0.8, 0.5, 0.4]])
    counts = np.array([[3, 0, 2, 0], [0, 1, 0, 0]])
    # Two of four cells on each of two maps, a quarter of a square kilometre each: 4 incidents on 1 km2 and map.
    hits = count_area_hits(risk, counts, 0.5)
    assert (hits.caught, hits.flagged) == (4, 4)
    assert hits.ser(0.25) == pytest.approx(4.0)


def test_hits_map_by_map_add_up() -> None:
    random = np.random.default_rng(2)
    risk, counts = random.integers(0, 6, (9, 40)) / 6, random.poisson(0.4, (9, 40))
    for share, maps in zip([0.01, 0.1, 1.0], count_area_hits_by_map(risk, counts, [0.01, 0.1, 1.0]), strict=True):
        assert maps.total() == count_area_hits(risk, counts, share)
        assert maps.caught.sum() == pytest.approx(maps.total().caught)
        each = [count_area_hits(risk[number : number + 1], counts[number : number + 1], share) for number in range(9)]
        assert maps.caught == pytest.approx([hits.caught for hits in each])
        assert maps.most == pytest.approx([hits.most for hits in each])


def test_hits_of_given_flags_by_hand() -> None:
    flagged = np.array([[True, True, False, False], [False, False, False, False]])
    counts = np.array([[0, 2, 1, 0], [5, 0, 0, 1]], dtype=np.uint8)
    maps, anywhere = count_flagged_hits(flagged, counts, 0.25)
    assert maps.caught.tolist() == [2, 0]
    assert maps.hit_cells.tolist() == [1, 0]
    # The best two cells of the first map hold 2 + 1; the best two of all maps 5 + 2.
    assert maps.most.tolist() == [3, 0]
    assert anywhere == 7
    total = maps.total(anywhere)
    assert (total.flagged, total.cells, total.incidents) == (2, 8, 9)
    assert total.hit_rate == pytest.approx(2 / 9)
    assert total.pai == pytest.approx((2 / 9) / (2 / 8))
    assert total.pei == pytest.approx(2 / 7)


def test_ratio_interval_by_hand() -> None:
    # Six blocks of three maps, N = 10 in each, n = 1, 2, 3, 4, 5, 6: the ratio's interval is that of a mean of blocks.
    part, whole = np.zeros(18), np.zeros(18)
    part[::3], whole[::3] = np.arange(1.0, 7.0), 10.0
    found = compute_ratio_interval(part, whole, 3)
    reach = 2.5706 * math.sqrt(3.5 / 6) / 10
    assert found == pytest.approx((0.35, 0.35 - reach, 0.35 + reach), abs=1e-4)


def test_ratio_interval_stays_within_a_share_and_needs_blocks() -> None:
    part = np.zeros(18)
    part[0] = 1
    found = compute_ratio_interval(part, np.ones(18), 3)
    assert found.low == 0 < found.mean < found.high <= 1
    assert math.isnan(compute_ratio_interval(np.ones(5), np.ones(5), 3).low)
    assert math.isnan(compute_ratio_interval(np.zeros(18), np.zeros(18), 3).mean)


@pytest.mark.parametrize(
    ("caught", "low", "high"),
    # None of 5 and all of 5: 1 - 0.025 ** (1 / 5).
    [(0.0, 0.0, 0.5218), (5.0, 0.4782, 1.0)],
)
def test_none_or_all_of_few_is_no_certainty(caught: float, low: float, high: float) -> None:
    part, whole = np.zeros(60), np.zeros(60)
    whole[[3, 14, 25, 36, 47]] = 1.0
    part[:] = whole * (caught / 5)
    assert compute_ratio_interval(part, whole, 7) == pytest.approx((caught / 5, low, high), abs=1e-4)


def test_blocks_all_alike_have_the_exact_interval() -> None:
    # 6 of 12, one of two in every block: 0.2109 to 0.7891.
    part, whole = np.tile([1.0, 0.0, 0.0], 6), np.tile([2.0, 0.0, 0.0], 6)
    assert compute_ratio_interval(part, whole, 3) == pytest.approx((0.5, 0.2109, 0.7891), abs=1e-4)


def test_a_constant_catches_its_share_by_definition() -> None:
    # A twentieth of each incident, for all cells are tied.
    whole = np.tile([3.0, 1.0, 2.0], 12)
    assert compute_ratio_interval(whole / 20, whole, 3) == pytest.approx((0.05, 0.05, 0.05))


def test_ties_at_the_edge_are_shared() -> None:
    risk = np.array([[0.9, 0.8, 0.5, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.0]])
    counts = np.array([[3, 0, 2, 1, 1, 1, 0, 0, 0, 0]])
    # The third cell is one of two at 0.5: half of 2 and half of 1.
    assert count_area_hits(risk, counts, 0.3).caught == pytest.approx(3 + 0 + 1.5)
    constant = count_area_hits(np.full((1, 10), 0.3), counts, 0.2)
    assert constant.pai == pytest.approx(1.0)


def test_the_flagged_area_is_rounded_down_to_whole_cells() -> None:
    risk, counts = np.arange(30.0).reshape(1, 30), np.ones((1, 30), dtype=int)
    assert count_area_hits(risk, counts, 0.05).flagged == 1
    assert count_area_hits(risk, counts, 0.1).flagged == 3
    assert count_area_hits(risk, counts, 0.001).flagged == 1


def test_threshold_decides_what_is_a_hit() -> None:
    hits = count_area_hits(np.array([[0.9, 0.8, 0.1, 0.1]]), np.array([[1, 2, 0, 0]]), 0.5, threshold=2)
    assert hits.precision == pytest.approx(0.5)


def test_area_hits_without_incidents() -> None:
    hits = count_area_hits(np.ones((2, 4)), np.zeros((2, 4), dtype=int), 0.5)
    assert math.isnan(hits.hit_rate)
    assert math.isnan(hits.pei)
    assert hits.precision == 0


def test_reliability_by_hand() -> None:
    found = reliability([0.1, 0.1, 0.1, 0.7, 0.8, 0.9], [0, 0, 1, 1, 1, 0], bins=2)
    assert found.predicted == pytest.approx([0.1, 0.8])
    assert found.observed == pytest.approx([1 / 3, 2 / 3])
    assert list(found.count) == [3, 3]


def test_reliability_of_a_constant_is_one_point() -> None:
    found = reliability(np.full(10, 0.3), [1] * 3 + [0] * 7)
    assert found.predicted == pytest.approx([0.3])
    assert found.observed == pytest.approx([0.3])


def test_expected_calibration_error_by_hand() -> None:
    # Two bins: two cells at .2 of which half are events, six at .8 of which all are.
    found = reliability([0.2] * 2 + [0.8] * 6, [0, 1] + [1] * 6, bins=2)
    assert found.error == pytest.approx((2 * 0.3 + 6 * 0.2) / 8)
    assert math.isnan(reliability([], []).error)
