"""What it costs that counts are known late: the same forecasts from counts that were known at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from .beside import DelayCost
from .judged import Judged
from .rolling import score_again
from .scoring import compare_hits, compare_losses


def measure_delay(
    judged: Judged,
    forecasters: Mapping[str, Forecaster],
    context: JobContext | None = None,
    workers: int | None = None,
) -> DelayCost | None:
    """Measure what the delay of the counts costs the model that is compared first, and the baselines.

    Covariates keep the delays they have.

    Parameters
    ----------
    judged : Judged
    forecasters : mapping of str to Forecaster
        Those of the backtest.

    Returns
    -------
    DelayCost, or None
        None where counts are known at once.
    """
    panel = judged.panel
    if not panel.delay:
        return None
    wanted = {judged.model, *judged.baselines} - {"constant"}
    chosen = {name: each for name, each in forecasters.items() if name in wanted}
    scores = score_again(judged, replace(panel, delay=0), chosen, context or JobContext(), workers)
    pairs = {name: (judged.scores[name], score, judged.block) for name, score in scores.items()}
    return DelayCost(
        panel.delay,
        scores,
        {name: compare_losses(*pair) for name, pair in pairs.items()},
        {name: compare_hits(*pair) for name, pair in pairs.items()},
    )
