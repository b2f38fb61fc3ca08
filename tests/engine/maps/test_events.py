"""Events: rows of one time and place are one, and no victim is lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskengine.intake.incidents import Incidents
from riskengine.maps.events import merge_events


def make_rows(rows: list[tuple[float, float, str]]) -> Incidents:
    x, y, time = zip(*rows, strict=True)
    codes = np.zeros(len(rows), dtype=np.int32)
    when: NDArray[np.datetime64] = np.array(time, dtype="datetime64[s]")
    return Incidents(np.array(x), np.array(y), when, codes, ["SHOOTING"], np.arange(len(rows)))


def test_exact_duplicates_are_victims_of_one_event_that_keeps_its_first_row() -> None:
    rows = make_rows(
        [
            (500.0, 0.0, "2024-05-02T22:10"),
            (0.0, 0.0, "2024-05-01T22:10"),
            (500.0, 0.0, "2024-05-02T22:10"),
            (500.0, 0.0, "2024-05-02T22:11"),
            (500.001, 0.0, "2024-05-02T22:10"),
        ]
    )
    events = merge_events(rows)
    assert events.incidents.fid.tolist() == [0, 1, 3]
    assert events.victims.tolist() == [3, 1, 1]
    assert events.rows.tolist() == [0, 1, 0, 2, 0]


def test_an_address_is_the_place_where_it_is_known_whatever_the_coordinates_say() -> None:
    nan = float("nan")
    rows = make_rows(
        [
            (0.0, 0.0, "2024-05-01T10:00"),
            (80.0, 0.0, "2024-05-01T10:00"),
            (nan, nan, "2024-05-01T10:00"),
            (0.0, 0.0, "2024-05-01T10:00"),
            (nan, nan, "2024-05-01T10:00"),
            (nan, nan, "2024-05-01T10:00"),
        ]
    )
    events = merge_events(rows, np.array([7, 7, 7, -1, -1, -1]))
    assert events.victims.tolist() == [3, 1, 1, 1]
    assert events.rows.tolist() == [0, 0, 0, 1, 2, 3]


def test_of_some_events_the_rows_are_numbered_anew() -> None:
    rows = make_rows([(float(number // 2), 0.0, "2024-05-01T10:00") for number in range(6)])
    kept = merge_events(rows).select(np.array([False, True, True]))
    assert (kept.incidents.x.tolist(), kept.victims.tolist()) == ([1.0, 2.0], [2, 2])
    assert kept.rows.tolist() == [0, 0, 1, 1]
