"""What a map of outcomes says: intervals, classes, notes, blocks, the outlook, and what publishing hides."""

from __future__ import annotations

import numpy as np
import pytest
from kit.outcomerows import make_outcome_rows

from riskengine.contract.outcomes import HIDDEN_BELOW, LIKELY, SMOOTHING, UNLIKELY
from riskengine.systems.outcomes.expected import compute_limits, compute_share_range, measure_drift
from riskengine.systems.outcomes.mapping import BY_DEFINITION, FOUND_BY_POLICE, choose_classes, leave_out, map_outcomes
from riskengine.systems.outcomes.models.base import Reading, make_predictor
from riskengine.systems.outcomes.outlook import make_outlook
from riskengine.systems.outcomes.places import expect_shares, find_middles, hide_few
from riskengine.systems.outcomes.publishing import find_derivable
from riskengine.systems.outcomes.rows import MISSING, Coded

EVERYTHING = (LIKELY, UNLIKELY)


def test_classes_are_as_published_and_the_thresholds_themselves_lie_between() -> None:
    classes = choose_classes(np.array([0.81, 0.8, 0.5, 0.2, 0.19, np.nan]), LIKELY, UNLIKELY)
    assert classes.tolist() == ["likely", "between", "between", "between", "unlikely", None]


def test_a_probability_is_surer_the_more_incidents_alike_the_model_knew() -> None:
    p = np.full(3, 0.3)
    low, high = compute_limits(p, np.array([0, 50, 5000]), drift=0.0)
    assert (np.diff(high - low) < 0).all()
    assert (low < p).all()
    assert (high > p).all()
    assert (low > 0).all()
    assert (high < 1).all()
    # Of very many the interval is the rate's own: 1.96 standard errors.
    assert high[2] - low[2] == pytest.approx(2 * 1.96 * np.sqrt(0.21 / (5000 + SMOOTHING)), rel=0.01)
    moved = compute_limits(p, np.array([0, 50, 5000]), drift=0.5)
    assert (moved[0] < low).all()
    assert (moved[1] > high).all()


def test_shares_of_groups_lie_in_their_range_95_times_of_100() -> None:
    random = np.random.default_rng(1)
    number = np.repeat([8, 30, 100, 500], 500)
    p = random.beta(1, 6, len(number))
    seen = random.binomial(number, p) / number
    low, high = compute_share_range(p, number, p * (1 - p), drift=0.0)
    inside = (seen >= low) & (seen <= high)
    for many in (8, 30, 100, 500):
        assert inside[number == many].mean() > 0.94, many
    # Not by being as wide as can be.
    assert (high - low)[number == 500].mean() < 0.09


def test_drift_is_none_where_only_chance_moved_the_categories_and_what_it_was_where_they_moved() -> None:
    random = np.random.default_rng(2)
    category = np.repeat(np.arange(10, dtype=np.int32), 3000)
    said = np.full(len(category), 0.3)
    assert measure_drift(said, random.random(len(category)) < 0.3, category) < 0.05
    moved = random.normal(0, 0.5, 10)[category]
    truth = 1 / (1 + np.exp(-(np.log(0.3 / 0.7) + moved)))
    assert measure_drift(said, random.random(len(category)) < truth, category) == pytest.approx(0.5, abs=0.2)


def test_what_is_left_out_has_no_probability_and_says_why_and_what_was_never_seen_is_noted() -> None:
    rows = make_outcome_rows(600)
    model = make_predictor("rate_location", Reading(("category", "description", "location"))).fit(rows)
    labels = [*rows.texts["category"].labels, "ALIENS"]
    codes = rows.texts["category"].codes.copy()
    codes[0] = 3
    strange = Coded(codes, labels)
    asked = rows.select(np.arange(len(rows)))
    asked = type(rows)(**{**vars(asked), "texts": {**rows.texts, "category": strange}, "happened": None})
    victims = np.array([label != "NARCOTICS" for label in labels])[codes]
    left_out = leave_out(asked, victims, None, ["THEFT c"])
    found = map_outcomes(asked, model.predict(asked), model, 0.1, EVERYTHING, left_out)
    description = np.array(rows.texts["description"].labels, dtype=object)[rows.texts["description"].codes]
    assert found.notes[0] == "category never seen: rate of all incidents"
    assert found.unseen.tolist().count(True) >= 1
    assert found.unseen[0]
    assert found.probability[0] == pytest.approx(rows.outcomes.mean(), abs=0.01)
    assert set(found.notes[~victims]) == {FOUND_BY_POLICE}
    defined = victims & (description == "THEFT c")
    assert defined.sum() > 10
    assert set(found.notes[defined]) == {BY_DEFINITION}
    gone = ~victims | defined
    for column in (found.probability, found.low, found.high):
        assert np.isnan(column[gone]).all()
        assert np.isfinite(column[~gone]).all()
    assert set(found.classes[gone]) == {None}
    assert None not in set(found.classes[~gone])


