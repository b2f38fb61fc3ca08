"""How reports speak of units of space: of cells, of areas, of segments, each in the same sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.dates import format_bin_length
from ..contract.texts import count_text
from ..contract.units import SIZES, WHOLES, noun_of
from ..maps.area import describe_units
from ..maps.grid import Grid
from ..maps.panel import Panel

_NBSP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, kw_only=True)
class UnitWords:
    """What units of one kind are called in sentences, and what is said of them where kinds differ.

    Attributes
    ----------
    kind : str
        Of the support.
    one : str
        One of them, with its article.
    amount : str
        What is flagged as much of: whole cells, but so many km² of areas.
    counted : str
        What a share is flagged of in "the riskiest share of the …".
    outside : str
        What is no part of the study area.
    ranked : str
        What decides which come first.
    choice : str
        What every figure depends on beside city and year.
    colours : str
        A sentence on how to read the colours of a map, where they are not what decides.
    flagging : str
        A sentence on what is flagged at the edge.
    paired : str
        A sentence on what differences and their intervals rest on.
    intervals : str
        How all intervals are made, for the card.
    """

    kind: str
    one: str
    amount: str
    counted: str
    outside: str
    ranked: str
    choice: str
    colours: str
    flagging: str
    paired: str
    intervals: str

    @property
    def noun(self) -> str:
        """One of them."""
        return noun_of(self.kind)

    @property
    def many(self) -> str:
        """Several of them."""
        return f"{self.noun}s"

    @property
    def measure(self) -> str:
        """What their sizes are told in."""
        return SIZES[self.kind]

    @property
    def whole(self) -> str:
        """What they are all together, and what a share is flagged of."""
        return WHOLES[self.kind]

    @property
    def title(self) -> str:
        """All of them together, at the head of a row."""
        return self.kind.title()


_CELLS = UnitWords(
    kind="grid",
    one="a cell",
    amount="cells",
    counted="cells",
    outside="Cells outside the study area",
    ranked="risk",
    choice="cell size",
    colours="",
    flagging="Cells of equal risk at the edge of the flagged area count in part.",
    paired="Differences of log-loss are paired by map; intervals come from a bootstrap of blocks of maps that follow"
    " each other.",
    intervals="none with fewer than 6 blocks. Differences: studentised bootstrap; hit rate and PAI: Student’s t on the"
    " linearised ratio",
)


def _speak_of_sizes(kind: str, one: str, outside: str, choice: str) -> UnitWords:
    """Words for units that differ in size."""
    many, measure = f"{noun_of(kind)}s", SIZES[kind]
    return UnitWords(
        kind=kind,
        one=one,
        amount=measure,
        counted=WHOLES[kind],
        outside=outside,
        ranked=f"risk per {measure}",
        choice=choice,
        colours=f"Colours show the probability of at least one incident, which grows with the size of {one}; flags go"
        f" by risk per {measure}, so that a large dark one may not be flagged.",
        flagging=f"{many.capitalize()} rank by expected incidents per {measure} and are flagged from the densest down"
        f" until the share of the {measure} is used up; the last one is flagged in part, and its incidents are counted"
        " by the same part.",
        paired=f"Differences are paired by bin and {noun_of(kind)}; their intervals allow for bins that differ from"
        " each other and for parts of the city that do.",
        intervals="none with fewer than 6 blocks of a kind. Hit rate and PAI: blocks of time. Differences: variance"
        f" over blocks of time plus that over blocks of {many} that lie together, less that over both (Cameron,"
        " Gelbach and Miller 2011). Student’s t on the linearised ratio",
    )


_WORDS = {
    "grid": _CELLS,
    "areas": _speak_of_sizes("areas", "an area", "Places in none of the areas", "choice of areas"),
    "segments": _speak_of_sizes("segments", "a segment", "Places on none of the segments", "network of segments"),
}


def words_of(kind: str) -> UnitWords:
    """Find the words for a kind of support."""
    return _WORDS[kind]


def units_of(panel: Panel) -> UnitWords:
    """Find the words for the units of a panel."""
    return words_of(panel.support.kind)


def describe_layout(panel: Panel, whole: bool = False) -> str:
    """Describe how many units there are and how large, below a title; of a grid as a whole its corner, too.

    Below a title it is said how many cells are in the study area: shares of the area are shares of these.
    """
    grid = panel.support
    if not isinstance(grid, Grid):
        return describe_units(panel)
    cells, shape = count_text(grid.columns * grid.rows, "cell"), f"({grid.columns} × {grid.rows})"
    if not whole:
        inside = int(np.count_nonzero(panel.mask))
        cells = cells if inside == panel.mask.size else f"{inside:,} of {cells}"
        return f"{cells} of {grid.cell:,.0f}{_NBSP}m {shape.replace(' ', _NBSP)}"
    return f"{cells} of {grid.cell:,.1f} m {shape}, upper-left corner {grid.west:,.1f}, {grid.north:,.1f}"


def count_steps(panel: Panel, number: int, which: str = "") -> str:
    """Count maps of a grid with the length of their bins, as "60 maps of 1 day"; or bins of others, as "10 months".

    Parameters
    ----------
    which : str
        Stands before the noun.
    """
    counted = count_text(number, f"{which} {panel.bin_noun}".strip())
    return counted if panel.bin_noun not in ("map", "bin") else f"{counted} of {format_bin_length(panel.bin)}"
