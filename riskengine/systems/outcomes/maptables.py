"""Tables of the map of an outcome: street blocks, areas, the outlook, and the incidents of a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import HIDDEN_BELOW, TextRole
from ...contract.texts import count_text
from ...contract.tools.base import fields_of
from ...contract.tools.outcomemodel import PredictOutcome, TrainOutcomeModel
from ...ground.context import JobContext
from ...ground.tables import Chunk, write_table
from .arealayer import IncidentAreas, find_areas
from .mapping import Mapped, choose_classes
from .outlook import ALL_AREAS, Outlook, make_outlook
from .places import Groups, expect_shares, find_middles, hide_few
from .rows import MISSING, Coded, Floats, Rows

Column = Sequence[Any] | NDArray[Any]
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
    columns: list[Column] = [[labels[code] for code in kept.codes.tolist()], *_list_shares(kept, thresholds)]
    chunk = Chunk(columns, places[0][placed], places[1][placed])
    return write_table(path, fields_of(PredictOutcome, "blocks"), [chunk], "point", crs, "blocks")


def write_areas(path: str, groups: Groups, areas: IncidentAreas, thresholds: Thresholds) -> int:
    """Write areas: polygons where a layer has them, else a point in the middle of their incidents."""
    fields, codes = fields_of(PredictOutcome, "by_area"), groups.codes
    columns: list[Column] = [
        [areas.ids[code] for code in codes.tolist()],
        [areas.names[code] for code in codes.tolist()],
        *_list_shares(groups, thresholds),
    ]
    if areas.shapes is None:
        chunk = Chunk(columns, areas.x[codes], areas.y[codes])
        return write_table(path, fields, [chunk], "point", areas.crs, "by_area")
    chunk = Chunk(columns, shapes=areas.shapes.take(codes).pack_shapes())
    return write_table(path, fields, [chunk], areas.shapes.table_geometry, areas.crs, "by_area")


def _list_shares(groups: Groups, thresholds: Thresholds) -> list[Column]:
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
    columns: list[Column] = [
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
    roles: tuple[TextRole, ...] = ("category", "description", "location", "area")
    columns: list[Column] = [
        fids,
        [None if np.isnat(day) else str(day) for day in rows.day],
        *(_read_texts(rows, role) for role in roles),
        found.astype(np.int64),
        probability,
        choose_classes(probability, *thresholds).tolist(),
        rows.outcomes.astype(np.int64),
    ]
    if rows.crs:
        return write_table(path, fields, [Chunk(columns, rows.x, rows.y)], "point", rows.crs, "tested")
    return write_table(path, fields, [Chunk(columns)], "none", None, "tested")


def _read_texts(rows: Rows, role: TextRole) -> Column:
    coded = rows.texts.get(role)
    if coded is None:
        return [None] * len(rows)
    return np.array([*coded.labels, None], dtype=object)[coded.codes]


def write_groups(
    parameters: PredictOutcome, rows: Rows, mapped: Mapped, drift: float, context: JobContext
) -> dict[str, int]:
    """Write blocks, areas and the outlook, as far as they are asked for; returns how many are shown and hidden.

    Parameters
    ----------
    parameters : PredictOutcome
    rows : Rows
    mapped : Mapped
        Of the same rows.
    drift : float
        By how much the levels of categories were off in the test, of the logit.
    """
    p, thresholds = mapped.probability, (parameters.likely, parameters.unlikely)
    shown = {"blocks_shown": 0, "areas_shown": 0, "hidden": 0}
    block, areas = rows.texts.get("block"), _find_areas(parameters, rows, context)
    if parameters.blocks and (block is None or not rows.crs):
        context.warn("No blocks are written: the incidents have no block or address field, or no places")
    elif parameters.blocks and block is not None:
        groups = expect_shares(block.codes, p, parameters.block_least, drift)
        if parameters.publish:
            groups = hide_few(groups, np.where(np.isnan(p), MISSING, block.codes), rows.happened)
        write_blocks(
            parameters.blocks, groups, block.labels, find_middles(groups, block.codes, rows), thresholds, rows.crs
        )
        shown["blocks_shown"] = len(groups)
        shown["hidden"] += int(groups.hidden.sum())
    category = rows.texts.get("category", Coded(np.zeros(len(rows), dtype=np.int32), ["all"]))
    code, ids, names = (None, [], []) if areas is None else (areas.code, areas.ids, areas.names)
    outlook = make_outlook(category, code, p, parameters.area_least, drift, parameters.publish, rows.happened)
    if parameters.by_area and (areas is None or not areas.crs):
        context.warn("No areas are written: the incidents have no area field, or no places, and no areas are given")
    elif parameters.by_area and areas is not None:
        write_areas(parameters.by_area, outlook.areas, areas, thresholds)
        shown["areas_shown"] = len(outlook.areas)
        shown["hidden"] += int(outlook.areas.hidden.sum())
    if parameters.outlook:
        write_outlook(parameters.outlook, outlook, category, ids, names)
        shown["hidden"] += int(outlook.groups.hidden.sum())
    if shown["hidden"]:
        context.log(
            f"{count_text(shown['hidden'], 'share')} of fewer than {HIDDEN_BELOW} outcomes, expected or known, or from "
            "which such a one would follow: hidden for publishing"
        )
    return shown


def _find_areas(parameters: PredictOutcome, rows: Rows, context: JobContext) -> IncidentAreas | None:
    """The areas of the incidents; without places those that they name, which no map shows."""
    if not (parameters.by_area or parameters.outlook):
        return None
    areas = find_areas(rows, parameters.areas, parameters.area_id, parameters.area_name, context)
    area = rows.texts.get("area")
    if areas is not None or area is None:
        return areas
    nowhere = np.full(len(area.labels), np.nan)
    return IncidentAreas(area.labels, area.labels, area.codes.astype(np.int64), None, nowhere, nowhere, "")
