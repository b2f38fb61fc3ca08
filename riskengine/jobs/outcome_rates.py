"""Job: how often incidents have an outcome, by what is known of them, and where."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..contract.tools.outcomerates import OutcomeRates
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.wholetables import WholeTable
from ..report.outcomes.rates_tables import write_rates_csv
from ..report.outcomes.rates_words import (
    describe_areas,
    describe_cases,
    describe_headline,
    find_found_shares,
    find_rate,
)
from ..report.outcomes.sentences import describe_shared_rates
from ..report.outputs import hide_folders
from ..systems.outcomes.arealayer import find_areas
from ..systems.outcomes.ratesstudy import RatesStudy, study_rates
from ..systems.outcomes.ratetables import write_areas, write_rates
from ..systems.outcomes.reading import read_rows
from ..systems.outcomes.repeated import count_shared
from ..systems.outcomes.reported import choose_rows
from ..systems.outcomes.rule import OutcomeRule
from .models import to_dict

#: Values of the outcome field that the report lists.
_VALUES = 20


def run(parameters: OutcomeRates, context: JobContext) -> dict[str, Any]:
    """Read, count, write."""
    began = time.monotonic()
    for key in ("report", "csv"):
        if path := getattr(parameters, key):
            check_folder(path, key)
    context.progress(0.0, "Reading incidents")
    with context.step(0.0, 0.4):
        read = read_rows(parameters, context)
    rows = read.rows
    areas = find_areas(rows, parameters.areas, parameters.area_id, parameters.area_name, context)
    victims = choose_rows(rows, read.found, "victims")
    with context.step(0.4, 0.8):
        study = study_rates(rows, victims, read.found, areas, context)
    assert read.outcome is not None
    outcome = read.outcome.describe()
    headline = describe_headline(study, outcome)
    shown = hide_folders(to_dict(parameters))
    findings = [leak.sentence for leak in read.leaks if leak.kind != "found_by_police"]
    if shared := describe_shared_rates(count_shared(rows)):
        context.log(shared)
        findings.append(shared)
    context.progress(0.8, "Writing")
    if parameters.rates:
        write_rates(parameters.rates, study)
    if parameters.by_area and areas is not None:
        write_areas(parameters.by_area, study)
    if parameters.report:
        # matplotlib takes a second to load.
        from ..report.outcomes.rates_page import write_rates_report

        values = _list_values(read.table, read.outcome)
        write_rates_report(parameters.report, study, outcome, values, shown, rows.crs, read.notes, findings)
    if parameters.csv:
        write_rates_csv(parameters.csv, study)
    _log(study, headline, bool(parameters.by_area), context)
    context.progress(1.0, "Done")
    every, main = study.of["all"], study.of[study.main]
    found = find_found_shares(study)
    cases = main.cases
    largest = 0 if main.areas is None else int(main.areas.incidents.max(initial=0))
    return {
        "incidents": every.incidents,
        "outcomes": every.outcomes,
        "rate": find_rate(every).mean,
        "rate_victims": find_rate(main).mean,
        "found_share": found[0],
        "found_outcomes": found[1],
        "recent_ratio": -1 if cases is None or not cases.long_enough else cases.recent.mean,
        "maturity": -1 if cases is None or cases.maturity is None else cases.maturity,
        "duplicates": sum(leak.rows for leak in read.leaks if leak.kind == "duplicates"),
        "values": "; ".join(read.outcome.values),
        "headline": headline,
        "largest_area": largest,
        "crs": rows.crs,
        "refused": len(read.refusals),
        "seconds": round(time.monotonic() - began, 3),
        "parameters": shown,
    }


def _list_values(table: WholeTable, rule: OutcomeRule) -> list[tuple[str, int, bool]]:
    """The values of the outcome field, how many rows have each and whether it counts; those that count first."""
    codes, labels = table.code(rule.field)
    number = np.bincount(codes[codes >= 0], minlength=len(labels))
    rows = [(label, int(number[place]), label in rule.values) for place, label in enumerate(labels)]
    rows.sort(key=lambda row: (not row[2], -row[1]))
    if empty := int((codes < 0).sum()):
        rows.append(("(no value)", empty, False))
    return rows[:_VALUES]


def _log(study: RatesStudy, headline: str, wants_areas: bool, context: JobContext) -> None:
    context.log(headline)
    for sentence in describe_cases(study):
        context.log(sentence)
    if study.areas is not None:
        for reported in study.of:
            context.log(describe_areas(study, reported))
    elif wants_areas:
        context.warn(
            "BY_AREA is not written: the incidents have no places, or no area field, and AREAS is empty. Choose a layer"
            " of areas"
        )
