"""What a forecast is made for: how likely it is here, or which few places to go to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AimKind = Literal["probabilities", "catch"]
CatchUnit = Literal["share", "km2", "units"]
PROBABILITIES: AimKind = "probabilities"
CATCH: AimKind = "catch"


@dataclass(frozen=True)
class Catch:
    """The aim of catching the most: where to go, when so much can be covered, over a window as a whole.

    Attributes
    ----------
    size : float
        How much can be covered, in `unit`.
    unit : str
        ``share`` is per cent of the study area, ``km2`` square kilometres (of segments kilometres), ``units`` a number
        of cells, areas or segments.
    window : int
        Bins that are forecast as one: the incidents expected in all of them together.
    """

    size: float = 5.0
    unit: CatchUnit = "share"
    window: int = 1
