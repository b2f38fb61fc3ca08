"""What a test of the catch gives: what each model's places caught in windows as a whole, at every position of the grid.

The backtest's other figures stand in `riskengine.evaluation.judged.Judged`, whose maps are the windows here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.aims import Catch
from ..maps.panel import Panel
from ..measures.clustered import Interval
from ..measures.compare import Difference
from ..measures.crossed import compare_crossed, compute_crossed_rate
from ..measures.places import choose_units
from .beside import describe_difference, round_finite

Array = NDArray[np.float64]

#: With fewer incidents caught than this, single ones decide which model is better.
ENOUGH = 10


@dataclass(frozen=True)
class Caught:
    """What one model's places caught; P grid positions, the given one first, F windows of B bins.

    Attributes
    ----------
    name : str
    caught, incidents : ndarray, shape (P, F, B)
        n and N by bin. A window may end with bins that were not observed: they count nothing.
    most : ndarray, shape (P, F)
        n*, the most that as many units could have caught in each window.
    flagged, cells : ndarray, shape (P,)
        Size of the flagged units of one window, and of the study area: km², of segments km.
    parts : ndarray of float32, shape (F, ...)
        How much of each unit was flagged, at the given position: 1; of ties at the edge and the last of areas a part.
    expected : ndarray of float32, shape (F, ...)
        Incidents that were expected in each unit, at the given position; NaN outside the study area.
    stable : ndarray, shape (F - 1,)
        Share of what was flagged in a window that is flagged in the next one too, at the given position.
    """

    name: str
    caught: Array
    incidents: Array
    most: Array
    flagged: Array
    cells: Array
    parts: NDArray[np.float32]
    expected: NDArray[np.float32]
    stable: Array

    @property
    def n(self) -> float:
        """Incidents caught over all windows, the mean over the positions."""
        return float(self.caught.sum(axis=(1, 2)).mean())

    @property
    def total(self) -> float:
        """N, over all windows, the mean over the positions."""
        return float(self.incidents.sum(axis=(1, 2)).mean())

    @property
    def share(self) -> float:
        """a / A, the mean over the positions."""
        return float((self.flagged / self.cells).mean())

    @property
    def pai(self) -> Array:
        """(n / N) / (a / A) at each position, shape (P,); NaN where there were no incidents."""
        return _divide(self.caught.sum(axis=(1, 2)), self.incidents.sum(axis=(1, 2))) / (self.flagged / self.cells)

    @property
    def pei(self) -> Array:
        """n / n* at each position, shape (P,): PEI*; NaN where nothing could have been caught."""
        return _divide(self.caught.sum(axis=(1, 2)), self.most.sum(axis=1))


@dataclass(frozen=True)
class CellSize:
    """The same on cells of another size.

    Attributes
    ----------
    side : float
        Metres.
    caught, incidents, most : dict of str to float
        Mean over the positions, by model: the one that is compared first, and prior counts.
    pai : dict of str to float
    flagged : float
        km² of a window: of few cells whole ones may be far from what the given ones were.
    positions : int
        Of the grid: fewer than of the given cells, where these are many.
    """

    side: float
    caught: dict[str, float]
    incidents: dict[str, float]
    most: dict[str, float]
    pai: dict[str, float]
    flagged: float = float("nan")
    positions: int = 1


@dataclass
class CatchJudged:
    """The test of a catch.

    Attributes
    ----------
    catch : Catch
    panel : Panel
        All counts by the panel's own bins; the windows are gathered from them.
    starts : ndarray of int, shape (F,)
        First bin of each window.
    models : dict of str to Caught
        The one that is compared first is first.
    offsets : tuple of (float, float), shape (P,)
        Shifts of the grid east and north, as shares of a cell; one of none where only the given position was tried.
    sizes : list of CellSize
        By side, the given one among them; empty of areas.
    missing : str
        A sentence where a size could not be tried; else empty.
    too_fine : str
        A sentence where cells are smaller than the data are exact; else empty.
    failures : dict of str to str
        Models that could not be run at further positions, and why.
    """

    catch: Catch
    panel: Panel
    starts: NDArray[np.int64]
    models: dict[str, Caught]
    offsets: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    sizes: list[CellSize] = field(default_factory=list)
    missing: str = ""
    too_fine: str = ""
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def block(self) -> int:
        """Bins in a block of time: as many as make up a week at least."""
        return int(-(np.timedelta64(-7, "D") // (self.panel.edges[1] - self.panel.edges[0])))

    @cached_property
    def _seen(self) -> NDArray[np.bool_]:
        """Bins of windows that were observed, shape (F * B,)."""
        bins = self.starts[:, None] + np.arange(self.catch.window)
        seen: NDArray[np.bool_] = self.panel.observed[bins.ravel()]
        return seen

    def find_best(self, names: Sequence[str]) -> str:
        """Find which of some models caught most; the first of several, and empty where there is none."""
        return max((name for name in names if name in self.models), key=lambda name: self.models[name].n, default="")

    def flag_chosen(self, name: str) -> NDArray[np.bool_]:
        """Flag the whole units that a model would send people to at the given position, shape (F, ...)."""
        expected = self.models[name].expected
        flagged = np.zeros(expected.shape, dtype=bool)
        for window, wanted in zip(flagged, expected, strict=True):
            window.ravel()[choose_units(wanted, self.panel, self.catch)] = True
        return flagged

    def compare(self, name: str, other: str) -> Difference:
        """Compare hit rates n / N: that of `name` minus that of `other`, at the same positions and size.

        Positive is better: `Difference.verdict_of_more` is its verdict. The interval is over blocks of time and
        positions of the grid; it rests on the positions that both were run at.
        """
        one, another = self.models[name], self.models[other]
        places = min(len(one.caught), len(another.caught))
        gained = self._lay_out(one.caught[:places] - another.caught[:places])
        return compare_crossed(gained, self._lay_out(one.incidents[:places]), self.block)

    def measure_rate(self, name: str) -> Interval:
        """Measure the hit rate n / N with its interval, as `compare` has it."""
        one = self.models[name]
        return compute_crossed_rate(self._lay_out(one.caught), self._lay_out(one.incidents), self.block)

    def to_dict(self) -> dict[str, Any]:
        """Every figure, JSON-able."""
        best = next(iter(self.models))
        others = [name for name in self.models if name != best]
        return {
            "size": self.catch.size,
            "unit": self.catch.unit,
            "window": self.catch.window,
            "windows": len(self.starts),
            "positions": len(self.offsets),
            "offsets": [list(each) for each in self.offsets],
            "models": {name: self._describe(name) for name in self.models},
            "against": {name: describe_difference(self.compare(best, name), True) for name in others},
            "sizes": [{key: _round(value) for key, value in asdict(each).items()} for each in self.sizes],
            "missing": self.missing,
            "too_fine": self.too_fine,
            "failures": self.failures,
        }

    def _lay_out(self, sums: Array) -> Array:
        """By observed bin and position, shape (T, P), of sums of shape (P, F, B)."""
        return sums.reshape(len(sums), -1).T[self._seen]

    def _describe(self, name: str) -> dict[str, Any]:
        one, rate = self.models[name], self.measure_rate(name)
        figures = {
            "n": one.n,
            "N": one.total,
            "hit_rate": rate.mean,
            "low": rate.low,
            "high": rate.high,
            "flagged_km": float(one.flagged.mean()),
            "flagged_share": one.share,
            "pai": float(one.pai.mean()),
            "pai_sd": _deviate(one.pai),
            "pei": float(one.pei.mean()),
            "pei_sd": _deviate(one.pei),
            "stable": float(one.stable.mean()) if one.stable.size else float("nan"),
        }
        by_window = {"n_by_window": one.caught.sum(axis=2).mean(axis=0), "N_by_window": one.incidents.sum(axis=2)[0]}
        return {
            **{key: round_finite(value) for key, value in figures.items()},
            **{key: [round_finite(value) for value in values] for key, values in by_window.items()},
            "positions": {
                "n": [round_finite(value) for value in one.caught.sum(axis=(1, 2))],
                "pai": [round_finite(value) for value in one.pai],
                "pei": [round_finite(value) for value in one.pei],
            },
        }


def _divide(part: Array, whole: Array) -> Array:
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0))


def _deviate(values: Array) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def _round(value: int | float | dict[str, float]) -> Any:
    if isinstance(value, dict):
        return {key: round_finite(each) for key, each in value.items()}
    return value if isinstance(value, int) else round_finite(value)
