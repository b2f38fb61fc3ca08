"""What every algorithm of the plugin does with the engine, with files and with layers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..bridge import client, landing, layers, outputs, styles
from ..bridge.about import UNKNOWN, About
from ..riskengine.contract.texts import part_text
from . import refusals
from .layer_order import keep_above_rasters

SECONDS_BETWEEN_TEXTS = 5.0

Styler = Callable[[Any], None]


class EngineAlgorithm(QgsProcessingAlgorithm):
    """Runs jobs in the engine, writes layers whole or not at all, and styles them when they are loaded."""

    def __init__(self) -> None:
        super().__init__()
        self._stylers: list[tuple[str, str, Styler, About]] = []
        #: Files that this run writes where there was none before.
        self._destinations: list[str] = []

    @staticmethod
    def tr(text: str) -> str:
        """Translate in the plugin's one context."""
        return QCoreApplication.translate("CrimeRisk", text)

    def _discard_all(self, feedback: QgsProcessingFeedback) -> None:
        """Remove what this run has begun to write."""
        for destination in reversed(self._destinations):
            self._discard(destination, feedback)

    def _discard(self, destination: str, feedback: QgsProcessingFeedback) -> None:
        # Whatever goes wrong here, the reason of the failure itself must reach the user.
        try:
            outputs.discard(destination)
        except Exception as error:
            feedback.pushWarning(
                self.tr(
                    "What was begun of {destination} could not be removed ({why}). It is incomplete: "
                    "remove it yourself."
                ).format(destination=destination, why=str(error) or type(error).__name__)
            )

    def run_job(
        self,
        job: str,
        parameters: dict[str, Any],
        feedback: QgsProcessingFeedback,
        writes: Iterable[str] = (),
        low: float = 20.0,
        high: float = 90.0,
    ) -> dict[str, Any]:
        """Run a job in the engine, with its progress and log in this algorithm's.

        Parameters
        ----------
        writes : iterable of str
            Files the job writes; leftovers are removed when it does not end well.
        low, high : float
            The part of the progress bar the job covers.

        Raises
        ------
        QgsProcessingException
            With the engine's sentence.
        """

        # A quick job would be done before anybody asks.
        if feedback.isCanceled():
            raise QgsProcessingException(self.tr("Cancelled: nothing was written."))
        last = {"text": "", "kind": "", "when": 0.0}

        def on_progress(share: float, text: str) -> None:
            feedback.setProgress(low + (high - low) * share)
            # Every text becomes a line of the log: a counter that moves is worth one every few seconds.
            kind, waited = re.sub(r"[\d.]+", "", text), time.monotonic() - float(last["when"])
            if text and text != last["text"] and (kind != last["kind"] or waited > SECONDS_BETWEEN_TEXTS):
                feedback.setProgressText(text)
                last.update(text=text, kind=kind, when=time.monotonic())

        def on_log(message: str, level: str) -> None:
            (feedback.pushWarning if level == "warning" else feedback.pushInfo)(message)

        try:
            return client.call(
                job,
                parameters,
                on_progress=on_progress,
                on_log=on_log,
                is_cancelled=feedback.isCanceled,
                outputs=[path for path in writes if path],
            )
        except client.EngineCancelled as error:
            raise QgsProcessingException(self.tr("Cancelled: nothing was written.")) from error
        except client.EngineError as error:
            raise QgsProcessingException(str(error)) from error

    @staticmethod
    def to_absolute(path: str) -> str:
        """Bring a path to what the engine's process needs, whose current folder is another."""
        return str(Path(path).absolute()) if path else ""

    def read_file_input(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """Read the path of an input file; empty when it was not given."""
        return self.to_absolute(self.parameterAsFile(parameters, name, context))

    def read_file_destination(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """Read the path of a file output; empty when it was not asked for."""
        return self._announced(self.to_absolute(self.parameterAsFileOutput(parameters, name, context)))

    def read_raster_destination(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """Read the path of a raster output; empty when it was not asked for."""
        return self._announced(self.to_absolute(self.parameterAsOutputLayer(parameters, name, context)))

    def _announced(self, path: str) -> str:
        if path and not Path(path).exists():
            self._destinations.append(path)
        return path

    def read_map_input(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> QgsMapLayer:
        """Read the layer of an input, raster or vector as its kind says, or refuse with a sentence that helps."""
        definition = self.parameterDefinition(name)
        raster = isinstance(definition, QgsProcessingParameterRasterLayer)
        layer = (self.parameterAsRasterLayer if raster else self.parameterAsLayer)(parameters, name, context)
        if layer is None:
            raise QgsProcessingException(refusals.describe_refusal(definition, parameters.get(name)))
        return layer

    def style_output(self, destination: str | None, title: str, styler: Styler, about: About = UNKNOWN) -> None:
        """Have the layer styled and named when it is loaded; see `postProcessAlgorithm`.

        What the layer is about goes into its metadata, and of which time and categories it is follows its name, unless
        the user has given another.
        """
        if destination:
            self._stylers.append((destination, title, styler, about))

    def postProcessAlgorithm(self, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Style the outputs where layers may be touched: in the thread that owns them."""
        for destination, title, styler, about in self._stylers:
            # A result without its style is still the result.
            try:
                layer = QgsProcessingUtils.mapLayerFromString(destination, context)
                if layer is not None and layer.isValid():
                    styler(layer)
                    history = f"{self.displayName()} (crimerisk:{self.name()})"
                    file, _ = outputs.file_of(layer.source())
                    # Another run may be writing a table of the same file.
                    with landing.waiting(file, feedback.isCanceled, 3.0) if file is not None else nullcontext():
                        styles.remember(layer, title, history, about)
            except Exception as error:
                feedback.pushWarning(
                    self.tr("{destination} could not be styled ({why}).").format(destination=destination, why=error)
                )
        self._name_layers(context)
        keep_above_rasters(context, [destination for destination, *_ in self._stylers])
        self._stylers = []
        return {}

    def _name_layers(self, context: QgsProcessingContext) -> None:
        """Have the layers loaded by a name that says what they are of."""
        waiting = context.layersToLoadOnCompletion()
        for destination, _, _, about in self._stylers:
            details = waiting.get(destination)
            # In a model it is called after the model's output.
            definition = self.parameterDefinition(details.outputName) if about.what and details is not None else None
            if definition is not None and details.name == definition.description():
                details.name = f"{details.name}, {about.what}"
        context.setLayersToLoadOnCompletion(waiting)

    # What several algorithms report in the same way.

    def report_refused(self, refused: list[tuple[int, str]], total: int, feedback: QgsProcessingFeedback) -> None:
        """Count the refused features by reason, and name the first of them."""
        if not refused:
            return
        first = ", ".join(str(fid) for fid, _ in refused[:10]) + (", …" if len(refused) > 10 else "")
        feedback.pushWarning(
            self.tr("{refused} refused: {reasons}. Feature ids: {first}.").format(
                refused=part_text(len(refused), total, "feature", "was", "were"),
                reasons=layers.reasons_text(refused),
                first=first,
            )
        )
