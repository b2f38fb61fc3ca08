"""Crime Risk ▸ New risk map layout: a print layout made from our template, showing what the map shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsLayoutItemMap,
    QgsLayoutPoint,
    QgsMapLayer,
    QgsMapSettings,
    QgsPrintLayout,
    QgsProject,
    QgsReadWriteContext,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtXml import QDomDocument

from ..bridge.legends import find_shown_band
from ..bridge.temporal import find_first_map
from .layout_legend import LegendPlacer, has_first_map_on_top, is_in_view, is_played
from .layout_text import Ruler, fit_label

TEMPLATE = Path(__file__).resolve().parents[1] / "resources" / "layouts" / "crime_risk.qpt"
#: Millimetres: between the parts of the right column, and the most that its texts get.
GAP, CARD_HEIGHT, COUNT_HEIGHT = 3.0, 52.0, 14.0


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
    layers = _list_drawn(project, canvas)
    time = _follow(layout.itemById("map"), layers, project, canvas)
    for layer in layers:
        # Of a file that was opened by hand QGIS reads the style alone.
        if not layer.metadata().title():
            layer.loadDefaultMetadata()
    _arrange(layout, layers, time)
    project.layoutManager().addLayout(layout)
    return layout


def _fine(read: Any) -> bool:
    return bool(read[0]) if isinstance(read, tuple) else bool(read)


def _list_drawn(project: QgsProject, canvas: Any) -> list[QgsMapLayer]:
    """List what the map shows, the uppermost first."""
    root = project.layerTreeRoot()
    checked = {layer.id() for layer in root.checkedLayers()}
    layers = [layer for layer in root.layerOrder() if layer.id() in checked and layer.isValid() and layer.isSpatial()]
    return layers if canvas is None else [layer for layer in layers if is_in_view(layer, canvas.mapSettings())]


def _follow(
    view: QgsLayoutItemMap, layers: list[QgsMapLayer], project: QgsProject, canvas: Any
) -> QgsDateTimeRange | None:
    """Show in the layout's map what the canvas shows now, and keep it so that the legend stays true.

    Returns
    -------
    QgsDateTimeRange or None
        The time that is shown.
    """
    view.setKeepLayerSet(True)
    view.setLayers(layers)
    settings = QgsMapSettings() if canvas is None else canvas.mapSettings()
    if canvas is None:
        settings.setDestinationCrs(project.crs())
        settings.setLayers(layers)
        settings.setExtent(settings.fullExtent())
    if not view.presetCrs().isValid():
        view.setCrs(settings.destinationCrs())
    extent = QgsRectangle(settings.visibleExtent() if canvas is not None else settings.extent())
    if not extent.isEmpty():
        view.zoomToExtent(extent)
    if not settings.isTemporal():
        return None
    time = _narrow(settings.temporalRange(), layers)
    view.setIsTemporal(True)
    view.setTemporalRange(time)
    return time


def _narrow(time: QgsDateTimeRange, layers: list[QgsMapLayer]) -> QgsDateTimeRange:
    """Narrow a time to that of the map drawn: of a week QGIS draws one day's, and the page must say so."""
    for layer in layers:
        drawn = None
        if is_played(layer):
            drawn = layer.temporalProperties().fixedRangePerBand().get(find_shown_band(layer, time))
        elif has_first_map_on_top(layer):
            drawn = find_first_map(layer, time)
        if drawn is not None:
            return time if drawn.contains(time) else drawn
    return time


def _arrange(layout: QgsPrintLayout, layers: list[QgsMapLayer], time: QgsDateTimeRange | None) -> None:
    """Let every text fit its frame, and the legend what the texts leave of the right column."""
    ruler = Ruler(layout)
    span = layout.itemById("date").text().removeprefix("[%").removesuffix("%]")
    for name, smallest in (("title", 10.0), ("date", 8.0), ("credits", 5.0)):
        item = layout.itemById(name)
        height = item.sizeWithUnits().height()
        fit_label(ruler, item, height, smallest)
    legend, bar = layout.itemById("legend"), layout.itemById("scale bar")
    left, top = legend.positionWithUnits().x(), legend.positionWithUnits().y()
    width, bottom = layout.itemById("card").sizeWithUnits().width(), bar.positionWithUnits().y() - GAP
    for name, most in (("card", CARD_HEIGHT), ("count", COUNT_HEIGHT)):
        item = layout.itemById(name)
        height = fit_label(ruler, item, most, 6.0)
        bottom -= height
        item.attemptMove(QgsLayoutPoint(left, bottom, Qgis.LayoutUnit.Millimeters))
        bottom -= GAP if height else 0.0
    LegendPlacer(layout, layers, time, span).place(legend, width, bottom - top)


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
