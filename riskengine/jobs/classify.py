"""Job: risk classes of a risk raster, at percentiles or by shares of the area, and their polygons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import tags as tagnames
from ..contract.flagged import format_share
from ..contract.texts import count_text, part_text
from ..contract.tools.base import fields_of
from ..contract.tools.risk import ClassifyRisk
from ..contract.units import SIZES, WHOLES, noun_of
from ..ground.context import JobContext
from ..ground.tables import Chunk, write_table
from ..maps.area_risk import AreaRisk, is_area_risk, read_area_risk
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
from ..measures.areaclasses import classify_densest
from ..measures.weighted import compute_density
from .models import check_units

Classes = NDArray[np.uint8]
Limits = list[NDArray[np.float64]]

#: What the classes are of stays as the risk says it.
_KEPT = (tagnames.BIN, tagnames.FORMAT, tagnames.COUNTED, tagnames.CARD, *tagnames.KNOWLEDGE)


def _by_percentiles(
    parameters: ClassifyRisk, bands: Risk, reference: Risk | None, noun: str, context: JobContext
) -> tuple[Classes, Limits]:
    """Thresholds per map, once over the whole stack, or from a reference stack."""
    percentiles = parameters.percentiles
    if reference is not None:
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
            f"No {noun} lies above the reference's lowest threshold: all are in the lowest class"
            if reference is not None
            else f"All {noun}s have the same risk: none lies above a percentile, all are in the lowest class"
        )
    return classes, limits


def _by_shares(
    parameters: ClassifyRisk, bands: Risk, shares: list[float], context: JobContext
) -> tuple[Classes, Limits]:
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
    limits: Limits,
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
    """Classify every map of a raster, or of areas."""
    given = {key: getattr(parameters, key) for key in ("risk", "reference") if getattr(parameters, key)}
    check_units(ClassifyRisk, parameters, **{key: is_area_risk(path) for key, path in given.items()})
    context.progress(0.0, "Reading the risk")
    if is_area_risk(parameters.risk):
        return _classify_areas(parameters, context)
    return _classify_grid(parameters, context)


def _classify_grid(parameters: ClassifyRisk, context: JobContext) -> dict[str, Any]:
    """Classify every band."""
    by_shares = parameters.method == "shares"
    steps = check_shares(parameters.shares) if by_shares else check_percentiles(parameters.percentiles)
    stack = read_risk(parameters.risk)
    bands, spans = stack.risk, stack.spans
    empty = [number for number, band in enumerate(bands, 1) if np.isnan(band).all()]
    if empty:
        context.warn(f"Bands without any value stay without classes: {', '.join(map(str, empty))}")
    if by_shares:
        classes, limits = _by_shares(parameters, bands, steps, context)
    else:
        reference = read_risk(parameters.reference, "reference").risk if parameters.reference else None
        classes, limits = _by_percentiles(parameters, bands, reference, "cell", context)
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
        "thresholds_text": _list_limits(limits[0]),
        "cells": cells,
        "polygons": polygons,
        "edges": stack.edges,
        **read_counted(stack.tags),
        "crs": stack.crs.to_wkt() if stack.crs else "",
    }


def _list_limits(limits: NDArray[np.float64]) -> str:
    return ", ".join(f"{limit:.6g}" for limit in limits if np.isfinite(limit))


def _share_areas(
    parameters: ClassifyRisk, stack: AreaRisk, shares: list[float], context: JobContext
) -> tuple[Classes, Limits]:
    """The densest areas of each map, or of all maps together, up to each share of their size."""
    size = stack.areas.measure_km()
    density = compute_density(stack.risk, size)
    together = parameters.over == "stack"
    if together:
        whole = classify_densest(density.ravel(), np.tile(size, len(density)), shares)
        classes, limits, tied = whole.classes.reshape(density.shape), [whole.limits] * len(density), int(whole.ties > 0)
    else:
        each_map = [classify_densest(row, size, shares) for row in density]
        classes, limits = np.stack([each.classes for each in each_map]), [each.limits for each in each_map]
        tied = sum(each.ties > 0 for each in each_map)
    if tied:
        noun, unit = noun_of(stack.areas.kind), SIZES[stack.areas.kind]
        context.warn(
            f"In {'all maps together' if together else part_text(tied, len(density), 'map')}, {noun}s of equal risk per"
            f" {unit} lie on both sides of a share's limit; of them the first of the layer were taken"
        )
    return classes, limits


def _classify_areas(parameters: ClassifyRisk, context: JobContext) -> dict[str, Any]:
    """Classify every area in every map."""
    by_shares = parameters.method == "shares"
    stack = read_area_risk(parameters.risk)
    noun, whole = noun_of(stack.areas.kind), WHOLES[stack.areas.kind]
    without = int(np.isnan(stack.risk).sum())
    if without:
        context.warn(f"{part_text(without, stack.risk.size, 'row')} without a risk: no class")
    if by_shares:
        steps = check_shares(parameters.shares)
        classes, limits = _share_areas(parameters, stack, steps, context)
    else:
        steps = check_percentiles(parameters.percentiles)
        reference = read_area_risk(parameters.reference, "reference").risk if parameters.reference else None
        classes, limits = _by_percentiles(parameters, stack.risk, reference, noun, context)
    number = [int((classes == each).sum()) for each in range(len(steps) + 1)]
    # Of areas that differ in size, what share they really are.
    size = np.broadcast_to(stack.areas.measure_sizes(), classes.shape)
    sizes = [float(size[classes == each].sum()) for each in range(len(steps) + 1)]
    labels = list_share_labels(steps, sizes, whole) if by_shares else list_class_labels(steps)
    assert parameters.by_area is not None
    shapes = stack.areas.pack_shapes()

    def chunks() -> Iterator[Chunk]:
        count = len(stack.areas.ids)
        for each, (row, (start, end)) in enumerate(zip(classes, stack.spans, strict=True)):
            context.progress(0.5 + 0.5 * each / len(classes), f"map {each + 1} of {len(classes)}")
            known = [None if code == CLASS_NODATA else int(code) for code in row]
            named = [None if code is None else labels[code] for code in known]
            same = [[when] * count for when in (start, end)]
            yield Chunk(
                [stack.areas.ids, stack.areas.names, *same, stack.risk[each], known, named, size[0]], shapes=shapes
            )

    fields, crs = fields_of(ClassifyRisk, "by_area"), stack.areas.crs or None
    write_table(parameters.by_area, fields, chunks(), stack.areas.table_geometry, crs, "by_area")
    maps = f" in {count_text(len(classes), 'map')}" if len(classes) > 1 else ""
    for label, several, of_all in zip(labels, number, sizes, strict=True):
        share = f"{format_share(of_all / sum(sizes))} of the {whole}"
        context.log(f"{label}: {count_text(several, noun)}{maps}, {share}")
    what = f"the {whole}" if by_shares else f"the {noun}s"
    thresholds = _list_limits(limits[0])
    return {
        "by_area": parameters.by_area,
        "labels": labels,
        "classes_text": f"Classes by {'shares' if by_shares else 'percentiles'} of {what}; thresholds of the first map:"
        f" {thresholds}.",
        "thresholds": [[float(limit) for limit in row] for row in limits],
        "thresholds_text": thresholds,
        "cells": number,
        "edges": stack.edges,
        **read_counted(stack.tags),
        "crs": stack.areas.crs,
    }
