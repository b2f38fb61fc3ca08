"""Write resources/layouts/crime_risk.qpt, the print layout of a risk map; run with QGIS's Python after changing it."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Qt writes attributes in the order of their hashes: the same order every time.
os.environ.setdefault("QT_HASH_SEED", "0")

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsLayoutMeasurement,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendStyle,
    QgsPrintLayout,
    QgsProject,
    QgsReadWriteContext,
    QgsRectangle,
    QgsTextFormat,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QFont

TARGET = Path(__file__).resolve().parents[1] / "resources" / "layouts" / "crime_risk.qpt"
#: A4, landscape, millimetres; the map on the left, the legend on the right.
MARGIN, TOP, MAP_WIDTH, MAP_HEIGHT = 10.0, 28.0, 193.0, 164.0
RIGHT, RIGHT_WIDTH = 208.0, 79.0
#: On Windows and macOS; elsewhere the system names one that looks like it.
FAMILY = "Arial"

_IS_AREA = "(layer_property(@element, 'type') = 'Raster' or layer_property(@element, 'geometry_type') = 'Polygon')"
_HAS_MODEL = "length(layer_property(@element, 'abstract')) > 0"
_HAS_COUNT = "array_length(array_filter(layer_property(@element, 'keywords'), left(@element, 4) = 'n = ')) > 0"
#: The layer that the texts speak of: of the map's layers, from the top, the first raster or polygons with a model, else
#: the first of them with a count, else any layer with a count, else the first raster, else the first layer.
SUBJECT = (
    "with_variable('ids', map_get(item_variables('map'), 'map_layer_ids'), coalesce("
    f"array_first(array_filter(@ids, {_IS_AREA} and {_HAS_MODEL})), "
    f"array_first(array_filter(@ids, {_IS_AREA} and {_HAS_COUNT})), "
    f"array_first(array_filter(@ids, {_HAS_COUNT})), "
    "array_first(array_filter(@ids, layer_property(@element, 'type') = 'Raster')), array_first(@ids)))"
)
TITLE = (
    f"[% with_variable('subject', {SUBJECT}, coalesce(nullif(layer_property(@subject, 'title'), ''), "
    "layer_property(@subject, 'name'), 'Risk map')) %]"
)
#: The span from @begin to @end, as `contract.dates.format_span` says it.
SPAN = (
    "with_variable('last', @end - to_interval('1 second'), CASE "
    "WHEN format_date(@begin, 'HHmm') <> '0000' or format_date(@end, 'HHmm') <> '0000' THEN "
    "format_date(@begin, 'ddd d MMM yyyy, HH:mm', 'en') || ' – ' || if(to_date(@begin) = to_date(@last), "
    "if(format_date(@end, 'HHmm') = '0000', '24:00', format_date(@end, 'HH:mm')), "
    "format_date(@end, 'ddd d MMM yyyy, HH:mm', 'en')) "
    "WHEN day(@begin) = 1 and day(@end) = 1 THEN "
    "CASE WHEN format_date(@begin, 'yyyyMM') = format_date(@last, 'yyyyMM') THEN '' "
    "WHEN year(@begin) = year(@last) THEN format_date(@begin, 'MMM', 'en') || ' – ' "
    "ELSE format_date(@begin, 'MMM yyyy', 'en') || ' – ' END || format_date(@last, 'MMM yyyy', 'en') "
    "ELSE CASE WHEN to_date(@begin) = to_date(@last) THEN '' "
    "WHEN year(@begin) <> year(@last) THEN format_date(@begin, 'ddd d MMM yyyy', 'en') || ' – ' "
    "WHEN month(@begin) <> month(@last) THEN format_date(@begin, 'ddd d MMM', 'en') || ' – ' "
    "ELSE format_date(@begin, 'ddd d', 'en') || ' – ' END || format_date(@last, 'ddd d MMM yyyy', 'en') END)"
)
#: A span as `contract.dates.format_span` says it begins with one of these.
_NAMES = "Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
#: What was counted: a keyword of the layer begins with n.
COUNT = (
    f"[% with_variable('subject', {SUBJECT}, coalesce(array_first(array_filter("
    "layer_property(@subject, 'keywords'), left(@element, 4) = 'n = ')), '')) %]"
)
#: The map's own range, set by the Temporal Controller or in its properties; else the time of the layer's first map.
DATE = (
    "[% with_variable('begin', map_get(item_variables('map'), 'map_start_time'), "
    "with_variable('end', map_get(item_variables('map'), 'map_end_time'), "
    f"if(@begin is null, with_variable('subject', {SUBJECT}, "
    f"coalesce(array_first(array_filter(layer_property(@subject, 'keywords'), "
    f"regexp_match(@element, '^({_NAMES}) |^[0-9.]+ days? to '))), '')), "
    f"{SPAN}))) %]"
)
CARD = f"[% with_variable('subject', {SUBJECT}, coalesce(layer_property(@subject, 'abstract'), '')) %]"
#: In the template itself, so that a project opens elsewhere too.
ARROW = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
    '<path d="M20 1 29 27 20 22 11 27Z" fill="#222222"/>'
    '<path d="M15.5 39V29.5l9 9.5V29.5" fill="none" stroke="#222222" stroke-width="2"/></svg>'
)
CREDITS = (
    "Crime Risk for QGIS. CRS [% map_get(item_variables('map'), 'map_crs') %]. "
    "Printed [% format_date(now(), 'ddd d MMM yyyy', 'en') %]. "
    "[% coalesce(nullif(array_to_string(array_distinct(array_filter(array_foreach("
    "map_get(item_variables('map'), 'map_layer_ids'), layer_property(@element, 'attribution')), "
    "length(@element) > 0)), '; ') || '. ', '. '), '') %]"
    "Reported incidents only; about places, never about persons."
)


def text_format(size: float, bold: bool = False, colour: str = "#222222") -> QgsTextFormat:
    """A text of so many points."""
    form = QgsTextFormat()
    font = QFont(FAMILY)
    font.setBold(bold)
    form.setFont(font)
    form.setSize(size)
    form.setSizeUnit(Qgis.RenderUnit.Points)
    form.setColor(QColor(colour))
    return form


def place(item: QgsLayoutItem, name: str, x: float, y: float, width: float, height: float) -> None:
    """Give an item its id and its rectangle, millimetres."""
    item.setId(name)
    item.attemptMove(QgsLayoutPoint(x, y, Qgis.LayoutUnit.Millimeters))
    item.attemptResize(QgsLayoutSize(width, height, Qgis.LayoutUnit.Millimeters))


def label(
    layout: QgsPrintLayout, name: str, text: str, rectangle: tuple[float, float, float, float], form: QgsTextFormat
) -> None:
    """Add a text whose expressions are evaluated when it is drawn."""
    item = QgsLayoutItemLabel(layout)
    item.setText(text)
    item.setTextFormat(form)
    item.setHAlign(Qt.AlignmentFlag.AlignLeft)
    item.setVAlign(Qt.AlignmentFlag.AlignTop)
    item.setMarginX(0)
    item.setMarginY(0)
    layout.addLayoutItem(item)
    place(item, name, *rectangle)


def build(project: QgsProject) -> QgsPrintLayout:
    """The layout, with its map still empty."""
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName("Crime risk map")
    page = layout.pageCollection().page(0)
    page.setPageSize("A4", page.Orientation.Landscape)
    view = QgsLayoutItemMap(layout)
    view.setFrameEnabled(True)
    view.setFrameStrokeColor(QColor("#777777"))
    view.setFrameStrokeWidth(QgsLayoutMeasurement(0.2, Qgis.LayoutUnit.Millimeters))
    layout.addLayoutItem(view)
    place(view, "map", MARGIN, TOP, MAP_WIDTH, MAP_HEIGHT)
    view.setExtent(QgsRectangle(0, 0, MAP_WIDTH * 100, MAP_HEIGHT * 100))
    layout.setReferenceMap(view)
    label(layout, "title", TITLE, (MARGIN, 8.0, 277.0, 10.0), text_format(20, bold=True))
    label(layout, "date", DATE, (MARGIN, 18.0, 277.0, 8.0), text_format(13))
    legend = QgsLayoutItemLegend(layout)
    legend.setLinkedMap(view)
    legend.setAutoUpdateModel(True)
    legend.setResizeToContents(True)
    legend.setBoxSpace(0.0)
    for style, size, bold in (
        (QgsLegendStyle.Style.Title, 12, True),
        (QgsLegendStyle.Style.Group, 10, True),
        (QgsLegendStyle.Style.Subgroup, 10, True),
        (QgsLegendStyle.Style.SymbolLabel, 9, False),
    ):
        own = legend.style(style)
        own.setTextFormat(text_format(size, bold))
        legend.setStyle(style, own)
    layout.addLayoutItem(legend)
    place(legend, "legend", RIGHT, TOP, RIGHT_WIDTH, 80.0)
    label(layout, "count", COUNT, (RIGHT, 122.0, RIGHT_WIDTH, 10.0), text_format(9, bold=True))
    label(layout, "card", CARD, (RIGHT, 135.0, RIGHT_WIDTH, 38.0), text_format(8))
    bar = QgsLayoutItemScaleBar(layout)
    bar.setLinkedMap(view)
    bar.setStyle("Single Box")
    bar.setUnits(Qgis.DistanceUnit.Kilometers)
    bar.setUnitLabel("km")
    bar.setMapUnitsPerScaleBarUnit(1.0)
    bar.setSegmentSizeMode(Qgis.ScaleBarSegmentSizeMode.FitWidth)
    bar.setMinimumBarWidth(25.0)
    bar.setMaximumBarWidth(55.0)
    bar.setNumberOfSegmentsLeft(0)
    bar.setNumberOfSegments(2)
    bar.setHeight(2.0)
    bar.setBoxContentSpace(0.0)
    bar.setTextFormat(text_format(9))
    layout.addLayoutItem(bar)
    place(bar, "scale bar", RIGHT, 180.0, RIGHT_WIDTH - 17.0, 12.0)
    arrow = QgsLayoutItemPicture(layout)
    arrow.setPicturePath("base64:" + base64.b64encode(ARROW.encode()).decode())
    arrow.setLinkedMap(view)
    arrow.setNorthMode(QgsLayoutItemPicture.NorthMode.TrueNorth)
    layout.addLayoutItem(arrow)
    place(arrow, "north arrow", RIGHT + RIGHT_WIDTH - 14.0, 178.0, 14.0, 14.0)
    label(layout, "credits", CREDITS, (MARGIN, 195.0, 277.0, 10.0), text_format(7, colour="#555555"))
    return layout


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    TARGET.parent.mkdir(exist_ok=True)
    written = build(QgsProject.instance()).saveAsTemplate(str(TARGET), QgsReadWriteContext())
    print(TARGET, "written" if written else "could not be written")
    application.exitQgis()
    sys.exit(0 if written else 1)
