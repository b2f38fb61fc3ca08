"""Backtest forecasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExpression,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ...bridge import layers, styles
from ...riskengine.contract.forecasters import BASELINES, DEFAULT
from .. import date_order
from ..engine_algorithm import absolute
from . import forecasters
from .judging import JudgingAlgorithm

#: More fits than this with other random numbers tell nothing more.
MOST_SEEDS = 50


class BacktestForecast(JudgingAlgorithm):
    ID = "backtestforecast"
    TITLE = "Backtest forecasts"
    GROUP = "Forecast"
    TAGS = "backtest,forecast,evaluation,validation,log-loss,brier,auc,pai,pei,hit rate,rolling origin,baseline,skill"
    SUMMARY = "Forecasts the past with several models, each map from what came before it, and says which are better."
    HELP = """
Every model forecasts the same last maps of the stack, and none sees anything after its origin. All cells of the study
area are judged: by log-loss, Brier score, AUC, hit rate, PAI, PEI and reliability, with intervals over blocks of time.

The report and the log say in words which models can be told from the best simple baseline, and which cannot: where
they found no signal beyond the long-run mean, that is the result. Precision stands beside every hit rate.

With the incidents themselves snapped places and addresses that stand for many incidents are looked for; and the simple
baselines can be tried on moved grids, since the position of the grid alone changes a hit rate.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        whole, real = QgsProcessingParameterNumber.Type.Integer, QgsProcessingParameterNumber.Type.Double
        self.add(
            QgsProcessingParameterRasterLayer("INPUT", self.tr("Hotspot grids")), "Made with Rasterize hotspot grids."
        )
        self.add(
            QgsProcessingParameterEnum(
                "MODELS",
                self.tr("Models"),
                forecasters.titles(),
                True,
                [forecasters.NAMES.index(name) for name in (*BASELINES, DEFAULT)],
            ),
            "The simple baselines always take part. Networks (ConvLSTM, ST-ResNet, SFTT) take minutes. Risk, labels and"
            " exposure are those of Ensemble, the default, where it takes part; else of the first that is no baseline.",
        )
        self.add(
            QgsProcessingParameterNumber("TEST", self.tr("Share tested"), real, 0.2, False, 0.01, 0.9),
            "Of the maps, at their end, that are forecast.",
        )
        self.add(
            QgsProcessingParameterDateTime("START", self.tr("First map tested"), optional=True),
            "Maps from this time on are forecast, instead of a share.",
        )
        self.add(
            QgsProcessingParameterNumber("HORIZON", self.tr("Horizon [bins]"), whole, 1, False, 1, 1000),
            "How many bins ahead each map is forecast.",
        )
        self.add(
            QgsProcessingParameterNumber("REFIT", self.tr("Maps between trainings"), whole, 0, False, 0),
            "Models are trained again after so many maps; with 0 once, before the first map tested.",
        )
        self.add_judging_parameters()
        self.add(
            QgsProcessingParameterFeatureSource(
                "INCIDENTS", self.tr("Incidents"), [QgsProcessing.SourceType.TypeVectorPoint], optional=True
            ),
            "Those that the grids count, to move the grid and to look for snapped places.",
        )
        self.add(
            QgsProcessingParameterField("TIME_FIELD", self.tr("Time field"), "occurred", "INCIDENTS", optional=True),
            "When they happened.",
        )
        self.add(
            QgsProcessingParameterField("CATEGORY_FIELD", self.tr("Category field"), None, "INCIDENTS", optional=True),
            "What happened: categories that patrols find rather than victims report are named in the report.",
        )
        self.add(
            QgsProcessingParameterExpression("FILTER", self.tr("Filter"), "", "INCIDENTS", optional=True),
            "The filter that the grids were made with.",
        )
        self.add(
            QgsProcessingParameterNumber("OFFSETS", self.tr("Further grid positions"), whole, 0, False, 0, 100),
            "The simple baselines are backtested on so many moved grids too, other models are not. Needs the "
            "incidents.",
        )
        self.add(date_order.parameter(), date_order.HELP, advanced=True)
        self.add(forecasters.extras_parameter(), forecasters.EXTRAS_HELP, advanced=True)
        self.add(
            QgsProcessingParameterString("SEEDS", self.tr("Seeds"), "0", False, True),
            "Models that draw random numbers are trained once with each, and the spread is reported. Whole numbers "
            "with commas between them.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterString("SETTINGS", self.tr("Settings of the models"), None, True, True),
            "Such as convlstm.epochs=20, ensemble.share=0.3; or JSON. By default each model's own.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterNumber("WORKERS", self.tr("Processes"), whole, None, True, 1, 256),
            "Models that run at the same time; by default as many as the machine and its memory allow.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterRasterDestination("RISK", self.tr("Backtest risk"), optional=True),
            "The forecasts of the model that is compared first, a band per map.",
        )
        self.add_judging_outputs()
        self.addOutput(
            QgsProcessingOutputNumber("LOG_LOSS_RATIO", self.tr("Log-loss against the best simple baseline"))
        )
        self.addOutput(QgsProcessingOutputString("MODEL", self.tr("Model compared first")))
        self.addOutput(QgsProcessingOutputString("BEST_BASELINE", self.tr("Best simple baseline")))

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse what cannot work, in words."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        try:
            self._seeds(parameters, context)
            self._settings(parameters, context)
        except QgsProcessingException as error:
            return False, str(error)
        source = self.parameterAsSource(parameters, "INCIDENTS", context)
        if source is None:
            if self.parameterAsInt(parameters, "OFFSETS", context):
                return False, self._no_incidents(parameters, context)
            return True, ""
        if why := layers.field_problem(source, *self._fields(parameters, context)):
            return False, why
        return True, ""

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        layer = self.raster_input(parameters, "INPUT", context)
        start = self.parameterAsDateTime(parameters, "START", context)
        workers = parameters.get("WORKERS") is not None
        risk = self.raster_destination(parameters, "RISK", context) or None
        asked = self.judging_request(parameters, context, layer.crs(), folder)
        result = self.run_job(
            "backtest",
            {
                **asked,
                "heatmaps": absolute(layer.source()),
                "models": [
                    forecasters.NAMES[number] for number in self.parameterAsEnums(parameters, "MODELS", context)
                ],
                "settings": self._settings(parameters, context),
                "test": self.parameterAsDouble(parameters, "TEST", context),
                "start": start.toString("yyyy-MM-ddTHH:mm:ss") if start.isValid() else None,
                "horizon": self.parameterAsInt(parameters, "HORIZON", context),
                "refit": self.parameterAsInt(parameters, "REFIT", context),
                "seeds": self._seeds(parameters, context),
                "extras": forecasters.extras_of(self, parameters, context),
                "incidents": self._incidents(parameters, context, feedback, layer.crs(), folder),
                "date_order": date_order.chosen(self, parameters, context),
                "offsets": self.parameterAsInt(parameters, "OFFSETS", context),
                "workers": self.parameterAsInt(parameters, "WORKERS", context) if workers else None,
                "risk": risk,
            },
            feedback,
            [path or "" for path in (risk, asked["report"], asked["csv"], asked["labels"])],
            low=20.0 if parameters.get("INCIDENTS") is not None else 0.0,
            high=95.0,
        )
        scores, model, best = result["scores"], result["model"], result["best_baseline"]
        if risk or asked["labels"] or asked["hits"]:
            feedback.pushInfo(
                self.tr("Risk, labels and incidents by label are those of {model}").format(
                    model=forecasters.title_of(model)
                )
            )
        if risk:
            self.style_output(
                risk, "Backtest risk", lambda raster: styles.risk(raster, result["edges"]), str(result["verdict"])
            )
        return {
            **({"RISK": risk} if risk else {}),
            **self.judged(parameters, context, feedback, layer.crs(), asked, result, scores[model]),
            "LOG_LOSS_RATIO": scores[model]["log_loss"] / scores[best]["log_loss"] if best else None,
            "MODEL": model,
            "BEST_BASELINE": best,
        }

    def _incidents(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        crs: QgsCoordinateReferenceSystem,
        folder: Path,
    ) -> str | None:
        """The incidents in the grids' CRS, in the exchange folder."""
        source = self.parameterAsSource(parameters, "INCIDENTS", context)
        if source is None:
            # A model's steps come here without checkParameterValues.
            if parameters.get("INCIDENTS") is not None or self.parameterAsInt(parameters, "OFFSETS", context):
                raise QgsProcessingException(self._no_incidents(parameters, context))
            return None
        expression = self.parameterAsString(parameters, "FILTER", context)
        fields = self._fields(parameters, context)
        places = layers.read_incidents(source, *fields, expression, folder, context, feedback, crs)
        self.report_refused(places.refused, len(places.x) + len(places.refused), feedback)
        return str(folder / "incidents.npz")

    def _no_incidents(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        if parameters.get("INCIDENTS") is not None:
            return str(self.invalidSourceError(parameters, "INCIDENTS"))
        return self.tr(
            "OFFSETS is {number}, but there are no INCIDENTS to count on moved grids. Give them, or 0."
        ).format(number=self.parameterAsInt(parameters, "OFFSETS", context))

    def _fields(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str, str]:
        return (
            self.parameterAsString(parameters, "TIME_FIELD", context),
            self.parameterAsString(parameters, "CATEGORY_FIELD", context),
        )

    def _settings(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, dict[str, Any]]:
        return forecasters.settings_by_model(self.parameterAsString(parameters, "SETTINGS", context))

    def _seeds(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[int]:
        text = self.parameterAsString(parameters, "SEEDS", context)
        parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
        fine = all(part.isascii() and part.isdecimal() and int(part) < 2**63 for part in parts)
        if not fine or len(set(parts)) != len(parts) or len(parts) > MOST_SEEDS:
            raise QgsProcessingException(
                self.tr("SEEDS is {text}; give up to {most} different whole numbers such as 0, 1, 2.").format(
                    text=text, most=MOST_SEEDS
                )
            )
        return [int(part) for part in parts] or [0]
