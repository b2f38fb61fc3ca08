"""Which of the layers of one run lie above the others, however QGIS loads them."""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import (
    QgsLayerTreeLayer,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingUtils,
    QgsRasterLayer,
)

#: QGIS calls them when all is loaded, and owns none.
_KEPT: list[QgsProcessingLayerPostProcessorInterface] = []


class Raiser(QgsProcessingLayerPostProcessorInterface):
    """Raises a layer above rasters of its group, which would hide it.

    QGIS loads layers in the order of their files' names, the first above or below the others as one is chosen or not.

    Parameters
    ----------
    sources : iterable of str
        Of the rasters.
    """

    def __init__(self, sources: Iterable[str]) -> None:
        super().__init__()
        self._sources = set(sources)

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Raise the layer where it was loaded below."""
        project = context.project()
        node = project.layerTreeRoot().findLayer(layer.id()) if project is not None else None
        if node is None:
            return
        group = node.parent()
        for place, other in enumerate(group.children()):
            if other == node:
                return
            raster = other.layer() if isinstance(other, QgsLayerTreeLayer) else None
            if raster is not None and raster.source() in self._sources:
                # The tree keeps a layer that is in it twice.
                group.insertChildNode(place, node.clone())
                group.removeChildNode(node)
                return


def keep_above_rasters(context: QgsProcessingContext, destinations: Iterable[str]) -> None:
    """Have the vector layers among the outputs of a run lie above its rasters when they are loaded."""
    waiting = context.layersToLoadOnCompletion()
    layers = {each: QgsProcessingUtils.mapLayerFromString(each, context) for each in destinations if each in waiting}
    rasters = [layer.source() for layer in layers.values() if isinstance(layer, QgsRasterLayer)]
    if not rasters:
        return
    for destination, layer in layers.items():
        if layer is not None and not isinstance(layer, QgsRasterLayer):
            _KEPT.append(Raiser(rasters))
            context.layerToLoadOnCompletionDetails(destination).setPostProcessor(_KEPT[-1])
