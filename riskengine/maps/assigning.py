"""Which unit each incident is given to: by its place, or by a column that names it; and what does not fit is said."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text, list_names, part_text, show_name
from ..contract.units import noun_of
from ..ground.context import JobContext
from ..intake.incidents import Incidents, NamedAreas
from .segments import Segments
from .shapes import Shapes, take_first

#: Ids that are whole numbers come with a decimal from columns of numbers.
_WHOLE = re.compile(r"(-?\d+)\.0+")
_NAMED = 5


@dataclass(frozen=True)
class Assigned:
    """The unit of each incident.

    Attributes
    ----------
    unit : ndarray of int64, shape (N,)
        -1 for none.
    reason : ndarray of str objects, shape (N,)
        Why it has none; empty where it has one.
    disagreeing : float
        Share of the incidents whose column and place both name a unit that have two different ones; 0 where no column
        was asked.
    """

    unit: NDArray[np.int64]
    reason: NDArray[np.object_]
    disagreeing: float = 0.0


def assign_by_place(incidents: Incidents, support: Shapes, context: JobContext) -> Assigned:
    """Give each incident to the area that it lies in, or to the nearest segment."""
    pairs = support.match(incidents.x, incidents.y)
    unit = take_first(pairs, len(incidents))
    shared = int((np.bincount(pairs[0], minlength=len(incidents)) > 1).sum())
    near = isinstance(support, Segments)
    if shared:
        where = "is equally near to several segments" if near else "lies on a border or where areas overlap"
        many = where.replace("is equally", "are equally").replace("lies on", "lie on")
        context.log(
            f"{part_text(shared, len(incidents), 'incident', where, many)}, and"
            f" {'counts' if shared == 1 else 'count'} once, in the one that comes first in the layer"
        )
    far = f"farther than {support.tolerance:g} m from every line" if isinstance(support, Segments) else "in no area"
    return Assigned(unit, np.where(unit < 0, far, "").astype(object))


def assign_by_column(incidents: Incidents, named: NamedAreas, support: Shapes, context: JobContext) -> Assigned:
    """Give each incident to the unit that its column names, and say how often its place says otherwise."""
    number = {_normalise(name): place for place, name in enumerate(support.ids)}
    # The last is that of an empty column.
    known = np.array([*(number.get(_normalise(name), -1) for name in named.names), -1], dtype=np.int64)
    unit = known[named.code]
    empty, unknown = named.code < 0, (named.code >= 0) & (unit < 0)
    noun = noun_of(support.kind)
    reason = np.where(empty, "its area column is empty", np.where(unknown, f"its area column names no {noun}", ""))
    if unknown.any():
        codes, times = np.unique(named.code[unknown], return_counts=True)
        order = np.argsort(-times, kind="stable")
        names = [named.names[code] for code in codes[order]]
        context.warn(
            f"{part_text(int(unknown.sum()), len(incidents), 'incident', 'names', 'name')} an area that the layer does"
            f" not have: {list_names(names, _NAMED)}"
        )
    share = _compare(unit, take_first(support.match(incidents.x, incidents.y), len(incidents)), support, context)
    return Assigned(unit, reason.astype(object), share)


def _compare(unit: NDArray[np.int64], place: NDArray[np.int64], support: Shapes, context: JobContext) -> float:
    noun = noun_of(support.kind)
    both = (unit >= 0) & (place >= 0)
    apart = np.flatnonzero(both & (unit != place))
    share = len(apart) / max(int(both.sum()), 1)
    if len(apart):
        first = [show_name(support.ids[each[apart[0]]]) for each in (unit, place)]
        lie = part_text(len(apart), int(both.sum()), "incident", "lies", "lie")
        context.warn(
            f"{lie} in another {noun} than {'its' if len(apart) == 1 else 'their'} column says ({share:.1%}; the first"
            f" names {first[0]} and lies in {first[1]}). The column decides: published places are often moved"
        )
    outside = int(((unit >= 0) & (place < 0)).sum())
    if outside:
        context.log(
            f"{count_text(outside, 'incident lies', 'incidents lie')} in no {noun}, and"
            f" {'counts' if outside == 1 else 'count'} where {'its' if outside == 1 else 'their'} column says"
        )
    return share


def _normalise(name: str) -> str:
    text = name.strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text
