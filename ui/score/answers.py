"""An answer as the dock, the history and the layer use it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import QgsPointXY
from qgis.PyQt.QtCore import QDateTime

from ...bridge.crs import tr
from .query_task import Question


def format_place(point: QgsPointXY) -> str:
    """Format latitude and longitude, as people give them."""
    return tr("{latitude}, {longitude}").format(latitude=f"{point.y():.5f}", longitude=f"{point.x():.5f}")


@dataclass(frozen=True)
class Answer:
    """What the engine said of one place.

    Attributes
    ----------
    question : Question
    result : dict
        Of the job ``query_score``.
    time : QDateTime
        When it was asked.
    """

    question: Question
    result: dict[str, Any]
    time: QDateTime

    @property
    def name(self) -> str:
        """The address, or the coordinates of a click."""
        return self.question.name or format_place(self.point)

    @property
    def point(self) -> QgsPointXY:
        """WGS 84."""
        assert self.question.point is not None
        return self.question.point

    @property
    def predicted(self) -> dict[str, float] | None:
        """Score, lower, upper and percentile, where a model predicted."""
        return self.result["predicted"]

    @property
    def known(self) -> bool:
        """Whether the place lies inside the data."""
        return self.result["outside"] is None

    @property
    def score(self) -> float | None:
        """The predicted score; without a prediction the exact one; none outside the data."""
        return self._of("score")

    @property
    def percentile(self) -> float | None:
        return self._of("percentile")

    @property
    def lower(self) -> float | None:
        return self.predicted["lower"] if self.predicted else None

    @property
    def upper(self) -> float | None:
        return self.predicted["upper"] if self.predicted else None

    @property
    def incidents(self) -> int:
        """Incidents within the radius, in the window."""
        return self.result["exact"]["score_abs"]

    @property
    def model(self) -> str:
        """The model that predicted; empty if none did."""
        return (self.result["model"] or "") if self.predicted else ""

    @property
    def index(self) -> str:
        """The index's file name."""
        return Path(self.question.settings.index).name

    def _of(self, what: str) -> float | None:
        if not self.known:
            return None
        return (self.predicted or self.result["exact"])[what]
