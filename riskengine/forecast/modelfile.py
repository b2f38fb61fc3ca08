"""Model files (``.crimemodel``): safetensors weights with a JSON description in the header. Reading runs no code."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from .. import __version__
from ..artefacts import check_head, fingerprint, whole_file
from ..errors import FormatError, ParameterError
from ..heatmaps import Heatmaps
from .convlstm import ConvLSTMForecaster
from .training import Curves, Schedule

KIND = "crimerisk.forecastmodel"
FORMAT = 1
_KEY = "crimerisk"
#: Cell sizes may differ by this share before a model is refused.
CELL_TOLERANCE = 0.01


class Architecture(BaseModel):
    """What is needed to build the network again; bounded, so a damaged header cannot ask for the moon."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
    sequence_length: int = Field(ge=1, le=4096)
    channels: int = Field(ge=1, le=512)
    layers: int = Field(ge=1, le=16)
    kernel: int = Field(ge=1, le=15)
    threshold: int = Field(ge=1)


class Window(BaseModel):
    """Half-open spans of the training, ISO times: [start, validation) trained, [validation, end) chose the epoch."""

    model_config = ConfigDict(extra="ignore")
    start: str
    validation: str
    end: str
    maps: int = Field(ge=1)


class ModelCard(BaseModel):
    """Everything a model file says about itself.

    Attributes
    ----------
    architecture : Architecture
    window : Window
        Nothing from `window.end` on was seen by training, selection or weighting.
    grid : dict
        cell (metres), columns, rows, west, north.
    crs, bin : str
    positive_weight : float
        Weight of an event in the loss; the weights of the network are already corrected for it.
    schedule, curves, metrics, versions : dict
    seed : int
    fingerprint : str
        Hash of the maps it was trained on.
    categories : list of str
    """

    model_config = ConfigDict(extra="ignore")
    kind: str = KIND
    format: int = FORMAT
    name: str = "convlstm"
    architecture: Architecture
    window: Window
    grid: dict[str, float]
    crs: str
    bin: str
    positive_weight: float
    schedule: dict[str, Any]
    curves: dict[str, Any]
    metrics: dict[str, Any] = {}
    seed: int
    versions: dict[str, str]
    fingerprint: str
    categories: list[str] = []


def versions() -> dict[str, str]:
    """Versions of what made a result."""
    return {
        "riskengine": __version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def describe(model: ConvLSTMForecaster, history: Heatmaps, metrics: dict[str, Any] | None = None) -> ModelCard:
    """The card of `model`, fitted on `history`."""
    grid = history.grid
    return ModelCard(
        architecture=Architecture(
            sequence_length=model.sequence_length,
            channels=model.channels,
            layers=model.layers,
            kernel=model.kernel,
            threshold=model.threshold,
        ),
        window=Window(
            start=str(history.edges[0]),
            validation=str(history.edges[model.trained_maps_]),
            end=str(history.edges[model.fitted_maps_]),
            maps=model.fitted_maps_,
        ),
        grid={
            "cell": grid.cell,
            "columns": grid.columns,
            "rows": grid.rows,
            "west": grid.west,
            "north": grid.north,
        },
        crs=grid.crs,
        bin=history.bin,
        positive_weight=model.weight_,
        schedule=asdict(model.schedule),
        curves=asdict(model.curves_),
        metrics=metrics or {},
        seed=model.seed,
        versions=versions(),
        fingerprint=fingerprint(history.counts[: model.fitted_maps_], history.mask, history.edges),
        categories=history.categories,
    )


def save_model(path: str | Path, model: ConvLSTMForecaster, card: ModelCard, parameter: str = "model_output") -> None:
    """Write a fitted model whole or not at all."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.network_.state_dict().items()}
    with whole_file(path, parameter) as temporary:
        temporary.write_bytes(save(weights, metadata={_KEY: card.model_dump_json()}))


def load_model(path: str | Path, parameter: str = "model") -> tuple[ConvLSTMForecaster, ModelCard]:
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
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError) as error:
        raise broken("is not a whole model file: it is truncated or of another kind") from error
    try:
        head = json.loads(text) if text else None
    except ValueError as error:
        raise broken("is damaged: its description cannot be read") from error
    check_head(head, KIND, FORMAT, path, parameter)
    try:
        card = ModelCard.model_validate(head)
        model = ConvLSTMForecaster(
            **card.architecture.model_dump(),
            seed=card.seed,
            schedule=Schedule(**card.schedule),
        )
        model.curves_ = Curves(**card.curves)
        network = model.build()
        network.load_state_dict(weights)
    except (ValidationError, TypeError, RuntimeError, ParameterError) as error:
        raise broken("is damaged: its description does not fit its weights") from error
    if not all(torch.isfinite(tensor).all() for tensor in weights.values()):
        raise broken("is damaged: it holds weights that are no numbers")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.network_ = network.to(device).eval()
    model.weight_ = card.positive_weight
    model.fitted_maps_ = card.window.maps
    return model, card


def check_fits(card: ModelCard, heatmaps: Heatmaps) -> list[str]:
    """Refuse maps the model was not made for; returns warnings about those it can bear.

    The length of a bin and the size of a cell are what a probability "per cell and bin" means, so another bin length
    and a cell size that differs by more than 1 % are refused. Another place or extent is fine: the network holds no
    location, the running mean comes from the new maps.

    Raises
    ------
    ParameterError
    """
    if heatmaps.bin != card.bin:
        raise ParameterError(
            f"The model was trained on maps of {card.bin}, these are maps of {heatmaps.bin or 'unknown length'}",
            parameter="model",
            value=card.bin,
            remedy=f"Rasterize the incidents in bins of {card.bin}, or train a model on these maps",
        )
    cell = float(card.grid.get("cell", float("nan")))
    if not abs(heatmaps.grid.cell / cell - 1) <= CELL_TOLERANCE:
        raise ParameterError(
            f"The model was trained on cells of {cell:g} m, these are cells of {heatmaps.grid.cell:g} m",
            parameter="model",
            value=cell,
            remedy=f"Rasterize the incidents with cells of {cell:g} m, or train a model on these maps",
        )
    warnings = []
    if heatmaps.categories != card.categories:
        warnings.append(
            "The model was trained on other categories ("
            + (", ".join(card.categories) or "all")
            + ") than these maps hold ("
            + (", ".join(heatmaps.categories) or "all")
            + "): its forecasts may be off, look at the held-out figures"
        )
    return warnings
