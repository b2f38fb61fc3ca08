"""Making a forecaster by its name."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from ..contract.forecasters import FORECASTERS, OWN_PARAMETERS
from ..ground.errors import ParameterError
from ..learning.settings import read_settings
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


def make_forecaster(name: str, **settings: Any) -> Forecaster:
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
    known = inspect.signature(cls).parameters
    given = {key: value for key, value in settings.items() if key in known or key not in OWN_PARAMETERS}
    # Checked, but taken as they are: a model's settings are what was given.
    read_settings(cls, given, FORECASTERS[name].title, f"settings.{name}")
    forecaster: Forecaster = cls(**given)
    return forecaster
