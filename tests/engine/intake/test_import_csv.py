"""Importing police CSV files: whatever they look like, and nothing lost."""

from __future__ import annotations

import csv
import io
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.contexts import Recorder
from kit.tables import list_tables, read_table

from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled, DataError, FormatError, ParameterError
from riskengine.intake.importing import convert, make_field_names, narrow
from riskengine.jobs import run_job

HEAD = "lon,lat,when,kind,note"
ROWS = ["-99.15,19.44,2019-02-01 23:00,Daño,a", "-99.16,19.45,2019-02-02 01:30,Robo,b"]
BY_HAND = {"profile": "columns", "x": "lon", "y": "lat", "time": ["when"], "category": "kind"}
UK = "Crime ID,Month,Longitude,Latitude,Location,LSOA code,Crime type"


class Import:
    """One import, with everything it wrote and said."""

    def __init__(self, folder: Path, data: bytes | str, **parameters: Any) -> None:
        path = folder / "crimes été.csv"
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
        self.folder = folder / "parts"
        self.folder.mkdir(exist_ok=True)
        context = Recorder()
        refused = self.folder / "refused.gpkg"
        given = {"path": str(path), "folder": str(self.folder), "refused": str(refused), **parameters}
        self.result = run_job("import_csv", given, context)
        self.said = context.lines
        self.columns = read_table(self.result["output"])
        self.places = self.columns.pop("place")
        times = [time.removesuffix("Z") for time in self.columns["occurred"]]
        self.times = np.array(times, dtype="datetime64[s]").astype(str).tolist()
        left_out = read_table(refused)
        self.refused = list(zip(left_out["line"], left_out["reason"], left_out["row"], strict=True))


def lines(*rows: str, end: str = "\n") -> str:
    return end.join((HEAD, *rows)) + end


def test_a_plain_file(tmp_path: Path) -> None:
    done = Import(tmp_path, lines(*ROWS), **BY_HAND)
    assert done.places == [(-99.15, 19.44), (-99.16, 19.45)]
    assert done.times == ["2019-02-01T23:00:00", "2019-02-02T01:30:00"]
    assert done.columns["category"] == ["Daño", "Robo"]
    assert done.columns["note"] == ["a", "b"]
    result = done.result
    assert result["fields"] == [
        {"name": "occurred", "type": "datetime"},
        {"name": "category", "type": "text"},
        {"name": "note", "type": "text"},
    ]
    assert (result["rows"], result["imported"], result["refused"], result["reasons"]) == (2, 2, 0, {})
    assert (result["crs"], result["profile"], result["encoding"], result["delimiter"]) == (
        *("EPSG:4326", "columns", "utf-8", ","),
    )
    assert (result["first"], result["last"]) == ("2019-02-01T23:00:00", "2019-02-02T01:30:00")
    json.dumps(result)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_encoding_line_end_and_delimiter(tmp_path: Path, encoding: str, end: str, delimiter: str) -> None:
    text = lines(*ROWS, "-99.15,,2019-02-01,Robo,é", end=end).replace(",", delimiter)
    done = Import(tmp_path, text.encode(encoding), **BY_HAND)
    assert done.columns["category"] == ["Daño", "Robo"]
    assert done.refused == [(4, "no coordinates", delimiter.join(["-99.15", "", "2019-02-01", "Robo", "é"]))]
    assert done.result["delimiter"] == delimiter


def test_a_few_broken_bytes_do_not_spoil_the_accents(tmp_path: Path) -> None:
    data = lines(*(ROWS * 20)).encode() + b"-99.15,19.44,2019-02-01,Rob\xff,x\n"
    done = Import(tmp_path, data, **BY_HAND)
    assert done.columns["category"][0] == "Daño"
    assert "1 place of the file is not valid UTF-8 and was replaced" in done.result["notes"][0]


def test_nul_bytes_blank_lines_and_an_excel_line(tmp_path: Path) -> None:
    text = "sep=;\r\n" + lines("", ROWS[0].replace("a", "\0a"), "", ROWS[1], end="\r\n").replace(",", ";")
    done = Import(tmp_path, text, **BY_HAND)
    assert done.result["imported"] == 2
    assert done.columns["note"] == ["a", "b"]


