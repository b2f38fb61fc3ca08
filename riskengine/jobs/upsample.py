"""Job: a risk raster at a finer display resolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine

from ..contract import tags as tagnames
from ..contract.texts import count_text
from ..contract.tools.risk import UpsampleRisk
from ..ground.context import JobContext
from ..ground.errors import DataError, FormatError, ParameterError
from ..maps.counted import read_counted
from ..maps.geotiff import RASTER_ERRORS, RISK_NODATA, check_raster, make_profile, write_band, write_geotiff
from ..maps.grid import MOST_FINE_CELLS
from ..maps.upsampling import check_factor, upsample

_TIMES = (tagnames.START, tagnames.END)
_KEPT = (
    *(tagnames.BIN, tagnames.FORMAT, tagnames.THRESHOLD, tagnames.COUNTED, tagnames.CARD),
    *tagnames.KNOWLEDGE,
)


def run(parameters: UpsampleRisk, context: JobContext) -> dict[str, Any]:
    """One band after the other, so that only one is in memory."""
    check_factor(parameters.factor)
    context.progress(0.0, "Reading")
    try:
        source = rasterio.open(parameters.risk)
    except RASTER_ERRORS as error:
        raise _unreadable(parameters.risk) from error
    with source:
        check_raster(source, parameters.risk, "risk", MOST_FINE_CELLS)
        _check_size(source, parameters.factor)
        times = [{key: value for key, value in source.tags(band).items() if key in _TIMES} for band in source.indexes]
        profile = _profile(source, parameters.factor)
        kept = {key: value for key, value in source.tags().items() if key in _KEPT}
        made = f"{parameters.method} {parameters.factor}"
        tags = {tagnames.KIND: tagnames.DISPLAY_KIND, tagnames.UPSAMPLED: made, **kept}
        with write_geotiff(parameters.output, profile, tags) as target:
            _copy(source, target, times, parameters, context)
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
            **read_counted(tags),
        }


def _copy(source: Any, target: Any, times: list[dict[str, str]], parameters: UpsampleRisk, context: JobContext) -> None:
    values = 0
    for number in source.indexes:
        context.progress((number - 0.5) / (source.count + 1), f"map {number} of {source.count}")
        try:
            band = source.read(number, masked=True).astype(np.float64).filled(np.nan)
        except rasterio.errors.RasterioError as error:
            raise _unreadable(parameters.risk) from error
        finite = np.isfinite(band)
        values += int(finite.sum())
        fine = upsample(np.where(finite, band, np.nan), parameters.factor, parameters.method)
        title = source.descriptions[number - 1] or f"band {number}"
        write_band(target, number, np.where(np.isnan(fine), np.float32(RISK_NODATA), fine), title, times[number - 1])
    if not values:
        raise DataError(
            f"{parameters.risk} has no cell with a value",
            parameter="risk",
            value=parameters.risk,
            remedy="Choose a raster that has values",
        )


def _profile(source: Any, factor: int) -> dict[str, Any]:
    t = source.transform
    finer = Affine(t.a / factor, t.b / factor, t.c, t.d / factor, t.e / factor, t.f)
    return make_profile(
        source.width * factor,
        source.height * factor,
        source.count,
        "float32",
        source.crs,
        finer,
        RISK_NODATA,
        predictor=3,
        tiled=True,
    )


def _unreadable(path: str) -> FormatError:
    return FormatError(
        f"{path} cannot be read as a raster: it is truncated or of another kind",
        parameter="risk",
        value=path,
        remedy="Choose a risk raster",
    )


def _check_size(source: Any, factor: int) -> None:
    cells = source.width * source.height * source.count * factor**2
    if cells > MOST_FINE_CELLS:
        raise ParameterError(
            f"A factor of {factor} gives {count_text(source.width * factor, 'column')} x"
            f" {count_text(source.height * factor, 'row')} x "
            f"{count_text(source.count, 'map')} = {count_text(cells, 'cell')}; the limit is {MOST_FINE_CELLS:,}",
            parameter="factor",
            value=factor,
            remedy="Choose a smaller factor, or fewer maps with Extract bands",
        )
