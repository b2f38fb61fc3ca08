"""Panels on their way to where the user wants them, and the layers that they are loaded as."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from qgis.core import QgsProcessingContext, QgsProcessingUtils

from ..bridge.crs import tr
from ..bridge.landing import Landing, sentences
from ..riskengine.contract.tags import AREAS_TABLE, COUNTS_TABLE
from ..riskengine.contract.tools.base import Parameter

if TYPE_CHECKING:
    from .values import Asked


def bring(asked: Asked, parameter: Parameter, landing: Landing) -> str:
    """Have the panel that the job has made land with all else of the run; returns the layer of its counts."""
    given = asked.algorithm.parameterAsOutputLayer(asked.parameters, parameter.name, asked.context)
    # QGIS names temporary files by the format of its settings.
    path = str(Path(asked.algorithm.to_absolute(given)).with_suffix(".gpkg"))
    place = landing.make_place(Path(path))
    with sentences(Path(path)):
        shutil.move(asked.job[parameter.key], place)
    _announce(given, path, asked.context)
    return f"{path}|layername={COUNTS_TABLE}"


def areas_of(destination: str) -> str:
    """The layer of the areas beside that of the counts."""
    return destination.replace(f"|layername={COUNTS_TABLE}", f"|layername={AREAS_TABLE}")


def _announce(given: str, path: str, context: QgsProcessingContext) -> None:
    """Have the counts loaded, and the areas below them, where QGIS would load the file's first table."""
    waiting = context.layersToLoadOnCompletion()
    if given not in waiting:
        return
    counts = waiting.pop(given)
    counts.layerTypeHint = QgsProcessingUtils.LayerHint.Vector
    areas = QgsProcessingContext.LayerDetails(
        tr("Areas"), counts.project, counts.outputName, QgsProcessingUtils.LayerHint.Vector
    )
    areas.groupName = counts.groupName
    # A higher key lies on top.
    counts.layerSortKey = max(counts.layerSortKey, 1)
    areas.layerSortKey = counts.layerSortKey - 1
    waiting[f"{path}|layername={COUNTS_TABLE}"] = counts
    waiting[f"{path}|layername={AREAS_TABLE}"] = areas
    context.setLayersToLoadOnCompletion(waiting)
