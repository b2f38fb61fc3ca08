"""What a grid covers: polygons that were given, the hull of the incidents, or a rectangle; and how that is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from ..contract.choices import NoArea
from ..contract.dates import format_moment
from ..contract.texts import count_text, format_amount, part_text
from ..contract.units import SIZES
from ..ground.context import JobContext
from ..ground.errors import DataError
from .grid import Grid
from .heatmaps import Heatmaps
from .hull import Hull, draw_hull
from .panel import Panel
from .sparsecounts import clear_units
from .study_area import Extent, require_incidents

P = TypeVar("P", bound=Panel)

#: More strays than this are not named one by one.
_NAMED = 5
#: What a rectangle does to figures.
_CAVEAT = (
    "Where nothing can be recorded, as on a lake or beyond the city's border, cells count as quiet: hit rate, PAI and"
    " skill look better than they are."
)
_KINDS = {
    "hull": "the concave hull of the incidents",
    "polygons": "the polygons that were given",
    "rectangle": "a rectangle",
    "": "that of the hotspot grids, which do not say how it was chosen",
}


@dataclass(frozen=True)
class Area:
    """What a grid is to cover.

    Attributes
    ----------
    tag : str
        What it is, as a stack holds it: ``polygons``, ``rectangle``, or ``hull`` and how it was drawn.
    extent : (west, south, east, north)
        Metres.
    polygons : list of dict or None
        GeoJSON; cells with their centre outside are no part of it. None for a whole rectangle.
    """

    tag: str
    extent: Extent
    polygons: list[dict[str, Any]] | None
    #: x and y of the incidents in a hull: their cells belong to it, even where the cell's centre lies beyond its edge.
    held: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


def choose_area(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    fid: NDArray[np.int64],
    extent: Extent | None,
    polygons: list[dict[str, Any]] | None,
    no_area: NoArea,
    context: JobContext,
) -> Area:
    """Choose what a grid covers, and say so where nobody gave a study area.

    Strays, far from all other incidents, decide neither an extent nor, through it, a cell size.

    Parameters
    ----------
    x, y, fid : ndarray, shape (N,)
        The incidents, metres.
    extent, polygons : optional
        As given.
    no_area : {"hull", "rectangle"}
        What is taken without polygons.
    """
    if polygons:
        return Area("polygons", extent or _measure_extent(polygons), polygons)
    if polygons is not None or (no_area == "rectangle" and extent):
        # An empty list is refused by the grid.
        return Area("rectangle", extent or _measure_box(x, y), polygons)
    hull = draw_hull(x, y)
    name_strays(x, y, fid, hull.inside, context)
    if no_area == "rectangle":
        return Area("rectangle", _measure_box(x[hull.inside], y[hull.inside]), None)
    context.log(f"No study area was given. {describe_hull(hull)}")
    west, south, east, north = hull.shape.bounds
    tag = f"hull ratio={hull.ratio:g} buffer={hull.buffer:.0f}"
    held = x[hull.inside], y[hull.inside]
    return Area(tag, extent or (west, south, east, north), hull.polygons, held)


def mask_cells(
    area: Area, grid: Grid, x: NDArray[np.float64], y: NDArray[np.float64], reach: float = 0.0
) -> NDArray[np.bool_]:
    """Say which cells lie in the area, shape (rows, columns).

    Parameters
    ----------
    x, y : ndarray of float64
        All incidents.
    reach : float
        So far from the area, metres, an incident must lie at most.

    Raises
    ------
    DataError
        If no cell does, or the area lies elsewhere than the incidents.
    """
    given = area.polygons if area.tag == "polygons" else None
    if given is None:
        # An extent elsewhere is refused as such, and not for the hull's lack of cells in it.
        require_incidents(grid, np.ones(grid.shape, dtype=bool), x, y, None, reach)
    mask = grid.mask(area.polygons)
    if area.held is not None:
        number = grid.locate(*area.held)
        mask.ravel()[number[number >= 0]] = True
    if not mask.any():
        where = "the study area" if given is not None else "the hull of the incidents"
        other = "polygons that overlap the incidents" if given is not None else "another extent"
        raise DataError(
            f"No cell of {format_amount(grid.cell)} m has its centre inside {where}",
            parameter="study_area",
            remedy=f"Choose a smaller cell size, or {other}",
        )
    if given is not None:
        require_incidents(grid, mask, x, y, given, reach)
    return mask


def describe_hull(hull: Hull) -> str:
    """Describe how a hull was drawn, and what it is."""
    parts = len(hull.polygons)
    islands = f" in {count_text(parts, 'part')}" if parts > 1 else ""
    return (
        f"The concave hull of the incidents is taken: {hull.square_km:,.1f} km²{islands} (ratio {hull.ratio:g}, widened"
        f" by {hull.buffer:.0f} m, no holes)"
    )


def warn_of_rectangle(
    area: Area, grid: Grid, x: NDArray[np.float64], y: NDArray[np.float64], context: JobContext
) -> None:
    """Say how much of a grid of scores never had an incident, where it is a whole rectangle."""
    if area.tag != "rectangle":
        return
    number = grid.locate(x, y)
    cells = grid.rows * grid.columns
    never = 1 - len(np.unique(number[number >= 0])) / cells
    context.warn(
        f"The study area is the whole rectangle, and {never:.0%} of its {count_text(cells, 'cell')} never had an"
        f" incident: lakes"
        " and places beyond the city's border are scored as if they were quiet streets"
    )


def kind_of(heatmaps: Panel) -> str:
    """``hull``, ``polygons``, ``rectangle``, or empty where the stack does not say."""
    return heatmaps.area.partition(" ")[0]


def measure_never_hit(panel: Panel) -> float:
    """Measure the share of the study area's units without an incident on any observed map."""
    hit = np.zeros(panel.support.shape, dtype=bool)
    # Map by map: a long stack does not come into memory as a whole.
    for number in np.flatnonzero(panel.observed):
        hit |= panel.counts[number] > 0
    return float(1 - hit[panel.mask].mean())


