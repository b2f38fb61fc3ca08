"""Job: a risk raster at a finer display resolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine

from ..contract.tools.risk import UpsampleRisk
from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..ground.errors import DataError, FormatError, ParameterError
from ..maps.heatmaps import RISK_NODATA
from ..maps.upsampling import check_factor, upsample

#: More cells than this (columns x rows x bands) are refused: 2 GB as written.
MAX_CELLS = 5 * 10**8
_TIMES = ("CRIMERISK_START", "CRIMERISK_END")
_KEPT = ("CRIMERISK_BIN", "CRIMERISK_FORMAT", "CRIMERISK_ORIGIN", "CRIMERISK_THRESHOLD")


def run(parameters: UpsampleRisk, context: JobContext) -> dict[str, Any]:
    """One band after the other, so that only one is in memory."""
    check_factor(parameters.factor)
    context.progress(0.0, "Reading")
    try:
        source = rasterio.open(parameters.risk)
    except rasterio.errors.RasterioError as error:
        raise _unreadable(parameters.risk) from error
    with source:
        _check_size(source, parameters.factor)
        times = [{key: value for key, value in source.tags(band).items() if key in _TIMES} for band in source.indexes]
        with whole_file(parameters.output) as temporary:
            profile = _profile(source, parameters.factor)
            with rasterio.open(temporary, "w", **profile) as target:
                _copy(source, target, times, parameters, context)
            # A full disk shows only when GDAL flushes at close, and not always as an error.
            with rasterio.open(temporary) as check:
                check.read(check.count)
        context.warn(
            "The finer cells are for display only: they are interpolated and hold no information that the coarse ones "
            "do not. Evaluate and classify the original"
        )
        context.progress(1.0, "Done")
        complete = all(len(band) == len(_TIMES) for band in times)
        return {
            "output": parameters.output,
            "cell_size": abs(source.transform.a) / parameters.factor,
            "columns": profile["width"],
            "rows": profile["height"],
            "maps": source.count,
            "note": f"For display: {parameters.factor} times finer than the forecast, {parameters.method}.",
            "edges": [[band[key] for key in _TIMES] for band in times] if complete else [],
        }


def _copy(source: Any, target: Any, times: list[dict[str, str]], parameters: UpsampleRisk, context: JobContext) -> None:
    factor, method = parameters.factor, parameters.method
    kept = {key: value for key, value in source.tags().items() if key in _KEPT}
    target.update_tags(CRIMERISK_KIND="display", CRIMERISK_UPSAMPLED=f"{method} {factor}", **kept)
    values = 0
    for number in source.indexes:
        context.progress((number - 0.5) / (source.count + 1), f"map {number} of {source.count}")
        try:
            band = source.read(number, masked=True).astype(np.float64).filled(np.nan)
        except rasterio.errors.RasterioError as error:
            raise _unreadable(parameters.risk) from error
        finite = np.isfinite(band)
        values += int(finite.sum())
        fine = upsample(np.where(finite, band, np.nan), factor, method)
        target.write(np.where(np.isnan(fine), np.float32(RISK_NODATA), fine), number)
        target.update_tags(number, **times[number - 1])
        target.set_band_description(number, source.descriptions[number - 1] or f"band {number}")
    if not values:
        raise DataError(
            f"{parameters.risk} has no cell with a value",
            parameter="risk",
            value=parameters.risk,
            remedy="Choose a raster that has values",
        )


def _profile(source: Any, factor: int) -> dict[str, Any]:
    transform = source.transform
    return {
        "driver": "GTiff",
        "width": source.width * factor,
        "height": source.height * factor,
        "count": source.count,
        "dtype": "float32",
        "nodata": RISK_NODATA,
        "crs": source.crs,
        "transform": Affine(
            transform.a / factor,
            transform.b / factor,
            transform.c,
            transform.d / factor,
            transform.e / factor,
            transform.f,
        ),
        "compress": "deflate",
        "predictor": 3,
        "interleave": "band",
        "tiled": True,
        "BIGTIFF": "IF_SAFER",
    }


def _unreadable(path: str) -> FormatError:
    return FormatError(
        f"{path} cannot be read as a raster: it is truncated or of another kind",
        parameter="risk",
        value=path,
        remedy="Choose a risk raster",
    )


def _check_size(source: Any, factor: int) -> None:
    cells = source.width * source.height * source.count * factor**2
    if cells > MAX_CELLS:
        raise ParameterError(
            f"A factor of {factor} gives {source.width * factor:,} columns x {source.height * factor:,} rows x "
            f"{source.count:,} maps = {cells:,} cells; the limit is {MAX_CELLS:,}",
            parameter="factor",
            value=factor,
            remedy="Choose a smaller factor, or fewer maps with Extract bands",
        )
