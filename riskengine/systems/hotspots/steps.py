"""The steps of a hotspot forecast: hold maps out, fit, forecast, write the risk. Every job of the system takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract import tags as tagnames
from ...contract.aims import Catch
from ...contract.dates import count_bins
from ...contract.forecasters import FORECASTERS
from ...contract.texts import count_text
from ...forecasters.base import Forecaster, check_history
from ...forecasters.expected import Counts, expect_counts, spread_window
from ...forecasters.modelcard import ModelCard
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...maps.bins import make_next_edges, multiply_bin
from ...maps.counted import describe_counted
from ...maps.heatmaps import Heatmaps, write_risk
from ...maps.panel import Panel


@dataclass(frozen=True)
class RiskForecast:
    """Forecast bins, and what is to be known of them.

    Attributes
    ----------
    risk : ndarray of float32, shape (steps, ...)
        Probabilities; NaN outside the study area.
    edges : ndarray of datetime64, shape (steps + 1,)
        Of their bins.
    tags : dict of str to str
        For the file.
    counts : Counts, optional
        Expected counts with their intervals, of areas.
    catch : Catch, optional
        What it is made for, where its only bin is a window.
    expected : ndarray of float32, shape (1, ...), optional
        Incidents that are expected in that.
    """

    risk: NDArray[np.float32]
    edges: NDArray[np.datetime64]
    tags: dict[str, str]
    counts: Counts | None = None
    catch: Catch | None = None
    expected: NDArray[np.float32] | None = None

    @property
    def bins(self) -> list[str]:
        """The edges as ISO times."""
        return [str(edge) for edge in self.edges]


def hold_out(panel: Panel, share: float) -> int:
    """Return the first bin that is held out: at least one is, unless the share is 0."""
    bins = len(panel)
    return bins - (max(round(bins * share), 1) if share else 0)


def find_known(panel: Panel, first: int) -> Panel:
    """Find what is known when bin `first` begins, the first held-out one; all there is where none is held out."""
    return panel.before(first if first < len(panel) else first + panel.delay)


def check_length(model: Forecaster, panel: Panel, first: int) -> None:
    """Refuse a history before bin `first` that is too short for the forecaster to learn from.

    Raises
    ------
    DataError
    """
    least, known = model.least_maps, find_known(panel, first)
    if len(known) < least:
        noun, late = panel.bin_noun, min(first, len(panel)) - len(known)
        unknown = f" and {late} before them not known yet" if late else ""
        raise DataError(
            f"The {'stack' if isinstance(panel, Heatmaps) else 'panel'} holds {count_text(len(panel), noun)},"
            f" {len(panel) - first} of them held out{unknown};"
            f" {FORECASTERS[model.name].title} needs at least {least} to learn from",
            parameter="heatmaps",
            value=len(panel),
            remedy="Use a longer period, shorter bins, a smaller share held out, or a simpler model",
        )
    check_history(known, least)


def fit(model: Forecaster, history: Panel, context: JobContext) -> Forecaster:
    """Fit a forecaster, saying so."""
    several = count_text(len(history), history.bin_noun)
    context.progress(0.0, f"Fitting {FORECASTERS[model.name].title} on {several}")
    return model.fit(history, context)


def describe_delay(panel: Panel) -> str:
    """Describe how late counts are known; empty where they are known at once."""
    return f"Counts are known {count_bins(panel.delay, panel.bin)} late" if panel.delay else ""


def forecast(model: Forecaster, card: ModelCard, history: Panel, steps: int, context: JobContext) -> RiskForecast:
    """Forecast the `steps` bins that begin when the last count of `history` is known.

    Counts that are known late leave bins that are over and nobody knows yet: they are forecast too, and left out.

    Parameters
    ----------
    model : Forecaster
        Fitted.
    card : ModelCard
        The model's own.
    history : Panel
        All that is known at the origin, with the model's delay; the model may have been fitted on less.
    steps : int
    """
    skipped, noun = history.delay, history.bin_noun
    context.progress(0.0, f"Forecasting {count_text(steps, noun)} with {FORECASTERS[model.name].title}")
    risk = model.predict(history, skipped + steps, context)[skipped:]
    inside = risk[:, history.mask]
    if not ((inside >= 0) & (inside <= 1)).all():
        raise _make_misfit(model, "values that are no probabilities", noun)
    counts = None
    if not isinstance(history, Heatmaps):
        # What `predict_counts` would say, without forecasting anew.
        counts = expect_counts(risk, history, card.threshold)
    edges = make_next_edges(history.edges, history.bin, skipped + steps)[skipped:]
    return RiskForecast(risk, edges, _make_tags(card, history, edges, history.bin), counts)


def forecast_window(
    model: Forecaster, card: ModelCard, history: Panel, catch: Catch, context: JobContext
) -> RiskForecast:
    """Forecast the bins of a catch as one window, which begins when the last count of `history` is known.

    Returns
    -------
    RiskForecast
        Of one bin, the window: the incidents that are expected in it, and as risk the probability of at least one.
    """
    window, title = catch.window, FORECASTERS[model.name].title
    context.progress(0.0, f"Forecasting {count_bins(window, history.bin)} as one window with {title}")
    expected = model.predict_window(history, window, context)[None]
    inside = expected[:, history.mask]
    if not (np.isfinite(inside) & (inside >= 0)).all():
        raise _make_misfit(model, "expected counts that are no such numbers", history.bin_noun)
    risk = (-np.expm1(-expected)).astype(np.float32)
    counts = None if isinstance(history, Heatmaps) else spread_window(expected[0], history, window)
    ahead = history.delay + window
    edges = make_next_edges(history.edges, history.bin, ahead)[[history.delay, ahead]]
    tags = _make_tags(card, history, edges, multiply_bin(history.bin, window))
    return RiskForecast(risk, edges, tags | {tagnames.CATCH: f"{catch.size:g} {catch.unit}"}, counts, catch, expected)


def _make_misfit(model: Forecaster, what: str, noun: str) -> DataError:
    return DataError(
        f"{FORECASTERS[model.name].title} answers with {what}: its file is damaged, or it was trained on quite other"
        f" {noun}s",
        parameter="model",
        value=model.name,
        remedy=f"Train it again on these {noun}s",
    )


def _make_tags(card: ModelCard, history: Panel, edges: NDArray[np.datetime64], length: str) -> dict[str, str]:
    return {
        tagnames.BIN: length,
        tagnames.MODEL: card.name,
        tagnames.ORIGIN: str(edges[0]),
        tagnames.TRAINED_UNTIL: card.window.end,
        tagnames.SEED: str(card.seed),
        tagnames.FINGERPRINT: card.fingerprint,
        tagnames.CATEGORIES: tagnames.join_categories(history.categories),
        tagnames.SOURCE: history.source,
        tagnames.COUNTED: describe_counted(history),
        **({tagnames.DELAY: str(history.delay)} if history.delay else {}),
    }


def write_forecast(path: str, made: RiskForecast, heatmaps: Heatmaps, line: str, context: JobContext) -> None:
    """Write the risk as a GeoTIFF, a band a bin; `line` says of the map what it is."""
    filled = np.where(heatmaps.mask, made.risk, 0).astype(np.float32)
    tags = made.tags | {tagnames.CARD: line}
    write_risk(path, filled, made.edges, heatmaps.mask, heatmaps.grid, tags, context)
