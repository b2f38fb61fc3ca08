"""Which fields of a table of incidents hold what: named by the user, or found by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...contract.fieldnames import find_field
from ...contract.outcomes import TextRole
from ...contract.texts import list_names, show_name
from ...contract.tools.outcomes import ReadsOutcomes
from ...ground.errors import ParameterError
from ...intake.profiles import choose_profile, reduce_name
from ...intake.repeats import is_id_name
from .reported import reduce_words

#: Names by role as `reduce_name` writes them, the likeliest first: of exports of police, and of layers made from them.
NAMES: Mapping[str, tuple[str, ...]] = {
    "category": (
        *("primarytype", "category", "crimetype", "incidentcategory", "offensecategory", "offencecategory"),
        *("crimecategory", "offensetype", "offencetype", "offense", "offence", "crime", "delito", "categoria"),
        *("categoriadelito", "tipodelito", "delikt", "deliktsgruppe", "straftat", "type", "tipo"),
    ),
    "description": (
        *("description", "descript", "incidentdescription", "offensedescription", "offencedescription"),
        *("crimedescription", "incidentsubcategory", "subcategory", "offensesubtype", "secondarytype", "crmcddesc"),
        *("descripcion", "modalidad", "subtipo", "subtipodelito", "beschreibung", "desc"),
    ),
    "location": (
        *("locationdescription", "locationtype", "premisetype", "premisestype", "premisdesc", "premtypdesc"),
        *("premise", "premises", "lugar", "tipolugar", "tipodelugar", "tatort", "tatortlichkeit"),
    ),
    "domestic": ("domestic", "domesticviolence", "isdomestic", "violenciafamiliar", "violenciadomestica"),
    "area": (
        *("communityarea", "communityareanumber", "pddistrict", "policedistrict", "neighborhood", "neighbourhood"),
        *("district", "precinct", "ward", "beat", "borough", "boro", "lsoacode", "lsoaname", "colonia", "alcaldia"),
        *("barrio", "comuna", "stadtteil", "bezirk", "areaname", "area", "division", "sector", "zone"),
    ),
    "block": (
        *("block", "blockaddress", "hundredblock", "streetblock", "address", "streetaddress", "location", "street"),
        *("streetname", "direccion", "calle", "adresse", "strasse"),
    ),
    "x": ("longitude", "lon", "lng", "long", "longitud", "x"),
    "y": ("latitude", "lat", "latitud", "y"),
}
#: Names of fields that say what became of an incident, the likeliest first; and words in such names.
OUTCOME_NAMES = (
    *("arrest", "arrested", "arrestmade", "resolution", "clearance", "clearancestatus", "clearedbyarrest", "cleared"),
    *("disposition", "casedisposition", "lastoutcomecategory", "lastoutcome", "outcome", "outcometype"),
    "outcomecategory",
    *("clearancetype", "clearancecode", "casestatus", "statusdesc", "status", "detenido", "detencion", "situacion"),
    *("estatus", "aufgeklart", "geklart", "festnahme"),
)
_OUTCOME_WORDS = re.compile(
    r"\b(?:arrest|resolution|dispos|clear(?:ed|ance)|outcome|charged|booked|convict|sentence|detenid|detencion"
    r"|judicializ|consignad|sentencia|aufgeklart|geklart|festnahme|case status|status)"
)
_TITLES = {
    "outcome": "outcome",
    "time": "time",
    "category": "category",
    "description": "description",
    "location": "kind of location",
    "domestic": "domestic",
    "area": "area",
    "block": "block or address",
    "incident": "incident number",
}
_ROLES: tuple[TextRole, ...] = ("category", "description", "location", "domestic", "area", "block", "incident")


@dataclass(frozen=True)
class RoleFields:
    """Fields by role, and what is said of them.

    Attributes
    ----------
    texts : dict of TextRole to str
        Of the roles that the table has.
    outcome : tuple of str
        What may say the outcome, the likeliest first; the one that the user named alone.
    time : tuple of str
        What the user named, or a known format does; empty where it must be told by what the fields hold.
    date_order : str or None
        The habit of a known format.
    x, y : str
        Of coordinates, where the table has no geometries; empty for none.
    found : frozenset of str
        Roles whose field nobody named.
    """

    texts: Mapping[TextRole, str]
    outcome: tuple[str, ...]
    time: tuple[str, ...]
    date_order: str | None
    x: str
    y: str
    found: frozenset[str]

    def describe(self, outcome: str, time: Sequence[str]) -> str:
        """Describe which field is what, and what was found by its name."""
        taken = {"outcome": [outcome] if outcome else [], "time": list(time)}
        taken |= {role: [name] for role, name in self.texts.items()}
        said = [
            f"{_TITLES[role]} {' and '.join(map(show_name, names))}"
            for role, names in taken.items()
            if names and role in self.found
        ]
        missing = [_TITLES[role] for role in _ROLES if role not in self.texts]
        sentences = [f"Found by their names: {', '.join(said)}"] if said else []
        if missing:
            sentences.append(f"No field is called {_join(missing)}")
        return ". ".join(sentences)


def find_fields(parameters: ReadsOutcomes, names: Sequence[str], shaped: bool) -> RoleFields:
    """Find the fields of all roles among those of a table.

    Parameters
    ----------
    parameters : ReadsOutcomes
    names : sequence of str
        Of the table's fields.
    shaped : bool
        It has geometries, so that no coordinates are looked for.

    Raises
    ------
    ParameterError
        If a field that the user named is not there.
    """
    named = {role: _require(getattr(parameters, _key(role)), _key(role), names) for role in _TITLES}
    taken = {name for name in named.values() if name}
    category, time, order = _ask_profile(names)
    free = [name for name in names if name not in taken]
    texts: dict[TextRole, str] = {}
    for role in _ROLES:
        found = named[role] or _find_role(role, free, category)
        if found:
            texts[role] = found
            free = [name for name in free if name != found]
    if "category" not in texts and "description" in texts and not named["description"]:
        # What is described by one text alone is of that category.
        texts["category"] = texts.pop("description")
    outcome = (named["outcome"],) if named["outcome"] else tuple(_find_all(OUTCOME_NAMES, free))
    found_x, found_y = ("", "") if shaped else (_first(NAMES[axis], free) for axis in "xy")
    return RoleFields(
        {role: texts[role] for role in _ROLES if role in texts},
        outcome,
        (named["time"],) if named["time"] else tuple(name for name in time if name not in taken),
        order,
        found_x,
        found_y,
        frozenset(role for role, name in named.items() if not name),
    )


def names_outcome(name: str) -> bool:
    """Whether a field's name says that it holds what became of an incident."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return reduce_name(name) in OUTCOME_NAMES or _OUTCOME_WORDS.search(reduce_words(apart)) is not None


