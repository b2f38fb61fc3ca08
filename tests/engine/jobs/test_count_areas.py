"""Counts by area: what is counted where and when, and that all that is wrong is counted, named and not lost."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from kit.contexts import Recorder
from kit.incidents import make_incidents
from rasterio.warp import transform

from riskengine.contract import tags
from riskengine.ground.errors import DataError, FormatError, ParameterError
from riskengine.intake.incidents import Incidents, NamedAreas, write_exchange
from riskengine.jobs import run_job
from riskengine.maps.panel import Panel
from riskengine.maps.panelfile import read_categories, read_panel, read_tags
from riskengine.maps.segments import Segments
from riskengine.maps.unitlayer import UnitRows, write_units

CRS = "EPSG:27700"


def layer_of(rows: Sequence[tuple[str, shapely.Geometry | None]], names: Sequence[str] | None = None) -> UnitRows:
    ids = [name for name, _ in rows]
    shapes = np.array([shape for _, shape in rows], dtype=object)
    return UnitRows(ids, list(names or ids), shapes, np.arange(1, len(ids) + 1), "beats")


#: Two beats of a kilometre, side by side.
BEATS = (("W", shapely.box(0, 0, 1000, 1000)), ("E", shapely.box(1000, 0, 2000, 1000)))


def at(*rows: tuple[float, float, str], **more: Any) -> Incidents:
    x, y, time = zip(*rows, strict=True)
    return make_incidents(x, y, np.array(time, dtype="datetime64[s]"), **more)


class Ran:
    """What a run gave: the job's result, the panel, and what was said."""

    def __init__(self, result: dict[str, Any], said: Recorder, path: Path) -> None:
        self.result, self.said, self.path = result, said, path
        self.panel: Panel = read_panel(path)

    def by_month(self) -> dict[str, list[int]]:
        """Counts of each bin by its first month."""
        months = self.panel.edges[:-1].astype("datetime64[M]").astype(str)
        return dict(zip(months, self.panel.counts.tolist(), strict=True))


@pytest.fixture
def count(tmp_path: Path) -> Any:
    """`count(incidents, layer)`: run the job; more parameters by their names."""

    def run(
        incidents: Incidents,
        layer: UnitRows | Sequence[tuple[str, Any]] | None = BEATS,
        column: Sequence[str] | None = None,
        output: str = "out.gpkg",
        **parameters: Any,
    ) -> Ran:
        named = None
        if column is not None:
            names = sorted(set(column) - {""})
            codes = [names.index(each) if each else -1 for each in column]
            named = NamedAreas(np.array(codes, dtype=np.int32), names)
        write_exchange(tmp_path / "incidents.npz", incidents, named)
        if layer is not None:
            write_units(tmp_path / "areas.npz", layer if isinstance(layer, UnitRows) else layer_of(layer))
            parameters["areas"] = str(tmp_path / "areas.npz")
        said = Recorder()
        given = {"incidents": str(tmp_path / "incidents.npz"), "crs": CRS, "output": str(tmp_path / output)}
        return Ran(run_job("count_areas", {**given, **parameters}, said), said, tmp_path / output)

    return run


SPRING = at(
    (500, 500, "2024-01-10T12:00"),
    (1500, 500, "2024-01-20T13:00"),
    (1600, 500, "2024-02-03T09:30"),
    (1700, 500, "2024-03-31T23:59"),
)


def test_incidents_are_counted_by_month_and_area(count: Any) -> None:
    ran = count(SPRING, bin_unit="months")
    assert ran.panel.support.ids == ("W", "E")
    assert ran.by_month() == {"2024-01": [1, 1], "2024-02": [0, 1], "2024-03": [0, 1]}
    assert (ran.result["counted"], ran.result["areas"], ran.result["bins"]) == (4, 2, 3)
    assert "2 areas (beats; 2.0 km²), 3 months: Jan – Mar 2024." in ran.said.messages


def test_names_and_what_it_was_made_from_stand_in_the_file(count: Any) -> None:
    ran = count(SPRING, layer_of(BEATS, ["West", ""]), bin_unit="months", source="reports", delay=2)
    assert ran.panel.support.names == ("West", "E")
    assert (ran.panel.source, ran.panel.delay) == ("reports", 2)
    assert read_tags(ran.path)[tags.UNITS] == "beats"


