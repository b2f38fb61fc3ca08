"""The layers of *Outcome rates*: the table of rates, and areas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from ...contract.tools.base import fields_of
from ...contract.tools.outcomerates import OutcomeRates
from ...ground.tables import Chunk, write_table
from .arearates import AreaRates
from .ratesstudy import RatesStudy

#: Values of a column.
Column = Sequence[Any] | NDArray[Any]


def write_rates(path: str, study: RatesStudy) -> None:
    """Write the table of all rates."""
    write_table(path, fields_of(OutcomeRates, "rates"), _list_rates(study), parameter="rates")


def _list_rates(study: RatesStudy) -> Iterator[Chunk]:
    for reported, of in study.of.items():
        for by, rates in of.rates.items():
            size = len(rates.values)
            low, high = rates.limits
            counts = rates.incidents, rates.outcomes
            yield Chunk(
                [
                    [reported] * size,
                    [by] * size,
                    [parent or None for parent in rates.parents],
                    list(rates.values),
                    *counts,
                    rates.rate,
                    low,
                    high,
                    rates.shrunk,
                    rates.share,
                ]
            )


def write_areas(path: str, study: RatesStudy) -> None:
    """Write areas: polygons where a layer has them, else a point in the middle of their incidents."""
    areas = study.areas
    assert areas is not None
    columns: list[Column] = [list(areas.ids), list(areas.names)]
    # Where all incidents are of one kind, they are victims' reports too.
    for of in (study.of["all"], study.of[study.main]):
        assert of.areas is not None
        columns += _list_columns(of.areas)
    fields = fields_of(OutcomeRates, "by_area")
    if areas.shapes is None:
        write_table(path, fields, [Chunk(columns, areas.x, areas.y)], "point", areas.crs, "by_area")
        return
    chunk = Chunk(columns, shapes=areas.shapes.pack_shapes())
    write_table(path, fields, [chunk], areas.shapes.table_geometry, areas.crs, "by_area")


def _list_columns(rates: AreaRates) -> list[Column]:
    shares = rates.rate, rates.low, rates.high, rates.expected, rates.difference, rates.least, rates.most
    return [rates.incidents, rates.outcomes, *shares, rates.list_labels()]
