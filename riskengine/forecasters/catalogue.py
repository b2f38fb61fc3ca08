"""Making a forecaster by its name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from ..contract.forecasters import FORECASTERS, OWN_PARAMETERS
from ..ground.errors import ParameterError
from ..learning.settings import read_settings
from .base import LEAST, MOST, MOST_METRES, Forecaster

#: What numbers among the settings may be, from and to: checked before anything is built of them.
LIMITS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("channels", "features", "hidden", "sequence_length"), (1, 4096)),
    **dict.fromkeys(("layers", "units"), (1, 64)),
    **dict.fromkeys(("closeness", "period", "trend"), (0, 4096)),
    **dict.fromkeys(("threshold", "window", "bins", "epochs", "batch_size", "leaves"), (1, 10**6)),
    **dict.fromkeys(("days", "trend_days", "learning_rate", "positive_weight"), (LEAST, MOST)),
    **dict.fromkeys(("shrinkage", "trend_shrinkage", "strength"), (0, MOST)),
    **dict.fromkeys(("share", "validation_share"), (0, 1)),
    "flagged": (LEAST, 1),
    "kernel": (1, 31),
    "squash": (0, 16),
    "border": (0, 1000),
    "trees": (0, 10**5),
    "bandwidth": (0, MOST_METRES),
    "half_life": (LEAST, MOST),
    "seed": (0, 2**63 - 1),
}


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
    read_settings(cls, given, FORECASTERS[name].title, f"settings.{name}", LIMITS)
    forecaster: Forecaster = cls(**given)
    return forecaster
