"""Texts of the declarations in the user's language."""

from __future__ import annotations

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
