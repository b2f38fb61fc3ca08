"""What the algorithms that judge forecasts share: how a cell is flagged, exposure by area, and what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
)
from qgis.PyQt.QtCore import QMetaType

from ...bridge import styles
from ...bridge.areas import write_areas
from ...bridge.temporal import wall_clock
from ..engine_algorithm import EngineAlgorithm

#: The two readings of "above the percentile", as the engine calls them.
OVER = ("stack", "map")
#: Output, the job's figure, title.
FIGURES = (
    ("LOG_LOSS", "log_loss", "Log-loss"),
    ("BRIER", "brier", "Brier score"),
    ("BRIER_SKILL", "brier_skill", "Brier skill against a constant"),
    ("AUC", "auc", "AUC"),
    ("AVERAGE_PRECISION", "average_precision", "Average precision"),
    ("HIT_RATE", "hit_rate_5", "Hit rate at 5 % of the area"),
    ("PRECISION", "precision_5", "Precision at 5 % of the area"),
    ("PAI", "pai_5", "PAI at 5 % of the area"),
    ("PEI", "pei_5", "PEI at 5 % of the area"),
)
HIT_FIELDS = (
    ("start", QMetaType.Type.QDateTime),
    ("end", QMetaType.Type.QDateTime),
    ("incidents", QMetaType.Type.Int),
    ("risk", QMetaType.Type.Double),
    ("label", QMetaType.Type.QString),
)


class JudgingAlgorithm(EngineAlgorithm):
    """An algorithm that tells of forecasts what they got right."""

    def add_judging_parameters(self) -> None:
        """THRESHOLD, PERCENTILE, OVER, AREAS and AREA_NAME."""
        whole, real = QgsProcessingParameterNumber.Type.Integer, QgsProcessingParameterNumber.Type.Double
        self.add(
            QgsProcessingParameterNumber("PERCENTILE", self.tr("Percentile"), real, 95, False, 0.01, 99.99),
            "A cell is flagged where its risk lies strictly above this percentile: labels, hits and exposure by area "
            "follow from it. The tables show many percentiles and shares of the area.",
        )
        self.add(
            QgsProcessingParameterEnum(
                "OVER",
                self.tr("Percentile over"),
                [self.tr("All maps together (published)"), self.tr("Each map by itself")],
                False,
                0,
            ),
            "Over all maps together, quiet maps have fewer flagged cells than busy ones.",
        )
        self.add(
            QgsProcessingParameterNumber("THRESHOLD", self.tr("Incidents that count"), whole, 1, False, 1),
            "An event is at least so many incidents in a cell and bin.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFeatureSource(
                "AREAS", self.tr("Areas"), [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
            ),
            "Polygons, such as districts: the report shows for each its share of the flagged cells beside its share of "
            "the incidents.",
        )
        self.add(
            QgsProcessingParameterField("AREA_NAME", self.tr("Name of the areas"), None, "AREAS", optional=True),
            "The field that holds it.",
        )

    def add_judging_outputs(self) -> None:
        """REPORT, TABLE, LABELS, HITS; the figures, and the verdict."""
        self.add(
            QgsProcessingParameterFileDestination(
                "REPORT", self.tr("Report"), self.tr("HTML files (*.html)"), optional=True
            ),
            "One HTML file: the verdict in words, tables, hit-rate curves, reliability, labels and maps.",
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "TABLE", self.tr("Table of all figures"), self.tr("CSV files (*.csv)"), optional=True
            )
        )
        self.add(
            QgsProcessingParameterRasterDestination("LABELS", self.tr("Labels"), optional=True),
            "What each cell was: correct, missed, flagged without an incident, and the same in a neighbour. A band per "
            "map.",
        )
        self.add(
            QgsProcessingParameterFeatureSink(
                "HITS", self.tr("Incidents by label"), QgsProcessing.SourceType.TypeVectorPoint, optional=True
            ),
            "A point in the middle of every cell and bin with incidents: how many, the risk there, and its label.",
        )
        for name, _, title in FIGURES:
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))
        self.addOutput(QgsProcessingOutputNumber("MAPS", self.tr("Maps judged")))
        self.addOutput(QgsProcessingOutputNumber("HITS_COUNT", self.tr("Cells and bins with incidents")))
        self.addOutput(QgsProcessingOutputString("VERDICT", self.tr("Verdict")))

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse areas without names."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        if parameters.get("AREAS") is not None and not self.parameterAsString(parameters, "AREA_NAME", context):
            return False, self._nameless()
        return True, ""

    def _nameless(self) -> str:
        return self.tr("AREA_NAME is empty, but there are AREAS. Choose the field that holds their names.")

    def judging_request(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        crs: QgsCoordinateReferenceSystem,
        folder: Path,
    ) -> dict[str, Any]:
        """The job's parameters for what `add_judging_parameters` and `add_judging_outputs` declare.

        Parameters
        ----------
        crs : QgsCoordinateReferenceSystem
            That of the hotspot grids.
        folder : Path
            The exchange folder: areas and hits lie in it.
        """
        return {
            "threshold": self.parameterAsInt(parameters, "THRESHOLD", context),
            "percentile": self.parameterAsDouble(parameters, "PERCENTILE", context),
            "over": OVER[self.parameterAsEnum(parameters, "OVER", context)],
            "areas": self._areas(parameters, context, crs, folder),
            "report": self.file_destination(parameters, "REPORT", context) or None,
            "csv": self.file_destination(parameters, "TABLE", context) or None,
            "labels": self.raster_destination(parameters, "LABELS", context) or None,
            "hits": str(folder / "hits.json") if parameters.get("HITS") is not None else None,
        }

    def _areas(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        crs: QgsCoordinateReferenceSystem,
        folder: Path,
    ) -> str | None:
        source = self.parameterAsSource(parameters, "AREAS", context)
        if source is None:
            if parameters.get("AREAS") is not None:
                raise QgsProcessingException(self.invalidSourceError(parameters, "AREAS"))
            return None
        # A model's steps come here without checkParameterValues.
        if not (name := self.parameterAsString(parameters, "AREA_NAME", context)):
            raise QgsProcessingException(self._nameless())
        path = folder / "areas.geojson"
        write_areas(source, name, crs, path, context)
        return str(path)

    def judged(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        crs: QgsCoordinateReferenceSystem,
        asked: dict[str, Any],
        result: dict[str, Any],
        figures: dict[str, Any],
    ) -> dict[str, Any]:
        """Style and write the outputs; what the algorithm returns of them.

        Parameters
        ----------
        asked : dict
            As `judging_request` gave it.
        result : dict
            Of the job.
        figures : dict
            Those of the forecast that is judged.
        """
        found: dict[str, Any] = {
            output: result[key] if key in ("report", "csv") and key in result else asked[key]
            for output, key in (("REPORT", "report"), ("TABLE", "csv"), ("LABELS", "labels"))
            if asked[key]
        }
        found = {name: value for name, value in found.items() if value}
        verdict = str(result["verdict"])
        if "LABELS" in found:
            self.style_output(
                found["LABELS"],
                "Labels",
                lambda raster: styles.labels(raster, result["labels"], result["edges"]),
                verdict,
            )
        if asked["hits"]:
            fields = QgsFields()
            for name, kind in HIT_FIELDS:
                fields.append(QgsField(name, kind))
            rows = json.loads(Path(asked["hits"]).read_text(encoding="utf-8"))
            destination = self.write_layer(
                parameters,
                "HITS",
                context,
                feedback,
                fields,
                Qgis.WkbType.Point,
                crs,
                _hits(rows, fields),
                len(rows),
            )
            self.style_output(destination, "Incidents by label", styles.hits, verdict)
            found["HITS"] = destination
        return {
            **found,
            **{name: figures.get(key) for name, key, _ in FIGURES},
            "MAPS": len(result["edges"]),
            "HITS_COUNT": result["hits"],
            "VERDICT": verdict,
        }


def _hits(rows: list[list[Any]], fields: QgsFields) -> Iterator[QgsFeature]:
    for x, y, start, end, incidents, risk, label in rows:
        feature = QgsFeature(fields)
        feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(x, y)))
        feature.setAttributes([wall_clock(start), wall_clock(end), incidents, risk, label])
        yield feature
