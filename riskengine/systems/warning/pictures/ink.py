"""How much of each pixel a dot or an outline covers: computed once by counting points on a finer lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize

from .style import PictureStyle

Cover = NDArray[np.float32]

#: Places of a dot's middle within a pixel, along each side: it is off by a sixteenth of a pixel at most.
STEPS = 8
#: Points of the lattice along a pixel's side for dots, and the most and fewest for outlines.
_DOT_POINTS, _MOST_POINTS, _FEWEST_POINTS = 16, 8, 2
#: Points along a side of a whole picture's lattice for outlines, at most.
_LATTICE = 4096
#: An outline's bends below this part of a pixel are left out.
_BEND = 0.02


@dataclass(frozen=True, eq=False)
class Stamps:
    """A dot at each place within a pixel.

    Attributes
    ----------
    cover : ndarray, shape (STEPS * STEPS, h, w)
        Share of the dot's colour in each pixel; number ``down * STEPS + right`` has its middle so many steps below and
        right of the upper left corner of the pixel in its middle.
    reach : (int, int)
        Pixels right of and below that pixel.
    """

    cover: Cover
    reach: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Ink:
    """The pixels that an outline covers.

    Attributes
    ----------
    place : ndarray of int, shape (n,)
        Numbers of the pixels, row by row.
    cover : ndarray of float32, shape (n,)
        Share that is covered.
    """

    place: NDArray[np.int64]
    cover: Cover


def make_stamps(style: PictureStyle, width: float, scale: tuple[float, float]) -> Stamps:
    """Make the stamps of a dot: a disc, and its edge over it.

    Parameters
    ----------
    style : PictureStyle
    width : float
        Of what the picture shows, metres.
    scale : (float, float)
        Pixels a metre, to the east and to the south.
    """
    outer = style.dot * width / 2
    edge = style.edge * 2 * outer
    reach = int(outer * scale[0]) + 1, int(outer * scale[1]) + 1
    right, down = ((np.arange((2 * each + 1) * _DOT_POINTS) + 0.5) / _DOT_POINTS - each for each in reach)
    offsets = np.arange(STEPS) / STEPS
    across = ((right - offsets[:, None]) / scale[0]) ** 2
    along = ((down - offsets[:, None]) / scale[1]) ** 2
    rows, columns = 2 * reach[1] + 1, 2 * reach[0] + 1
    cover = np.empty((STEPS, STEPS, rows, columns), dtype=np.float32)
    for i in range(STEPS):
        for j in range(STEPS):
            distance = along[i][:, None] + across[j]
            disc, line = distance <= (outer - edge / 2) ** 2, (distance <= outer**2) & (distance >= (outer - edge) ** 2)
            shares = [
                style.dot_alpha * each.reshape(rows, _DOT_POINTS, columns, _DOT_POINTS).mean(axis=(1, 3))
                for each in (disc, line)
            ]
            cover[i, j] = 1 - (1 - shares[0]) * (1 - shares[1])
    return Stamps(cover.reshape(-1, rows, columns), reach)


def compute_outline(
    area: shapely.Geometry, line: float, corner: tuple[float, float], scale: tuple[float, float], size: tuple[int, int]
) -> Ink:
    """Compute which pixels the outline of an area covers.

    Parameters
    ----------
    area : polygon
        Metres.
    line : float
        Width of the line, metres.
    corner : (float, float)
        East and north of the upper left corner of the canvas.
    scale : (float, float)
        Pixels a metre, to the east and to the south.
    size : (int, int)
        Rows and columns of the canvas.
    """
    finer = max(min(_LATTICE // max(size), _MOST_POINTS), _FEWEST_POINTS)
    drawn = shapely.buffer(shapely.boundary(shapely.simplify(area, _BEND / max(scale))), line / 2)
    west, south, east, north = drawn.bounds
    left, right = (int(np.floor((each - corner[0]) * scale[0])) for each in (west, east))
    top, bottom = (int(np.floor((corner[1] - each) * scale[1])) for each in (north, south))
    left, top = max(left, 0), max(top, 0)
    columns, rows = min(right + 1, size[1]) - left, min(bottom + 1, size[0]) - top
    if columns <= 0 or rows <= 0:
        return Ink(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    lattice = Affine(
        1 / scale[0] / finer, 0, corner[0] + left / scale[0], 0, -1 / scale[1] / finer, corner[1] - top / scale[1]
    )
    inside = rasterize([drawn], out_shape=(rows * finer, columns * finer), transform=lattice, dtype="uint8")
    cover = inside.reshape(rows, finer, columns, finer).mean(axis=(1, 3), dtype=np.float32)
    row, column = np.nonzero(cover)
    return Ink((row + top) * size[1] + column + left, cover[row, column])
