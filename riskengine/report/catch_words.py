"""What is said of a test of the catch: the officer's sentence first, then PAI and PEI*, and what they rest on."""

from __future__ import annotations

import math

from ..contract.dates import count_windows, format_span, name_window
from ..contract.forecasters import title_of
from ..contract.texts import count_text, end_sentence
from ..contract.units import noun_of_bin
from ..evaluation.caught import CatchJudged
from ..evaluation.judged import Judged
from ..maps.aims import measure_costs
from ..maps.panel import Panel
from ..measures.compare import Difference
from .catch_numbers import (
    CatchFigures,
    compare_catches,
    compute_figures,
    find_rival,
    read_catch,
    read_window,
    turns_on_few,
)
from .catch_sizes import describe_sizes
from .units import units_of
from .verdicts import PLAINLY, PLAINLY_SMALL, SMALL, format_hit_change, format_points, verdict_of_hits
from .words import (
    categories_text,
    format_change,
    format_figure,
    format_percent,
    format_percentage_points,
    format_share,
    inner_title_of,
)

#: More categories than these are not named in a sentence.
_CATEGORIES = 2
#: With fewer windows, of more than one block of time each, how good the places of another would be is hardly known; see
#: `riskengine.measures.crossed`.
_MANY_WINDOWS = 20
#: Means over positions below this have a decimal.
_FEW_HELD = 100


def describe_catch(judged: Judged, who: str = "") -> str:
    """Say what the chosen places held, beside as many by prior counts: for readers who know no statistics.

    Parameters
    ----------
    who : str
        What is said before; a log has no heading that names the model.
    """
    panel, catch = judged.panel, read_catch(judged)
    chosen = f"the {_describe_chosen(judged, judged.model)}"
    text = f"{who}{chosen}" if who else f"{chosen[0].upper()}{chosen[1:]}"
    found = compute_figures(judged, judged.model)
    if not found.incidents:
        return f"{text}: no incident happened in the test, so nothing could be caught."
    happened = count_text(round(found.incidents), "incident")
    where = f" on average over {count_text(len(catch.offsets), 'grid position')}" if _is_moved(catch) else ""
    text += f", held{where} {format_held(found.caught, catch)} of {happened}{name_categories(panel)},"
    text += f" {format_percent(found.rate.mean)}{_format_bounds(found)}"
    other = find_rival(judged, judged.model)
    if not other:
        drawn = _as_many(judged)
        return f"{text}; {drawn} drawn at random would hold about {format_figure(found.share * found.incidents)}."
    change = compare_catches(judged, judged.model, other)
    held = format_held(compute_figures(judged, other).caught, catch)
    says = describe_gain(judged, change, other)
    return (
        f"{text}; {_as_many(judged)} chosen by {inner_title_of(other)} held {held}: {says} ({format_points(change)})."
        f"{_describe_few(judged, found)}"
    )


def describe_gain(judged: Judged, change: Difference, other: str) -> str:
    """Say what a difference to another model's catch is worth; a small one is called small, however sure it is."""
    small = abs(change.mean) < SMALL * compute_figures(judged, other).rate.mean
    return (PLAINLY_SMALL if small else PLAINLY)[verdict_of_hits(change)]


def name_categories(panel: Panel) -> str:
    """Name the categories in brackets, where they are few."""
    known = 0 < len(panel.categories) <= _CATEGORIES
    return f" ({categories_text(panel.categories)})" if known else ""


def describe_brackets(judged: Judged) -> str:
    """Say what the figures in brackets are; empty where there are none."""
    catch = read_catch(judged)
    if not math.isfinite(compute_figures(judged, judged.model).rate.low):
        return ""
    over = f"{name_bin(judged)}s" + (" and grid positions" if _is_moved(catch) else "")
    return (
        f"In brackets: where the figure could as well lie by chance (95 % interval over {over})."
        f"{_describe_tested(judged)} Points are percentage points of all incidents."
    )


