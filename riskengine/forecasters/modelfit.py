"""Which counts a trained model fits: what is refused, what it can bear, and how they are brought to what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..contract.dates import count_bins, format_bin_length
from ..contract.forecasters import FORECASTERS
from ..contract.texts import count_text, format_amount, list_names, show_name, show_names
from ..ground.artefacts import compute_fingerprint
from ..ground.errors import ParameterError
from ..maps.heatmaps import Heatmaps
from ..maps.panel import Panel
from .modelcard import ModelCard
from .modelplace import CELL_TOLERANCE, GridPlace, arrange_units, describe_moved, find_moved


def check_fits(card: ModelCard, panel: Panel) -> list[str]:
    """Refuse counts the model was not made for; returns warnings about those it can bear.

    The length of a bin and the size of a cell are what a probability "per cell and bin" means, so another bin length
    and a cell size that differs by more than 1 % are refused. Another place or extent is fine where a model of a grid
    holds no location (a network's weights, a regression's coefficients): the long-run mean comes from the new maps. A
    model that learned something of each cell fits its own grid alone, and a model of areas fits its own areas, in any
    order.

    Raises
    ------
    ParameterError
    """
    if isinstance(panel, Heatmaps):
        return [*_check_maps(card, panel), *_compare_what_is_counted(card, panel, "these maps", "hold")]
    return [*_check_areas(card, panel), *_compare_what_is_counted(card, panel, "this panel", "holds")]


def arrange_like(card: ModelCard, panel: Panel) -> Panel:
    """Bring counts that fit to what the model knows: its delay, and of a panel its order of areas and its covariates.

    Covariates that it was not trained with are left out: `check_fits` names them.
    """
    panel = replace(panel, delay=card.delay)
    if card.units is None:
        return panel
    panel = arrange_units(card.units, panel)
    extras = panel.extras
    static = [extras.static_names.index(name) for name in card.static]
    covariates = {each.name: each for each in extras.covariates}
    return replace(
        panel,
        extras=replace(
            extras,
            static=extras.static[static] if static else type(extras)().static,
            static_names=tuple(card.static),
            covariates=tuple(covariates[each["name"]] for each in card.covariates),
        ),
    )


def _check_maps(card: ModelCard, heatmaps: Heatmaps) -> list[str]:
    """Of a grid."""

    def refuse(problem: str, value: object, remedy: str, parameter: str = "model") -> ParameterError:
        return ParameterError(
            problem, parameter=parameter, value=value, remedy=f"{remedy}, or train a model on these maps"
        )

    if card.grid is None:
        assert card.units is not None
        trained = f"{card.units['kind']}"
        raise refuse(
            f"The model was trained on a panel of {trained}, and these are hotspot grids",
            trained,
            "Give the panel that Count incidents by area made",
        )
    if heatmaps.bin != card.bin:
        raise refuse(
            f"The model was trained on maps of {card.bin}, these are maps of {heatmaps.bin or 'unknown length'}",
            card.bin,
            f"Rasterize the incidents in bins of {card.bin}",
        )
    cell = card.grid["cell"]
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
        _check_cells(card, card.grid, heatmaps)
    return []


def _check_areas(card: ModelCard, panel: Panel) -> list[str]:
    """Of areas or segments."""
    if card.units is None:
        raise ParameterError(
            f"The model was trained on hotspot grids, and this is a panel of {panel.noun}s",
            parameter="model",
            value=panel.support.kind,
            remedy="Give hotspot grids of the same cells, or train a model on this panel",
        )
    if panel.bin != card.bin:
        length = format_bin_length(card.bin)
        raise ParameterError(
            f"The model was trained on bins of {length}, this panel has bins of {format_bin_length(panel.bin)}",
            parameter="model",
            value=card.bin,
            remedy=f"Count the incidents in bins of {length}, or train a model on this panel",
        )
    panel = arrange_units(card.units, panel)
    warnings = [describe_moved(find_moved(card.units, card.crs, panel), panel)]
    delays = {each.name: each.delay for each in panel.extras.covariates}
    there = [*panel.extras.static_names, *delays]
    wanted = [*card.static, *(each["name"] for each in card.covariates)]
    if missing := [name for name in wanted if name not in there]:
        has = f"it has {list_names(there)}" if there else "it has none"
        raise ParameterError(
            f"The model was trained with covariates that this panel lacks: {list_names(missing)}; {has}",
            parameter="model",
            value=", ".join(missing),
            remedy="Add them under these names with Add covariates, or train a model on this panel",
        )
    if unknown := [name for name in there if name not in wanted]:
        warnings.append(
            f"The model was trained without these covariates of the panel, and reads none of them:"
            f" {list_names(unknown)}"
        )
    for each in card.covariates:
        now = max(delays.get(each["name"], each["delay"]), 0)
        if now != each["delay"]:
            warnings.append(
                f"The covariate {show_name(each['name'])} is known {_late(now, card.bin)} in this panel, and was known"
                f" {_late(each['delay'], card.bin)} when the model was trained: its forecasts may be off"
            )
    if panel.delay != card.delay:
        warnings.append(
            f"The panel says that its counts are known {_late(panel.delay, card.bin)}; the model was trained for counts"
            f" known {_late(card.delay, card.bin)}, and that holds"
        )
    return [warning for warning in warnings if warning]


def _late(delay: int, length: str) -> str:
    return f"{count_bins(delay, length)} late" if delay else "at once"


def _compare_what_is_counted(card: ModelCard, panel: Panel, these: str, hold: str) -> list[str]:
    """Warn of other categories, and of marks where counts were, or the other way round."""
    warnings = []
    trained, given = ({name.casefold(): name for name in each} for each in (card.categories, panel.categories))
    if trained.keys() != given.keys():
        if not trained or not given:
            what = f"those of {these if trained else 'the model'} are not recorded"
        else:
            only = ((trained, given, "only the model knows"), (given, trained, f"only {these} {hold}"))
            what = "; ".join(
                f"{text} {_names([name for key, name in one.items() if key not in other])}"
                for one, other, text in only
                if one.keys() - other.keys()
            )
        warnings.append(
            f"The model may have been trained on other categories than {these} {hold} ({what}): its forecasts may be"
            " off, look at the held-out figures"
        )
    if panel.binary != card.binary and not FORECASTERS[card.name].network:
        kinds = ("counts", f"{panel.bin_noun}s that only say whether there was an incident")
        warnings.append(
            f"The model was trained on {kinds[card.binary]}, these are {kinds[panel.binary]}: its forecasts may be off"
        )
    return warnings


def _check_cells(card: ModelCard, own: GridPlace, heatmaps: Heatmaps) -> None:
    """Refuse another grid or study area than the one whose cells the model knows."""
    grid = heatmaps.grid
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


def _names(names: Sequence[str]) -> str:
    return ", ".join(show_names(names)) or "(none)"
