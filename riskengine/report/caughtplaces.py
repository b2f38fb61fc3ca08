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
    for number in range(len(judged.catch.starts)):
        yield choose_caught_places(judged, number)


def choose_caught_places(judged: Judged, number: int) -> Chosen:
    """Choose the places of one window by what was known when it began, and count what fell there."""
    assert judged.catch is not None
    panel, catch, start = judged.catch.panel, judged.catch.catch, int(judged.catch.starts[number])
    wanted = judged.catch.models[judged.model].expected[number]
    begin, end = panel.edges[[start, start + catch.window]]
    chosen = choose_places(wanted, panel.before(start), catch, begin, end)
    fell = np.asarray(judged.counts[number]).ravel()[chosen.units].astype(np.int64)
    return replace(chosen, more={"incidents": fell})
