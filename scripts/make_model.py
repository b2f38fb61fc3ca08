"""Write the shipped models to resources/models: main_chain.model3, the whole chain, and forecast_chain.model3.

Run with QGIS's Python after changing a chain here.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    QgsApplication,
    QgsProcessing,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QPointF

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "resources" / "models"

Source = QgsProcessingModelChildParameterSource
NUMBER = QgsProcessingParameterNumber.Type


#: Child, algorithm, parameters, {output: name in the toolbox}.
Step = tuple[str, str, dict[str, object], dict[str, str]]


@dataclass
class Chain:
    """One model: its file, what it says of itself, what it asks for, and its steps in the order they run."""

    file: str
    title: str
    about: str
    inputs: list[object]
    steps: list[Step]


def main_inputs() -> list[object]:
    """What the whole chain asks for; everything but the CSV has a default."""
    return [
        QgsProcessingParameterFile("csv", "CSV file", fileFilter="Text files (*.csv *.tsv *.txt);;All files (*)"),
        QgsProcessingParameterFeatureSource(
            "study_area", "Study area", [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
        ),
        QgsProcessingParameterNumber("spacing", "Spacing of the score grid [m]", NUMBER.Double, 250.0, False, 1),
        QgsProcessingParameterNumber("cell_size", "Cell size of the hotspot grids [m]", NUMBER.Double, None, True),
        QgsProcessingParameterNumber("steps", "Days to forecast", NUMBER.Integer, 1, False, 1),
        QgsProcessingParameterNumber("epochs", "Epochs", NUMBER.Integer, 30, False, 1),
    ]


def main_steps() -> list[Step]:
    """Everything from a CSV on."""
    asked = Source.fromModelParameter
    made = Source.fromChildOutput
    fixed = Source.fromStaticValue
    points = {"INPUT": made("import", "OUTPUT"), "TIME_FIELD": fixed("occurred"), "CATEGORY_FIELD": fixed("category")}
    return [
        ("import", "importincidents", {"INPUT": asked("csv")}, {"OUTPUT": "Incidents", "REFUSED": "Refused rows"}),
        ("index", "buildcrimeindex", dict(points), {"OUTPUT": "Crime index"}),
        (
            "scores",
            "crimescorelayer",
            {"INDEX": made("index", "OUTPUT"), "SPACING": asked("spacing"), "POLYGONS": asked("study_area")},
            {"OUTPUT": "Crime scores"},
        ),
        (
            "grids",
            "rasterizehotspots",
            {**points, "STUDY_AREA": asked("study_area"), "CELL_SIZE": asked("cell_size")},
            {"OUTPUT": "Hotspot grids"},
        ),
        (
            "forecast",
            "convlstmprediction",
            {"INPUT": made("grids", "OUTPUT"), "STEPS": asked("steps"), "EPOCHS": asked("epochs")},
            {"OUTPUT": "Risk", "OUTPUT_MODEL": "Trained model", "OUTPUT_REPORT": "Report"},
        ),
        (
            "classes",
            "classifyrisk",
            {"INPUT": made("forecast", "OUTPUT")},
            {"OUTPUT": "Risk classes", "POLYGONS": "Class polygons"},
        ),
    ]


def forecast_inputs(kinds: list[str], default: int) -> list[object]:
    """What the forecast's chain asks for; everything but the incidents has a default."""
    bins = ["Hours", "Days", "Weeks", "Months", "Automatic"]
    return [
        QgsProcessingParameterFeatureSource("incidents", "Incidents", [QgsProcessing.SourceType.TypeVectorPoint]),
        QgsProcessingParameterField("time_field", "Time field", "occurred", "incidents"),
        QgsProcessingParameterField("category_field", "Category field", None, "incidents", optional=True),
        QgsProcessingParameterString("categories", "Categories (all by default)", optional=True),
        QgsProcessingParameterFeatureSource(
            "study_area", "Study area", [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
        ),
        QgsProcessingParameterNumber("cell_size", "Cell size of the hotspot grids [m]", NUMBER.Double, None, True),
        QgsProcessingParameterEnum("time_bin", "Time bin", bins, False, 4),
        QgsProcessingParameterEnum("kind", "Kind of model", kinds, False, default),
        QgsProcessingParameterNumber("steps", "Bins to forecast", NUMBER.Integer, 1, False, 1, 1000),
    ]


def forecast_steps() -> list[Step]:
    """From incidents to a forecast that was judged."""
    asked = Source.fromModelParameter
    made = Source.fromChildOutput
    same = ("STUDY_AREA", "CELL_SIZE", "TIME_FIELD", "CATEGORY_FIELD", "CATEGORIES")
    grids = {name: asked(name.lower()) for name in same}
    return [
        (
            "grids",
            "rasterizehotspots",
            {**grids, "INPUT": asked("incidents"), "BIN_UNIT": asked("time_bin")},
            {"OUTPUT": "Hotspot grids"},
        ),
        (
            "train",
            "trainforecastmodel",
            {"INPUT": made("grids", "OUTPUT"), "MODEL_KIND": asked("kind")},
            {"MODEL": "Forecast model", "REPORT": "Report"},
        ),
        (
            "forecast",
            "forecastrisk",
            {"INPUT": made("grids", "OUTPUT"), "MODEL": made("train", "MODEL"), "STEPS": asked("steps")},
            {"OUTPUT": "Risk"},
        ),
        ("classes", "classifyrisk", {"INPUT": made("forecast", "OUTPUT")}, {"OUTPUT": "Risk classes"}),
    ]


def build(chain: Chain) -> QgsProcessingModelAlgorithm:
    """The model, laid out from top to bottom."""
    model = QgsProcessingModelAlgorithm(chain.title, "Models", "models")
    model.setHelpContent({"ALG_DESC": chain.about, "ALG_VERSION": "1"})
    for row, definition in enumerate(chain.inputs):
        parameter = QgsProcessingModelParameter(definition.name())
        parameter.setPosition(QPointF(150, 80 + 90 * row))
        model.addModelParameter(definition, parameter)
    for row, (name, algorithm, parameters, outputs) in enumerate(chain.steps):
        child = QgsProcessingModelChildAlgorithm(f"crimerisk:{algorithm}")
        child.setChildId(name)
        child.setDescription(child.algorithm().displayName())
        child.setPosition(QPointF(450, 80 + 120 * row))
        for key, source in parameters.items():
            child.addParameterSources(key, [source])
        final = {}
        for key, title in outputs.items():
            output = QgsProcessingModelOutput(title, title)
            output.setChildId(name)
            output.setChildOutputName(key)
            output.setPosition(QPointF(750, 60 + 120 * row + 40 * len(final)))
            final[title] = output
        child.setModelOutputs(final)
        model.addChildAlgorithm(child)
    model.updateDestinationParameters()
    return model


def sort_attributes(path: Path) -> None:
    """Sort the attributes of each element: Qt 5 writes them in any order, and a diff shall show what changed."""
    text = path.read_text(encoding="utf-8")

    def one(tag: re.Match[str]) -> str:
        return " ".join(["<Option", *sorted(re.findall(r'\w+="[^"]*"', tag[1]))])

    path.write_text(re.sub(r'<Option((?: \w+="[^"]*")+)', one, text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "crime_risk").symlink_to(ROOT)
        sys.path.insert(0, folder)
        from crime_risk.algorithms.provider import CrimeRiskProvider

        provider = CrimeRiskProvider()
        QgsApplication.processingRegistry().addProvider(provider)
        from crime_risk.riskengine.contract.forecasters import DEFAULT, FORECASTERS

        MODELS.mkdir(exist_ok=True)
        chains = [
            Chain(
                "main_chain",
                "From CSV to risk map",
                "The whole chain: import a police CSV, build the crime index, compute crime scores on a grid, count "
                "hotspot grids, train a ConvLSTM and forecast the next day, classify the risk at percentiles.",
                main_inputs(),
                main_steps(),
            ),
            Chain(
                "forecast_chain",
                "From incidents to forecast",
                "Counts incidents per cell and time bin, trains a forecast model on the grids and judges it beside "
                "simple baselines on the last maps, forecasts the next bins, and classifies their risk at percentiles. "
                "It does not compare models: run Backtest forecasts first.",
                forecast_inputs([each.title for each in FORECASTERS.values()], list(FORECASTERS).index(DEFAULT)),
                forecast_steps(),
            ),
        ]
        for chain in chains:
            model = build(chain)
            wrong = [why for child in model.childAlgorithms() for why in model.validateChildAlgorithm(child)[1]]
            print("\n".join(wrong) or f"{chain.file} is valid")
            if wrong or not model.toFile(str(MODELS / f"{chain.file}.model3")):
                sys.exit(f"{chain.file} was not written")
            sort_attributes(MODELS / f"{chain.file}.model3")
            for definition in model.parameterDefinitions():
                print(" ", definition.name(), definition.type(), definition.description())
    application.exitQgis()
