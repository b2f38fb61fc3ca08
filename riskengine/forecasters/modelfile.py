"""Model files (``.crimemodel``) of every forecaster, read by name; torch is imported only for a model that needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..contract.forecasters import FORECASTERS
from ..ground.containers import Arrays
from ..ground.damage import describe_fault
from ..ground.errors import CrimeRiskError
from ..learning.settings import read_settings
from .base import Forecaster
from .catalogue import LIMITS, import_forecaster
from .modelcard import FORECAST_MODEL, PLAIN_FORMAT, ModelCard


def save_model(path: str | Path, model: Forecaster, card: ModelCard, parameter: str = "model_output") -> None:
    """Write a fitted model whole or not at all."""
    FORECAST_MODEL.write(path, model.state(), card, parameter)


def load_model(path: str | Path, parameter: str = "model") -> tuple[Forecaster, ModelCard]:
    """Read what `save_model` wrote.

    Raises
    ------
    FormatError
        If the file is missing, truncated, damaged, of another kind, or of a newer format.
    """
    card, arrays = FORECAST_MODEL.read(path, parameter, _from_older)
    if card.name not in FORECASTERS:
        why = f"holds a model {card.name[:40]!r}, which this version does not know"
        raise FORECAST_MODEL.make_error(path, why, parameter)
    try:
        owner = import_forecaster(card.name)
        model = owner(**read_settings(owner, card.settings, FORECASTERS[card.name].title, parameter, LIMITS))
    except (KeyError, ValueError, TypeError, AttributeError, CrimeRiskError) as error:
        reason = error.problem if isinstance(error, CrimeRiskError) else describe_fault(error)
        why = f"is damaged: its description does not hold together ({reason})"
        raise FORECAST_MODEL.make_error(path, why, parameter) from error
    try:
        model.restore(arrays)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, RuntimeError) as error:
        raise FORECAST_MODEL.make_misfit_error(path, parameter, error) from error
    return model, card


def _from_older(head: dict[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
    """A file of an older format as one of the newest; format 1 held nothing but ConvLSTM networks."""
    if head["format"] > 1:
        return head, arrays
    head = dict(head)
    architecture, window, curves = head["architecture"], head["window"], head.pop("curves")
    start, middle, end = (np.datetime64(window[name], "s") for name in ("start", "validation", "end"))
    # Not kept by format 1; bins of a like length make it exact.
    trained = round(window["maps"] * float((middle - start) / (end - start)))
    state: Arrays = {f"network.{name}": array for name, array in arrays.items()}
    state |= {f"curves.{name}": np.asarray(value, dtype=np.float64) for name, value in curves.items()}
    state |= {
        "weight_": np.asarray(float(head["positive_weight"])),
        "trained_maps_": np.asarray(trained),
        "fitted_maps_": np.asarray(int(window["maps"])),
    }
    card = {
        **head,
        "format": PLAIN_FORMAT,
        "name": "convlstm",
        "settings": {**architecture, "seed": head["seed"], "schedule": head["schedule"]},
        "threshold": architecture["threshold"],
        "may_be_infinite": [name for name in state if name.startswith("curves.")],
    }
    return card, state
