"""What the legend of a raster says: which map is shown, where QGIS has "Band 1: … (Gray)"."""

from __future__ import annotations

from qgis.core import QgsDateTimeRange, QgsLayerTreeLayer, QgsMapLayerLegendUtils, QgsRasterLayer

from ..riskengine.contract.dates import format_span
from .about import LEGEND_PROPERTY, LINES_PROPERTY
from .crs import tr

#: Renderers whose legend begins with the name of the one band that they draw.
_OF_ONE_BAND = ("singlebandpseudocolor", "paletted", "singlebandgray")
#: Where QGIS keeps a line's own label in a layer's node of the tree.
_LABEL = "legend/label-0"
#: The label that we gave last: another one is the user's, and stays.
_OURS = "crimerisk/label-0"


def find_shown_band(layer: QgsRasterLayer, time: QgsDateTimeRange | None) -> int:
    """Find the band that is drawn when a map shows `time`, None for no time; 0 for none."""
    properties = layer.temporalProperties()
    if time is not None and properties.isActive() and properties.fixedRangePerBand():
        return max(int(properties.bandForTemporalRange(layer, time)), 0)
    return int(layer.renderer().inputBand())


def format_range(time: QgsDateTimeRange) -> str:
    """Format a range as people say it."""
    return format_span(*(moment.toString("yyyy-MM-ddTHH:mm:ss") for moment in (time.begin(), time.end())))


def describe_shown_map(layer: QgsRasterLayer, time: QgsDateTimeRange | None) -> str:
    """Describe which map is drawn, or what a raster without times holds; empty for other tools' rasters."""
    if layer.renderer() is None or layer.renderer().type() not in _OF_ONE_BAND:
        return ""
    band, ranges = find_shown_band(layer, time), layer.temporalProperties().fixedRangePerBand()
    if band in ranges:
        return tr("Map of {span}").format(span=format_range(ranges[band]))
    if not band and time is not None:
        return tr("No map of {span}").format(span=format_range(time))
    title = str(layer.customProperty(LEGEND_PROPERTY, "") or "")
    # Another band than the first holds something else, such as the lower bound of a score.
    described = layer.bandName(band).partition(": ")[2] if band > 1 else ""
    return f"{title}: {described}" if title and described else title


def name_map(node: QgsLayerTreeLayer, time: QgsDateTimeRange | None) -> bool:
    """Let the legend of a layer name the map that is drawn, unless the user has named that line.

    Returns
    -------
    bool
        Whether it says anything else than before.
    """
    layer = node.layer()
    if not isinstance(layer, QgsRasterLayer) or not layer.isValid():
        return False
    said, ours = (str(node.customProperty(name, "") or "") for name in (_LABEL, _OURS))
    if said not in ("", ours):
        return False
    text = describe_shown_map(layer, time)
    if text == said or not (text or layer.customProperty(LEGEND_PROPERTY)):
        return False
    if lines := layer.customProperty(LINES_PROPERTY):
        # Behind the name of the band.
        QgsMapLayerLegendUtils.setLegendNodeOrder(node, list(range(int(lines) + 1)))
    QgsMapLayerLegendUtils.setLegendNodeUserLabel(node, 0, text)
    node.setCustomProperty(_OURS, text)
    return True