@pytest.mark.parametrize(
    ("unit", "length", "first", "bins"),
    [
        ("hours", 12, "2024-01-10T00", 164),
        ("days", 1, "2024-01-10", 82),
        ("weeks", 2, "2024-01-08", 6),
        ("quarters", 1, "2024-01-01", 1),
    ],
)
def test_bins_of_every_unit(count: Any, unit: str, length: int, first: str, bins: int) -> None:
    panel = count(SPRING, bin_unit=unit, bin_length=length).panel
    assert panel.edges[0] == np.datetime64(first)
    assert len(panel) == bins
    assert panel.counts.sum() == 4


def test_quarters_begin_in_january(count: Any) -> None:
    panel = count(at((5, 5, "2023-11-30"), (5, 5, "2024-05-01")), bin_unit="quarters").panel
    assert panel.edges.astype("datetime64[D]").astype(str).tolist() == [
        *("2023-10-01", "2024-01-01", "2024-04-01", "2024-07-01")
    ]
    assert panel.bin == "3 months"


def test_bins_are_chosen_by_how_long_the_incidents_last(count: Any) -> None:
    ran = count(SPRING)
    assert ran.panel.bin == "1 weeks"
    assert ran.said.messages[0].startswith("Time bin: weeks, chosen automatically since the incidents are of")
    assert count(at((5, 5, "2021-01-01T03:00"), (5, 5, "2024-01-01T04:00"))).panel.bin == "1 months"


def test_bins_finer_than_the_times_are_refused(count: Any) -> None:
    months = at((5, 5, "2024-01-01"), (5, 5, "2024-02-01"))
    with pytest.raises(ParameterError, match="BIN_UNIT with bins of 1 weeks is finer than they are"):
        count(months, bin_unit="weeks")


def test_start_end_and_categories_leave_out_what_is_counted_as_left_out(count: Any) -> None:
    mixed = at(
        *((500, 500, f"2024-0{month}-10") for month in (1, 2, 3, 4)),
        category=[0, 0, 1, 0],
        categories=["Theft", "Arson"],
    )
    ran = count(mixed, bin_unit="months", categories=["THEFT"], start="2024-02-01T00:00:00")
    assert ran.by_month() == {"2024-02": [1, 0], "2024-03": [0, 0], "2024-04": [1, 0]}
    assert (ran.result["counted"], ran.result["left_out"]) == (2, 2)
    assert "1 of 3 incidents lies before START or from END on, and is not counted." in ran.said.messages
    assert not [each for each in count(mixed, bin_unit="months").said.messages if "before START" in each]


def test_each_category_has_a_column_and_none_is_lost(count: Any) -> None:
    mixed = at(
        *((500, 500, "2024-01-10") for _ in range(5)), category=[0, 1, 0, -1, 2], categories=["Theft", "Bin", "THEFT"]
    )
    ran = count(mixed, bin_unit="months")
    kept = {name: int(each.sum()) for name, each in read_categories(ran.path, ran.panel).items()}
    assert kept == {"Theft": 3, "Bin 2": 1, "(no category)": 1}
    meta, _, _, _ = pyogrio.raw.read(ran.path, layer="counts_by_area")
    assert {"incidents", "Theft", "Bin 2", "(no category)"} <= set(meta["fields"].tolist())


def test_many_categories_share_a_column(count: Any) -> None:
    number = 60
    many = at(
        *((500, 500, "2024-01-10") for _ in range(number + 40)),
        category=[*range(number), *range(40)],
        categories=[f"kind {each:02}" for each in range(number)],
    )
    ran = count(many, bin_unit="months")
    kept = {name: int(each.sum()) for name, each in read_categories(ran.path, ran.panel).items()}
    assert len(kept) == 41
    assert kept["kind 00"] == 2
    assert kept["(other)"] == 20
    assert any("There are 60 categories; the 40 most frequent have a column each" in line for line in ran.said.warnings)


