"""Texts that users see, marked for translation where they are written."""

from __future__ import annotations


def tr(text: str) -> str:
    """Mark a text for Qt's lupdate; translation happens where it is shown."""
    return text
