"""The units of space that a model knows: how its card keeps them, and whether a panel has the same."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rasterio.crs import CRS
from typing_extensions import TypedDict

from ..contract.texts import count_text, list_names, part_text
from ..contract.units import noun_of
from ..ground.errors import ParameterError
from ..maps.grid import Grid
from ..maps.panel import Panel

#: Cell sizes may differ by this share before a model is refused, and grids by this share of a cell.
CELL_TOLERANCE = 0.01
#: Sizes of an area that differ by this share are of other boundaries: projections differ by less.
SIZE_TOLERANCE = 0.01
#: So are middles that lie apart by this share of the side of a square as large, in one coordinate system.
MIDDLE_TOLERANCE = 0.05
#: Areas named in a sentence.
_NAMED = 3

Side = Annotated[float, Field(ge=1, le=1_000_000)]
Place = Annotated[float, Field(ge=-1e9, le=1e9)]
Size = Annotated[float, Field(ge=0, le=1e18)]


class GridPlace(TypedDict):
    """Where the cells lie: side and corner in metres."""

    cell: Annotated[float, Field(gt=0, le=1e7)]
    columns: Side
    rows: Side
    west: Place
    north: Place


class UnitsPlace(TypedDict):
    """Which areas, or segments, they are, in the model's order: id, size and middle of each, metres."""

    kind: Literal["areas", "segments"]
    ids: list[str]
    sizes: list[Size]
    x: list[Place]
    y: list[Place]


def describe_grid(grid: Grid) -> GridPlace:
    """Describe the cells of a grid."""
    return {"cell": grid.cell, "columns": grid.columns, "rows": grid.rows, "west": grid.west, "north": grid.north}


def describe_units(panel: Panel) -> UnitsPlace:
    """Describe the units of a panel that has no grid."""
    x, y = panel.support.find_centres()
    kind = panel.support.kind
    assert kind != "grid", "a grid has no ids"
    return {
        "kind": kind,
        "ids": list(panel.support.ids),
        "sizes": panel.support.measure_sizes().tolist(),
        "x": x.tolist(),
        "y": y.tolist(),
    }


def check_units(place: UnitsPlace) -> None:
    """Refuse units of which something is lacking, or two with one id.

    Raises
    ------
    ValueError
    """
    number = len(place["ids"])
    lengths = {len(set(place["ids"])), len(place["sizes"]), len(place["x"]), len(place["y"])}
    if not number or lengths != {number}:
        raise ValueError("the areas do not hold together")


def arrange_units(place: UnitsPlace, panel: Panel) -> Panel:
    """Bring the units of a panel into the model's order.

    Raises
    ------
    ParameterError
        If the panel has others than the model: it says how many are missing or new, and names the first.
    """
    noun = noun_of(place["kind"])
    trained = count_text(len(place["ids"]), noun)
    if panel.support.kind != place["kind"]:
        raise ParameterError(
            f"The model was trained on {trained}, and this is a panel of {panel.noun}s",
            parameter="model",
            value=place["kind"],
            remedy=f"Give a panel of the {noun}s it was trained on, or train a model on this one",
        )
    given = {name: number for number, name in enumerate(panel.support.ids)}
    known = set(place["ids"])
    missing = [name for name in place["ids"] if name not in given]
    new = [name for name in panel.support.ids if name not in known]
    if missing or new:
        faults = []
        if missing:
            is_not = "is not" if len(missing) == 1 else "are not"
            faults.append(f"{len(missing):,} of them {is_not} in this panel ({list_names(missing, _NAMED)})")
        if new:
            whose = part_text(len(new), len(given), noun, "of the panel is", "of the panel are")
            faults.append(f"{whose} new to it ({list_names(new, _NAMED)})")
        raise ParameterError(
            f"The model was trained on {trained}: {'; '.join(faults)}",
            parameter="model",
            value=", ".join([*missing, *new][:_NAMED]),
            remedy=f"Count the incidents by the {noun}s it was trained on, or train a model on these",
        )
    order = np.array([given[name] for name in place["ids"]], dtype=np.int64)
    return panel if np.array_equal(order, np.arange(len(order))) else panel.take(order)


def find_moved(place: UnitsPlace, crs: str, panel: Panel) -> list[str]:
    """Find the ids of units whose boundaries are not those that the model knows.

    Parameters
    ----------
    place : UnitsPlace
    crs : str
        Of the model; in another coordinate system only sizes can be compared.
    panel : Panel
        In the model's order.
    """
    before, now = np.asarray(place["sizes"]), panel.support.measure_sizes()
    moved: NDArray[np.bool_] = np.abs(now - before) > SIZE_TOLERANCE * np.maximum(now, before)
    if CRS.from_user_input(crs) == CRS.from_user_input(panel.support.crs):
        x, y = panel.support.find_centres()
        apart = np.hypot(x - np.asarray(place["x"]), y - np.asarray(place["y"]))
        side = before if place["kind"] == "segments" else np.sqrt(before)
        moved |= apart > MIDDLE_TOLERANCE * side
    return [panel.support.ids[number] for number in np.flatnonzero(moved)]


def describe_moved(moved: list[str], panel: Panel) -> str:
    """Describe that boundaries changed since the model was trained; empty where none did."""
    if not moved:
        return ""
    changed = part_text(len(moved), len(panel.mask), panel.noun)
    whose = "its size or middle differs" if len(moved) == 1 else "their sizes or middles differ"
    return (
        f"Boundaries changed since the model was trained: of {changed} {whose} ({list_names(moved, _NAMED)}). What it"
        " learned there may be of other places: train a model on this panel"
    )
