"""The Processing provider."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from ..riskengine.contract.tools import list_tools
from .shipped_models import make_models
from .tool_algorithm import ToolAlgorithm

RESOURCES = Path(__file__).resolve().parents[1] / "resources"


def make_algorithms() -> Iterator[ToolAlgorithm]:
    """Make the algorithm of every tool that is declared: its own where this package has a module of its id."""
    for name, tool in list_tools().items():
        place = f"{__package__}.{name}"
        kind: type[ToolAlgorithm] = (
            importlib.import_module(place).Algorithm if importlib.util.find_spec(place) else ToolAlgorithm
        )
        yield kind(tool)


class CrimeRiskProvider(QgsProcessingProvider):
    """Crime Risk's algorithms, and the models that chain them."""

    def id(self) -> str:
        return "crimerisk"

    def name(self) -> str:
        return QCoreApplication.translate("CrimeRisk", "Crime Risk")

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return str(RESOURCES / "icons" / "crime_risk.svg")

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        """The engine writes GeoTIFF, whatever a file is called."""
        return ["tif", "tiff"]

    def loadAlgorithms(self) -> None:
        """All algorithms, engine or not: one that cannot run says what is missing."""
        for algorithm in make_algorithms():
            self.addAlgorithm(algorithm)
        for model in make_models():
            self.addAlgorithm(model)
