"""A table joined with the areas of a panel, and all that a user should know of how well they fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from ..contract.texts import count_text, list_names, part_text, show_name
from ..contract.tools.covariates import AddCovariates
from ..contract.units import noun_of
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from ..intake.valuetable import ValueTable
from . import joining
from .areas import Areas
from .joining import Pairs
from .shapes import Shapes, move_shapes

#: Names of larger areas, and their polygons.
Larger = tuple[Sequence[str], NDArray[np.object_]]

_COMBINED = {"mean": "averaged", "sum": "added up", "count": "counted"}


def join_table(
    parameters: AddCovariates, areas: Shapes, table: ValueTable, larger: Larger | None, context: JobContext
) -> tuple[Pairs, str]:
    """Find which rows belong to which areas, as the parameters ask for; log what fits and what does not.

    Parameters
    ----------
    larger : (sequence of str, ndarray of shapely geometries), optional
        Names and polygons of the larger areas that keys name, in the CRS of the panel.

    Returns
    -------
    pairs : Pairs
        With one area alone where every row holds for all.
    joined : str
        How, as people read it.

    Raises
    ------
    DataError
        If no row belongs to any area.
    """
    if parameters.joined == "key":
        pairs, joined = _join_by_key(parameters, areas, table, larger, context)
    elif parameters.joined == "location":
        pairs, joined = _join_by_location(parameters, areas, table, context)
    elif parameters.joined == "all":
        context.log("Every row holds for all areas")
        # One area stands for all of them.
        pairs = joining.pair_with(np.arange(table.rows), np.zeros(table.rows, dtype=np.int64))
        joined = "every row holds for all areas"
    else:
        pairs, joined = _join_by_area(parameters, areas, table, context)
    if parameters.weight_field:
        pairs = _weigh(pairs, table, parameters.weight_field, context)
        joined += f", weighted by {parameters.weight_field}" if parameters.joined != "area" else ""
    if not len(pairs.row):
        raise DataError(
            f"No row of {_name_table(parameters)} belongs to an area of the panel",
            parameter="table",
            value=parameters.table,
            remedy="Choose a layer that covers the areas, and check its CRS",
        )
    return pairs, joined


def _join_by_key(
    parameters: AddCovariates, areas: Shapes, table: ValueTable, larger: Larger | None, context: JobContext
) -> tuple[Pairs, str]:
    called: dict[str, Sequence[str]] = {"id": areas.ids, "name": areas.names}
    if larger is not None:
        found_in = joining.find_larger(*larger, areas)
        if outside := [name for name, found in zip(areas.names, found_in, strict=True) if not found]:
            lies = "lies in none of the larger areas", "lie in none of the larger areas"
            context.warn(f"{part_text(len(outside), len(found_in), noun_of(areas.kind), *lies)}: {list_names(outside)}")
        called = {"name of the larger area": found_in}
    chosen = max(called, key=lambda what: joining.count_known(table.keys, called[what]))
    labels = called[chosen]
    pairs, unknown = joining.pair_by_key(table.keys, labels)
    if not len(pairs.row):
        examples = f"the table's are {list_names(list(dict.fromkeys(table.keys)), 3)}"
        raise DataError(
            f"No key of the table is the {' or '.join(called)} of an area: {examples}, the areas' "
            f"{'; '.join(list_names(list(dict.fromkeys(each)), 3) for each in called.values())}",
            parameter="key_field",
            value=parameters.key_field,
            remedy="Choose the field that holds the same codes or names as the areas",
        )
    rows = len(np.unique(pairs.row))
    has = "belongs to an area", "belong to areas"
    context.log(f"Joined by {show_name(parameters.key_field)} = {chosen}: {part_text(rows, table.rows, 'row', *has)}")
    if unknown:
        keyless = sum(not key.strip() for key in table.keys)
        is_key = "key is that of no area", "keys are those of no area"
        context.warn(
            f"{count_text(len(unknown), *is_key)}: {list_names(unknown)}; their rows ({table.rows - rows - keyless:,})"
            " are left out"
        )
    if empty := sum(not key.strip() for key in table.keys):
        context.warn(f"{part_text(empty, table.rows, 'row', 'has no key and is', 'have no key and are')} left out")
    if repeated := _count_repeated(pairs, table):
        what = "a key" if table.when is None else "a key and its date"
        context.warn(
            f"{count_text(repeated, 'row repeats', 'rows repeat')} {what}: their values are"
            f" {_COMBINED[parameters.combine]}"
        )
    return pairs, f"by key: {parameters.key_field} = {chosen}"


def _count_repeated(pairs: Pairs, table: ValueTable) -> int:
    """Count the rows whose area, and date, an earlier row has."""
    row, first = np.unique(pairs.row, return_index=True)
    when = np.zeros(len(row), dtype=np.int64) if table.when is None else table.when[row].astype(np.int64)
    return len(row) - len(np.unique(np.stack([pairs.area[first], when], axis=1), axis=0))


def _join_by_location(
    parameters: AddCovariates, areas: Shapes, table: ValueTable, context: JobContext
) -> tuple[Pairs, str]:
    shapes = _read_shapes(parameters, areas, table, context)
    if joining.is_polygonal(shapes):
        if parameters.combine != "mean":
            raise ParameterError(
                f"combine is {parameters.combine}, but {_name_table(parameters)} has polygons, of which each area"
                " takes the one in which its middle lies",
                parameter="combine",
                value=parameters.combine,
                remedy="Join by shared area to divide amounts, or choose averages",
            )
        pairs, _ = joining.pair_by_location(shapes, areas)
        found = len(np.unique(pairs.area))
        lies = "has its middle in a polygon", "have their middle in a polygon"
        context.log(f"Joined by location: {part_text(found, len(areas.ids), noun_of(areas.kind), *lies)}")
        return pairs, "by location: the polygon in which the middle of an area lies"
    pairs, outside = joining.pair_by_location(shapes, areas)
    context.log(f"Joined by location: {part_text(table.rows - outside, table.rows, 'row', 'lies', 'lie')} in an area")
    if outside:
        lies = "lies in no area, or is no point, and is", "lie in no area, or are no points, and are"
        context.warn(f"{part_text(outside, table.rows, 'row', *lies)} left out")
    return pairs, f"by location: points in an area, {_COMBINED[parameters.combine]}"


def _join_by_area(
    parameters: AddCovariates, areas: Shapes, table: ValueTable, context: JobContext
) -> tuple[Pairs, str]:
    if not isinstance(areas, Areas):
        raise ParameterError(
            f"joined is area, but the panel counts by {noun_of(areas.kind)}, and lines have no area to share",
            parameter="joined",
            value=parameters.joined,
            remedy="Join by location or by key",
        )
    shapes = _read_shapes(parameters, areas, table, context)
    with context.step(0.2, 0.5):
        pairs, cover = joining.pair_by_area(shapes, areas, context)
    kept = np.isfinite(cover.inside)
    if not kept.any():
        raise DataError(
            f"{_name_table(parameters)} has no polygon",
            parameter="table",
            value=parameters.table,
            remedy="Join points by location, and tables by key",
        )
    if lost := int((~kept).sum()):
        context.warn(
            f"{part_text(lost, table.rows, 'row', 'has no polygon and is', 'have no polygon and are')} left out"
        )
    names = areas.names
    if little := _select(names, (cover.covered > 0) & (cover.covered < joining.LITTLE)):
        is_covered = "is", "are"
        context.warn(
            f"{part_text(len(little), len(names), 'area', *is_covered)} covered by less than half, and the value speaks"
            f" of that part alone: {list_names(little)}"
        )
    if twice := _select(names, cover.covered > joining.TWICE):
        context.warn(
            f"Polygons overlap in {part_text(len(twice), len(names), 'area')}, which both count in: {list_names(twice)}"
        )
    weight = f"{show_name(parameters.weight_field)} in " if parameters.weight_field else ""
    how = f"averages weighted by {weight}the area they share"
    if parameters.combine == "sum":
        how = "amounts divided by the area they share"
        reaches = (
            "reaches beyond the areas: only the part inside is",
            "reach beyond the areas: only the parts inside are",
        )
        if beyond := int((cover.inside[kept] < joining.WHOLE).sum()):
            context.warn(f"{part_text(beyond, int(kept.sum()), 'polygon', *reaches)} counted")
    context.log(f"Joined by shared area: {part_text(len(np.unique(pairs.area)), len(names), 'area')}; {how}")
    return pairs, f"by shared area: {how}"


def _select(names: Sequence[str], kept: NDArray[np.bool_]) -> list[str]:
    return [names[number] for number in np.flatnonzero(kept).tolist()]


def _name_table(parameters: AddCovariates) -> str:
    return show_name(parameters.source or Path(parameters.table).name)


def _read_shapes(
    parameters: AddCovariates, areas: Shapes, table: ValueTable, context: JobContext
) -> NDArray[np.object_]:
    if table.shapes is None or not any(shape is not None for shape in table.shapes):
        raise DataError(
            f"{_name_table(parameters)} has no geometry, so its rows have no location",
            parameter="table",
            value=parameters.table,
            remedy="Join it by key; Larger areas may name polygons of the key",
        )
    if not table.crs:
        raise DataError(
            f"{_name_table(parameters)} has no CRS",
            parameter="table",
            value=parameters.table,
            remedy="Set it with Layer ▸ Set CRS of Layer(s), or run Assign projection",
        )
    shapes = move_shapes(table.shapes, table.crs, areas.crs)
    if bad := int((~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)).sum()):
        has = "has an invalid geometry, which is", "have invalid geometries, which are"
        context.warn(f"{part_text(bad, table.rows, 'row', *has)} repaired")
    return shapes


def _weigh(pairs: Pairs, table: ValueTable, weight_field: str, context: JobContext) -> Pairs:
    weights = table.values[weight_field]
    weightless = int((~(weights > 0)).sum())
    if weightless:
        is_out = "has no weight above zero and is", "have no weight above zero and are"
        context.warn(f"{part_text(weightless, table.rows, 'row', *is_out)} left out")
    return pairs.weigh(weights)
