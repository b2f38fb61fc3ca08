"""Results that stand beside a backtest: what a delay costs, what covariates are worth, other weights, other units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..measures.compare import Difference
from ..measures.twoway import compare_sums
from .scoring import AREA_SHARE, Hits, ModelScore


@dataclass(frozen=True)
class DelayCost:
    """What counts that are known late cost each model on the scored maps.

    Attributes
    ----------
    delay : int
        Bins after which counts are known.
    at_once : dict of str to ModelScore
        The scores if they were known at once, by model.
    losses : dict of str to Difference
        Log-loss as it is minus that; positive where the delay costs something.
    hits : dict of str to Difference
        Hit rate at 5 % of the area as it is minus that; negative where the delay costs something.
    """

    delay: int
    at_once: dict[str, ModelScore]
    losses: dict[str, Difference]
    hits: dict[str, Difference]

    def to_dict(self) -> dict[str, Any]:
        """The figures, JSON-able."""
        return {
            "delay": self.delay,
            "at_once": {name: score.to_dict() for name, score in self.at_once.items()},
            "losses": {name: describe_difference(each) for name, each in self.losses.items()},
            "hits": {name: describe_difference(each, True) for name, each in self.hits.items()},
        }


@dataclass(frozen=True)
class Control:
    """A model beside itself with shuffled covariates.

    Attributes
    ----------
    model : str
    covariates : tuple of str
        That were shuffled.
    shuffled : ModelScore
        Its scores with them.
    loss : Difference
        Log-loss with the true ones minus that; negative where they are worth something.
    hits : Difference
        Hit rate at 5 % of the area with the true ones minus that; positive where they are worth something.
    """

    model: str
    covariates: tuple[str, ...]
    shuffled: ModelScore
    loss: Difference
    hits: Difference

    def to_dict(self) -> dict[str, Any]:
        """The figures, JSON-able."""
        return {
            "model": self.model,
            "covariates": list(self.covariates),
            "shuffled": self.shuffled.to_dict(),
            "loss": describe_difference(self.loss),
            "hits": describe_difference(self.hits, True),
        }


@dataclass(frozen=True)
class Weighed:
    """What was caught where units are flagged by incidents per person (or whatever they are weighed by).

    Attributes
    ----------
    name : str
        Of the covariate.
    total : float
        Of all units together.
    hits : dict of str to list of Hits
        At shares of it, by model.
    caught : dict of str to ndarray, shape (F, blocks)
        n at 5 % by map and block of units, by model.
    incidents : ndarray, shape (F, blocks)
        N.
    block : int
        Maps in a block of time.
    """

    name: str
    total: float
    hits: dict[str, list[Hits]]
    caught: dict[str, NDArray[np.float64]]
    incidents: NDArray[np.float64]
    block: int

    def compare_hits(self, name: str, other: str) -> Difference:
        """Compare hit rates at 5 % of the weight: that of `name` minus that of `other`."""
        return compare_sums(self.caught[name] - self.caught[other], self.incidents, self.block)

    def find_hits(self, name: str, share: float = AREA_SHARE) -> Hits:
        """Find what a model caught at a share of the weight."""
        return next(each for each in self.hits[name] if each.at == share)

    def to_dict(self) -> dict[str, Any]:
        """The figures at 5 %, JSON-able."""
        rows = {name: self.find_hits(name) for name in self.hits}
        return {
            "name": self.name,
            "total": self.total,
            "hit_rate_5": {name: round(row.area.hit_rate, 6) for name, row in rows.items() if row.area.incidents},
            "pai_5": {name: round(row.area.pai, 6) for name, row in rows.items() if row.area.incidents},
        }


@dataclass(frozen=True)
class UnitsJudged:
    """One kind of units, as wards or hexagons, at flagged areas that are the same for all kinds.

    Attributes
    ----------
    title : str
        Name of the file; of the panel that the backtest is of, what it was counted from.
    kind : str
        ``grid``, ``areas`` or ``segments``.
    units : int
        Of the study area.
    size : float
        Of the median one, km² (of segments km).
    total : float
        Of all, km² (of segments km).
    shares : tuple of float
        Flagged, of the area of the first panel; of segments of their length.
    km2 : tuple of float
        The same in km².
    hits : dict of str to list of Hits
        At these, by model.
    """

    title: str
    kind: str
    units: int
    size: float
    total: float
    shares: tuple[float, ...]
    km2: tuple[float, ...]
    hits: dict[str, list[Hits]]

    def to_dict(self) -> dict[str, Any]:
        """The figures, JSON-able."""
        return {
            "title": self.title,
            "kind": self.kind,
            "units": self.units,
            "size": round(self.size, 6),
            "total": round(self.total, 6),
            "km2": [round(each, 6) for each in self.km2],
            "hit_rate": {name: [round_finite(each.area.hit_rate) for each in hits] for name, hits in self.hits.items()},
        }


def describe_difference(difference: Difference, more_is_better: bool = False) -> dict[str, Any]:
    """Describe a difference as JSON-able figures."""
    verdict = difference.verdict_of_more if more_is_better else difference.verdict
    figures = {"mean": difference.mean, "low": difference.low, "high": difference.high}
    shown = {name: round(value, 8) if np.isfinite(value) else None for name, value in figures.items()}
    places = {"places": difference.places} if difference.places else {}
    return {**shown, "level": difference.level, "blocks": difference.blocks, **places, "verdict": verdict}


def round_finite(value: float) -> float | None:
    """Round a figure for JSON, which knows no other number that is none: six digits, or None."""
    return round(float(value), 6) if np.isfinite(value) else None
