"""The Processing provider."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingModelAlgorithm, QgsProcessingProvider
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from .crimescore.buildcrimeindex import BuildCrimeIndex
from .crimescore.crimescorelayer import CrimeScoreLayer
from .crimescore.predictscore import PredictScore
from .crimescore.predictscoreraster import PredictScoreRaster
from .crimescore.trainscoremodel import TrainScoreModel
from .forecast.backtestforecast import BacktestForecast
from .forecast.convlstmprediction import ConvLSTMPrediction
from .forecast.forecastrisk import ForecastRisk
from .forecast.trainforecastmodel import TrainForecastModel
from .hotspotgrids.binarizeheatmaps import BinarizeHeatmaps
from .hotspotgrids.fillheatmapgaps import FillHeatmapGaps
from .hotspotgrids.rasterizehotspots import RasterizeHotspots
from .hotspotgrids.selectperiod import SelectPeriod
from .hotspotgrids.selectstudyarea import SelectStudyArea
from .incidents.importincidents import ImportIncidents
from .risk.classifyrisk import ClassifyRisk
from .risk.evaluaterisk import EvaluateRisk
from .risk.upsamplerisk import UpsampleRisk

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
ALGORITHMS = (
    ImportIncidents,
    BuildCrimeIndex,
    CrimeScoreLayer,
    TrainScoreModel,
    PredictScore,
    PredictScoreRaster,
    RasterizeHotspots,
    ConvLSTMPrediction,
    ClassifyRisk,
    TrainForecastModel,
    ForecastRisk,
    BacktestForecast,
    EvaluateRisk,
    SelectStudyArea,
    SelectPeriod,
    FillHeatmapGaps,
    BinarizeHeatmaps,
    UpsampleRisk,
)


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
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
        for path in sorted((RESOURCES / "models").glob("*.model3")):
            model = QgsProcessingModelAlgorithm()
            if model.fromFile(str(path)):
                self.addAlgorithm(model)
