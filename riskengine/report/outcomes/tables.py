"""Tables of the page: scores of all models by split, leaks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from ...contract.outcomes import MODELS, OutcomeSplit, Reported
from ...systems.outcomes.judged import Leak, OutcomeStudy, Score
from ..html import format_number
from ..words import format_change, format_percent
from . import words
from .sentences import describe_base

HEADS = ["AUC", "Log-loss", "– less the table’s"]
#: Figures that are folded away.
MORE = {
    "log_loss": "Log-loss",
    "brier": "Brier",
    "average_precision": "Average precision",
    "within_category_auc": "AUC within category",
    "ece": "Calibration error",
    "ece_shifted": "– after the shift",
    "ece_oracle": "– oracle",
}
_READ, _ASKED = "read", "asked for"
#: What a leak is.
LEAKS = {
    "outcome_field": "Says the outcome",
    "outcome_text": "Says the outcome in words",
    "minute": "Recorded minute",
    "rows": "Rows of an incident",
    "by_definition": "Outcome by definition",
    "found_by_police": "Found by police",
    "person": "Describes people",
    "duplicates": "Exact duplicates",
}


@dataclass(frozen=True)
class ModelRow:
    """A model: its title, whether it is the one that is kept or the table that it must beat, and its cells."""

    title: str
    chosen: bool
    table: bool
    cells: list[Markup]


@dataclass(frozen=True)
class ScoreTable:
    """All models on the incidents of one kind: figures that stand at once, and those that are folded away."""

    title: str
    base: str
    heads: list[str]
    rows: list[ModelRow]
    more: list[ModelRow]


@dataclass(frozen=True)
class SplitTables:
    """All models on one split."""

    title: str
    what: str
    tables: list[ScoreTable]


def list_split_tables(study: OutcomeStudy) -> list[SplitTables]:
    """List the splits that were tested, each with all its models, the simplest first."""
    found = []
    for split in words.SPLITS:
        tables = [_make_table(study, split, reported) for reported in words.REPORTED]
        if any(tables):
            there = [table for table in tables if table is not None]
            found.append(SplitTables(words.SPLITS[split], words.WHAT_SPLITS_ARE[split], there))
    return found


def _make_table(study: OutcomeStudy, split: OutcomeSplit, reported: Reported) -> ScoreTable | None:
    scores = [score for name in MODELS if (score := study.find(name, split, reported)) is not None]
    if not scores:
        return None

    def make_row(score: Score, cells: list[Markup]) -> ModelRow:
        name = score.model
        return ModelRow(MODELS[name].title, name == study.default, name == study.reference, cells)

    # All of the strict choice is among the figures that are folded away: the table would not fit a page.
    heads = HEADS[:1] if reported == "strict" else HEADS
    rows, more = [], []
    for score in scores:
        figures = score.figures
        loss = Markup(format_number(figures["log_loss"].mean, 3))
        cells = [words.format_cell(figures["auc"]), loss, _format_to_table(study, score)]
        rows.append(make_row(score, cells[: len(heads)]))
        seconds = Markup(format_number(study.seconds.get(score.model), 1))
        more.append(make_row(score, [*(words.format_cell(figures.get(figure)) for figure in MORE), seconds]))
    return ScoreTable(words.REPORTED[reported], describe_base(scores[0]), heads, rows, more)


def _format_to_table(study: OutcomeStudy, score: Score) -> Markup:
    if score.model == study.reference:
        return Markup("compared with")
    return words.format_cell(study.differences.get((score.model, score.split, score.reported)), 4, signed=True)


@dataclass(frozen=True)
class LeakRow:
    """A leak that was found."""

    title: str
    sentence: str
    figure: str
    rows: str
    state: str


def list_read(study: OutcomeStudy) -> list[str]:
    """List what is said of leaks that the model reads or is tested with: nobody must miss it."""
    return [leak.sentence for leak in study.leaks if _name_state(leak) in (_READ, _ASKED)]


def list_leak_rows(study: OutcomeStudy) -> list[LeakRow]:
    """List the leaks that were found."""
    return [
        LeakRow(LEAKS[leak.kind], leak.sentence, _format_leak(leak), f"{leak.rows:,}", _name_state(leak))
        for leak in study.leaks
    ]


def _format_leak(leak: Leak) -> str:
    """The figure of a leak, with what it is."""
    if not math.isfinite(leak.figure):
        return "–"
    if leak.kind in ("by_definition", "found_by_police"):
        return f"{format_percent(leak.figure)} of all outcomes"
    if leak.kind == "duplicates":
        return f"{format_change(leak.figure, 3)} in the share with the outcome"
    if leak.kind == "outcome_text":
        return f"{format_percent(leak.figure)} with the outcome"
    return f"AUC {format_number(leak.figure, 3)} alone"


def _name_state(leak: Leak) -> str:
    if leak.kept_out or leak.asked:
        return _ASKED if leak.asked else "kept out"
    return "shown apart" if leak.kind in ("by_definition", "found_by_police") else _READ