def describe_units(panel: Panel) -> str:
    """Describe how many units the study area has, and how large they are."""
    number = count_text(int(panel.mask.sum()), panel.noun)
    if isinstance(panel.support, Grid):
        return f"{number} of {format_amount(panel.support.cell)} m"
    sizes, measure = panel.support.measure_km()[panel.mask], SIZES[panel.support.kind]
    if len(sizes) == 1:
        return number
    low, median, high = (f"{float(f'{each:.3g}'):,g}" for each in np.quantile(sizes, (0, 0.5, 1)))
    return f"{number} of {low} to {high} {measure} (half of them below {median} {measure})"


def describe_area(panel: Panel) -> str:
    """Describe the study area in a sentence: what it is, how large, and how much of it never had an incident."""
    kind, size = kind_of(panel), float(panel.support.measure_km()[panel.mask].sum())
    what = _KINDS.get(kind, kind) if isinstance(panel.support, Grid) else f"that of the {panel.noun}s that were counted"
    text = (
        f"The study area is {what}: {size:,.1f} {SIZES[panel.support.kind]}, {describe_units(panel)}, of which"
        f" {measure_never_hit(panel):.1%} never had an incident."
    )
    return f"{text} {_CAVEAT}" if kind == "rectangle" else text


def narrow_to_past(heatmaps: P, origin: int, say: Callable[[str], None]) -> P:
    """Narrow a study area that is a hull to that of the incidents before a map; any other area stays as it is.

    A hull of all incidents knows where they will happen. This one is drawn, by the same rule, around the cells that
    had one on a map before `origin`. What happens outside later is counted, said, and no part of the evaluation.

    Parameters
    ----------
    heatmaps : Panel
        Squares or hexagons laid over a hull stay what they are, and that is said.
    origin : int
        Number of the first map that the first forecast does not know.
    say : callable
        Told of what was done.
    """
    if kind_of(heatmaps) != "hull":
        return heatmaps
    if not isinstance(heatmaps, Heatmaps):
        say(
            "The study area is the hull of all incidents, also of those judged: figures look a little better than they"
            " are. Count with a study area of polygons to avoid it"
        )
        return heatmaps
    origin = max(origin, 0)
    before = heatmaps.before(origin)
    hit = np.zeros(heatmaps.grid.shape, dtype=bool)
    for number in np.flatnonzero(before.observed):
        hit |= before.counts[number] > 0
    hit &= heatmaps.mask
    if not hit.any():
        say("The study area is the hull of all incidents, also of those judged: there is none before the first origin")
        return heatmaps
    columns, rows = heatmaps.grid.centres()
    row, column = np.nonzero(hit)
    hull = draw_hull(columns[column], rows[row])
    # Strays before the origin are part of no hull, later or now.
    mask = heatmaps.grid.mask(hull.polygons) & heatmaps.mask
    gone = heatmaps.mask & ~mask
    if not gone.any():
        return heatmaps
    outside, total = 0, 0
    for place in origin + np.flatnonzero(heatmaps.observed[origin:]):
        counted = heatmaps.counts[place]
        outside += int(counted[gone].sum())
        total += int(counted.sum(dtype=np.int64))
    lost = f"{outside:,} ({outside / total:.2%})" if outside else "none"
    unknown = int(gone.sum())
    judged = part_text(
        unknown, int(heatmaps.mask.sum()), "cell", "was not known then and is", "were not known then and are"
    )
    say(
        f"The hull is that of the incidents before {format_moment(heatmaps.edges[origin], heatmaps.bin)}, when the"
        f" first forecast is made: {judged} not judged; {lost} of"
        f" {count_text(total, 'later incident')} happened there"
    )
    return replace(heatmaps, counts=clear_units(heatmaps.counts, ~mask), mask=mask)


def name_strays(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    fid: NDArray[np.int64],
    inside: NDArray[np.bool_],
    context: JobContext,
) -> None:
    """Warn of the incidents that are no part of the hull, if any, and name the farthest."""
    stray = np.flatnonzero(~inside)
    if not len(stray):
        return
    west, south, east, north = _measure_box(x[inside], y[inside])
    middle = np.hypot(x[stray] - (west + east) / 2, y[stray] - (south + north) / 2)
    farthest = stray[np.argsort(-middle, kind="stable")][:_NAMED]
    named = ", ".join(str(number) for number in fid[farthest])
    more = " and others" if len(stray) > len(farthest) else ""
    context.warn(
        f"{part_text(len(stray), len(x), 'incident', 'lies', 'lie')} apart from all others, up to"
        f" {middle.max() / 1000:,.1f} km from"
        f" the middle of the city; {'it decides' if len(stray) == 1 else 'they decide'} neither the extent nor the"
        f" size of the cells (feature {named}{more})"
    )


def _measure_box(x: NDArray[np.float64], y: NDArray[np.float64]) -> Extent:
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _measure_extent(polygons: list[dict[str, Any]]) -> Extent:
    west, south, east, north = shapely.total_bounds([shape(each) for each in polygons])
    return float(west), float(south), float(east), float(north)