def describe_index(judged: Judged, name: str) -> str:
    """Say PAI and PEI*, n of N beside them."""
    catch, found = read_catch(judged), compute_figures(judged, name)
    if not found.incidents:
        return ""
    caught = format_held(found.caught, catch)
    bounds = ""
    if math.isfinite(found.pai.low):
        bounds = f", 95 % interval {format_figure(found.pai.low)} to {format_figure(found.pai.high)}"
    return (
        f"PAI {format_figure(found.pai.mean)} ({caught} of {round(found.incidents):,}{bounds}); PEI*"
        f" {format_figure(found.pei)} ({caught} of the {format_held(found.most, catch)} that"
        f" {name_as_much(judged)} could have held)"
    )


def describe_hits(judged: Judged, name: str, other: str, change: Difference | None) -> str:
    """Say n of N with its interval beside what is compared with, for the verdict."""
    catch, found = read_catch(judged), compute_figures(judged, name)
    text = (
        f"the {_describe_chosen(judged, name)}, held {format_held(found.caught, catch)} of"
        f" {count_text(round(found.incidents), 'incident')}, {format_percent(found.rate.mean)}"
    )
    if math.isfinite(found.rate.low):
        text += f", 95 % interval {format_percent(found.rate.low)} to {format_percent(found.rate.high)}"
    if change is not None:
        held = format_held(compute_figures(judged, other).caught, catch)
        text += (
            f", against {held} of {inner_title_of(other)} (difference {format_hit_change(change, name_bin(judged))})"
        )
    return text


def describe_precision(judged: Judged, name: str, other: str) -> str:
    """Say which share of what was chosen was hit, beside that of the other."""
    own = compute_figures(judged, name).precision
    if not math.isfinite(own):
        return ""
    text = f"{format_share(own)} of the chosen {units_of(judged.panel).many} were hit"
    if not other:
        return f"{text}."
    return f"{text}, {format_share(compute_figures(judged, other).precision)} of those of {inner_title_of(other)}."


def name_as_much(judged: Judged) -> str:
    """Name what others are compared on: ``as many cells``, ``as many areas``, ``as much area``."""
    units = units_of(judged.panel)
    return f"{_as_many(judged)} {units.many if _counts_units(judged) else units.whole}"


def name_most_expected(judged: Judged) -> str:
    """Name what decides which units come first: ``most incidents``; of those that are measured, ``… per km²``."""
    return "most incidents" if _counts_units(judged) else f"most incidents per {units_of(judged.panel).measure}"


def name_bin(judged: Judged) -> str:
    """Name what intervals rest on: a week where bins are shorter, else a bin, as a month."""
    catch = read_catch(judged)
    return "week" if catch.block > 1 else noun_of_bin("areas", catch.panel.bin)


def count_tested(judged: Judged) -> str:
    """Count the windows of the test."""
    catch = read_catch(judged)
    return count_windows(len(catch.starts), read_window(catch))


def describe_given(judged: Judged) -> str:
    """Say what was caught on the grid as it lies, and how far positions lie apart; empty where none was moved."""
    catch = read_catch(judged)
    found, other = compute_figures(judged, judged.model), find_rival(judged, judged.model)
    if not _is_moved(catch) or not found.incidents:
        return ""
    beside = f", {inner_title_of(other)} {round(compute_figures(judged, other).here[0]):,}" if other else ""
    low, high = round(found.by_position.min()), round(found.by_position.max())
    return (
        f"On the grid as it lies {inner_title_of(judged.model)} caught {round(found.here[0]):,} of"
        f" {round(found.here[1]):,}{beside}; moved by parts of a cell, {low:,} to {high:,}."
    )


