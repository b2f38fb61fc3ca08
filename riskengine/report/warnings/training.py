"""The report of the training of a warning model: what it warns of, what its warnings were worth, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...contract.dates import format_span
from ...contract.forecasters import FORECASTERS, title_of
from ...contract.texts import count_text
from ...contract.warnings import describe_known, describe_windows
from ...evaluation.warned import WarningsJudged
from ...forecasters.modelcard import ModelCard
from ...forecasters.warningnote import read_budget, read_timing, require_warnings
from ...ground.artefacts import check_folder, whole_file
from ...maps.panel import Panel
from ..html import format_crs, history_of, render
from ..words import categories_text
from .limits import list_warning_limits
from .names import describe_place, find_words
from .page import collect_warnings, leave_out
from .verdict import describe_warnings_verdict


def write_warning_training_report(
    path: str | Path,
    panel: Panel,
    card: ModelCard,
    judged: WarningsJudged | None,
    parameters: Mapping[str, Any],
    notes: Sequence[str] = (),
    precursors: Sequence[str] = (),
    parameter: str = "report",
) -> None:
    """Write the report of the training of a warning model.

    Parameters
    ----------
    path : path
    panel : Panel
        What the model that is kept was trained on; its bins are the steps of its windows.
    card : ModelCard
    judged : WarningsJudged, optional
        On the windows held out, by a model that knew none of them; None where none were.
    parameters : mapping
        As the job got them.
    notes, precursors
        As for `page.write_warnings_report`.
    """
    check_folder(path, parameter)
    note = require_warnings(card.warning)
    timing, budget = read_timing(note), read_budget(note)
    words, (verdict, tone) = find_words(panel, timing), describe_warnings_verdict(judged)
    page = collect_warnings(judged) if judged is not None else {"opening": "", "verdict": verdict, "tone": tone}
    values = {
        **page,
        "judged": judged,
        "words": words,
        "entry": FORECASTERS[card.name],
        "untried": (
            f"{title_of(card.name)} has learned from {count_text(history_of(panel)['incidents'], 'event')} when and"
            f" where {words.had} is likely; what its warnings are worth was not measured."
        ),
        "card": card,
        "targets": categories_text(note["targets"]),
        "similar": categories_text(note["similar"]) if note["similar"] else "all others",
        "windows": describe_windows(timing),
        "known": describe_known(timing),
        "asked": words.describe_budget(budget),
        "trained": format_span(card.window.start, card.window.end),
        "settings": {name: value for name, value in card.settings.items() if name not in ("threshold", "seed")},
        "history": history_of(panel),
        "size": describe_place(panel),
        "crs": format_crs(panel.support.crs),
        "notes": leave_out((*(judged.notes if judged is not None else ()), *notes), (verdict,)),
        "limits": list_warning_limits(panel, note["targets"], precursors),
        "parameters": parameters,
    }
    text = render("warning_training.html", {**values, "page": values})
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")
