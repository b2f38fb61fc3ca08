"""What the log says of a map of an outcome."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...contract.dates import format_days
from ...contract.outcomes import MODELS, OutcomeClass
from ...contract.texts import count_text, part_text
from ...contract.tools.outcomemodel import PredictOutcome
from ...systems.outcomes.mapping import BY_DEFINITION, FOUND_BY_POLICE, NOT_STRICT, Mapped
from ...systems.outcomes.model import OutcomeCard
from ...systems.outcomes.rows import Rows
from ...systems.outcomes.training import Trained
from ..words import format_change

#: How incidents that are not rated are rated, too, by what is noted of them.
_SWITCHES = {
    FOUND_BY_POLICE: "set ROWS to all incidents",
    NOT_STRICT: "set ROWS to all incidents, or to those reported by victims or others",
    BY_DEFINITION: "switch DEFINITIONS on",
}


def describe_card(card: OutcomeCard) -> str:
    """Describe a model in a sentence."""
    return (
        f"{MODELS[card.name].title}, of {card.outcome}, trained on {count_text(card.rows, 'incident')} of "
        f"{format_days(card.first, card.last)}, {card.rate:.1%} of them with it"
    )


def describe_kept(kept: Trained) -> str:
    """Describe what the model that is kept was fitted on, and how it was shifted."""
    return (
        f"The model that is kept is fitted on {count_text(len(kept.rows), 'incident')} of "
        f"{format_days(kept.first, kept.last)}, and its probabilities are brought to the level of the last of these "
        f"days (shift of the logit {format_change(kept.shift, 2)})"
    )


def list_sentences(
    mapped: Mapped,
    left_out: Mapping[str, NDArray[np.bool_]],
    counts: Mapping[OutcomeClass, int],
    parameters: PredictOutcome,
) -> list[str]:
    """List what the log says of a map."""
    total = len(mapped.probability)
    taken, said = np.zeros(total, dtype=np.bool_), []
    for note, mask in left_out.items():
        number = int((mask & ~taken).sum())
        taken |= mask
        if number:
            said.append(f"{part_text(number, total, 'incident', 'is', 'are')} not rated: {note}")
            said[-1] += f". To rate these too, {_SWITCHES[note]}"
    rated = total - int(taken.sum())
    low, high = f"{parameters.unlikely:.0%}", f"{parameters.likely:.0%}"
    said.append(
        f"Of {count_text(rated, 'incident')} rated, {counts['likely']:,} are above {high}, {counts['between']:,} "
        f"between, {counts['unlikely']:,} below {low}; {float(np.nansum(mapped.probability)):,.0f} with the outcome "
        "are to be expected"
    )
    if unseen := int(mapped.unseen.sum()):
        said.append(
            f"{part_text(unseen, rated, 'incident', 'has', 'have')} a category or description that the training did "
            "not have: the rate of what is above it is taken, and the field note says so"
        )
    return said


def describe_span(card: OutcomeCard, rows: Rows) -> str:
    """Say how many incidents the model may have learned from; empty for none."""
    within = int(((rows.day >= np.datetime64(card.first)) & (rows.day <= np.datetime64(card.last))).sum())
    if not within:
        return ""
    return (
        f"{part_text(within, len(rows), 'incident', 'is', 'are')} of days that the model was trained on: of those it"
        " learned from it repeats in part what became of them, which flatters, and this is no test of it"
    )
