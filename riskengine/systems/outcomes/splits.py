"""Which rows a model learns from and which it is tested on: at random as published, forward in time, by incident, by
blocks of space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import OutcomeSplit
from ...contract.texts import count_text
from ...ground.errors import DataError
from .rows import MISSING, Rows

Ints = NDArray[np.int64]
Days = NDArray[np.datetime64]
#: Share that is tested, and metres that a square block is wide, where nothing else is asked for.
TESTED_SHARE, BLOCK_SIDE = 0.2, 1000.0
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, eq=False)
class Parts:
    """Positions of the rows that are learned from and tested; what is in neither is left out.

    Attributes
    ----------
    split : OutcomeSplit
    learned, tested : ndarray of int64
        In rising order.
    origin : datetime64[D]
        The test begins here; NaT where it is not forward in time.
    """

    split: OutcomeSplit
    learned: Ints
    tested: Ints
    origin: np.datetime64


def split_rows(
    rows: Rows,
    split: OutcomeSplit,
    test: float = TESTED_SHARE,
    maturity: int = 0,
    seed: int = 0,
    side: float = BLOCK_SIDE,
) -> Parts:
    """Share rows out.

    Parameters
    ----------
    rows : Rows
    split : OutcomeSplit
        ``random``: row by row. ``forward``: the last days are tested; rows without a day are left out. ``incident``:
        all rows of an incident number go together, and a row without one is an incident of its own. ``blocks``: all
        rows of a square of space go together; rows without a place are left out.
    test : float
        Share of the days, rows, incidents or blocks that is tested; from 1, the number of days at the end, and of
        other splits the share that these are of all days.
    maturity : int
        Of a split forward in time: days before its test whose outcomes are not known yet; they are learned from by
        none.
    seed : int
    side : float
        Of a block, metres.

    Raises
    ------
    DataError
        If nothing is left to learn from or to test, or rows lack what is shared out as one.
    """
    _check_possible(rows, split)
    first, last = find_span(rows.day)
    number = int((last - first) / _DAY) + 1 if not np.isnat(first) else 0
    if split == "forward":
        days = round(test) if test >= 1 else max(round(test * number), 1)
        origin = last + _DAY - days * _DAY
        parts = split_forward(rows.day, origin, maturity)
    else:
        share = test if test < 1 else test / max(number, 1)
        group, inside = number_groups(rows, split, side)
        groups = int(group.max(initial=-1)) + 1
        drawn = np.random.default_rng(seed).permutation(groups)[group] < round(share * groups)
        nowhen = np.datetime64("NaT", "D")
        parts = Parts(split, np.flatnonzero(inside & ~drawn), np.flatnonzero(inside & drawn), nowhen)
    if not len(parts.learned) or not len(parts.tested):
        raise DataError(
            f"{count_text(len(rows), 'incident')} of {count_text(number, 'day')} leave "
            f"{count_text(len(parts.learned), 'row')} to learn from and {count_text(len(parts.tested), 'row')} to test",
            parameter="test",
            value=test,
            remedy="Give more days of incidents, or lower TEST or MATURITY, the days left out before the test",
        )
    return parts


def _check_possible(rows: Rows, split: OutcomeSplit) -> None:
    """Refuse a split by what the rows do not have: it would be another one than it is called."""
    if split == "incident" and "incident" not in rows.texts:
        lack, remedy = "no field of the table says which rows are one incident", "choose it in ID_FIELD"
    elif split == "blocks" and not np.isfinite(rows.x).any():
        lack, remedy = "none of them has a place", "give a layer of points"
    else:
        return
    raise DataError(
        f"The incidents cannot be shared out so: {lack}",
        parameter="split",
        value=split,
        remedy=f"Share them out in another way, or {remedy}",
    )


def split_forward(day: Days, origin: np.datetime64, maturity: int = 0) -> Parts:
    """Test what happened from a day on, and learn from what happened more than `maturity` days before it."""
    learned = day < origin - maturity * _DAY
    return Parts("forward", np.flatnonzero(learned), np.flatnonzero(day >= origin), origin)


def find_span(day: Days) -> tuple[np.datetime64, np.datetime64]:
    """Find the first and the last day; NaT where there is none."""
    known = day[~np.isnat(day)].astype("datetime64[D]")
    if not len(known):
        return np.datetime64("NaT", "D"), np.datetime64("NaT", "D")
    return known.min(), known.max()


def number_groups(rows: Rows, split: OutcomeSplit, side: float = BLOCK_SIDE) -> tuple[Ints, NDArray[np.bool_]]:
    """Number what is shared out as one, and say which rows can be, each of shape (N,)."""
    everything = np.ones(len(rows), np.bool_)
    own = np.arange(len(rows), dtype=np.int64)
    if split == "incident" and "incident" in rows.texts:
        code = rows.texts["incident"].codes.astype(np.int64)
        key = np.where(code == MISSING, -1 - own, code)
        return np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64), everything
    if split == "blocks":
        inside = np.isfinite(rows.x) & np.isfinite(rows.y)
        cells = np.column_stack([np.floor(rows.x[inside] / side), np.floor(rows.y[inside] / side)])
        block = np.zeros(len(rows), np.int64)
        block[inside] = np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)
        return block, inside
    return own, everything
