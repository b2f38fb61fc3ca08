"""Write the base styles in resources/styles; run with QGIS's Python after changing one here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Qt writes attributes in the order of their hashes: the same order every time.
os.environ.setdefault("QT_HASH_SEED", "0")

import numpy as np
from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsGraduatedSymbolRenderer,
    QgsLinePatternFillSymbolLayer,
    QgsLineSymbol,
    QgsMarkerSymbol,
    QgsPalettedRasterRenderer,
    QgsPalLayerSettings,
    QgsProperty,
    QgsRasterLayer,
    QgsRendererCategory,
    QgsRendererRange,
    QgsRuleBasedRenderer,
    QgsSimpleLineSymbolLayer,
    QgsSingleSymbolRenderer,
    QgsSymbolLayer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from riskengine.contract.colours import (  # noqa: E402
    LABELS,
    PLACES,
    PLACES_OUTLINE,
    SCORE_LIMITS,
    WAYS,
    list_shades,
)
from riskengine.contract.routes import BETWEEN, FAULTS, LEAST, SHORTEST, WAY_TITLES  # noqa: E402

FOLDER = ROOT / "resources" / "styles"
#: Of the score's classes.
RAMP = list_shades(5)
#: Of fills: the names of streets and quarters on a basemap below can still be read.
OPACITY = 0.6
#: Of cells that stand alone, with nothing drawn between them.
SPARSE = 0.75


def save(layer: QgsVectorLayer | QgsRasterLayer, name: str) -> None:
    """Write one QML, and say so."""
    message, fine = layer.saveNamedStyle(str(FOLDER / f"{name}.qml"))
    print(name, message)
    if not fine:
        sys.exit(1)


def vector_styles() -> None:
    """Incidents, scores, class polygons, polygons with a predicted score."""
    points = QgsVectorLayer("Point?field=score:double", "points", "memory")
    dot = QgsMarkerSymbol.createSimple({"name": "circle", "size": "1.2", "color": "68,1,84,110", "outline_style": "no"})
    points.setRenderer(QgsSingleSymbolRenderer(dot))
    save(points, "incidents")
    ranges = []
    for colour, low, high in zip(RAMP, SCORE_LIMITS, SCORE_LIMITS[1:], strict=False):
        marker = QgsMarkerSymbol.createSimple({"name": "circle", "size": "1.6", "color": colour, "outline_style": "no"})
        ranges.append(QgsRendererRange(low, high, marker, f"{low} – {high}"))
    points.setRenderer(QgsGraduatedSymbolRenderer("score", ranges))
    points.setOpacity(OPACITY)
    save(points, "scores")
    queries()
    polygons = QgsVectorLayer("Polygon?field=class:integer", "polygons", "memory")
    fill = QgsFillSymbol.createSimple({"color": RAMP[0], "outline_color": "90,90,90", "outline_width": "0.1"})
    polygons.setRenderer(QgsCategorizedSymbolRenderer("class", [QgsRendererCategory(0, fill, "0")]))
    polygons.setOpacity(OPACITY)
    save(polygons, "class_polygons")
    # Areas are small where many live: darker outlines would cover their colours.
    fill = QgsFillSymbol.createSimple({"color": RAMP[0], "outline_color": "90,90,90,70", "outline_width": "0.1"})
    polygons.setRenderer(QgsCategorizedSymbolRenderer("class", [QgsRendererCategory(0, fill, "0")]))
    save(polygons, "class_areas")
    lines = QgsVectorLayer("LineString?field=class:integer", "lines", "memory")
    line = QgsLineSymbol.createSimple({"color": RAMP[0], "width": "0.9"})
    lines.setRenderer(QgsCategorizedSymbolRenderer("class", [QgsRendererCategory(0, line, "0")]))
    lines.setOpacity(SPARSE)
    save(lines, "class_areas_lines")
    area = QgsVectorLayer("Polygon?field=incidents:integer", "area", "memory")
    outline = {"style": "no", "outline_color": "0,63,114", "outline_width": "0.6", "outline_style": "dash"}
    area.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(outline)))
    area.setMapTipTemplate('<b>[% "incidents" %]</b> incidents inside, [% "left_out" %] left out')
    save(area, "study_area")
    polygons = QgsVectorLayer("Polygon?field=score:double", "polygons", "memory")
    fill = QgsFillSymbol.createSimple({"color": RAMP[0], "outline_color": "90,90,90", "outline_width": "0.1"})
    polygons.setRenderer(QgsGraduatedSymbolRenderer("score", [QgsRendererRange(0.0, 1.0, fill, "0 – 1")]))
    polygons.setOpacity(OPACITY)
    save(polygons, "predicted_polygons")


def panels() -> None:
    """Counts by area or street segment, and the areas below them, of which some have no count.

    QGIS puts the areas above the counts where a layer is chosen while they are loaded: their outlines alone hide none.
    """
    for geometry, name, symbols in (("Polygon", "panel", QgsFillSymbol), ("LineString", "panel_lines", QgsLineSymbol)):
        layer = QgsVectorLayer(f"{geometry}?field=incidents:integer", name, "memory")
        look = {"color": RAMP[0], "outline_color": "90,90,90", "outline_width": "0.1"}
        symbol = symbols.createSimple(look if geometry == "Polygon" else {"color": RAMP[0], "width": "0.9"})
        layer.setRenderer(QgsGraduatedSymbolRenderer("incidents", [QgsRendererRange(1.0, 1.0, symbol, "1")]))
        layer.setOpacity(SPARSE)
        save(layer, name)
        below = {"style": "no", "outline_color": "90,90,90,70", "outline_width": "0.1"}
        symbol = symbols.createSimple(below if geometry == "Polygon" else {"color": "170,170,170", "width": "0.26"})
        layer.setRenderer(QgsSingleSymbolRenderer(symbol))
        layer.setOpacity(1.0)
        layer.setMapTipTemplate('<b>[% "name" %]</b>')
        save(layer, name.replace("panel", "panel_areas"))


def queries() -> None:
    """Places that were asked: the score's classes, large, with the score beside them; grey where nothing is known."""
    layer = QgsVectorLayer("Point?field=name:string&field=score:double", "queries", "memory")
    outline = {"name": "circle", "size": "3.6", "outline_color": "40,40,40", "outline_width": "0.4"}
    unknown = QgsMarkerSymbol.createSimple({**outline, "color": "190,190,190"})
    ranges = [QgsRendererRange(-1.0, -1.0, unknown, "no data")]
    for colour, low, high in zip(RAMP, SCORE_LIMITS, SCORE_LIMITS[1:], strict=False):
        marker = QgsMarkerSymbol.createSimple({**outline, "color": colour})
        ranges.append(QgsRendererRange(low, high, marker, f"{low} – {high}"))
    layer.setRenderer(QgsGraduatedSymbolRenderer('coalesce("score", -1)', ranges))
    settings = QgsPalLayerSettings()
    settings.fieldName = "coalesce(format_number(\"score\", 2), '–')"
    settings.isExpression = True
    settings.placement = Qgis.LabelPlacement.OverPoint
    settings.quadOffset = Qgis.LabelQuadrantPosition.AboveRight
    settings.xOffset, settings.yOffset = 2.2, -1.2
    # Of several answers at one place the last one's score is to be read, as in the dock.
    properties = settings.dataDefinedProperties()
    later_first = QgsProperty.fromExpression("10 - 10 / (1 + abs($id))")
    properties.setProperty(QgsPalLayerSettings.Property.Priority, later_first)
    settings.setDataDefinedProperties(properties)
    settings.setFormat(make_text())
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    save(layer, "score_queries")


