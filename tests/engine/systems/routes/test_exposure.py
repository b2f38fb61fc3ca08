"""The exposure of streets: integrals by hand, what lies outside the risk, and lines put together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import shapely

from riskengine.ground.errors import DataError
from riskengine.streets.faults import find_faults
from riskengine.streets.network import Network
from riskengine.systems.routes.exposed import add_outside, choose_limits, describe_lines, sum_lines
from riskengine.systems.routes.exposure import measure_exposure

Line = Sequence[tuple[float, float]]


def make_network(lines: Sequence[Line], rows: Sequence[int] | None = None, closed: Sequence[int] = ()) -> Network:
    """Edges as drawn, in metres of the plane, each a row of its own unless said."""
    ends = np.array([each for line in lines for each in (line[0], line[-1])], dtype=float)
    places, node = np.unique(ends, axis=0, return_inverse=True)
    node = node.reshape(-1, 2).astype(np.int32)
    row = np.arange(len(lines)) if rows is None else np.asarray(rows)
    usable = ~np.isin(np.arange(len(lines)), closed)
    return Network(
        places[:, 0],
        places[:, 1],
        node[:, 0],
        node[:, 1],
        np.array([shapely.LineString(line).length for line in lines]),
        usable,
        usable,
        np.full(len(lines), 4.8),
        np.full(len(lines), -1, dtype=np.int8),
        row.astype(np.int64),
        np.r_[0, np.cumsum([len(line) for line in lines])],
        np.concatenate([np.asarray(line, dtype=float) for line in lines]),
        "EPSG:32618",
        int(row.max()) + 1,
    )


class Slope:
    """A risk that grows eastwards, and is known from x = 0 to 1000."""

    title, unit, step, notes = "slope", "units", 10.0, ()

    def look_up(self, x: Any, y: Any) -> Any:
        return np.where((x >= 0) & (x <= 1000), x, np.nan)


def test_the_exposure_is_the_integral_of_the_risk() -> None:
    # ∫ x ds: along x 0 to 100; across at x = 200; along a bent line.
    lines = [[(0, 0), (100, 0)], [(200, 0), (200, 50)], [(0, 0), (30, 40), (60, 0)]]
    found = measure_exposure(make_network(lines), Slope())
    assert found.exposure == pytest.approx([5000, 10_000, 30 * 100])


def test_a_line_of_any_length_is_looked_at_where_it_lies() -> None:
    """Shorter than a step, longer than one, and no longer than the last piece: sums are the same in any pieces."""
    whole = measure_exposure(make_network([[(0, 0), (97, 0)]]), Slope(), step=10.0)
    parts = measure_exposure(make_network([[(0, 0), (3, 0)], [(3, 0), (97, 0)]]), Slope(), step=10.0)
    assert whole.exposure.sum() == pytest.approx(parts.exposure.sum()) == pytest.approx(97**2 / 2)


def test_streets_outside_the_risk_are_never_cheap() -> None:
    network = make_network([[(0, 0), (1000, 0)], [(2000, 0), (2000, 100)], [(950, 0), (1050, 0)]])
    found = measure_exposure(network, Slope())
    # The known ones: 1000 m at 500 and 50 m at 975 on average.
    mean = (1000 * 500 + 50 * 975) / 1050
    assert found.mean == pytest.approx(mean)
    assert found.outside == pytest.approx([0, 1, 0.5])
    assert found.exposure == pytest.approx([500_000, 100 * mean, 50 * 975 + 50 * mean])


def test_the_percentile_is_of_metres_and_of_streets_that_may_be_used() -> None:
    flat = [[(x, 0), (x, length)] for x, length in ((100, 10), (200, 980), (300, 10), (900, 5000))]
    found = measure_exposure(make_network(flat, closed=[3]), Slope(), percentile=90)
    assert found.threshold == 200
    assert found.above == pytest.approx([0, 0, 1, 1])
    assert measure_exposure(make_network(flat), Slope(), percentile=90).threshold == 900


def test_a_risk_of_another_city_is_refused() -> None:
    with pytest.raises(DataError, match="No street lies where the risk is known"):
        measure_exposure(make_network([[(-500, 0), (-100, 0)]]), Slope())


def test_a_negative_risk_is_refused() -> None:
    class Below(Slope):
        def look_up(self, x: Any, y: Any) -> Any:
            return x - 50

    with pytest.raises(DataError, match="negative"):
        measure_exposure(make_network([[(0, 0), (100, 0)]]), Below())


def test_edges_of_a_line_are_put_together_again() -> None:
    # Row 0 is cut at a crossing; row 1 has no line; row 2 is half outside.
    network = make_network([[(0, 0), (100, 0)], [(100, 0), (200, 0)], [(900, 0), (1100, 0)]], rows=[0, 0, 2])
    lines = sum_lines(network, measure_exposure(network, Slope(), percentile=25))
    assert lines.metres[[0, 2]] == pytest.approx([200, 200])
    assert np.isnan(lines.metres[1])
    assert lines.exposure[0] == pytest.approx(20_000)
    assert lines.risk[0] == pytest.approx(100)
    assert lines.outside[[0, 2]] == pytest.approx([0, 0.5])
    assert all(np.isnan(column[1]) for column in lines.columns)


def test_classes_rise_and_leave_out_streets_without_a_risk_of_their_own() -> None:
    network = make_network([[(x, 0), (x, 100)] for x in range(0, 1000, 10)] + [[(5000, 0), (5000, 90_000)]])
    limits = choose_limits(sum_lines(network, measure_exposure(network, Slope())))
    assert limits == sorted(set(limits))
    assert (limits[0], limits[-1]) == (0, 990)
    assert len(limits) == 7
    even = make_network([[(7, 0), (7, 100)], [(7, 100), (7, 300)]])
    assert choose_limits(sum_lines(even, measure_exposure(even, Slope()))) == [7]


def test_lines_outside_the_risk_are_faults_with_their_metres() -> None:
    network = make_network([[(0, 0), (1000, 0)], [(1000, 0), (1100, 0)], [(1100, 0), (1500, 0)]], rows=[0, 1, 1])
    found = measure_exposure(network, Slope())
    faults = find_faults(network)
    shown = add_outside(faults, network, found)
    assert len(shown) == len(faults) + 1
    assert shown.count("outside") == 1
    assert (shown.row[-1], shown.metres[-1], shown.x[-1]) == (1, pytest.approx(500), pytest.approx(1300))


def test_what_was_measured_is_said() -> None:
    network = make_network([[(0, 0), (1000, 0)]])
    found = measure_exposure(network, Slope())
    assert describe_lines(sum_lines(network, found), found, 90) == (
        "1 line, 1.0 km, exposed to the slope: 500 units on average, 895 at percentile 90 of the length"
    )
