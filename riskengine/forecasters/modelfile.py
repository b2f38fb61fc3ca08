"""Model files (``.crimemodel``) of every forecaster: safetensors arrays with a JSON description in the header.

Reading runs no code, and torch is imported only for a model that needs it.
"""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..contract.forecasters import FORECASTERS
from ..ground.artefacts import check_head, whole_file
from ..ground.errors import CrimeRiskError, FormatError
from .base import Forecaster
from .catalogue import forecaster_class
from .modelcard import FORMAT, KIND, ModelCard, check_fits, describe, is_finite

__all__ = ["FORMAT", "KIND", "ModelCard", "check_fits", "describe", "load_model", "save_model"]

_KEY = "crimerisk"
#: Sizes that a network is built from, at most: a damaged header cannot ask for the moon.
_MOST = {"channels": 4096, "layers": 64, "units": 64, "kernel": 31, "sequence_length": 4096, "features": 4096}

State = dict[str, NDArray[Any]]


def save_model(path: str | Path, model: Forecaster, card: ModelCard, parameter: str = "model_output") -> None:
    """Write a fitted model whole or not at all."""
    # Not ascontiguousarray: it would turn a number into an array of one.
    arrays = {name: np.array(array, order="C") for name, array in model.state().items()}
    with whole_file(path, parameter) as temporary:
        temporary.write_bytes(save(arrays, metadata={_KEY: card.model_dump_json()}))


def load_model(path: str | Path, parameter: str = "model") -> tuple[Forecaster, ModelCard]:
    """Read what `save_model` wrote.

    Raises
    ------
    FormatError
        If the file is missing, truncated, damaged, of another kind, or of a newer format.
    """
    path = Path(path)

    def broken(why: str) -> FormatError:
        return FormatError(
            f"{path} {why}",
            parameter=parameter,
            value=path,
            remedy="Choose a model file written by Crime Risk, or leave it empty to train one",
        )

    if not path.is_file():
        raise broken("does not exist")
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get(_KEY)
            arrays: State = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise broken("is not a whole model file: it is truncated or of another kind") from error
    try:
        head: Any = json.loads(text) if text else None
    except ValueError as error:
        raise broken("is damaged: its description cannot be read") from error
    check_head(head, KIND, FORMAT, path, parameter)
    try:
        if head["format"] == 1:
            head, arrays = _from_format_1(head, arrays)
        card = ModelCard.model_validate(head)
        if card.name not in FORECASTERS:
            raise broken(f"holds a model {card.name!r}, which this version does not know")
        model = _make(card)
    except FormatError:
        raise
    except (ValidationError, KeyError, ValueError, TypeError, AttributeError, CrimeRiskError) as error:
        raise broken(f"is damaged: its description does not hold together ({_why(error)})") from error
    wrong = [name for name, array in arrays.items() if name not in card.may_be_infinite and not is_finite(array)]
    if wrong:
        raise broken(f"is damaged: it holds weights that are no numbers ({wrong[0]})")
    try:
        model.restore(arrays)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, RuntimeError) as error:
        raise broken("is damaged: its description does not fit its weights") from error
    return model, card


def _why(error: Exception) -> str:
    """The first line of what is wrong."""
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc'])) or error.title}: {fault['msg']}"
    return error.sentence() if isinstance(error, CrimeRiskError) else f"{type(error).__name__}: {error}"


def _make(card: ModelCard) -> Forecaster:
    """An unfitted forecaster of the card's settings, each of which is checked against the type of its argument."""
    kind = forecaster_class(card.name)
    known = [name for name in inspect.signature(kind.__init__).parameters if name != "self"]
    try:
        types = typing.get_type_hints(kind.__init__)
    except NameError:
        # A type that only checkers import: such a class checks its arguments itself.
        types = {}
    settings = {}
    for name, value in card.settings.items():
        if name not in known:
            raise ValueError(f"{FORECASTERS[card.name].title} has no setting {name!r}")
        if name in _MOST and isinstance(value, int) and value > _MOST[name]:
            raise ValueError(f"{name} is {value}, at most {_MOST[name]} is possible")
        # As JSON, so that a list may become a tuple and an object a schedule, but no text a number.
        try:
            settings[name] = TypeAdapter(types.get(name, Any)).validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            raise ValueError(f"{name} is {value!r}: {error.errors()[0]['msg']}") from error
    return kind(**settings)


def _from_format_1(head: Mapping[str, Any], arrays: State) -> tuple[dict[str, Any], State]:
    """A file of format 1, which held nothing but ConvLSTM networks, as one of format 2."""
    architecture, window = head["architecture"], head["window"]
    start, middle, end = (np.datetime64(window[name], "s") for name in ("start", "validation", "end"))
    # Not kept by format 1; bins of a like length make it exact.
    trained = round(window["maps"] * float((middle - start) / (end - start)))
    state: State = {f"network.{name}": array for name, array in arrays.items()}
    state |= {f"curves.{name}": np.asarray(value, dtype=np.float64) for name, value in head["curves"].items()}
    state |= {
        "weight_": np.asarray(float(head["positive_weight"])),
        "trained_maps_": np.asarray(trained),
        "fitted_maps_": np.asarray(int(window["maps"])),
    }
    card = {
        **head,
        "format": FORMAT,
        "name": "convlstm",
        "settings": {**architecture, "seed": head["seed"], "schedule": head["schedule"]},
        "threshold": architecture["threshold"],
        "may_be_infinite": [name for name in state if name.startswith("curves.")],
    }
    return card, state