def places() -> None:
    """Places to go to: their ranks in few classes, the first ones' written beside them.

    A cell is smaller than a millimetre on a map of a city: the outline keeps it in sight, in the colour of its class.
    """
    # Of the layer's units, metres, on the map in millimetres.
    side = "1000 * sqrt(area(@geometry)) / @map_scale"
    width = QgsProperty.fromExpression(f"max(0.3, 1.6 - {side})")
    colour = QgsProperty.fromExpression(f"CASE WHEN {side} < 1.3 THEN @symbol_color ELSE '{PLACES_OUTLINE}' END")
    fields = "field=rank:integer&field=name:string&field=start:datetime&field=end:datetime"
    for geometry, name, symbols in (
        ("Polygon", "places", QgsFillSymbol),
        ("LineString", "places_lines", QgsLineSymbol),
    ):
        layer = QgsVectorLayer(f"{geometry}?{fields}", name, "memory")
        look = {"color": PLACES[0], "outline_color": PLACES_OUTLINE, "outline_width": "0.3"}
        symbol = symbols.createSimple(look if geometry == "Polygon" else {"color": PLACES[0], "width": "1.2"})
        if geometry == "Polygon":
            symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.Property.PropertyStrokeWidth, width)
            symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.Property.PropertyStrokeColor, colour)
        layer.setRenderer(QgsGraduatedSymbolRenderer("rank", [QgsRendererRange(0.5, 1.5, symbol, "1")]))
        # A risk below them is not to change their colours.
        layer.setOpacity(0.85)
        settings = QgsPalLayerSettings()
        settings.fieldName = "rank"
        settings.isExpression = True
        settings.placement = (
            Qgis.LabelPlacement.OutsidePolygons if geometry == "Polygon" else Qgis.LabelPlacement.Horizontal
        )
        settings.dist = 0.6
        # Of two that touch the one with the lower rank is to be read.
        properties = settings.dataDefinedProperties()
        first = QgsProperty.fromExpression('max(10 - "rank", 0)')
        properties.setProperty(QgsPalLayerSettings.Property.Priority, first)
        settings.setDataDefinedProperties(properties)
        settings.setFormat(make_text())
        layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
        layer.setLabelsEnabled(True)
        save(layer, name)


