"""Dialogs of tools that have one of their own: whoever has a window registers what makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: What makes a tool's dialog, of its algorithm and a parent, by the tool's id. Empty without a window.
FACTORIES: dict[str, Callable[[Any, Any], Any]] = {}


def make_dialog(tool: str, algorithm: Any, parent: Any) -> Any:
    """Make the dialog of a tool; None for the one that Processing generates."""
    factory = FACTORIES.get(tool)
    return factory(algorithm, parent) if factory is not None else None
