"""Tooltips, which Qt would read as HTML where a text looks like it."""

from __future__ import annotations

import html

from ..riskengine.contract.texts import show_name

#: Letters of a line that are shown: more would cover the screen.
_LENGTH = 300


def write_tip(*lines: str) -> str:
    """Write a tooltip that shows these lines as they are."""
    return f"<qt>{'<br>'.join(html.escape(show_name(line, _LENGTH)) for line in lines)}</qt>"
