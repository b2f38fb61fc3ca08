"""Tables of the map of an outcome: street blocks, areas, the outlook, and the incidents of a test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...contract.tools.base import fields_of
from ...contract.tools.outcomemodel import PredictOutcome, TrainOutcomeModel
from ...ground.tables import Chunk, write_table
from .arealayer import IncidentAreas
from .mapping import choose_classes
from .outlook import ALL_AREAS, Outlook
from .places import Groups
from .rows import MISSING, Coded, Floats, Rows

Texts = Sequence[str | None]
Thresholds = tuple[float, float]


def write_blocks(
    path: str, groups: Groups, labels: Sequence[str], places: tuple[Floats, Floats], thresholds: Thresholds, crs: str
) -> int:
    """Write a point for each block; those without a place are left out.

    Parameters
    ----------
    labels : sequence of str
        Of all blocks, by their codes.
    places : (ndarray, ndarray)
        x and y of each group, metres; NaN for none.
    """
    placed = np.isfinite(places[0])
    kept = groups.select(placed)
    columns = [[labels[code] for code in kept.codes.tolist()], *_list_shares(kept, thresholds)]
    chunk = Chunk(columns, places[0][placed], places[1][placed])
    return write_table(path, fields_of(PredictOutcome, "blocks"), [chunk], "point", crs, "blocks")


def write_areas(path: str, groups: Groups, areas: IncidentAreas, thresholds: Thresholds) -> int:
    """Write areas: polygons where a layer has them, else a point in the middle of their incidents."""
    fields, codes = fields_of(PredictOutcome, "by_area"), groups.codes
    columns = [
        [areas.ids[code] for code in codes.tolist()],
        [areas.names[code] for code in codes.tolist()],
        *_list_shares(groups, thresholds),
    ]
    if areas.shapes is None:
        chunk = Chunk(columns, areas.x[codes], areas.y[codes])
        return write_table(path, fields, [chunk], "point", areas.crs, "by_area")
    chunk = Chunk(columns, shapes=areas.shapes.take(codes).pack_shapes())
    return write_table(path, fields, [chunk], areas.shapes.table_geometry, areas.crs, "by_area")


def _list_shares(groups: Groups, thresholds: Thresholds) -> list[Sequence[object] | NDArray[np.generic]]:
    classes = choose_classes(groups.share, *thresholds).tolist()
    return [groups.number, groups.share, groups.low, groups.high, classes, groups.hidden.astype(np.int64)]


def write_outlook(path: str, outlook: Outlook, categories: Coded, ids: Sequence[str], names: Sequence[str]) -> int:
    """Write the outlook.

    Parameters
    ----------
    categories : Coded
    ids, names : sequence of str
        Of the areas, by their codes.
    """
    groups, fields = outlook.groups, fields_of(PredictOutcome, "outlook")
    columns = [
        [ids[code] if code != MISSING else "" for code in outlook.area.tolist()],
        [names[code] if code != MISSING else ALL_AREAS for code in outlook.area.tolist()],
        [categories.labels[code] for code in outlook.category.tolist()],
        *(groups.number, groups.share, groups.low, groups.high, groups.outcomes, groups.hidden.astype(np.int64)),
    ]
    return write_table(path, fields, [Chunk(columns)], "none", None, "outlook")


def write_tested(
    path: str,
    rows: Rows,
    fids: NDArray[np.int64],
    probability: Floats,
    found: NDArray[np.bool_],
    thresholds: Thresholds,
) -> int:
    """Write what a model that did not know them said of incidents, and what became of them.

    Parameters
    ----------
    rows : Rows
        Those tested.
    fids : ndarray of int64, shape (T,)
        Their ids in the layer.
    probability : ndarray of float64, shape (T,)
    found : ndarray of bool, shape (T,)
        Discovered by police.
    """
    fields = fields_of(TrainOutcomeModel, "tested")
    texts = [_read_texts(rows, role) for role in ("category", "description", "location", "area")]
    columns = [
        fids,
        [None if np.isnat(day) else str(day) for day in rows.day],
        *texts,
        found.astype(np.int64),
        probability,
        choose_classes(probability, *thresholds).tolist(),
        rows.outcomes.astype(np.int64),
    ]
    if rows.crs:
        return write_table(path, fields, [Chunk(columns, rows.x, rows.y)], "point", rows.crs, "tested")
    return write_table(path, fields, [Chunk(columns)], "none", None, "tested")


def _read_texts(rows: Rows, role: str) -> Texts:
    coded = {str(name): each for name, each in rows.texts.items()}.get(role)
    if coded is None:
        return [None] * len(rows)
    return np.array([*coded.labels, None], dtype=object)[coded.codes].tolist()
