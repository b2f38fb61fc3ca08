"""Tooltips that show a name as it is: Qt takes a text that looks like HTML for HTML."""

from __future__ import annotations

import html

from qgis.PyQt.QtCore import Qt

from ..riskengine.contract.texts import clean_text

#: Letters of a tooltip.
_LENGTH = 1000


def make_tooltip(text: str) -> str:
    """Make a tooltip of a text that a file, a user or a service has given."""
    shown = clean_text(text)
    shown = shown if len(shown) <= _LENGTH else f"{shown[: _LENGTH - 1]}…"
    if not Qt.mightBeRichText(shown):
        return shown
    return f"<qt>{html.escape(shown)}</qt>".replace("\n", "<br>")
