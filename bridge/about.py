"""What a layer says of itself: of which time and categories it is, what was counted, and which model made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qgis.core import QgsLayerMetadata, QgsMapLayer, QgsRasterLayer, QgsVectorLayer

from ..riskengine.contract.dates import format_span
from ..riskengine.contract.texts import show_names
from .exactness import open_by_name
from .temporal import list_spans

#: Vocabulary of the metadata keyword that holds the time of the map that is shown while the Temporal Controller is off.
#: It is a keyword because expressions, and so print layouts, can read no more of a layer's time.
TIME_KEYWORD = "crimerisk:time"
#: Vocabulary of the metadata keyword that holds what was counted, a sentence that begins with ``n = ``.
COUNT_KEYWORD = "crimerisk:count"
#: Vocabulary of the metadata keywords that hold what a raster holds as tags, each as ``KEY=value``: a vector layer has
#: no other place for them that goes wherever it goes.
TAGS_KEYWORD = "crimerisk:tags"
#: Custom property, kept in styles and projects, with what the colours of a raster mean.
LEGEND_PROPERTY = "crimerisk/legend"
#: Custom property with how many lines the legend of a raster has, where its other colours are shades between.
LINES_PROPERTY = "crimerisk/legend-lines"
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
    tags : mapping of str to str
        What was known when it was made, by the names of `contract.tags`; of vector layers.
    maker : str
        Title of the model that made it, where its name says so.
    """

    when: str = ""
    first: str = ""
    categories: str = ""
    counted: str = ""
    model: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    maker: str = ""

    @property
    def what(self) -> str:
        """What follows a layer's name: ``Tue 31 Dec 2024, burglary (Ensemble)``; empty where nothing is known."""
        of = ", ".join(filter(None, (self.when, self.categories if self.when else "")))
        return f"{of} ({self.maker})" if of and self.maker else of


#: Where nothing is known.
UNKNOWN = About()


def describe_result(result: Mapping[str, Any], model: str = "", maker: str = "") -> About:
    """Describe what a job's layers are of, by its result."""
    edges = result.get("edges")
    spans = list_spans(edges) if edges else []
    when = format_span(spans[0][0], spans[-1][1]) if spans else str(result.get("span_text") or "")
    categories = result.get("counted_categories") or []
    names = categories if len(categories) <= _NAMED else []
    first = format_span(*spans[0]) if spans else when
    counted, tags = str(result.get("counted_text") or ""), result.get("tags") or {}
    return About(when, first, ", ".join(show_names(names)), counted, model, tags, maker)


def write_about(layer: Any, title: str, about: About, history: str) -> None:
    """Keep in a layer's metadata what it is: print layouts show it, and a legend names it."""
    metadata = QgsLayerMetadata(layer.metadata())
    metadata.setTitle(", ".join(filter(None, (title, about.categories))))
    if about.model:
        metadata.setAbstract(about.model)
    known = {TIME_KEYWORD: about.first, COUNT_KEYWORD: about.counted}
    metadata.setKeywords({**metadata.keywords(), **{name: [text] for name, text in known.items() if text}})
    if isinstance(layer, QgsVectorLayer) and about.tags:
        metadata.addKeywords(TAGS_KEYWORD, [f"{key}={value}" for key, value in about.tags.items()])
    metadata.addHistoryItem(history)
    layer.setMetadata(metadata)
    layer.setCustomProperty(LEGEND_PROPERTY, title)


def read_model(layer: QgsMapLayer) -> str:
    """Read what a layer says of its model: its own, or that kept with the file when Processing opened it by path."""
    return str(_read_metadata(layer, lambda metadata: bool(metadata.abstract())).abstract())


def read_tags(layer: QgsVectorLayer) -> dict[str, str]:
    """Read what was known when a layer was made; empty where nothing says it."""
    metadata = _read_metadata(layer, lambda each: bool(each.keywords(TAGS_KEYWORD)))
    pairs = (each.partition("=") for each in metadata.keywords(TAGS_KEYWORD))
    return {key: value for key, _, value in pairs}


def _read_metadata(layer: QgsMapLayer, says: Callable[[QgsLayerMetadata], bool]) -> QgsLayerMetadata:
    """The layer's own metadata where they say it, else those of its file."""
    if says(layer.metadata()):
        return layer.metadata()
    again = (
        QgsRasterLayer(layer.source(), "", layer.providerType())
        if isinstance(layer, QgsRasterLayer)
        else open_by_name(layer)
    )
    again.loadDefaultMetadata()
    return again.metadata()
