"""Asking the engine for ways, in another thread: layers are written there, too, where the engine cannot read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qgis.core import QgsCoordinateTransformContext, QgsPointXY, QgsProcessingFeedback
from qgis.PyQt.QtCore import QDateTime

from ...bridge.crs import tr
from ...bridge.job_task import JobTask
from .layers_at_hand import LayersAtHand, Taken


@dataclass(frozen=True)
class Settings:
    """What ways are asked with.

    Attributes
    ----------
    streets : Taken
    incidents, areas, scores : Taken or None
    raster, exposure_field : str
        A path, and a field of the streets; empty for none. Only one of these five is the risk.
    detour : float
        Per cent.
    travel : str
    """

    streets: Taken
    incidents: Taken | None = None
    areas: Taken | None = None
    scores: Taken | None = None
    raster: str = ""
    exposure_field: str = ""
    detour: float = 25.0
    travel: str = "foot"


@dataclass(frozen=True)
class Place:
    """A named place, WGS 84."""

    name: str
    point: QgsPointXY


@dataclass(frozen=True)
class Question:
    """From where to where; without places the engine only warms up."""

    settings: Settings
    start: Place | None = None
    end: Place | None = None

    @property
    def point(self) -> QgsPointXY | None:
        """What tells a question from warming up."""
        return None if self.start is None else self.start.point


@dataclass(frozen=True)
class RouteAnswer:
    """What the engine said of two places: the result of the job ``ask_route``, and when."""

    question: Question
    result: dict[str, Any]
    time: QDateTime

    @property
    def name(self) -> str:
        """From where to where."""
        assert self.question.start is not None
        assert self.question.end is not None
        return tr("{start} → {end}").format(start=self.question.start.name, end=self.question.end.name)

    @property
    def ways(self) -> list[dict[str, Any]]:
        """From the shortest to the least exposed; at least one."""
        ways: list[dict[str, Any]] = self.result["ways"]
        return ways


class RouteTask(JobTask):
    """One question, asked in another thread.

    Parameters
    ----------
    question : Question
    layers : LayersAtHand
    context : QgsCoordinateTransformContext
    """

    def __init__(self, question: Question, layers: LayersAtHand, context: QgsCoordinateTransformContext) -> None:
        super().__init__(tr("Less exposed routes"))
        self.question = question
        self._layers, self._context = layers, context
        self._feedback = QgsProcessingFeedback()

    def cancel(self) -> None:
        """Stop the writing of layers, too."""
        self._feedback.cancel()
        super().cancel()

    def ask(self) -> dict[str, Any]:
        """Write the layers where that has to be, and ask."""
        settings, question = self.question.settings, self.question
        self._progress(0.0, tr("Reading the layers"))
        params: dict[str, Any] = {
            "network": self._write(settings.streets)["path"],
            "detour": settings.detour,
            "travel": settings.travel,
        }
        if settings.exposure_field:
            params["exposure_field"] = settings.exposure_field
        elif settings.incidents is not None:
            written = self._write(settings.incidents)
            params.update(incidents=written["path"], crs=written["crs"])
        elif settings.areas is not None:
            params["risk"] = self._write(settings.areas)["path"]
        elif settings.scores is not None:
            params["scores"] = self._write(settings.scores)["path"]
        else:
            params["risk"] = settings.raster
        if question.start is not None and question.end is not None:
            for key, place in (("start", question.start), ("end", question.end)):
                params[key] = [place.point.x(), place.point.y()]
        return self.call("ask_route", params)

    def _write(self, taken: Taken) -> dict[str, str]:
        return self._layers.write(taken, self._context, self._feedback)
