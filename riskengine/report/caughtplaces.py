"""The places that a test of the catch chose, window by window, with what fell there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..contract.tools.backtest import BacktestForecast
from ..contract.tools.base import fields_of
from ..evaluation.judged import Judged
from ..systems.hotspots.chosen import Chosen, choose_places, write_chosen


def write_caught_places(path: str, judged: Judged) -> int:
    """Write the places of the model that is compared first; returns how many rows."""
    assert judged.catch is not None, "without the catch there are no places to go to"
    return write_chosen(path, fields_of(BacktestForecast, "places"), list_caught_places(judged), judged.catch.panel)


def list_caught_places(judged: Judged) -> Iterator[Chosen]:
    """List the places of each window, chosen by what was known when it began."""
    assert judged.catch is not None
    panel, catch = judged.catch.panel, judged.catch.catch
    expected = judged.catch.models[judged.model].expected
    for start, wanted, counts in zip(judged.catch.starts.tolist(), expected, judged.counts, strict=True):
        begin, end = panel.edges[[start, start + catch.window]]
        chosen = choose_places(wanted, panel.before(start), catch, begin, end)
        fell = np.asarray(counts).ravel()[chosen.units].astype(np.int64)
        yield replace(chosen, more={"incidents": fell})