def warnings() -> None:
    """Areas and windows by their probability; those warned of hatched, outlined and labelled: legible in grey too.

    The bridge makes as many classes as there are of the first rule.
    """
    layer = QgsVectorLayer("Polygon?field=probability:double&field=warned:integer", "warnings", "memory")
    fill = QgsFillSymbol.createSimple({"color": RAMP[0], "outline_color": "90,90,90,120", "outline_width": "0.1"})
    root = QgsRuleBasedRenderer.Rule(None)
    root.appendChild(QgsRuleBasedRenderer.Rule(fill, 0, 0, '"probability" >= 0', "0 %"))
    root.appendChild(QgsRuleBasedRenderer.Rule(make_hatch(), 0, 0, '"warned" = 1', "Warning"))
    layer.setRenderer(QgsRuleBasedRenderer(root))
    layer.setOpacity(SPARSE)
    settings = QgsPalLayerSettings()
    settings.fieldName = "probability"
    settings.isExpression = True
    settings.placement = Qgis.LabelPlacement.Horizontal
    settings.setFormat(make_text())
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    save(layer, "warnings")


def make_hatch() -> QgsFillSymbol:
    """Make the mark of what is warned of: dark lines and a dark outline, above all that is not."""
    hatch = QgsLinePatternFillSymbolLayer()
    hatch.setLineAngle(45)
    hatch.setDistance(1.8)
    hatch.setSubSymbol(QgsLineSymbol.createSimple({"color": "20,20,20", "width": "0.3"}))
    outline = QgsSimpleLineSymbolLayer(QColor(20, 20, 20), 0.7)
    symbol = QgsFillSymbol.createSimple({})
    symbol.changeSymbolLayer(0, hatch)
    symbol.appendSymbolLayer(outline)
    for number in range(symbol.symbolLayerCount()):
        symbol.symbolLayer(number).setRenderingPass(1)
    return symbol


