"""Fields that describe people: no feature of a model of places and incidents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WORDS = {
    "age": "age ages edad edades alter lebensalter",
    "sex": "sex gender genero sexo geschlecht",
    "race": "race races ethnicity ethnic raza etnia etnicidad ethnie hautfarbe nationality nacionalidad citizenship "
    "staatsangehorigkeit nationalitat migrationshintergrund religion religious immigration",
    "name": "surname forename firstname lastname fullname nickname apellido apellidos vorname nachname familienname "
    "alias",
    "birth": "dob birthdate birthday birthplace yob nacimiento geburtsdatum geburtstag geburtsjahr geburtsort",
    "number": "ssn curp rfc nif dni passport phone telefono telefon email mugshot fingerprint",
    "body": "hair eyes complexion disability",
}
#: Who has these; what such a field may begin with, also without a blank: VICAGE, SUSPECTRACE.
_WHO = (
    *("victim", "vict", "vic", "suspect", "susp", "perpetrator", "perp", "offender", "arrestee", "defendant"),
    *("complainant", "witness", "subject", "person", "owner", "driver", "officer", "reporter", "caller", "contact"),
    *("juvenile", "patient", "detainee", "victima", "imputado", "inculpado", "denunciante", "persona", "opfer"),
    *("tater", "tatverdachtiger", "beschuldigter", "zeuge"),
)
#: Of a name, an age or a race in such company it is not a person's: a station's name, a street's; an area's mean age.
_AREAS = (
    *("percent", "pct", "perc", "share", "rate", "ratio", "median", "mean", "average", "avg", "per"),
    *("total", "population", "density", "households", "index", "porcentaje", "promedio", "mediana"),
    *("anteil", "durchschnitt"),
)
_CRIMES = (
    *("offense", "offenses", "offence", "offences", "crime", "crimes", "assault", "abuse", "delito", "delitos"),
    "delikt",
)
_NAMES = ("name", "names", "nombre", "nombres")
_OF_PERSON = (*_WHO, "first", "last", "middle", "given", "family", "full", "maiden", "sur")
_BY_WORD = {word: what for what, words in _WORDS.items() for word in words.split()}


def find_person_fields(names: Sequence[str]) -> list[str]:
    """Find the fields whose names say that they describe people, by their words.

    Examples
    --------
    >>> find_person_fields(["Age", "VICTIM_SEX", "PrimaryType", "station name", "PERCENT AGED 16+", "AVERAGE"])
    ['Age', 'VICTIM_SEX']
    """
    return [name for name in names if describes_person(name)]


def describes_person(name: str) -> bool:
    """Whether a field's name says that it describes a person: age, race, sex, name and such."""
    words = _split(name)
    told = {_BY_WORD[word] for word in words if word in _BY_WORD}
    if told & {"sex", "race"} and any(word in _CRIMES for word in words):
        told -= {"sex", "race"}
    # What is known of an area is not known of a person.
    if told and not any(word in _AREAS for word in words):
        return True
    if any(word in _NAMES for word in words):
        if any(word in _OF_PERSON for word in words):
            return True
        return len(words) == 1
    return "birth" in words or ("date" in words and "nac" in words)


def _split(name: str) -> list[str]:
    """The words of a name, without accents; who is meant is parted from what is said of them."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    words: list[str] = []
    for word in re.findall(r"[a-z]+", plain.casefold()):
        parts = next(
            (
                [who, word[len(who) :]]
                for who in sorted(_WHO, key=len, reverse=True)
                if word.startswith(who) and (word[len(who) :] in _BY_WORD or word[len(who) :] in _NAMES)
            ),
            [word],
        )
        words += parts
    return words
