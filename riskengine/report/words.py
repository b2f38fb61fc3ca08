"""Numbers and names in plain words, as all reports and the log have them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from ..contract import flagged
from ..contract.dates import format_last
from ..contract.forecasters import title_of
from ..contract.texts import count_text, show_names
from ..measures.clustered import Interval
from ..measures.metrics import AreaHits
from .units import UnitWords

#: Categories named below the title; the table names all.
SHOWN_CATEGORIES = 4


def categories_text(categories: Sequence[str], most: int | None = None) -> str:
    """Say which categories were counted, beyond `most` only the first; never "all", which nobody recorded."""
    if not categories:
        return "categories not recorded"
    if most is None or len(categories) <= most:
        return ", ".join(show_names(categories))
    rest = count_text(len(categories) - most, "more category", "more categories")
    return f"{', '.join(show_names(categories[:most]))} and {rest}"


def inner_title_of(name: str) -> str:
    """Call a forecaster as within a sentence: "plain counts", but "ConvLSTM"."""
    title = title_of(name)
    first = title.partition(" ")[0].partition("-")[0]
    return title[:1].lower() + title[1:] if first.istitle() else title


def format_percent(value: float | None, digits: int = 1) -> str:
    """Format a share as a percentage; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


def format_figure(value: float | None, apart_from: float | None = None) -> str:
    """Format a figure for the top of a report; a dash where there is none.

    Of three digits, or of a fourth where three cannot tell it from another that stands beside it.
    """
    if value is None or not math.isfinite(value):
        return "–"
    alike = apart_from is not None and apart_from != value and f"{value:.3g}" == f"{apart_from:.3g}"
    size = 4 if alike else 3
    rounded = float(f"{value:.{size}g}")
    digits = max(size - 1 - math.floor(math.log10(abs(rounded))), 0) if rounded else 0
    return f"{rounded:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def format_share(value: float | None) -> str:
    """Format a share as a percentage of three digits; a dash where there is none."""
    figure = format_figure(None if value is None else 100 * value)
    return figure if figure == "–" else f"{figure}\N{NO-BREAK SPACE}%"


def format_percentage_points(share: float) -> str:
    """Format a difference of shares in words, as ``2.5 percentage points``."""
    return count_text(round(100 * share, 1), "percentage point")


def format_change(value: float, digits: int = 5) -> str:
    """Format a difference with its sign, a true minus, even where it is rounded to zero; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    # Adding zero makes of a negative zero a plain one.
    return f"{value + 0.0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def format_range(interval: Interval) -> Markup:
    """Format a share and, in small print below it, its interval where it has one; for a table."""
    if not math.isfinite(interval.low):
        return Markup(format_percent(interval.mean))
    bounds = f"{format_percent(interval.low)} to {format_percent(interval.high)}"
    return Markup("{}<small>{}</small>").format(format_percent(interval.mean), bounds)


def format_count(value: float) -> str:
    """Format a number of incidents; where ties were shared out, to the nearest whole one, as everywhere on a page."""
    return f"{round(value):,}"


def format_hits(hits: AreaHits, units: UnitWords) -> str:
    """Format hits as n of N, never the share alone; where few units hold most incidents, that is said with them."""
    return f"{format_share(hits.hit_rate)} of the incidents ({format_n_of_all(hits, units)})"


def format_n_of_all(hits: AreaHits, units: UnitWords) -> str:
    """Format hits as n of N; where few units hold most incidents, that is said with them."""
    return "; ".join(filter(None, (format_caught(hits), describe_few_units(hits, units))))


def format_caught(hits: AreaHits) -> str:
    """Format hits as n of N alone."""
    return f"{format_count(hits.caught)} of {format_count(hits.incidents)}"


def describe_few_units(hits: AreaHits, units: UnitWords) -> str:
    """Say that few units hold most incidents of a test, where they do: catching these is no feat."""
    few = hits.few
    if few is None:
        return ""
    whose = "all" if few.incidents == hits.incidents else f"{format_count(few.incidents)} of the"
    where = f"one {units.noun}" if few.cells == 1 else count_text(few.cells, units.noun)
    return f"{whose} {format_count(hits.incidents)} lie in {where}"


def format_flagged(hits: AreaHits, units: UnitWords) -> str:
    """Say how much of each map was flagged: the share that was wanted or, where it was not that, cells and share.

    Where units differ in size, how many that are on average, and what they are a share of.
    """
    if hits.weights is not None:
        number, total = hits.flagged / hits.maps, hits.weights.total / hits.maps
        some = f"part of one {units.noun}" if number < 0.5 else count_text(round(number), units.noun)
        size = "its size" if number < 1.5 else "their size"
        share = _join_percent(flagged.format_share(hits.flagged_share))
        return f"{some} for {size} ({share} of {format_figure(total)} {units.measure})"
    if _is_as_wanted(hits):
        return f"{format_percent(hits.share, 0)} of the area"
    return _join_percent(flagged.describe_part(hits.flagged / hits.maps, hits.cells / hits.maps))


def format_flagged_share(hits: AreaHits) -> str:
    """Format the share alone, for the head of a column."""
    share = hits.share if _is_as_wanted(hits) else hits.flagged_share
    return _join_percent(flagged.format_share(share))


def describe_precision(hits: AreaHits, units: UnitWords) -> str:
    """Say which of what was flagged the precision is a share of; where units differ in size, by that too."""
    if hits.weights is None:
        return f"of those flagged {units.many} were hit"
    return f"of those flagged {units.many} were hit, {format_share(hits.precision)} of their {units.measure}"


def _is_as_wanted(hits: AreaHits) -> bool:
    return not hits.cells or flagged.is_as_wanted(hits.flagged_share, hits.share)


def _join_percent(text: str) -> str:
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def weights_text(
    trained_until: str, share: float | None, refitted: bool, bin_length: str = "", noun: str = "map"
) -> str:
    """Say which maps the model that is kept was fitted on, beside those it was judged on.

    Parameters
    ----------
    trained_until : str
        ISO time: the end of what it was fitted on.
    share : float, optional
        Of the maps, at their begin, that the judged model was fitted on; None for one that was read from a file.
    refitted : bool
        Whether the kept model was fitted again, on all maps.
    bin_length : str
        For example ``1 months``.
    noun : str
        What a bin is called: map of a grid, else month and the like.
    """
    end = format_last(trained_until, bin_length)
    if refitted:
        return (
            f"The figures are those of the model that did not know the held-out {noun}s. The model that is kept has the"
            f" same settings and was fitted again on all {noun}s up to {end}."
        )
    if share is None:
        return f"The weights are those of the model file, learned from {noun}s up to {end}."
    if share == 1:
        return f"The model was fitted on all {noun}s up to {end}."
    return (
        f"The weights are those learned from the first {format_percent(share, 0)} of the {noun}s, up to {end}: the"
        f" model was not fitted again on the {noun}s held out."
    )


def maps_text(number: int, noun: str = "map") -> str:
    """Say how many maps were judged, or what else a bin is called."""
    return count_text(number, f"test {noun}")
