"""The crime score as defined: counts, the scale, the window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kit.incidents import make_incidents

from riskengine.ground.errors import DataError, ParameterError
from riskengine.intake.incidents import Incidents
from riskengine.systems.score.definition import ScoreScale, in_window, score_places
from riskengine.systems.score.index import CrimeIndex


def line(days: list[float], step: float = 100.0) -> Incidents:
    """Incidents on a line, `step` metres apart, at these days of 2024."""
    count = len(days)
    time = np.datetime64("2024-01-01", "s") + (np.array(days) * 86_400).astype(np.int64)
    return make_incidents(500_000 + step * np.arange(count), np.full(count, 2_150_000.0), time)


def test_by_hand() -> None:
    index = CrimeIndex(line([0, 1, 2, 3, 4]), "EPSG:32614")
    x, y = index.incidents.x, index.incidents.y
    counts, scale, reference = score_places(index, x, y, radius=150)
    assert counts.tolist() == [2, 3, 3, 3, 2]
    assert str(reference) == "2024-01-05T00:00:00"
    assert scale.to_score(counts).tolist() == [0, 1, 1, 1, 0]
    assert scale.to_percentile(counts).tolist() == [40, 100, 100, 100, 40]
    elsewhere = np.array([0, 1, 4, 100])
    # ln 1 lies below the scale, ln 4 above it.
    assert scale.to_score(elsewhere).tolist() == [0, 0, 1, 1]


def test_the_logarithm() -> None:
    scale = ScoreScale(np.array([2, 4, 8, 32]))
    assert scale.to_score(np.array([2, 4, 8, 16, 32])) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert scale.to_percentile(np.array([1, 2, 5, 32, 99])).tolist() == [0, 25, 50, 100, 100]


@given(
    hnp.arrays(np.int64, st.integers(1, 60), elements=st.integers(1, 10_000)),
    hnp.arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 20_000)),
)
def test_score_rises_with_the_count(own: np.ndarray, asked: np.ndarray) -> None:
    scale = ScoreScale(np.sort(own))
    asked = np.sort(asked)
    for values in (scale.to_score(asked), scale.to_percentile(asked) / 100):
        assert ((values >= 0) & (values <= 1)).all()
        assert (np.diff(values) >= 0).all()
    at_home = scale.to_score(np.sort(own))
    assert at_home[-1] == 1
    if own.min() < own.max():
        assert at_home[0] == 0


@pytest.mark.parametrize(
    ("window", "reference", "expected"),
    [
        (2, None, [False, False, False, True, True]),
        (365, None, [True] * 5),
        (1, "2024-01-02T12:00:00", [False, True, False, False, False]),
        (1, "2024-01-02T00:00:00", [False, True, False, False, False]),
    ],
)
def test_window_is_half_open(window: float, reference: str | None, expected: list[bool]) -> None:
    counted, _ = in_window(line([0, 1, 2, 3, 4]), window, np.datetime64(reference, "s") if reference else None)
    assert counted.tolist() == expected


def test_what_lies_in_no_window() -> None:
    incidents = line([0, 1])
    with pytest.raises(ParameterError, match="window_days is 0; it must be greater than 0"):
        in_window(incidents, 0)
    with pytest.raises(DataError, match=r"before the first incident.*Mon 1 Jan 2024 to Tue 2 Jan 2024") as caught:
        in_window(incidents, 10, np.datetime64("2020-01-01", "s"))
    assert caught.value.parameter == "reference_time"
    with pytest.raises(DataError, match="too long after the last incident"):
        in_window(incidents, 10, np.datetime64("2025-01-01", "s"))


def test_nothing_of_the_future_counts() -> None:
    index = CrimeIndex(line([0, 1, 2, 3, 4], step=1.0), "EPSG:32614")
    x, y = index.incidents.x[:1], index.incidents.y[:1]
    for day in range(5):
        counts, *_ = score_places(index, x, y, 200, 365, np.datetime64("2024-01-01", "s") + 86_400 * day)
        assert counts.tolist() == [day + 1]