def test_blocks_with_too_few_incidents_are_left_out_and_their_middle_ignores_one_far_away() -> None:
    rows = make_outcome_rows(12)
    codes = np.array([0] * 7 + [1] * 4 + [MISSING])
    p = np.linspace(0.1, 0.6, 12)
    p[6] = np.nan
    groups = expect_shares(codes, p, least=5)
    assert groups.codes.tolist() == [0]
    assert groups.number.tolist() == [6]
    assert groups.share[0] == pytest.approx(p[:6].mean())
    assert groups.outcomes[0] == pytest.approx(p[:6].sum())
    far = rows.x.copy()
    far[0] = 1e9
    x, y = find_middles(groups, codes, type(rows)(**{**vars(rows), "x": far}))
    assert rows.x[:7].min() <= x[0] <= np.sort(far[:7])[-2]
    assert y[0] == pytest.approx(np.median(rows.y[:7]))


def test_the_outlook_draws_a_share_towards_its_category_and_counts_all_areas_first() -> None:
    category = Coded(np.zeros(120, dtype=np.int32), ["THEFT"])
    area = np.repeat([0, 1], [100, 20])
    p = np.where(area == 0, 0.1, 0.7)
    outlook = make_outlook(category, area, p, least=20, drift=0.0, hide=False)
    assert outlook.area.tolist() == [MISSING, 0, 1]
    share = dict(zip(outlook.area.tolist(), outlook.groups.share.tolist(), strict=True))
    every = p.mean()
    assert share[MISSING] == pytest.approx(every)
    assert share[1] == pytest.approx((20 * 0.7 + SMOOTHING * every) / (20 + SMOOTHING))
    assert share[0] == pytest.approx((100 * 0.1 + SMOOTHING * every) / (100 + SMOOTHING))
    assert make_outlook(category, area, p, least=21, drift=0.0, hide=False).area.tolist() == [MISSING, 0]


def test_publishing_hides_shares_of_fewer_than_five_outcomes_expected_or_known() -> None:
    codes = np.repeat([0, 1, 2], 40)
    p = np.repeat([0.05, 0.5, 0.5], 40)
    happened = np.zeros(120, dtype=bool)
    happened[40:60] = True
    happened[80 : 80 + HIDDEN_BELOW - 1] = True
    groups = hide_few(expect_shares(codes, p, least=1), codes, None)
    assert groups.hidden.tolist() == [True, False, False]
    groups = hide_few(expect_shares(codes, p, least=1), codes, happened)
    assert groups.hidden.tolist() == [True, False, True]
    for column in (groups.share, groups.low, groups.high, groups.outcomes):
        assert np.isnan(column).tolist() == [True, False, True]
    assert groups.number.tolist() == [40, 40, 40]


def test_what_is_hidden_does_not_follow_from_what_is_shown() -> None:
    # Four areas and three kinds; of one cell alone are fewer than five outcomes expected.
    shares = {(area, kind): 0.2 + 0.05 * kind + 0.02 * area for area in range(4) for kind in range(3)}
    shares[2, 1] = 0.05
    area = np.repeat([area for area, _ in shares], 60)
    category = Coded(np.repeat([kind for _, kind in shares], 60).astype(np.int32), ["A", "B", "C"])
    p = np.repeat([*shares.values()], 60)
    found = make_outlook(category, area, p, least=1, drift=0.0, hide=True)
    plain = make_outlook(category, area, p, least=1, drift=0.0, hide=False)
    assert plain.groups.outcomes.min() > HIDDEN_BELOW, "drawn towards its kind's, which is hidden for what is known"
    happened = np.zeros(len(p), dtype=bool)
    for (own, kind), share in shares.items():
        inside = np.flatnonzero((area == own) & (category.codes == kind))
        happened[inside[: round(60 * share)]] = True
    assert not found.groups.hidden.any()
    found = make_outlook(category, area, p, least=1, drift=0.0, hide=True, happened=happened)
    gone = found.groups.hidden
    assert gone[(found.area == 2) & (found.category == 1)].all()
    for line in (*(found.area == each for each in range(4)), *(found.category == kind for kind in range(3))):
        # With the total in its line a single hidden figure would be a difference.
        assert gone[line & (found.area != MISSING)].sum() != 1
    assert not gone[found.area == MISSING].any()
    assert not found.areas.hidden.any()
    assert gone.sum() == 4, "a second of its area, a second of its kind, and the fourth of the square"


def test_a_total_is_hidden_where_no_second_cell_can_be() -> None:
    outcomes, hidden = np.array([50.0, 2.0, 30.0, 20.0]), np.array([False, True, False, False])
    # The total of one cell is that cell.
    lines = [(0, np.array([1]))]
    assert find_derivable(outcomes, hidden, lines).tolist() == [True, True, False, False]
    # Two cells of two outcomes each are still fewer than five.
    outcomes = np.array([50.0, 2.0, 2.0, 20.0, 26.0])
    hidden = np.array([False, True, True, False, False])
    assert find_derivable(outcomes, hidden, [(0, np.arange(1, 5))]).tolist() == [False, True, True, True, False]
    nothing = np.zeros(5, dtype=bool)
    assert not find_derivable(outcomes, nothing, [(0, np.arange(1, 5))]).any()
