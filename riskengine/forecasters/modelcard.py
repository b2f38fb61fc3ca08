"""What a forecaster says about itself: its making, its training window, its grid; and which maps it fits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from ..contract.forecasters import FORECASTERS
from ..contract.texts import count_text, format_amount
from ..ground.artefacts import compute_fingerprint
from ..ground.damage import Moment
from ..ground.errors import ParameterError
from ..learning.modelfile import Card, FileKind, is_finite, list_versions
from ..maps.heatmaps import Heatmaps
from .base import Forecaster
from .heldout import AGAINST, Against, Figure

KIND = "crimerisk.forecastmodel"
FORMAT = 2
#: Cell sizes may differ by this share before a model is refused, and grids by this share of a cell.
CELL_TOLERANCE = 0.01


Side = Annotated[float, Field(ge=1, le=1_000_000)]
Place = Annotated[float, Field(ge=-1e9, le=1e9)]


class GridPlace(TypedDict):
    """Where the cells lie: side and corner in metres."""

    cell: Annotated[float, Field(gt=0, le=1e7)]
    columns: Side
    rows: Side
    west: Place
    north: Place


class Window(BaseModel):
    """Half-open spans of the training, ISO times: [start, end); a network was trained on [start, validation) and
    chose its epoch on [validation, end)."""

    model_config = ConfigDict(extra="ignore")
    start: Moment
    validation: Moment | Literal[""] = ""
    end: Moment
    maps: int = Field(ge=1, le=10**9)


class ModelCard(Card):
    """Everything a model file says about itself.

    Attributes
    ----------
    name : str
        The forecaster's.
    settings : dict
        Arguments it was made with.
    threshold : int
        Incidents in a cell and bin that count as an event.
    window : Window
        Nothing from `window.end` on was seen by training, selection or weighting.
    grid : dict
        cell (metres), columns, rows, west, north.
    area : str
        Hash of the study area.
    located : bool
        Whether what it learned belongs to the cells of this grid, so that it says nothing about another.
    crs, bin : str
    binary : bool
        Fitted on maps that only say whether there was an incident.
    static, channels : list of str
        Names of the further layers it was fitted with.
    may_be_infinite : list of str
        Arrays in which infinite or missing numbers are meant.
    positive_weight : float, optional
        Weight of an event in a network's loss; its probabilities are corrected for it.
    metrics, versions : dict
    seed : int
    fingerprint : str
        Hash of the maps it was trained on.
    categories : list of str
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
    kind: str = KIND
    format: int = FORMAT
    name: str
    settings: dict[str, Any]
    threshold: int = Field(1, ge=1)
    window: Window
    grid: GridPlace
    area: str = ""
    located: bool = False
    crs: str
    bin: Annotated[str, Field(pattern=r"^(\d+ (hours|days|weeks|months))?$")]
    binary: bool = False
    static: list[str] = []
    channels: list[str] = []
    may_be_infinite: list[str] = []
    positive_weight: float | None = None
    metrics: dict[str, dict[str, Against | Figure]] = {}
    seed: int
    versions: dict[str, str]
    fingerprint: str
    categories: list[str] = []

    @field_validator("metrics")
    @classmethod
    def _check_against(cls, metrics: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for figures in metrics.values():
            for name, figure in figures.items():
                if isinstance(figure, dict) != (name == AGAINST):
                    raise ValueError(f"{name} is no figure")
        return metrics

    def may_hold_any_number(self, name: str) -> bool:
        """Of what is not a network's weights, as a limit without an upper end."""
        return name in self.may_be_infinite


FORECAST_MODEL = FileKind(
    KIND,
    FORMAT,
    ModelCard,
    "model file",
    "Choose a model file written by Crime Risk, or leave it empty to train one",
)


def make_card(model: Forecaster, history: Heatmaps, metrics: dict[str, Any] | None = None) -> ModelCard:
    """Make the card of `model`, fitted on `history`.

    Parameters
    ----------
    model : Forecaster
        Fitted.
    history : Heatmaps
        What it was fitted on; maps that follow its training window do not matter.
    metrics : dict, optional
        Figures by forecaster, from maps it did not know.
    """
    grid, state = history.grid, model.state()
    maps = int(getattr(model, "fitted_maps_", len(history)))
    trained = getattr(model, "trained_maps_", None)
    return ModelCard(
        name=model.name,
        settings=to_jsonable_python(model.settings()),
        threshold=int(getattr(model, "threshold", 1)),
        window=Window(
            start=str(history.edges[0]),
            validation="" if trained is None else str(history.edges[int(trained)]),
            end=str(history.edges[maps]),
            maps=maps,
        ),
        grid={
            "cell": grid.cell,
            "columns": grid.columns,
            "rows": grid.rows,
            "west": grid.west,
            "north": grid.north,
        },
        area=compute_fingerprint(history.mask),
        located=any(_on_cells(name, array, history.mask) for name, array in state.items()),
        crs=grid.crs,
        bin=history.bin,
        binary=history.binary,
        static=list(history.extras.static_names),
        channels=list(history.extras.channel_names),
        may_be_infinite=[name for name, array in state.items() if "network." not in name and not is_finite(array)],
        positive_weight=getattr(model, "weight_", None),
        metrics=metrics or {},
        seed=int(getattr(model, "seed", 0)),
        versions=list_versions(),
        fingerprint=compute_fingerprint(history.counts[:maps], history.mask, history.edges[: maps + 1]),
        categories=history.categories,
    )


def _on_cells(name: str, array: NDArray[Any], mask: NDArray[np.bool_]) -> bool:
    """Whether an array has a value per cell of the grid or of the study area.

    Of a network's weights only three dimensions can: two are a layer's, four a convolution's. On a grid of a few cells
    other arrays may look alike, which only makes the check stricter.
    """
    if "network." in name:
        return array.ndim == 3 and array.shape[-2:] == mask.shape
    if array.ndim in (2, 3) and array.shape[-2:] == mask.shape:
        return True
    return array.ndim in (1, 2) and mask.sum() > 1 and array.shape[-1] in (int(mask.sum()), mask.size)


def check_fits(card: ModelCard, heatmaps: Heatmaps) -> list[str]:
    """Refuse maps the model was not made for; returns warnings about those it can bear.

    The length of a bin and the size of a cell are what a probability "per cell and bin" means, so another bin length
    and a cell size that differs by more than 1 % are refused. Another place or extent is fine where the model holds no
    location (a network's weights, a regression's coefficients): the long-run mean comes from the new maps. A model
    that learned something of each cell fits its own grid alone.

    Raises
    ------
    ParameterError
    """

    def refuse(problem: str, value: object, remedy: str, parameter: str = "model") -> ParameterError:
        return ParameterError(
            problem, parameter=parameter, value=value, remedy=f"{remedy}, or train a model on these maps"
        )

    if heatmaps.bin != card.bin:
        raise refuse(
            f"The model was trained on maps of {card.bin}, these are maps of {heatmaps.bin or 'unknown length'}",
            card.bin,
            f"Rasterize the incidents in bins of {card.bin}",
        )
    cell = float(card.grid.get("cell", float("nan")))
    if not abs(heatmaps.grid.cell / cell - 1) <= CELL_TOLERANCE:
        raise refuse(
            f"The model was trained on cells of {format_amount(cell)} m, these are cells of"
            f" {format_amount(heatmaps.grid.cell)} m",
            cell,
            f"Rasterize the incidents with cells of {format_amount(cell)} m",
        )
    extras = heatmaps.extras
    for what, wanted, there in (
        ("static layers", card.static, list(extras.static_names)),
        ("category channels", card.channels, list(extras.channel_names)),
    ):
        if wanted != there:
            raise refuse(
                f"The model was trained with the {what} {_names(wanted)}, these maps come with {_names(there)}",
                ", ".join(there),
                f"Give the layers {_names(wanted)} as extras, in this order",
                "extras",
            )
    if card.located:
        _check_place(card, heatmaps)
    warnings = []
    trained, given = ({name.casefold(): name for name in each} for each in (card.categories, heatmaps.categories))
    if trained.keys() != given.keys():
        if not trained or not given:
            where = "these maps" if trained else "the model"
            what = f"those of {where} are not recorded"
        else:
            only = ((trained, given, "only the model knows"), (given, trained, "only these maps hold"))
            what = "; ".join(
                f"{text} {_names([name for key, name in one.items() if key not in other])}"
                for one, other, text in only
                if one.keys() - other.keys()
            )
        warnings.append(
            f"The model may have been trained on other categories than these maps hold ({what}): its forecasts may be"
            " off, look at the held-out figures"
        )
    if heatmaps.binary != card.binary and not FORECASTERS[card.name].network:
        kinds = ("counts", "maps that only say whether there was an incident")
        warnings.append(
            f"The model was trained on {kinds[card.binary]}, these are {kinds[heatmaps.binary]}: its forecasts may be"
            " off"
        )
    return warnings


def _check_place(card: ModelCard, heatmaps: Heatmaps) -> None:
    """Refuse another grid or study area than the one whose cells the model knows."""
    grid, own = heatmaps.grid, card.grid
    near = CELL_TOLERANCE * grid.cell
    same = (
        (grid.columns, grid.rows) == (own["columns"], own["rows"])
        and abs(grid.west - own["west"]) <= near
        and abs(grid.north - own["north"]) <= near
    )
    if same and card.area in ("", compute_fingerprint(heatmaps.mask)):
        return
    here = f"{grid.columns} × {count_text(grid.rows, 'cell')} from {grid.west:.0f}, {grid.north:.0f}"
    raise ParameterError(
        f"The {FORECASTERS[card.name].title} model learned something about each cell of its own grid"
        f" ({own['columns']:.0f} × {count_text(own['rows'], 'cell')} from {own['west']:.0f}, {own['north']:.0f});"
        f" these maps have"
        f" {'another study area' if same else here}",
        parameter="model",
        value=card.name,
        remedy="Use the grid and study area it was trained on, or train a model on these maps",
    )


def _names(names: list[str]) -> str:
    return ", ".join(names) or "(none)"
