"""What the units of space and the bins of time are called that incidents are counted in: a grid has cells and maps."""

from __future__ import annotations

#: By kind of support (`riskengine.maps.support.Kind`); `texts.count_text` and `texts.part_text` put a number before it.
NOUNS = {"grid": "cell", "areas": "area", "segments": "segment"}
#: Its size, as `riskengine.maps.support.Support.measure_km` gives it, and what all of them together are.
SIZES = {"grid": "km²", "areas": "km²", "segments": "km"}
WHOLES = {"grid": "area", "areas": "area", "segments": "length"}
#: What a file of counts is called in sentences.
COUNTS = {"grid": "hotspot grids", "areas": "counts by area", "segments": "counts by segment"}


def noun_of(kind: str) -> str:
    """Name one unit of a kind of support."""
    return NOUNS[kind]


def noun_of_bin(kind: str, length: str) -> str:
    """Name one time bin of a kind of support: a map of a grid; else month, week, day or hour, or bin of several.

    Parameters
    ----------
    kind : str
    length : str
        For example ``1 months``.
    """
    number, _, unit = length.partition(" ")
    return "map" if kind == "grid" else unit.removesuffix("s") if number == "1" and unit else "bin"
