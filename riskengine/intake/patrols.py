"""Categories that patrols find rather than victims report, as words."""

from __future__ import annotations

import re
import unicodedata

#: Words at the start of which, anywhere in a category, it is taken for one found by patrols; by what is found.
#: Written without accents, in English (Chicago, New York, San Francisco, data.police.uk, NIBRS) and Spanish (FGJ).
#: A ``/`` ends the word; after a ``=`` stands the whole name. The first group that fits is the one.
FOUND_BY_PATROLS: dict[str, tuple[str, ...]] = {
    "drugs": (
        *("drug/", "drugs/", "narcotic", "controlled substance", "marijuana", "cannabis", "drug trafficking"),
        *("heroin", "cocaine", "crack/", "methamphetamine", "amphetamine", "hallucinogen", "barbitu"),
        *("narcomenudeo", "narcotrafico", "estupefaciente", "contra la salud", "droga/", "drogas/"),
    ),
    "weapons": (
        *("=weapon", "=weapons", "=dangerous weapon", "dangerous weapons/"),
        *("weapons violation", "weapon violation", "weapon law", "weapons law", "weapons offen", "weapon offen"),
        *("weapons possession", "weapons carrying", "weapon possession", "firearm possession", "firearms offen"),
        *("possession of weapon", "possession of firearm", "possession of an offensive", "possession of a w"),
        *(
            "unlawful weapon",
            "illegal weapon",
            "illegal firearm",
            "unlawful poss of handgun",
            "unlawful poss other fire",
        ),
        *("unlawful use handgun", "unlawful use other firearm", "unlawful use of weapon", "carrying a concealed"),
        *("carrying concealed", "carrying of", "concealed carry", "gun offender"),
        *("portacion", "posesion de arma", "ley federal de armas", "acopio de arma", "arma prohibida"),
    ),
    "prostitution": (
        *("prostitut", "commercialized vice", "commercial vice", "commercial sex", "=vice", "pimping", "soliciting"),
        *("solicit on", "solicit off", "solicit for", "lenocinio"),
    ),
    "gambling": ("gambl", "game dice", "bookmaking", "juegos prohibidos", "juegos de azar", "apuestas"),
    "driving offences": (
        *("driving under", "driving while", "dui/", "dwi/", "drunk driving", "drink driving", "intoxicated driving"),
        *("impaired driving", "reckless driving", "traffic offen", "traffic violation", "traffic law"),
        *("traffic infraction", "infracciones de transito"),
    ),
    "public order": (
        *("public order", "public peace", "disturbing the peace", "disorderly conduct", "drunk", "public intoxication"),
        *("liquor", "alcoholic beverage", "loitering", "vagrancy", "curfew", "public indecency"),
        *("orden publico", "paz publica", "ebriedad", "faltas administrativas"),
    ),
    "resisting the police": (
        *("interference with public officer", "resisting", "resist obstruct", "obstructing police"),
        *("obstructing identification", "obstructing justice", "eluding"),
        *("resistencia de particulares", "resistencia a la autoridad", "ultrajes a la autoridad"),
    ),
    "stolen goods found": (
        *("possession of stolen", "handling stolen", "receiving stolen", "stolen prop"),
        *("posesion de vehiculo robado", "receptacion"),
    ),
    "going equipped": ("going equipped", "burglary tools", "burglars tools"),
    "warrants": (
        *("warrant/", "warrants/", "parole violation", "probation violation", "fail to register", "duty to register"),
        "orden de aprehension",
    ),
    # Whatever else is forbidden to have is found by a search.
    "possession": ("possession", "poss/", "posesion"),
}
#: A category with one of these words (as patterns) has a victim who reports it, whatever weapon was used or taken.
HAS_VICTIM = (
    *("assault", "battery", "robbery", "burglary(?! tools)", "homicide", "murder", "rape", "sexual", "theft"),
    *("shooting", "armed", "shoplifting", "larceny", "overdose", "hijacking", "carjacking", "kidnapping"),
    *("robo", "homicidio", "feminicidio", "lesiones", "violacion", "secuestro"),
)


def find_patrol_group(category: str) -> str | None:
    """Find what patrols find in incidents of this category, a key of `FOUND_BY_PATROLS`; None when victims report it.

    A guess from the name, which a reader has to check.
    """
    plain = unicodedata.normalize("NFKD", category).encode("ascii", "ignore").decode().casefold()
    plain = " ".join(re.split(r"[^a-z0-9]+", plain)).strip()
    if any(re.search(rf"\b{word}\b", plain) for word in HAS_VICTIM):
        return None
    for group, phrases in FOUND_BY_PATROLS.items():
        if any(_fits(phrase, plain) for phrase in phrases):
            return group
    return None


def _fits(phrase: str, plain: str) -> bool:
    if phrase.startswith("="):
        return plain == phrase[1:]
    pattern = rf"\b{re.escape(phrase[:-1])}\b" if phrase.endswith("/") else rf"\b{re.escape(phrase)}"
    return re.search(pattern, plain) is not None
