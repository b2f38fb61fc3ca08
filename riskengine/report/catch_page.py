"""What a page shows of a test of the catch, by what its template calls it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.warp import transform

from ..contract.dates import format_span, name_window
from ..contract.forecasters import title_of
from ..contract.texts import count_text, show_name
from ..evaluation.judged import Judged
from ..maps.grid import Grid
from ..maps.shapes import Shapes
from ..maps.support import Support
from ..measures.compare import Difference
from ..systems.hotspots.aims import describe_catch
from ..systems.hotspots.chosen import list_ids
from . import catch_figures as figures
from . import catch_words as words
from . import words as plain
from .backtest_figures import draw_reliability_curves
from .catch_numbers import (
    CatchFigures,
    compare_catches,
    compute_figures,
    find_rival,
    read_catch,
    read_window,
)
from .catch_sizes import describe_sizes, is_given
from .caughtplaces import choose_caught_places
from .units import units_of
from .words import format_percent, inner_title_of

#: Places of the last window that are listed.
TOP = 20


@dataclass(frozen=True)
class CatchRow:
    """A row of the table of models; the difference is to what is compared with, None for that itself."""

    label: str
    model: bool
    rival: bool
    figures: CatchFigures
    difference: Difference | None


@dataclass(frozen=True)
class PlaceRow:
    """A place of the last window: what was expected, what fell there, what had been there before.

    Its id is that of the layer of places.
    """

    rank: int
    name: str
    id: str
    expected: float
    incidents: int
    before: int


def collect_catch(judged: Judged) -> dict[str, Any]:
    """Collect what a page shows of the catch."""
    catch, name, other = read_catch(judged), judged.model, find_rival(judged, judged.model)
    found = compute_figures(judged, name)
    last = int(catch.starts[-1])
    change = compare_catches(judged, name, other) if other and found.incidents else None
    places = list_places(judged)
    return {
        "judged": catch,
        "words": words,
        "plain": plain,
        "window": name_window(read_window(catch)),
        "noun": name_window(read_window(catch)).partition(" ")[0],
        "bin": words.name_bin(judged),
        "tested": words.count_tested(judged),
        "asked": describe_catch(catch.catch, catch.panel),
        "found": found,
        "rival": other,
        "change": change,
        "says": words.describe_gain(judged, change, other) if change else "",
        "brackets": words.describe_brackets(judged),
        "rows": list_rows(judged),
        "moved": len(catch.offsets) > 1,
        "given": words.describe_given(judged),
        "stability": words.describe_stability(judged),
        "sizes_said": describe_sizes(judged),
        "as_much": words.name_as_much(judged),
        "most_expected": words.name_most_expected(judged),
        "of_all": figures.name_chosen_part(judged),
        "sizes": _list_sizes(judged),
        "size_figure": figures.draw_sizes_of_catch(judged) if found.incidents else None,
        "window_figure": figures.draw_windows_of_catch(judged) if found.incidents else None,
        "by_window": _describe_windows(judged),
        "map": figures.draw_places(judged),
        "map_span": format_span(catch.panel.edges[last], catch.panel.edges[last + catch.catch.window]),
        "map_said": _describe_map(judged),
        "places": places,
        "happened": _describe_test(judged),
        "likely": _list_likely(judged),
        "reliability_figure": draw_reliability_curves(judged)
        if any(math.isfinite(score.log_loss) for score in judged.scores.values())
        else None,
        "places_named": not isinstance(judged.panel.support, Grid),
    }


def list_rows(judged: Judged) -> list[CatchRow]:
    """List the models as rows, those that caught most first."""
    other = find_rival(judged, judged.model)
    names = sorted(read_catch(judged).models, key=lambda name: -read_catch(judged).models[name].n)
    return [
        CatchRow(
            title_of(name),
            name == judged.model,
            name == other,
            compute_figures(judged, name),
            compare_catches(judged, name, other) if other and name != other else None,
        )
        for name in names
    ]


def list_places(judged: Judged) -> list[PlaceRow]:
    """List the first places of the last window, in the order of the layer of places."""
    chosen = choose_caught_places(judged, len(judged.maps) - 1)
    first = slice(0, TOP)
    columns = zip(
        _name_units(judged.panel.support, chosen.units[first]),
        map(show_name, list_ids(judged.panel, chosen.units[first])),
        chosen.expected[first].tolist(),
        chosen.more["incidents"][first].tolist(),
        chosen.before[first].tolist(),
        strict=True,
    )
    return [PlaceRow(rank, *each) for rank, each in enumerate(columns, 1)]


def _name_units(support: Support, units: NDArray[np.int64]) -> list[str]:
    """Name units so that people find them: areas by their names, cells by latitude and longitude of their middle."""
    if isinstance(support, Shapes):
        return [show_name(support.names[unit]) for unit in units.tolist()]
    x, y = (each.ravel()[units].tolist() for each in support.find_centres())
    longitude, latitude = transform(support.crs, "EPSG:4326", x, y)
    return [f"{north:.4f}, {east:.4f}" for north, east in zip(latitude, longitude, strict=True)]


def _list_sizes(judged: Judged) -> list[dict[str, Any]]:
    catch = read_catch(judged)
    return [
        {
            "side": each.side,
            "given": is_given(each, judged),
            "flagged": each.flagged,
            "models": [
                {
                    "n": each.caught[name],
                    "N": each.incidents[name],
                    "pai": each.pai[name],
                    "pei": each.caught[name] / each.most[name] if each.most[name] else float("nan"),
                }
                for name in each.caught
            ],
            "labels": [title_of(name) for name in each.caught],
        }
        for each in catch.sizes
    ]


def _list_likely(judged: Judged) -> list[dict[str, Any]]:
    """List the models as probabilities that follow from what they expect, the smallest log-loss first."""
    names = sorted(judged.scores, key=lambda name: np.nan_to_num(judged.scores[name].log_loss, nan=np.inf))
    return [
        {
            "label": title_of(name),
            "score": judged.scores[name],
            "model": name == judged.model,
            "seconds": judged.seconds.get(name),
        }
        for name in names
    ]


def _describe_test(judged: Judged) -> str:
    """Say how much happened in the test."""
    counts, units = judged.counts[:, judged.panel.mask], units_of(judged.panel)
    window = name_window(read_window(read_catch(judged)))
    share = format_percent(float((counts > 0).mean()))
    incidents = count_text(int(counts.sum(dtype=np.int64)), "incident")
    return f"{words.count_tested(judged)} with {incidents}: in a {window} {share} of the {units.many} had any."


def _describe_windows(judged: Judged) -> str:
    """The figure by window in words, for those who do not see it."""
    catch, name = read_catch(judged), judged.model
    said = []
    for each in (name, find_rival(judged, name)):
        if each:
            held = catch.models[each].caught.sum(axis=2).mean(axis=0)
            said.append(f"{inner_title_of(each)} {', '.join(words.format_held(float(n), catch) for n in held)}")
    return "; ".join(said)


def _describe_map(judged: Judged) -> str:
    """Say what fell in the places that the map and the list show: whole ones, the first of those that tie."""
    counts, mask, units = judged.counts[-1], judged.panel.mask, units_of(judged.panel)
    chosen = judged.flag_cells()[-1]
    held, total = int(counts[chosen].sum(dtype=np.int64)), int(counts[mask].sum(dtype=np.int64))
    hit = int((chosen & (counts > 0)).sum())
    happened = count_text(total, "incident")
    return (
        f"{held:,} of {happened} fell in the {count_text(int(chosen.sum()), units.noun)} chosen,"
        f" {format_percent(held / total if total else float('nan'))}; {hit:,} of them held any."
    )
