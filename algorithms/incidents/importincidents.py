"""Import incidents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
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
    QgsProcessingParameterCrs,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QMetaType, Qt, QTime

from ...bridge import styles
from .. import date_order
from ..engine_algorithm import EngineAlgorithm

PROFILES = Path(__file__).resolve().parents[2] / "riskengine" / "intake" / "profiles"
_TYPES = {
    "datetime": QMetaType.Type.QDateTime,
    "integer": QMetaType.Type.LongLong,
    "real": QMetaType.Type.Double,
    "text": QMetaType.Type.QString,
}
_EPOCH = QDate(1970, 1, 1)


@cache
def profile_titles() -> dict[str, str]:
    """Id and title of every known format; they are data, so the engine is not needed to list them."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))["title"] for path in sorted(PROFILES.glob("*.json"))
    }


def profile_ids() -> list[str]:
    """The choices of PROFILE, in order."""
    return ["auto", *profile_titles(), "columns"]


class ImportIncidents(EngineAlgorithm):
    ID = "importincidents"
    TITLE = "Import incidents"
    GROUP = "Incidents"
    TAGS = "csv,police,crime,open data,import,points,fgj,chicago,police.uk,incidents"
    SUMMARY = "Reads a police CSV, whatever its encoding, line ends and date format, into a point layer."
    HELP = """
The known open-data formats are recognised by their headers. For any other file choose "Columns named by hand"
and name the columns of X, Y and time; the time may be spread over two columns, date and time of day, separated
by a comma.

The layer gets the fields occurred (local civil time, stored without a zone shift) and category, then the file's
other columns. Rows that cannot be used (no coordinates, (0, 0), outside the area, swapped, no or unreadable or
future time, a wrong number of fields) go to the table of refused rows with their line number, the reason and
the row itself: nothing is lost.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.add(
            QgsProcessingParameterFile(
                "INPUT", self.tr("CSV file"), fileFilter=self.tr("Text files (*.csv *.tsv *.txt);;All files (*)")
            )
        )
        options = [self.tr("Detect by the header"), *profile_titles().values(), self.tr("Columns named by hand")]
        self.add(QgsProcessingParameterEnum("PROFILE", self.tr("Format"), options, False, 0))
        for name, title, help_text in (
            ("X_FIELD", "Column of X or longitude", ""),
            ("Y_FIELD", "Column of Y or latitude", ""),
            ("TIME_FIELD", "Column of the time", "Or date and time of day, separated by a comma."),
            ("CATEGORY_FIELD", "Column of the category", ""),
        ):
            self.add(
                QgsProcessingParameterString(name, self.tr(title), optional=True),
                help_text or "Needed when columns are named by hand; otherwise it replaces the format's own.",
            )
        self.add(
            QgsProcessingParameterCrs("CRS", self.tr("CRS of the coordinates"), None, optional=True),
            "By default that of the format, or WGS 84.",
        )
        self.add(date_order.parameter(), date_order.HELP, advanced=True)
        self.add(
            QgsProcessingParameterString("ENCODING", self.tr("Encoding"), optional=True),
            "Left empty it is detected.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterString("DELIMITER", self.tr("Delimiter"), optional=True),
            "Left empty it is detected.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFeatureSink("OUTPUT", self.tr("Incidents"), QgsProcessing.SourceType.TypeVectorPoint)
        )
        self.add(
            QgsProcessingParameterFeatureSink(
                "REFUSED", self.tr("Refused rows"), QgsProcessing.SourceType.TypeVector, optional=True
            ),
            "A table of the rows that were left out: line number, reason, and the row itself.",
        )
        for name, title in (("COUNT", "Incidents"), ("REFUSED_COUNT", "Refused rows")):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))
        for name, title in (("FORMAT", "Format recognised"), ("FIRST", "First incident"), ("LAST", "Last incident")):
            self.addOutput(QgsProcessingOutputString(name, self.tr(title)))

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        path = self.file_input(parameters, "INPUT", context)
        if not Path(path).is_file():
            raise QgsProcessingException(
                self.tr("INPUT: there is no file {path}. Choose an existing CSV file.").format(path=path)
            )
        crs = self.parameterAsCrs(parameters, "CRS", context)
        result = self.run_job(
            "import_csv",
            {
                "path": path,
                "folder": str(folder),
                "profile": profile_ids()[self.parameterAsEnum(parameters, "PROFILE", context)],
                "x": self.parameterAsString(parameters, "X_FIELD", context),
                "y": self.parameterAsString(parameters, "Y_FIELD", context),
                "time": [name.strip() for name in self.parameterAsString(parameters, "TIME_FIELD", context).split(",")],
                "category": self.parameterAsString(parameters, "CATEGORY_FIELD", context),
                "crs": (crs.authid() or crs.toWkt()) if crs.isValid() else None,
                "date_order": date_order.chosen(self, parameters, context),
                "encoding": self.parameterAsString(parameters, "ENCODING", context),
                "delimiter": self.parameterAsString(parameters, "DELIMITER", context).replace("\\t", "\t"),
            },
            feedback,
            low=0.0,
            high=50.0,
        )
        fields = QgsFields()
        for field in result["fields"]:
            fields.append(QgsField(field["name"], _TYPES[field["type"]]))
        output = self.write_layer(
            parameters,
            "OUTPUT",
            context,
            feedback,
            fields,
            Qgis.WkbType.Point,
            QgsCoordinateReferenceSystem(result["crs"]),
            _incidents(result, fields),
            result["imported"],
            50.0,
            95.0,
        )
        refused_fields = QgsFields()
        refused_fields.append(QgsField("line", QMetaType.Type.LongLong))
        refused_fields.append(QgsField("reason", QMetaType.Type.QString))
        refused_fields.append(QgsField("row", QMetaType.Type.QString))
        refused = self.write_layer(
            parameters,
            "REFUSED",
            context,
            feedback,
            refused_fields,
            Qgis.WkbType.NoGeometry,
            QgsCoordinateReferenceSystem(),
            _refused(result, refused_fields),
            result["refused"],
            95.0,
        )
        feedback.pushInfo(
            self.tr("{imported} of {rows} rows imported, {refused} refused; incidents from {first} to {last}").format(
                imported=f"{result['imported']:,}",
                rows=f"{result['rows']:,}",
                refused=f"{result['refused']:,}",
                first=result["first"],
                last=result["last"],
            )
        )
        self.style_output(output, "Incidents", styles.incidents)
        found = {
            "OUTPUT": output,
            "COUNT": result["imported"],
            "REFUSED_COUNT": result["refused"],
            "FORMAT": result["profile"],
            "FIRST": result["first"],
            "LAST": result["last"],
        }
        if refused is not None:
            found["REFUSED"] = refused
        return found


def _parts(paths: list[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        yield json.loads(Path(path).read_text(encoding="utf-8"))


def _wall_clock(seconds: int) -> QDateTime:
    # In UTC every wall-clock time exists and no driver shifts it; see docs/methods/intake.md, Time.
    days, rest = divmod(seconds, 86_400)
    return QDateTime(_EPOCH.addDays(days), QTime(0, 0).addSecs(rest), Qt.TimeSpec.UTC)


def _incidents(result: dict[str, Any], fields: QgsFields) -> Iterator[QgsFeature]:
    for part in _parts(result["parts"]):
        occurred, *others = part["columns"]
        times = {seconds: _wall_clock(seconds) for seconds in set(occurred)}
        for x, y, seconds, *values in zip(part["x"], part["y"], occurred, *others):
            feature = QgsFeature(fields)
            feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(x, y)))
            feature.setAttributes([times[seconds], *values])
            yield feature


def _refused(result: dict[str, Any], fields: QgsFields) -> Iterator[QgsFeature]:
    for part in _parts(result["refused_parts"]):
        for row in zip(part["line"], part["reason"], part["row"]):
            feature = QgsFeature(fields)
            feature.setAttributes(list(row))
            yield feature
