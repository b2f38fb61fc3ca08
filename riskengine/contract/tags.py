"""Names of the tags in the GeoTIFFs that Crime Risk writes, and what kinds of GeoTIFF there are.

They stay valid for ever: files hold them, and models of users read them.
"""

from __future__ import annotations

from collections.abc import Iterable

from .texts import replace_controls

#: Newest format of the tags that this version writes and reads.
FORMAT_NUMBER = 1

# Of the file.
KIND = "CRIMERISK_KIND"
FORMAT = "CRIMERISK_FORMAT"
BIN = "CRIMERISK_BIN"
CATEGORIES = "CRIMERISK_CATEGORIES"
#: What was counted, as a sentence that begins with n.
COUNTED = "CRIMERISK_COUNTED"
#: How exact the times are; of layers of incidents, too.
EXACTNESS = "CRIMERISK_EXACTNESS"
#: The name of the layer of incidents that it was made from.
SOURCE = "CRIMERISK_SOURCE"
#: Of hotspot grids.
BINARY = "CRIMERISK_BINARY"
UNOBSERVED = "CRIMERISK_UNOBSERVED"
#: What the study area is; a hull with how it was drawn.
AREA = "CRIMERISK_AREA"
FILLED = "CRIMERISK_FILLED"
FILLED_LOOKS_AHEAD = "CRIMERISK_FILLED_LOOKS_AHEAD"
#: Of forecasts.
MODEL = "CRIMERISK_MODEL"
ORIGIN = "CRIMERISK_ORIGIN"
TRAINED_UNTIL = "CRIMERISK_TRAINED_UNTIL"
SEED = "CRIMERISK_SEED"
FINGERPRINT = "CRIMERISK_FINGERPRINT"
CARD = "CRIMERISK_CARD"
HORIZON = "CRIMERISK_HORIZON"
#: How much can be covered, and in what, where its bin is a window that was forecast as one: ``0.25 km2``.
CATCH = "CRIMERISK_CATCH"
#: Of classes and of forecasts judged.
LABELS = "CRIMERISK_LABELS"
SHARES = "CRIMERISK_SHARES"
PERCENTILES = "CRIMERISK_PERCENTILES"
PERCENTILE = "CRIMERISK_PERCENTILE"
OVER = "CRIMERISK_OVER"
#: Of a display.
UPSAMPLED = "CRIMERISK_UPSAMPLED"
#: Kept where a risk raster has it.
THRESHOLD = "CRIMERISK_THRESHOLD"
#: Of predicted scores.
REFERENCE = "CRIMERISK_REFERENCE"
CLASSES = "CRIMERISK_CLASSES"
MODEL_CARD = "CRIMERISK_MODEL_CARD"

#: The table of a GeoPackage that holds what a raster holds as tags, as ``key`` and ``value``.
ABOUT_TABLE = "crimerisk"
#: Layers of a panel: the areas once, and the counts of each area and bin.
AREAS_TABLE, COUNTS_TABLE = "areas", "counts_by_area"
# Of panels.
#: Bins after which a count is known.
DELAY = "CRIMERISK_DELAY"
#: What the areas are: the name of their layer, or squares or hexagons with their size.
UNITS = "CRIMERISK_UNITS"
#: How far from a segment its incidents may lie, metres.
TOLERANCE = "CRIMERISK_TOLERANCE"

# Of a band.
START = "CRIMERISK_START"
END = "CRIMERISK_END"
THRESHOLDS = "CRIMERISK_THRESHOLDS"

#: What was known when it was made; kept by all that is made of a risk.
KNOWLEDGE = (CATEGORIES, SOURCE, ORIGIN, TRAINED_UNTIL, HORIZON, CATCH, REFERENCE)

# What KIND says.
HEATMAPS_KIND = "heatmaps"
PANEL_KIND = "panel"
RISK_KIND = "risk"
CLASSES_KIND = "classes"
LABELS_KIND = "labels"
DISPLAY_KIND = "display"
PREDICTED_SCORE_KIND = "predicted_score"
PICTURES_KIND = "pictures"


def join_categories(names: Iterable[str]) -> str:
    """Join categories to the text of `CATEGORIES`, one a line, without what would end or break it."""
    return "\n".join(filter(None, map(replace_controls, names)))


def split_categories(text: str) -> list[str]:
    """Split the text of `CATEGORIES`."""
    return [name for name in text.split("\n") if name]
