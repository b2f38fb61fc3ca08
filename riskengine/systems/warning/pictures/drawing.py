"""The drawing of one window after the other: outlines and dots are computed once, and laid on each other with numpy.

Everything is measured on the ground and then brought to pixels: a picture of another shape shows the same map
stretched, as the published networks read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .ink import STEPS, compute_outline, make_stamps
from .style import PUBLISHED, Colours, PictureStyle
from .windows import Integers, PictureWindows

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]
#: West, south, east and north, metres.
Box = tuple[float, float, float, float]

#: Pictures that are given at once; their memory is a few megabytes.
CHUNK = 64
#: Added before a share of a colour is cut to a whole number.
_HALF = np.float32(0.5)


def find_extent(outlines: NDArray[np.object_], margin: float = PUBLISHED.margin) -> Box:
    """Find what a picture of areas shows: all of them, with room around them as Matplotlib leaves it."""
    west, south, east, north = shapely.total_bounds(outlines).tolist()
    aside, above = margin * (east - west), margin * (north - south)
    return west - aside, south - above, east + aside, north + above


def fit_height(extent: Box, width: int) -> int:
    """Find the height, in pixels, at which a picture so wide has the shape of its extent."""
    west, south, east, north = extent
    return max(round(width * (north - south) / (east - west)), 1)


@dataclass(frozen=True, eq=False)
class Dots:
    """Incidents brought to pixels, once for any number of pictures.

    Attributes
    ----------
    row, column : ndarray of int, shape (n,)
        Of the upper left pixel of each stamp, on the canvas.
    stamp : ndarray of int, shape (n,)
        Which stamp: by where in its pixel a dot's middle lies.
    colour : ndarray of float32, shape (n, 3)
    unit : ndarray of int, shape (n,)
        The area each lies in; -1 for none, which leaves all outlines as they are.
    """

    row: Integers
    column: Integers
    stamp: Integers
    colour: NDArray[np.float32]
    unit: Integers


class WindowDrawing:
    """Draws incidents on the outlines of areas.

    The canvas is larger than the picture, so that a dot at its border needs no case of its own.

    Parameters
    ----------
    style : PictureStyle
    outlines : ndarray of shapely polygons, shape (N,)
        Metres.
    size : (int, int)
        Width and height in pixels.
    extent : tuple of float, optional
        What the picture shows; see `find_extent`.
    """

    def __init__(
        self, style: PictureStyle, outlines: NDArray[np.object_], size: tuple[int, int], extent: Box | None = None
    ) -> None:
        self.style, self.size = style, size
        self.extent = extent or find_extent(outlines, style.margin)
        west, south, east, north = self.extent
        self._scale = size[0] / (east - west), size[1] / (north - south)
        stamps = make_stamps(style, east - west, self._scale)
        self._reach = stamps.reach
        self._stamps = stamps.cover[..., None]
        self._clear = 1 - self._stamps
        self._pad = 2 * (stamps.reach[0] + 1), 2 * (stamps.reach[1] + 1)
        canvas = size[1] + 2 * self._pad[1], size[0] + 2 * self._pad[0]
        corner = west - self._pad[0] / self._scale[0], north + self._pad[1] / self._scale[1]
        line = style.line * (east - west)
        self._ink = [compute_outline(each, line, corner, self._scale, canvas) for each in outlines]
        hit = np.array(style.hit_colour, dtype=np.float32)
        self._hits = [(ink.place, 1 - ink.cover[:, None], ink.cover[:, None] * hit + _HALF) for ink in self._ink]
        self._base = self._draw_base(canvas)
        self._canvas = self._base.copy()

    def _draw_base(self, canvas: tuple[int, int]) -> Picture:
        """All outlines on white, each by itself: a border that two areas share is drawn twice."""
        base = np.full((*canvas, 3), 255.0)
        flat, colour = base.reshape(-1, 3), np.array(self.style.line_colour, dtype=np.float64)
        for ink in self._ink:
            flat[ink.place] += self.style.line_alpha * ink.cover[:, None] * (colour - flat[ink.place])
        return np.round(base).astype(np.uint8)

    def _cut(self, canvas: NDArray[Any]) -> NDArray[Any]:
        across, along = self._pad
        return canvas[along : canvas.shape[0] - along, across : canvas.shape[1] - across]

    @property
    def base(self) -> Picture:
        """The picture of a window without incidents, shape (H, W, 3)."""
        return self._cut(self._base).copy()

    def find_outline(self, unit: int) -> NDArray[np.float32]:
        """Find how much of each pixel an area's outline covers, from 0 to 1, shape (H, W)."""
        cover = np.zeros(self._base.shape[:2], dtype=np.float32)
        cover.reshape(-1)[self._ink[unit].place] = self._ink[unit].cover
        return self._cut(cover).copy()

    def place(self, x: Floats, y: Floats, colour: Colours, unit: Integers) -> Dots:
        """Bring incidents to pixels.

        Parameters
        ----------
        x, y : ndarray, shape (n,)
            Metres.
        colour : ndarray of uint8, shape (n, 3)
        unit : ndarray of int, shape (n,)
            Number of the area each lies in; -1 for none.
        """
        west, _, _, north = self.extent
        column, right = self._find_pixels((x - west) * self._scale[0], 0)
        row, down = self._find_pixels((north - y) * self._scale[1], 1)
        return Dots(row, column, down * STEPS + right, colour.astype(np.float32), unit)

    def _find_pixels(self, middle: Floats, axis: int) -> tuple[Integers, Integers]:
        """The first pixel of each stamp along an axis, and where in its pixel the middle lies, in steps."""
        # A dot wholly beside the picture is left on the canvas beside it, where nobody sees it.
        beside = self._reach[axis] + 1
        steps = np.round(np.clip(middle, -beside, self.size[axis] + beside) * STEPS).astype(np.int64)
        return steps // STEPS - self._reach[axis] + self._pad[axis], steps % STEPS

    def draw_dots(self, dots: Dots, rows: Integers, out: Picture | None = None) -> Picture:
        """Draw some of the incidents, in the order of `rows`, on each other; then the outlines of their areas.

        Parameters
        ----------
        dots : Dots
        rows : ndarray of int, shape (k,)
        out : ndarray of uint8, shape (H, W, 3), optional
            Where to draw; a new one by default.
        """
        canvas = self._canvas
        canvas[:] = self._base
        high, wide = self._stamps.shape[1:3]
        places = zip(
            dots.row[rows].tolist(),
            dots.column[rows].tolist(),
            dots.stamp[rows].tolist(),
            dots.colour[rows],
            strict=True,
        )
        for row, column, stamp, colour in places:
            pixels = canvas[row : row + high, column : column + wide]
            mixed = pixels * self._clear[stamp]
            mixed += self._stamps[stamp] * colour
            mixed += _HALF
            pixels[:] = mixed
        # As published once for each incident: where an outline covers a part of a pixel, each makes it redder.
        flat = canvas.reshape(-1, 3)
        for unit in dots.unit[rows].tolist():
            if unit >= 0:
                place, clear, red = self._hits[unit]
                flat[place] = flat[place] * clear + red
        if out is None:
            return self._cut(canvas).copy()
        out[:] = self._cut(canvas)
        return out

    def draw(self, x: Floats, y: Floats, colour: Colours, unit: Integers) -> Picture:
        """Draw one picture of all these incidents, in their order; see `place`.

        Returns
        -------
        ndarray of uint8, shape (H, W, 3)
        """
        return self.draw_dots(self.place(x, y, colour, unit), np.arange(len(x)))

    def draw_windows(
        self,
        dots: Dots,
        windows: PictureWindows,
        numbers: Sequence[int] | None = None,
        kept: NDArray[np.bool_] | None = None,
        chunk: int = CHUNK,
    ) -> Iterator[tuple[Integers, Picture]]:
        """Draw windows, some at a time, so that no more than these are in memory.

        Parameters
        ----------
        dots : Dots
            Of all rows of the windows.
        windows : PictureWindows
        numbers : sequence of int, optional
            Which windows, in which order; by default all.
        kept : ndarray of bool, optional
            Which rows are drawn; by default all.
        chunk : int

        Yields
        ------
        (ndarray of int, ndarray of uint8)
            Numbers of the windows, shape (n,), and their pictures, shape (n, H, W, 3), n at most `chunk`. The pictures
            are drawn over when the next are asked for.
        """
        wanted = np.arange(len(windows)) if numbers is None else np.asarray(numbers, dtype=np.int64)
        pictures = np.empty((min(chunk, max(len(wanted), 1)), self.size[1], self.size[0], 3), dtype=np.uint8)
        for begin in range(0, len(wanted), chunk):
            some = wanted[begin : begin + chunk]
            for number, out in zip(some.tolist(), pictures, strict=False):
                rows = windows.rows(number)
                self.draw_dots(dots, rows if kept is None else rows[kept[rows]], out)
            yield some, pictures[: len(some)]
