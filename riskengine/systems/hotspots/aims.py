"""What a forecast is made for, from the parameters of a job: the catch, and the windows that are held out for it."""

from __future__ import annotations

import math

from ...contract.aims import Catch, CatchUnit
from ...contract.dates import count_bins, name_window
from ...contract.forecasters import DEFAULT_CATCH, FORECASTERS
from ...contract.texts import count_text
from ...contract.units import COUNTS, SIZES, WHOLES
from ...forecasters.modelcard import ModelCard
from ...ground.errors import DataError
from ...maps.aims import find_flagged_share
from ...maps.bins import multiply_bin
from ...maps.grid import MAX_CELLS
from ...maps.panel import Panel
from .steps import hold_out


def make_catch(size: float, unit: CatchUnit, window: int, panel: Panel) -> Catch:
    """Make a catch that a panel can bear.

    Raises
    ------
    ParameterError
        If it covers more than the study area.
    """
    catch = Catch(size, unit, window)
    find_flagged_share(catch, panel)
    return catch


def check_cells(panel: Panel) -> None:
    """Refuse probabilities of more cells of a grid than can be worked with: their models look at every empty one.

    Raises
    ------
    DataError
    """
    cells = math.prod(panel.counts.shape)
    if panel.support.kind == "grid" and cells > MAX_CELLS:
        raise DataError(
            f"The {COUNTS['grid']} hold {count_text(cells, 'cell')} in {count_text(len(panel), panel.bin_noun)}: of"
            f" more than {MAX_CELLS:,} only the catch can be asked",
            parameter="heatmaps",
            value=cells,
            remedy="Choose the catch as the aim of a forecast, or larger cells or longer time bins",
        )


def hold_out_windows(panel: Panel, share: float, window: int) -> int:
    """Return the first bin of the windows that are held out: as many whole ones as come nearest to `share`, at least
    one unless that is 0; the number of bins where none is.

    Raises
    ------
    DataError
        If a window is longer than what can be held out: it leaves as many bins before it.
    """
    bins, noun = len(panel), panel.bin_noun
    if hold_out(panel, share) == bins:
        return bins
    most = bins // 2 // window
    if not most:
        longest = f"At most {count_text(bins // 2, noun)} can be one window here. " if bins > 1 else ""
        raise DataError(
            f"horizon is {window}: a window of {count_bins(window, panel.bin)} cannot be held out, for the"
            f" {COUNTS[panel.support.kind]} hold {count_text(bins, noun)} and as many as it has must be left to learn"
            " from",
            parameter="horizon",
            value=window,
            remedy=f"{longest}Choose a shorter window, or use a longer period",
        )
    return bins - window * min(max(round(bins * share / window), 1), most)


def describe_catch(catch: Catch, panel: Panel) -> str:
    """Describe a catch: ``the catch of 112 cells (0.65 km², 0.17 % of the area) in each quarter as a whole``."""
    kind, units = panel.support.kind, int(panel.mask.sum())
    share, size = find_flagged_share(catch, panel), float(panel.support.measure_km()[panel.mask].sum())
    number = max(int(share * units + 1e-9), 1)
    if kind == "grid":
        share = number / units
    measured, whole = f"{_format(share * size)} {SIZES[kind]}", f"{_format(100 * share)} % of the {WHOLES[kind]}"
    counted = count_text(number, panel.noun)
    if kind == "grid":
        how = f"{counted} ({measured}, {whole})"
    else:
        how = counted if catch.unit == "units" else f"{measured} ({whole})"
    return f"the catch of {how} in each {name_window(multiply_bin(panel.bin, catch.window))} as a whole"


def describe_aim(card: ModelCard, catch: Catch | None, panel: Panel) -> list[str]:
    """Describe what a forecast is made for, and what the model was, where that is something else.

    Parameters
    ----------
    catch : Catch or None
        What is asked for; None for probabilities.
    """
    own = Catch(**card.catch) if card.catch else None
    if catch is None:
        if own is None:
            return []
        return [
            f"The model was made for {describe_catch(own, panel)}; what it says here is how likely it is in each"
            f" {panel.bin_noun}, for which it was neither chosen nor judged"
        ]
    said = [f"The forecast is for {describe_catch(catch, panel)}"]
    if own is None:
        best = FORECASTERS[DEFAULT_CATCH].title
        said.append(
            f"The model was made for probabilities of each {panel.bin_noun}, which are added up; one that is trained"
            f" for the catch, as {best} is, may catch more"
        )
    elif own != catch:
        said.append(f"The model was made, and judged, for {describe_catch(own, panel)}")
    return said


def _format(number: float) -> str:
    return f"{float(f'{number:.3g}'):,g}"
