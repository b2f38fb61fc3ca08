"""The order of day and month in times that are text: one parameter, shared by all that read them."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingAlgorithm, QgsProcessingContext, QgsProcessingParameterEnum

from ..bridge.crs import tr

HELP = "Which of day and month comes first where the time is text such as 02/03/2024."
#: What the engine calls the options, in their order.
_ORDERS = ("auto", "ymd", "dmy", "mdy")


def parameter() -> QgsProcessingParameterEnum:
    """DATE_ORDER."""
    options = [
        tr("Decide by the whole column"),
        tr("Year, month, day"),
        tr("Day, month, year"),
        tr("Month, day, year"),
    ]
    return QgsProcessingParameterEnum("DATE_ORDER", tr("Order of dates"), options, False, 0)


def chosen(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
    """The choice, as the engine calls it."""
    return _ORDERS[algorithm.parameterAsEnum(parameters, "DATE_ORDER", context)]
