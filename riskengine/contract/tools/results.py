"""Results that are made only where a choice has a value: which are left out, and why one that was named is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..texts import tr
from .base import Parameter, Problem, Tool, parameters_of
from .kinds import Choice, Destination


def list_unasked_results(tool: type[Tool], given: Mapping[str, Any]) -> list[Parameter]:
    """List the destinations to which nothing is written, as the choices are.

    Parameters
    ----------
    tool : type of Tool
    given : mapping
        Values of the choices by key.
    """
    return [
        each
        for each in parameters_of(tool)
        if isinstance(each.kind, Destination) and each.where and not each.where.allows(given[each.where.key])
    ]


def list_unasked_problems(tool: type[Tool], given: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield destinations of the user's naming to which nothing would be written.

    Parameters
    ----------
    tool : type of Tool
    given : mapping
        Values of the choices by key.
    wanted : mapping
        By key, whether a destination was named, and is no temporary one.
    """
    kinds = {each.key: each.kind for each in parameters_of(tool)}
    for each in list_unasked_results(tool, given):
        if not wanted.get(each.key):
            continue
        assert each.where is not None
        choice = kinds[each.where.key]
        assert isinstance(choice, Choice)
        text = tr("{key} is {value}, but it is written only where {choice} is {title}. Leave it empty, or choose that.")
        said = {"key": f"{{{each.key}}}", "choice": f"{{{each.where.key}}}", "title": choice.titles[each.where.value]}
        yield Problem(each.key, text.format(value="{value}", **said))
