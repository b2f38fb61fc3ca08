"""What a layer says of itself: of which time and categories it is, what was counted, and which model made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qgis.core import QgsLayerMetadata, QgsRasterLayer

from ..riskengine.contract.dates import format_span
from ..riskengine.contract.texts import show_names
from .temporal import list_spans

#: Vocabulary of the metadata keyword that holds the time of the map that is shown while the Temporal Controller is off.
#: It is a keyword because expressions, and so print layouts, can read no more of a layer's time.
TIME_KEYWORD = "crimerisk:time"
#: Vocabulary of the metadata keyword that holds what was counted, a sentence that begins with ``n = ``.
COUNT_KEYWORD = "crimerisk:count"
#: Custom property, kept in styles and projects, with what the colours of a raster mean.
LEGEND_PROPERTY = "crimerisk/legend"
#: More categories than this are not named.
_NAMED = 2


@dataclass(frozen=True)
class About:
    """What a layer is of.

    Attributes
    ----------
    when : str
        Time of all its maps or features.
    first : str
        Time of its first map.
    categories : str
        What was counted, where it is few categories.
    counted : str
        How many incidents, in how many maps.
    model : str
        The model card's line, or another sentence that print layouts show.
    """

    when: str = ""
    first: str = ""
    categories: str = ""
    counted: str = ""
    model: str = ""

    @property
    def what(self) -> str:
        """What follows a layer's name: ``Tue 31 Dec 2024, burglary``; empty where nothing is known."""
        return ", ".join(filter(None, (self.when, self.categories if self.when else "")))


#: Where nothing is known.
UNKNOWN = About()


def describe_result(result: Mapping[str, Any], model: str = "") -> About:
    """Describe what a job's layers are of, by its result."""
    edges = result.get("edges")
    spans = list_spans(edges) if edges else []
    when = format_span(spans[0][0], spans[-1][1]) if spans else str(result.get("span_text") or "")
    categories = result.get("counted_categories") or []
    names = categories if len(categories) <= _NAMED else []
    first = format_span(*spans[0]) if spans else when
    return About(when, first, ", ".join(show_names(names)), str(result.get("counted_text") or ""), model)


def write_about(layer: Any, title: str, about: About, history: str) -> None:
    """Keep in a layer's metadata what it is: print layouts show it, and a legend names it."""
    metadata = QgsLayerMetadata(layer.metadata())
    metadata.setTitle(", ".join(filter(None, (title, about.categories))))
    if about.model:
        metadata.setAbstract(about.model)
    known = {TIME_KEYWORD: about.first, COUNT_KEYWORD: about.counted}
    metadata.setKeywords({**metadata.keywords(), **{name: [text] for name, text in known.items() if text}})
    metadata.addHistoryItem(history)
    layer.setMetadata(metadata)
    layer.setCustomProperty(LEGEND_PROPERTY, title)


def read_model(layer: QgsRasterLayer) -> str:
    """Read what a raster says of its model: its own, or that kept beside the file when Processing opened it by path."""
    if own := layer.metadata().abstract():
        return str(own)
    again = QgsRasterLayer(layer.source(), "", layer.providerType())
    return str(again.metadata().abstract()) if again.loadDefaultMetadata()[1] else ""
