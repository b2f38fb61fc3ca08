"""Every tool, declared once: a module per group of the toolbox, a class per tool (see `contract.tools.base`)."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from .base import Tool


@cache
def tools() -> dict[str, type[Tool]]:
    """Collect the declarations of all tools, by their ids, in the order of the modules and within them."""
    declared: dict[str, type[Tool]] = {}
    for module in pkgutil.iter_modules(__path__):
        members = vars(importlib.import_module(f"{__name__}.{module.name}"))
        declared.update(
            {
                each.ID: each
                for each in members.values()
                if isinstance(each, type) and issubclass(each, Tool) and each.ID
            }
        )
    return declared


@cache
def tool_of_job(job: str) -> type[Tool] | None:
    """The tool whose work a job does; None for a job that no tool shows."""
    return next((tool for tool in tools().values() if job == tool.JOB), None)