def _key(role: str) -> str:
    return "id_field" if role == "incident" else f"{role}_field"


def _require(name: str | None, parameter: str, names: Sequence[str]) -> str:
    if not name:
        return ""
    found = find_field(name, names)
    if found is None:
        raise ParameterError(
            f"The table has no field {show_name(name)}",
            parameter=parameter,
            value=name,
            remedy=f"Choose from: {list_names(names, 40)}",
        )
    return found


def _ask_profile(names: Sequence[str]) -> tuple[str, tuple[str, ...], str | None]:
    """Category, time and order of dates of the known format that has these fields."""
    try:
        profile, variant = choose_profile(names)
    except ParameterError:
        return "", (), None
    by_reduced = {reduce_name(name): name for name in reversed(names)}
    order = variant.date_order or profile.date_order
    return (
        by_reduced.get(reduce_name(variant.category or ""), ""),
        tuple(found for name in variant.time if (found := by_reduced.get(reduce_name(name)))),
        None if order == "auto" else order,
    )


def _find_role(role: TextRole, names: Sequence[str], category: str) -> str:
    if role == "incident":
        return next((name for name in names if is_id_name(name)), "")
    return category if role == "category" and category in names else _first(NAMES[role], names)


def _first(wanted: Iterable[str], names: Sequence[str]) -> str:
    return next(iter(_find_all(wanted, names)), "")


def _find_all(wanted: Iterable[str], names: Sequence[str]) -> list[str]:
    by_reduced = {_fold(name): name for name in reversed(names)}
    return [by_reduced[each] for each in wanted if each in by_reduced]


def _fold(name: str) -> str:
    return reduce_words(name).replace(" ", "")


def _join(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
