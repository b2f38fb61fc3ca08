"""The report of a test of warnings: one HTML file that opens with what an officer asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...contract.forecasters import title_of
from ...contract.texts import end_sentence
from ...contract.warnings import TRAILING_DAYS, describe_known, describe_windows
from ...evaluation.warned import WarningsJudged
from ...ground.artefacts import check_folder, whole_file
from ...learning.modelfile import list_versions
from .. import words as plain
from ..html import format_crs, history_of, render
from . import figures, sentences, tables
from .limits import list_warning_limits
from .names import describe_place, find_words, name_model
from .numbers import count_events, find_default, find_rival, get_alarms
from .verdict import describe_warnings_verdict


def write_warnings_report(
    path: str | Path,
    judged: WarningsJudged,
    parameters: Mapping[str, Any],
    notes: Sequence[str] = (),
    precursors: Sequence[str] = (),
    parameter: str = "report",
) -> None:
    """Write the report of a test of warnings.

    Parameters
    ----------
    path : path
    judged : WarningsJudged
    parameters : mapping
        As the job got them.
    notes : sequence of str
        Of the run, shown to the reader beside those of the test itself.
    precursors : sequence of str
        Categories that models read beside the targets.
    """
    check_folder(path, parameter)
    panel, collected = judged.panel, collect_warnings(judged)
    values = {
        **collected,
        "notes": leave_out((*judged.notes, *notes), (collected["verdict"],)),
        "limits": list_warning_limits(panel, panel.categories, precursors),
        "history": history_of(panel),
        "crs": format_crs(panel.support.crs),
        "size": describe_place(panel),
        "versions": list_versions(),
        "parameters": parameters,
    }
    with whole_file(path, parameter) as temporary:
        temporary.write_text(render("warnings.html", {**values, "page": values}), encoding="utf-8")


def leave_out(notes: Sequence[str], said: Collection[str]) -> list[str]:
    """Leave out of notes what is said elsewhere on the page, and what stands among them twice."""
    known = {end_sentence(text) for text in said}
    return [note for note in dict.fromkeys(map(end_sentence, notes)) if note not in known]


def collect_warnings(judged: WarningsJudged) -> dict[str, Any]:
    """Collect what pages show of a test of warnings, by what their templates call it."""
    words, name = find_words(judged.panel, judged.timing), judged.model
    rival, default = find_rival(judged, name), find_default(judged)
    verdict, tone = describe_warnings_verdict(judged)
    happened = count_events(judged) > 0
    alarms = get_alarms(judged, name)
    units = tables.list_unit_rows(judged)
    return {
        "opening": sentences.describe_warnings(judged),
        "verdict": verdict,
        "tone": tone,
        "judged": judged,
        "words": words,
        "plain": plain,
        "names": title_of,
        "inner": name_model,
        "alarms": alarms if alarms.raised else None,
        "rival": rival,
        "default": default,
        "tested": sentences.describe_tested(judged),
        "task": sentences.describe_task(judged),
        "said": [
            sentence
            for sentence in (
                sentences.describe_alarms(judged),
                sentences.describe_missed(judged),
                sentences.describe_lift(judged),
            )
            if sentence
        ],
        "drift": sentences.describe_drift(judged),
        "units_said": f"{sentences.describe_units(judged)} {sentences.describe_stay(judged)}".strip(),
        "model_rows": tables.list_model_rows(judged),
        "budget_rows": tables.list_budget_rows(judged),
        "shares": tables.list_shares(judged),
        "asked": words.describe_budget(judged.budget),
        "month_rows": tables.list_month_rows(judged),
        "unit_rows": units,
        "units_shown": tables.SHOWN_UNITS,
        "unit_figure": figures.draw_units(judged),
        "unit_bars": len(units) <= figures.MOST_BARS,
        "month_figure": figures.draw_months(judged),
        "budget_figure": figures.draw_budgets(judged) if happened else None,
        "precision_figure": figures.draw_precision(judged) if happened else None,
        "reliability_figure": figures.draw_reliability(judged),
        "windows": describe_windows(judged.timing),
        "known": describe_known(judged.timing),
        "trailing": TRAILING_DAYS,
    }
