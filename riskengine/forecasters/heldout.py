"""What a model card keeps of how good a model was on held-out maps."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import NotRequired, TypedDict

from ..contract.aims import CatchUnit

#: Key, within a card's figures of the model itself, of how it compares with the best baseline.
AGAINST = "against"
#: Key, within that, of how its catch compares with the baseline that catches most.
CATCH = "catch"
#: Key, within a card's figures of a model made for the catch, of what it caught; it has no `AGAINST`.
CAUGHT = "caught"

#: A figure that does not exist is None.
Figure = Annotated[float, Field(strict=True, allow_inf_nan=False)] | None
Amount = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Number = Annotated[int, Field(strict=True, ge=0)]


class HitChange(TypedDict):
    """A difference of hit rates; without limits where there were too few maps. Of areas, blocks of `places` too."""

    mean: Annotated[float, Field(strict=True, ge=-1, le=1)]
    low: Figure
    high: Figure
    level: Annotated[float, Field(strict=True, gt=0, lt=1)]
    blocks: Number
    places: NotRequired[Number]


class FlaggedSize(TypedDict):
    """What was flagged by size over all maps: km², of segments km."""

    total: Amount
    flagged: Amount
    hit: Amount


class Catch(TypedDict):
    """What a model caught on held-out maps at `share` of the area, and how that compares with the baseline that catches
    most; `few_cells` hold most of the incidents, where so few do. Where units differ in size, `weights` say how much
    was flagged, of which kind of `units`. See `report.card`.
    """

    baseline: str
    verdict: Literal["better", "worse", "indistinguishable", "too few", "alone", "nothing"]
    share: Annotated[float, Field(strict=True, gt=0, le=1)]
    flagged: Amount
    cells: Annotated[int, Field(strict=True, ge=1)]
    maps: Annotated[int, Field(strict=True, ge=1)]
    units: NotRequired[Literal["areas", "segments"]]
    weights: NotRequired[FlaggedSize]
    caught: Amount
    incidents: Amount
    few_cells: Number
    few_incidents: Amount
    baseline_caught: Amount
    change: HitChange | None


class Against(TypedDict):
    """How a model compares with the best baseline on held-out maps; files of 0.2 to 0.6 do not know its catch. `bin` is
    what a map is called where it is none of a grid: month.
    """

    baseline: str
    verdict: Literal["better", "worse", "indistinguishable", "too few"]
    ratio: Amount
    maps: Number
    bin: NotRequired[Literal["bin", "hour", "day", "week", "month", "quarter"]]
    catch: NotRequired[Catch]


class CaughtNote(TypedDict):
    """What the places of a model made for the catch caught in held-out windows of `window` bins, and prior counts at as
    many. Incidents are sums over the windows; the flagged units, their size (km², of segments km) and that of the study
    area are those of one window. `unit` is what the catch was asked for in.
    """

    windows: Annotated[int, Field(strict=True, ge=1)]
    window: Annotated[int, Field(strict=True, ge=1)]
    bin: Annotated[str, Field(pattern=r"^\d+ (hours|days|weeks|months)$")]
    kind: Literal["grid", "areas", "segments"]
    unit: NotRequired[CatchUnit]
    units: Amount
    flagged: Amount
    size: Amount
    caught: Amount
    incidents: Amount
    most: Amount
    baseline: str
    baseline_caught: Amount
    verdict: Literal["better", "worse", "indistinguishable", "too few", "alone", "nothing"]
    change: HitChange | None
