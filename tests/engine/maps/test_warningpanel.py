"""The panel of warnings: events in steps, whole windows, and nothing after the moment that is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from riskengine.contract.warnings import OTHER, SIMILAR, Timing
from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError, ParameterError
from riskengine.intake.incidents import Incidents
from riskengine.maps.areas import Areas
from riskengine.maps.warningpanel import make_city, make_warning_panel
from riskengine.maps.windows import gather_windows

CATEGORIES = ["SHOOTING", "AGG. ASSAULT", "LARCENY"]
# Two squares side by side, west and east.
SQUARES = Areas(("west", "east"), shapely.box([0, 1000], 0, [1000, 2000], 1000), "EPSG:32618")


def make_incidents(rows: list[tuple[float, str, int]], quiet: bool = False) -> Incidents:
    """Rows of x, time and category, and a larceny in the west every three hours of January 2024 unless `quiet`."""
    every = np.arange("2024-01-01", "2024-02-01", 3, dtype="datetime64[h]").astype("datetime64[s]")
    x = [each[0] for each in rows] + [10.0] * len(every)
    time = np.r_[np.array([each[1] for each in rows], dtype="datetime64[s]"), every]
    code = [each[2] for each in rows] + [2] * len(every)
    size = len(rows) if quiet else len(x)
    columns = np.array(x)[:size], np.full(size, 500.0), time[:size], np.array(code, dtype=np.int32)[:size]
    return Incidents(*columns, CATEGORIES, np.arange(size), "minute")


def test_events_are_counted_in_whole_windows_and_the_others_beside_them() -> None:
    rows = [
        (300.0, "2024-01-10T05:59:59", 0),
        (300.0, "2024-01-10T06:00", 0),
        (300.0, "2024-01-10T06:00", 0),
        (1700.0, "2024-01-10T06:00", 0),
        (1700.0, "2024-01-10T07:00", 1),
        (5000.0, "2024-01-10T07:00", 0),
    ]
    made = make_warning_panel(
        make_incidents(rows), ["shooting"], ["AGG. ASSAULT"], SQUARES, Timing(24, 6, 0, 0), JobContext()
    )
    panel = made.panel
    assert (panel.bin, panel.delay, panel.edges[0]) == ("24 hours", 0, np.datetime64("2024-01-01T06"))
    # January ends at midnight: the window that goes on to 06:00 is not whole.
    assert panel.edges[-1] == np.datetime64("2024-01-31T06")
    where = int(np.searchsorted(panel.edges, np.datetime64("2024-01-10T06")))
    assert panel.counts[where - 1 : where + 1].tolist() == [[1, 0], [1, 1]]
    assert panel.counts.sum() == len(made.events) == 3
    assert made.events.victims.tolist() == [1, 2, 1]
    channels = dict(zip(panel.extras.channel_names, panel.extras.channels, strict=True))
    assert channels[SIMILAR].sum(axis=0).tolist() == [0, 1]
    assert channels[OTHER][where].tolist() == [8, 1]
    assert "4 rows are 3 events" in made.notes[0]
    assert "up to 2 of them" in made.notes[0]


def test_without_a_name_everything_that_is_no_target_is_similar() -> None:
    rows = [(300.0, "2024-01-10T12:00", 0), (1700.0, "2024-01-11T12:00", 1)]
    panel = make_warning_panel(make_incidents(rows), ["SHOOTING"], [], SQUARES, Timing(), JobContext()).panel
    similar, other = panel.extras.channels
    assert np.array_equal(similar, other)
    assert similar.sum(axis=0).tolist() == [248, 1]


def test_steps_divide_windows_lead_and_delay_and_windows_gathered_hold_the_same() -> None:
    rows = [(300.0, "2024-01-10T12:00", 0), (1700.0, "2024-01-14T23:00", 0)]
    timing = Timing(168, 30, 12, 42)
    made = make_warning_panel(make_incidents(rows), ["SHOOTING"], [], SQUARES, timing, JobContext())
    assert (made.panel.bin, timing.bins, made.panel.delay) == ("6 hours", 28, 9)
    weeks = gather_windows(made.panel, 0, timing.bins)
    # Weeks begin on Tuesday at 06:00.
    assert weeks.edges[0] == np.datetime64("2024-01-02T06")
    assert weeks.edges[-1] == np.datetime64("2024-01-30T06")
    assert weeks.counts.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]


def test_windows_that_fill_no_week_begin_alike_whenever_the_records_begin() -> None:
    def find_begins(first: str) -> set[int]:
        incidents = make_incidents([(300.0, "2024-01-10T12:00", 0)])
        later = incidents.select(incidents.time >= np.datetime64(first))
        edges = make_warning_panel(later, ["SHOOTING"], [], SQUARES, Timing(120, 0, 0, 0), JobContext()).panel.edges
        return set(edges.astype("datetime64[D]").astype(int).tolist())

    assert find_begins("2024-01-04") < find_begins("2024-01-01")


def test_nothing_is_read_from_the_moment_on_that_is_asked_for() -> None:
    rows = [(300.0, "2024-01-10T12:00", 0), (300.0, "2024-01-20T12:00", 0), (300.0, "2024-01-20T11:59:59", 0)]
    until = np.datetime64("2024-01-20T12:00")
    made = make_warning_panel(
        make_incidents(rows), ["SHOOTING"], [], SQUARES, Timing(12, 0, 0, 0), JobContext(), until=until
    )
    assert made.panel.edges[-1] == until
    assert made.events.incidents.time.max() == np.datetime64("2024-01-20T11:59:59")
    early = make_warning_panel(
        make_incidents(rows).before(until), ["SHOOTING"], [], SQUARES, Timing(12, 0, 0, 0), JobContext(), until=until
    )
    assert np.array_equal(early.panel.counts, made.panel.counts)
    assert np.array_equal(early.panel.extras.channels, made.panel.extras.channels)


def test_the_last_day_is_whole_unless_more_of_it_is_missing_than_any_recent_gap() -> None:
    whole = make_incidents([(300.0, "2024-01-10T12:00", 0)])
    part = whole.before(np.datetime64("2024-01-31T19:00"))
    ends = [
        make_warning_panel(each, ["SHOOTING"], [], SQUARES, Timing(24, 0, 0, 0), JobContext()).panel.edges[-1]
        for each in (whole, part)
    ]
    assert [str(end)[:10] for end in ends] == ["2024-02-01", "2024-01-31"]


def test_the_city_has_every_incident_also_one_without_a_place() -> None:
    incidents = make_incidents([(float("nan"), "2024-01-10T12:00", 0), (9e5, "2024-01-11T12:00", 0)])
    city = make_city(incidents, "EPSG:32618")
    made = make_warning_panel(incidents, ["SHOOTING"], [], city, Timing(), JobContext())
    assert city.ids == ("city",)
    assert made.panel.counts.sum() == 2


def test_a_column_may_say_which_unit() -> None:
    rows = [(300.0, "2024-01-10T12:00", 0), (1700.0, "2024-01-11T12:00", 0)]
    incidents = make_incidents(rows)
    unit = np.full(len(incidents), 1)
    unit[1] = -1
    panel = make_warning_panel(incidents, ["SHOOTING"], [], SQUARES, Timing(), JobContext(), unit).panel
    assert panel.counts.sum(axis=0).tolist() == [0, 1]


def test_an_address_makes_one_event_of_rows_that_were_placed_apart() -> None:
    rows = [(300.0, "2024-01-10T12:00", 0), (310.0, "2024-01-10T12:00", 0)]
    incidents = make_incidents(rows)
    place = np.full(len(incidents), -1)
    place[:2] = 0
    made = make_warning_panel(incidents, ["SHOOTING"], [], SQUARES, Timing(), JobContext(), place=place)
    assert made.events.victims.tolist() == [2]


def test_a_week_without_anything_was_not_recorded() -> None:
    incidents = make_incidents([(300.0, "2024-01-10T12:00", 0)])
    lost = (incidents.time >= np.datetime64("2024-01-15")) & (incidents.time < np.datetime64("2024-01-22"))
    made = make_warning_panel(incidents.select(~lost), ["SHOOTING"], [], SQUARES, Timing(), JobContext())
    assert np.flatnonzero(~made.panel.observed).tolist() == list(range(14, 21))
    assert any("Mon 15 – Sun 21 Jan 2024" in note for note in made.notes)


def test_a_category_that_is_not_there_is_refused_and_the_nearest_proposed() -> None:
    incidents = make_incidents([(300.0, "2024-01-10T12:00", 0)])
    with pytest.raises(DataError, match="No incident has category SHOTING") as refused:
        make_warning_panel(incidents, ["SHOTING"], [], SQUARES, Timing(), JobContext())
    assert refused.value.parameter == "targets"
    assert "Perhaps SHOOTING is meant" in str(refused.value)
    with pytest.raises(DataError) as refused:
        make_warning_panel(incidents, ["SHOOTING"], ["Assault"], SQUARES, Timing(), JobContext())
    assert refused.value.parameter == "similar"


@pytest.mark.parametrize(
    ("exactness", "timing", "parameter"),
    [
        ("day", Timing(12), "window"),
        ("month", Timing(168), "window"),
        ("day", Timing(24, 6), "begin"),
        ("day", Timing(24, 0, 6), "lead"),
        ("day", Timing(168, 24, 0, 12), "delay"),
    ],
)
def test_windows_finer_than_the_times_are_refused(exactness: str, timing: Timing, parameter: str) -> None:
    incidents = make_incidents([(300.0, "2024-01-10T12:00", 0)])
    incidents.exactness = exactness
    with pytest.raises(ParameterError, match=parameter.upper()) as refused:
        make_warning_panel(incidents, ["SHOOTING"], [], SQUARES, timing, JobContext())
    assert refused.value.parameter == parameter


def test_incidents_that_fill_no_two_windows_are_refused() -> None:
    short = make_incidents([(300.0, "2024-01-02T12:00", 0)]).before(np.datetime64("2024-01-14"))
    with pytest.raises(DataError, match="do not fill two windows of 168 hours"):
        make_warning_panel(short, ["SHOOTING"], [], SQUARES, Timing(168), JobContext())
