"""What the units of space are called that incidents are counted on: a grid has cells, other supports have others."""

from __future__ import annotations

#: By kind of support (`riskengine.maps.support.Kind`); `texts.count_text` and `texts.part_text` put a number before it.
NOUNS = {"grid": "cell", "areas": "area", "segments": "segment"}


def noun_of(kind: str) -> str:
    """Name one unit of a kind of support."""
    return NOUNS[kind]