def test_a_quoted_newline_keeps_line_numbers_true(tmp_path: Path) -> None:
    done = Import(tmp_path, lines('-99.15,19.44,2019-02-01,Robo,"one\ntwo, three"', ",,,,", *ROWS), **BY_HAND)
    assert done.columns["note"][0] == "one\ntwo, three"
    assert [row[0] for row in done.refused] == [4]


def test_a_refused_row_can_be_read_again(tmp_path: Path) -> None:
    bad = '-99.15,19.44,gestern,"Robo ""grave"", con arma","one\ntwo"'
    done = Import(tmp_path, lines(ROWS[0], bad), **BY_HAND)
    line, reason, row = done.refused[0]
    assert line == 3
    assert reason == "time not understood, expected one like 2019-02-01 23:00: 'gestern'"
    assert next(csv.reader(io.StringIO(row, newline=""))) == next(csv.reader(io.StringIO(bad, newline="")))


def test_decimal_commas(tmp_path: Path) -> None:
    done = Import(tmp_path, "lon;lat;when;kind\n-99,15;19,44;1.2.2019 14:30;Robo\n", **BY_HAND)
    assert done.places == [(-99.15, 19.44)]
    assert done.times == ["2019-02-01T14:30:00"]


REFUSED = {
    ",19.44,2019-02-01,k,": "no coordinates",
    "NULL,NaN,2019-02-01,k,": "no coordinates",
    "abc,19.44,2019-02-01,k,": "coordinates are not numbers",
    "inf,19.44,2019-02-01,k,": "coordinates are not numbers",
    "0,0,2019-02-01,k,": "coordinates are (0, 0)",
    "0.0,0.000,2019-02-01,k,": "coordinates are (0, 0)",
    "-0.0000024,0.0000012,2019-02-01,k,": "coordinates next to (0, 0)",
    "-1,-1,2019-02-01,k,": "coordinates (-1, -1)",
    "-99.15,0,2019-02-01,k,": "one coordinate is 0, far from the others",
    "0.00001,19.44,2019-02-01,k,": "one coordinate is 0, far from the others",
    "19.44,-99.15,2019-02-01,k,": "longitude and latitude look swapped",
    "500,19.44,2019-02-01,k,": "coordinates are no longitude and latitude",
    "-99.15,19.44,,k,": "no time given",
    "-99.15,19.44,2019-02-30,k,": "no such date",
    "-99.15,19.44,1549062000,k,": "a bare number is not taken for a time",
    "-99.15,19.44,2092-02-01,k,": "time lies in the future",
    "-99.15,19.44,2019-02-01": "wrong number of fields",
    "-99.15,19.44,2019-02-01,k,n,more": "wrong number of fields",
    ",,,,": "no coordinates",
}


def test_every_bad_row_is_refused_with_its_reason(tmp_path: Path) -> None:
    done = Import(tmp_path, lines(*REFUSED, *(ROWS * 15)), **BY_HAND)
    assert [(line, reason.split(": '")[0]) for line, reason, _ in done.refused] == list(enumerate(REFUSED.values(), 2))
    assert [row for _, _, row in done.refused] == list(REFUSED)
    assert done.result["imported"] == 30
    assert done.result["reasons"]["no coordinates"] == 3
    assert sum(done.result["reasons"].values()) == done.result["refused"] == len(REFUSED)
    warning = next(text for text in done.said if text.startswith("warning"))
    assert f"{len(REFUSED)} of {30 + len(REFUSED)} rows were refused: 3 x no coordinates" in warning
    assert "2 x one coordinate is 0, far from the others" in warning
    assert "one coordinate is 0, far from the others: '-99.15, 0'" in [reason for _, reason, _ in done.refused]


@pytest.mark.parametrize(
    ("city", "real", "placeholders"),
    [
        ("London", ["0,51.5", "0.00005,51.52", "-0.12,51.5"], ["0.0001,0.0002", "-1,-1", "0,0"]),
        ("Quito", ["-78.5,0", "-78.48,-0.18", "-78.5,0.00003"], ["0,-0.18", "0.004,-0.004"]),
        ("one row each", ["0,51.5", "0.3,51.2"], ["-1,-1"]),
    ],
)
def test_a_zero_among_the_others_is_a_place(
    city: str, real: list[str], placeholders: list[str], tmp_path: Path
) -> None:
    rows = [f"{place},2019-02-01,k,n" for place in (*real, *placeholders)]
    done = Import(tmp_path, lines(*rows), **BY_HAND)
    assert done.places == [tuple(map(float, place.split(","))) for place in real]


