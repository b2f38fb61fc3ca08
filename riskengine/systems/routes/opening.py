"""What every tool of routes begins with: incidents, streets, the network, its exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...ground.context import JobContext
from ...intake.incidents import Incidents, Refusal, read_exchange
from ...streets.building import build_network
from ...streets.network import Network
from ...streets.reading import Streets, read_streets


@dataclass(frozen=True, eq=False)
class Opened:
    """Streets, their network, and the incidents, in one CRS in metres.

    Attributes
    ----------
    streets : Streets
    network : Network
    incidents : Incidents or None
        None where none were given.
    refusals : list of Refusal
        Incidents that cannot be used.
    """

    streets: Streets
    network: Network
    incidents: Incidents | None
    refusals: list[Refusal]


def open_streets(parameters: Any, context: JobContext) -> Opened:
    """Read the incidents and streets of a tool's parameters, and build the network.

    Parameters
    ----------
    parameters : ReadsNetwork with ReadsIncidentsOfRisk
    context : JobContext
    """
    incidents, refusals = None, []
    if parameters.incidents:
        context.progress(0.0, "Reading the incidents")
        incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    context.progress(0.3, "Reading the streets")
    # Without incidents the CRS is a risk's, which may be in degrees.
    streets = read_streets(parameters, context, (incidents is not None and parameters.crs) or "")
    with context.step(0.6, 1.0):
        network = build_network(streets, parameters, context)
    return Opened(streets, network, incidents, refusals)
