"""The rasterize job counts what it was asked to count: period, categories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.incidents import make_incidents, write_incidents

from riskengine.ground.errors import DataError, OutputError, ParameterError
from riskengine.jobs import run_job
from riskengine.jobs.rasterize import choose_file_name
from riskengine.maps.heatmaps import read_heatmaps


@pytest.fixture
def job(tmp_path: Path) -> Any:
    """Runs the job on an incident every noon of January 2024, of categories in two spellings."""
    days = np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]")
    time = days.astype("datetime64[s]") + np.timedelta64(12, "h")
    count = len(time)
    place = np.linspace(0.0, 1000.0, count)
    path = tmp_path / "incidents.npz"
    write_incidents(path, make_incidents(place, place, time, np.arange(count) % 2, ["Theft", "THEFT"]))

    def run(**parameters: Any) -> tuple[dict[str, Any], list[str]]:
        context = Recorder()
        result = run_job(
            "rasterize",
            {"incidents": str(path), "output": str(tmp_path / "out.tif"), "crs": "EPSG:32631", **parameters},
            context,
        )
        assert read_heatmaps(tmp_path / "out.tif").counts.sum() == result["counted"]
        return result, context.messages

    return run


def test_period_is_half_open_also_within_a_bin(job: Any) -> None:
    result, said = job(bin_unit="weeks", start="2024-01-10T00:00:00", end="2024-01-12T12:00:00")
    assert (result["counted"], result["left_out"]) == (2, 29)
    assert sum("is incomplete" in line for line in said) == 2


def test_period_on_bin_edges_says_nothing(job: Any) -> None:
    result, said = job(start="2024-01-10T00:00:00", end="2024-01-12T00:00:00")
    assert (result["counted"], result["bins"]) == (2, 2)
    assert not any("is incomplete" in line for line in said)


def _incomplete(said: list[str]) -> list[str]:
    return [line for line in said if "looks incomplete" in line]


def test_an_incomplete_last_week_is_said(job: Any) -> None:
    """The incidents end on Wednesday noon, January 31; the first week begins with them, on a Monday."""
    (line,) = _incomplete(job(bin_unit="weeks")[1])
    assert line == (
        "The last map, Mon 29 Jan – Sun 4 Feb 2024, looks incomplete: the last incident is of"
        " Wed 31 Jan 2024, 12:00. Set END to 2024-01-29T00:00:00 so that it is not scored or forecast from; if the"
        " records do reach its end, set END to 2024-02-05T00:00:00."
    )
    for end, bins in (("2024-01-29T00:00:00", 4), ("2024-02-05T00:00:00", 5)):
        result, said = job(bin_unit="weeks", end=end)
        assert result["bins"] == bins
        assert not any("incomplete" in line for line in said)


def test_an_incomplete_first_map_is_said(tmp_path: Path, job: Any) -> None:
    days = np.arange("2024-01-17", "2024-04-01", dtype="datetime64[D]").astype("datetime64[s]")
    place = np.linspace(0.0, 1000.0, len(days))
    path = tmp_path / "from january 17.npz"
    write_incidents(path, make_incidents(place, place, days))
    (line,) = _incomplete(job(incidents=str(path), bin_unit="months")[1])
    assert line.startswith(
        "The first map, Jan 2024, looks incomplete: the first incident is of Wed 17 Jan 2024. Set START"
    )
    assert "Set START to 2024-02-01T00:00:00 so that nothing is learned from it" in line
    result, said = job(incidents=str(path), bin_unit="months", start="2024-02-01T00:00:00")
    assert result["bins"] == 2
    assert not any("incomplete" in line for line in said)


def test_complete_maps_days_and_months_only_say_nothing(tmp_path: Path, job: Any) -> None:
    assert not _incomplete(job(bin_unit="months")[1]), "31 days of January"
    assert not _incomplete(job(bin_unit="days", bin_length=2)[1])
    time = np.array(["2024-01", "2024-02", "2024-03"], dtype="datetime64[M]").astype("datetime64[s]")
    place = np.linspace(0.0, 1000.0, 3)
    path = tmp_path / "months.npz"
    write_incidents(path, make_incidents(place, place, time))
    assert not _incomplete(job(incidents=str(path), bin_unit="months")[1]), "the day of the last month is not known"


def test_a_rare_category_does_not_make_the_last_map_incomplete(tmp_path: Path, job: Any) -> None:
    """That the others go on shows that the records do."""
    time = np.array(["2024-01-01", "2024-01-23", "2024-01-28"], dtype="datetime64[s]")
    place = np.linspace(0.0, 1000.0, 3)
    path = tmp_path / "rare.npz"
    write_incidents(path, make_incidents(place, place, time, [0, 0, 1], ["arson", "theft"]))
    assert not _incomplete(job(incidents=str(path), bin_unit="weeks", categories=["arson"])[1])


def test_empty_period_is_refused(job: Any) -> None:
    with pytest.raises(DataError, match="No incident lies in the period from Fri 1 Mar 2024 to Mon 1 Apr 2024"):
        job(start="2024-03-01T00:00:00", end="2024-04-01T00:00:00")


def square(west: float, south: float, side: float = 1000.0) -> dict[str, Any]:
    east, north = west + side, south + side
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


@pytest.mark.parametrize(
    ("elsewhere", "what"),
    [
        ({"polygons": [square(50_000, 0)], "extent": (50_000, 0, 51_000, 1000)}, "polygons"),
        ({"extent": (50_000, 0, 51_000, 1000)}, "extent"),
    ],
)
def test_an_area_elsewhere_is_no_quiet_area(job: Any, tmp_path: Path, elsewhere: dict[str, Any], what: str) -> None:
    with pytest.raises(DataError, match=f"None of the 31 incidents lies inside the {what}. Choose .* overlap"):
        job(**elsewhere, cell_size=500)
    assert not (tmp_path / "out.tif").exists()


def test_a_quiet_day_in_the_right_area_is_an_answer(job: Any) -> None:
    """The first half of the month lies in the west, the second in the east."""
    result, said = job(
        polygons=[square(0, 0, 300)],
        extent=(0, 0, 300, 300),
        cell_size=100,
        start="2024-01-25T00:00:00",
        end="2024-01-26T00:00:00",
    )
    assert result["counted"] == 0
    assert any("lie outside the grid" in line for line in said)


def test_categories_in_any_case_are_one(job: Any) -> None:
    assert job(categories=["theft"])[0]["counted"] == 31


def test_the_stack_names_the_categories_that_a_filter_left(tmp_path: Path, job: Any) -> None:
    """Both spellings are one; a category that no incident has is not named."""
    job()
    assert read_heatmaps(tmp_path / "out.tif").categories == ["Theft"]
    job(categories=["theft"])
    assert read_heatmaps(tmp_path / "out.tif").categories == ["theft"], "as it was asked for"


@pytest.mark.parametrize(
    ("code", "names", "expected"),
    [
        ([1, 0, 1], ["robbery", "arson", "drugs"], ["arson", "robbery"]),
        ([-1, -1, -1], [], []),
        ([0, 1, -1], ["robbery", "arson"], ["(no category)", "arson", "robbery"]),
        ([0, 1, 1], ["robbery", "two\nlines"], []),
        (list(range(40)), [f"offence {number:02}" for number in range(40)], None),
        (list(range(41)), [f"offence {number:02}" for number in range(41)], []),
    ],
)
def test_categories_are_named_where_they_stand_for_all_incidents(
    tmp_path: Path, job: Any, code: list[int], names: list[str], expected: list[str] | None
) -> None:
    count = len(code)
    place, time = np.linspace(0.0, 1000.0, count), np.full(count, np.datetime64("2024-01-01", "s"))
    path = tmp_path / "named.npz"
    write_incidents(path, make_incidents(place, place, time, code, names))
    job(incidents=str(path))
    assert read_heatmaps(tmp_path / "out.tif").categories == (names if expected is None else expected)


def test_unknown_category_lists_the_known(job: Any) -> None:
    with pytest.raises(DataError, match="Choose from: THEFT, Theft"):
        job(categories=["arson"])


@pytest.fixture
def mixed(tmp_path: Path) -> Any:
    """Runs the job, one stack a category, on six categories with awkward names and one incident without any."""
    names = ["Theft", "THEFT", "Robo/asalto: á pie?", "con", "..", "Arson "]
    count = 4 * len(names) + 1
    time = np.datetime64("2024-01-01T12:00:00", "s") + np.arange(count) * np.timedelta64(6, "h")
    place = np.linspace(0.0, 1000.0, count)
    category = np.r_[np.repeat(np.arange(len(names)), 4), -1]
    path = tmp_path / "incidents.npz"
    write_incidents(path, make_incidents(place, place, time, category, names))

    def run(**parameters: Any) -> dict[str, Any]:
        given = {"incidents": str(path), "output": str(tmp_path / "all.tif"), "crs": "EPSG:32631"}
        return run_job("rasterize", {**given, "per_category": str(tmp_path / "stacks"), **parameters}, said)

    said = Recorder()
    run.said = said  # type: ignore[attr-defined]
    return run


def test_one_stack_a_category(mixed: Any, tmp_path: Path) -> None:
    result = mixed(cell_size=100)
    written = {entry["category"]: entry for entry in result["categories"]}
    assert {name: entry["file"] for name, entry in written.items()} == {
        "(no category)": "(no category).tif",
        "..": "_.tif",
        "Arson ": "Arson.tif",
        "Robo/asalto: á pie?": "Robo_asalto_ á pie_.tif",
        "Theft": "Theft.tif",
        "con": "_con.tif",
    }
    assert sorted(file.name for file in (tmp_path / "stacks").iterdir()) == sorted(
        entry["file"] for entry in written.values()
    )
    assert written["Theft"]["counted"] == 8, "spellings that differ in case are one category"
    total = read_heatmaps(tmp_path / "all.tif")
    assert total.counts.sum() == 25
    stacks = [read_heatmaps(tmp_path / "stacks" / entry["file"]) for entry in written.values()]
    assert sum(int(stack.counts.sum()) for stack in stacks) == 25, "every incident is in one of them"
    for (name, entry), stack in zip(written.items(), stacks, strict=True):
        assert stack.categories == [name]
        assert (stack.counts.sum(), stack.counts.max()) == (entry["counted"], entry["highest"])
        assert stack.grid == total.grid
        assert np.array_equal(stack.edges, total.edges)


def test_incidents_without_a_category_have_a_stack_and_it_is_said(mixed: Any) -> None:
    mixed(cell_size=100, binary=True)
    said = "incidents has no category: it is in the stack (no category).tif."
    assert f"1 of 25 {said}" in mixed.said.messages
    mixed.said.entries.clear()
    mixed(cell_size=100, categories=["theft"])
    assert not any("no category" in line for line in mixed.said.messages)
    assert "17 of 25 incidents have another category, or none, and are not counted." in mixed.said.messages
    mixed.said.entries.clear()
    # The incident without a category is the last and easternmost.
    mixed(cell_size=100, extent=(0, 0, 500, 500))
    assert not any(said in line for line in mixed.said.messages), "only those counted are spoken of"


def test_incidents_without_a_category_can_be_chosen(mixed: Any, tmp_path: Path) -> None:
    result = mixed(categories=["(No category)"], cell_size=100)
    assert [(entry["category"], entry["counted"]) for entry in result["categories"]] == [("(no category)", 1)]
    assert result["counted"] == 1


def test_a_category_of_that_very_name_is_counted_with_those_that_have_none(tmp_path: Path) -> None:
    path = tmp_path / "named.npz"
    place, time = np.linspace(0.0, 1000.0, 4), np.full(4, np.datetime64("2024-01-01", "s"))
    write_incidents(path, make_incidents(place, place, time, [0, 1, -1, -1], ["theft", "(No category)"]))
    said = Recorder()
    given = {"incidents": str(path), "output": str(tmp_path / "all.tif"), "crs": "EPSG:32631"}
    result = run_job("rasterize", {**given, "per_category": str(tmp_path / "stacks")}, said)
    assert {entry["category"]: entry["counted"] for entry in result["categories"]} == {"(No category)": 3, "theft": 1}
    assert "1 incident has the category '(no category)': it is counted with the 2 that have none." in said.warnings


def test_names_that_would_meet_in_one_file() -> None:
    taken: set[str] = set()
    assert [choose_file_name(name, taken) for name in ("a/b", "a:b", "A?B", "x" * 200)] == [
        *("a_b.tif", "a_b 2.tif", "A_B 3.tif"),
        "x" * 80 + ".tif",
    ]


def test_only_the_wanted_categories(mixed: Any, tmp_path: Path) -> None:
    result = mixed(categories=["theft", "CON"])
    assert [entry["category"] for entry in result["categories"]] == ["Theft", "con"]
    assert result["counted"] == 12


def test_categories_that_cannot_be_written_apart(job: Any, tmp_path: Path) -> None:
    time = np.full(101, np.datetime64("2024-01-01", "s"))
    place = np.linspace(0.0, 1000.0, 101)
    path = tmp_path / "many.npz"
    names = [f"offence {number}" for number in range(101)]
    write_incidents(path, make_incidents(place, place, time, np.arange(101), names))
    with pytest.raises(ParameterError, match="The incidents have 101 categories; one stack each is written"):
        job(incidents=str(path), per_category=str(tmp_path / "stacks"))
    write_incidents(path, make_incidents(place, place, time))
    with pytest.raises(DataError, match="No incident has a category"):
        job(incidents=str(path), per_category=str(tmp_path / "stacks"))
    assert not (tmp_path / "stacks").exists()
    with pytest.raises(OutputError, match="does not exist"):
        job(per_category=str(tmp_path / "no" / "stacks"))


def test_bins_of_hours_begin_at_midnight(job: Any, tmp_path: Path) -> None:
    """Hour-of-day aware: six-hour maps start at 0, 6, 12 and 18 o'clock, whenever the first incident was."""
    days = np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]").astype("datetime64[s]")
    time = days + np.timedelta64(12, "h") + np.arange(31) * np.timedelta64(61, "s")
    place = np.linspace(0.0, 1000.0, 31)
    path = tmp_path / "about noon.npz"
    write_incidents(path, make_incidents(place, place, time))
    result, _ = job(incidents=str(path), bin_unit="hours", bin_length=6)
    assert result["edges"][:3] == ["2024-01-01T00:00:00", "2024-01-01T06:00:00", "2024-01-01T12:00:00"]
    assert result["bins"] == 30 * 4 + 3