def make_text() -> QgsTextFormat:
    """Make the text of labels: legible on every map below."""
    text = QgsTextFormat()
    text.setSize(9)
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.9)
    text.setBuffer(halo)
    return text


def routes() -> None:
    """Ways by what they are: the least exposed broad, the shortest dashed above it, those between them thin.

    Where two run along the same street both are seen, and all are legible on any map below, in grey too.
    """
    layer = QgsVectorLayer("LineString?field=kind:string&field=label:string", "routes", "memory")
    # The order of the legend; the shortest is drawn last.
    order = {BETWEEN: 0, **{kind: 2 for kind in WAY_TITLES if kind not in (BETWEEN, SHORTEST)}, SHORTEST: 4}
    categories = []
    for kind, title in WAY_TITLES.items():
        width = {SHORTEST: 1.1, BETWEEN: 0.4}.get(kind, 2.4)
        line = QgsSimpleLineSymbolLayer(QColor(WAYS[kind]), width)
        symbol = QgsLineSymbol.createSimple({"color": "255,255,255", "width": str(width + 0.7)})
        if kind == SHORTEST:
            # Its gaps are white, so that no thin way below fills them.
            line.setUseCustomDashPattern(True)
            line.setCustomDashVector([3.0, 2.0])
        symbol.appendSymbolLayer(line)
        for number in range(symbol.symbolLayerCount()):
            symbol.symbolLayer(number).setRenderingPass(order[kind] + number)
        categories.append(QgsRendererCategory(kind, symbol, title))
    renderer = QgsCategorizedSymbolRenderer("kind", categories)
    renderer.setUsingSymbolLevels(True)
    layer.setRenderer(renderer)
    settings = QgsPalLayerSettings()
    settings.fieldName = f'if("kind" = \'{BETWEEN}\', NULL, "label")'
    settings.isExpression = True
    settings.placement = Qgis.LabelPlacement.Line
    settings.lineSettings().setPlacementFlags(Qgis.LabelLinePlacementFlag.AboveLine)
    settings.dist = 1.0
    settings.setFormat(make_text())
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    layer.setMapTipTemplate('<b>[% "kind" %]</b><br>[% "label" %], [% round("minutes") %] min')
    save(layer, "routes")


#: What a cell with an incident can be.
HITS = (
    ("correct", "Correct: flagged, with an incident"),
    ("false negative, neighbour", "Missed, but a neighbour was flagged"),
    ("false negative", "Missed: an incident, not flagged"),
)


def hits() -> None:
    """Cells with incidents in test maps: coloured by their label, the area of the dot follows the incidents."""
    fields = "field=start:datetime&field=end:datetime&field=incidents:integer&field=risk:double&field=label:string"
    layer = QgsVectorLayer(f"Point?{fields}", "hits", "memory")
    categories = []
    for label, title in HITS:
        marker = QgsMarkerSymbol.createSimple(
            {"name": "circle", "size": "2", "color": LABELS[label], "outline_color": "20,20,20", "outline_width": "0.2"}
        )
        size = QgsProperty.fromExpression('1.4 + 0.8 * sqrt(min("incidents", 25))')
        marker.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.Property.PropertySize, size)
        categories.append(QgsRendererCategory(label, marker, title))
    layer.setRenderer(QgsCategorizedSymbolRenderer("label", categories))
    save(layer, "hits")


#: Marker and colour of each kind of fault: what makes ways longer stands out, and shapes tell them apart in grey.
FAULT_MARKERS = {
    "crossing": ("cross2", "#d55e00", "3"),
    "tjunction": ("triangle", "#d55e00", "2.6"),
    "gap": ("diamond", "#e69f00", "2.8"),
    "component": ("star", "#0072b2", "3.2"),
    "dangle": ("circle", "#9a9a9a", "1"),
    "loop": ("pentagon", "#9a9a9a", "2"),
    "parallel": ("square", "#9a9a9a", "1.6"),
    "parts": ("equilateral_triangle", "#9a9a9a", "1.8"),
    "outside": ("line", "#9a9a9a", "2.4"),
}


