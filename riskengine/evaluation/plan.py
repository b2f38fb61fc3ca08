"""How a test rolls through the maps, and whether a plan fits them."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.texts import count_text
from ..forecasters.base import check_steps
from ..ground.errors import DataError, ParameterError
from ..maps.panel import Panel


@dataclass(frozen=True)
class Plan:
    """How a backtest rolls.

    Attributes
    ----------
    first : int
        First map that is forecast.
    horizon : int
        Bins ahead: map t is forecast from the maps before t - horizon + 1.
    refit : int
        Maps between two fits; 0 for a single one, before `first`.
    seeds : tuple of int
        Forecasters that draw random numbers are fitted once with each.
    warm : int
        Maps before `first` that the first fit, which learned from them, forecasts as well; they are not scored.
    """

    first: int
    horizon: int = 1
    refit: int = 0
    seeds: tuple[int, ...] = (0,)
    warm: int = 0

    @property
    def begin(self) -> int:
        """The first map that is forecast, scored or not."""
        return self.first - self.warm


def check_plan(heatmaps: Panel, plan: Plan) -> None:
    """Refuse a plan that leaves nothing to learn from or nothing to test on.

    Raises
    ------
    ParameterError, DataError
    """
    check_steps(plan.horizon)
    maps = len(heatmaps)
    if plan.first < plan.horizon + heatmaps.delay or plan.first >= maps or plan.refit < 0 or not plan.seeds:
        late = f", counts known {count_text(heatmaps.delay, 'bin')} late" if heatmaps.delay else ""
        raise ParameterError(
            f"The test begins at map {plan.first} of {maps}, {count_text(plan.horizon, 'bin')} ahead{late}: there is no"
            " history before its first origin, or no map to test on",
            parameter="start",
            value=plan.first,
            remedy="Let the test begin later, or make it shorter",
        )
    if not heatmaps.observed[plan.first :].any():
        raise DataError(
            "None of the maps of the test was observed",
            parameter="start",
            value=str(heatmaps.edges[plan.first]),
            remedy="Let the test begin earlier",
        )
