"""The places of a catch: the cells or areas to go to in a window, as many as can be covered, and their table.

Those come first where most is expected for what they cost, as `riskengine.measures.places` flags them; but a table has
whole units alone: the last area, which a test counts in part, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.aims import Catch
from ...ground.tables import Chunk, Geometry, write_table
from ...maps.grid import Grid
from ...maps.panel import Panel
from ...maps.shapes import Shapes
from ...measures.places import choose_units


@dataclass(frozen=True)
class Chosen:
    """The places of one window, in the order of their ranks; M of them.

    Attributes
    ----------
    start, end : datetime64
        Of the window, half-open.
    units : ndarray of int, shape (M,)
        Their numbers, in the order of a flat array.
    expected, km2 : ndarray, shape (M,)
        Expected incidents, and size; of segments km.
    share, expected_share : ndarray, shape (M,)
        Of the whole area and of all expected incidents, what each and those before it hold.
    before : ndarray of int, shape (M,)
        Incidents there in all of the history.
    total : float
        Incidents that are expected anywhere.
    more : mapping of str to ndarray of shape (M,)
        Further fields of the table.
    """

    start: np.datetime64
    end: np.datetime64
    units: NDArray[np.int64]
    expected: NDArray[np.float64]
    km2: NDArray[np.float64]
    share: NDArray[np.float64]
    expected_share: NDArray[np.float64]
    before: NDArray[np.int64]
    total: float
    more: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def choose_places(
    expected: NDArray[np.floating], history: Panel, catch: Catch, start: np.datetime64, end: np.datetime64
) -> Chosen:
    """Choose the places of a window, as `riskengine.measures.places.choose_units` has it, and say what each holds.

    Parameters
    ----------
    expected : ndarray, shape (...)
        Incidents expected in the window; NaN outside the study area.
    history : Panel
        What was known when it was made.
    """
    units = choose_units(expected, history, catch)
    wanted, size = np.asarray(expected, dtype=np.float64).ravel(), history.support.measure_km().ravel()
    inside = history.mask.ravel()
    whole = float(wanted[inside].sum())
    return Chosen(
        start,
        end,
        units,
        wanted[units],
        size[units],
        np.cumsum(size[units]) / size[inside].sum(),
        np.cumsum(wanted[units]) / whole if whole else np.zeros(len(units)),
        count_before(history).ravel()[units],
        whole,
    )


def count_before(history: Panel) -> NDArray[np.int64]:
    """Count the incidents of each unit in all observed bins of a history, of the shape of the units."""
    counts = history.counts if history.observed.all() else history.counts[history.observed]
    return np.asarray(counts.sum(axis=0, dtype=np.int64))


def write_chosen(path: str, fields: Mapping[str, str], chosen: Iterable[Chosen], panel: Panel) -> int:
    """Write the places of windows as polygons, the first rank of the first window first; returns how many rows.

    Parameters
    ----------
    path : str
    fields : mapping of str to str
        As the tool declares them: rank, id, name, start, end, expected, km2, share, expected_share, before, and those
        that each `Chosen.more` holds.
    """

    def chunks() -> Iterator[Chunk]:
        for each in chosen:
            ids, names, shapes, _ = _describe_units(panel, each.units)
            number = len(each.units)
            values: dict[str, Any] = {
                "rank": np.arange(1, number + 1),
                "id": ids,
                "name": names,
                "start": np.full(number, each.start),
                "end": np.full(number, each.end),
                "expected": each.expected,
                # A segment has a length instead.
                "km2": np.full(number, np.nan) if panel.support.kind == "segments" else each.km2,
                "share": each.share,
                "expected_share": each.expected_share,
                "before": each.before,
                **each.more,
            }
            yield Chunk([values[name] for name in fields], shapes=shapes)

    geometry = _describe_units(panel, np.zeros(0, dtype=np.int64))[-1]
    return write_table(path, fields, chunks(), geometry, panel.support.crs, "places")


def list_ids(panel: Panel, units: NDArray[np.int64]) -> list[str]:
    """List the ids of units as the table has them: cells by row and column, from 1, the north-western corner first."""
    if isinstance(panel.support, Shapes):
        return [panel.support.ids[unit] for unit in units.tolist()]
    assert isinstance(panel.support, Grid)
    row, column = np.divmod(units, panel.support.columns)
    return [f"r{r + 1}c{c + 1}" for r, c in zip(row.tolist(), column.tolist(), strict=True)]


def _describe_units(panel: Panel, units: NDArray[np.int64]) -> tuple[list[str], list[str], list[bytes], Geometry]:
    """Ids, names and shapes of units, and what kind of geometry these are."""
    support = panel.support
    if isinstance(support, Shapes):
        some = support.take(units)
        return list(some.ids), list(some.names), some.pack_shapes(), support.table_geometry
    assert isinstance(support, Grid)
    row, column = np.divmod(units, support.columns)
    west, north = support.west + column * support.cell, support.north - row * support.cell
    cells = shapely.box(west, north - support.cell, west + support.cell, north)
    ids = list_ids(panel, units)
    return ids, ids, list(shapely.to_wkb(cells, byte_order=1)), "polygon"
