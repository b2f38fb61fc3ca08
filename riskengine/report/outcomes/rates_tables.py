"""Tables of *Outcome rates*: values with their rates, areas, ages of cases; and all figures as CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from ...contract.outcomes import AREA_LABELS, Reported
from ...contract.texts import count_text, make_writable
from ...ground.artefacts import whole_file
from ...measures.clustered import Interval
from ...measures.proportions import compute_share_limits
from ...systems.outcomes.arearates import AreaRates
from ...systems.outcomes.cases import Ratios
from ...systems.outcomes.rates import RATES_BY, Rates, RatesBy
from ...systems.outcomes.ratesstudy import RatesStudy
from ..words import format_percent, format_range
from . import rates_words, words
from .rates_figures import MOST_CATEGORIES

#: Values that a table of the page lists; the layer and the CSV have all.
_MOST = 25
#: Of these, rates of victims' reports are no others: a category is reported by victims or found by police.
_SAME: tuple[RatesBy, ...] = ("category", "description")
#: Values in an order of their own.
_ORDERED: tuple[RatesBy, ...] = ("hour", "month", "rows")
_CSV = ("rows", "at", "figure", "number", "low", "high")


@dataclass(frozen=True)
class ValueRow:
    """A value of a table: its name, its category where it is a description, and cells for each kind of rows."""

    name: str
    parent: str
    found: bool
    share: str
    cells: list[tuple[str, Markup | str, str]]


@dataclass(frozen=True)
class RatesTable:
    """Rates by one thing; `more` values have fewer incidents and are left to the layer and the CSV."""

    title: str
    columns: list[str]
    rows: list[ValueRow]
    more: int


def list_tables(study: RatesStudy) -> list[RatesTable]:
    """List the tables of the page."""
    every = study.of["all"].rates
    return [_make_table(study, by) for by in RATES_BY if by in every]


def _make_table(study: RatesStudy, by: RatesBy) -> RatesTable:
    shown: list[Reported] = ["all"] if by in _SAME else list(study.of)
    every = study.of["all"].rates[by]
    order = np.arange(len(every.values))
    if by not in _ORDERED:
        order = np.argsort(-every.incidents, kind="stable")[: MOST_CATEGORIES if by == "category" else _MOST]
    if by == "category":
        order = order[np.argsort(-every.rate[order], kind="stable")]
    cells = {reported: _list_cells(study.of[reported].rates.get(by)) for reported in shown}
    rows = []
    for place in order.tolist():
        key = every.parents[place], every.values[place]
        own = [cells[reported].get(key, ("0", "–", "–")) for reported in shown]
        category = every.values[place] if by == "category" else every.parents[place]
        rows.append(
            ValueRow(key[1], key[0], category in study.found, format_percent(float(every.share[place]), 2), own)
        )
    columns = [words.REPORTED[reported] for reported in shown]
    return RatesTable(rates_words.TITLES[by], columns, rows, len(every.values) - len(rows))


def _list_cells(rates: Rates | None) -> dict[tuple[str, str], tuple[str, Markup | str, str]]:
    if rates is None:
        return {}
    columns = rates.parents, rates.values, rates.incidents.tolist(), rates_words.list_intervals(rates), rates.shrunk
    return {
        (parent, value): (f"{incidents:,}", format_range(interval), format_percent(float(shrunk)))
        for parent, value, incidents, interval, shrunk in zip(*columns, strict=True)
    }


@dataclass(frozen=True)
class AreaRow:
    """An area that is compared."""

    name: str
    label: str
    cells: list[tuple[str, Markup | str, str, Markup | str]]


def list_areas(study: RatesStudy) -> list[AreaRow]:
    """List the areas with a rate, those farthest above what is expected first."""
    main = study.of[study.main].areas
    if study.areas is None or main is None:
        return []
    order = np.argsort(-np.nan_to_num(main.difference, nan=-np.inf), kind="stable")
    labels = main.list_labels()
    made = []
    for place in order[np.isfinite(main.rate[order])].tolist():
        cells = [_list_area(of.areas, place) for of in study.of.values() if of.areas is not None]
        made.append(AreaRow(study.areas.names[place], AREA_LABELS[labels[place]], cells))
    return made


def _list_area(rates: AreaRates, place: int) -> tuple[str, Markup | str, str, Markup | str]:
    rate = Interval(*(float(each[place]) for each in (rates.rate, rates.low, rates.high)))
    difference = Interval(*(100 * float(each[place]) for each in (rates.difference, rates.least, rates.most)))
    return (
        f"{rates.incidents[place]:,}",
        format_range(rate) if math.isfinite(rate.mean) else "–",
        format_percent(float(rates.expected[place])),
        words.format_cell(difference, 1, signed=True),
    )


@dataclass(frozen=True)
class AgeRow:
    """Cases of an age: their number, rate and outcomes as a part of those expected, for each kind of rows."""

    name: str
    cells: list[tuple[str, Markup | str, str]]


def list_ages(study: RatesStudy) -> list[AgeRow]:
    """List rates by the age of the case; empty without dates."""
    of = [None if each.cases is None else each.cases.ages for each in study.of.values()]
    longest = max(filter(None, of), key=lambda ages: int(ages.ends[-1]), default=None)
    if longest is None:
        return []
    made = []
    for place, (begin, end) in enumerate(zip(longest.begins.tolist(), longest.ends.tolist(), strict=True)):
        made.append(AgeRow(f"{begin} to {count_text(end, 'day')}", [_list_age(ages, place) for ages in of]))
    return made


def _list_age(ages: Ratios | None, place: int) -> tuple[str, Markup | str, str]:
    if ages is None or place >= len(ages.begins) or not ages.incidents[place]:
        return "–", "–", "–"
    incidents, outcomes = int(ages.incidents[place]), int(ages.outcomes[place])
    low, high = compute_share_limits(outcomes, incidents)
    rate = Interval(outcomes / incidents, float(low), float(high))
    return f"{incidents:,}", format_range(rate), rates_words.format_ratio(ages.ratio[place])


def write_rates_csv(path: str | Path, study: RatesStudy, parameter: str = "csv") -> None:
    """Write every figure, one a row: UTF-8, a header, a point for decimals."""
    with whole_file(path, parameter) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_CSV)
        for reported, of in study.of.items():
            for at, figure, interval in _list_figures(study, reported):
                numbers = ("" if math.isnan(each) else f"{each:.6g}" for each in interval)
                writer.writerow((reported, make_writable(at), figure, *numbers))
            if of.cases is not None and of.cases.maturity is not None:
                writer.writerow((reported, "all", "proposed_maturity", of.cases.maturity, "", ""))


def _list_figures(study: RatesStudy, reported: Reported) -> Iterator[tuple[str, str, Interval]]:
    """What is said of all, of each value and area, and of each age; names stand behind what they name."""
    of = study.of[reported]
    yield "all", "incidents", _plain(of.incidents)
    yield "all", "outcomes", _plain(of.outcomes)
    yield "all", "rate", rates_words.find_rate(of)
    for by, rates in of.rates.items():
        for place, interval in enumerate(rates_words.list_intervals(rates)):
            parent = f"{rates.parents[place]}: " if rates.parents[place] else ""
            at = f"{by} {parent}{rates.values[place]}"
            yield at, "incidents", _plain(rates.incidents[place])
            yield at, "outcomes", _plain(rates.outcomes[place])
            yield at, "rate", interval
            yield at, "shrunk", _plain(rates.shrunk[place])
            yield at, "share", _plain(rates.share[place])
    if of.areas is not None and study.areas is not None:
        for place, name in enumerate(study.areas.ids):
            at, columns = f"compared area {name}", of.areas
            yield at, "incidents", _plain(columns.incidents[place])
            yield at, "rate", _take(place, columns.rate, columns.low, columns.high)
            yield at, "expected", _plain(columns.expected[place])
            yield at, "difference", _take(place, columns.difference, columns.least, columns.most)
    if of.cases is not None:
        for what, ratios in (("age", of.cases.ages), ("days before the end", of.cases.steps)):
            for place, ratio in enumerate(ratios.ratio):
                at = f"{what} {ratios.begins[place]} to {ratios.ends[place]}"
                yield at, "incidents", _plain(ratios.incidents[place])
                yield at, "outcomes", _plain(ratios.outcomes[place])
                yield at, "observed_over_expected", ratio


def _plain(value: float) -> Interval:
    return Interval(float(value), math.nan, math.nan)


def _take(place: int, *columns: np.ndarray) -> Interval:
    return Interval(*(float(column[place]) for column in columns))
