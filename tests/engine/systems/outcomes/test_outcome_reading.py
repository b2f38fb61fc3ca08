"""Tables of incidents become rows: fields by their names, times and areas of all shapes, places, refusals, repeats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from kit.tables import read_table as read_sqlite

from riskengine.ground.errors import DataError, FormatError, ParameterError
from riskengine.systems.outcomes.reading import ReadRows
from riskengine.systems.outcomes.rows import MISSING

CHICAGO = """Date,Latitude,Longitude,Block,LocationDescription,PrimaryType,Description,Arrest,Domestic,CommunityArea
2018-01-01 00:30:00,41.85,-87.73,043XX W 18TH PL,APARTMENT,BATTERY,SIMPLE,False,True,29.0
2018-01-02 13:05:00,41.89,-87.69,027XX W IOWA ST,STREET,THEFT,OVER $500,True,False,24.0
2018-01-03 23:59:00,41.88,-87.70,027XX W IOWA ST,STREET,THEFT,,False,False,
"""
FRANCISCO = """IncidntNum,Category,Descript,Date,Time,PdDistrict,Resolution,Address,X,Y,PdId
1,ROBBERY,ARMED,07/11/2017,14:32,SOUTHERN,NONE,800 Block of BRYANT ST,-122.40,37.77,11
2,ASSAULT,BATTERY,07/13/2017,01:00,SOUTHERN,"ARREST, BOOKED",1 Block of MAIN ST,-122.41,37.78,21
2,ASSAULT,THREATS,07/13/2017,01:00,SOUTHERN,NONE,1 Block of MAIN ST,-122.41,37.78,22
3,BURGLARY,HOUSE,07/14/2017,02:00,MISSION,UNFOUNDED,2 Block of MAIN ST,-120.50,90.00,31
"""


def list_texts(read: ReadRows, role: Any) -> list[str | None]:
    coded = read.rows.texts[role]
    return [None if code == MISSING else coded.labels[code] for code in coded.codes]


def test_fields_of_chicago_are_found_by_their_names(read_table: Any) -> None:
    read, context = read_table(CHICAGO)
    assert read.fields == {
        "outcome": ("Arrest",),
        "time": ("Date",),
        "category": ("PrimaryType",),
        "description": ("Description",),
        "location": ("LocationDescription",),
        "domestic": ("Domestic",),
        "area": ("CommunityArea",),
        "block": ("Block",),
    }
    assert read.rows.outcomes.tolist() == [False, True, False]
    assert read.rows.day.astype(str).tolist() == ["2018-01-01", "2018-01-02", "2018-01-03"]
    assert read.rows.hour.tolist() == [0, 13, 23]
    assert read.rows.minute.tolist() == [30, 5, 59]
    assert list_texts(read, "area") == ["29", "24", None]
    assert list_texts(read, "description") == ["SIMPLE", "OVER $500", None]
    assert list_texts(read, "domestic") == ["true", "false", "false"]
    said = " ".join(context.messages)
    assert "outcome Arrest, time Date, category PrimaryType" in said
    assert "Outcome: Arrest is 'True' (1), 33.3% of 3 incidents. Not counted: 'False' (2)." in said


def test_fields_of_san_francisco_are_found_by_their_names(read_table: Any) -> None:
    read, context = read_table(FRANCISCO)
    assert read.fields["time"] == ("Date", "Time")
    assert read.fields["outcome"] == ("Resolution",)
    assert (read.fields["block"], read.fields["area"]) == (("Address",), ("PdDistrict",))
    assert read.rows.hour.tolist() == [14, 1, 1, 2]
    assert read.rows.outcomes.tolist() == [False, True, False, False]
    assert read.outcome is not None
    assert read.outcome.proposed
    assert read.outcome.values == ("ARREST, BOOKED",)
    # The latitude of the dummy is the pole's.
    assert np.isnan(read.rows.x).tolist() == [False, False, False, True]
    assert read.rows.crs == "EPSG:32610"
    assert any("1 of 4 rows has no place" in said for said in context.messages)


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (
            "Crime ID,Month,Longitude,Latitude,Location,LSOA code,Crime type,Last outcome category",
            {"category": "Crime type", "outcome": "Last outcome category", "area": "LSOA code", "block": "Location"},
        ),
        (
            "fecha_hecho,lon,lat,delito,modalidad,alcaldía,detenido",
            {"category": "delito", "description": "modalidad", "area": "alcaldía", "outcome": "detenido"},
        ),
        (
            "Tatzeit,Delikt,Tatörtlichkeit,Stadtteil,Aufgeklärt",
            {"category": "Delikt", "location": "Tatörtlichkeit", "area": "Stadtteil", "outcome": "Aufgeklärt"},
        ),
        ("datetime,Description,Neighborhood,arrest_made", {"category": "Description", "outcome": "arrest_made"}),
    ],
)
def test_other_cities_are_read_by_the_names_of_their_fields(
    header: str, fields: dict[str, str], read_table: Any
) -> None:
    names = header.split(",")
    values = {"Last outcome category": "Suspect charged", "detenido": "sí", "Aufgeklärt": "ja", "arrest_made": "Yes"}
    nothing = {
        "Last outcome category": "Under investigation",
        "detenido": "no",
        "Aufgeklärt": "nein",
        "arrest_made": "No",
    }
    dates = {
        "Month": "2021-01",
        "fecha_hecho": "2019-02-01",
        "Tatzeit": "31.12.2020 23:10",
        "datetime": "2011-01-01 10:00",
    }
    rows = [
        ",".join(
            dates.get(name) or outcomes.get(name) or (name[0] if name not in ("lon", "lat") else "10.5")
            for name in names
        )
        for outcomes in (values, nothing)
    ]
    read, _ = read_table("\n".join([header, *rows, ""]))
    assert {role: read.fields[role] for role in fields} == {role: (name,) for role, name in fields.items()}
    assert read.rows.outcomes.tolist() == [True, False]


def test_months_without_days_and_dates_without_times_have_no_hour(read_table: Any) -> None:
    months, context = read_table("Month,Crime type,Arrest\n2021-01,Burglary,true\n2021-02,Burglary,false\n")
    assert months.rows.day.astype(str).tolist() == ["2021-01-01", "2021-02-01"]
    assert months.rows.hour.tolist() == [MISSING, MISSING]
    assert any("months only" in said for said in context.messages)
    # The column of times is a dummy.
    table = "Date,Time,Category,Arrest\n2012-07-02,1899-12-30,A,true\n2012-07-03,1899-12-30,A,false\n"
    table += "2012-07-04,1899-12-30,A,false\n"
    dates, context = read_table(table)
    assert dates.fields["time"] == ("Date",)
    assert dates.rows.hour.tolist() == [MISSING] * 3
    assert dates.rows.minute.tolist() == [MISSING] * 3
    assert any("No time of day is known" in said for said in context.messages)


@pytest.mark.parametrize(
    ("order", "day"), [("auto", "2015-08-02"), ("mdy", "2015-02-08"), ("dmy", "2015-08-02")], ids=str
)
def test_the_order_of_day_and_month_can_be_chosen(order: str, day: str, read_table: Any) -> None:
    table = "Date,Type,Arrest\n02/08/2015 10:00,A,true\n03/04/2015 11:00,A,false\n"
    read, _ = read_table(table, date_order=order)
    assert str(read.rows.day[0]) == day


def test_two_digit_years_and_halves_of_days_are_read(read_table: Any) -> None:
    read, _ = read_table("When,Type,Arrest\n1/31/15 11:43:40 PM,A,true\n2/1/15 12:05:00 AM,A,false\n")
    assert read.rows.day.astype(str).tolist() == ["2015-01-31", "2015-02-01"]
    assert read.rows.hour.tolist() == [23, 0]


def test_rows_without_a_date_or_an_outcome_are_refused_and_recoverable(read_table: Any, tmp_path: Path) -> None:
    table = "Date,Type,Arrest\n2020-01-01,A,true\n,A,true\n2020-01-02,B,\nsoon,C,false\n2020-01-05,D,false\n"
    read, context = read_table(table, refused=str(tmp_path / "refused.gpkg"))
    assert read.rows.fid.tolist() == [0, 4]
    assert [row for row, _ in read.refusals] == [1, 2, 3]
    assert any("3 of 5 rows are left out: " in said and "no outcome (1)" in said for said in context.warnings)
    refused = read_sqlite(tmp_path / "refused.gpkg")
    assert refused["Type"] == ["A", "B", "C"]
    assert refused["Date"] == ["", "2020-01-02", "soon"]
    assert [reason.split(":")[0] for reason in refused["reason"]] == [
        "no time given",
        "no outcome",
        "time not understood, expected one like 2019-02-01 23",
    ]


def test_to_predict_every_row_stays(read_table: Any) -> None:
    read, _ = read_table("Type,Ward\nA,7\nB,8.0\n,\n", required=False)
    assert len(read.rows) == 3
    assert read.rows.happened is None
    assert read.outcome is None
    assert np.isnat(read.rows.day).all()
    assert list_texts(read, "area") == ["7", "8", None]
    assert read.leaks == []
    assert read.refusals == []


def test_new_incidents_of_one_moment_have_an_hour(read_table: Any) -> None:
    table = "occurred,Type\n2020-05-01 10:15:00,A\n2020-05-02 10:15:00,B\n"
    assert read_table(table, required=False)[0].rows.hour.tolist() == [10, 10]
    dates, _ = read_table(table.replace(" 10:15:00", ""), required=False)
    assert dates.rows.hour.tolist() == [MISSING, MISSING]


def test_what_is_named_is_taken_whatever_the_names_say(read_table: Any) -> None:
    table = "Date,Category,Kind,Resolution,Fate,Other\n"
    table += "2020-01-01,A,x,ARREST,shot,2020-03-01\n2020-01-02,B,y,NONE,freed,2020-04-01\n"
    read, context = read_table(
        table, outcome_field="fate", outcome_values=[" SHOT "], category_field="Kind", time_field="Other"
    )
    assert read.rows.outcomes.tolist() == [True, False]
    assert list_texts(read, "category") == ["x", "y"]
    assert str(read.rows.day[0]) == "2020-03-01"
    said = " ".join(context.messages)
    assert "Found by their names" not in said
    assert "OUTCOME_VALUES" not in said


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"category_field": "Kind"}, ParameterError, "no field Kind. Choose from: Date, Type, Arrest"),
        ({"outcome_values": ["BOOKED"]}, ParameterError, "Arrest has no value BOOKED. Choose from: "),
        ({"outcome_field": "Type"}, DataError, "The values of Type do not say which of them are the outcome: A, B"),
        ({"other_fields": ["Beat"]}, ParameterError, "no field Beat"),
        ({"outcome_values": ["true", "false"]}, DataError, "Every incident has the outcome"),
        ({"other_fields": ["Arrest"]}, ParameterError, "Arrest is the outcome, and no model may read what it is to"),
        ({"time_field": "Type"}, DataError, "Type holds no date that could be read"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    given: dict[str, Any], error: type[Exception], said: str, read_table: Any
) -> None:
    with pytest.raises(error) as caught:
        read_table("Date,Type,Arrest\n2020-01-01,A,true\n2020-01-02,B,false\n", **given)
    assert said in str(caught.value)


def test_fields_that_say_no_outcome_are_refused_in_short(read_table: Any) -> None:
    rows = "".join(f"2020-01-{1 + number % 28:02d},{number}X MAIN ST\n" for number in range(60))
    with pytest.raises(DataError, match=r"The field Block has 60 values, such as 0X MAIN ST, .* and 52 more"):
        read_table("Date,Block\n" + rows, outcome_field="Block")
    with pytest.raises(DataError, match=r"All incidents have the same value of Arrest, false.*Choose another OUTCOME_"):
        read_table("Date,Arrest\n2020-01-01,false\n2020-01-02,false\n")


def test_values_that_no_row_has_are_said_where_others_are_there(read_table: Any) -> None:
    read, context = read_table(FRANCISCO, outcome_values=["ARREST, BOOKED", "ARREST, CITED"])
    assert read.rows.outcomes.tolist() == [False, True, False, False]
    assert any("No row has ARREST, CITED, which would count" in said for said in context.messages)


def test_tables_that_say_nothing_are_refused(read_table: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No field of the table says by its name what became"):
        read_table("Date,Type\n2020-01-01,A\n")
    with pytest.raises(DataError, match="has no row"):
        read_table("Date,Type,Arrest\n")
    with pytest.raises(DataError, match="No field of the table holds dates"):
        read_table("Type,Arrest\nA,true\nB,false\n")
    (tmp_path / "x.gpkg").write_bytes(b"nothing")
    with pytest.raises(FormatError):
        read_table(tmp_path / "x.gpkg")


def test_a_layer_of_points_in_metres_is_projected(read_table: Any, tmp_path: Path) -> None:
    # Two points of Lambert 93 a kilometre apart, and none.
    shapes = [shapely.Point(652_000, 6_862_000), None, shapely.Point(653_000, 6_862_000)]
    pyogrio.raw.write(
        tmp_path / "paris.gpkg",
        np.array([None if shape is None else shapely.to_wkb(shape) for shape in shapes], dtype=object),
        [
            np.array(["2020-01-01T10:00", "NaT", "2020-01-03T11:30"], dtype="datetime64[ms]"),
            np.array(["A", "B", None], dtype=object),
            np.array([True, False, False]),
            np.array([7.0, 8.0, np.nan]),
        ],
        ["occurred", "category", "arrested", "beat"],
        driver="GPKG",
        geometry_type="Point",
        crs="EPSG:2154",
        gdal_tz_offsets={"occurred": np.full(3, 100, dtype=np.uint8)},
    )
    read, _ = read_table(tmp_path / "paris.gpkg")
    assert read.rows.crs == "EPSG:32631"
    assert len(read.refusals) == 1
    assert read.rows.fid.tolist() == [0, 2]
    assert np.hypot(np.diff(read.rows.x), np.diff(read.rows.y))[0] == pytest.approx(1000, abs=1.5)
    assert read.rows.hour.tolist() == [10, 11]
    assert list_texts(read, "area") == ["7", None]


def test_places_in_no_crs_are_not_used(read_table: Any, tmp_path: Path) -> None:
    points = np.array([shapely.to_wkb(shapely.Point(652_000 + n, 6_862_000)) for n in range(2)], dtype=object)
    pyogrio.raw.write(
        tmp_path / "nowhere.gpkg",
        points,
        [np.array(["2020-01-01", "2020-01-02"], dtype=object), np.array(["true", "false"], dtype=object)],
        ["date", "arrest"],
        driver="GPKG",
        geometry_type="Point",
        crs=None,
    )
    read, context = read_table(tmp_path / "nowhere.gpkg")
    assert np.isnan(read.rows.x).all()
    assert read.rows.crs == ""
    assert any("no known CRS" in said for said in context.messages)


def test_rows_of_an_incident_become_one_on_request(read_table: Any) -> None:
    apart, _ = read_table(FRANCISCO)
    assert (len(apart.rows), apart.merged) == (4, 0)
    merged, context = read_table(FRANCISCO, merge=True)
    assert merged.rows.fid.tolist() == [0, 1, 3]
    assert merged.rows.outcomes.tolist() == [False, True, False]
    assert merged.merged == 1
    assert any("3 incidents are left of 4 rows" in said for said in context.messages)
    # The outcome of any row is that of the incident, and a refused row stands for none.
    table = "case_number,date,type,arrest\n1,2020-01-01,A,false\n1,2020-01-01,B,true\n2,,A,true\n2,2020-01-01,A,false\n"
    table += ",2020-01-01,C,true\n,2020-01-02,C,false\n"
    read, _ = read_table(table, merge=True)
    assert read.rows.fid.tolist() == [0, 3, 4, 5]
    assert read.rows.outcomes.tolist() == [True, False, True, False]


def test_exact_duplicates_merge_without_a_number_too(read_table: Any) -> None:
    line = "2020-01-01 10:00,A,true,13.1,52.1\n"
    table = f"date,type,arrest,lon,lat\n{line}2020-01-01 11:00,A,false,13.1,52.1\n{line}{line}"
    read, _ = read_table(table, merge=True)
    assert read.rows.fid.tolist() == [0, 1]
    # The numbers that a layer gives its rows tell none apart, those of its users do.
    numbered = table.replace("date,", "fid,date,", 1).splitlines()
    numbered = [numbered[0], *(f"{row},{text}" for row, text in enumerate(numbered[1:], 1))]
    assert len(read_table("\n".join(numbered), merge=True)[0].rows) == 2
    told = [numbered[0].replace("fid", "voucher"), *numbered[1:]]
    assert len(read_table("\n".join(told), merge=True)[0].rows) == 4


def test_the_same_table_as_geojson_and_csv_is_the_same(read_table: Any, tmp_path: Path) -> None:
    from_csv, _ = read_table(CHICAGO)
    names, *lines = [line.split(",") for line in CHICAGO.splitlines()]
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [float(row["Longitude"]), float(row["Latitude"])]},
            "properties": {name: value or None for name, value in row.items() if "itude" not in name}
            | {
                "Arrest": row["Arrest"] == "True",
                "CommunityArea": float(row["CommunityArea"] or "nan") if row["CommunityArea"] else None,
            },
        }
        for row in (dict(zip(names, line, strict=True)) for line in lines)
    ]
    path = tmp_path / "chicago.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    from_layer, _ = read_table(path)
    assert from_layer.rows.outcomes.tolist() == from_csv.rows.outcomes.tolist()
    assert from_layer.rows.hour.tolist() == from_csv.rows.hour.tolist()
    for role in from_csv.rows.texts:
        assert list_texts(from_layer, role) == list_texts(from_csv, role), role
    assert np.allclose(from_layer.rows.x, from_csv.rows.x)
