"""When a warning is made, what is known then, which window it is for, and what a test holds out."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from kit.warningpanels import draw_panel

from riskengine.contract.warnings import Timing
from riskengine.ground.errors import DataError, ParameterError
from riskengine.intake.incidents import Incidents
from riskengine.systems.warning.moments import count_next, find_moment, find_start, hold_out_share


def make_hourly(days: int = 20, start: str = "2024-01-01") -> Incidents:
    """An incident an hour, from a Monday on."""
    time = (np.datetime64(start, "h") + np.arange(24 * days)).astype("datetime64[s]") + 60
    number = len(time)
    place = np.zeros(number)
    return Incidents(place, place, time, np.zeros(number, np.int32), ["A"], np.arange(number), "minute")


@pytest.mark.parametrize(
    ("timing", "origin", "made", "known", "begin"),
    [
        # 20 days: up to the end of Saturday 20 January.
        (Timing(24, 0, 0, 24), None, "2024-01-21T00", "2024-01-20T00", "2024-01-21T00"),
        (Timing(24, 6, 0, 0), None, "2024-01-21T00", "2024-01-21T00", "2024-01-21T06"),
        (Timing(168, 0, 0, 24), None, "2024-01-21T00", "2024-01-20T00", "2024-01-22T00"),
        (Timing(168, 30, 0, 24), None, "2024-01-21T00", "2024-01-20T00", "2024-01-23T06"),
        (Timing(12, 6, 12, 24), "2024-01-15T07:30", "2024-01-15T07:30", "2024-01-14T07:30", "2024-01-16T06"),
        (Timing(2, 0, 0, 0), "2024-01-15T08:00", "2024-01-15T08", "2024-01-15T08", "2024-01-15T08"),
        (Timing(2, 0, 0, 0), "2024-01-15T08:01", "2024-01-15T08:01", "2024-01-15T08:01", "2024-01-15T10"),
        # Later than the file goes: known is what the file knows.
        (Timing(24, 0, 0, 24), "2024-02-10T00:00", "2024-02-10T00", "2024-01-21T00", "2024-02-10T00"),
    ],
)
def test_the_next_window_and_what_is_known(
    timing: Timing, origin: str | None, made: str, known: str, begin: str
) -> None:
    moment = find_moment(make_hourly(), None if origin is None else datetime.fromisoformat(origin), timing)
    assert [str(each)[:16] for each in (moment.made, moment.known, moment.begin)] == [
        str(np.datetime64(each, "s"))[:16] for each in (made, known, begin)
    ]


def test_old_incidents_are_told() -> None:
    timing = Timing(24, 0, 0, 24)
    assert find_moment(make_hourly(), None, timing).describe_age(timing) == ""
    said = find_moment(make_hourly(), datetime(2024, 2, 10), timing).describe_age(timing)
    assert said.startswith("The incidents end on Sun 21 Jan 2024, and the warnings are made on Sat 10 Feb 2024:")


def test_a_moment_before_all_incidents_and_one_of_another_clock_are_refused() -> None:
    with pytest.raises(ParameterError, match="nothing was known: the incidents are of Mon 1 – Sat 20 Jan 2024"):
        find_moment(make_hourly(), datetime(2024, 1, 1, 12), Timing())
    with pytest.raises(ParameterError, match="with a time zone"):
        find_moment(make_hourly(), datetime(2024, 1, 10, tzinfo=UTC), Timing())


def test_left_empty_a_week_is_warned_of() -> None:
    assert [count_next(None, Timing(hours)) for hours in (1, 2, 24, 72, 168)] == [168, 84, 7, 2, 1]
    assert count_next(3, Timing(2)) == 3


def test_whole_windows_are_held_out() -> None:
    timing = Timing(12, 0, 0, 8)
    panel = draw_panel(timing, days=100)
    assert timing.bins == 3
    first = hold_out_share(panel, timing, 0.2)
    assert (first % 3, (len(panel) - first) // 3) == (0, 40)
    assert hold_out_share(panel, timing, 0.0) == len(panel)
    start = find_start(panel, timing, datetime(2020, 3, 1, 5))
    assert str(panel.edges[start]) == "2020-03-01T12:00:00", "the first window that begins then or later"
    with pytest.raises(ParameterError, match="start is Thu 1 Jan 2015, but the first window begins on Mon 6 Jan 2020"):
        find_start(panel, timing, datetime(2015, 1, 1))
    late = Timing(24, 0, 0, 24 * 90)
    with pytest.raises(DataError, match="no window is left to learn from before those held out"):
        hold_out_share(draw_panel(late, days=100), late, 0.3)
    with pytest.raises(DataError) as of_test:
        hold_out_share(draw_panel(late, days=100), late, 0.3, "test")
    assert (of_test.value.parameter, of_test.value.value) == ("test", "0.3")
