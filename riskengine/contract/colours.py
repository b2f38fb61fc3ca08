"""Colours that mean something, each once: styles of layers in QGIS and figures of reports have the very same."""

from __future__ import annotations

import re

#: ColorBrewer YlOrRd: light is low, and it stays in order for colour-blind readers and in grey. Risk, its classes,
#: crime scores and counts.
RAMP = ("#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026", "#800026", "#4d0018")

#: Okabe and Ito's colours, told apart by colour-blind readers, with a grey instead of the black: for names.
QUALITATIVE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#f0e442", "#666666")

#: What became of a cell that was flagged or not, by its label: Okabe and Ito's too. A true negative is most of the map
#: and says nothing: it has none.
LABELS = {
    "correct": "#009e73",
    "false negative": "#d55e00",
    "false negative, neighbour": "#f0c04a",
    "false positive": "#0072b2",
    "false positive, neighbour": "#7cc4ec",
}

#: Places to go to, the first the darkest: blues, which no risk below them has, in order in grey too.
PLACES = ("#08306b", "#2171b5", "#7cc0ee")
#: Their outlines: the lightest stand out from any map below.
PLACES_OUTLINE = "#041b3d"

#: Ways from A to B by their kind: dark blue is less exposed, orange the shortest; 25 of 100 in lightness lie between
#: them, and they are told apart by dashes, too.
WAYS = {"shortest": "#d55e00", "between": "#8f8f8f", "least exposed": "#083d77", "only": "#083d77"}

#: How likely an outcome is, by its class: red and blue as published, and one between them. Their lightness differs
#: by 29 of 100 at least, so they are told apart in grey; by colour-blind readers, too.
OUTCOME_CLASSES = {"likely": "#9b0a20", "between": "#f3e3b3", "unlikely": "#4a9ad4"}
#: Outlines of points: the light ones are seen on white paper.
OUTCOME_OUTLINE = "#4d4632"

#: How an area's rate compares with what its categories lead to expect: Okabe and Ito's, and greys for all else.
OUTCOME_AREAS = {
    "above": "#d55e00",
    "expected": "#f0ece2",
    "below": "#0072b2",
    "few": "#c9c9c9",
    "hidden": "#ffffff",
}

#: Colours of dots on pictures of windows, as published; which of them the categories of `PICTURE_READ` had is our
#: reading of their order.
PICTURE_TARGETS = "#bd3d3a"
PICTURE_OTHERS = ("#e47a2e", "#3f69aa", "#d5ae41", "#006e6d", "#7f4145", "#223a5e", "#766f57", "#9c9a40")
PICTURE_COLOURS = {
    "ROBBERY - STREET": "#e47a2e",
    "COMMON ASSAULT": "#3f69aa",
    "LARCENY": "#d5ae41",
    "SHOOTING": PICTURE_TARGETS,
    "HOMICIDE": PICTURE_TARGETS,
    "AGG. ASSAULT": "#006e6d",
    "BURGLARY": "#7f4145",
    "LARCENY FROM AUTO": "#223a5e",
    "AUTO THEFT": PICTURE_TARGETS,
    "ROBBERY - COMMERCIAL": "#3f69aa",
    "ROBBERY - RESIDENCE": "#d5ae41",
    "ROBBERY - CARJACKING": "#766f57",
    "RAPE": "#e47a2e",
    "ARSON": "#006e6d",
    "ASSAULT BY THREAT": "#7f4145",
}

PICTURE_READ = (
    "AGG. ASSAULT",
    "BURGLARY",
    "LARCENY FROM AUTO",
    "ROBBERY - COMMERCIAL",
    "ROBBERY - RESIDENCE",
    "ROBBERY - CARJACKING",
    "RAPE",
    "ARSON",
    "ASSAULT BY THREAT",
)

#: Steps of red, green and blue, and greys beside them, in a stack of pictures, which holds a byte a pixel: black, white
#: and red are exact.
PICTURE_LEVELS, PICTURE_GREYS = 6, 39
_CATEGORY_COLOUR = re.compile(r"\s*(?P<name>.+?)\s*=\s*(?P<colour>#[0-9a-fA-F]{6})\s*", re.DOTALL)

#: Limits of the crime score's classes, in the first five colours of the ramp.
SCORE_LIMITS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

#: Steps of counts in a legend.
_STEPS = 5


def list_shades(number: int) -> list[str]:
    """List `number` colours (#rrggbb) from light to dark, evenly along the ramp."""
    if number <= _STEPS:
        return [RAMP[round(step * (_STEPS - 1) / max(number - 1, 1))] for step in range(number)]
    mixed = []
    for step in range(number):
        position = step * (len(RAMP) - 1) / (number - 1)
        low = min(int(position), len(RAMP) - 2)
        share = position - low
        pairs = zip(read_colour(RAMP[low]), read_colour(RAMP[low + 1]), strict=True)
        mixed.append("#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs))
    return mixed


def split_category_colour(text: str) -> tuple[str, str] | None:
    """Split a category from its colour in ``SHOOTING=#BD3D3A``; None where a text is no such pair."""
    found = _CATEGORY_COLOUR.fullmatch(text)
    return (found["name"], found["colour"].lower()) if found else None


def list_picture_palette() -> list[str]:
    """List the colours (#rrggbb) of a stack of pictures by their numbers."""
    levels, greys = (
        [f"{round(255 * step / (many - 1)):02x}" for step in range(many)] for many in (PICTURE_LEVELS, PICTURE_GREYS)
    )
    cube = [f"#{red}{green}{blue}" for red in levels for green in levels for blue in levels]
    return cube + [f"#{grey * 3}" for grey in greys]


def list_count_steps(highest: int) -> tuple[list[int], list[str]]:
    """List the largest counts of up to five steps, even on a logarithmic scale, and what a legend calls each."""
    steps = sorted({max(round(highest ** (step / (_STEPS - 1))), 1) for step in range(_STEPS)})
    begins = [1, *(step + 1 for step in steps)]
    labels = [f"{end:,}" if begin == end else f"{begin:,} – {end:,}" for begin, end in zip(begins, steps, strict=False)]
    return steps, labels


def read_colour(colour: str) -> tuple[int, ...]:
    """Read red, green and blue of ``#rrggbb``, each from 0 to 255."""
    return tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))
