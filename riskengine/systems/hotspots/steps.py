"""The steps of a hotspot forecast: hold maps out, fit, forecast, write the risk. Every job of the system takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract import tags as tagnames
from ...contract.forecasters import FORECASTERS
from ...contract.texts import count_text
from ...forecasters.base import Forecaster, check_history
from ...forecasters.modelcard import ModelCard
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...maps.bins import make_next_edges
from ...maps.counted import describe_counted
from ...maps.heatmaps import Heatmaps, write_risk


@dataclass(frozen=True)
class RiskForecast:
    """Forecast maps, and what is to be known of them.

    Attributes
    ----------
    risk : ndarray of float32, shape (steps, H, W)
        Probabilities; NaN outside the study area.
    edges : ndarray of datetime64, shape (steps + 1,)
        Of their bins.
    tags : dict of str to str
        For the file.
    """

    risk: NDArray[np.float32]
    edges: NDArray[np.datetime64]
    tags: dict[str, str]

    @property
    def bins(self) -> list[str]:
        """The edges as ISO times."""
        return [str(edge) for edge in self.edges]


def hold_out(heatmaps: Heatmaps, share: float) -> int:
    """Return the first map that is held out: at least one map is, unless the share is 0."""
    maps = len(heatmaps)
    return maps - (max(round(maps * share), 1) if share else 0)


def check_length(model: Forecaster, heatmaps: Heatmaps, first: int) -> None:
    """Refuse a history before map `first` that is too short for the forecaster to learn from.

    Raises
    ------
    DataError
    """
    least = model.least_maps
    if first < least:
        raise DataError(
            f"The stack holds {count_text(len(heatmaps), 'map')}, {len(heatmaps) - first} of them held out;"
            f" {FORECASTERS[model.name].title} needs at least {least} to learn from",
            parameter="heatmaps",
            value=len(heatmaps),
            remedy="Use a longer period, shorter bins, a smaller share held out, or a simpler model",
        )
    check_history(heatmaps.before(first), least)


def fit(model: Forecaster, history: Heatmaps, context: JobContext) -> Forecaster:
    """Fit a forecaster, saying so."""
    context.progress(0.0, f"Fitting {FORECASTERS[model.name].title} on {count_text(len(history), 'map')}")
    return model.fit(history, context)


def forecast(model: Forecaster, card: ModelCard, heatmaps: Heatmaps, steps: int, context: JobContext) -> RiskForecast:
    """Forecast the `steps` bins after the last map.

    Parameters
    ----------
    model : Forecaster
        Fitted.
    card : ModelCard
        The model's own.
    heatmaps : Heatmaps
        All maps up to the origin; the model may have been fitted on fewer.
    steps : int
    """
    context.progress(0.0, f"Forecasting {count_text(steps, 'map')} with {FORECASTERS[model.name].title}")
    risk = model.predict(heatmaps, steps, context)
    inside = risk[:, heatmaps.mask]
    if not ((inside >= 0) & (inside <= 1)).all():
        raise DataError(
            f"{FORECASTERS[model.name].title} answers with values that are no probabilities: its file is damaged, or"
            " it was trained on quite other maps",
            parameter="model",
            value=card.name,
            remedy="Train it again on these maps",
        )
    edges = make_next_edges(heatmaps.edges, heatmaps.bin, steps)
    tags = {
        tagnames.BIN: heatmaps.bin,
        tagnames.MODEL: card.name,
        tagnames.ORIGIN: str(edges[0]),
        tagnames.TRAINED_UNTIL: card.window.end,
        tagnames.SEED: str(card.seed),
        tagnames.FINGERPRINT: card.fingerprint,
        tagnames.CATEGORIES: tagnames.join_categories(heatmaps.categories),
        tagnames.SOURCE: heatmaps.source,
        tagnames.COUNTED: describe_counted(heatmaps),
    }
    return RiskForecast(risk, edges, tags)


def write_forecast(path: str, made: RiskForecast, heatmaps: Heatmaps, line: str, context: JobContext) -> None:
    """Write the risk as a GeoTIFF, a band a bin; `line` says of the map what it is."""
    filled = np.where(heatmaps.mask, made.risk, 0).astype(np.float32)
    tags = made.tags | {tagnames.CARD: line}
    write_risk(path, filled, made.edges, heatmaps.mask, heatmaps.grid, tags, context)
