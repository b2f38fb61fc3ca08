"""What else must be hidden of a published table, so that a hidden cell is not the difference of what is shown."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import HIDDEN_BELOW
from .places import Groups, Ints
from .rows import Floats

#: A total, or None where it is known though no table has it, and the cells that it is the sum of; all by position.
Line = tuple[int | None, Ints]


def find_derivable(outcomes: Floats, hidden: NDArray[np.bool_], lines: Iterable[Line]) -> NDArray[np.bool_]:
    """Find what must be hidden in all, shape (M,): what is hidden already, and as little more as each line needs.

    Of each line either nothing is hidden, or two and more, and of hidden cells whose total is shown `HIDDEN_BELOW`
    outcomes together at least. Cells of the fewest outcomes are hidden first, and the total where no cell is left.

    Parameters
    ----------
    outcomes : ndarray of float64, shape (M,)
        Of cells and totals.
    hidden : ndarray of bool, shape (M,)
    lines : iterable of Line
    """
    found, known = hidden.copy(), list(lines)
    while True:
        before = int(found.sum())
        for total, cells in known:
            _hide_line(outcomes, found, total, cells)
        if found.sum() == before:
            return found


def _hide_line(outcomes: Floats, hidden: NDArray[np.bool_], total: int | None, cells: Ints) -> None:
    for cell in cells[np.argsort(outcomes[cells], kind="stable")]:
        if _is_safe(outcomes, hidden, total, cells):
            return
        hidden[cell] = True
    if total is not None and not _is_safe(outcomes, hidden, total, cells):
        hidden[total] = True


def _is_safe(outcomes: Floats, hidden: NDArray[np.bool_], total: int | None, cells: Ints) -> bool:
    gone = cells[hidden[cells]]
    if total is not None and hidden[total]:
        return len(gone) > 0 or not len(cells)
    return not len(gone) or (len(gone) > 1 and outcomes[gone].sum() >= HIDDEN_BELOW)


def list_lines(categories: Groups, areas: Groups, cells: Groups, many: int) -> list[Line]:
    """List the lines of a table of categories, areas and their cells, numbered in this order.

    The codes of cells are those of their area times `many`, plus those of their category.
    """
    first, begin = len(categories), len(categories) + len(areas)
    lines: list[Line] = [
        (place, begin + np.flatnonzero(cells.codes % many == code))
        for place, code in enumerate(categories.codes.tolist())
    ]
    lines += [
        (first + place, begin + np.flatnonzero(cells.codes // many == code))
        for place, code in enumerate(areas.codes.tolist())
    ]
    if len(areas):
        # Both sums are that of all incidents.
        lines += [(None, np.arange(first)), (None, np.arange(first, begin))]
    return lines
