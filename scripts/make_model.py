"""Write resources/models/main_chain.model3, the whole chain as one model.

Run with QGIS's Python after changing the chain here.
"""

from __future__ import annotations

import os
import sys
import tempfile
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
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
)
from qgis.PyQt.QtCore import QPointF

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "resources" / "models" / "main_chain.model3"

Source = QgsProcessingModelChildParameterSource
NUMBER = QgsProcessingParameterNumber.Type


def inputs() -> list[object]:
    """What the model asks for; everything but the CSV has a default."""
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


def chain() -> list[tuple[str, str, dict[str, object], dict[str, str]]]:
    """(child, algorithm, parameters, {output: name in the toolbox}) in the order they run."""
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


def build() -> QgsProcessingModelAlgorithm:
    """The model, laid out from top to bottom."""
    model = QgsProcessingModelAlgorithm("From CSV to risk map", "Models", "models")
    model.setHelpContent(
        {
            "ALG_DESC": "The whole chain: import a police CSV, build the crime index, compute crime scores on a grid,"
            " count hotspot grids, train a ConvLSTM and forecast the next day, classify the risk at percentiles.",
            "ALG_VERSION": "1",
        }
    )
    for row, definition in enumerate(inputs()):
        parameter = QgsProcessingModelParameter(definition.name())
        parameter.setPosition(QPointF(150, 80 + 90 * row))
        model.addModelParameter(definition, parameter)
    for row, (name, algorithm, parameters, outputs) in enumerate(chain()):
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


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "crime_risk").symlink_to(ROOT)
        sys.path.insert(0, folder)
        from crime_risk.algorithms.provider import CrimeRiskProvider

        provider = CrimeRiskProvider()
        QgsApplication.processingRegistry().addProvider(provider)
        TARGET.parent.mkdir(exist_ok=True)
        model = build()
        wrong = [why for child in model.childAlgorithms() for why in model.validateChildAlgorithm(child)[1]]
        print("\n".join(wrong) or "the model is valid")
        if wrong or not model.toFile(str(TARGET)):
            sys.exit(f"{TARGET} was not written")
        for definition in model.parameterDefinitions():
            print(definition.name(), definition.type(), definition.description())
    application.exitQgis()
