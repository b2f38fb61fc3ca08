"""Build crime index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
)

from .. import date_order
from ..incident_algorithm import IncidentAlgorithm

METHODS = ("exact", "annoy")


class BuildCrimeIndex(IncidentAlgorithm):
    ID = "buildcrimeindex"
    TITLE = "Build crime index"
    GROUP = "Crime score"
    TAGS = "crime,index,nearest,neighbours,annoy,k-d tree,incidents"
    SUMMARY = "Puts incidents into one searchable file that answers what happened near a place."
    HELP = """
The index is read by Compute crime score layer. The exact k-d tree is the default: in two dimensions it is
faster than Annoy and misses nothing. Annoy is the method of the published crime score (Garrido Czacki 2021);
its recall against the exact answer is measured on a sample and reported.

Incidents without a place or a time are refused, counted by reason, and can be written to a table.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.add_incident_parameters()
        self.add(
            QgsProcessingParameterEnum(
                "METHOD", self.tr("Search"), [self.tr("Exact (k-d tree)"), self.tr("Annoy (approximate)")], False, 0
            ),
            "How neighbours are found.",
        )
        self.add(
            QgsProcessingParameterNumber(
                "TREES", self.tr("Annoy trees"), QgsProcessingParameterNumber.Type.Integer, 10, False, 1, 1000
            ),
            "More trees find more of the true neighbours and take longer. Used by Annoy only.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "OUTPUT", self.tr("Crime index"), self.tr("Crime index (*.crimeindex)")
            )
        )
        self.add_refused_output()
        for name, title in (("COUNT", "Incidents"), ("REFUSED_COUNT", "Refused features"), ("RECALL", "Recall")):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))
        for name, title in (("FIRST", "First incident"), ("LAST", "Last incident")):
            self.addOutput(QgsProcessingOutputString(name, self.tr(title)))

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        output = self.file_destination(parameters, "OUTPUT", context)
        places = self.read_incidents(parameters, context, feedback, folder)
        result = self.run_job(
            "build_index",
            {
                "incidents": str(folder / "incidents.npz"),
                "output": output,
                "crs": places.crs.authid() or places.crs.toWkt(),
                "method": METHODS[self.parameterAsEnum(parameters, "METHOD", context)],
                "trees": self.parameterAsInt(parameters, "TREES", context),
                "date_order": date_order.chosen(self, parameters, context),
                "source": self.parameterAsSource(parameters, "INPUT", context).sourceName(),
            },
            feedback,
            [output],
        )
        feedback.pushInfo(
            self.tr("{count} incidents from {first} to {last}; {method} search, recall {recall}").format(
                count=f"{result['count']:,}",
                first=result["first"],
                last=result["last"],
                method=result["method"],
                recall=f"{result['recall']:.4f}",
            )
        )
        return {
            "OUTPUT": output,
            "COUNT": result["count"],
            "FIRST": result["first"],
            "LAST": result["last"],
            "RECALL": result["recall"],
            **self.finish_refused(parameters, context, feedback, places, result),
        }
