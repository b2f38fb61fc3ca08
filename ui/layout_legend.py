"""The legend of a print layout: only what is shown, and never over anything else, however many layers there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.core import (
    Qgis,
    QgsColorRampLegendNode,
    QgsCoordinateTransform,
    QgsCsException,
    QgsDateTimeRange,
    QgsLayoutItemLegend,
    QgsLayoutItemPage,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendRenderer,
    QgsLegendStyle,
    QgsMapLayer,
    QgsMapLayerLegendUtils,
    QgsMapSettings,
    QgsPrintLayout,
    QgsRasterLayer,
    QgsTextFormat,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, QSizeF, Qt

from ..bridge.legends import name_map
from .layout_text import Ruler, quote

#: Sizes of a legend's lines, points: from the nicest to the smallest that can be read on paper.
SIZES = (9.0, 8.0, 7.0, 6.0)
#: Layers of a picture, such as a basemap, explain themselves.
_PICTURES = ("multibandcolor", "singlebandcolordata")
#: More lines of one layer are not listed.
_MOST_LINES = 24
_COLUMNS = 3
_IS_TIMED = "map_get(item_variables('map'), 'map_start_time') is not null"
#: Millimetres, at the largest size: a symbol's height and what stands above it.
_SYMBOL_HEIGHT, _SPACE = 4.0, 2.5
#: At the resolution of a screen a legend is higher than on paper by so much at most.
_COARSER = 1.06
#: Millimetres: a symbol and the space around it, between columns, and around a page.
_SYMBOL, _GAP, _MARGIN = 10.0, 6.0, 10.0
_TITLE_LINES, _LABEL_LINES = 3, 2
#: Of a bar of colours, millimetres: tall enough to find a colour in.
_RAMP = QSizeF(7.0, 24.0)


def is_explained(layer: QgsMapLayer) -> bool:
    """Whether a legend has something to say of a layer: a basemap or a photograph has nothing."""
    if isinstance(layer, QgsRasterLayer):
        return (
            layer.providerType() == "gdal"
            and layer.renderer() is not None
            and (layer.renderer().type() not in _PICTURES)
        )
    return isinstance(layer, QgsVectorLayer)


def is_in_view(layer: QgsMapLayer, settings: QgsMapSettings) -> bool:
    """Whether a checked layer can be seen: at this scale, at this time, and in this part of the world."""
    if settings.extent().isEmpty():
        return True
    if settings.scale() and not layer.isInScaleRange(settings.scale()):
        return False
    properties = layer.temporalProperties()
    timed = settings.isTemporal() and properties is not None and properties.isActive()
    if timed and not properties.isVisibleInTemporalRange(settings.temporalRange()):
        return False
    there = QgsCoordinateTransform(layer.crs(), settings.destinationCrs(), settings.transformContext())
    try:
        return bool(there.transformBoundingBox(layer.extent()).intersects(settings.visibleExtent()))
    except QgsCsException:
        return True


def is_played(layer: QgsMapLayer) -> bool:
    """Whether a layer is a stack, of which a map's time chooses one map."""
    properties = layer.temporalProperties()
    return isinstance(layer, QgsRasterLayer) and properties.isActive() and bool(properties.fixedRangePerBand())


def has_first_map_on_top(layer: QgsMapLayer) -> bool:
    """Whether a layer has a shape for each map, one on the other, drawn in the order of the maps."""
    properties, renderer = layer.temporalProperties(), layer.renderer() if isinstance(layer, QgsVectorLayer) else None
    ordered = renderer is not None and renderer.orderByEnabled()
    return ordered and properties.isActive() and bool(properties.startField() and properties.endField())


