"""Known formats of open crime data."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest
from kit.contexts import Recorder
from kit.tables import read_table

from riskengine.contract.tools.incidents import FORMATS
from riskengine.ground.errors import ParameterError
from riskengine.intake.profiles import (
    choose_profile,
    choose_variant,
    find_column,
    join_names,
    read_profiles,
    reduce_name,
    require_column,
)
from riskengine.jobs import run_job

REAL = {
    "mexico_city/fgj_carpetas_2019-02_2020-01.csv": "fgj_mexico_city",
    "baltimore/bpd_part1_2011_2016.csv": "baltimore",
    "chicago/crimes_2018.csv": "chicago",
    "chicago/crimes_2015_10k.csv": "chicago",
    "san_francisco/incidents_2012_h2.csv": "san_francisco",
    "san_francisco/incidents_2017_07.csv": "san_francisco",
    "new_york/crimes_2014_2015.csv": "new_york",
    "london/police_uk/2021-01-metropolitan-street.csv": "police_uk",
    "london/burglary_2019-01_2022-04.csv": "police_uk",
    "portland/burglary_2012_2017.csv": "portland",
    "portland/vehicle_theft_2012_2017.csv": "portland",
}
NOT_INCIDENTS = [
    "chicago/weather_2018_2019.csv",
    "chicago/census_community_areas.csv",
    "london/iod2019_domain_scores_lsoa11.csv",
    "london/google_mobility_boroughs_to_2021-06.csv",
]
#: Headers as the portals give them today, with the column that becomes the category.
PORTALS = {
    "fgj_mexico_city": (
        "anio_inicio,mes_inicio,fecha_inicio,hora_inicio,anio_hecho,mes_hecho,fecha_hecho,hora_hecho,delito,"
        "categoria_delito,competencia,fiscalia,agencia,unidad_investigacion,colonia_hecho,colonia_catalogo,"
        "alcaldia_hecho,alcaldia_catalogo,municipio_hecho,latitud,longitud",
        "delito",
    ),
    "baltimore": (
        "RowID,CCNumber,CrimeDateTime,CrimeCode,Description,Inside_Outside,Weapon,Post,Gender,Age,Race,Ethnicity,"
        "Location,Old_District,New_District,Neighborhood,Latitude,Longitude,GeoLocation,PremiseType,Total_Incidents",
        "Description",
    ),
    "chicago": (
        "id,case_number,date,block,iucr,primary_type,description,location_description,arrest,domestic,beat,district,"
        "ward,community_area,fbi_code,x_coordinate,y_coordinate,year,updated_on,latitude,longitude,location",
        "Primary Type",
    ),
    "san_francisco": (
        "Incident Datetime,Incident Date,Incident Time,Incident Year,Incident Day of Week,Report Datetime,Row ID,"
        "Incident ID,Incident Number,CAD Number,Incident Code,Incident Category,Incident Subcategory,"
        "Incident Description,Resolution,Intersection,Police District,Analysis Neighborhood,Latitude,Longitude,Point",
        "Incident Category",
    ),
    "new_york": (
        "CMPLNT_NUM,CMPLNT_FR_DT,CMPLNT_FR_TM,CMPLNT_TO_DT,CMPLNT_TO_TM,ADDR_PCT_CD,RPT_DT,KY_CD,OFNS_DESC,PD_CD,"
        "PD_DESC,BORO_NM,X_COORD_CD,Y_COORD_CD,Latitude,Longitude,Lat_Lon",
        "OFNS_DESC",
    ),
    "portland": (
        "Address,CaseNumber,CrimeAgainst,Neighborhood,OccurDate,OccurTime,OffenseCategory,OffenseType,OpenDataLat,"
        "OpenDataLon,OpenDataX,OpenDataY,ReportDate,OffenseCount",
        "OffenseType",
    ),
}


def head(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


def test_the_integers_of_formats_stand_as_published() -> None:
    first = [
        "auto",
        "baltimore",
        "chicago",
        "fgj_mexico_city",
        "new_york",
        "police_uk",
        "portland",
        "san_francisco",
        "columns",
    ]
    later = [
        "los_angeles",
        "philadelphia",
        "boston",
        "toronto",
        "vancouver",
        "denver",
        "atlanta",
        "washington_dc",
        "seattle",
    ]
    assert list(FORMATS) == [*first, *later, "buenos_aires", "stop_and_search"]
    assert set(FORMATS) - {"auto", "columns"} == set(read_profiles())


#: Headers after the published schemas, one invented row each, and its place, time and category.
INVENTED = {
    "los_angeles": (
        "DR_NO,Date Rptd,DATE OCC,TIME OCC,AREA NAME,Crm Cd Desc,LAT,LON",
        "1,03/12/2020 12:00:00 AM,03/11/2020 12:00:00 AM,2130,Central,THEFT,34.01,-118.21",
        ((-118.21, 34.01), "2020-03-11T21:30:00", "THEFT"),
    ),
    "philadelphia": (
        "dispatch_date_time,dispatch_date,dispatch_time,hour,text_general_code,lat,lng",
        "2025-01-07 02:45:00+00,2025-01-06,21:45:00,21,Thefts,40.01,-75.09",
        ((-75.09, 40.01), "2025-01-06T21:45:00", "Thefts"),
    ),
    "boston": (
        "INCIDENT_NUMBER,OFFENSE_CODE_GROUP,OFFENSE_DESCRIPTION,OCCURRED_ON_DATE,YEAR,MONTH,HOUR,STREET,Lat,Long",
        "I1,,LARCENY,2021-09-11 11:54:00,2021,9,11,A ST,42.31,-71.01",
        ((-71.01, 42.31), "2021-09-11T11:54:00", "LARCENY"),
    ),
    "toronto": (
        "EVENT_UNIQUE_ID,REPORT_DATE,OCC_DATE,OCC_HOUR,OFFENCE,MCI_CATEGORY,LONG_WGS84,LAT_WGS84",
        "GO-1,2017-01-12T05:00:00.000Z,2017-01-11T05:00:00.000Z,23,Assault,Assault,-79.32,43.62",
        ((-79.32, 43.62), "2017-01-11T23:00:00", "Assault"),
    ),
    "vancouver": (
        "TYPE,YEAR,MONTH,DAY,HOUR,MINUTE,HUNDRED_BLOCK,NEIGHBOURHOOD,X,Y",
        "Mischief,2020,6,10,10,20,1XX A ST,Fairview,491000,5455000",
        ((491000.0, 5455000.0), "2020-06-10T10:20:00", "Mischief"),
    ),
    "denver": (
        "OFFENSE_ID,OFFENSE_CATEGORY_ID,FIRST_OCCURRENCE_DATE,LAST_OCCURRENCE_DATE,REPORTED_DATE,GEO_LON,GEO_LAT",
        "1,larceny,6/15/2020 11:31:00 PM,6/16/2020 7:00:00 AM,6/17/2020 8:00:00 AM,-104.9,39.7",
        ((-104.9, 39.7), "2020-06-15T23:31:00", "larceny"),
    ),
    "atlanta": (
        "Report Number,Occur Date,Occur Time,Possible Date,Possible Time,UCR Literal,UCR #,Latitude,Longitude",
        "1,2009-01-01,1145,2009-01-01,1148,LARCENY,600,33.69,-84.49",
        ((-84.49, 33.69), "2009-01-01T11:45:00", "LARCENY"),
    ),
    "washington_dc": (
        "REPORT_DAT,SHIFT,METHOD,OFFENSE,XBLOCK,YBLOCK,START_DATE,END_DATE,LATITUDE,LONGITUDE",
        "2021/05/02 09:00:00,DAY,OTHERS,ROBBERY,397000,137000,2021/05/01 22:15:00,,38.9,-77.03",
        ((-77.03, 38.9), "2021-05-01T22:15:00", "ROBBERY"),
    ),
    "seattle": (
        "Report Number,Offense Start DateTime,Report DateTime,Offense Parent Group,MCPP,Longitude,Latitude",
        "1,02/05/2020 10:10:00 AM,02/06/2020 11:00:00 AM,ROBBERY,BALLARD,-122.38,47.66",
        ((-122.38, 47.66), "2020-02-05T10:10:00", "ROBBERY"),
    ),
    "buenos_aires": (
        "id-mapa;anio;mes;dia;fecha;franja;tipo;subtipo;uso_arma;barrio;comuna;latitud;longitud;cantidad",
        '1;2023;MARZO;LUNES;2023-03-06;17;Robo;Robo total;NO;BOEDO;5;"-34,63";"-58,41";1',
        ((-58.41, -34.63), "2023-03-06T17:00:00", "Robo"),
    ),
    "stop_and_search": (
        "Type,Date,Latitude,Longitude,Gender,Legislation,Object of search,Outcome",
        "Person search,2023-01-05T14:30:00+00:00,51.5,-0.1,Male,PACE,Stolen goods,Arrest",
        ((-0.1, 51.5), "2023-01-05T14:30:00", "Stolen goods"),
    ),
}


def test_a_format_that_names_the_end_of_a_span_reads_it_where_it_is_there(tmp_path: Path) -> None:
    header, row, _ = INVENTED["denver"]
    path = tmp_path / "denver.csv"
    path.write_text(f"{header}\n{row}\n", "utf-8")
    given = {"path": str(path), "folder": str(tmp_path)}
    result = run_job("import_csv", {**given, "occurred": "end"}, Recorder())
    layer = read_table(result["output"])
    assert (layer["start"], layer["end"]) == (["2020-06-15T23:31:00.000Z"], ["2020-06-16T07:00:00.000Z"])
    assert layer["occurred"] == layer["end"]
    path.write_text(f"{header}\n{row}\n".replace("LAST_", "NEXT_"), "utf-8")
    for profile in ("auto", "denver"):
        result = run_job("import_csv", {**given, "profile": profile}, Recorder())
        assert result["profile"] == "denver"
        assert "end" not in read_table(result["output"])


@pytest.mark.parametrize("identifier", INVENTED)
def test_rows_of_the_published_schema(tmp_path: Path, identifier: str) -> None:
    header, row, (place, time, category) = INVENTED[identifier]
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    done = run_job("import_csv", {"path": str(path), "folder": str(tmp_path)}, Recorder())
    assert done["profile"] == identifier
    rows = read_table(done["output"])
    assert rows["place"] == [pytest.approx(place)]
    assert (done["first"], rows["category"]) == (time, [category])


def test_names_of_commas_accents_and_signs_are_found() -> None:
    header = ["DATE, OCC", "TIME OCC", "Año", "#", "A-B", "AB"]
    assert join_names(["DATE", "OCC"], header) == ["DATE, OCC"]
    assert join_names(["TIME OCC", "AB"], header) == ["TIME OCC", "AB"]
    assert find_column("an\u0303o", header) == 2
    assert find_column("ab", header) == 5
    assert find_column("?", header) is None


@pytest.mark.parametrize("identifier", list(read_profiles()))
def test_profiles_are_consistent(identifier: str) -> None:
    profile = read_profiles()[identifier]
    assert profile.id == identifier
    assert profile.date_order in ("auto", "ymd", "dmy", "mdy")
    for variant in profile.variants:
        west, south, east, north = variant.bbox or profile.bbox
        assert west < east
        assert south < north
        used = {variant.x, variant.y, *variant.time, variant.category}
        assert used <= set(variant.signature)
        assert choose_profile(variant.signature)[0].id == identifier


def test_no_signature_contains_one_of_another_profile() -> None:
    signatures = [
        (profile.id, {reduce_name(name) for name in variant.signature})
        for profile in read_profiles().values()
        for variant in profile.variants
    ]
    for (one, first), (other, second) in itertools.permutations(signatures, 2):
        assert one == other or not first <= second


@pytest.mark.parametrize(("identifier", "header", "category"), [(key, *value) for key, value in PORTALS.items()])
def test_headers_of_the_portals(identifier: str, header: str, category: str) -> None:
    profile, variant = choose_profile(header.split(","))
    assert (profile.id, variant.category) == (identifier, category)


def test_case_spaces_and_order_do_not_matter() -> None:
    header = ["LONGITUDE", "latitude", " Crime Type ", "LSOA_code", "month"]
    assert choose_profile(header)[0].id == "police_uk"


@pytest.mark.parametrize(("name", "identifier"), REAL.items())
def test_real_headers(data_folder: Path, name: str, identifier: str) -> None:
    assert choose_profile(head(data_folder / name))[0].id == identifier


@pytest.mark.parametrize("name", NOT_INCIDENTS)
def test_other_real_files_fit_no_profile(data_folder: Path, name: str) -> None:
    with pytest.raises(ParameterError, match="No profile fits"):
        choose_profile(head(data_folder / name))


def test_an_unknown_header_lists_its_columns() -> None:
    with pytest.raises(ParameterError, match=r"columns are lon, lat, when.*name the columns") as caught:
        choose_profile(["lon", "lat", "when"])
    assert caught.value.parameter == "profile"


def test_two_formats_in_one_header_are_ambiguous() -> None:
    twins = [*read_profiles()["chicago"].variants[0].signature, *read_profiles()["baltimore"].variants[0].signature]
    with pytest.raises(ParameterError, match=r"Several profiles fit this file \(baltimore, chicago\)"):
        choose_profile(list(dict.fromkeys(twins)))
    # The variant that explains more columns wins.
    assert (
        choose_profile([*twins, "X_pr", "Y_pr", "Time", "Category", "IncidntNum", "PdDistrict"])[0].id
        == "san_francisco"
    )


def test_a_chosen_profile_says_what_is_missing() -> None:
    with pytest.raises(ParameterError, match="no column Crime type"):
        choose_variant(read_profiles()["police_uk"], ["Longitude", "Latitude", "Month", "Kind"])
    assert (
        choose_variant(read_profiles()["police_uk"], ["Longitude", "Latitude", "Month", "Crime type"]).title == "street"
    )


def test_columns_are_found_or_neighbours_named() -> None:
    header = ["Fecha", "Longitud", "Latitud"]
    assert find_column("longitud", header) == 1
    assert find_column("X", ["x", "X"]) == 1
    assert find_column("x_", ["x", "X"]) is None
    with pytest.raises(ParameterError, match=r"columns are Fecha, Longitud, Latitud\. Did you mean Longitud"):
        require_column("longitude", header, "x")


def test_the_log_names_the_only_way_of_a_format_once(tmp_path: Path) -> None:
    header, row, _ = INVENTED["los_angeles"]
    (tmp_path / "la.csv").write_text(f"{header}\n{row}\n", "utf-8")
    said = Recorder()
    run_job("import_csv", {"path": str(tmp_path / "la.csv"), "folder": str(tmp_path)}, said)
    assert "Format: Los Angeles Police, crime data since 2010 (data.lacity.org)." in said.messages
