"""Keeps the lines of the Layers panel true: whatever map of a stack is shown, its legend names that one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from qgis.core import QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QObject

from ..bridge.legends import name_map


class LegendLines(QObject):
    """Names the shown map in a project's layer tree, also as the Temporal Controller plays.

    Parameters
    ----------
    project : QgsProject
    canvas : QgsMapCanvas
        The map whose time counts.
    """

    def __init__(self, project: QgsProject, canvas: Any) -> None:
        super().__init__()
        self._project, self._canvas = project, canvas
        canvas.temporalRangeChanged.connect(self.update)
        project.layersAdded.connect(self._follow)
        # Layers are read before the tree knows them.
        project.readProject.connect(self.update)
        project.layerTreeRoot().addedChildren.connect(self.update)
        self._follow(project.mapLayers().values())
        self.update()

    def close(self) -> None:
        """Let everything go."""
        self._canvas.temporalRangeChanged.disconnect(self.update)
        self._project.layersAdded.disconnect(self._follow)
        self._project.readProject.disconnect(self.update)
        self._project.layerTreeRoot().addedChildren.disconnect(self.update)
        for layer in self._project.mapLayers().values():
            if isinstance(layer, QgsRasterLayer):
                for signal in (layer.legendChanged, layer.temporalProperties().changed):
                    # A layer that was added while the project's signals were blocked is not followed.
                    with suppress(TypeError):
                        signal.disconnect(self.update)

    def _follow(self, layers: Iterable[QgsMapLayer]) -> None:
        """A layer may be given another style, band or time."""
        for layer in layers:
            if isinstance(layer, QgsRasterLayer):
                layer.legendChanged.connect(self.update)
                layer.temporalProperties().changed.connect(self.update)
        self.update()

    def update(self, *_: Any) -> None:
        """Name what is shown now."""
        settings = self._canvas.mapSettings()
        time = settings.temporalRange() if settings.isTemporal() else None
        for node in self._project.layerTreeRoot().findLayers():
            if name_map(node, time):
                # Views of the tree draw the lines of this layer anew.
                node.layer().legendChanged.emit()
