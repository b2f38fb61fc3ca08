"""What every tool of routes begins with: incidents, streets, the network, its exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...ground.context import JobContext
from ...intake.incidents import Incidents, Refusal, read_exchange
from ...streets.kept import OpenNetwork, open_network
from ...streets.network import Network
from ...streets.reading import Streets


@dataclass(frozen=True, eq=False)
class Opened:
    """Streets, their network, and the incidents, in one CRS in metres.

    Attributes
    ----------
    opened : OpenNetwork
    incidents : Incidents or None
        None where none were given.
    refusals : list of Refusal
        Incidents that cannot be used.
    """

    opened: OpenNetwork
    incidents: Incidents | None
    refusals: list[Refusal]

    @property
    def network(self) -> Network:
        """Built, or as it was kept."""
        return self.opened.network

    @property
    def streets(self) -> Streets:
        """The rows of the layer; read when they are asked for."""
        return self.opened.streets


def open_streets(parameters: Any, context: JobContext) -> Opened:
    """Read the incidents and streets of a tool's parameters, and the network: kept, or built.

    Parameters
    ----------
    parameters : ReadsNetwork with ReadsIncidentsOfRisk
    context : JobContext
    """
    incidents: Incidents | None = None
    refusals: list[Refusal] = []
    if parameters.incidents:
        context.progress(0.0, "Reading the incidents")
        incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    context.progress(0.3, "Reading the streets")
    # Without incidents the CRS is a risk's, which may be in degrees.
    with context.step(0.3, 1.0):
        opened = open_network(parameters, context, (incidents is not None and parameters.crs) or "")
    return Opened(opened, incidents, refusals)
