"""Settings that come from users and from files, checked against what they are for: names, types, limits."""

from __future__ import annotations

import inspect
import json
import math
import typing
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..ground.errors import ParameterError


def read_settings(
    owner: type,
    given: Mapping[str, Any],
    title: str,
    parameter: str,
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> dict[str, Any]:
    """Check settings against the arguments of a class; returns them as its annotations have them.

    They are read as JSON, so that a list may stand for a tuple and an object for a dataclass, but no text for a number.
    A value that JSON does not know, such as a caller's own object, is left to the class.

    Parameters
    ----------
    owner : type
        The class whose arguments they are.
    given : mapping
    title : str
        What errors call the class.
    parameter : str
        Job parameter that errors name.
    limits : mapping of str to (float, float), optional
        What numbers of these names are from and to.

    Raises
    ------
    ParameterError
        For a name that is no argument, a value of another type, or one beyond its limits.
    """
    known = list(inspect.signature(owner).parameters)
    try:
        types = typing.get_type_hints(owner.__init__)  # type: ignore[misc]
    except NameError:
        # A type that only checkers import: such a class checks its arguments itself.
        types = {}
    settings = {}
    for name, value in given.items():
        if name not in known:
            raise ParameterError(
                f"{title} has no setting {name!r}",
                parameter=parameter,
                value=value,
                remedy="It has " + ", ".join(known),
            )
        problem = None
        low, high = (limits or {}).get(name, (-math.inf, math.inf))
        if isinstance(value, int | float) and not low <= value <= high:
            problem = f"from {low:g} to {high:g} is possible"
        try:
            text = json.dumps(value)
        except TypeError:
            settings[name] = value
            continue
        try:
            settings[name] = TypeAdapter(types.get(name, Any)).validate_json(text, strict=True)
        except ValidationError as error:
            problem = error.errors()[0]["msg"].lower()
        if problem:
            raise ParameterError(
                f"{title}'s setting {name} is {value!r}: {problem}",
                parameter=parameter,
                value=value,
                remedy=f"Give {name} such a value, or leave it out",
            )
    return settings


def check_positive(remedy: str = "Give a positive number", /, **numbers: float) -> None:
    """Refuse arguments that are not greater than 0.

    Raises
    ------
    ParameterError
    """
    for name, number in numbers.items():
        if not number > 0:
            raise ParameterError(
                f"{name} is {number:g}; it must be greater than 0", parameter=name, value=number, remedy=remedy
            )


def check_choice(name: str, value: str, choices: Collection[str], remedy: str) -> None:
    """Refuse an argument that is none of `choices`.

    Raises
    ------
    ParameterError
    """
    if value not in choices:
        raise ParameterError(f"{name} is {value!r}", parameter=name, value=value, remedy=remedy)
