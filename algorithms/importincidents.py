"""Import incidents: what is said before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsProcessing, QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback

from ..bridge import formats
from ..riskengine.contract.texts import part_text
from . import destinations
from .known_rows import write_known_rows
from .tool_algorithm import ToolAlgorithm
from .values import Asked


class Algorithm(ToolAlgorithm):
    """Import incidents."""

    def prepare(self, asked: Asked) -> dict[str, Any]:
        """Refuse a file that is not there; a delimiter may be written as \\t, a saved format by its name alone."""
        asked.parameters = self._with_formats(asked.parameters, asked.context)
        job = super().prepare(asked)
        for name, path in [("INPUT", job["path"]), *(("MORE", path) for path in job["more"])]:
            if not Path(path).exists():
                raise QgsProcessingException(
                    self.tr("{name}: there is no file {path}. Choose an existing file, folder or archive.").format(
                        name=name, path=path
                    )
                )
        if job["delimiter"]:
            job["delimiter"] = job["delimiter"].replace("\\t", "\t")
        if destinations.is_appended(asked.parameters, "OUTPUT"):
            job["known"] = write_known_rows(asked, "OUTPUT", asked.folder / "known.csv")
        return job

    def _with_formats(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """The parameters with the files of the formats that are named without a folder."""
        made = dict(parameters)
        for name, find in (("PROFILE_FILE", formats.find_format), ("SAVE_PROFILE", formats.choose_destination)):
            text = self.parameterAsString(parameters, name, context)
            if formats.is_bare(text) and text != QgsProcessing.TEMPORARY_OUTPUT:
                made[name] = str(find(text))
        return made

    def read_asked(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """Read what the job would get, without anything that is written: for a look at the file.

        Raises
        ------
        QgsProcessingException
            With a sentence, if a value cannot be used.
        """
        parameters = self._with_integers(parameters)
        return self.prepare(Asked(self, self.tool, parameters, context, QgsProcessingFeedback(), Path()))

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Say what was imported, and write it."""
        returned = super().finish(asked, result)
        said = self.tr("{imported} imported, {refused} refused")
        if result["merged"]:
            said += self.tr(", {merged} merged")
        if result["first"]:
            said += self.tr("; incidents of {span}")
        numbers = {name: f"{result[name]:,}" for name in ("refused", "merged")}
        numbers["imported"] = part_text(result["imported"], result["rows"], "row")
        asked.feedback.pushInfo(said.format(**numbers, span=result["span_text"]) + ".")
        return returned
