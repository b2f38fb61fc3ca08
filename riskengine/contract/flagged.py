"""What was flagged, where it is not the share of the area that was wanted: whole cells of few may be far from it."""

from __future__ import annotations

from .texts import part_text

#: A share that was flagged passes for the wanted one within half a percentage point: both are one whole per cent.
TOLERANCE = 0.005


def is_as_wanted(flagged: float, wanted: float) -> bool:
    """Whether a flagged share of the area may be called by the share that was wanted; both in [0, 1]."""
    return abs(flagged - wanted) < TOLERANCE


def format_share(share: float) -> str:
    """Format a share as a percentage of as few digits as it needs."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def describe_part(cells: float, total: float) -> str:
    """Say how many cells of how many were flagged, and what share of the area they are."""
    return f"{part_text(cells, total, 'cell')} ({format_share(cells / total)} of the area)"
