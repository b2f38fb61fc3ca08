"""The models that chain the tools, as QGIS's model designer keeps them in resources/models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingModelAlgorithm,
    QgsProcessingParameterEnum,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..bridge import outputs
from .texts import make_help

MODELS = Path(__file__).resolve().parents[1] / "resources" / "models"
#: Models as they were, under the ids that commands and saved models hold.
EARLIER = MODELS / "earlier"


def make_models() -> Iterator[ShippedModel]:
    """Make all models that QGIS can read, also those that are run, but not shown any more."""
    for path in sorted([*MODELS.glob("*.model3"), *EARLIER.glob("*.model3")]):
        model = ShippedModel(path)
        if model.childAlgorithms():
            yield model


class ShippedModel(QgsProcessingModelAlgorithm):
    """A model whose id is the name of its file, and which keeps what it made when a step fails.

    Parameters
    ----------
    path : Path
        The ``.model3`` file. One of the folder `EARLIER` is hidden from the toolbox.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.fromFile(str(path))
        self._ask_as_tools_do()

    def _ask_as_tools_do(self) -> None:
        """Take help and choices of the inputs from the tools: a file keeps no help, and the choices of its day."""
        told = set()
        for step in self.childAlgorithms().values():
            for key, sources in step.parameterSources().items():
                for source in sources:
                    asked = self.parameterDefinition(source.parameterName())
                    # While the provider is registered, its tools are not found yet.
                    if asked is None or asked.name() in told or step.algorithm() is None:
                        continue
                    told.add(asked.name())
                    declared = step.algorithm().parameterDefinition(key)
                    asked.setHelp(declared.help())
                    if isinstance(asked, QgsProcessingParameterEnum):
                        asked.setOptions(declared.options())

    def createInstance(self) -> QgsProcessingAlgorithm:
        return type(self)(self.path)

    def name(self) -> str:
        return self.path.stem

    def flags(self) -> Any:
        hidden = QgsProcessingAlgorithm.Flag.FlagHideFromToolbox
        return super().flags() | hidden if self.path.parent == EARLIER else super().flags()

    def shortHelpString(self) -> str:
        """What the model is for, and a line for every parameter that explains itself."""
        return make_help(self.helpContent().get("ALG_DESC", "").split("\n\n"), self.parameterDefinitions())

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the steps; when one fails, say what those before it have made, and have it loaded."""
        try:
            return super().processAlgorithm(parameters, context, feedback)
        except QgsProcessingException:
            self._keep_what_was_made(context, feedback)
            raise

    def _keep_what_was_made(self, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        results = context.modelResult().childResults()
        made = {
            output.name(): str(results[child].outputs()[output.childOutputName()])
            for child, step in self.childAlgorithms().items()
            for output in step.modelOutputs().values()
            if child in results and results[child].outputs().get(output.childOutputName())
        }
        waiting = context.layersToLoadOnCompletion()
        # QGIS would look for the layers of the step that failed, too, and call them wrongly made.
        context.setLayersToLoadOnCompletion({key: each for key, each in waiting.items() if key in made.values()})
        if made:
            text = QCoreApplication.translate(
                "CrimeRisk", "The steps before are done, and what they made is kept: {made}."
            )
            feedback.pushInfo(text.format(made="; ".join(_describe(name, place) for name, place in made.items())))


def _describe(name: str, place: str) -> str:
    """The output with its place; a layer in memory has none that tells anybody anything."""
    file, _ = outputs.file_of(place)
    return f"{name} ({place})" if file is not None and file.exists() else name