def test_every_fault_of_a_layer_is_named(count: Any) -> None:
    bow_tie = shapely.Polygon([(0, 2000), (900, 2900), (900, 2000), (0, 2900)])
    rows = [
        *BEATS,
        ("X", bow_tie),
        ("W", shapely.box(0, 1000, 1000, 1500)),
        ("O", shapely.box(1900, 0, 3000, 1000)),
        ("", shapely.box(4000, 0, 5000, 1000)),
        ("none", None),
        ("S", shapely.box(6000, 0, 6000.1, 900)),
    ]
    ran = count(SPRING, rows, bin_unit="months", start="2024-01-01T00:00:00")
    assert ran.said.lines[:6] == [
        "warning: 1 area has no id: feature 6.",
        "warning: 1 area was invalid and is repaired, as where a border crosses itself: X.",
        "warning: 1 area has no polygon and is left out: none.",
        "warning: 1 id stands on several rows, which are one area: W.",
        "warning: 1 area is a sliver, thin and tiny: S.",
        "warning: 1 pair of areas overlaps: E and O. An incident in both counts in the one that comes first.",
    ]
    assert "4 of 6 areas never had an incident: X, O, feature 6, S." in ran.said.messages
    assert ran.result["never"] == 4


def test_borders_and_places_outside_are_counted_and_refused(count: Any) -> None:
    ran = count(
        at(
            (1000, 500, "2024-01-10T11:00"),
            (500, 500, "2024-01-11T11:00"),
            (9999, 0, "2024-01-12T11:00"),
            fid=[7, 8, 9],
        ),
        bin_unit="months",
    )
    assert ran.by_month() == {"2024-01": [2, 0]}
    assert ran.result["refusals"] == [[9, "in no area"]]
    assert (ran.result["counted"], ran.result["without_area"], ran.result["refused"]) == (2, 1, 1)
    assert (
        "1 of 3 incidents lies on a border or where areas overlap, and counts once, in the one that comes first in the"
        " layer." in ran.said.messages
    )


def test_a_column_decides_and_what_disagrees_is_said(count: Any) -> None:
    places = at(*((500, 500, f"2024-01-1{day}T10:00") for day in range(5)), (9999, 9, "2024-01-15T10:00"))
    ran = count(places, layer_of(BEATS), ["W", " E", "Q7", "", "W", "E"], bin_unit="months")
    assert ran.by_month() == {"2024-01": [2, 2]}
    assert [reason for _, reason in ran.result["refusals"]] == [
        "its area column names no area",
        "its area column is empty",
    ]
    assert ran.result["disagreeing"] == pytest.approx(100 / 3)
    assert ran.said.warnings[:2] == [
        "1 of 6 incidents names an area that the layer does not have: Q7.",
        "1 of 3 incidents lies in another area than its column says (33.3%; the first names E and lies in W). The"
        " column decides: published places are often moved.",
    ]
    assert "1 incident lies in no area, and counts where its column says." in ran.said.messages


def test_codes_that_are_numbers_meet_whatever_their_columns_type(count: Any) -> None:
    """A column of numbers says 12.0 where the ids of the areas say 12."""
    rows = [("12", BEATS[0][1]), ("13", BEATS[1][1])]
    ran = count(at((5, 5, "2024-01-10"), (1500, 5, "2024-01-11")), rows, ["12.0", "13.0"], bin_unit="months")
    assert ran.by_month() == {"2024-01": [1, 1]}
    assert ran.result["disagreeing"] == 0


def test_a_column_of_other_codes_is_refused_with_both(count: Any) -> None:
    with pytest.raises(
        DataError, match=r"No incident names one of the 2 areas: incidents name X1, and the ids are W, E"
    ):
        count(at((5, 5, "2024-01-10")), BEATS, ["X1"], bin_unit="months")


def test_areas_elsewhere_are_refused(count: Any) -> None:
    with pytest.raises(DataError, match="None of the 1 incident belongs to one of the 2 areas"):
        count(at((5e5, 5e5, "2024-01-10")), bin_unit="months")


