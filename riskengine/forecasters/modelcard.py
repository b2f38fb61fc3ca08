"""What a forecaster says about itself: its making, its training window, its grid or its areas."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import to_jsonable_python
from typing_extensions import Self, TypedDict

from ..contract.aims import Catch, CatchUnit
from ..ground.artefacts import compute_fingerprint
from ..ground.damage import Moment
from ..learning.modelfile import Card, FileKind, is_finite, list_versions
from ..maps.heatmaps import Heatmaps
from ..maps.panel import Panel
from .base import Forecaster
from .heldout import AGAINST, CAUGHT, Against, CaughtNote, Figure
from .modelplace import GridPlace, UnitsPlace, check_units, describe_grid, describe_units
from .warningnote import WarningNote, check_note

KIND = "crimerisk.forecastmodel"
#: Of models of warnings: versions up to 0.9 would take steps of windows for bins to forecast, and refuse them.
FORMAT = 5
#: Of models made for the catch: versions up to 0.8 would take figures of windows for those of bins, and refuse them.
CATCH_FORMAT = 4
#: Of models of areas, and of those whose counts are known late, which 0.8 reads too.
PANEL_FORMAT = 3
#: Of models of grids whose counts are known at once, which versions up to 0.7 read too.
PLAIN_FORMAT = 2


class CovariateNote(TypedDict):
    """A covariate that a model was trained with, and how late its values were known."""

    name: str
    delay: Annotated[int, Field(ge=0, le=100_000)]


class Window(BaseModel):
    """Half-open spans of the training, ISO times: [start, end); a network was trained on [start, validation) and
    chose its epoch on [validation, end)."""

    model_config = ConfigDict(extra="ignore")
    start: Moment
    validation: Moment | Literal[""] = ""
    end: Moment
    maps: int = Field(ge=1, le=10**9)


class CatchNote(TypedDict):
    """What a model was made for: see `riskengine.contract.aims.Catch`."""

    size: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
    unit: CatchUnit
    window: Annotated[int, Field(strict=True, ge=1, le=100_000)]


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
    grid : GridPlace or None
        The cells, for a model of a grid.
    units : UnitsPlace or None
        The areas or segments, for any other.
    area : str
        Hash of the study area.
    located : bool
        Whether what it learned belongs to the cells of this grid, so that it says nothing about another.
    crs, bin : str
    delay : int
        Bins after which the counts were known: it looks so many bins further ahead.
    binary : bool
        Fitted on maps that only say whether there was an incident.
    static, channels : list of str
        Names of the further layers it was fitted with.
    covariates : list of CovariateNote
    may_be_infinite : list of str
        Arrays in which infinite or missing numbers are meant.
    positive_weight : float, optional
        Weight of an event in a network's loss; its probabilities are corrected for it.
    metrics, versions : dict
    seed : int
    fingerprint : str
        Hash of the maps it was trained on.
    categories : list of str
    catch : CatchNote or None
        What can be covered, and the bins that are one window, of a model made for the catch; None for probabilities.
    warning : WarningNote or None
        What it warns of, and its windows, of a model of warnings; None for all others.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
    kind: str = KIND
    format: int = FORMAT
    name: str
    settings: dict[str, Any]
    threshold: int = Field(1, ge=1)
    window: Window
    grid: GridPlace | None = None
    units: UnitsPlace | None = None
    area: str = ""
    located: bool = False
    crs: str
    bin: Annotated[str, Field(pattern=r"^(\d+ (hours|days|weeks|months))?$")]
    delay: int = Field(0, ge=0, le=100_000)
    binary: bool = False
    static: list[str] = []
    channels: list[str] = []
    covariates: list[CovariateNote] = []
    may_be_infinite: list[str] = []
    positive_weight: float | None = None
    metrics: dict[str, dict[str, Against | CaughtNote | Figure]] = {}
    seed: int
    versions: dict[str, str]
    fingerprint: str
    categories: list[str] = []
    catch: CatchNote | None = None
    warning: WarningNote | None = None

    @field_validator("metrics")
    @classmethod
    def _check_against(cls, metrics: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for figures in metrics.values():
            for name, figure in figures.items():
                if isinstance(figure, dict) != (name in (AGAINST, CAUGHT)):
                    raise ValueError(f"{name} is no figure")
                if name in (AGAINST, CAUGHT) and ("windows" in figure) != (name == CAUGHT):
                    raise ValueError(f"{name} is something else")
        return metrics

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if (self.grid is None) == (self.units is None):
            raise ValueError("it is of a grid or of areas, one of them")
        if self.units is not None:
            check_units(self.units)
        check_note(self.warning, self.bin, self.delay)
        return self

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


def make_card(
    model: Forecaster,
    history: Panel,
    metrics: dict[str, Any] | None = None,
    catch: Catch | None = None,
    warning: WarningNote | None = None,
) -> ModelCard:
    """Make the card of `model`, fitted on `history`.

    Parameters
    ----------
    model : Forecaster
        Fitted.
    history : Panel
        What it was fitted on; maps that follow its training window do not matter.
    metrics : dict, optional
        Figures by forecaster, from maps it did not know.
    catch : Catch, optional
        What it was made for, where that was the catch.
    warning : WarningNote, optional
        What it warns of, where it does.
    """
    state, of_grid = model.state(), isinstance(history, Heatmaps)
    area = history.mask if of_grid else np.array(history.support.ids)
    maps = int(getattr(model, "fitted_maps_", len(history)))
    trained = getattr(model, "trained_maps_", None)
    return ModelCard(
        format=_choose_format(history, catch is not None, warning is not None),
        name=model.name,
        settings=to_jsonable_python(model.settings()),
        threshold=int(getattr(model, "threshold", 1)),
        window=Window(
            start=str(history.edges[0]),
            validation="" if trained is None else str(history.edges[int(trained)]),
            end=str(history.edges[maps]),
            maps=maps,
        ),
        grid=describe_grid(history.grid) if isinstance(history, Heatmaps) else None,
        units=None if of_grid else describe_units(history),
        area=compute_fingerprint(area),
        located=any(_on_cells(name, array, history.mask) for name, array in state.items()),
        crs=history.support.crs,
        bin=history.bin,
        delay=history.delay,
        binary=history.binary,
        static=list(history.extras.static_names),
        channels=list(history.extras.channel_names),
        covariates=[{"name": each.name, "delay": max(each.delay, 0)} for each in history.extras.covariates],
        may_be_infinite=[name for name, array in state.items() if "network." not in name and not is_finite(array)],
        positive_weight=getattr(model, "weight_", None),
        metrics=metrics or {},
        seed=int(getattr(model, "seed", 0)),
        versions=list_versions(),
        fingerprint=compute_fingerprint(history.counts[:maps], history.mask, history.edges[: maps + 1]),
        categories=history.categories,
        catch=None if catch is None else CatchNote(size=catch.size, unit=catch.unit, window=catch.window),
        warning=warning,
    )


def _choose_format(history: Panel, catches: bool, warns: bool) -> int:
    """The oldest format that says all there is: as many versions as can be read the file."""
    if warns:
        return FORMAT
    if catches:
        return CATCH_FORMAT
    return PANEL_FORMAT if history.delay or not isinstance(history, Heatmaps) else PLAIN_FORMAT


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
