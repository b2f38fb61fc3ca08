"""Pairs, incidents near ways, months and figures of a check of routes."""

from __future__ import annotations

import numpy as np
import pytest

from riskengine.ground.context import JobContext
from riskengine.ground.errors import CrimeRiskError, DataError, ParameterError
from riskengine.intake.incidents import Incidents
from riskengine.streets.network import Network
from riskengine.systems.routes.controls import RandomField, prefer_small_streets
from riskengine.systems.routes.counted import count_along
from riskengine.systems.routes.delivered import TestedWays as Tested
from riskengine.systems.routes.delivered import describe_delivery
from riskengine.systems.routes.months import choose_months
from riskengine.systems.routes.near import NearbyIncidents, measure_repeated
from riskengine.systems.routes.pairs import draw_pairs


def make_lattice(across: int = 12, up: int = 12, block: float = 100.0, cut: int | None = None) -> Network:
    """A lattice of streets; without the streets between columns `cut` - 1 and `cut`."""
    row, column = np.divmod(np.arange(across * up), across)
    x, y = column * block, row * block
    east = [(n, n + 1) for n in range(across * up) if column[n] + 1 < across and column[n] + 1 != cut]
    north = [(n, n + across) for n in range(across * (up - 1))]
    tail, head = np.array(east + north, dtype=np.int32).T
    edges = len(tail)
    vertices = np.stack([np.column_stack([x[tail], y[tail]]), np.column_stack([x[head], y[head]])], axis=1)
    return Network(
        x.astype(float),
        y.astype(float),
        tail,
        head,
        np.full(edges, block),
        np.ones(edges, dtype=bool),
        np.ones(edges, dtype=bool),
        np.full(edges, 4.8),
        np.full(edges, -1, dtype=np.int8),
        np.arange(edges),
        np.arange(edges + 1) * 2,
        vertices.reshape(-1, 2).astype(float),
        "EPSG:32618",
        edges,
    )


def make_incidents(times: list[str], x: float = 0.0) -> Incidents:
    count = len(times)
    when = np.array(times, dtype="datetime64[s]")
    return Incidents(np.full(count, x), np.zeros(count), when, np.zeros(count, np.int32), ["a"], np.arange(count))


class TestNear:
    def test_each_incident_counts_once_within_each_distance(self) -> None:
        near = NearbyIncidents(np.array([50.0, 50.0, 50.0, 50.0, 400.0]), np.array([0.0, 49.0, 100.0, 150.0, 201.0]))
        there_and_back = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 0.0]])
        assert near.count([there_and_back, np.array([[400.0, 0.0], [500.0, 0.0]])]).tolist() == [[2, 3, 4], [0, 0, 0]]

    def test_no_incidents_are_near_nothing(self) -> None:
        near = NearbyIncidents(np.zeros(0), np.zeros(0))
        assert near.count([np.array([[0.0, 0.0], [1.0, 0.0]])]).tolist() == [[0, 0, 0]]

    def test_the_share_at_an_earlier_place(self) -> None:
        now, before = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 3.0, 9.0])
        assert measure_repeated(now, now, before, np.array([2.0, 2.0, 7.0, 4.0])) == 0.25


class TestPairs:
    def test_they_are_in_the_right_distance_and_repeatable(self) -> None:
        network = make_lattice()
        pairs = draw_pairs(network, 40, 300, 700, 5)
        apart = [np.hypot(*np.subtract(pair.start, pair.end)) for pair in pairs]
        assert min(apart) >= 300
        assert max(apart) <= 700
        assert len({(pair.start, pair.end) for pair in pairs}) == 40
        again, other = draw_pairs(network, 40, 300, 700, 5), draw_pairs(network, 40, 300, 700, 6)
        assert [(each.start, each.end) for each in again] == [(each.start, each.end) for each in pairs]
        assert [each.start for each in other] != [each.start for each in pairs]

    def test_both_ends_are_of_the_largest_part(self) -> None:
        pairs = draw_pairs(make_lattice(cut=4), 40, 100, 2000, 1)
        assert min(min(pair.start[0], pair.end[0]) for pair in pairs) == 400

    def test_too_few_are_refused_in_a_sentence(self) -> None:
        with pytest.raises(DataError, match="Only 0 pairs of places 5,000 to 6,000 m apart could be drawn"):
            draw_pairs(make_lattice(), 10, 5000, 6000, 1)