def test_lines_take_the_incidents_near_them(count: Any) -> None:
    streets = [("a", shapely.LineString([(0, 0), (100, 0)])), ("b", shapely.LineString([(100, 0), (100, 100)]))]
    ran = count(
        at((50, 9, "2024-01-10"), (100, -9, "2024-01-10"), (99, 80, "2024-01-11"), (0, 80, "2024-01-12")),
        streets,
        bin_unit="days",
        tolerance=20,
    )
    assert isinstance(ran.panel.support, Segments)
    assert ran.panel.counts.tolist() == [[2, 0], [0, 1], [0, 0]]
    assert ran.result["refusals"] == [[3, "farther than 20 m from every line"]]
    assert any(line.startswith("1 of 4 incidents is equally near to several segments") for line in ran.said.messages)
    assert any(line.startswith("2 segments (beats; 0.2 km)") for line in ran.said.messages)


def test_squares_and_hexagons_cover_the_incidents_hull(count: Any) -> None:
    random = np.random.default_rng(0)
    crowd = at(*((x, y, "2024-01-10T10:30") for x, y in random.uniform(0, 3000, (300, 2)).tolist()))
    for units in ("squares", "hexagons"):
        ran = count(crowd, None, units=units, size=500, bin_unit="months")
        assert ran.panel.counts.sum() == 300
        assert ran.panel.area.startswith("hull ratio=0.1")
        assert read_tags(ran.path)[tags.UNITS] == f"{units} of 500 m"
    city = [{"type": "Polygon", "coordinates": [[(0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0)]]}]
    ran = count(crowd, None, units="squares", size=500, polygons=city, bin_unit="months")
    assert ran.panel.support.ids == ("x0y0", "x1y0", "x0y1", "x1y1")
    assert ran.result["counted"] + ran.result["without_area"] == 300


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "areas is empty. Choose a layer of polygons or lines, or other units"),
        ({"units": "hexagons"}, "size is empty. Say how large they are, in metres"),
    ],
)
def test_what_is_missing_is_said(count: Any, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        count(SPRING, None, **parameters)


def make_city(months: Sequence[str], each: int = 40) -> Incidents:
    """So many incidents in every one of these months, all in the west."""
    times = [f"{month}-{1 + number % 28:02}T10:{number % 60:02}" for month in months for number in range(each)]
    return at(*((500, 500, time) for time in times))


def test_months_without_data_are_not_quiet_months(count: Any) -> None:
    """A whole city is never quiet for a month: what nobody recorded teaches nothing."""
    ran = count(make_city(["2023-11", "2023-12", "2024-03", "2024-04"]), bin_unit="months", end="2024-05-01T00:00:00")
    assert ran.panel.observed.tolist() == [True, True, False, False, True, True]
    assert ran.result["unobserved"] == 2
    assert (
        "2 bins have no incident at all, where others have many: Jan – Feb 2024. No data is no quiet: they are marked"
        " as not observed, and no forecast learns from them." in ran.said.warnings
    )


def test_quiet_bins_of_a_quiet_place_are_quiet(count: Any) -> None:
    ran = count(make_city(["2023-11", "2023-12", "2024-03"], each=3), bin_unit="months")
    assert ran.panel.observed.all()


def test_more_counts_than_a_panel_holds_are_refused(count: Any) -> None:
    crowd = at((0, 0, "2000-01-01T10:30"), (99_000, 99_000, "2019-12-31T10:30"))
    with pytest.raises(ParameterError, match=r"7,305 days are [\d,]+ counts; 100,000,000 are the most"):
        count(
            crowd,
            None,
            units="squares",
            size=500,
            bin_unit="days",
            polygons=[{"type": "Polygon", "coordinates": [[(0, 0), (99_000, 0), (99_000, 99_000), (0, 0)]]}],
        )


# Panels that are continued.


@pytest.fixture
def before(count: Any) -> Ran:
    """A panel of January and February."""
    ran: Ran = count(
        make_city(["2024-01", "2024-02"]), bin_unit="months", output="before.gpkg", delay=1, end="2024-03-01T00:00:00"
    )
    return ran


def test_new_months_follow(count: Any, before: Ran) -> None:
    ran = count(make_city(["2024-03", "2024-04"], 50), None, append_to=str(before.path), end="2024-05-01T00:00:00")
    assert ran.by_month() == {"2024-01": [40, 0], "2024-02": [40, 0], "2024-03": [50, 0], "2024-04": [50, 0]}
    assert ran.panel.delay == 1
    assert read_tags(ran.path)[tags.UNITS] == "beats"
    assert not [line for line in ran.said.messages if "anew" in line]
    assert "The panel goes on with 2 months, Mar – Apr 2024: 100 incidents." in ran.said.messages


def test_months_that_are_there_again_are_counted_anew_and_said(count: Any, before: Ran) -> None:
    ran = count(make_city(["2024-02", "2024-03"], 45), append_to=str(before.path), end="2024-04-01T00:00:00")
    assert ran.by_month() == {"2024-01": [40, 0], "2024-02": [45, 0], "2024-03": [45, 0]}
    assert "1 bin is counted anew: Feb 2024 45 instead of 40." in ran.said.messages


def test_a_month_that_lost_incidents_is_a_warning(count: Any, before: Ran) -> None:
    ran = count(make_city(["2024-02", "2024-03"], 20), append_to=str(before.path), end="2024-04-01T00:00:00")
    assert (
        "1 bin is counted anew: Feb 2024 20 instead of 40. Incidents are missing in this layer that the panel had: set"
        " START to leave such bins as they are." in ran.said.warnings
    )


def test_a_month_left_out_between_them_has_no_data(count: Any, before: Ran) -> None:
    ran = count(make_city(["2024-05"]), append_to=str(before.path), end="2024-06-01T00:00:00")
    assert ran.panel.observed.tolist() == [True, True, False, False, True]


def test_incidents_older_than_the_panel_are_said(count: Any, before: Ran) -> None:
    ran = count(make_city(["2023-12", "2024-03"]), append_to=str(before.path), end="2024-04-01T00:00:00")
    assert ran.panel.counts.sum() == 120
    assert (
        "40 incidents are older than the panel, which begins on Mon 1 Jan 2024, and are not counted."
        in ran.said.warnings
    )


def test_categories_of_both_have_columns(count: Any) -> None:
    old = at((5, 5, "2024-01-10"), (5, 5, "2024-01-11"), category=[0, 1], categories=["Theft", "Arson"])
    new = at((5, 5, "2024-02-10"), (5, 5, "2024-02-11"), category=[0, 1], categories=["Theft", "Fraud"])
    path = count(old, bin_unit="months", output="before.gpkg").path
    ran = count(new, None, append_to=str(path))
    kept = {name: each.toarray()[:, 0].tolist() for name, each in read_categories(ran.path, ran.panel).items()}
    assert kept == {"Arson": [1, 0], "Theft": [1, 1], "Fraud": [0, 1]}
    assert ran.panel.categories == ["Arson", "Fraud", "Theft"]


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ([BEATS[0], ("N", BEATS[1][1])], "1 area of the panel alone: E; 1 area of the layer alone: N"),
        ([BEATS[0], ("E", shapely.box(1000, 0, 2000, 900))], "1 area of another shape or place: E"),
        ([("E", BEATS[0][1]), ("W", BEATS[1][1])], "2 areas of another shape or place: W, E"),
    ],
)
def test_other_areas_are_refused_with_their_names(count: Any, before: Ran, layer: Any, said: str) -> None:
    with pytest.raises(DataError, match=f"The areas are not those of the panel: {said}. Leave the areas empty"):
        count(make_city(["2024-03"]), layer, append_to=str(before.path))


