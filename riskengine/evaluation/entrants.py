"""Who takes part in a backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..contract.forecasters import FORECASTERS, ForecasterRecord
from ..forecasters.base import Forecaster
from ..forecasters.baselines import ConstantForecaster
from ..forecasters.catalogue import make_forecaster
from ..ground.errors import ParameterError
from ..ground.failures import describe_failure


def make_entrants(
    models: Sequence[str] | Mapping[str, Forecaster], threshold: int, settings: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Forecaster], dict[str, str]]:
    """Make the unfitted forecasters by name, a constant (the reference of the Brier skill) always among them; and say
    by name why others cannot take part: a package of theirs is missing.

    Raises
    ------
    ParameterError
        For an unknown name or setting.
    """
    failures: dict[str, str] = {}
    if isinstance(models, Mapping):
        forecasters = dict(models)
    else:
        unknown = [name for name in settings if name not in models]
        if unknown:
            raise ParameterError(
                f"There are settings for {unknown[0]!r}, which does not take part",
                parameter="settings",
                value=unknown[0],
                remedy="Name it among the models, or leave its settings out",
            )
        forecasters = {}
        for name in models:
            try:
                forecasters[name] = make_forecaster(name, **{"threshold": threshold, **settings.get(name, {})})
            except ImportError as error:
                failures[name] = describe_failure(error)
    if "constant" not in forecasters:
        forecasters["constant"] = ConstantForecaster(threshold)
    return forecasters, failures


def find_record(name: str, forecaster: Forecaster) -> ForecasterRecord | None:
    """Find a forecaster's record, by the name given to it or by its own."""
    return FORECASTERS.get(name) or FORECASTERS.get(forecaster.name)