def test_placeholders_in_metres(tmp_path: Path) -> None:
    """In a projected CRS, too; where the city lies near the origin of its grid nothing can be told."""
    rows = ["485000,4397000", "486000,4398000", "-1,-1", "0,4397000", "485000,0.5", "0.2,-0.3"]
    text = lines(*[f"{place},2019-02-01,k,n" for place in rows])
    assert Import(tmp_path, text, crs="EPSG:32613", **BY_HAND).result["imported"] == 2
    local = lines(*[f"{place},2019-02-01,k,n" for place in ("0,40", "-1,-1", "90,0", "30,30")])
    assert Import(tmp_path, local, crs="EPSG:32613", **BY_HAND).result["imported"] == 4


def test_more_placeholders_than_places(tmp_path: Path) -> None:
    rows = [*ROWS, *["-1,-1,2019-02-01,k,n"] * 5, *["0,19.44,2019-02-01,k,n"] * 5]
    done = Import(tmp_path, lines(*rows), **BY_HAND)
    assert done.result["reasons"] == {"coordinates (-1, -1)": 5, "one coordinate is 0, far from the others": 5}


def test_empty_fields_too_many_do_not_matter(tmp_path: Path) -> None:
    assert Import(tmp_path, lines(ROWS[0] + ",,"), **BY_HAND).result["imported"] == 1


def uk(*rows: str) -> str:
    return "\n".join((UK, *rows)) + "\n"


def test_a_detected_profile_checks_its_area(tmp_path: Path) -> None:
    good = "x,2021-01,0.134,51.57,On or near Road,E01,Burglary"
    rows = [good] * 4 + ["x,2021-01,51.57,0.134,r,E01,Burglary", "x,2021-01,-91.69,36.62,r,E01,Burglary"]
    done = Import(tmp_path, uk(*rows))
    assert done.result["profile"] == "police_uk"
    assert done.result["reasons"] == {
        "longitude and latitude look swapped": 1,
        "outside the area of the profile": 1,
    }
    assert any("months only" in note for note in done.result["notes"])
    assert any("anonymised points" in note for note in done.result["notes"])
    assert "info: Format: England, Wales and Northern Ireland, street-level crime (data.police.uk)." in done.said
    assert [field["name"] for field in done.result["fields"]] == [
        *("occurred", "category", "Crime ID", "Location", "LSOA code"),
    ]


def test_swapped_columns_are_an_error_not_an_empty_layer(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"look swapped in 2 of 2 rows\. Swap the columns"):
        Import(tmp_path, uk(*["x,2021-01,51.57,0.134,r,E01,Burglary"] * 2))
    by_hand = BY_HAND | {"x": "lat", "y": "lon"}
    with pytest.raises(DataError, match="look swapped in 2 of 2 rows"):
        Import(tmp_path, lines(*ROWS), **by_hand)


def test_metres_taken_for_degrees_ask_for_the_crs(tmp_path: Path) -> None:
    text = "359192.3,570510.9,2016-01-01\n356347.3,576182.6,2016-01-03\n"
    by_hand: dict[str, Any] = {"profile": "columns", "x": "field_1", "y": "field_2", "time": "field_3"}
    with pytest.raises(DataError, match=r"no longitude and latitude.*coordinate reference system") as caught:
        Import(tmp_path, text, **by_hand)
    assert caught.value.parameter == "crs"
    done = Import(tmp_path, text, crs="EPSG:26971", **by_hand)
    assert done.result["imported"] == 2
    assert done.columns["category"] == [None, None]
    assert done.result["crs"] == "EPSG:26971"
    with pytest.raises(ParameterError, match=r"'EPSG:99999' is not known"):
        Import(tmp_path, text, crs="EPSG:99999", **by_hand)


