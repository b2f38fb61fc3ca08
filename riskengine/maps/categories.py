"""Categories of incidents: which are counted, and what they are called."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from ..contract.texts import count_text, list_names, part_text, replace_controls, show_name
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..intake.incidents import NO_CATEGORY, Incidents
from .bins import Times, locate
from .panelfile import OWN_COLUMNS

#: More categories than this are not named.
MAX_NAMED = 40
#: Categories that a sentence names.
_LISTED = 20
#: The category of incidents without one.
WITHOUT = "(no category)"
#: All categories that have no column of their own.
OTHERS = "(other)"


def name_missing(incidents: Incidents, context: JobContext) -> Incidents:
    """Give incidents without a category the category `WITHOUT`, where others have one."""
    missing = incidents.category == NO_CATEGORY
    if not incidents.categories or not missing.any():
        return incidents
    codes = [code for code, name in enumerate(incidents.categories) if name.casefold() == WITHOUT]
    same = int(np.isin(incidents.category, codes).sum())
    if same:
        context.warn(
            f"{count_text(same, 'incident has', 'incidents have')} the category {WITHOUT!r}: "
            f"{'it is' if same == 1 else 'they are'} counted with the "
            f"{count_text(int(missing.sum()), 'that has', 'that have')} none"
        )
    code = codes[0] if codes else len(incidents.categories)
    categories = incidents.categories if codes else [*incidents.categories, WITHOUT]
    return replace(incidents, category=np.where(missing, code, incidents.category), categories=categories)


def find_chosen(incidents: Incidents, wanted: list[str], context: JobContext) -> NDArray[np.bool_]:
    """Find the incidents of the categories that are wanted, by default all; say how many others are not counted.

    Raises
    ------
    DataError
        If no incident has one of them.
    """
    if not wanted:
        return np.ones(len(incidents), dtype=bool)
    chosen = find_named(incidents, wanted)
    left_out = int((~chosen).sum())
    if left_out == len(incidents):
        raise DataError(
            f"No incident that can be used has category {list_names(wanted, _LISTED)}",
            parameter="categories",
            value=wanted[0],
            remedy="Choose other categories, or look at the refused features",
        )
    if left_out:
        is_another, are_others = "has another category, or none, and is", "have another category, or none, and are"
        context.log(f"{part_text(left_out, len(incidents), 'incident', is_another, are_others)} not counted")
    return chosen


def find_named(incidents: Incidents, wanted: Sequence[str], parameter: str = "categories") -> NDArray[np.bool_]:
    """Find the incidents of categories, which are all to be among those of the layer.

    Raises
    ------
    DataError
        If one is not.
    """
    # Police files write one category in several cases; all of them are meant.
    names = [name.casefold() for name in incidents.categories]
    missing = [name for name in wanted if name.casefold() not in names]
    if missing:
        some = list_names(sorted(incidents.categories), _LISTED)
        near = find_near(missing[0], incidents.categories)
        meant = f"Perhaps {list_names([near])} is meant. " if near else ""
        raise DataError(
            f"No incident has category {list_names(missing, _LISTED)}",
            parameter=parameter,
            value=missing[0],
            remedy=f"{meant}Choose from: {some}",
        )
    folded = {name.casefold() for name in wanted}
    return np.isin(incidents.category, [code for code, name in enumerate(names) if name in folded])


def find_near(name: str, categories: Sequence[str]) -> str:
    """Find the category whose name is nearest to one that is not there; empty where none is near."""
    folded = {each.casefold(): each for each in categories}
    return next((folded[each] for each in difflib.get_close_matches(name.casefold(), folded, 1)), "")


def list_present(incidents: Incidents) -> dict[str, list[int]]:
    """Codes of the categories that are there; one entry for all spellings that differ in case."""
    codes: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for code in np.unique(incidents.category[incidents.category != NO_CATEGORY]).tolist():
        name = names.setdefault(incidents.categories[code].casefold(), incidents.categories[code])
        codes.setdefault(name, []).append(code)
    return codes


def list_recorded(incidents: Incidents) -> list[str]:
    """The categories that are counted, sorted, as the stack names them; none where they cannot all be named.

    Which incidents a filter left out is not known here: that all categories were counted is never said.
    """
    names = sorted(list_present(incidents))
    unnamed = any(not name or replace_controls(name) != name for name in names)
    return [] if unnamed or len(names) > MAX_NAMED else names


def count_by_category(
    incidents: Incidents,
    unit: NDArray[np.int64],
    shape: tuple[int, ...],
    edges: Times,
    context: JobContext,
) -> dict[str, csr_array]:
    """Count the incidents of each category, by the name of its column; none where there are no categories.

    The `MAX_NAMED` most frequent have a column each, all others are counted together as `OTHERS`.

    Parameters
    ----------
    incidents : Incidents
    unit : ndarray of int64
        The number of each one's unit; -1 for none.
    shape : (T, N)
        Bins and units.
    edges : ndarray of datetime64[s]
    context : JobContext
    """
    codes = list_present(incidents)
    if not codes:
        return {}
    frequent = sorted(codes, key=lambda name: (-int(np.isin(incidents.category, codes[name]).sum()), name))
    column = np.full(len(incidents.categories) + 1, min(len(frequent), MAX_NAMED), dtype=np.int64)
    for number, name in enumerate(frequent[:MAX_NAMED]):
        column[codes[name]] = number
    named = choose_columns(frequent[:MAX_NAMED])
    if len(frequent) > MAX_NAMED:
        rest = frequent[MAX_NAMED:]
        context.warn(
            f"There are {count_text(len(frequent), 'category', 'categories')}; the {MAX_NAMED} most frequent have a"
            f" column each, and {list_names(rest, 3)} are counted together as {OTHERS}"
        )
        named = [*named, OTHERS]
    when = locate(incidents.time, edges)
    mine = column[incidents.category]
    made = {}
    for number, name in enumerate(named):
        rows = (mine == number) & (unit >= 0) & (when >= 0)
        made[name] = csr_array(coo_array((np.ones(int(rows.sum()), dtype=np.int64), (when[rows], unit[rows])), shape))
    return made


def choose_columns(names: Sequence[str]) -> list[str]:
    """Choose a column's name for each category: its own if possible, on one line, unlike all others, case or not."""
    taken = {each.casefold() for each in OWN_COLUMNS}
    made = []
    for name in names:
        plain = show_name(name)
        number, unique = 1, plain
        while unique.casefold() in taken:
            number += 1
            unique = f"{plain} {number}"
        taken.add(unique.casefold())
        made.append(unique)
    return made
