"""Job: risk classes of a risk raster, at percentiles or by shares of the area, and their polygons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import tags as tagnames
from ..contract.texts import count_text, part_text
from ..contract.tools.base import fields_of
from ..contract.tools.risk import ClassifyRisk
from ..ground.context import JobContext
from ..ground.tables import Chunk, write_table
from ..maps.counted import read_counted
from ..maps.geotiff import make_band_tags, make_profile, write_band, write_geotiff
from ..maps.risk import (
    CLASS_NODATA,
    Risk,
    RiskStack,
    check_percentiles,
    check_shares,
    classify,
    classify_shares,
    compute_precise_thresholds,
    list_class_labels,
    list_share_labels,
    make_class_polygons,
    read_risk,
)

Classes = NDArray[np.uint8]

#: What the classes are of stays as the risk says it.
_KEPT = (tagnames.BIN, tagnames.FORMAT, tagnames.COUNTED, tagnames.CARD, *tagnames.KNOWLEDGE)


def _by_percentiles(
    parameters: ClassifyRisk, bands: Risk, percentiles: list[float], context: JobContext
) -> tuple[Classes, list[NDArray[np.float64]]]:
    """Thresholds per map, once over the whole stack, or from a reference stack."""
    if parameters.reference:
        reference = read_risk(parameters.reference, "reference").risk
        limits = [compute_precise_thresholds(reference, percentiles)] * len(bands)
        context.log(
            f"Thresholds {', '.join(f'{limit:.4g}' for limit in limits[0])} over all"
            f" {count_text(len(reference), 'map')} of the reference"
        )
    elif parameters.over == "stack":
        limits = [compute_precise_thresholds(bands, percentiles)] * len(bands)
    else:
        nothing = np.full(len(percentiles), np.nan)
        limits = [nothing if np.isnan(band).all() else compute_precise_thresholds(band, percentiles) for band in bands]
    classes = np.stack([classify(band, limit) for band, limit in zip(bands, limits, strict=True)])
    if not (classes[classes != CLASS_NODATA] > 0).any():
        context.warn(
            "No cell lies above the reference's lowest threshold: all are in the lowest class"
            if parameters.reference
            else "All cells have the same risk: none lies above a percentile, all are in the lowest class"
        )
    return classes, limits


def _by_shares(
    parameters: ClassifyRisk, bands: Risk, shares: list[float], context: JobContext
) -> tuple[Classes, list[NDArray[np.float64]]]:
    """Exactly these shares of each map's cells, or of all cells of the stack."""
    if parameters.over == "stack":
        classes, limit, ties = classify_shares(bands, shares)
        limits, tied = [limit] * len(bands), int(ties > 0)
    else:
        each_map = [classify_shares(band, shares) for band in bands]
        classes, limits = np.stack([each[0] for each in each_map]), [each[1] for each in each_map]
        tied = sum(each[2] > 0 for each in each_map)
    if tied:
        what = "the stack" if parameters.over == "stack" else part_text(tied, len(bands), "map")
        context.warn(
            f"In {what}, cells of equal risk lie on both sides of a share's limit; of them the first from north to "
            "south and west to east were taken"
        )
    return classes, limits


def _write_raster(
    path: str,
    stack: RiskStack,
    classes: Classes,
    limits: list[NDArray[np.float64]],
    about: dict[str, str],
    context: JobContext,
) -> None:
    kept = {key: value for key, value in stack.tags.items() if key in _KEPT}
    tags = {tagnames.KIND: tagnames.CLASSES_KIND, **about, **kept}
    maps, height, width = classes.shape
    profile = make_profile(width, height, maps, "uint8", stack.crs, stack.transform, CLASS_NODATA)
    with write_geotiff(path, profile, tags) as target:
        for number, band in enumerate(classes, 1):
            of_band = {tagnames.THRESHOLDS: " ".join(f"{limit:.6g}" for limit in limits[number - 1])}
            known = not np.isnat(stack.spans[number - 1]).any()
            start, end = map(str, stack.spans[number - 1])
            times = make_band_tags(start, end) if known else {}
            write_band(target, number, band, start if known else f"band {number}", of_band | times)
            context.progress(0.2 + 0.5 * number / maps, f"map {number} of {maps}")


def run(parameters: ClassifyRisk, context: JobContext) -> dict[str, Any]:
    """Classify every band."""
    by_shares = parameters.method == "shares"
    steps = check_shares(parameters.shares) if by_shares else check_percentiles(parameters.percentiles)
    context.progress(0.0, "Reading the risk raster")
    stack = read_risk(parameters.risk)
    bands, spans = stack.risk, stack.spans
    empty = [number for number, band in enumerate(bands, 1) if np.isnan(band).all()]
    if empty:
        context.warn(f"Bands without any value stay without classes: {', '.join(map(str, empty))}")
    classes, limits = (_by_shares if by_shares else _by_percentiles)(parameters, bands, steps, context)
    valid = classes != CLASS_NODATA
    cells = [int((classes[valid] == number).sum()) for number in range(len(steps) + 1)]
    labels = list_share_labels(steps, cells) if by_shares else list_class_labels(steps)
    if parameters.output:
        which = tagnames.SHARES if by_shares else tagnames.PERCENTILES
        about = {which: " ".join(f"{value:g}" for value in steps), tagnames.LABELS: "\n".join(labels)}
        _write_raster(parameters.output, stack, classes, limits, about, context)
    polygons = 0
    if parameters.polygons:

        def chunks() -> Iterator[Chunk]:
            for number, (band, risk) in enumerate(zip(classes, bands, strict=True), 1):
                context.progress(0.7 + 0.3 * number / len(bands), "Outlining classes")
                parts = list(make_class_polygons(band, risk, stack.transform))
                if parts:
                    shapes, codes, areas, means = zip(*parts, strict=True)
                    same = [[value] * len(parts) for value in (number, *spans[number - 1])]
                    yield Chunk([*same, codes, [labels[code] for code in codes], areas, means], shapes=shapes)

        fields = fields_of(ClassifyRisk, "polygons")
        crs = str(stack.crs) if stack.crs else None
        polygons = write_table(parameters.polygons, fields, chunks(), "polygon", crs, "polygons")
    for label, number in zip(labels, cells, strict=True):
        context.log(f"{label}: {count_text(number, 'cell')}")
    return {
        "output": parameters.output,
        "labels": labels,
        "thresholds": [[float(limit) for limit in row] for row in limits],
        "thresholds_text": ", ".join(f"{limit:.6g}" for limit in limits[0] if np.isfinite(limit)),
        "cells": cells,
        "polygons": polygons,
        "edges": stack.edges,
        **read_counted(stack.tags),
        "crs": stack.crs.to_wkt() if stack.crs else "",
    }
