"""Import incidents: what is said before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback

from .tool_algorithm import ToolAlgorithm
from .values import Asked


class Algorithm(ToolAlgorithm):
    """Import incidents."""

    def prepare(self, asked: Asked) -> dict[str, Any]:
        """Refuse a file that is not there; a delimiter may be written as \\t."""
        job = super().prepare(asked)
        if not Path(job["path"]).is_file():
            raise QgsProcessingException(
                self.tr("INPUT: there is no file {path}. Choose an existing CSV file.").format(path=job["path"])
            )
        if job["delimiter"]:
            job["delimiter"] = job["delimiter"].replace("\\t", "\t")
        return job

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
        asked.feedback.pushInfo(
            self.tr("{imported} of {rows} rows imported, {refused} refused; incidents from {first} to {last}").format(
                imported=f"{result['imported']:,}",
                rows=f"{result['rows']:,}",
                refused=f"{result['refused']:,}",
                first=result["first"],
                last=result["last"],
            )
        )
        return returned
