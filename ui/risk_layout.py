"""Crime Risk ▸ New risk map layout: a print layout made from our template, showing what the map shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsMapLayerLegendUtils,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsReadWriteContext,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtXml import QDomDocument

TEMPLATE = Path(__file__).resolve().parents[1] / "resources" / "layouts" / "crime_risk.qpt"


class LayoutError(Exception):
    """The layout could not be made; the text is a sentence for the user."""


def make_layout(project: QgsProject, canvas: Any = None) -> QgsPrintLayout:
    """Make a layout from the template and add it to the project, under a name of its own.

    Parameters
    ----------
    project : QgsProject
    canvas : QgsMapCanvas, optional
        Its extent, and the time it shows, are taken over by the layout's maps.

    Raises
    ------
    LayoutError
        If the template cannot be read.
    """
    document, layout = QDomDocument(), QgsPrintLayout(project)
    try:
        text = TEMPLATE.read_text(encoding="utf-8")
    except OSError as error:
        raise LayoutError(_unreadable()) from error
    # PyQt gives back whether it was read and more, or of Qt 6.5 an object that says so.
    read: Any = document.setContent(text)
    _, loaded = layout.loadFromTemplate(document, QgsReadWriteContext()) if _fine(read) else ([], False)
    if not loaded:
        raise LayoutError(_unreadable())
    layout.setName(_free_name(project))
    for item in layout.items():
        if isinstance(item, QgsLayoutItemLegend):
            _drop_band_names(item)
    if canvas is not None:
        for item in layout.items():
            if isinstance(item, QgsLayoutItemMap):
                _follow(item, canvas, project)
    project.layoutManager().addLayout(layout)
    return layout


def _fine(read: Any) -> bool:
    return bool(read[0]) if isinstance(read, tuple) else bool(read)


def _follow(item: QgsLayoutItemMap, canvas: Any, project: QgsProject) -> None:
    """Show in the layout's map what the canvas shows now."""
    settings = canvas.mapSettings()
    if not item.presetCrs().isValid():
        item.setCrs(settings.destinationCrs())
    extent = QgsRectangle(settings.visibleExtent())
    if not extent.isEmpty():
        item.zoomToExtent(extent)
    if settings.isTemporal():
        item.setIsTemporal(True)
        item.setTemporalRange(settings.temporalRange())


def _drop_band_names(legend: QgsLayoutItemLegend) -> None:
    """Take the line "Band 1: … (Gray)" out of the legend of stacks: it names the first map, whichever is shown.

    A legend that follows the project shows whatever the Layers panel does, so it has to be one of its own.
    """
    legend.setAutoUpdateModel(False)
    model = legend.model()
    for node in model.rootGroup().findLayers():
        layer, lines = node.layer(), model.layerLegendNodes(node)
        if isinstance(layer, QgsRasterLayer) and layer.bandCount() > 1 and len(lines) > 1:
            QgsMapLayerLegendUtils.setLegendNodeOrder(node, list(range(1, len(lines))))
            model.refreshLayerLegend(node)


def _free_name(project: QgsProject) -> str:
    title = _tr("Risk map")
    names = {layout.name() for layout in project.layoutManager().printLayouts()}
    number, name = 1, title
    while name in names:
        number += 1
        name = f"{title} {number}"
    return name


def _unreadable() -> str:
    return _tr("The template {path} cannot be read. Install Crime Risk again.").format(path=TEMPLATE)


def _tr(text: str) -> str:
    return QCoreApplication.translate("CrimeRisk", text)
