"""Job: a risk raster at a finer display resolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine

from ..artefacts import whole_file
from ..context import JobContext
from ..errors import DataError, FormatError, ParameterError
from ..heatmaps import RISK_NODATA
from ..upsampling import Method, upsample
from . import JobParameters

#: More cells than this (columns x rows x bands) are refused: 2 GB as written.
MAX_CELLS = 5 * 10**8
_TIMES = ("CRIMERISK_START", "CRIMERISK_END")
_KEPT = ("CRIMERISK_BIN", "CRIMERISK_FORMAT", "CRIMERISK_ORIGIN", "CRIMERISK_THRESHOLD")


class Parameters(JobParameters):
    risk: str
    output: str
    factor: int = 5
    method: Method = "bilinear"


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """One band after the other, so that only one is in memory."""
    factor = parameters.factor
    starts: list[str] = []
    ends: list[str] = []
    try:
        with rasterio.open(parameters.risk) as source:
            _check_size(source, factor)
            profile = {
                "driver": "GTiff",
                "width": source.width * factor,
                "height": source.height * factor,
                "count": source.count,
                "dtype": "float32",
                "nodata": RISK_NODATA,
                "crs": source.crs,
                "transform": source.transform * Affine.scale(1 / factor),
                "compress": "deflate",
                "predictor": 3,
                "interleave": "band",
                "tiled": True,
                "BIGTIFF": "IF_SAFER",
            }
            tags = {key: value for key, value in source.tags().items() if key in _KEPT}
            values = 0
            with whole_file(parameters.output) as temporary:
                with rasterio.open(temporary, "w", **profile) as target:
                    target.update_tags(
                        CRIMERISK_KIND="display", CRIMERISK_UPSAMPLED=f"{parameters.method} {factor}", **tags
                    )
                    for number in source.indexes:
                        context.progress((number - 1) / source.count, f"map {number} of {source.count}")
                        band = source.read(number, masked=True).astype(np.float64).filled(np.nan)
                        values += int(np.isfinite(band).sum())
                        fine = upsample(np.where(np.isfinite(band), band, np.nan), factor, parameters.method)
                        target.write(np.where(np.isnan(fine), np.float32(RISK_NODATA), fine), number)
                        times = {key: value for key, value in source.tags(number).items() if key in _TIMES}
                        target.update_tags(number, **times)
                        target.set_band_description(number, source.descriptions[number - 1] or f"band {number}")
                        starts.append(times.get("CRIMERISK_START", ""))
                        ends.append(times.get("CRIMERISK_END", ""))
                if not values:
                    raise DataError(
                        f"{parameters.risk} has no cell with a value",
                        parameter="risk",
                        value=parameters.risk,
                        remedy="Choose a raster that has values",
                    )
                # A full disk shows only when GDAL flushes at close, and not always as an error.
                with rasterio.open(temporary) as check:
                    check.read(check.count)
            cell, crs = abs(source.transform.a) / factor, source.crs
    except rasterio.errors.RasterioError as error:
        raise FormatError(
            f"{parameters.risk} cannot be read as a raster",
            parameter="risk",
            value=parameters.risk,
            remedy="Choose a risk raster",
        ) from error
    context.warn(
        "The finer cells are for display only: they are interpolated and hold no information that the coarse ones do "
        "not. Evaluate and classify the original"
    )
    return {
        "output": parameters.output,
        "cell_size": cell,
        "columns": profile["width"],
        "rows": profile["height"],
        "edges": [*starts, ends[-1]] if all(starts) and ends[-1] else [],
        "crs": crs.to_wkt() if crs else "",
    }


def _check_size(source: Any, factor: int) -> None:
    cells = source.width * source.height * source.count * factor**2
    if cells > MAX_CELLS:
        raise ParameterError(
            f"A factor of {factor} gives {source.width * factor:,} columns x {source.height * factor:,} rows x "
            f"{source.count:,} maps = {cells:,} cells; the limit is {MAX_CELLS:,}",
            parameter="factor",
            value=factor,
            remedy="Choose a smaller factor, or fewer bands with Extract bands",
        )