class TestMonths:
    days = tuple(f"2015-{month:02}-{day:02}" for month in range(1, 8) for day in (1, 15, 28))

    def test_the_last_whole_ones_are_chosen_and_said(self, said: JobContext) -> None:
        incidents = make_incidents([*self.days, "2015-08-20"])
        assert list(map(str, choose_months(incidents, [], 2, said))) == ["2015-05", "2015-06", "2015-07"]

    def test_a_month_with_too_few_before_it_is_refused(self, said: JobContext) -> None:
        incidents = make_incidents(list(self.days))
        with pytest.raises(ParameterError, match="2015-02 cannot be tested: with 3 months before it, whole months"):
            choose_months(incidents, ["2015-02"], 3, said)

    @pytest.mark.parametrize("text", ["2015-13", "May 2015", "2015-5", ""])
    def test_what_is_no_month_is_refused(self, text: str, said: JobContext) -> None:
        with pytest.raises(CrimeRiskError, match="which is no month"):
            choose_months(make_incidents(list(self.days)), [text], 2, said)

    def test_too_short_a_layer_is_refused(self, said: JobContext) -> None:
        with pytest.raises(DataError, match="No month can be tested"):
            choose_months(make_incidents(list(self.days)), [], 12, said)


@pytest.fixture
def said() -> JobContext:
    return JobContext()


def make_tested(near: np.ndarray, exposure: np.ndarray) -> Tested:
    return Tested("risk", exposure, np.ones_like(exposure), np.repeat(near[..., None], 3, axis=-1))


class TestFigures:
    def test_sums_shares_and_gap(self) -> None:
        near = np.array([[[1, 2, 3, 4]], [[2, 2, 2, 14]]])
        exposure = np.array([[[1.0, 1, 1, 1]], [[2.0, 2, 2, 2]]])
        made = describe_delivery(make_tested(near, exposure))
        assert made.delivered[100].value == 0.5
        assert made.promised.value == 0.5
        assert made.gap.value == 0.0
        assert (made.fewer, made.more) == (0.5, 0.25)
        assert made.counts[100] == (10, 20)
        assert made.detour == 0

    def test_the_interval_holds_the_truth_about_as_often_as_it_says(self) -> None:
        random, hits = np.random.default_rng(3), 0
        for _ in range(200):
            streets = random.gamma(3, 2, (1, 60)) * random.gamma(40, 1 / 40, (6, 1))
            short, less = random.poisson(streets), random.poisson(0.7 * streets * random.gamma(20, 1 / 20, (6, 60)))
            interval = describe_delivery(make_tested(np.stack([less, short]), np.ones((2, 6, 60)))).delivered[100]
            hits += interval.low <= 0.7 <= interval.high
        assert 0.9 <= hits / 200 <= 1

    def test_months_that_differ_widen_it_and_one_month_is_over_pairs_alone(self) -> None:
        random = np.random.default_rng(4)
        short = np.full((6, 100), 50)
        alike = random.poisson(35, (6, 100))
        apart = random.poisson(35 * np.array([0.5, 0.7, 0.9, 1.1, 1.3, 1.5])[:, None], (6, 100))
        wide, narrow, single = (
            describe_delivery(make_tested(np.stack([less, base]), np.ones((2, *less.shape)))).delivered[100]
            for less, base in ((apart, short), (alike, short), (alike[:1], short[:1]))
        )
        assert wide.high - wide.low > 4 * (narrow.high - narrow.low)
        assert single.low < single.value < single.high

    def test_nothing_near_the_shortest_is_no_ratio(self) -> None:
        made = describe_delivery(make_tested(np.zeros((2, 1, 10), int), np.ones((2, 1, 10))))
        assert np.isnan([made.delivered[100].value, made.delivered[100].low, made.gap.value]).all()


class TestControls:
    def test_a_random_map_is_smooth_positive_and_repeatable(self) -> None:
        network = make_lattice(30, 30)
        field = RandomField(network, 100, 1)
        at = np.linspace(0, 2900, 581)
        values = field.look_up(at, np.full_like(at, 1450))
        assert values.min() > 0
        assert values.max() > 4 * values.min()
        # Five metres on, hardly anything has changed; five hundred metres on, everything.
        assert np.corrcoef(values[:-1], values[1:])[0, 1] > 0.99
        assert abs(np.corrcoef(values[:-100], values[100:])[0, 1]) < 0.7
        assert (RandomField(network, 100, 1).look_up(at, at) == field.look_up(at, at)).all()
        assert (RandomField(network, 100, 2).look_up(at, at) != field.look_up(at, at)).any()

    def test_metres_of_big_streets_count_for_more(self) -> None:
        network = make_lattice(3, 3)
        classes = np.array(["Primary", None, *["residential"] * (network.edges - 2)], dtype=object)
        exposure = prefer_small_streets(network, classes)
        assert exposure is not None
        assert exposure.exposure[0] > 2 * exposure.exposure[1] == 2 * exposure.exposure[2]
        assert prefer_small_streets(network, np.full(network.edges, None)) is None

    def test_counts_are_of_the_streets_within_fifty_metres(self) -> None:
        network = make_lattice(3, 3)
        incidents = make_incidents(["2015-01-01"] * 4, 50.0)
        found = count_along(network, incidents).exposure
        # The street that they lie on, and those that meet it 50 m on at either end.
        assert found[0] == 4
        assert np.count_nonzero(found) == 4
