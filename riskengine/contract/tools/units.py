"""Cells or areas: which results a tool makes of them, and which of its layers go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..texts import tr
from .base import Parameter, Problem, Tool, parameters_of
from .kinds import Destination, MapLayer


def list_map_layers(tool: type[Tool]) -> list[Parameter]:
    """List what a tool reads of cells or areas: first what it counts in, which decides what it writes."""
    layers = [(each.kind.holds, each) for each in parameters_of(tool) if isinstance(each.kind, MapLayer)]
    return [each for _, each in sorted(layers, key=lambda pair: pair[0] != "counts")]


def list_foreign_results(tool: type[Tool], areas: bool) -> list[Parameter]:
    """List the destinations that a tool does not write for areas, or for grids."""
    foreign = "grid" if areas else "areas"
    return [each for each in parameters_of(tool) if isinstance(each.kind, Destination) and each.kind.units == foreign]


def list_unit_problems(tool: type[Tool], are_areas: Mapping[str, bool], wanted: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield layers that do not go together, and results that are not made of such units.

    Parameters
    ----------
    tool : type of Tool
    are_areas : mapping of str to bool
        Of each layer that is given, by its key, whether it is a layer of areas; others are grids.
    wanted : mapping
        Values by key; a destination in it was named, and is no temporary one.
    """
    first, *others = [each.key for each in list_map_layers(tool) if each.key in are_areas]
    areas = are_areas[first]
    for key in others:
        if are_areas[key] != areas:
            text = (
                tr("{first} is a layer of areas, but {key} is a raster. Choose the same areas for {key}.")
                if areas
                else tr("{first} is a raster, but {key} is a layer of areas. Choose the same grid for {key}.")
            )
            yield Problem(key, _name(text, first=first, key=key))
    for parameter in list_foreign_results(tool, areas):
        if wanted.get(parameter.key):
            text = (
                tr("{key} is {value}, but {first} is a layer of areas. Leave {key} empty: {own} has the result.")
                if areas
                else tr("{key} is {value}, but {first} is a raster. Leave {key} empty: {own} has the result.")
            )
            own = list_foreign_results(tool, not areas)[0].key
            yield Problem(parameter.key, _name(text, first=first, key=parameter.key, own=own))


def _name(text: str, **keys: str) -> str:
    """Put keys in the place of what a sentence calls them, as `Problem` has them."""
    for word, key in keys.items():
        text = text.replace(f"{{{word}}}", f"{{{key}}}")
    return text