class LegendPlacer:
    """Fills the legend of a layout, and gives it further pages where one place is too small.

    Parameters
    ----------
    layout : QgsPrintLayout
    layers : sequence of QgsMapLayer
        What the map shows, the uppermost first.
    time : QgsDateTimeRange, optional
        That of the map.
    span : str
        Expression of the map's time as text: the time of a layout can be changed, and its export can run through all.
    """

    def __init__(
        self, layout: QgsPrintLayout, layers: Sequence[QgsMapLayer], time: QgsDateTimeRange | None, span: str
    ) -> None:
        self._layout, self._time, self._span = layout, time, span
        self._layers = [layer for layer in layers if is_explained(layer)]
        self._ruler = Ruler(layout)

    def place(self, legend: QgsLayoutItemLegend, width: float, height: float) -> None:
        """Fill the legend within so many millimetres; what does not fit goes on pages of its own."""
        if self._fit(legend, self._layers, width, height):
            return
        taken = self._fit_some(legend, self._layers, width, height, 2)
        page = 2
        while taken < len(self._layers):
            taken += self._add_page(legend, self._layers[taken:], page)
            page += 1

    def _add_page(self, first: QgsLayoutItemLegend, layers: Sequence[QgsMapLayer], page: int) -> int:
        """Add a page with a legend in columns; returns how many layers it holds."""
        sheet = QgsLayoutItemPage(self._layout)
        sheet.setPageSize("A4", QgsLayoutItemPage.Orientation.Landscape)
        self._layout.pageCollection().addPage(sheet)
        legend = QgsLayoutItemLegend(self._layout)
        legend.setLinkedMap(first.linkedMap())
        legend.setResizeToContents(True)
        legend.setBoxSpace(0.0)
        for style in _STYLES:
            legend.setStyle(style, first.style(style))
        legend.setColumnCount(_COLUMNS)
        legend.setColumnSpace(_GAP)
        legend.setSplitLayer(False)
        self._layout.addLayoutItem(legend)
        legend.setId(f"legend {page}")
        place = QgsLayoutPoint(_MARGIN, _MARGIN, Qgis.LayoutUnit.Millimeters)
        legend.attemptMove(place, True, False, page - 1)
        width, height = (side - 2 * _MARGIN for side in (sheet.pageSize().width(), sheet.pageSize().height()))
        if self._fit(legend, layers, width, height):
            return len(layers)
        return max(self._fit_some(legend, layers, width, height, page + 1), 1)

    def _fit(self, legend: QgsLayoutItemLegend, layers: Sequence[QgsMapLayer], width: float, height: float) -> bool:
        for size in SIZES:
            self._fill(legend, layers, width, size)
            if self._is_within(legend, width, height):
                return True
        return False

    def _fit_some(
        self,
        legend: QgsLayoutItemLegend,
        layers: Sequence[QgsMapLayer],
        width: float,
        height: float,
        page: int,
    ) -> int:
        """Fill in as many layers as fit at the smallest size, and say where the others are; returns how many."""
        legend.setTitle(_tr("More of the legend is on page {page}").format(page=page))
        low, high = 0, len(layers)
        while low < high:
            middle = (low + high + 1) // 2
            self._fill(legend, layers[:middle], width, SIZES[-1])
            low, high = (middle, high) if self._is_within(legend, width, height) else (low, middle - 1)
        self._fill(legend, layers[:low], width, SIZES[-1])
        self._is_within(legend, width, height)
        return low

    def _is_within(self, legend: QgsLayoutItemLegend, width: float, height: float) -> bool:
        # The item itself knows its size only when it has been painted.
        size = QgsLegendRenderer(legend.model(), legend.legendSettings()).minimumSize(self._ruler.context)
        legend.attemptResize(QgsLayoutSize(size.width(), size.height(), Qgis.LayoutUnit.Millimeters))
        return bool(size.width() <= width + 0.1 and size.height() * _COARSER <= height)

    def _fill(self, legend: QgsLayoutItemLegend, layers: Sequence[QgsMapLayer], width: float, size: float) -> None:
        legend.setAutoUpdateModel(False)
        forms = {style: _resize(legend, style, size) for style in _STYLES}
        legend.setSymbolHeight(_SYMBOL_HEIGHT * size / SIZES[0])
        for style in (QgsLegendStyle.Style.Symbol, QgsLegendStyle.Style.Subgroup):
            own = legend.style(style)
            own.setMargin(QgsLegendStyle.Side.Top, _SPACE * size / SIZES[0])
            legend.setStyle(style, own)
        columns = legend.columnCount()
        inner = (width - (columns - 1) * _GAP) / columns
        root = legend.model().rootGroup()
        root.removeAllChildren()
        for layer in layers:
            node = root.addLayer(layer)
            name_map(node, self._time)
            legend.model().refreshLayerLegend(node)
            lines = legend.model().layerLegendNodes(node)
            more = len(lines) - _MOST_LINES
            title = _tr("{name} (and {more} more)").format(name=layer.name(), more=more) if more > 0 else layer.name()
            wrapped = self._ruler.cut(title, inner, _TITLE_LINES, forms[QgsLegendStyle.Style.Subgroup])
            node.setCustomProperty("legend/title-label", quote("\n".join(wrapped)))
            for number, line in enumerate(lines[:_MOST_LINES]):
                text = str(line.data(Qt.ItemDataRole.DisplayRole) or "")
                form = forms[QgsLegendStyle.Style.SymbolLabel]
                if text:
                    text = quote("\n".join(self._ruler.cut(text, inner - _SYMBOL, _LABEL_LINES, form)))
                    if not number and is_played(layer):
                        text = f"[% if({_IS_TIMED}, 'Map of ' || ({self._span}), '{text}') %]"
                    QgsMapLayerLegendUtils.setLegendNodeUserLabel(node, number, text)
                elif isinstance(line, QgsColorRampLegendNode):
                    QgsMapLayerLegendUtils.setLegendNodeSymbolSize(node, number, _RAMP)
            if more > 0:
                QgsMapLayerLegendUtils.setLegendNodeOrder(node, list(range(_MOST_LINES)))
            legend.model().refreshLayerLegend(node)


_STYLES = (
    QgsLegendStyle.Style.Title,
    QgsLegendStyle.Style.Group,
    QgsLegendStyle.Style.Subgroup,
    QgsLegendStyle.Style.SymbolLabel,
)


def _resize(legend: QgsLayoutItemLegend, style: Any, size: float) -> QgsTextFormat:
    own = legend.style(style)
    form = QgsTextFormat(own.textFormat())
    form.setSize(size if style == QgsLegendStyle.Style.SymbolLabel else size + 1)
    own.setTextFormat(form)
    legend.setStyle(style, own)
    return form


def _tr(text: str) -> str:
    return QCoreApplication.translate("CrimeRisk", text)
