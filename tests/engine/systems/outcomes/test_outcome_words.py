"""What words say: which values are an outcome, which categories police discover, which fields describe people."""

from __future__ import annotations

import numpy as np
import pytest

from riskengine.systems.outcomes.people import describes_person, find_person_fields
from riskengine.systems.outcomes.reported import choose_rows, is_held, leave_out_told, propose_found, says_outcome
from riskengine.systems.outcomes.rows import MISSING, Coded, Rows
from riskengine.systems.outcomes.rule import OutcomeRule, propose_values, unite_truths

CHICAGO_FOUND = [
    *("NARCOTICS", "PROSTITUTION", "WEAPONS VIOLATION", "GAMBLING", "INTERFERENCE WITH PUBLIC OFFICER"),
    *("LIQUOR LAW VIOLATION", "CONCEALED CARRY LICENSE VIOLATION", "PUBLIC PEACE VIOLATION", "PUBLIC INDECENCY"),
    *("OBSCENITY", "CRIMINAL TRESPASS", "OTHER OFFENSE", "NON-CRIMINAL"),
]
CHICAGO_REPORTED = [
    *("THEFT", "BATTERY", "CRIMINAL DAMAGE", "ASSAULT", "DECEPTIVE PRACTICE", "BURGLARY", "MOTOR VEHICLE THEFT"),
    *("ROBBERY", "OFFENSE INVOLVING CHILDREN", "CRIM SEXUAL ASSAULT", "SEX OFFENSE", "HOMICIDE", "ARSON", "STALKING"),
    *("KIDNAPPING", "INTIMIDATION", "HUMAN TRAFFICKING"),
]


@pytest.mark.parametrize(
    ("found", "reported"),
    [
        (CHICAGO_FOUND, CHICAGO_REPORTED),
        (
            ["DRUG/NARCOTIC", "WARRANTS", "WEAPON LAWS", "TRESPASS", "STOLEN PROPERTY", "DRUNKENNESS", "LIQUOR LAWS"],
            ["LARCENY/THEFT", "VANDALISM", "MISSING PERSON", "FRAUD", "RUNAWAY", "SEX OFFENSES, FORCIBLE", "ARSON"],
        ),
        (
            ["Drugs", "Possession of weapons", "Public order", "Other crime"],
            ["Anti-social behaviour", "Bicycle theft", "Violence and sexual offences", "Other theft", "Shoplifting"],
        ),
        ([], ["LARCENY FROM AUTO", "AGG. ASSAULT", "ROBBERY - CARJACKING", "HOMICIDE", "AUTO THEFT", "RAPE"]),
        (
            ["NARCOMENUDEO POSESIÓN SIMPLE", "PORTACIÓN DE ARMA DE FUEGO"],
            ["ROBO A CASA HABITACIÓN", "FRAUDE", "AMENAZAS"],
        ),
    ],
    ids=["Chicago", "San Francisco", "England", "Baltimore", "Mexico City"],
)
def test_what_police_discover_is_told_by_its_words(found: list[str], reported: list[str]) -> None:
    assert propose_found([*found, *reported]) == found
    assert propose_found([each.title() for each in reported]) == []


@pytest.mark.parametrize(
    ("labels", "proposed"),
    [
        (["true", "false"], ["true"]),
        (["Y", "N"], ["Y"]),
        (["0", "1"], ["1"]),
        (["Sí", "No"], ["Sí"]),
        (
            [
                *("NONE", "ARREST, BOOKED", "UNFOUNDED", "ARREST, CITED", "JUVENILE BOOKED", "JUVENILE ADMONISHED"),
                *("COMPLAINANT REFUSES TO PROSECUTE", "EXCEPTIONAL CLEARANCE", "NOT PROSECUTED", "LOCATED"),
                *("CLEARED-CONTACT JUVENILE FOR MORE INFO", "PSYCHOPATHIC CASE"),
            ],
            ["ARREST, BOOKED", "ARREST, CITED", "JUVENILE BOOKED"],
        ),
        (["Invest Cont", "Adult Arrest", "Juv Arrest", "Adult Other", "UNK"], ["Adult Arrest", "Juv Arrest"]),
        (["Closed by arrest", "Open/No arrest", "Closed without arrest"], ["Closed by arrest"]),
        (
            [
                *(
                    "Under investigation",
                    "Investigation complete; no suspect identified",
                    "Unable to prosecute suspect",
                ),
                *(
                    "Suspect charged",
                    "Offender given a caution",
                    "Court case unable to proceed",
                    "Awaiting court outcome",
                ),
            ],
            ["Suspect charged", "Offender given a caution", "Awaiting court outcome"],
        ),
        (["Con detenido", "Sin detenido"], ["Con detenido"]),
        (["open", "closed"], []),
    ],
)
def test_values_that_are_an_outcome_are_proposed(labels: list[str], proposed: list[str]) -> None:
    assert propose_values(labels) == proposed


def test_a_stray_value_is_no_outcome_of_a_field_of_yes_and_no() -> None:
    # The header stands in the midst of files that were joined.
    assert propose_values(["false", "true", "Arrest"], [700, 290, 10]) == ["true"]
    assert propose_values(["no", "Arrest", "yes"], [40, 30, 30]) == ["Arrest"]


def test_truths_are_the_same_however_they_are_written() -> None:
    codes = np.array([0, 1, 2, 3, -1], dtype=np.int32)
    united = unite_truths(Coded(codes, ["True", "N", "1", "no"]))
    assert [None if code < 0 else united.labels[code] for code in united.codes] == [
        "true",
        "false",
        "true",
        "false",
        None,
    ]
    other = Coded(codes, ["True", "N", "maybe", "no"])
    assert unite_truths(other) is other