def test_the_header_can_be_forced(tmp_path: Path) -> None:
    # Numbers as names: detected as no header, unless told otherwise.
    text = "1,2,3\n-99.15,19.44,2019-02-01\n"
    done = Import(tmp_path, text, profile="columns", x="1", y="2", time="3", header=True)
    assert done.result["rows"] == 1
    with pytest.raises(ParameterError, match="has no column '1' for x; its columns are field_1, field_2, field_3"):
        Import(tmp_path, text, profile="columns", x="1", y="2", time="3")


def test_time_from_two_columns_and_what_is_dropped(tmp_path: Path) -> None:
    text = "lon,lat,day,hour,kind\n-99.15,19.44,2019-02-01,23:00,k\n-99.15,19.44,2019-02-01,,k\n"
    done = Import(tmp_path, text, **BY_HAND | {"time": ["day", "hour"]})
    assert done.times == ["2019-02-01T23:00:00", "2019-02-01T00:00:00"]
    assert done.result["notes"] == ["1 of the incidents had no time of day and were set to midnight."]
    assert len(done.result["fields"]) == 2


def test_a_date_column_that_says_more_is_kept(tmp_path: Path) -> None:
    done = Import(tmp_path, lines("-99.15,19.44,2019-02-01T23:00:00+02:00,k,a"), **BY_HAND)
    assert done.columns["when"] == ["2019-02-01T23:00:00+02:00"]


def test_the_date_order_is_said_and_can_be_forced(tmp_path: Path) -> None:
    text = lines("-99.15,19.44,01/02/2019,k,a", "-99.15,19.44,25/02/2019,k,a")
    done = Import(tmp_path, text, **BY_HAND)
    assert done.times[0] == "2019-02-01T00:00:00"
    assert "info: Dates are read day first, as numbers above 12 show." in done.said
    forced = Import(tmp_path, text, **BY_HAND, date_order="mdy")
    assert forced.times == ["2019-01-02T00:00:00"]
    assert forced.result["refused"] == 1


def test_a_profile_decides_where_the_dates_do_not(tmp_path: Path) -> None:
    text = "Occurrence Date,Offense,Sector,Precinct,Latitude,Longitude\n01/02/2015,ROBBERY,B,25,40.8,-73.9\n"
    assert Import(tmp_path, text).times == ["2015-01-02T00:00:00"]


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["1", "-2", "", "30"], "integer", [1, -2, None, 30]),
        (["0", "9223372036854775807"], "integer", [0, 9223372036854775807]),
        (["1", "2.50", " 3 ", ".5", "1.5e-3"], "real", [1.0, 2.5, 3.0, 0.5, 0.0015]),
        (["007", "8"], "text", ["007", "8"]),
        (["9223372036854775808"], "text", ["9223372036854775808"]),
        (["1", "123456789012345678901"], "text", ["1", "123456789012345678901"]),
        (["5E2", "6E3"], "text", ["5E2", "6E3"]),
        (["true", "false", ""], "text", ["true", "false", None]),
        (["nan", "inf"], "text", ["nan", "inf"]),
        (["1_000"], "text", ["1_000"]),
        (["١٢"], "text", ["١٢"]),
        (["", " "], "empty", [None, None]),
    ],
)
def test_column_types_lose_nothing(texts: list[str], kind: str, values: list[Any]) -> None:
    assert narrow("empty", texts) == kind
    assert convert(kind, texts) == values


@given(st.lists(st.one_of(st.text(max_size=8), st.integers().map(str), st.floats().map(str)), max_size=8))
def test_whatever_type_is_chosen_can_hold_the_column(texts: list[str]) -> None:
    kind = narrow(narrow("empty", texts[:3]), texts[3:])
    values = convert(kind, texts)
    json.dumps(values, allow_nan=False)
    if kind == "integer":
        assert [text.strip().lstrip("+").replace("-0", "0") for text in texts if text.strip()] == [
            str(value) for value in values if value is not None
        ]


def test_output_names_are_unique_and_never_reserved(tmp_path: Path) -> None:
    header = ["FID", "Category", "occurred", "geom", "a", "A", "a_2", ""]
    names = make_field_names(header, range(len(header)))
    assert names[:4] == ["FID_2", "Category_2", "occurred_2", "geom_2"]
    assert len({name.casefold() for name in names}) == len(names)
    done = Import(tmp_path, "lon,lat,when,fid,kind,Note,note\n-99.15,19.44,2019-02-01,7,k,a,b\n", **BY_HAND)
    assert list(done.columns) == ["fid", "occurred", "category", "fid_2", "Note", "note_2"]
    assert any("fid is now fid_2, note is now note_2" in text for text in done.said)


