"""A density of incidents: each spread by a Gaussian, known within the outline of all of them."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from ....contract.dates import format_moment, format_span
from ....contract.texts import count_text, part_text
from ....ground.context import JobContext
from ....ground.errors import DataError
from ....intake.incidents import Incidents
from ....maps.hull import draw_hull

Floats = NDArray[np.float64]

#: Cells of the grid in a kernel: with five, linear interpolation is within 1 % of the exact sums.
_CELLS_IN_KERNEL = 5
#: Kernels beyond which an incident is not felt.
_REACH = 5.0
#: Cells at most; a larger city gets larger ones, and is told so.
_MOST_CELLS = 40_000_000


class KernelField:
    """Incidents per km² and year around a place.

    Parameters
    ----------
    x, y : ndarray, shape (M,)
        Incidents, metres.
    kernel : float
        Standard deviation of the Gaussian, metres.
    years : float
        That the incidents cover.
    box : tuple of float
        West, south, east and north of where it will be asked for, metres.
    known : shapely geometry or None
        Where the density is known; everywhere without.
    """

    unit = "incidents per km² and year"
    what, width = "density of", "kernel"
    cells_in_kernel = _CELLS_IN_KERNEL

    def __init__(
        self,
        x: Floats,
        y: Floats,
        kernel: float,
        years: float,
        box: tuple[float, float, float, float],
        known: shapely.Geometry | None = None,
        title: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        self.title, self.notes, self.step = title, notes, kernel / 4
        self.known = known
        margin = _REACH * kernel
        west, south, east, north = box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin
        cell = kernel / self.cells_in_kernel
        least = ((east - west) * (north - south) / _MOST_CELLS) ** 0.5
        if cell < least:
            self.notes = (*notes, f"The density is computed in cells of {least:,.0f} m, since the area is large")
            cell = least
        self._west, self._south, self._cell = west, south, cell
        columns, rows = int((east - west) / cell) + 2, int((north - south) / cell) + 2
        counts = np.zeros((rows, columns))
        # Shared out to the four nodes around each incident, so that its place is not rounded.
        u, v = (x - west) / cell, (y - south) / cell
        near = (u >= 0) & (v >= 0) & (u < columns - 1) & (v < rows - 1)
        column, row = u[near].astype(np.int64), v[near].astype(np.int64)
        right, up = u[near] - column, v[near] - row
        for along, across, share in (
            (0, 0, (1 - right) * (1 - up)),
            (1, 0, right * (1 - up)),
            (0, 1, (1 - right) * up),
            (1, 1, right * up),
        ):
            np.add.at(counts, (row + across, column + along), share)
        self._density = self.spread(counts, kernel, cell) / years

    def spread(self, counts: Floats, kernel: float, cell: float) -> Floats:
        """The risk at the nodes of a grid, from the incidents at each of them."""
        # Sharing out spreads by itself, and so does interpolation, on average by a sixth of a cell squared each.
        sigma = max((kernel / cell) ** 2 - 1 / 3, 0.05) ** 0.5
        return np.asarray(gaussian_filter(counts, sigma, mode="constant", truncate=_REACH)) / (cell / 1000) ** 2

    def look_up(self, x: Floats, y: Floats) -> Floats:
        """The density at places, shape (n,); NaN beyond the outline of the incidents."""
        at = np.stack([(y - self._south) / self._cell, (x - self._west) / self._cell])
        found = np.asarray(map_coordinates(self._density, at, order=1, mode="nearest"))
        if self.known is not None:
            found[~shapely.contains_xy(self.known, x, y)] = np.nan
        return found


def choose_span(incidents: Incidents, months: int, origin: np.datetime64 | None) -> tuple[np.datetime64, np.datetime64]:
    """Choose the span of the incidents that count: so many months up to the origin, or to the last incident."""
    first, last = incidents.span
    # The last day belongs to it as a whole.
    end = origin if origin is not None else (last.astype("datetime64[D]") + 1).astype("datetime64[s]")
    day = end.astype("datetime64[D]")
    month = day.astype("datetime64[M]") - months
    # A month before 31 March is the end of February.
    same = month.astype("datetime64[D]") + (day - day.astype("datetime64[M]").astype("datetime64[D]"))
    start = min(same, (month + 1).astype("datetime64[D]") - 1)
    return max(start.astype("datetime64[s]"), first.astype("datetime64[D]").astype("datetime64[s]")), end


def make_kernel_field(
    incidents: Incidents,
    months: int,
    kernel: float,
    box: tuple[float, float, float, float],
    origin: np.datetime64 | None = None,
    context: JobContext | None = None,
    kind: type[KernelField] = KernelField,
) -> KernelField:
    """Make the density of the incidents of the months before an origin; nothing after it is looked at.

    Raises
    ------
    DataError
        If no incident lies in them.
    """
    context = context or JobContext()
    past = incidents if origin is None else incidents.before(origin)
    if not len(past):
        raise DataError(
            f"There is no incident before the origin, {format_moment(origin)}",
            parameter="origin",
            value=str(origin),
            remedy="Choose a later origin, or leave it empty",
        )
    start, end = choose_span(past, months, origin)
    lately = past.between(start, end)
    if not len(lately):
        raise DataError(
            f"There is no incident in the {count_text(months, 'month')} before the origin, {format_moment(end)}",
            parameter="origin",
            value=str(origin),
            remedy="Choose an earlier origin or more months, or leave the origin empty",
        )
    years = (end - start).astype(float) / (365.25 * 86_400)
    hull = draw_hull(past.x, past.y)
    notes = []
    if strays := int((~hull.inside).sum()):
        notes.append(f"{part_text(strays, len(past), 'incident', 'lies', 'lie')} far from all others")
    span = format_span(start, end)
    title = f"{kind.what} {count_text(len(lately), 'incident')}, {span}, {kind.width} {kernel:g} m"
    context.log(f"Risk: {title}")
    known = hull.shape.buffer(2 * kernel)
    shapely.prepare(known)
    return kind(lately.x, lately.y, kernel, years, box, known, title, tuple(notes))
