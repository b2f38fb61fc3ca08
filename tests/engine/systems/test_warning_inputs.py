"""What a tool of warnings reads, and what it says of times that are none, victims, clocks and categories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from kit.contexts import Recorder

from riskengine.contract.tools.warning import Warn
from riskengine.contract.warnings import Timing
from riskengine.ground.errors import DataError
from riskengine.jobs.models import model_of
from riskengine.maps.unitlayer import UnitRows, write_units
from riskengine.systems.warning.inputs import WarningInputs, read_warning_inputs
from riskengine.systems.warning.moments import Moment

#: Two districts of Baltimore in UTM zone 18 north, and a larceny in the first every hour of March 2024.
ZONE, X, Y = "EPSG:32618", 360_000.0, 4_350_000.0
NAMES = ["SHOOTING", "HOMICIDE", "AGG. ASSAULT", "LARCENY", "NARCOTICS"]
NEVER = np.iinfo(np.int64).min
Row = tuple[str, int]


def write(folder: Path, rows: list[Row], last: str = "2024-04-01", **more: Any) -> None:
    """Rows of time (empty: none) and category in the second district, and the larcenies."""
    every = np.arange("2024-03-01", last, dtype="datetime64[h]").astype("datetime64[s]").astype(np.int64)
    given = [np.datetime64(time, "s").astype(np.int64) if time else NEVER for time, _ in rows]
    count = len(rows) + len(every)
    arrays = {
        "x": np.r_[np.full(len(rows), X + 1500), np.full(len(every), X + 500)],
        "y": np.full(count, Y + 500),
        "fid": np.arange(count),
        "time": np.r_[np.array(given, dtype=np.int64), every + 17 * 60],
        "category": np.array([code for _, code in rows] + [3] * len(every), dtype=np.int32),
        "categories": np.array(NAMES),
        "exactness": np.array("minute"),
    }
    np.savez(folder / "incidents.npz", **(arrays | more))
    squares = shapely.box([X, X + 1000], Y, [X + 1000, X + 2000], Y + 1000)
    write_units(folder / "areas.npz", UnitRows(["west", "east"], ["West", "East"], squares, np.arange(2)))


def read(folder: Path, timing: Timing, areas: bool = True, **asked: Any) -> tuple[WarningInputs, Recorder]:
    parameters = model_of(Warn).model_validate(
        {
            "incidents": str(folder / "incidents.npz"),
            "areas": str(folder / "areas.npz") if areas else None,
            "crs": ZONE,
            "model": "none.crimemodel",
        }
    )
    context = Recorder()
    wanted = {"targets": ["shooting", "HOMICIDE"], "similar": ["AGG. ASSAULT"]} | asked
    return read_warning_inputs(parameters, **wanted, timing=timing, context=context), context


DAY = Timing(24, 0, 0, 0)


def say(folder: Path, timing: Timing = DAY, areas: bool = True) -> str:
    return "\n".join(read(folder, timing, areas)[0].notes)


#: A shooting a day, at times that follow each other, for every trap that needs enough events to be silent otherwise.
USUAL: list[Row] = [
    (f"2024-03-{day:02}T{(7 * day + 3 * k) % 24:02}:{(11 * day + 17 * k) % 59 + 1:02}", k % 2)
    for day in range(1, 31)
    for k in range(4)
] + [("2024-03-02T12:01", 2)]


def test_what_is_usual_is_read_in_silence(tmp_path: Path) -> None:
    write(tmp_path, USUAL)
    read_in, context = read(tmp_path, Timing(24, 0, 0, 0))
    counts = read_in.warning.panel.counts
    assert (counts[:30].sum(axis=1) == 4).all()
    assert counts[:, 0].sum() == 0
    assert [note for note in read_in.notes if "patrols" not in note] == []
    assert any("2 areas, 31 days: Mar 2024" in line for line in context.messages)
    # 10 March 2024 had 23 hours in Baltimore.
    assert any(
        line.startswith("Clocks change: 1 window of 24 hours is an hour shorter than") for line in context.messages
    )


def test_the_whole_city_is_one_area_where_there_are_no_areas(tmp_path: Path) -> None:
    write(tmp_path, USUAL)
    read_in, context = read(tmp_path, Timing(12, 6, 0, 0), areas=False)
    assert read_in.warning.panel.counts.sum() == 120
    assert any("The whole city, 61 windows of 12 hours" in line for line in context.messages)


def test_victims_are_one_event_and_exact_duplicates_are_kept(tmp_path: Path) -> None:
    write(tmp_path, [*USUAL, *[("2024-03-05T21:04", 0)] * 3, ("2024-03-05T21:04", 1)])
    said = say(tmp_path)
    assert "124 rows are 121 events" in said
    assert "up to 4 of them" in said
    assert "2 of 124 rows have the same time, place and category as another: taken for further victims" in said


def test_an_address_says_what_one_event_is(tmp_path: Path) -> None:
    write(tmp_path, USUAL)
    with np.load(tmp_path / "incidents.npz") as file:
        arrays = dict(file)
    code = np.full(len(arrays["x"]), -1, dtype=np.int32)
    code[:2] = 0
    arrays["time"][1] = arrays["time"][0]
    arrays["x"][1] += 90.0
    np.savez(tmp_path / "incidents.npz", **arrays, place=code, places=np.array(["2700 HARLEM AV"]))
    assert "120 rows are 119 events" in say(tmp_path)


def test_rows_to_warn_of_without_a_time_are_counted_apart(tmp_path: Path) -> None:
    write(tmp_path, [*USUAL, ("", 0), ("", 1), ("", 3)])
    read_in, context = read(tmp_path, Timing(24, 0, 0, 0))
    assert len(read_in.refusals) == 3
    assert any(
        "2 of 122 rows are left out of those to warn of (2 x no time given)" in line for line in context.messages
    )


def test_midnight_that_stands_for_an_unknown_time_is_said_where_windows_see_it(tmp_path: Path) -> None:
    write(tmp_path, [*USUAL, *[(f"2024-03-{day:02}", 0) for day in range(1, 29)]])
    assert "19% of the rows are set to exactly midnight" in say(tmp_path, Timing(2, 0, 0, 0))
    assert "the window of 24 hours of the day before that has midnight in it" in say(tmp_path, Timing(24, 6, 0, 0))
    assert "midnight" not in say(tmp_path, Timing(24, 0, 0, 0))


def test_nothing_is_said_of_what_is_not_known_when_the_warning_is_made(tmp_path: Path) -> None:
    """Rows of after the moment that happened at midnight, and of categories of which nothing was known then."""
    write(tmp_path, [(f"2024-03-{day:02}T10:13", 0) for day in range(1, 21)] + [("2024-03-25", 0)] * 20)
    now = np.datetime64("2024-03-22T00", "s")
    moment = Moment(now, np.datetime64("2024-04-01T00", "s"), now, now)
    early, _ = read(tmp_path, Timing(12, 0, 0, 0), find_moment=lambda _: moment)
    late, _ = read(tmp_path, Timing(12, 0, 0, 0))
    assert any("exactly midnight" in note for note in late.notes)
    assert not any("midnight" in note or "same time" in note for note in early.notes)


def test_a_hole_after_midnight_is_said(tmp_path: Path) -> None:
    around = [
        (f"2024-03-{day:02}T{clock}:{minute:02}", 0)
        for day in range(1, 29)
        for clock, minute in (("23", 41 + day % 17), ("00", 20 + day % 19))
    ]
    write(tmp_path, [*USUAL, *around])
    assert "in the first 20 minutes after midnight, where about" in say(tmp_path, Timing(2, 0, 0, 0))
    write(tmp_path, [*USUAL, *around, *[(f"2024-03-{day:02}T00:{day % 19 + 1:02}", 0) for day in range(1, 29)]])
    assert "after midnight" not in say(tmp_path, Timing(2, 0, 0, 0))


def test_times_rounded_to_the_hour_are_said_where_windows_are_of_hours(tmp_path: Path) -> None:
    write(tmp_path, [(f"{time[:14]}00" if number % 2 else time, code) for number, (time, code) in enumerate(USUAL)])
    assert "of the times are at a full hour, where 2 % would be by chance" in say(tmp_path, Timing(2, 0, 0, 0))
    assert "full hour" not in say(tmp_path)


def test_a_start_and_an_end_in_different_windows_are_said(tmp_path: Path) -> None:
    write(tmp_path, USUAL)
    with np.load(tmp_path / "incidents.npz") as file:
        arrays = dict(file)
    end = np.full(len(arrays["x"]), NEVER)
    end[:30] = arrays["time"][:30] + 86_400
    end[30] = arrays["time"][30]
    np.savez(tmp_path / "incidents.npz", **arrays, end=end)
    said = say(tmp_path)
    assert "30 of 120 rows have a start and an end that lie in different windows of 24 hours" in said
    assert "Choose longer windows" in said


def test_hours_that_summer_time_skips_or_doubles_are_counted_by_window(tmp_path: Path) -> None:
    write(tmp_path, USUAL, last="2024-12-01")
    _, context = read(tmp_path, Timing(2, 0, 0, 0))
    assert any(
        "1 window of 2 hours is an hour shorter and 1 window of 2 hours is an hour longer than the clock says (time"
        " zone America/New_York" in line
        for line in context.messages
    )


def test_too_few_events_are_said_with_the_number_that_would_do(tmp_path: Path) -> None:
    write(tmp_path, USUAL[:10])
    said = say(tmp_path)
    assert "There are 10 events in 31 windows: too few" in said
    assert "at this rate 186 windows" in said


def test_what_police_find_themselves_is_named(tmp_path: Path) -> None:
    write(tmp_path, [*USUAL, ("2024-03-03T10:10", 4)])
    assert "NARCOTICS" in say(tmp_path)
    assert "found by patrols" in say(tmp_path)
    write(tmp_path, USUAL)
    assert "patrols" not in say(tmp_path)


def test_a_wrong_year_is_said_and_makes_no_windows(tmp_path: Path) -> None:
    write(tmp_path, [*USUAL, ("1924-03-03T10:10", 0)])
    read_in, _ = read(tmp_path, Timing(24, 0, 0, 0))
    assert len(read_in.warning.panel) == 31
    assert any("far from all others in time (the first on Mon 3 Mar 1924, 10:10)" in note for note in read_in.notes)


def test_rows_in_no_area_are_refused_and_said(tmp_path: Path) -> None:
    write(tmp_path, USUAL)
    with np.load(tmp_path / "incidents.npz") as file:
        arrays = dict(file)
    arrays["x"][0] += 50_000
    np.savez(tmp_path / "incidents.npz", **arrays)
    read_in, context = read(tmp_path, Timing(24, 0, 0, 0))
    assert [(each.fid, each.reason) for each in read_in.refusals] == [(0, "in no area")]
    assert any("1 of 120 rows lies in no area, and is not counted" in line for line in context.messages)
    arrays["x"][:120] += 50_000
    np.savez(tmp_path / "incidents.npz", **arrays)
    with pytest.raises(DataError, match="None of the incidents of the categories to warn of lies in one of the areas"):
        read(tmp_path, Timing(24, 0, 0, 0))


def test_a_misspelt_category_is_refused_with_the_one_that_was_meant(tmp_path: Path) -> None:
    write(tmp_path, USUAL)
    with pytest.raises(DataError, match="Perhaps HOMICIDE is meant"):
        read(tmp_path, Timing(24, 0, 0, 0), targets=["HOMICIDES"])
