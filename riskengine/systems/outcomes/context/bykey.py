"""Joining by key: rows of the community area, district or code of an incident."""

from __future__ import annotations

import numpy as np

from ....contract.texts import list_names, part_text, show_name
from ....contract.tools.joincontext import JoinContext
from ....ground.context import JobContext
from .choosing import find_keys, name_first_text, require_keys
from .matching import match_keys
from .tables import AnyTable
from .times import require_columns
from .way import INCIDENTS, NAMED, TABLE, Way, say_idle, say_joined, say_without


def join_by_key(parameters: JoinContext, incidents: AnyTable, table: AnyTable, context: JobContext) -> Way:
    """Join by the columns that are named, or those that hold the same key.

    Raises
    ------
    ParameterError
        If a column is not there, or none was found.
    """
    own = require_columns(incidents, [parameters.key_field] if parameters.key_field else [], "key_field", INCIDENTS)
    other = require_columns(table, [parameters.key_column] if parameters.key_column else [], "key_column", TABLE)
    keys = find_keys(incidents, table, own[0] if own else None, other[0] if other else None)
    keys = require_keys(keys, parameters, incidents, table)
    mine, theirs = incidents.code(keys.incidents), table.code(keys.table)
    match = match_keys(mine, theirs)
    said = f"by key: {show_name(keys.table)} = {show_name(keys.incidents)}"
    say_joined(match, said, context)
    codes, labels = mine
    blank = np.array([*(not label.strip() for label in labels), True])[codes]
    named = show_name(keys.incidents)
    say_without(int(blank.sum()), len(codes), f"has no {named}", f"have no {named}", context)
    strange = (match.incident < 0) & ~blank
    if strange.any():
        several, number = np.unique(codes[strange], return_counts=True)
        order = np.argsort(-number, kind="stable")
        each = [f"{show_name(labels[several[place]])} ({number[place]:,} times)" for place in order]
        unknown = f"{named} of which the table has no row, {list_names(each, NAMED)}"
        say_without(int(strange.sum()), len(codes), f"has a {unknown}", f"have a {unknown}", context)
    keyless = np.flatnonzero(match.row < 0).tolist()
    if keyless:
        names = [*name_first_text(table, keyless[:NAMED], [keys.table]), *keyless[NAMED:]]
        has = "has no key and is", "have no key and are"
        context.log(f"{part_text(len(keyless), len(table), 'row', *has)} left out: {list_names(names, NAMED)}")
    rows = np.flatnonzero(match.row >= 0)
    first = rows[np.unique(match.row[rows], return_index=True)[1]]
    called = [theirs[1][code] for code in theirs[0][first]]
    say_idle(match, called, "key", context)
    return Way(match, (keys.table,), said, "key", called)
