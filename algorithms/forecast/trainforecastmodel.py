"""Train forecast model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ...bridge import client
from ...riskengine.contract.forecasters import DEFAULT
from ..engine_algorithm import EngineAlgorithm, absolute
from . import forecasters

#: Output, the job's name of it, title.
NUMBERS = (
    ("LOG_LOSS", "log_loss", "Log-loss on held-out maps"),
    ("LOG_LOSS_RATIO_BEST", "log_loss_ratio_best", "Log-loss against the best simple baseline"),
    ("LOG_LOSS_RATIO_CONSTANT", "log_loss_ratio_constant", "Log-loss against a constant forecast"),
    ("HELD_OUT_MAPS", "held_out_bins", "Held-out maps"),
    ("MAPS", "maps", "Maps the model was trained on"),
    ("SECONDS", "seconds", "Seconds"),
)
STRINGS = (
    ("VERDICT", "verdict", "Verdict"),
    ("BEST_BASELINE", "best_baseline", "Best simple baseline"),
    ("KIND", "kind", "Kind of model"),
    ("TRAINED_UNTIL", "trained_until", "Trained until"),
)
CHECKPOINT_FILTER = "Crime Risk checkpoint (*.checkpoint)"


class TrainForecastModel(EngineAlgorithm):
    ID = "trainforecastmodel"
    TITLE = "Train forecast model"
    GROUP = "Forecast"
    TAGS = "forecast,train,model,ensemble,convlstm,st-resnet,sftt,kde,etas,self-exciting,deep learning,risk,hotspot"
    SUMMARY = "Trains a model that forecasts the risk of at least one incident per cell, and says how good it is."
    HELP = """
The last maps are held out: the model is first trained without them and forecasts each from the maps before it, beside
simple baselines. The log says in a sentence whether it can be told from the best of them; often it cannot, and then
plain counts serve as well. Afterwards the model is trained again on all maps, and kept for Forecast risk.

The default, Ensemble, weighs several forecasters by how well they did on past maps. Networks (ConvLSTM, ST-ResNet,
SFTT) take minutes; the others seconds. The forecast is one of reported incidents in places, never of persons.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        whole, real = QgsProcessingParameterNumber.Type.Integer, QgsProcessingParameterNumber.Type.Double
        self.add(
            QgsProcessingParameterRasterLayer("INPUT", self.tr("Hotspot grids")), "Made with Rasterize hotspot grids."
        )
        self.add(
            QgsProcessingParameterEnum(
                "MODEL_KIND",
                self.tr("Kind of model"),
                forecasters.titles(),
                False,
                forecasters.NAMES.index(DEFAULT),
            ),
            "From plain counts to networks; all of them are judged on the same held-out maps.",
        )
        self.add(
            QgsProcessingParameterDateTime("UNTIL", self.tr("Until"), optional=True),
            "Maps that end later are left out. By default all maps are used.",
        )
        self.add(
            QgsProcessingParameterNumber("HELD_OUT", self.tr("Share held out"), real, 0.2, False, 0, 0.5),
            "Of the maps, at their end, that the model is judged on. With 0 nothing can be said about how good it is.",
        )
        self.add(
            QgsProcessingParameterNumber("THRESHOLD", self.tr("Incidents that count"), whole, 1, False, 1),
            "The risk is that of at least so many incidents in a cell and bin.",
            advanced=True,
        )
        self.add(forecasters.extras_parameter(), forecasters.EXTRAS_HELP, advanced=True)
        self.add(
            QgsProcessingParameterNumber("SEED", self.tr("Seed"), whole, 0, False, 0, 2**31 - 1),
            "The same seed and input give the same model on the same machine.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean("REFIT", self.tr("Train again on all maps"), True),
            "After the judging, so that the model knows the latest maps too.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterString("SETTINGS", self.tr("Settings of the model"), None, True, True),
            "Of the chosen kind. For ConvLSTM: epochs=20, padding=reflect; for Ensemble: share=0.3; or JSON. The user "
            "guide lists all. A name that the kind does not know is refused with those it knows.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "CHECKPOINT",
                self.tr("Checkpoint"),
                self.tr(CHECKPOINT_FILTER),
                optional=True,
                createByDefault=False,
            ),
            "Networks keep here where their training stands. When it was cancelled, the same training with the same "
            "checkpoint goes on from there; when it ends well the file is removed.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "MODEL", self.tr("Forecast model"), self.tr("Crime Risk model (*.crimemodel)")
            )
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "REPORT", self.tr("Report"), self.tr("HTML files (*.html)"), optional=True
            ),
            "One HTML file: scores beside the baselines, reliability, how it was trained, and a model card.",
        )
        for name, _, title in NUMBERS:
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))
        for name, _, title in STRINGS:
            self.addOutput(QgsProcessingOutputString(name, self.tr(title)))

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse settings that cannot be read, in words."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        try:
            forecasters.settings_of(self.parameterAsString(parameters, "SETTINGS", context))
        except QgsProcessingException as error:
            return False, str(error)
        return True, ""

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        layer = self.raster_input(parameters, "INPUT", context)
        model = self.file_destination(parameters, "MODEL", context)
        report = self.file_destination(parameters, "REPORT", context) or None
        # Not announced as a destination: it is there to outlive a cancel.
        checkpoint = absolute(self.parameterAsFileOutput(parameters, "CHECKPOINT", context)) or None
        until = self.parameterAsDateTime(parameters, "UNTIL", context)
        try:
            result = self.run_job(
                "train_forecast",
                {
                    "heatmaps": absolute(layer.source()),
                    "model_output": model,
                    "report": report,
                    "kind": forecasters.NAMES[self.parameterAsEnum(parameters, "MODEL_KIND", context)],
                    "settings": forecasters.settings_of(self.parameterAsString(parameters, "SETTINGS", context)),
                    "threshold": self.parameterAsInt(parameters, "THRESHOLD", context),
                    "seed": self.parameterAsInt(parameters, "SEED", context),
                    "extras": forecasters.extras_of(self, parameters, context),
                    "until": until.toString("yyyy-MM-ddTHH:mm:ss") if until.isValid() else None,
                    "held_out": self.parameterAsDouble(parameters, "HELD_OUT", context),
                    "refit": self.parameterAsBool(parameters, "REFIT", context),
                    "checkpoint": checkpoint,
                },
                feedback,
                [model, report or ""],
                low=0.0,
                high=100.0,
            )
        except QgsProcessingException as error:
            kept = checkpoint and any(Path(f"{checkpoint}{end}").exists() for end in ("", ".judged"))
            if kept and isinstance(error.__cause__, client.EngineCancelled):
                raise QgsProcessingException(
                    self.tr(
                        "Cancelled: no model was written. The same training goes on from {checkpoint} when it is run "
                        "again."
                    ).format(checkpoint=checkpoint)
                ) from error
            raise
        own = result["metrics"].get(result["kind"], {})
        return {
            "MODEL": model,
            **({"REPORT": report} if result["report"] else {}),
            **{name: {**own, **result}.get(key) for name, key, _ in NUMBERS},
            **{name: result[key] or "" for name, key, _ in STRINGS},
        }
