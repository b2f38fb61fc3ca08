"""Incidents made of arrays, and the files in which the plugin hands them over, for the engine's tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from riskengine.intake.incidents import Incidents, write_exchange
from riskengine.maps.heatmaps import Heatmaps


def make_incidents(
    x: Any, y: Any, time: Any, category: Any = None, categories: Sequence[str] = (), fid: Any = None
) -> Incidents:
    """Incidents at x and y in metres; without a category, and numbered from 0, where nothing else is said.

    `category` are codes into `categories`, shape (N,) or one code for all.
    """
    count = len(x)
    return Incidents(
        np.asarray(x, float),
        np.asarray(y, float),
        np.asarray(time).astype("datetime64[s]"),
        np.array(np.broadcast_to(-1 if category is None else category, count), np.int32),
        list(categories),
        np.arange(count, dtype=np.int64) if fid is None else np.asarray(fid, np.int64),
    )


def incidents_of(heatmaps: Heatmaps, seed: int = 0) -> Incidents:
    """One theft somewhere in its cell, at the beginning of its map, for each that is counted."""
    random = np.random.default_rng(seed)
    when, row, column = (
        np.repeat(axis, heatmaps.counts[np.nonzero(heatmaps.counts)]) for axis in heatmaps.counts.nonzero()
    )
    grid, number = heatmaps.grid, len(when)
    x = grid.west + (column + random.uniform(0.01, 0.99, number)) * grid.cell
    y = grid.north - (row + random.uniform(0.01, 0.99, number)) * grid.cell
    return make_incidents(x, y, heatmaps.edges[when], 0, ["THEFT"])


def write_incidents(path: Path, incidents: Incidents) -> str:
    """Write what the plugin hands over; returns the path as the jobs' parameter."""
    write_exchange(path, incidents)
    return str(path)