def test_other_bins_are_refused(count: Any, before: Ran) -> None:
    with pytest.raises(ParameterError, match="bins asked for are of 1 week, and those of the panel of 1 month"):
        count(make_city(["2024-03"]), append_to=str(before.path), bin_unit="weeks")


def test_other_tiles_are_refused(count: Any, before: Ran) -> None:
    with pytest.raises(
        ParameterError, match="The areas asked for are squares of 500 m, and those of the panel are beats"
    ):
        count(make_city(["2024-03"]), None, append_to=str(before.path), units="squares", size=500)


def test_an_incomplete_quarter_is_said_by_its_months(count: Any) -> None:
    ran = count(at((5, 5, "2024-01-01"), (5, 5, "2024-04-01")), bin_unit="quarters")
    assert ran.said.warnings[0].startswith(
        "The last bin, Apr – Jun 2024, looks incomplete: the last incident is of Apr 2024. Set END to 2024-04-01"
    )


def test_a_file_that_is_no_panel_is_not_continued(count: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.gpkg"
    other.write_text("no database")
    with pytest.raises(FormatError, match="Make it with Count incidents by area"):
        count(SPRING, append_to=str(other))


def test_incidents_in_another_crs_are_brought_to_that_of_the_panel(count: Any, before: Ran) -> None:
    x, y = transform(CRS, "EPSG:32630", [500.0] * 3, [500.0] * 3)
    moved = at(*zip(x, y, [f"2024-03-0{day}T10:00" for day in (1, 2, 3)], strict=True))
    ran = count(moved, None, append_to=str(before.path), crs="EPSG:32630", end="2024-04-01T00:00:00")
    assert ran.by_month()["2024-03"] == [3, 0]


def test_london_by_month_and_lsoa(count: Any, data_folder: Path) -> None:
    """211,536 burglaries: place and column disagree for one in eighteen, and every one is accounted for."""
    with (data_folder / "london" / "burglary_2019-01_2022-04.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["Longitude"]]
    places = ([float(row[name]) for row in rows] for name in ("Longitude", "Latitude"))
    x, y = transform("EPSG:4326", CRS, *places)
    incidents = make_incidents(x, y, np.array([row["Month"] for row in rows], dtype="datetime64[M]"))
    meta, _, packed, columns = pyogrio.raw.read(data_folder / "london" / "geo" / "LSOA_2011_London_gen_MHW.shp")
    codes = columns[meta["fields"].tolist().index("LSOA11CD")]
    layer = UnitRows(codes.tolist(), codes.tolist(), shapely.from_wkb(packed), np.arange(len(codes)))
    by_place = count(incidents, layer)
    assert by_place.panel.counts.shape == (40, 4835)
    assert by_place.result["counted"] + by_place.result["without_area"] == len(rows) == 209_335
    by_column = count(incidents, layer, [row["LSOA code"] for row in rows])
    assert by_column.result["disagreeing"] == pytest.approx(5.6, abs=0.05)
    assert by_column.result["counted"] + by_column.result["without_area"] == 209_335


def test_months_that_the_new_layer_has_nothing_of_stay_as_they_were(count: Any, before: Ran) -> None:
    ran = count(make_city(["2024-01", "2024-03"], 41), None, append_to=str(before.path), end="2024-04-01T00:00:00")
    assert ran.by_month() == {"2024-01": [41, 0], "2024-02": [40, 0], "2024-03": [41, 0]}


def test_baltimore_by_day_and_street_segment(count: Any, data_folder: Path) -> None:
    """35,358 segments by day for a year are 13 million counts, of which few are rows; no incident is lost."""
    with (data_folder / "baltimore" / "bpd_part1_2011_2016.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["lon"] and row["datetime"].startswith("2015")]
    x, y = transform("EPSG:4326", "EPSG:32618", *([float(row[name]) for row in rows] for name in ("lon", "lat")))
    incidents = make_incidents(x, y, np.array([row["datetime"] for row in rows], dtype="datetime64[s]"))
    _, fids, packed, _ = pyogrio.raw.read(
        data_folder / "streets" / "baltimore_streets.gpkg", columns=[], return_fids=True
    )
    lines = shapely.from_wkb(packed)
    moved = np.column_stack(transform("EPSG:4326", "EPSG:32618", *shapely.get_coordinates(lines).T))
    ids = [str(fid) for fid in fids]
    streets = UnitRows(ids, ids, shapely.set_coordinates(lines, moved), fids)
    ran = count(incidents, streets, crs="EPSG:32618", bin_unit="days", end="2016-01-01T00:00:00")
    assert ran.panel.counts.shape == (365, 35_358)
    assert ran.panel.counts.sum() == ran.result["counted"]
    assert ran.result["counted"] + ran.result["without_area"] == len(rows)
    assert ran.result["without_area"] / len(rows) == pytest.approx(0.022, abs=0.003)
    assert ran.path.stat().st_size < 15e6
