"""Covariates in the file of a panel (see `maps.panelfile`): two tables more.

- ``covariates``: ``covariate`` ``name``, ``kind`` (``fixed`` or ``dated``), ``delay``, ``bins`` (how many,
  from the panel's first), ``filled`` (values that were filled from the past), ``source``, ``joined``, ``shuffled``;
- ``covariate_values``: ``covariate``, ``area`` (the fid of ``areas``), ``bin``, ``bins`` (how many it holds for),
  ``value``, ``filled``; of fixed ones ``bin`` and ``bins`` are empty. What is unknown has no row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bins import MAX_BINS
from .panel import Covariate, CovariateSource, Extras

COVARIATES, VALUES = "covariates", "covariate_values"
TABLES = (COVARIATES, VALUES)
FIXED, DATED = "fixed", "dated"


def has_covariates(database: sqlite3.Connection) -> bool:
    """Say whether a panel's file has the tables."""
    found = database.execute("SELECT count(*) FROM sqlite_master WHERE name IN (?, ?)", TABLES).fetchone()
    return bool(found[0] == len(TABLES))


def make_tables(database: sqlite3.Connection) -> None:
    """Make the two tables, empty."""
    database.execute(
        f"CREATE TABLE {COVARIATES} (covariate INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,"
        " delay INTEGER, bins INTEGER, filled INTEGER, source TEXT, joined TEXT, shuffled BOOLEAN)"
    )
    database.execute(
        f"CREATE TABLE {VALUES} (fid INTEGER PRIMARY KEY NOT NULL, covariate INTEGER NOT NULL, area INTEGER NOT NULL,"
        " bin INTEGER, bins INTEGER, value REAL NOT NULL, filled BOOLEAN)"
    )


def append_covariates(database: sqlite3.Connection, extras: Extras, fids: Sequence[int]) -> None:
    """Write fixed and dated covariates behind those that the tables hold; they replace those of the same name.

    Parameters
    ----------
    database : sqlite3.Connection
        With the tables.
    extras : Extras
        Of areas.
    fids : sequence of int, length N
        Of the areas, in the panel's order.
    """
    for name in (*extras.static_names, *(each.name for each in extras.covariates)):
        same = f"SELECT covariate FROM {COVARIATES} WHERE name = ?"
        database.execute(f"DELETE FROM {VALUES} WHERE covariate IN ({same})", (name,))
        database.execute(f"DELETE FROM {COVARIATES} WHERE name = ?", (name,))
    (number,) = database.execute(f"SELECT coalesce(max(covariate), -1) + 1 FROM {COVARIATES}").fetchone()
    places = np.asarray(fids, dtype=np.int64)
    for name, values in zip(extras.static_names, extras.static, strict=True):
        _describe(database, number, name, (FIXED, None, None, 0), extras)
        known = np.isfinite(values)
        rows = zip(places[known].tolist(), values[known].tolist(), strict=True)
        database.executemany(
            f"INSERT INTO {VALUES} (covariate, area, value) VALUES ({number}, ?, ?)",
            rows,
        )
        number += 1
    for each in extras.covariates:
        filled = np.zeros(each.values.shape, dtype=bool) if each.filled is None else each.filled
        _describe(database, number, each.name, (DATED, each.delay, len(each.values), int(filled.sum())), extras)
        where, when, bins = _find_runs(each.values, filled)
        columns = (places[where], when, bins, each.values[when, where], filled[when, where].astype(int))
        database.executemany(
            f"INSERT INTO {VALUES} (covariate, area, bin, bins, value, filled) VALUES ({number}, ?, ?, ?, ?, ?)",
            zip(*(column.tolist() for column in columns), strict=True),
        )
        number += 1


def _describe(
    database: sqlite3.Connection, number: int, name: str, said: tuple[str, int | None, int | None, int], extras: Extras
) -> None:
    source = extras.sources.get(name, CovariateSource())
    values = (number, name, *said, source.layer, source.joined, int(source.shuffled))
    database.execute(f"INSERT INTO {COVARIATES} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def _find_runs(
    values: NDArray[np.float32], filled: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find the runs of one value in one area: area, first bin, number of bins; none of what is unknown."""
    across, flags = values.T, filled.T
    changes = np.ones(across.shape, dtype=bool)
    changes[:, 1:] = (across[:, 1:] != across[:, :-1]) | (flags[:, 1:] != flags[:, :-1])
    where, when = np.nonzero(changes)
    # The next run begins in this area, or this one ends with the last bin.
    following = np.r_[when[1:], 0]
    same = np.r_[where[1:] == where[:-1], False]
    bins = np.where(same, following, across.shape[1]) - when
    known = np.isfinite(across[where, when])
    return where[known], when[known], bins[known]


def read_covariates(database: sqlite3.Connection, fids: Sequence[int]) -> Extras:
    """Read what `append_covariates` wrote; nothing where a file has none.

    Raises
    ------
    ValueError
        If the tables are damaged.
    """
    if not has_covariates(database):
        return Extras()
    static, names, dated, sources = [], [], [], {}
    described = database.execute(
        f"SELECT covariate, name, kind, delay, bins, source, joined, shuffled FROM {COVARIATES} ORDER BY covariate"
    ).fetchall()
    for number, name, kind, delay, bins, layer, joined, shuffled in described:
        where, when, length, value, flag = _read_values(database, number, fids)
        if kind == FIXED:
            column = np.full(len(fids), np.nan, dtype=np.float32)
            column[where] = value
            static.append(column)
            names.append(str(name))
        else:
            if not 0 <= bins <= MAX_BINS:
                raise ValueError(f"the bins of {name} are {bins}")
            first, length = when.astype(np.int64), length.astype(np.int64)
            if (first < 0).any() or (length < 1).any() or (first + length > bins).any():
                raise ValueError(f"values of {name} lie outside its bins")
            rows = np.repeat(first - np.cumsum(length) + length, length) + np.arange(int(length.sum()))
            columns = np.repeat(where, length)
            values = np.full((bins, len(fids)), np.nan, dtype=np.float32)
            filled = np.zeros(values.shape, dtype=bool)
            values[rows, columns] = np.repeat(value, length)
            filled[rows, columns] = np.repeat(flag.astype(bool), length)
            dated.append(Covariate(str(name), values, int(delay), filled))
        sources[str(name)] = CovariateSource(layer or "", joined or "", bool(shuffled))
    if len(sources) != len(described):
        raise ValueError("two covariates have one name")
    fixed = np.stack(static) if static else np.zeros((0, len(fids)), dtype=np.float32)
    return Extras(static=fixed, static_names=tuple(names), covariates=tuple(dated), sources=sources)


def _read_values(database: sqlite3.Connection, number: int, fids: Sequence[int]) -> tuple[NDArray[Any], ...]:
    rows = database.execute(
        f"SELECT area, coalesce(bin, 0), coalesce(bins, 0), value, coalesce(filled, 0) FROM {VALUES}"
        " WHERE covariate = ? ORDER BY fid",
        (number,),
    ).fetchall()
    table = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    known = np.asarray(fids)
    order = np.argsort(known)
    place = np.searchsorted(known[order], table[0]).clip(0, len(known) - 1)
    if (known[order][place] != table[0]).any() or not np.isfinite(table).all():
        raise ValueError("a covariate has values of no area, or none at all")
    return order[place], *table[1:]
