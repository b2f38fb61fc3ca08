"""What the name of a column says about time, in the languages in which police publish."""

from __future__ import annotations

import re
import unicodedata


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Parts of a time. What has up to three letters must be a word of its own, anything longer may stand within one.
PARTS = {
    "year": _listed("year anio ano annee jahr anno jaar rok yr aar vuosi год рік yyyy"),
    "month": _listed("month mes mois monat mese maand miesiac mnd manad kuukausi месяц mon mo mm"),
    "day": _listed("day dia jour tag giorno dag dzien день dy dd"),
    "hour": _listed("hour hora heure stunde ora ore uur godzina hr hrs hh std franja timme час година"),
    "clock": _listed("time clock horario uhrzeit zeit tijd tid czas klok время hhmm hrmin tm"),
    "minute": _listed("minute minuto minuten minut minuut min"),
}
#: Days of the week have no place in a calendar.
_WEEK = _listed("week wochentag semana semaine settimana dow weekdag veckodag dayname dianombre")
_DATE = _listed(
    "date time fecha fech data datum dato zeit epoch stamp tijd moment when dat dt ts dttm дата время jour czas "
    "occur ocurr ocorr"
)
_EVENT = _listed(
    "occur occ incident offen crime event happen hecho hechos delito suceso ocorr ocurr fato tatzeit tattag infraction "
    "faits reato commit zdarzen begangen vorfall siniestro"
)
_REPORTED = _listed(
    "report rptd rpt record entered entry update modif creat edit publish upload load clear arrest close dispos "
    "receiv registr denunc alta carga actualiz melde anzeige erfass declar plainte signal extract"
)
_LIFE = _listed("birth dob born nacim geburt naissance nascit expir")
_END = _listed("end to until hasta fin bis ende fine")
_ANY = frozenset().union(_DATE, _EVENT, _REPORTED, *PARTS.values())
_LONG = frozenset(word for word in _EVENT | _REPORTED if len(word) > 3)
#: Beginnings of the months' names without accents: English, Spanish, Portuguese, French, German, Italian, Dutch.
_MONTHS = (
    *("jan ene gen", "feb fev", "mar mae maa mrt", "apr abr avr", "may mai mag mei", "jun giu juin", "jul lug juil"),
    *("aug ago aou", "sep set", "oct okt ott out", "nov", "dec dic dez"),
)


def find_month(text: str) -> str:
    """The number of a month that may be given by its name; anything else as it is."""
    plain = fold(text)
    if plain.isdigit():
        return plain
    if re.fullmatch(r"\d+\.0*", plain):
        return plain.split(".")[0]
    for number, starts in enumerate(_MONTHS, 1):
        if any(plain.startswith(start) for start in starts.split()):
            return str(number)
    return text


def fold(name: str) -> str:
    """A name without accents and case."""
    apart = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold().strip()


def tell_part(name: str) -> str:
    """Which part of a time a column's name says it holds: a key of `PARTS`, or nothing."""
    if _says(name, _WEEK):
        return ""
    return next((part for part in ("minute", "hour", "month", "year", "day", "clock") if _says(name, PARTS[part])), "")


def tell_role(name: str) -> str:
    """Whose time a name speaks of: ``event``, ``reported``, ``life`` (a birth, an expiry), or nothing."""
    roles = (("life", _LIFE), ("reported", _REPORTED), ("event", _EVENT))
    return next((role for role, hints in roles if _says(name, hints)), "")


def is_end(name: str) -> bool:
    """Whether a name speaks of the end of a span."""
    return bool(_END & set(_words(name)))


def names_time(name: str) -> bool:
    """Whether a name speaks of a date or time, so that its bare numbers may be moments and not codes."""
    return _says(name, _DATE)


def strip_part(name: str) -> str:
    """What is left of a name without its words for parts of a time: columns of one time share it."""
    stem = fold(name)
    for word in sorted({*_DATE - _EVENT, *(word for words in PARTS.values() for word in words)}, key=len, reverse=True):
        if len(word) > 3:
            stem = stem.replace(word, " ")
        else:
            stem = _cut(stem.strip(), word) or re.sub(rf"(?<![^\W_]){word}(?![^\W_])", " ", stem)
    return "".join(letter for letter in stem if letter.isalnum())


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", fold(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)))


def _says(name: str, hints: frozenset[str]) -> bool:
    words = _words(name)
    whole = "".join(words)
    for hint in map(fold, hints):
        if hint in words or (len(hint) > 3 and hint in whole):
            return True
        if _cut(whole, hint):
            return True
    return False


def _cut(whole: str, hint: str) -> str:
    """What a short word leaves of a name that it begins or ends, if that is known: diahecho, dateocc, occurrenceday."""
    if len(hint) != 3:
        return ""
    rest = {whole.removeprefix(hint), whole.removesuffix(hint)} - {whole}
    return next((other for other in rest if other in _ANY or any(long in other for long in _LONG)), "")
