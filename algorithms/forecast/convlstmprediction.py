"""Run ConvLSTM prediction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from ...bridge import styles
from ..engine_algorithm import EngineAlgorithm, absolute

#: Parameter, job parameter, title, integer?, default, lowest, help.
TRAINING: tuple[tuple[str, str, str, bool, float, float, str], ...] = (
    ("SEQUENCE_LENGTH", "sequence_length", "Sequence length", True, 16, 2, "Maps in a training window."),
    ("EPOCHS", "epochs", "Epochs", True, 30, 1, "At most; training stops earlier when the validation loss rises."),
    ("LEARNING_RATE", "learning_rate", "Learning rate", False, 0.001, 0, "The published one is 0.0001."),
    ("BATCH_SIZE", "batch_size", "Batch size", True, 4, 1, "Windows in a training step."),
    ("CHANNELS", "channels", "Channels", True, 16, 1, "Hidden channels of each ConvLSTM layer."),
    ("LAYERS", "layers", "Layers", True, 2, 1, "ConvLSTM layers."),
    (
        "POSITIVE_WEIGHT",
        "positive_weight",
        "Weight of an incident",
        False,
        1.0,
        0,
        "Weight of cells with an incident in the cross-entropy; above 1 they count more than the others. The risk is"
        " corrected for it and stays a probability.",
    ),
    ("SEED", "seed", "Seed", True, 0, 0, "The same seed and input give the same forecast on the same machine."),
)


class ConvLSTMPrediction(EngineAlgorithm):
    ID = "convlstmprediction"
    TITLE = "Run ConvLSTM prediction"
    GROUP = "Forecast"
    TAGS = "forecast,prediction,convlstm,deep learning,neural network,risk,hotspot,torch"
    SUMMARY = "Forecasts the risk of at least one incident per cell in the next time bins."
    HELP = """
Without a model file it first trains on the hotspot grids themselves, then forecasts the bins after the last
one. The last fifth of the maps is held out from training: on it the forecast is scored beside the simple baselines
(constant, prior counts and share, recent counts, weekday and trend, space-time KDE), and the report says in a sentence
which is better. With a model file nothing is trained. The defaults are those of ConvLSTM in Backtest forecasts.

The raster holds probabilities from 0 to 1, a band per forecast bin. It is a forecast of reported incidents in
places, never of persons.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        kinds = QgsProcessingParameterNumber.Type
        self.add(
            QgsProcessingParameterRasterLayer("INPUT", self.tr("Hotspot grids")), "Made with Rasterize hotspot grids."
        )
        self.add(
            QgsProcessingParameterFile("MODEL", self.tr("Model file"), extension="crimemodel", optional=True),
            "A model trained before. Left empty, one is trained on the hotspot grids.",
        )
        self.add(
            QgsProcessingParameterNumber("STEPS", self.tr("Bins to forecast"), kinds.Integer, 1, False, 1),
            "Later bins are forecast from the forecasts of the earlier ones.",
        )
        for name, _, title, whole, default, lowest, help_text in TRAINING:
            self.add(
                QgsProcessingParameterNumber(
                    name, self.tr(title), kinds.Integer if whole else kinds.Double, default, False, lowest
                ),
                help_text,
                advanced=name not in ("SEQUENCE_LENGTH", "EPOCHS"),
            )
        self.add(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Risk")))
        self.add(
            QgsProcessingParameterFileDestination(
                "OUTPUT_MODEL",
                self.tr("Trained model"),
                self.tr("Crime Risk model (*.crimemodel)"),
                optional=True,
                createByDefault=True,
            )
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "OUTPUT_REPORT", self.tr("Report"), self.tr("HTML files (*.html)"), optional=True
            ),
            "One HTML file: loss curves, scores beside the baselines, reliability, and a model card.",
        )
        for name, title in (
            ("LOG_LOSS_RATIO_CONSTANT", "Log-loss against a constant forecast, on held-out bins"),
            ("LOG_LOSS_RATIO_PRIOR", "Log-loss against prior counts, on held-out bins"),
            ("HELD_OUT", "Held-out bins"),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))
        self.addOutput(QgsProcessingOutputString("VERDICT", self.tr("Verdict")))

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        layer = self.raster_input(parameters, "INPUT", context)
        output = self.raster_destination(parameters, "OUTPUT", context)
        model = self.file_input(parameters, "MODEL", context) or None
        trained = self.file_destination(parameters, "OUTPUT_MODEL", context) or None
        report = self.file_destination(parameters, "OUTPUT_REPORT", context) or None
        training: dict[str, Any] = {}
        for name, key, _, whole, *_ in TRAINING:
            read = self.parameterAsInt if whole else self.parameterAsDouble
            training[key] = read(parameters, name, context)
        result = self.run_job(
            "convlstm",
            {
                "heatmaps": absolute(layer.source()),
                "model": model,
                "output": output,
                "model_output": trained,
                "report": report,
                "steps": self.parameterAsInt(parameters, "STEPS", context),
                **training,
            },
            feedback,
            [output, trained or "", report or ""],
            low=0.0,
            high=98.0,
        )
        self.style_output(output, "Risk", lambda raster: styles.risk(raster, result["edges"]))
        return {
            "OUTPUT": output,
            **({"OUTPUT_MODEL": trained} if trained else {}),
            **({"OUTPUT_REPORT": report} if result["report"] else {}),
            "LOG_LOSS_RATIO_CONSTANT": result["log_loss_ratio_constant"],
            "LOG_LOSS_RATIO_PRIOR": result["log_loss_ratio_prior"],
            "HELD_OUT": result["held_out_bins"],
            "VERDICT": result["verdict"],
        }
