"""Making a forecaster by its name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from ..contract.forecasters import FORECASTERS
from ..ground.errors import ParameterError
from ..learning.settings import read_settings
from .base import Forecaster

#: What every forecaster may be given beside its settings.
OWN_PARAMETERS = ("threshold", "seed")


def forecaster_class(name: str) -> type[Forecaster]:
    """The class of a forecaster, imported now.

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
    """An unfitted forecaster.

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
    cls = forecaster_class(name)
    known = inspect.signature(cls).parameters
    given = {key: value for key, value in settings.items() if key in known or key not in OWN_PARAMETERS}
    # Checked, but taken as they are: a model's settings are what was given.
    read_settings(cls, given, FORECASTERS[name].title, f"settings.{name}")
    forecaster: Forecaster = cls(**given)
    return forecaster


def make_configured(name: str, settings: Mapping[str, Any], threshold: int, seed: int) -> Forecaster:
    """An unfitted forecaster of a user's settings, which leave threshold and seed to parameters of their own.

    Raises
    ------
    ParameterError
        For an unknown name or setting, or one of the two given twice.
    """
    for own in OWN_PARAMETERS:
        if own in settings:
            raise ParameterError(
                f"{own} is a parameter of its own, and no setting",
                parameter=f"settings.{own}",
                value=settings[own],
                remedy=f"Give {own} beside settings",
            )
    return make(name, threshold=threshold, seed=seed, **settings)