def network_faults() -> None:
    """Faults of a street network: a marker a kind."""
    layer = QgsVectorLayer("Point?field=kind:string&field=fault:string", "faults", "memory")
    categories = []
    for kind, (shape, colour, size) in FAULT_MARKERS.items():
        look = {"name": shape, "size": size, "color": colour, "outline_color": "20,20,20", "outline_width": "0.2"}
        if shape in ("cross2", "line"):
            look |= {"outline_color": colour, "outline_width": "0.7"}
        categories.append(QgsRendererCategory(kind, QgsMarkerSymbol.createSimple(look), FAULTS[kind]))
    layer.setRenderer(QgsCategorizedSymbolRenderer("kind", categories))
    layer.setMapTipTemplate("<b>[% \"fault\" %]</b> [% coalesce(round(\"metres\", 1) || ' m', '') %]")
    save(layer, "network_faults")


def network_exposure() -> None:
    """Streets by their risk: the line that classes are made of (bridge/routes/exposure_styles.py)."""
    layer = QgsVectorLayer("LineString?field=risk_per_m:double", "exposure", "memory")
    symbol = QgsLineSymbol.createSimple({"color": RAMP[-1], "width": "0.5", "capstyle": "round", "joinstyle": "round"})
    renderer = QgsGraduatedSymbolRenderer("risk_per_m", [QgsRendererRange(0.0, 1.0, symbol, "0 – 1")])
    layer.setRenderer(renderer)
    save(layer, "network_exposure")


#: The ways of a check: the less exposed one is drawn wider and below, so that both are seen where they are one.
CHECKED_WAYS = {LEAST: (PLACES[2], "1.6", "solid"), SHORTEST: ("#333333", "0.5", "dash")}


def routes_checked() -> None:
    """The ways of a check of routes: told apart by width and dashes in grey, too."""
    layer = QgsVectorLayer("LineString?field=kind:string&field=month:string", "ways", "memory")
    categories = []
    for kind, (colour, width, pen) in CHECKED_WAYS.items():
        look = {"line_color": colour, "line_width": width, "line_style": pen, "capstyle": "round"}
        categories.append(QgsRendererCategory(kind, QgsLineSymbol.createSimple(look), WAY_TITLES[kind]))
    renderer = QgsCategorizedSymbolRenderer("kind", categories)
    layer.setRenderer(renderer)
    near = "\"within_100\" || ' incidents within 100 m'"
    layer.setMapTipTemplate(f'<b>[% "kind" %]</b>, [% "month" %], [% round("metres") %] m: [% {near} %]')
    save(layer, "routes_checked")


def raster_styles() -> None:
    """Heatmaps, risk, classes, labels, predicted scores: opacity and resampling; their colours depend on the values."""
    path = "/vsimem/style.tif"
    file = gdal.GetDriverByName("GTiff").Create(path, 2, 2, 1, gdal.GDT_Byte)
    file.SetGeoTransform((0, 1, 0, 2, 0, -1))
    file.GetRasterBand(1).WriteArray(np.zeros((2, 2), dtype=np.uint8))
    file = None
    for name, opacity in (
        ("heatmaps", SPARSE),
        ("risk", OPACITY),
        ("classes", OPACITY),
        ("labels", SPARSE),
        ("predicted_raster", OPACITY),
    ):
        layer = QgsRasterLayer(path, name)
        layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, []))
        layer.setOpacity(opacity)
        save(layer, name)


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    vector_styles()
    panels()
    hits()
    places()
    warnings()
    network_faults()
    network_exposure()
    routes()
    routes_checked()
    raster_styles()
    application.exitQgis()
