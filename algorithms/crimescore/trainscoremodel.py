"""Train score model."""

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
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from ...bridge import client
from ..engine_algorithm import EngineAlgorithm
from .training_parameters import DEEPEST, FEATURES, GROWTH, NUMBERS, PROTOCOLS, RESULTS, WIDEST


class TrainScoreModel(EngineAlgorithm):
    ID = "trainscoremodel"
    TITLE = "Train score model"
    GROUP = "Crime score"
    TAGS = "crime,score,model,train,neural network,deep learning,torch,interval"
    SUMMARY = "Trains a network that predicts the crime score of any place from recent incidents alone."
    HELP = """
The recommended protocol holds out square blocks of the city in turn, so its error is what to expect where the model
has not been, and gives every prediction an interval. The published one (Garrido Czacki 2021) is there to compare: a
random split, which leaks, and a network grown layer by layer.

The report says how good the model is in one sentence, then in figures, beside simpler models and the other protocol.
The score is a nowcast of reported incidents at places: never of persons, and no forecast.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        kinds = QgsProcessingParameterNumber.Type
        self.add(
            QgsProcessingParameterFile("INPUT", self.tr("Crime index"), extension="crimeindex"),
            "Made with Build crime index; holds the year that makes the score.",
        )
        self.add(
            QgsProcessingParameterFile(
                "RECENT_INDEX", self.tr("Index of recent incidents"), extension="crimeindex", optional=True
            ),
            "An index of the recent incidents; by default they are taken from the crime index. Both need the same CRS.",
        )
        self.add(
            QgsProcessingParameterEnum(
                "PROTOCOL",
                self.tr("Protocol"),
                [self.tr("Recommended"), self.tr("Published (Garrido Czacki 2021)")],
                False,
                0,
            ),
            "How the model is trained and judged.",
        )
        for number in NUMBERS:
            self.add(
                QgsProcessingParameterNumber(
                    number.name,
                    self.tr(number.title),
                    kinds.Integer if number.whole else kinds.Double,
                    number.default,
                    number.default is None,
                    number.lowest,
                    number.highest,
                ),
                number.help,
                advanced=number.advanced,
            )
        self.add(
            QgsProcessingParameterDateTime("REFERENCE_TIME", self.tr("Reference time"), optional=True),
            "End of both windows. By default the time of the last incident.",
        )
        self.add(
            QgsProcessingParameterBoolean("AUGMENT", self.tr("Resample low and high scores"), True),
            "Places with a score below 0.3 are copied 20 times and those above 0.8 three times, moved up to 50 m.",
        )
        self.add(
            QgsProcessingParameterEnum(
                "GROW",
                self.tr("Grow the network layer by layer"),
                [self.tr("As the protocol does"), self.tr("Yes"), self.tr("No")],
                False,
                0,
            ),
            "From logistic regression on, until the development loss stops falling. The published protocol does it.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterString("WIDTHS", self.tr("Hidden layers"), None, optional=True),
            "Neurons of each hidden layer, such as 64, 64; when growing, the layers that may be added. By default the "
            "protocol's own.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterEnum(
                "FEATURES",
                self.tr("Features"),
                [self.tr(title) for _, title in FEATURES],
                allowMultiple=True,
                defaultValue=None,
                optional=True,
            ),
            "What the model sees of the incidents around a place. By default the protocol's own.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean("COMPARE", self.tr("Compare protocols and simpler models"), True),
            "Measures both protocols and the simpler models beside them for the report. Takes longer.",
        )
        self.add(
            QgsProcessingParameterBoolean("KEEP_BEST", self.tr("When cancelled, keep the best model so far"), False),
            "It is saved as the model file, without a report.",
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "MODEL", self.tr("Score model"), self.tr("Crime score model (*.crimescore)")
            )
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "REPORT", self.tr("Report"), self.tr("HTML files (*.html)"), optional=True
            ),
            "One HTML file: how good the model is, where it errs, how it was trained, and a model card.",
        )
        for name, title in RESULTS:
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))
        self.addOutput(QgsProcessingOutputString("ARCHITECTURE", self.tr("Architecture")))

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse what cannot work, in words."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        for number in NUMBERS:
            value = self.parameterAsDouble(parameters, number.name, context)
            if number.above_zero and not value > 0:
                return False, self.tr("{name} is {value}; it must be greater than 0, usually {usual}.").format(
                    name=number.name, value=f"{value:g}", usual=f"{number.default:g}"
                )
        recent, window = (self.parameterAsDouble(parameters, name, context) for name in ("RECENT_WINDOW", "WINDOW"))
        if recent > window:
            return False, self.tr(
                "RECENT_WINDOW is {recent} days, longer than WINDOW, {window} days. Usual are 31 and 365."
            ).format(recent=f"{recent:g}", window=f"{window:g}")
        try:
            self._widths(parameters, context)
        except QgsProcessingException as error:
            return False, str(error)
        return True, ""

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        model = self.file_destination(parameters, "MODEL", context)
        report = self.file_destination(parameters, "REPORT", context) or None
        keep = self.parameterAsBool(parameters, "KEEP_BEST", context)
        before = _stamp(model)
        try:
            result = self.run_job(
                "train_score",
                {**self._asked(parameters, context), "model_output": model, "report": report, "keep_best": keep},
                feedback,
                [model, report or ""],
                low=0.0,
                high=100.0,
            )
        except QgsProcessingException as error:
            # The engine writes a file whole or not at all: if there is a new one, it is the best model so far.
            if keep and isinstance(error.__cause__, client.EngineCancelled) and _stamp(model) != before:
                raise self._kept(model, feedback) from error
            raise
        return {
            "MODEL": model,
            **({"REPORT": report} if result["report"] else {}),
            **{name: result[name.lower()] for name, _ in RESULTS},
            "ARCHITECTURE": result["architecture"],
        }

    def _asked(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """The job's parameters, without its destinations."""
        asked: dict[str, Any] = {}
        for number in NUMBERS:
            if number.default is None and parameters.get(number.name) is None:
                continue
            read = self.parameterAsInt if number.whole else self.parameterAsDouble
            asked[number.key] = read(parameters, number.name, context)
        when = self.parameterAsDateTime(parameters, "REFERENCE_TIME", context)
        # Of an enumeration that is left empty QGIS says that its first entry is chosen.
        left = parameters.get("FEATURES") in (None, "")
        features = [] if left else self.parameterAsEnums(parameters, "FEATURES", context)
        return {
            **asked,
            "index": self.file_input(parameters, "INPUT", context),
            "recent_index": self.file_input(parameters, "RECENT_INDEX", context) or None,
            "protocol": PROTOCOLS[self.parameterAsEnum(parameters, "PROTOCOL", context)],
            "reference_time": when.toString("yyyy-MM-ddTHH:mm:ss") if when.isValid() else None,
            "augment": self.parameterAsBool(parameters, "AUGMENT", context),
            "grow": GROWTH[self.parameterAsEnum(parameters, "GROW", context)],
            "widths": self._widths(parameters, context),
            "features": [FEATURES[number][0] for number in features] or None,
            "compare": self.parameterAsBool(parameters, "COMPARE", context),
        }

    def _widths(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[int] | None:
        text = self.parameterAsString(parameters, "WIDTHS", context).strip()
        if not text:
            return None
        parts = [part.strip() for part in text.split(",")]
        fine = all(part.isdecimal() and 1 <= int(part) <= WIDEST for part in parts) and len(parts) <= DEEPEST
        if not fine:
            raise QgsProcessingException(
                self.tr(
                    "WIDTHS is {text}; give up to {deepest} whole numbers from 1 to {widest} with commas between them, "
                    "such as 64, 64, or leave it empty."
                ).format(text=text, deepest=DEEPEST, widest=WIDEST)
            )
        return [int(part) for part in parts]

    def _kept(self, model: str, feedback: QgsProcessingFeedback) -> QgsProcessingException:
        """Keep the file from being removed, and say where it is: the engine's own word may not have come through."""
        self._destinations = [(path, existed) for path, existed in self._destinations if path != model]
        if Path(QgsProcessingUtils.tempFolder()) in Path(model).parents:
            feedback.pushWarning(
                self.tr("{model} is a temporary file: copy it before QGIS is closed.").format(model=model)
            )
        return QgsProcessingException(
            self.tr("Cancelled: the best model so far was kept as {model}; no report was written.").format(model=model)
        )


def _stamp(path: str) -> tuple[int, int] | None:
    """What tells a file from the one that was there before."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
