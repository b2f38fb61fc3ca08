"""Parameters of the algorithms that apply a score model, and what they say about it."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterFile,
)

from ..engine_algorithm import EngineAlgorithm
from .scored_places import reference_time


class ModelAlgorithm(EngineAlgorithm):
    """An algorithm that applies a score model to the recent incidents of an index."""

    def add_index_and_model(self) -> None:
        """INDEX and MODEL."""
        self.add(
            QgsProcessingParameterFile("INDEX", self.tr("Crime index"), extension="crimeindex"),
            "Made with Build crime index. Only the recent incidents that the model was trained for are looked at: an "
            "index of the last month will do.",
        )
        self.add(
            QgsProcessingParameterFile("MODEL", self.tr("Score model"), extension="crimescore"),
            "Made with Train score model.",
        )

    def add_model_options(self) -> None:
        """REFERENCE_TIME and, advanced, ELSEWHERE."""
        self.add(
            QgsProcessingParameterDateTime("REFERENCE_TIME", self.tr("Reference time"), optional=True),
            "Nothing after it is looked at. By default the time of the last incident.",
        )
        self.add(
            QgsProcessingParameterBoolean("ELSEWHERE", self.tr("Apply a model of another place"), False),
            "Without it a model that was trained on another place than the index covers is refused. Nobody has "
            "measured how good its scores are there.",
            advanced=True,
        )

    def add_model_outputs(self) -> None:
        """Numbers that every one of them reports."""
        self.addOutput(QgsProcessingOutputNumber("UNKNOWN", self.tr("Places outside the data")))
        self.addOutput(QgsProcessingOutputNumber("RECENT", self.tr("Recent incidents looked at")))
        self.addOutput(QgsProcessingOutputString("REFERENCE", self.tr("Reference time used")))

    def index_crs(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> QgsCoordinateReferenceSystem:
        """The CRS in which the index has its metres."""
        index = self.file_input(parameters, "INDEX", context)
        return QgsCoordinateReferenceSystem(self.run_job("index_info", {"index": index}, feedback, (), 0, 1)["crs"])

    def model_job(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """The parameters that the engine's jobs share."""
        return {
            "index": self.file_input(parameters, "INDEX", context),
            "model": self.file_input(parameters, "MODEL", context),
            "reference_time": reference_time(self, parameters, context),
            "elsewhere": self.parameterAsBoolean(parameters, "ELSEWHERE", context),
        }

    @staticmethod
    def model_results(result: dict[str, Any]) -> dict[str, Any]:
        """Values of `add_model_outputs`."""
        return {
            "UNKNOWN": result["unknown"],
            "RECENT": result["recent_incidents"],
            "REFERENCE": result["reference_time"],
        }
