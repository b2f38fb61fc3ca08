"""Job: say with a trained model how likely an outcome is, by incident, street block and area."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..contract import tags as tagnames
from ..contract.outcomes import CLASSES, MODELS, READABLE_LEAKS
from ..contract.texts import count_text, list_names
from ..contract.tools.outcomemodel import PredictOutcome
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.wholetables import read_whole_table, write_whole_table
from ..report.outcomes.prediction import describe_card, describe_span, list_sentences
from ..systems.outcomes.mapping import Mapped, leave_out, map_outcomes
from ..systems.outcomes.maptables import write_groups
from ..systems.outcomes.model import load_outcome_model
from ..systems.outcomes.needs import AskedRows, check_groups
from ..systems.outcomes.reading import ReadRows, read_rows
from ..systems.outcomes.reported import choose_rows

#: What each incident gets.
ADDED = {"probability": "real", "low": "real", "high": "real", "class": "text", "note": "text"}
_OUTPUTS = ("output", "blocks", "by_area", "outlook")


def run(parameters: PredictOutcome, context: JobContext) -> dict[str, Any]:
    """Load, read, predict, write."""
    began = time.monotonic()
    for name in _OUTPUTS:
        if path := getattr(parameters, name):
            check_folder(path, name)
    context.progress(0.0, "Reading the model")
    model = load_outcome_model(parameters.model)
    card = model.card
    line = describe_card(card)
    context.log(line)
    if card.people:
        context.warn(f"The model reads fields that describe people: {list_names(card.people)}")
    if card.leaks:
        named = list_names([READABLE_LEAKS[kind] for kind in card.leaks])
        context.warn(f"The model was trained with leaks, as was asked for: {named}")
    with context.step(0.05, 0.5):
        table = read_whole_table(parameters.incidents)
        asked: Any = AskedRows(parameters, card, list(table.fields))
        read = read_rows(asked, context, required=False, table=table)
    rows = read.rows
    seen = describe_span(card, rows)
    for sentence in filter(None, [*check_groups(card, rows), seen]):
        context.warn(sentence)
    context.progress(0.5, "Predicting")
    # What the training was asked to show stays on the map, unless this prediction names categories of its own.
    shows_found = parameters.reported == "victims" and "found_by_police" in card.leaks
    shows_found &= not parameters.found_by_police
    left_out = leave_out(
        rows,
        choose_rows(rows, read.found, "all" if parameters.reported == "all" or shows_found else "victims"),
        choose_rows(rows, read.found, "strict") if parameters.reported == "strict" else None,
        [] if parameters.definitions else card.definitions,
    )
    thresholds = parameters.likely, parameters.unlikely
    mapped = map_outcomes(rows, model.predict(rows), model.predictor, card.drift, thresholds, left_out)
    counts = {name: int((mapped.classes == name).sum()) for name in CLASSES}
    for sentence in list_sentences(mapped, left_out, counts, parameters):
        context.log(sentence)
    context.progress(0.6, "Writing")
    added = _write_incidents(parameters, read, mapped) if parameters.output else {}
    shown = write_groups(parameters, rows, mapped, card.drift, context)
    context.progress(1.0, "Done")
    rated = int((~np.isnan(mapped.probability)).sum())
    return {
        **{name: getattr(parameters, name) for name in _OUTPUTS},
        "model": card.name,
        "title": MODELS[card.name].title,
        "card": ". ".join(filter(None, [line, seen])),
        "rated": rated,
        "left_out": len(rows) - rated,
        "unseen": int(mapped.unseen.sum()),
        "counts": counts,
        "expected": round(float(np.nansum(mapped.probability)), 1),
        **shown,
        "names": added,
        "said_fields": {role: read.fields[role][0] for role in ("category", "description") if role in read.fields},
        "thresholds": list(thresholds),
        "counted_text": f"n = {count_text(rated, 'incident')} rated",
        "tags": {tagnames.MODEL: card.name, tagnames.TRAINED_UNTIL: card.last},
        "notes": read.notes,
        "seconds": round(time.monotonic() - began, 3),
    }


def _write_incidents(parameters: PredictOutcome, read: ReadRows, mapped: Mapped) -> dict[str, str]:
    """Write all rows of the layer; those that could not be read have no values."""
    assert parameters.output is not None
    columns = [
        _spread(column, read) for column in (mapped.probability, mapped.low, mapped.high, mapped.classes, mapped.notes)
    ]
    table = read.table
    if table.geometry is None and read.rows.crs:
        # Coordinates in columns: with points there is a map.
        table = table.place(_spread(read.rows.x, read), _spread(read.rows.y, read), read.rows.crs)
    names = write_whole_table(parameters.output, table, ADDED, columns, "output")
    return dict(zip(ADDED, names, strict=True))


def _spread(column: Any, read: ReadRows) -> Any:
    empty = np.full(len(read.table), None if column.dtype == object else np.nan, dtype=column.dtype)
    empty[read.rows.fid] = column
    return empty
