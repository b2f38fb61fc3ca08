"""What ways through a street network are judged by, and what they are called; both programs read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .texts import tr

#: How somebody moves: on foot one-way streets bind nobody, and motorways are left out.
Travel = Literal["foot", "vehicle"]
#: A street's direction as its line is drawn; the order of QGIS's own network tools.
Direction = Literal["forward", "backward", "both"]
#: Which ways of the front are written.
Wanted = Literal["all", "ends"]
#: How an incident is spread: by a Gaussian, or so that each adds up to one along a way that passes it.
Spread = Literal["gaussian", "passed"]
#: What a check takes for the risk: made of the months before each tested one, or a map that was made before all.
RiskKind = Literal["kernel", "counts", "forecast", "map"]

#: Km/h where no field says it.
DEFAULT_SPEED: Mapping[Travel, float] = {"foot": 4.8, "vehicle": 50.0}
#: Metres from a way within which incidents are counted: geocoding moves them by a street or two.
NEAR = (50, 100, 200)
#: What a way is, in the order of the front; texts of the field `kind`.
SHORTEST, BETWEEN, LEAST, ONLY = "shortest", "between", "least exposed", "only"
WAY_TITLES: Mapping[str, str] = {
    SHORTEST: tr("Shortest way"),
    BETWEEN: tr("In between"),
    LEAST: tr("Least exposed within the cap"),
    ONLY: tr("Shortest and least exposed"),
}

#: Kinds of faults of a network, in the order in which they are told; texts of the field `kind`.
FAULTS: Mapping[str, str] = {
    "empty": tr("Line without length"),
    "parts": tr("Line of several parts"),
    "crossing": tr("Crossing without a node"),
    "tjunction": tr("End that touches a line without a node"),
    "gap": tr("End that nearly meets another street"),
    "dangle": tr("Dangling end"),
    "component": tr("Part that is not connected with the largest"),
    "loop": tr("Loop"),
    "parallel": tr("Parallel lines between the same nodes"),
    "outside": tr("Outside the risk"),
}