def test_rows_keep_their_order_over_many_chunks(tmp_path: Path) -> None:
    rows = [f"-99.15,19.44,2019-02-01 23:00,k,{number}" for number in range(45_000)]
    done = Import(tmp_path, lines(*rows, *[",,,,"] * 7), **BY_HAND)
    assert done.columns["note"] == list(range(45_000))
    assert done.columns["fid"] == list(range(1, 45_001))
    assert [row[0] for row in done.refused] == list(range(45_002, 45_009))


def test_a_job_without_a_destination_writes_into_its_folder(tmp_path: Path) -> None:
    done = Import(tmp_path, lines(*ROWS), **BY_HAND)
    assert Path(done.result["output"]) == tmp_path / "parts" / "incidents.gpkg"
    named = Import(tmp_path, lines(*ROWS), **BY_HAND, output=str(tmp_path / "named.gpkg"))
    assert list_tables(named.result["output"]) == ["named"]


def test_a_missing_column_names_its_neighbours(tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match=r"no column 'longitude' for x; its columns are lon, lat.*Did you mean lon"
    ):
        Import(tmp_path, lines(*ROWS), **BY_HAND | {"x": "longitude"})
    with pytest.raises(ParameterError, match="No column is named for time"):
        Import(tmp_path, lines(*ROWS), **BY_HAND | {"time": [""]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"profile": "gotham"}, "no profile 'gotham'"),
        ({"profile": "chicago"}, "not in the format 'chicago'"),
        ({"encoding": "klingon"}, "Encoding 'klingon' is not known"),
        ({"encoding": "ascii"}, "is not written in ascii"),
        ({"delimiter": ";;"}, "not a single character"),
        ({"date_order": "ydm"}, "date_order"),
        ({"part_rows": 0}, "part_rows"),
        ({"time": ["a", "b", "c", "d", "e", "f"]}, "time"),
        ({"time": ["when", "kind", "note", "lon"]}, "the first holds no years. Name year, month, day"),
    ],
)
def test_wrong_parameters(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Import(tmp_path, lines(*ROWS), **BY_HAND | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (HEAD + "\n", "no rows below its header"),
        (lines(",,2019-02-01,k,a"), r"The only row of .* cannot be imported \(1 x no coordinates\).*Look at line 2"),
        (lines('-99.15,19.44,2019-02-01,k,"a') + "x" * (5 << 20), "from line 2 on"),
    ],
)
def test_files_without_incidents(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Import(tmp_path, text, **BY_HAND)


def test_a_broken_workbook(tmp_path: Path) -> None:
    data = b"PK\x03\x04" + np.random.default_rng(0).bytes(5000)
    with pytest.raises(FormatError, match=r"is broken.*Download"):
        Import(tmp_path, data, **BY_HAND)


def test_strays_far_from_the_city_are_refused_by_its_profile(tmp_path: Path) -> None:
    head = "Date,Latitude,Longitude,Block,PrimaryType,Description,Arrest,Domestic\n"
    row = "2018-01-01 00:00:00,{},b,THEFT,d,True,False\n"
    text = head + row.format("41.85,-87.7") * 3 + row.format("36.619446395,-91.686565684")
    done = Import(tmp_path, text)
    assert done.refused[0][:2] == (5, "outside the area of the profile: '-91.68656568, 36.61944639'")
    # Columns or a CRS given by hand take the place of the profile's, and then nothing is known of the area.
    assert Import(tmp_path, text, x="Longitude").result["imported"] == 4


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no file"):
        run_job("import_csv", {"path": str(tmp_path / "none.csv"), "folder": str(tmp_path), **BY_HAND})


def test_a_long_quoted_field_is_suspicious(tmp_path: Path) -> None:
    swallowed = '-99.15,19.44,2019-02-01,k,"' + "\n".join(ROWS * 30) + '"'
    done = Import(tmp_path, lines(swallowed, *ROWS), **BY_HAND)
    assert any("quotation mark may be missing" in text for text in done.said)


def test_cancel_leaves_no_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(lines(*(ROWS * 30_000)), encoding="utf-8")
    cancelled = threading.Event()

    def stop(share: float, text: str) -> None:
        if share > 0.6:
            cancelled.set()

    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "incidents.gpkg").write_text("what was there before", encoding="utf-8")
    with pytest.raises(Cancelled):
        run_job(
            "import_csv",
            {"path": str(path), "folder": str(folder), **BY_HAND},
            JobContext(on_progress=stop, cancelled=cancelled),
        )
    assert [(file.name, file.read_text(encoding="utf-8")) for file in folder.iterdir()] == [
        ("incidents.gpkg", "what was there before")
    ]


