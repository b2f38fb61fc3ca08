"""The algorithm of every tool: it declares, checks, runs and styles what the tool's declaration says."""

from __future__ import annotations

import re
import shutil
import traceback
from itertools import chain
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingUtils,
)
from qgis.PyQt.QtGui import QIcon

from ..bridge import client, landing, last_files, layers, leftovers, styles
from ..bridge.about import describe_result, read_model
from ..bridge.crs import describe_crs_problem
from ..bridge.places import describe_table
from ..riskengine.contract.tools import kinds
from ..riskengine.contract.tools.base import Parameter, Tool, parameters_of
from ..riskengine.contract.tools.results import list_unasked_problems
from . import destinations, dialogs, features, map_layers, panels, refusals
from .definitions import definitions_of, is_several, output_of
from .engine_algorithm import EngineAlgorithm
from .sinks import Rows, Sink, Table
from .texts import make_help, translate
from .values import Asked

ICONS = Path(__file__).resolve().parents[1] / "resources" / "icons"


class ToolAlgorithm(EngineAlgorithm):
    """A tool in the toolbox.

    Most tools need no more than their declaration. One whose work is not said by it has a module of its name in this
    package, with a subclass that overrides `prepare`, `finish`, `rows_of` or `describe_cancelled`.

    Parameters
    ----------
    tool : type of Tool
        The declaration.
    """

    def __init__(self, tool: type[Tool]) -> None:
        super().__init__()
        self.tool = tool

    # What QGIS asks of every algorithm.

    def translate_text(self, text: str) -> str:
        """Translate a text of the declaration."""
        return translate(text, self.tool.__name__)

    def createInstance(self) -> QgsProcessingAlgorithm:
        return type(self)(self.tool)

    def name(self) -> str:
        return self.tool.ID

    def displayName(self) -> str:
        return self.translate_text(self.tool.TITLE)

    def group(self) -> str:
        return translate(self.tool.GROUP)

    def groupId(self) -> str:
        return self.tool.GROUP.lower().replace(" ", "")

    def tags(self) -> list[str]:
        return [tag.strip() for tag in self.translate_text(self.tool.TAGS).split(",")]

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return str(ICONS / f"{self.tool.ID}.svg")

    def shortDescription(self) -> str:
        return self.translate_text(self.tool.SUMMARY)

    def shortHelpString(self) -> str:
        """Summary, help, and a line for every parameter that explains itself."""
        help_text = self.translate_text(self.tool.HELP).strip().split("\n\n")
        return make_help([self.translate_text(self.tool.SUMMARY), *help_text], self.parameterDefinitions())

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        for definition in definitions_of(self.tool):
            self.addParameter(definition)
        for output in self.tool.OUTPUTS:
            self.addOutput(output_of(output))

    def createCustomParametersWidget(self, parent: Any = None) -> Any:
        """A dialog of the tool's own, where there is a window and one is registered."""
        return dialogs.make_dialog(self.tool.ID, self.create(), parent)

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Say what is wrong with a value and what would be right, where QGIS only says that it is."""
        parameters = self._with_integers(parameters)
        for parameter in parameters_of(self.tool):
            if parameter.shown is None:
                continue
            if why := refusals.describe_broken_limit(self, parameter, parameters, context):
                return False, why
            definition, value = self.parameterDefinition(parameter.name), parameters.get(parameter.name)
            if value is None and definition.defaultValue() is not None:
                continue
            if not definition.checkValueIsAcceptable(value, context):
                return False, refusals.describe_refusal(definition, value)
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        why = self._problem(parameters, context)
        return not why, why

    def _with_integers(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters with choices as their integers: a command may name them."""
        made = dict(parameters)
        for parameter in parameters_of(self.tool):
            if isinstance(parameter.kind, kinds.Choice) and parameter.name in made:
                made[parameter.name] = _integers(parameter, made[parameter.name])
        return made

    def _problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """Say what only a look at several values, or at a layer's fields, shows."""
        try:
            given = self._peek(parameters, context)
        except QgsProcessingException as error:
            return str(error)
        source_key = next(
            (each.name for each in parameters_of(self.tool) if isinstance(each.kind, kinds.Incidents)), ""
        )
        source = self.parameterAsSource(parameters, source_key, context) if source_key else None
        if source is not None:
            asked = ("TIME_FIELD", "CATEGORY_FIELD", "REPORTED_FIELD", "AREA_COLUMN", "PLACE_FIELD", "END_FIELD")
            names = (self.parameterAsString(parameters, name, context) for name in asked)
            if why := describe_table(source) or layers.describe_field_problem(source, *names):
                return why
        if self.parameterDefinition("CRS") is not None and source_key:
            crs = self.parameterAsCrs(parameters, "CRS", context)
            if crs.isValid() and (why := describe_crs_problem(crs)):
                return why
        if why := map_layers.describe_misfit(self, self.tool, parameters, context):
            return why
        wanted = {each.key: destinations.is_named(parameters, each.name) for each in parameters_of(self.tool)}
        problems = chain(self.tool.list_problems(given), list_unasked_problems(self.tool, given, wanted))
        return refusals.describe_first(problems, self.tool, parameters)

    def _peek(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """The values by their keys, without reading a layer: of one, only what was given for it."""
        asked = Asked(self, self.tool, parameters, context, QgsProcessingFeedback(), Path())
        given: dict[str, Any] = {}
        for parameter in parameters_of(self.tool):
            if parameter.shown is None:
                continue
            if isinstance(parameter.kind, _PLAIN):
                value = asked.read(parameter)
                given[parameter.key] = parameter.default if value is None else value
            else:
                given[parameter.key] = parameters.get(parameter.name)
        return given

    # What happens when it runs.

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Prepare, run the job and finish, in an exchange folder that is removed whatever happens.

        Destinations are checked before any work; a failure, or cancel, leaves no new output behind.
        """
        self._destinations = []
        parameters = self._with_integers(parameters)
        temporary = Path(QgsProcessingUtils.tempFolder())
        with landing.sentences(temporary, landing.TEMPORARY):
            folder = leftovers.make_folder(temporary, leftovers.EXCHANGE)
        try:
            destinations.check(self, parameters, context)
            # A model's steps come here without checkParameterValues.
            for parameter in parameters_of(self.tool):
                refusals.refuse(refusals.describe_broken_limit(self, parameter, parameters, context))
            refusals.refuse(self._problem(parameters, context))
            for parameter in parameters_of(self.tool):
                refusals.refuse(refusals.describe_wrong_name(parameter, parameters))
            parameters = destinations.leave_out(self.tool, self._peek(parameters, context), parameters)
            parameters = map_layers.leave_out_foreign(self, self.tool, parameters, context, feedback)
            destinations.warn_of_losses(self.tool, parameters, feedback)
            with landing.sentences(folder, landing.TEMPORARY), destinations.claim(self, parameters):
                return self.compute(Asked(self, self.tool, parameters, context, feedback, folder))
        except BaseException as error:
            # Files are closed only when the frames of what failed let go of their sinks.
            traceback.clear_frames(error.__traceback__)
            self._discard_all(feedback)
            if isinstance(error, client.EngineError):
                raise QgsProcessingException(str(error)) from error
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def compute(self, asked: Asked) -> dict[str, Any]:
        """Do the work: what the tool returns, by the names of Processing."""
        job = self.prepare(asked)
        low, high = self.tool.PROGRESS
        written = [
            job.get(parameter.key) or ""
            for parameter in parameters_of(self.tool)
            if isinstance(parameter.kind, (kinds.RasterDestination, kinds.FileDestination)) and _is_removed(parameter)
        ]
        try:
            # Nothing was read: the job has the whole bar.
            low = low if asked.source is not None or low < 20.0 else 0.0
            result = self.run_job(self.tool.JOB, job, asked.feedback, written, low, high)
        except QgsProcessingException as error:
            if isinstance(error.__cause__, client.EngineCancelled) and (why := self.describe_cancelled(asked)):
                raise QgsProcessingException(why) from error
            raise
        return self.finish(asked, result)

    def prepare(self, asked: Asked) -> dict[str, Any]:
        """Read what was given: the job's parameters."""
        return asked.prepare()

    def describe_cancelled(self, asked: Asked) -> str:
        """Describe what a cancelled run has left on purpose; empty for nothing."""
        return ""

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Write and style the layers; what the tool returns, by the names of Processing."""
        returned: dict[str, Any] = {}
        written = self._write_vectors(asked, result)
        for parameter in parameters_of(self.tool):
            if not isinstance(parameter.kind, kinds.Destination):
                continue
            if isinstance(parameter.kind, (kinds.VectorDestination, kinds.PanelDestination)):
                destination = written.get(parameter.name)
            elif isinstance(parameter.kind, kinds.FolderDestination) or not _is_removed(parameter):
                continue
            else:
                # What the job could not write it says itself.
                destination = result.get(parameter.key, asked.job.get(parameter.key)) and asked.job.get(parameter.key)
            if destination:
                returned[parameter.name] = destination
                self._style(asked, parameter, str(destination), result)
                if isinstance(parameter.kind, kinds.PanelDestination):
                    self.style_output(panels.areas_of(destination), self.tr("Areas"), styles.style_panel_areas)
                last_files.announce(str(destination))
        if "refusals" in result and asked.places is not None:
            total = len(asked.places.x) + len(asked.places.refused)
            self.report_refused(self._all_refused(asked, result), total, asked.feedback)
        numbers = {output.name: _looked_up(result, output.key) for output in self.tool.OUTPUTS}
        if "refusals" in result and asked.places is not None:
            numbers["REFUSED_COUNT"] = len(asked.places.refused) + len(result["refusals"])
        return {**numbers, **returned}

    def _write_vectors(self, asked: Asked, result: dict[str, Any]) -> dict[str, str]:
        """Write all layers that are wanted, or none; returns their ids by the names of Processing."""
        kept = (kinds.VectorDestination, kinds.PanelDestination)
        wanted = [
            each
            for each in parameters_of(self.tool)
            if isinstance(each.kind, kept) and asked.read_given(each) is not None
        ]
        low, high = self.tool.PROGRESS[1], 99.0
        share = (high - low) / max(len(wanted), 1)
        made: dict[str, str] = {}
        with landing.Landing(asked.feedback.isCanceled) as together:
            for parameter in wanted:
                part = low, low + share
                low += share
                if isinstance(parameter.kind, kinds.PanelDestination):
                    made[parameter.name] = panels.bring(asked, parameter, together)
                    continue
                sink = Sink(self, asked.parameters, parameter.name, asked.context, asked.feedback, asked.folder, *part)
                rows = self.rows_of(asked, parameter, result)
                # What the job could not write it says itself.
                if isinstance(rows, Rows) or rows.path.exists():
                    made[parameter.name] = sink.write(rows, together)
            together.land()
        return made

    def rows_of(self, asked: Asked, parameter: Parameter, result: dict[str, Any]) -> Rows | Table:
        """What a vector destination gets: the table that the job has written, or features made here."""
        if parameter.key == "refused" and not parameter.job:
            return self._refused_rows(asked, result)
        kept = next((each for each in parameters_of(self.tool) if isinstance(each.kind, kinds.FeatureIds)), None)
        if kept is not None and kept.kind.of == parameter.key:
            assert asked.source is not None
            return features.select_rows(asked.source, asked.job[kept.key])
        source = asked.open_source(parameter.kind.of) if parameter.kind.of else None
        return Table(Path(asked.job[parameter.key]), source and source.fields().names())

    def _refused_rows(self, asked: Asked, result: dict[str, Any]) -> Rows:
        fields = features.fields_of({"feature_id": "long", "reason": "text"})
        refused = self._all_refused(asked, result)
        rows = (features.make_feature(fields, row) for row in sorted(refused))
        return Rows(fields, Qgis.WkbType.NoGeometry, QgsCoordinateReferenceSystem(), rows, len(refused))

    @staticmethod
    def _all_refused(asked: Asked, result: dict[str, Any]) -> list[tuple[int, str]]:
        # Where incidents may be left empty, nothing was read.
        unread = asked.places.refused if asked.places is not None else []
        return unread + [(int(fid), str(reason)) for fid, reason in result["refusals"]]

    def _style(self, asked: Asked, parameter: Parameter, destination: str, result: dict[str, Any]) -> None:
        kind = parameter.kind
        if not kind.style:
            return
        sentences = [str(result[kind.abstract])] if kind.abstract else []
        if kind.after:
            name = asked.find_parameter(kind.after).name
            layer = self.read_map_input(asked.parameters, name, asked.context)
            sentences.insert(0, read_model(layer) or str(result.get("card", "")))
        assert parameter.shown is not None
        # What is imported has a field of its own.
        known = {"time_field": asked.read_text("time_field") or "occurred", **result}
        self.style_output(
            destination,
            translate(parameter.shown.title, parameter.owner),
            lambda layer: styles.apply(kind.style, layer, known),
            describe_result(result, " ".join(filter(None, sentences)), str(result.get(kind.maker) or "")),
        )


#: Kinds whose values can be had without reading a layer or file.
_PLAIN = (kinds.Number, kinds.Flag, kinds.Text, kinds.Choice, kinds.Settings)


def _is_removed(parameter: Parameter) -> bool:
    return not getattr(parameter.kind, "outlives", False)


def _integers(parameter: Parameter, value: Any) -> Any:
    """The integer of a choice that is named by its value, or the list of several; anything else as it is."""
    names = {str(name).casefold(): number for number, name in enumerate(parameter.kind.values)}
    if is_several(parameter):
        parts = re.split("[;,]", value) if isinstance(value, str) and value else value
        if isinstance(parts, (list, tuple)) and any(str(part).strip().casefold() in names for part in parts):
            return [names.get(str(part).strip().casefold(), part) for part in parts]
        return value
    return names.get(value.strip().casefold(), value) if isinstance(value, str) else value


def _looked_up(result: dict[str, Any], key: str) -> Any:
    """An entry of a job's result; see `contract.tools.base.Output`."""
    value: Any = result
    for part in key.split("."):
        name = str(result.get(part[1:-1], "")) if part.startswith("{") else part
        value = value.get(name) if isinstance(value, dict) else None
    return value
