"""Parameters that every algorithm reading incidents shares, and how they are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsField,
    QgsFields,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterCrs,
    QgsProcessingParameterExpression,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
)
from qgis.PyQt.QtCore import QMetaType

from ..bridge import layers
from ..bridge.crs import working_crs_problem
from ..bridge.places import Places
from . import date_order
from .engine_algorithm import EngineAlgorithm


class IncidentAlgorithm(EngineAlgorithm):
    """An algorithm whose input is a layer of incidents."""

    def add_incident_parameters(self) -> None:
        """INPUT, TIME_FIELD, CATEGORY_FIELD, FILTER and, advanced, CRS and DATE_ORDER."""
        self.add(
            QgsProcessingParameterFeatureSource(
                "INPUT", self.tr("Incidents"), [QgsProcessing.SourceType.TypeVectorPoint]
            ),
            "A point layer in any CRS, one point a reported crime.",
        )
        self.add(
            QgsProcessingParameterField("TIME_FIELD", self.tr("Time field"), "occurred", "INPUT"),
            "When it happened: a Date, DateTime or text field.",
        )
        self.add(
            QgsProcessingParameterField("CATEGORY_FIELD", self.tr("Category field"), None, "INPUT", optional=True),
            "What happened. Optional.",
        )
        self.add(
            QgsProcessingParameterExpression("FILTER", self.tr("Filter"), "", "INPUT", optional=True),
            "Only features for which this expression is true are used. Optional.",
        )
        self.add(
            QgsProcessingParameterCrs("CRS", self.tr("Working CRS"), None, optional=True),
            "A projected CRS in metres, no Mercator. Left empty, the UTM zone of the incidents' middle is chosen and "
            "reported.",
            advanced=True,
        )
        self.add(date_order.parameter(), date_order.HELP, advanced=True)

    def add_refused_output(self) -> None:
        """REFUSED: the features left out, with the reason."""
        self.add(
            QgsProcessingParameterFeatureSink(
                "REFUSED",
                self.tr("Refused features"),
                QgsProcessing.SourceType.TypeVector,
                optional=True,
                createByDefault=False,
            ),
            "A table of the features that were left out, with the reason.",
        )

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse a time field or a CRS that cannot work, before anything runs."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        source = self.parameterAsSource(parameters, "INPUT", context)
        if source is not None:
            names = (self.parameterAsString(parameters, name, context) for name in ("TIME_FIELD", "CATEGORY_FIELD"))
            if why := layers.field_problem(source, *names):
                return False, why
        crs = self.parameterAsCrs(parameters, "CRS", context)
        if crs.isValid() and (why := working_crs_problem(crs)):
            return False, why
        return True, ""

    def read_incidents(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        folder: Path,
    ) -> Places:
        """The incidents in `folder`/incidents.npz; see `bridge.layers.read_incidents`."""
        source = self.parameterAsSource(parameters, "INPUT", context)
        if source is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, "INPUT"))
        return layers.read_incidents(
            source,
            self.parameterAsString(parameters, "TIME_FIELD", context),
            self.parameterAsString(parameters, "CATEGORY_FIELD", context),
            self.parameterAsString(parameters, "FILTER", context),
            folder,
            context,
            feedback,
            self.parameterAsCrs(parameters, "CRS", context),
        )

    def finish_refused(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        places: Places,
        result: dict[str, Any],
    ) -> dict[str, Any]:
        """Report what was refused here and in the engine, and write it if asked for."""
        refused = places.refused + [(int(fid), str(reason)) for fid, reason in result["refusals"]]
        self.report_refused(refused, len(places.x) + len(places.refused), feedback)
        fields = QgsFields()
        fields.append(QgsField("feature_id", QMetaType.Type.LongLong))
        fields.append(QgsField("reason", QMetaType.Type.QString))

        def rows() -> Any:
            for row in sorted(refused):
                feature = QgsFeature(fields)
                feature.setAttributes(list(row))
                yield feature

        destination = self.write_layer(
            parameters,
            "REFUSED",
            context,
            feedback,
            fields,
            Qgis.WkbType.NoGeometry,
            QgsCoordinateReferenceSystem(),
            rows(),
            len(refused),
        )
        found: dict[str, Any] = {"REFUSED_COUNT": len(refused)}
        if destination is not None:
            found["REFUSED"] = destination
        return found
