"""The page of *Outcome rates*."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...contract.outcomes import HIDDEN_BELOW, SMOOTHING
from ...contract.texts import count_text
from ...ground.artefacts import whole_file
from ...systems.outcomes.ratesstudy import RatesStudy
from ..html import format_crs, render
from ..words import format_share
from . import rates_figures, rates_tables, rates_words, words

#: What does not follow from areas' rates; the rest is about models.
_OF_RATES = 2


def write_rates_report(
    path: str | Path,
    study: RatesStudy,
    outcome: str,
    values: Sequence[tuple[str, int, bool]],
    parameters: dict[str, Any],
    crs: str = "",
    notes: Sequence[str] = (),
    findings: Sequence[str] = (),
    parameter: str = "report",
) -> None:
    """Write the report.

    Parameters
    ----------
    path : path
    study : RatesStudy
    outcome : str
        What counts, such as ``an arrest (Arrest is True)``.
    values : sequence of (str, int, bool)
        Values of the outcome field, how many rows have each, and whether it counts.
    parameters : dict
        As the job got them.
    crs : str
        Of the places; empty without any.
    notes : sequence of str
        What was said of the data when they were read: which fields were taken, what was refused.
    findings : sequence of str
        What else was found in the data: duplicates, rows of an incident, what says the outcome.
    """
    text = render("outcome_rates.html", _collect(study, outcome, values, parameters, crs, notes, findings))
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _collect(
    study: RatesStudy,
    outcome: str,
    values: Sequence[tuple[str, int, bool]],
    parameters: dict[str, Any],
    crs: str,
    notes: Sequence[str],
    findings: Sequence[str],
) -> dict[str, Any]:
    every, main = study.of["all"], study.of[study.main]
    category = every.rates.get("category")
    hours = {name: of.rates["hour"] for name, of in study.of.items() if "hour" in of.rates}
    cases = {name: of.cases for name, of in study.of.items() if of.cases is not None and of.cases.comparable}
    has_areas = study.areas is not None and main.areas is not None and len(study.areas.ids) > 0
    return {
        "opening": rates_words.describe_headline(study, outcome),
        "found": rates_words.describe_found(study),
        "twice": "victims" in study.of,
        "tiles": _list_tiles(study),
        "notes": notes,
        "values": values,
        "chart": rates_figures.draw_chart(category, study.found) if category and every.outcomes else None,
        "dropped": 0 if category is None else int((category.outcomes == 0).sum()),
        "tables": rates_tables.list_tables(study),
        "smoothing": f"{SMOOTHING:g}",
        "hours": rates_figures.draw_hours(hours) if hours else None,
        "areas_map": rates_figures.draw_area_maps(study) if has_areas else None,
        "areas_said": [rates_words.describe_areas(study, name) for name in study.of] if has_areas else [],
        "areas_few": rates_words.describe_few(study) if has_areas else "",
        "areas": rates_tables.list_areas(study) if has_areas else [],
        "polygons": study.areas is not None and study.areas.shapes is not None,
        "not_from_areas": words.NOT_FROM_AREAS[:_OF_RATES],
        "hidden_below": HIDDEN_BELOW,
        "columns": [words.REPORTED[name] for name in study.of],
        "cases_said": rates_words.describe_cases(study),
        "cases_figure": rates_figures.draw_cases(cases, main.cases.maturity if main.cases else None) if cases else None,
        "mature": main.cases.mature if main.cases else 0,
        "maturity": main.cases.maturity if main.cases else None,
        "ages": rates_tables.list_ages(study),
        "findings": findings,
        "crs": format_crs(crs) if crs else "none: no places",
        "parameters": parameters,
    }


def _list_tiles(study: RatesStudy) -> list[tuple[str, str]]:
    """What stands at the top, with intervals."""
    tiles = []
    for reported, of in study.of.items():
        rate = rates_words.find_rate(of)
        low, high = format_share(rate.low), format_share(rate.high)
        tiles.append((format_share(rate.mean), f"rate, {words.AMONG[reported]} ({low} to {high})"))
    if "victims" in study.of:
        incidents, outcomes = rates_words.find_found_shares(study)
        tiles.append(
            (format_share(outcomes), f"of the outcomes are of what police found: {format_share(incidents)} of all")
        )
    cases = study.of[study.main].cases
    if cases is not None and cases.long_enough:
        ratio = cases.recent
        whole = [f"{100 * each:.0f}" for each in ratio]
        tiles.append((f"{whole[0]} %", f"of the outcomes expected in the last four weeks ({whole[1]} to {whole[2]})"))
        if cases.maturity is not None:
            tiles.append((count_text(cases.maturity, "day"), "proposed maturity"))
    return tiles
