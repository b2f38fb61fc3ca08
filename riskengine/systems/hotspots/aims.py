"""What a forecast is made for, from the parameters of a job: the catch, and the windows that are held out for it."""

from __future__ import annotations

from ...contract.aims import Catch, CatchUnit
from ...contract.dates import count_bins
from ...contract.texts import count_text
from ...contract.units import COUNTS
from ...ground.errors import DataError
from ...maps.aims import find_flagged_share
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


def hold_out_windows(panel: Panel, share: float, window: int, parameter: str = "horizon") -> int:
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
            f"{parameter} is {window}: a window of {count_bins(window, panel.bin)} cannot be held out, for the"
            f" {COUNTS[panel.support.kind]} hold {count_text(bins, noun)} and as many as it has must be left to learn"
            " from",
            parameter=parameter,
            value=window,
            remedy=f"{longest}Choose a shorter window, use a longer period, or hold out nothing",
        )
    return bins - window * min(max(round(bins * share / window), 1), most)
