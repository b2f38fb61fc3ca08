"""Making a forecaster by its name."""

from __future__ import annotations

import importlib
import json
import typing
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..contract.forecasters import FORECASTERS
from ..ground.errors import ParameterError
from .base import Forecaster


def import_forecaster(name: str) -> type[Forecaster]:
    """Import the class of a forecaster.

    Raises
    ------
    ParameterError
        For an unknown name.
    """
    if name not in FORECASTERS:
        raise ParameterError(
            f"There is no forecaster {name!r}",
            parameter="models",
            value=name,
            remedy="Use one of " + ", ".join(FORECASTERS),
        )
    module, _, kind = FORECASTERS[name].place.partition(":")
    cls: type[Forecaster] = getattr(importlib.import_module(f".{module}", __package__), kind)
    return cls


def make(name: str, **settings: Any) -> Forecaster:
    """Make an unfitted forecaster.

    Parameters
    ----------
    name : str
        Of a record in `riskengine.contract.forecasters`.
    **settings
        Arguments of its class; `threshold` and `seed` are left out where it has no such argument.

    Raises
    ------
    ParameterError
        For an unknown name or setting.
    """
    cls = import_forecaster(name)
    known = cls.__init__.__code__.co_varnames[: cls.__init__.__code__.co_argcount]
    given = {key: value for key, value in settings.items() if key in known or key not in ("threshold", "seed")}
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ParameterError(
            f"{FORECASTERS[name].title} has no setting {unknown[0]!r}",
            parameter=f"settings.{name}",
            value=given[unknown[0]],
            remedy="It has " + ", ".join(known[1:]),
        )
    _check_types(name, cls, given)
    forecaster: Forecaster = cls(**given)
    return forecaster


def _check_types(name: str, cls: type[Forecaster], given: dict[str, Any]) -> None:
    """Refuse a text for a number and the like: settings come from users, as JSON.

    Raises
    ------
    ParameterError
    """
    try:
        types = typing.get_type_hints(cls.__init__)
    except NameError:
        # A type that only checkers import: such a class checks its arguments itself.
        return
    for key, value in given.items():
        try:
            text = json.dumps(value)
        except TypeError:
            # Not from JSON: a caller's own object, a schedule for example.
            continue
        try:
            # As JSON, so that a list may stand for a tuple, but no text for a number.
            TypeAdapter(types.get(key, Any)).validate_json(text, strict=True)
        except ValidationError as error:
            raise ParameterError(
                f"{FORECASTERS[name].title}'s setting {key} is {value!r}: {error.errors()[0]['msg'].lower()}",
                parameter=f"settings.{name}",
                value=value,
                remedy=f"Give {key} such a value, or leave it out",
            ) from error