def describe_stability(judged: Judged) -> str:
    """Say how many of the places stay from one window to the next; empty of one window."""
    own, other = compute_figures(judged, judged.model), find_rival(judged, judged.model)
    window = name_window(read_window(read_catch(judged)))
    if not math.isfinite(own.stable):
        return ""
    text = f"Of the places chosen for one {window}, {format_percent(own.stable, 0)} are chosen for the next one too"
    beside = compute_figures(judged, other).stable if other else math.nan
    also = f", of those of {inner_title_of(other)} {format_percent(beside, 0)}" if math.isfinite(beside) else ""
    return f"{text}{also}."


def list_sentences(judged: Judged) -> list[str]:
    """List what is said of the catch of the model that is compared first, for the log."""
    index = describe_index(judged, judged.model)
    said = [
        describe_catch(judged, f"{title_of(judged.model)}: "),
        f"{index}." if index else "",
        describe_given(judged),
        describe_stability(judged),
        describe_sizes(judged),
        end_sentence(read_catch(judged).too_fine),
    ]
    return [sentence for sentence in said if sentence]


def format_gain(change: Difference) -> str:
    """Format a difference of shares in percentage points, for a table."""
    return format_change(100 * change.mean, 1)


def format_gain_bounds(change: Difference, each: str) -> str:
    """Format its interval, or why it has none."""
    if not math.isfinite(change.low):
        return f"too few {each}s"
    return f"{format_change(100 * change.low, 1)} to {format_change(100 * change.high, 1)}"


def format_held(number: float, catch: CatchJudged) -> str:
    """Format a number of incidents that was held: a mean over positions with a decimal, where it is small."""
    return f"{number:.1f}" if _is_moved(catch) and number < _FEW_HELD else f"{round(number):,}"


def format_caught(judged: Judged, name: str) -> str:
    """Format what a model caught as n of N."""
    found = compute_figures(judged, name)
    return f"{format_held(found.caught, read_catch(judged))} of {round(found.incidents):,}"


def format_part(share: float) -> str:
    """Format the share of the study area that is chosen, of two digits."""
    return f"{100 * share:.2g}\N{NO-BREAK SPACE}%" if share < 0.1 else f"{100 * share:.3g}\N{NO-BREAK SPACE}%"


def _describe_chosen(judged: Judged, name: str) -> str:
    """The cells chosen for each quarter, and how much of the study area they are."""
    catch, found, noun = read_catch(judged), compute_figures(judged, name), units_of(judged.panel).noun
    number = round(found.units)
    some = {0: f"part of one {noun}", 1: noun}.get(number) or count_text(number, noun)
    window = name_window(read_window(catch))
    when = f"each {window}"
    if len(catch.starts) == 1:
        edges, start = catch.panel.edges, int(catch.starts[0])
        when = f"the {window}, {format_span(edges[start], edges[start + catch.catch.window])}"
    return f"{some} chosen for {when}, {format_part(found.share)} of the study area"


def _describe_tested(judged: Judged) -> str:
    """Say that the interval is about the windows that were tested, where these are few and long."""
    catch = read_catch(judged)
    if catch.catch.window <= catch.block or len(catch.starts) >= _MANY_WINDOWS:
        return ""
    window = name_window(read_window(catch))
    tested = window if len(catch.starts) == 1 else count_tested(judged)
    return f" It is about the {tested} tested: places of another {window} may do better or worse than it says."


def _counts_units(judged: Judged) -> bool:
    """Whether whole units are chosen; else so much area, the last one in part."""
    return measure_costs(read_catch(judged).catch, judged.panel).whole


def _as_many(judged: Judged) -> str:
    return "as many" if _counts_units(judged) else "as much"


def _describe_few(judged: Judged, found: CatchFigures) -> str:
    if not turns_on_few(judged, found.name):
        return ""
    return f" So few turn on single incidents: one more would be {format_percentage_points(1 / found.incidents)} more."


def _format_bounds(found: CatchFigures) -> str:
    low, high = found.rate.low, found.rate.high
    return f" [{100 * low:.1f}, {100 * high:.1f}]" if math.isfinite(low) else ""


def _is_moved(catch: CatchJudged) -> bool:
    return len(catch.offsets) > 1
