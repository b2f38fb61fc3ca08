"""Texts that people see, said here and translated where they are shown."""

from __future__ import annotations


def tr(text: str) -> str:
    """Mark a text for Qt's lupdate; translation happens where it is shown."""
    return text


def count_text(number: float, one: str, many: str = "") -> str:
    """Say how many of something there are: "1 incident", "2,000 incidents"; "1 month is", "2 months are"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
