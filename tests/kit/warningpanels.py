"""Panels of warnings for the engine's tests: events with a rhythm of day and week, in areas of known weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from kit.panels import make_panel

from riskengine.contract.warnings import OTHER, SIMILAR, Timing
from riskengine.maps.panel import Extras, Panel


def make_intensity(timing: Timing, days: int, weights: np.ndarray, events: float = 3.0) -> np.ndarray:
    """Expected events by step and area, shape (T, N): more in the evening and at weekends."""
    hours = np.arange(days * 24 // timing.step) * timing.step + timing.begin
    evening = 1 + 0.8 * np.cos(2 * np.pi * (hours + timing.step / 2 - 21) / 24) * (timing.step < 24)
    weekend = np.where(hours // 24 % 7 >= 5, 1.6, 0.8)
    return events * timing.step / 24 * np.outer(evening * weekend, weights / weights.sum())


def draw_panel(
    timing: Timing,
    days: int = 400,
    weights: tuple[float, ...] = (1.0, 2.0, 4.0),
    events: float = 3.0,
    seed: int = 1,
    **more: Any,
) -> Panel:
    """Draw events of a city, and ten times as many incidents of similar categories and of others in the same places."""
    rng = np.random.default_rng(seed)
    rate = make_intensity(timing, days, np.array(weights), events)
    channels = np.stack([rng.poisson(10 * rate), rng.poisson(10 * rate)]).astype(np.uint16)
    counts = more.pop("counts", rng.poisson(rate).astype(np.uint16))
    start = np.datetime64("2020-01-06T00") + np.timedelta64(timing.begin, "h")
    return make_panel(
        counts,
        bin=f"{timing.step} hours",
        start=str(start),
        delay=timing.late,
        extras=Extras(channels=channels, channel_names=(SIMILAR, OTHER)),
        **more,
    )
