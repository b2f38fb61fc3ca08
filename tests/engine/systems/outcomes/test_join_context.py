"""Join context: incidents and tables of few rows, whose joins are counted by hand, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from kit.contexts import Recorder
from kit.tables import read_table

from riskengine.ground.errors import CrimeRiskError, DataError, ParameterError
from riskengine.ground.tables import Chunk, write_table
from riskengine.jobs import run_job

#: Four incidents: a day apart, at an hour of its own each, the last without key and place.
WHEN = np.array(["2018-03-01T06:30", "2018-03-02T07:59", "2018-03-03T23:00", "2018-03-04T00:10"], dtype="datetime64[s]")
FIELDS = {"when": "datetime", "CommunityArea": "real", "Ward": "real", "tmax": "text"}
AREAS = np.array([24.0, 8.0, 24.0, np.nan])
PLACES = np.array([0.5, 1.5, 9.0, np.nan]), np.array([0.5, 0.5, 9.0, np.nan])

Join = Callable[..., tuple[dict[str, list[Any]], dict[str, Any], Recorder]]


@pytest.fixture
def join(tmp_path: Path) -> Join:
    """`join(context, **parameters)`: columns of the incidents with context, what the job returns, and what was said.

    A text is written to a file as it is, bytes too.
    """
    incidents = tmp_path / "incidents.gpkg"
    ward = np.array([1.0, 2.0, 3.0, 4.0])
    rows = Chunk([WHEN, AREAS, ward, ["a", "b", None, "d"]], *PLACES)
    write_table(incidents, FIELDS, [rows], "point", "EPSG:4326")

    def join(context: str | bytes | Path, **parameters: Any) -> tuple[dict[str, list[Any]], dict[str, Any], Recorder]:
        given: dict[str, Any] = {"incidents": str(incidents), "output": str(tmp_path / "joined.gpkg")}
        if isinstance(context, Path):
            given["table"] = str(context)
        else:
            file = tmp_path / "context.csv"
            file.write_bytes(context if isinstance(context, bytes) else context.encode())
            given["file"] = str(file)
        said = Recorder()
        result = run_job("join_context", {**given, **parameters}, said)
        made = read_table(given["output"])
        # No incident is lost, none is moved, and what they had they have.
        assert made["Ward"] == ward.tolist()
        assert made["tmax"] == ["a", "b", None, "d"]
        assert result["joined"] + result["without"] == len(WHEN)
        return made, result, said

    return join


@pytest.fixture
def areas(tmp_path: Path) -> Path:
    """Two squares side by side that share a strip, one far away, and one that crosses itself, in another CRS."""
    squares = [shapely.box(0, 0, 1.2, 1), shapely.box(1, 0, 2, 1), shapely.box(50, 50, 51, 51)]
    bow = shapely.Polygon([(70, 0), (71, 1), (71, 0), (70, 1)])
    path = tmp_path / "areas.gpkg"
    moved = [shapely.transform(each, lambda place: place * 111319.49079327358) for each in (*squares, bow)]
    names = np.array(["WEST", "EAST", "FAR", "BOW"], dtype=object)
    written = shapely.to_wkb(np.array(moved, dtype=object))
    # Close to the equator these metres are degrees.
    pyogrio.raw.write(path, written, [names], ["name"], geometry_type="Polygon", crs="EPSG:3857")
    return path


def text_of(said: Recorder) -> str:
    return "\n".join(f"{level}: {message}" for level, message in said.entries)


def test_weather_of_a_day_with_the_shape_of_the_older_file(join: Join) -> None:
    # CR line ends, years of two digits, the date once more in parts, blanks at the end of a name.
    lines = [
        b"date,month,day,year,maxTemp,minTemp ",
        b"2/28/18,2,28,2018,60,20",
        b"3/1/18,3,1,2018,30,10",
        b"3/2/18,3,2,2018,31,",
        b"3/4/18,3,4,2018,95,14",
        b"3/5/18,3,5,2018,30,15",
    ]
    made, result, said = join(b"\r".join(lines), prefix="w_")
    assert made["w_maxTemp"] == [30.0, 31.0, None, 95.0]
    assert made["w_minTemp"] == [10.0, None, None, 14.0]
    assert "w_month" not in made
    assert (result["joined"], result["without"], result["added"]) == (3, 1, 2)
    log = text_of(said)
    assert "Joined by date: date = when. 3 of 4 incidents have a row." in log
    assert "warning: 1 day has no row in the table, and the new fields of 1 incident are empty: Sat 3 Mar 2018." in log
    assert "2 days of the table have no incident." in log
    assert "month, day, year are left out: the date says as much." in log
    assert "maxTemp, minTemp are taken for °F (no air was ever 95 °C), and joined as they are" in log
    assert "the incident's own day (days until known: 0), which no forecast made before it knows" in log
    assert "w_minTemp in 33 % of these incidents" in log
    assert result["abstract"].startswith("Joined by date")
    assert "°F" in result["abstract"]


def test_weather_of_a_station_with_the_shape_of_ghcn(join: Join) -> None:
    rows = [
        '"STATION","DATE","PRCP","TMAX","WDF2","WT01","EMPTY"',
        '"USW1","2018-03-01","0.0","-1.5","  310","    1",',
        '"USW1","2018-03-02","1.2","3.0","  220",,',
        '"USW1","2018-03-03","-9999","12.4","   90",,',
        '"USW1","2018-03-04","0.3","36.1","   10",,',
    ]
    made, _, said = join("\r\n".join(rows))
    assert made["WDF2"] == [310.0, 220.0, 90.0, 10.0]
    assert made["PRCP"] == [0.0, 1.2, None, 0.3]
    assert made["WT01"] == [1.0, None, None, None]
    # The layer had a field of that name: it keeps it, and the new one has another.
    assert made["TMAX_2"] == [-1.5, 3.0, 12.4, 36.1]
    log = text_of(said)
    assert "STATION is left out: the same in every row." in log
    assert "EMPTY is left out: empty in every row." in log
    assert "PRCP: 1 row holds -9999, which stands for no value." in log
    assert "TMAX is taken for °C (the highest is 36.1), and joined as they are" in log


def test_a_delay_joins_the_day_before(join: Join) -> None:
    table = "day,rain\n2018-02-28,1\n2018-03-01,2\n2018-03-02,3\n2018-03-03,4\n2018-03-04,5\n"
    assert join(table)[0]["rain"] == [2.0, 3.0, 4.0, 5.0]
    made, result, said = join(table, delay=1)
    assert made["rain"] == [1.0, 2.0, 3.0, 4.0]
    assert "those of 1 day before the incident" in text_of(said)
    assert "1 day before" in result["abstract"]
    made, _, said = join(table, delay=3)
    assert made["rain"] == [None, None, 1.0, 2.0]
    assert "2 days have no row in the table" in text_of(said)
    assert "Mon 26 Feb 2018 – Tue 27 Feb 2018" in text_of(said)


def test_by_hour_where_the_table_has_hours(join: Join) -> None:
    table = (
        "date,hour,wind\n2018-03-01,6,10\n2018-03-01,7,20\n2018-03-02,7,30\n2018-03-03,23,40\n2018-03-04,0,50\n"
        "2018-02-28,6,60\n"
    )
    made, result, said = join(table)
    assert made["wind"] == [10.0, 30.0, 40.0, 50.0]
    assert result["way"] == "by hour: date with hour = when"
    assert join(table, delay=1)[0]["wind"] == [60.0, 20.0, None, None]
    # By date the hours of a day are averaged, and that is said.
    made, _, said = join(table, joined="date")
    assert made["wind"] == [15.0, 30.0, 40.0, 50.0]
    assert "info: The table has times of day: the rows of a day are averaged" in text_of(said)


def test_a_table_without_hours_is_not_joined_by_hour(join: Join) -> None:
    with pytest.raises(ParameterError, match=r"The table: day holds no time of day\. Name the column of the hour"):
        join("day,rain\n2018-03-01,1\n2018-03-02,2\n", joined="hour")


def test_census_by_key_with_a_row_for_the_whole_city(join: Join) -> None:
    table = (
        "Community Area Number,COMMUNITY AREA NAME,PER CAPITA INCOME ,CODE\n"
        '024,West Town,"43,198",07\n8,Near North Side,"88,669",11\n99,Nowhere,"1,000",12\n,CHICAGO,"28,202",\n'
    )
    made, result, said = join(table)
    assert made["PER CAPITA INCOME"] == [43198.0, 88669.0, 43198.0, None]
    assert made["COMMUNITY AREA NAME"] == ["West Town", "Near North Side", "West Town", None]
    # A number with a zero before it is a code, which stays one.
    assert made["CODE"] == ["07", "11", "07", None]
    assert result["way"] == "by key: Community Area Number = CommunityArea"
    log = text_of(said)
    assert "1 of 4 rows has no key and is left out: CHICAGO." in log
    assert "1 key of the table has no incident: 99." in log
    assert "warning: 1 of 4 incidents has no CommunityArea; its new fields are empty." in log


def test_areas_that_the_table_lacks_are_named_with_their_incidents(join: Join) -> None:
    made, result, said = join(
        "Community Area,score\n8,5\n9,6\n", key_field="CommunityArea", key_column="community area"
    )
    assert made["score"] == [None, 5.0, None, None]
    assert result["without"] == 3
    assert "2 of 4 incidents have a CommunityArea of which the table has no row, 24 (2 times)" in text_of(said)


def test_by_location_in_polygons_of_another_crs(join: Join, areas: Path) -> None:
    made, result, said = join(areas)
    assert made["name"] == ["WEST", "EAST", None, None]
    assert result["joined"] == 2
    log = text_of(said)
    assert "warning: 1 of 4 rows has an invalid polygon, which is repaired." in log
    assert "warning: 1 of 4 incidents has no place; its new fields are empty." in log
    assert "warning: 1 of 4 incidents lies in no polygon; its new fields are empty." in log
    assert "2 polygons of the table have no incident: FAR, BOW." in log


def test_polygons_of_a_geojson_file_with_a_date_of_their_own(join: Join, tmp_path: Path) -> None:
    # The geometries of such a file have no name, and when an area was edited is no time of incidents.
    path = tmp_path / "areas.geojson"
    squares = shapely.to_wkb(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], dtype=object))
    fields = {"name": ["A", "B"], "edited": ["2018-03-01", "2018-03-02"]}
    columns = [np.array(values, dtype=object) for values in fields.values()]
    pyogrio.raw.write(path, squares, columns, list(fields), geometry_type="Polygon", crs="EPSG:4326")
    for given in ({}, {"table": None, "file": str(path)}):
        made, result, said = join(path, **given)
        assert made["name"] == ["A", "B", None, None]
        assert result["way"].startswith("by location")
        assert "areas.geojson: 2 rows, 2 columns." in text_of(said)


def test_one_date_of_a_whole_table_is_no_way_to_join(join: Join) -> None:
    made, result, said = join("community area,score,updated\n24,5,2018-03-01\n8,6,2018-03-01\n", delay=1)
    assert made["score"] == [5.0, 6.0, 5.0, None]
    assert result["way"] == "by key: community area = CommunityArea"
    assert "warning: DELAY is 1, but only values by date or hour are late: it is not used." in text_of(said)


def test_where_polygons_overlap_the_first_one_has_the_incident() -> None:
    from riskengine.systems.outcomes.context.matching import match_places

    polygons = np.array([shapely.box(0, 0, 2, 1), None, shapely.box(1, 0, 3, 1), shapely.box(0, 0, 9, 9)], dtype=object)
    x, y = np.array([1.5, 2.5, 3.0, 8.0, np.nan, 20.0, 1.5]), np.array([0.5, 0.5, 1.0, 8.0, np.nan, 0.5, 0.5])
    match, several = match_places(x, y, polygons)
    assert match.incident.tolist() == [0, 2, 2, 3, -1, -1, 0]
    assert several == 4


def test_points_in_polygons_agree_with_a_test_of_each_pair() -> None:
    from riskengine.systems.outcomes.context.matching import match_places

    random = np.random.default_rng(4)
    x, y = random.uniform(0, 10, (2, 600)).round(1)
    corners = random.uniform(0, 9, (40, 2))
    polygons = np.array([shapely.Point(*each).buffer(1 + number / 40) for number, each in enumerate(corners)])
    inside = shapely.intersects(polygons[None, :], shapely.points(x, y)[:, None])
    first = np.where(inside.any(axis=1), inside.argmax(axis=1), -1)
    match, several = match_places(x, y, polygons)
    assert match.incident.tolist() == first.tolist()
    assert several == int((inside.sum(axis=1) > 1).sum())


def test_several_rows_of_a_day_are_averaged_or_refused(join: Join) -> None:
    table = "day,rain,station\n2018-03-01,1,N\n2018-03-01,4,S\n2018-03-01,,W\n2018-03-02,7,N\n"
    made, _, said = join(table)
    assert made["rain"] == [2.5, 7.0, None, None]
    assert made["station"] == ["N", "N", None, None]
    assert "warning: 1 day has several rows in the table (3 of Thu 1 Mar 2018): numbers are averaged" in text_of(said)
    with pytest.raises(DataError, match=r"1 day has several rows in the table \(3 of Thu 1 Mar 2018\). Keep one"):
        join(table, repeated="refuse")


def test_chosen_columns_and_no_others(join: Join) -> None:
    made, result, _ = join("day,rain,snow\n2018-03-01,1,2\n2018-03-02,3,4\n", columns=["SNOW"])
    assert result["names"] == "snow"
    assert made["snow"] == [2.0, 4.0, None, None]
    with pytest.raises(ParameterError, match=r"The table has no column hail\. Choose from: day, rain, snow"):
        join("day,rain,snow\n2018-03-01,1,2\n", columns=["hail"])


@pytest.mark.parametrize(
    ("column", "written", "wanted", "joined"),
    [
        ("tempF", "50", "celsius", 10.0),
        ("tempF", "50", "same", 50.0),
        ("temp_c", "10", "fahrenheit", 50.0),
        ("tmpf", "50", "celsius", 10.0),
        ("TOBS (°C)", "10", "celsius", 10.0),
    ],
)
def test_a_name_that_says_its_unit_is_believed(
    join: Join, column: str, written: str, wanted: str, joined: float
) -> None:
    made, _, said = join(f"day,{column}\n2018-03-01,{written}\n2018-03-02,{written}\n", wanted=wanted)
    assert made[column][0] == joined
    assert f"{column} says so" in text_of(said)


def test_tenths_of_a_degree_become_degrees(join: Join) -> None:
    made, _, said = join("DATE,TMAX,TMIN\n2018-03-01,256,-189\n2018-03-02,300,17\n", prefix="w_")
    assert made["w_TMAX"][:2] == [25.6, 30.0]
    assert made["w_TMIN"][:2] == [-18.9, 1.7]
    assert "are taken for tenths of °C (values from -189 to 300 are no degrees), and joined in °C" in text_of(said)
    assert (
        join("DATE,TMAX\n2018-03-01,256\n2018-03-02,300\n", wanted="fahrenheit", prefix="w_")[0]["w_TMAX"][0] == 78.08
    )


def test_a_unit_that_was_said_is_not_guessed(join: Join) -> None:
    table = "DATE,TMAX\n2018-03-01,20\n2018-03-02,25\n"
    asked = {"prefix": "w_", "wanted": "celsius"}
    made, _, said = join(table, temperatures="tenths", **asked)
    assert made["w_TMAX"][:2] == [2.0, 2.5]
    # Whole numbers of two mild days may be either: it says so, and how to mend it.
    _, _, said = join(table, **asked)
    assert "warning: TMAX is taken for °C" in text_of(said)
    assert "choose TEMPERATURES if that is wrong" in text_of(said)


def test_where_nothing_tells_day_from_month_the_incidents_do(join: Join) -> None:
    made, _, said = join("day,rain\n3/1/18,1\n3/2/18,3\n3/4/18,5\n")
    assert made["rain"] == [1.0, 3.0, None, 5.0]
    assert "They were read month first, since 3 incidents have a row then, and 0 otherwise." in text_of(said)
    assert join("day,rain\n1/3/18,1\n2/3/18,3\n")[0]["rain"][:2] == [1.0, 3.0]
    with pytest.raises(DataError, match="None of the 4 incidents finds its row"):
        join("day,rain\n3/1/18,1\n3/2/18,3\n", table_order="dmy")


def test_dates_that_cannot_be_read_are_counted_on_either_side(join: Join) -> None:
    _, _, said = join("day,rain\n2018-03-01,1\n2018-03-02,3\nunknown,4\n2018-03-04,5\n2018-03-03,5\n")
    assert "warning: 1 of 5 rows has no date that can be read and is left out." in text_of(said)


def test_rows_of_another_width_are_left_out_and_named(join: Join) -> None:
    made, _, said = join("day,rain\n2018-03-01,1\n2018-03-02,3,9\n2018-03-04,5\n")
    assert made["rain"] == [1.0, None, None, 5.0]
    assert "1 of 3 rows has another number of fields than the header and is left out, on line 3" in text_of(said)


def test_no_row_for_any_incident_is_refused_with_both_spans(join: Join) -> None:
    table = "day,rain\n2001-03-01,1\n2001-03-02,3\n"
    with pytest.raises(DataError, match="None of the 4 incidents finds its row in the table by date: day = when"):
        join(table)


def test_nothing_in_common_is_refused_with_the_columns_of_both(join: Join) -> None:
    sentence = "No column of the incidents holds the keys of a column of the table; the incidents have when"
    with pytest.raises(ParameterError, match=sentence):
        join("species,legs\nbeetle,6\nspider,8\n")


def test_a_table_is_needed_and_only_one(join: Join, areas: Path) -> None:
    with pytest.raises(CrimeRiskError, match="table and file are empty"):
        join("", file=None)
    with pytest.raises(CrimeRiskError, match="Leave one of them empty"):
        join(areas, file="weather.csv")


def test_incidents_without_places_are_not_joined_by_location(join: Join, areas: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.gpkg"
    write_table(plain, {"when": "datetime"}, [Chunk([WHEN])])
    with pytest.raises(DataError, match=r"The incidents have no places\. Choose a point layer"):
        run_job("join_context", {"incidents": str(plain), "table": str(areas), "output": str(tmp_path / "out.gpkg")})
    assert not (tmp_path / "out.gpkg").exists()


def test_the_files_of_chicago_join_as_they_were_published(data_folder: Path, tmp_path: Path) -> None:
    chicago = data_folder / "chicago"
    if not (chicago / "weather_2001_2015.csv").exists():
        pytest.skip(f"no data of Chicago at {chicago}")
    incidents = tmp_path / "incidents.gpkg"
    when = np.array(["2015-02-01T10:00", "2015-02-18T10:00"], dtype="datetime64[s]")
    rows = Chunk([when, [35, 77]], np.array([-87.6178, -87.6601]), np.array([41.8349, 41.9836]))
    write_table(incidents, {"when": "datetime", "CommunityArea": "integer"}, [rows], "point", "EPSG:4326")
    given = {"incidents": str(incidents), "output": str(tmp_path / "joined.gpkg")}
    run_job("join_context", {**given, "file": str(chicago / "weather_2001_2015.csv")})
    assert read_table(given["output"])["maxTemp"][1] == 8.0
    run_job("join_context", {**given, "file": str(chicago / "census_community_areas.csv")})
    assert read_table(given["output"])["COMMUNITY AREA NAME"] == ["Douglas", "Edgewater"]
    run_job("join_context", {**given, "table": str(chicago / "community_areas.geojson")})
    assert read_table(given["output"])["name"] == ["DOUGLAS", "EDGEWATER"]
