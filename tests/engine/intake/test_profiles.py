"""Known formats of open crime data."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest

from riskengine.ground.errors import ParameterError
from riskengine.intake.profiles import (
    choose_profile,
    choose_variant,
    find_column,
    read_profiles,
    reduce_name,
    require_column,
)

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


def test_the_seven_profiles() -> None:
    assert list(read_profiles()) == [
        *("baltimore", "chicago", "fgj_mexico_city", "new_york", "police_uk", "portland", "san_francisco"),
    ]


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
