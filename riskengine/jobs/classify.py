"""Job: percentile risk classes of a risk raster, and their polygons."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np
import rasterio

from ..artefacts import whole_file
from ..context import JobContext
from ..risk import (
    CLASS_NODATA,
    DEFAULT_PERCENTILES,
    check_percentiles,
    class_labels,
    class_polygons,
    classify,
    read_risk,
    thresholds,
)
from . import JobParameters


class Parameters(JobParameters):
    risk: str
    output: str
    percentiles: list[float] = list(DEFAULT_PERCENTILES)
    over: Literal["map", "stack"] = "map"
    polygons: str | None = None


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Classify every band; thresholds per map, or once over the whole stack."""
    percentiles = check_percentiles(parameters.percentiles)
    context.progress(0.0, "Reading the risk raster")
    stack = read_risk(parameters.risk)
    bands = stack.risk
    empty = [number for number, band in enumerate(bands, 1) if np.isnan(band).all()]
    if empty:
        context.warn(f"Bands without any value stay without classes: {', '.join(map(str, empty))}")
    if parameters.over == "stack":
        limits = [thresholds(bands, percentiles)] * len(bands)
    else:
        nothing = np.full(len(percentiles), np.nan)
        limits = [nothing if np.isnan(band).all() else thresholds(band, percentiles) for band in bands]
    classes = np.stack([classify(band, limit) for band, limit in zip(bands, limits, strict=True)])
    if not (classes[classes != CLASS_NODATA] > 0).any():
        context.warn("All cells have the same risk: none lies above a percentile, all are in the lowest class")
    labels = class_labels(percentiles)
    kept = {key: value for key, value in stack.tags.items() if key in ("CRIMERISK_BIN", "CRIMERISK_FORMAT")}
    with whole_file(parameters.output) as temporary:
        with rasterio.open(
            temporary,
            "w",
            driver="GTiff",
            width=bands.shape[2],
            height=bands.shape[1],
            count=len(bands),
            dtype="uint8",
            crs=stack.crs,
            transform=stack.transform,
            nodata=CLASS_NODATA,
            compress="deflate",
            interleave="band",
        ) as target:
            target.update_tags(
                CRIMERISK_KIND="classes",
                CRIMERISK_LABELS="\n".join(labels),
                CRIMERISK_PERCENTILES=" ".join(f"{value:g}" for value in percentiles),
                **kept,
            )
            for number, band in enumerate(classes, 1):
                target.write(band, number)
                start, end = stack.starts[number - 1], stack.ends[number - 1]
                target.update_tags(
                    number,
                    CRIMERISK_THRESHOLDS=" ".join(f"{limit:.6g}" for limit in limits[number - 1]),
                    **({"CRIMERISK_START": start, "CRIMERISK_END": end} if start else {}),
                )
                target.set_band_description(number, start or f"band {number}")
                context.progress(0.2 + 0.5 * number / len(bands), f"map {number} of {len(bands)}")
        with rasterio.open(temporary) as check:
            check.read(len(classes))
    polygons = 0
    if parameters.polygons:
        rows = []
        for number, (band, risk) in enumerate(zip(classes, bands, strict=True), 1):
            context.progress(0.7 + 0.3 * number / len(bands), "Outlining classes")
            for shape, risk_class, area, mean in class_polygons(band, risk, stack.transform):
                rows.append([shape, number, stack.starts[number - 1], risk_class, labels[risk_class], area, mean])
        polygons = len(rows)
        with whole_file(parameters.polygons) as temporary:
            temporary.write_text(json.dumps(rows), encoding="utf-8")
    valid = classes != CLASS_NODATA
    return {
        "output": parameters.output,
        "labels": labels,
        "thresholds": [[float(limit) for limit in row] for row in limits],
        "cells": [int((classes[valid] == number).sum()) for number in range(len(labels))],
        "polygons": polygons,
        "edges": [*stack.starts, stack.ends[-1]] if all(stack.starts) else [],
        "crs": stack.crs.to_wkt() if stack.crs else "",
    }
