"""Every tool, declared once: a module per group of the toolbox, a class per tool (see `contract.tools.base`)."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from .base import Tool


@cache
def list_declarations() -> tuple[type[Tool], ...]:
    """Collect all declarations, in the order of the modules and within them: tools, and jobs that no tool shows."""
    declared: dict[type[Tool], None] = {}
    for module in pkgutil.iter_modules(__path__):
        members = vars(importlib.import_module(f"{__name__}.{module.name}"))
        classes = [each for each in members.values() if isinstance(each, type) and issubclass(each, Tool)]
        declared.update(dict.fromkeys(each for each in classes if each.JOB))
    return tuple(declared)


@cache
def list_tools() -> dict[str, type[Tool]]:
    """List the tools of the toolbox by their ids."""
    return {each.ID: each for each in list_declarations() if each.ID}


@cache
def tool_of_job(job: str) -> type[Tool] | None:
    """Find the declaration of a job; None for one that has a model of its own."""
    return next((each for each in list_declarations() if job == each.JOB), None)
