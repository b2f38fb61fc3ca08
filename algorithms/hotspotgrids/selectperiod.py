"""Select period."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
)

from .. import date_order
from ..incident_algorithm import IncidentAlgorithm
from . import inside


class SelectPeriod(IncidentAlgorithm):
    ID = "selectperiod"
    TITLE = "Select period"
    GROUP = "Hotspot grids"
    TAGS = "period,time,months,monthly counts,data selection,start,end,chart"
    SUMMARY = "Finds the months in which enough incidents were recorded, and says how many are left out."
    HELP = """
A month is useful when it holds at least the given share of the median month (of those that hold any incident), or at
least a number of incidents. The period is the longest run of consecutive useful months, from the day of the first
incident in the data to the day after the last. The report charts all months.

In a model, give Start and End to Rasterize hotspot grids.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        real = QgsProcessingParameterNumber.Type.Double
        self.add_incident_parameters()
        self.add(
            QgsProcessingParameterNumber("SHARE", self.tr("Share of the median month [%]"), real, 50, True, 1, 1000),
            "A month with fewer incidents is not useful.",
        )
        self.add(
            QgsProcessingParameterNumber("LEAST", self.tr("Incidents a month needs"), real, None, True, 1),
            "Instead of a share of the median month. Optional.",
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "REPORT", self.tr("Report"), self.tr("HTML files (*.html)"), optional=True
            ),
            "The monthly counts as a chart and a table, the chosen months coloured.",
        )
        inside.add_output(self, self.tr("Incidents in the period"))
        self.add_refused_output()
        for name, title in (("START", "Start"), ("END", "End (not included)")):
            self.addOutput(QgsProcessingOutputString(name, self.tr(title)))
        for name, title in (
            ("COUNT", "Incidents in the period"),
            ("LEFT_OUT", "Incidents outside the period"),
            ("MONTHS", "Months chosen"),
            ("LIMIT", "Incidents a useful month holds at least"),
            ("REFUSED_COUNT", "Refused features"),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        report = self.file_destination(parameters, "REPORT", context)
        places = self.read_incidents(parameters, context, feedback, folder)
        ids = inside.file_of_ids(parameters, folder)
        given: dict[str, Any] = {
            "incidents": str(folder / "incidents.npz"),
            "least": self.optional_number(parameters, "LEAST", context),
            "date_order": date_order.chosen(self, parameters, context),
            "report": report or None,
            "kept": ids,
        }
        share = self.optional_number(parameters, "SHARE", context)
        if share is not None:
            given["share"] = share / 100
        result = self.run_job("select_period", given, feedback, [report])
        found: dict[str, Any] = {
            "START": result["start"],
            "END": result["end"],
            "COUNT": result["incidents"],
            "LEFT_OUT": result["left_out"],
            "MONTHS": result["chosen"],
            "LIMIT": result["limit"],
            **inside.write(self, parameters, context, feedback, ids, "Incidents in the period"),
            **self.finish_refused(parameters, context, feedback, places, result),
        }
        if report:
            found["REPORT"] = report
        return found