@pytest.mark.parametrize(
    "name",
    [
        *("Age", "AGE", "victim_age", "VICAGE", "SuspectRace", "PERP_SEX", "Sex", "gender", "Ethnicity", "Victim Name"),
        *("First Name", "lastname", "surname", "Name", "DOB", "date of birth", "BirthDate", "Edad", "sexo", "Género"),
        *(
            "raza",
            "nombre",
            "Apellido paterno",
            "nacionalidad",
            "Alter",
            "Geschlecht",
            "Nachname",
            "Staatsangehörigkeit",
        ),
        *("Offender Age", "vict descent race", "OFFICER NAME", "phone_number", "age of victim", "age_1"),
    ],
)
def test_fields_that_describe_people_are_told(name: str) -> None:
    assert describes_person(name)


@pytest.mark.parametrize(
    "name",
    [
        *("PrimaryType", "station name", "NAME OF STATION", "AVERAGE", "Average age", "PERCENT AGED 16+ UNEMPLOYED"),
        *("PERCENT AGED UNDER 18 OR OVER 64", "COMMUNITY AREA NAME", "Street Name", "Neighborhood name", "Sex Offense"),
        *("percent_black", "median_age", "Damage", "Package", "Village", "Message", "Essex"),
        *("Nombre de la colonia", "ciudad", "Stage", "Page", "PER CAPITA INCOME ", "TMAX", "Alternative", "terrace"),
        *("SEX CRIMES", "LocationDescription", "Weapon", "Reported by", "image", "storage"),
    ],
)
def test_fields_of_places_are_not_taken_for_people(name: str) -> None:
    assert not describes_person(name)


def test_fields_that_describe_people_are_found_in_their_order() -> None:
    assert find_person_fields(["b", "Race", "x", "Age"]) == ["Race", "Age"]


@pytest.mark.parametrize(
    "text", ["BURGLARY, VEHICLE (ARREST MADE)", "WARRANT ARREST", "Suspect arrested", "Con detenido"]
)
def test_texts_that_say_the_outcome_are_told(text: str) -> None:
    assert says_outcome(text)


@pytest.mark.parametrize(
    "text", ["RESISTING ARREST", "BURGLARY, NO ARREST", "EXHIBITING TO RESIST ARREST", "ARRESTER THEFT", "Sin detenido"]
)
def test_other_texts_do_not_say_it(text: str) -> None:
    assert not says_outcome(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "RETAIL THEFT",
            "PETTY THEFT SHOPLIFTING",
            "Shoplifting",
            "AGG PO HANDS NO/MIN INJURY",
            "AGGRAVATED PO: HANDGUN",
        ),
        *("PRO EMP HANDS NO/MIN INJURY", "AGG PRO.EMP:KNIFE/CUTTING INST", "BATTERY OF A POLICE OFFICER"),
        *("ULTRAJES A AGENTE DE LA AUTORIDAD", "Ladendiebstahl"),
    ],
)
def test_arrests_on_the_spot_are_told(text: str) -> None:
    assert is_held(text)


@pytest.mark.parametrize("text", ["SIMPLE", "POCKET-PICKING", "FROM BUILDING", "STOLEN PROP: BUY/RECEIVE/POS.", "ROBO"])
def test_other_descriptions_are_none(text: str) -> None:
    assert not is_held(text)


def make_rows(categories: list[str | None], descriptions: list[str | None]) -> Rows:
    size = len(categories)

    def code(values: list[str | None]) -> Coded:
        labels = list(dict.fromkeys(value for value in values if value is not None))
        return Coded(
            np.array([MISSING if value is None else labels.index(value) for value in values], np.int32), labels
        )

    return Rows(
        np.arange(size),
        np.full(size, np.datetime64("2020-01-01")),
        *(np.full(size, MISSING, dtype=np.int8) for _ in range(2)),
        *(np.full(size, np.nan) for _ in range(2)),
        {"category": code(categories), "description": code(descriptions)},
    )


def test_rows_are_chosen_by_who_reported_them() -> None:
    rows = make_rows(
        ["THEFT", "NARCOTICS", "THEFT", "BATTERY", "BATTERY", None, "BURGLARY"],
        [
            "OVER $500",
            "POSS: CRACK",
            "RETAIL THEFT",
            "AGG PO HANDS NO/MIN INJURY",
            "SIMPLE",
            None,
            "VEHICLE (ARREST MADE)",
        ],
    )
    found = ["narcotics"]
    assert choose_rows(rows, found, "all").all()
    assert choose_rows(rows, found, "victims").tolist() == [True, False, True, True, True, True, True]
    strict = [True, False, False, False, True, True, False]
    assert choose_rows(rows, found, "strict").tolist() == strict
    # What was left out of the texts is remembered, also of some of the rows.
    bare = leave_out_told(rows)
    assert bare.texts["description"].codes[6] == MISSING
    assert (bare.texts["description"].codes[:5] == rows.texts["description"].codes[:5]).all()
    assert choose_rows(bare, found, "strict").tolist() == strict
    part = np.array([6, 0])
    assert choose_rows(bare.select(part), found, "strict").tolist() == [False, True]


@pytest.mark.parametrize(
    ("field", "values", "said"),
    [
        ("Arrest", ("True",), "an arrest (Arrest is True)"),
        ("Arrest", ("False",), "the outcome (Arrest is False)"),
        ("Resolution", ("ARREST, BOOKED", "A, B"), "an arrest (Resolution is one of: ARREST, BOOKED; A, B)"),
        ("Status", tuple("abcde"), "the outcome (Status is one of: a; b; c and 2 more)"),
    ],
)
def test_what_counts_is_named_as_one_would_say_it(field: str, values: tuple[str, ...], said: str) -> None:
    assert OutcomeRule(field, values, True, "").describe() == said
