"""Counts along streets as a risk of routes: what geocoding defeats, kept to stand beside the density."""

from __future__ import annotations

import numpy as np
import shapely

from ...intake.incidents import Incidents
from ...streets.network import Network
from .results import EdgeExposure

#: Metres from a street within which an incident counts as one along it.
ALONG = 50.0


def count_along(network: Network, past: Incidents) -> EdgeExposure:
    """Count the incidents within 50 m of each edge; its exposure is that number, whatever its length."""
    tree = shapely.STRtree(shapely.points(past.x, past.y))
    edge, _ = tree.query(network.shapes, predicate="dwithin", distance=ALONG)
    counts = np.bincount(edge, minlength=network.edges).astype(np.float64)
    none, metres = np.zeros(network.edges), float(network.metres.sum())
    mean = float(counts.sum() / metres) if metres else 0.0
    title = f"counts within {ALONG:.0f} m of each street"
    return EdgeExposure(counts, none, none, float("nan"), mean, float("nan"), title, "incidents")
