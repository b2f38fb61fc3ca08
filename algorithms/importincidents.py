"""Import incidents: the parts that the job writes become features."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingException,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

from ..riskengine.contract.tools.base import Parameter
from . import features
from .tool_algorithm import ToolAlgorithm
from .values import Asked

_EPOCH = QDate(1970, 1, 1)


class Algorithm(ToolAlgorithm):
    """Import incidents."""

    def prepare(self, asked: Asked) -> dict[str, Any]:
        """Refuse a file that is not there; a delimiter may be written as \\t."""
        job = super().prepare(asked)
        if not Path(job["path"]).is_file():
            raise QgsProcessingException(
                self.tr("INPUT: there is no file {path}. Choose an existing CSV file.").format(path=job["path"])
            )
        if job["delimiter"]:
            job["delimiter"] = job["delimiter"].replace("\\t", "\t")
        return job

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Say what was imported, and write it."""
        returned = super().finish(asked, result)
        asked.feedback.pushInfo(
            self.tr("{imported} of {rows} rows imported, {refused} refused; incidents from {first} to {last}").format(
                imported=f"{result['imported']:,}",
                rows=f"{result['rows']:,}",
                refused=f"{result['refused']:,}",
                first=result["first"],
                last=result["last"],
            )
        )
        return returned

    def rows_of(
        self, asked: Asked, parameter: Parameter, result: dict[str, Any]
    ) -> tuple[QgsFields, Any, QgsCoordinateReferenceSystem, Iterable[QgsFeature], int]:
        """The incidents, or the refused rows."""
        if parameter.key == "refused":
            fields = features.fields_of(parameter.kind.fields)
            rows = _refused(result, fields)
            return fields, Qgis.WkbType.NoGeometry, QgsCoordinateReferenceSystem(), rows, result["refused"]
        fields = features.fields_of({field["name"]: _KINDS[field["type"]] for field in result["fields"]})
        crs = QgsCoordinateReferenceSystem(result["crs"])
        return fields, Qgis.WkbType.Point, crs, _incidents(result, fields), result["imported"]


#: The engine's names of types, and those of declarations.
_KINDS = {"datetime": "datetime", "integer": "long", "real": "real", "text": "text"}


def _parts(paths: list[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        yield json.loads(Path(path).read_text(encoding="utf-8"))


def _wall_clock(seconds: int) -> QDateTime:
    # In UTC every wall-clock time exists and no driver shifts it; see docs/methods/intake.md.
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
