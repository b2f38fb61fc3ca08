"""Who told the police: victims and others, or the police themselves, who find an offence mostly with its offender."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import BY_DEFINITION, BY_DEFINITION_LEAST, Reported, TextRole
from ...intake.patrols import find_patrol_group
from .rows import MISSING, Coded, Rows

#: Beginnings of categories that nobody reports as a victim, beside those that patrols find wherever they go
#: (`intake.patrols`): mostly what is forbidden by itself, and what is no crime of its own.
_FOUND = re.compile(
    r"\b(?:trespass|trea\b|obscen|pornograph|other offen[cs]e|other crime|miscellaneous offen[cs]e|non criminal"
    r"|noncriminal|allanamiento sin|hausfriedensbruch|sonstige (?:delikte|straftaten))"
)
#: What is mostly an arrest on the spot though somebody reports it: thieves held by shops, officers as victims.
_HELD = re.compile(
    r"\b(?:retail theft|shoplift|theft from shops?|ladendiebstahl|robo en tienda|vol a l etalage"
    r"|(?:agg|aggravated) po\b|po hands|police officers?|peace officers?|executive officers?"
    r"|(?:battery|assault) (?:of|on) (?:an? )?officers?|pro emp|protected employee"
    r"|policias?\b|agentes? de la autoridad|polizeibeamt|vollstreckungsbeamt)"
)
#: Texts that say that somebody was arrested, whatever else they say; to resist an arrest is an offence by itself.
_SAID = re.compile(
    r"\b(?:arrest(?:ed)? made|arrested|cleared by arrest|by arrest|(?<!resist )(?<!resisting )arrest"
    r"|suspect charged|in custody|detenid[oa]s?|festgenommen)\b"
)
_NOT_SAID = re.compile(r"\b(?:no|not|without|sin|ohne) (?:an? )?(?:arrest|detenid|festnahme|suspect)")


def reduce_words(text: str) -> str:
    """Reduce a text to its words: without accents, signs and capitals."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return " ".join(re.split(r"[^a-z0-9]+", plain)).strip()


def propose_found(categories: Iterable[str]) -> list[str]:
    """Propose the categories that police discover, by their words, in the order given.

    Parameters
    ----------
    categories : iterable of str

    Examples
    --------
    >>> propose_found(["THEFT", "NARCOTICS", "CRIMINAL TRESPASS", "Possession of weapons", "ROBBERY"])
    ['NARCOTICS', 'CRIMINAL TRESPASS', 'Possession of weapons']
    """
    return [each for each in categories if find_patrol_group(each) or _FOUND.search(reduce_words(each))]


def says_outcome(text: str) -> bool:
    """Whether a text says that somebody was arrested, as ``BURGLARY, VEHICLE (ARREST MADE)`` does."""
    plain = reduce_words(text)
    return _SAID.search(plain) is not None and _NOT_SAID.search(plain) is None


def is_held(text: str) -> bool:
    """Whether a category or description is mostly an arrest on the spot: shoplifting, officers as victims."""
    return _HELD.search(reduce_words(text)) is not None


def choose_rows(rows: Rows, found: Collection[str], reported: Reported) -> NDArray[np.bool_]:
    """Choose the rows that a figure is of, shape (N,).

    By names alone, so that nothing is learned from what happened: without the categories that police discover
    (``victims``), and without shoplifting, officers as victims and descriptions that say the outcome (``strict``).

    Parameters
    ----------
    rows : Rows
    found : collection of str
        Categories, however their capitals are.
    reported : {"all", "victims", "strict"}
    """
    chosen = np.ones(len(rows), dtype=bool)
    if reported == "all":
        return chosen
    known = {each.casefold() for each in found}
    category = rows.texts.get("category")
    if category is not None:
        chosen &= ~mark_rows(category, lambda label: label.casefold() in known)
    if reported == "strict":
        for role in ("category", "description"):
            coded = rows.texts.get(role)
            if coded is not None:
                chosen &= ~mark_rows(coded, lambda label: is_held(label) or says_outcome(label))
        if rows.told is not None:
            chosen &= ~rows.told
    return chosen


def leave_out_told(rows: Rows) -> Rows:
    """Leave out the descriptions that say the outcome: a model takes such rows as its category alone says."""
    description = rows.texts.get("description")
    if description is None or not any(map(says_outcome, description.labels)):
        return rows
    told = mark_rows(description, says_outcome)
    codes = np.where(told, np.int32(MISSING), description.codes)
    return replace(rows, texts={**rows.texts, "description": Coded(codes, description.labels)}, told=told)


def find_definitions(rows: Rows) -> list[str]:
    """Find the descriptions that are the outcome by definition, as these rows have it, the most frequent first.

    Of rows without descriptions, the categories.
    """
    coded = rows.texts.get(choose_described(rows))
    if coded is None:
        return []
    there, many = coded.codes != MISSING, len(coded.labels)
    number = np.bincount(coded.codes[there], minlength=many)
    events = np.bincount(coded.codes[there & rows.outcomes], minlength=many)
    sure = np.flatnonzero((number >= BY_DEFINITION_LEAST) & (events >= BY_DEFINITION * number))
    return [coded.labels[n] for n in sure[np.argsort(-number[sure], kind="stable")]]


def mark_definitions(rows: Rows, definitions: Collection[str]) -> NDArray[np.bool_]:
    """Mark the rows that have one of these descriptions, or categories where there are no descriptions, shape (N,)."""
    coded = rows.texts.get(choose_described(rows))
    return np.zeros(len(rows), dtype=bool) if coded is None else mark_rows(coded, set(definitions).__contains__)


def choose_described(rows: Rows) -> TextRole:
    """Choose the role that says most closely what happened."""
    return "description" if "description" in rows.texts else "category"


def mark_rows(coded: Coded, fits: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Mark the rows whose label fits, shape (N,); those without one do not."""
    by_code = np.array([*map(fits, coded.labels), False], dtype=bool)
    return by_code[np.where(coded.codes == MISSING, len(coded.labels), coded.codes)]
