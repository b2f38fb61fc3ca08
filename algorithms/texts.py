"""Texts of the declarations in the user's language."""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import QgsProcessingParameterDefinition
from qgis.PyQt.QtCore import QCoreApplication

#: Where Qt's lupdate puts a text that stands outside of classes, and where this plugin's own code looks.
_CONTEXTS = ("@default", "CrimeRisk")


def translate(text: str, owner: str = "") -> str:
    """Translate a text that a declaration marks; `owner` is the class in which it stands."""
    for context in (owner, *_CONTEXTS):
        translated = QCoreApplication.translate(context, text)
        if translated != text:
            return str(translated)
    return text


def make_help(paragraphs: Iterable[str], parameters: Iterable[QgsProcessingParameterDefinition]) -> str:
    """Make the help beside a dialog: paragraphs, and a line for every parameter that explains itself."""
    # QGIS shows every line end as a break, so the lines of a paragraph are joined.
    text = [f"<p>{' '.join(part.split())}</p>" for part in paragraphs if part]
    lines = [f"<b>{each.description()}</b>: {each.help()}" for each in parameters if each.help()]
    return "".join(text) + ("<p>" + "<br>".join(lines) + "</p>" if lines else "")