TEXT = st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\0\t\r\n")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(TEXT, max_size=12), max_size=6), min_size=1, max_size=8))
def test_no_row_is_ever_lost(tmp_path: Path, rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(row for row in rows if row)
    done = Import(tmp_path, lines(ROWS[0]) + buffer.getvalue(), **BY_HAND, encoding="utf-8", delimiter=",")
    assert done.result["imported"] + done.result["refused"] == done.result["rows"]
    # A line of nothing but NUL is an empty line; the writer quotes an empty field that stands alone.
    assert done.result["rows"] == 1 + sum(1 for row in rows if row and (row == [""] or ",".join(row).strip("\0")))


REAL = [
    ("mexico_city/fgj_carpetas_2019-02_2020-01.csv", 236_068, {}, "2019-02-01T00:00:00", "2020-01-31T23:59:00"),
    (
        *("baltimore/bpd_part1_2011_2016.csv", 275_364, {"no coordinates": 1639, "no time given": 108}),
        *("2011-01-01T00:00:00", "2016-09-17T23:45:00"),
    ),
    ("chicago/crimes_2018.csv", 156_385, {}, "2018-01-01T00:00:00", "2018-08-08T23:59:00"),
    ("chicago/crimes_2015_10k.csv", 9_837, {"no coordinates": 162}, "2015-01-23T08:30:30", "2015-02-08T23:43:40"),
    ("san_francisco/incidents_2012_h2.csv", 13_472, {}, "2012-07-01T00:00:00", "2012-12-31T00:00:00"),
    ("san_francisco/incidents_2017_07.csv", 8_964, {}, "2017-07-11T00:01:00", "2017-07-31T23:59:00"),
    ("new_york/crimes_2014_2015.csv", 191_580, {}, "2014-01-01T00:00:00", "2015-12-31T23:18:00"),
    (
        "london/burglary_2019-01_2022-04.csv",
        209_335,
        {"no coordinates": 2201},
        "2019-01-01T00:00:00",
        "2022-04-01T00:00:00",
    ),
    (
        "london/police_uk/2022-04-metropolitan-street.csv",
        3_896,
        {"no coordinates": 146},
        "2022-04-01T00:00:00",
        "2022-04-01T00:00:00",
    ),
    ("portland/burglary_2012_2017.csv", 5_364, {}, "2012-03-01T00:00:00", "2017-05-31T00:00:00"),
    ("portland/vehicle_theft_2012_2017.csv", 9_842, {}, "2012-03-01T00:00:00", "2017-05-31T00:00:00"),
]


@pytest.mark.parametrize(("name", "imported", "reasons", "first", "last"), REAL)
def test_real_files(
    data_folder: Path, tmp_path: Path, name: str, imported: int, reasons: dict[str, int], first: str, last: str
) -> None:
    result = run_job("import_csv", {"path": str(data_folder / name), "folder": str(tmp_path)})
    assert result["imported"] == imported
    assert result["reasons"] == reasons
    assert (result["first"], result["last"]) == (first, last)


@pytest.mark.parametrize(
    ("name", "category"),
    [("portland/burglary_2012_2017.csv", "BURGLARY"), ("portland/vehicle_theft_2012_2017.csv", "MOTOR VEHICLE THEFT")],
)
def test_a_category_of_two_columns(data_folder: Path, tmp_path: Path, name: str, category: str) -> None:
    path = data_folder / name
    result = run_job("import_csv", {"path": str(path), "folder": str(tmp_path)})
    rows = read_table(result["output"])
    assert set(rows["category"]) == {category}
    rows = run_job("preview_import", {"path": str(path), "folder": str(tmp_path)})["read"]
    assert {row["category"] for row in rows} == {category}
