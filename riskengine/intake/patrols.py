"""Categories that patrols find rather than victims report, as words."""

from __future__ import annotations

import re
import unicodedata

#: Words at the start of which, anywhere in a category, it is taken for one found by patrols; by what is found.
#: Written without accents, in English (Chicago, New York, San Francisco, data.police.uk, NIBRS) and Spanish (FGJ).
#: A ``/`` ends the word.
FOUND_BY_PATROLS: dict[str, tuple[str, ...]] = {
    "drugs": (
        *("drug/", "drugs/", "narcotic", "controlled substance", "marijuana", "cannabis", "drug trafficking"),
        *("narcomenudeo", "narcotrafico", "estupefaciente", "contra la salud", "posesion de droga"),
    ),
    "weapons": (
        *("weapons violation", "weapon law", "weapons offen", "weapons possession", "weapons carrying"),
        *("possession of weapon", "possession of firearm", "possession of an offensive"),
        *("dangerous weapon", "unlawful weapon", "carrying a concealed", "concealed carry", "possession of a w"),
        *("portacion", "posesion de arma", "ley federal de armas", "acopio de arma"),
    ),
    "prostitution": ("prostitut", "commercialized vice", "commercial vice", "soliciting", "lenocinio", "trata de p"),
    "gambling": ("gambl", "bookmaking", "juegos prohibidos", "juegos de azar", "apuestas"),
    "public order": (
        *("public order", "public peace", "disorderly conduct", "drunkenness", "public intoxication", "liquor law"),
        *("loitering", "vagrancy", "curfew", "public indecency", "orden publico", "ebriedad", "faltas administrativas"),
    ),
    "resisting the police": (
        *("interference with public officer", "resisting arrest", "resisting officer", "obstructing police"),
        *("resistencia de particulares", "resistencia a la autoridad", "ultrajes a la autoridad"),
    ),
    "driving offences": ("driving under", "driving while", "dui/", "dwi/", "intoxicated driving", "impaired driving"),
    "stolen goods found": (
        *("possession of stolen", "handling stolen", "receiving stolen", "stolen property"),
        *("posesion de vehiculo robado", "receptacion"),
    ),
    "warrants": ("warrant/", "warrants/", "orden de aprehension"),
}
#: A category with one of these words has a victim who reports it, whatever weapon was used.
HAS_VICTIM = (
    *("assault", "battery", "robbery", "burglary", "homicide", "murder", "rape", "sexual", "theft", "shooting"),
    *("robo", "homicidio", "lesiones", "violacion", "secuestro"),
)


def patrol_group(category: str) -> str | None:
    """What patrols find in incidents of this category, a key of `FOUND_BY_PATROLS`; None when victims report it."""
    plain = unicodedata.normalize("NFKD", category).encode("ascii", "ignore").decode().casefold()
    plain = " ".join(re.split(r"[^a-z0-9]+", plain)).strip()
    if any(re.search(rf"\b{word}\b", plain) for word in HAS_VICTIM):
        return None
    for group, phrases in FOUND_BY_PATROLS.items():
        for phrase in phrases:
            pattern = rf"\b{re.escape(phrase[:-1])}\b" if phrase.endswith("/") else rf"\b{re.escape(phrase)}"
            if re.search(pattern, plain):
                return group
    return None
