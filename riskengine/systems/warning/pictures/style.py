"""How a picture looks: sizes as shares of its width, and which colour a category has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....contract.colours import PICTURE_COLOURS, PICTURE_OTHERS, PICTURE_TARGETS, read_colour, split_category_colour
from ....contract.texts import show_name
from ....ground.errors import ParameterError

Colours = NDArray[np.uint8]

#: Width and height of the published pictures, of what its first network reads, and its second, in pixels.
PUBLISHED_SIZE, FIRST_SIZE, SECOND_SIZE = (175, 217), (172, 216), (150, 150)


@dataclass(frozen=True)
class PictureStyle:
    """How a picture looks, whatever its size.

    Attributes
    ----------
    dot : float
        Width of a dot with its edge, as a share of the picture's.
    edge : float
        Width of the line around a dot, half of which lies on it, as a share of the dot's width.
    dot_alpha : float
        Of dots and of their edges: where these lie on the dot, both cover what is below.
    line : float
        Width of outlines, as a share of the picture's.
    line_alpha : float
    line_colour, hit_colour : tuple of int
        Of outlines, and of those of areas in which an incident happened; these lie on the dots, and cover.
    margin : float
        Room around the areas, as a share of their extent.
    """

    dot: float = 1 / 15
    edge: float = 0.175
    dot_alpha: float = 0.7
    line: float = 1 / 175
    line_alpha: float = 0.5
    line_colour: tuple[int, int, int] = (0, 0, 0)
    hit_colour: tuple[int, int, int] = (255, 0, 0)
    margin: float = 0.05


#: As published: markers of Matplotlib with their edges, black lines of a point at half strength, red ones in full.
PUBLISHED = PictureStyle()


def read_colours(texts: Sequence[str], parameter: str = "colours") -> dict[str, str]:
    """Read colours by category, each written as ``SHOOTING=#BD3D3A``.

    Raises
    ------
    ParameterError
    """
    given: dict[str, str] = {}
    for text in texts:
        pair = split_category_colour(text)
        if pair is None:
            raise ParameterError(
                f"{parameter} has {show_name(text)}, which is no category with its colour",
                parameter=parameter,
                value=text,
                remedy="Write each as SHOOTING=#BD3D3A, with semicolons between them",
            )
        given[pair[0]] = pair[1]
    return given


def choose_colours(
    categories: Sequence[str], targets: Sequence[str], given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Choose a colour for each category: what was given, what was published, or else the next of the list.

    Targets that were not published have the published targets' red.

    Parameters
    ----------
    categories : sequence of str
        The most frequent first: they get colours that no other has.
    targets : sequence of str
    given : mapping of str to str, optional
        ``#rrggbb`` by category.

    Returns
    -------
    dict of str to str
        In the order of `categories`.
    """
    known = {**PICTURE_COLOURS, **(given or {})}
    taken = {known[name] for name in categories if name in known}
    free = [colour for colour in PICTURE_OTHERS if colour not in taken] or list(PICTURE_OTHERS)
    chosen, number = {}, 0
    for name in categories:
        if name in known:
            chosen[name] = known[name]
        elif name in targets:
            chosen[name] = PICTURE_TARGETS
        else:
            chosen[name] = free[number % len(free)]
            number += 1
    return chosen


def list_shades_of(categories: Sequence[str], colours: Mapping[str, str]) -> Colours:
    """List the colours of category codes, and last that of no category, which is numbered -1: grey.

    Returns
    -------
    ndarray of uint8, shape (len(categories) + 1, 3)
    """
    shades = [read_colour(colours.get(name, "#666666")) for name in categories]
    return np.array([*shades, read_colour("#666666")], dtype=np.uint8)
