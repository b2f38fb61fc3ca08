"""What in the data at hand gives the outcome away: each kind found, with its figure, and said.

Nothing here is learned by a model: figures are of all rows, and what is found is kept out, not used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import BY_DEFINITION, BY_DEFINITION_LEAST, SMOOTHING
from ...contract.texts import count_text, list_names, list_values, part_text, show_name
from ...ground.wholetables import WholeTable
from ...intake.importing import ROWS as MERGED_ROWS
from ...measures.metrics import auc
from .coding import read_labels
from .fields import names_outcome
from .judged import Leak
from .people import find_person_fields
from .repeated import Repeats, merge_repeats
from .reported import (
    choose_described,
    choose_rows,
    find_definitions,
    mark_definitions,
    mark_rows,
    says_outcome,
)
from .rows import MISSING, Rows

#: AUC of a field alone from which it says the outcome, whatever its name; and where its name says so.
SAYS_OUTCOME, SAYS_IF_NAMED = 0.98, 0.6
#: A field with more different values than this share of the rows numbers them.
_NUMBERING = 0.5
#: Parts in which the rate of a value is not learned from the rows that it is judged on.
_PARTS = 5
_LISTED = 5
#: An AUC as near to that of chance tells next to nothing.
_TELLING = 0.02
_READ = "it was asked for, and is read"
_DEFINED = "Strict figures and the map leave out what the rows learned from show to be so"
_PROPOSED = "They were proposed by their words; to change that, give FOUND. "


@dataclass(frozen=True, eq=False)
class Evidence:
    """What leaks are looked for in.

    Attributes
    ----------
    table : WholeTable
        Of the same rows, in their order.
    rows : Rows
    taken : collection of str
        Fields that hold the roles, and the outcome.
    features : collection of str
        Further fields that the user chose to be read.
    time : str
        The time field; empty for none.
    repeats : Repeats
    found : sequence of str
        Categories that police discover.
    proposed : bool
        By their words; nobody chose them.
    minute, people, merged : bool
        What the user asked for: the minute and fields of people as features, one row for each incident.
    asked : collection of str
        Of `READABLE_LEAKS`.
    """

    table: WholeTable
    rows: Rows
    taken: Collection[str]
    features: Collection[str]
    time: str
    repeats: Repeats
    found: Sequence[str]
    proposed: bool = True
    minute: bool = False
    people: bool = False
    merged: bool = False
    asked: Collection[str] = ()


def find_leaks(evidence: Evidence) -> list[Leak]:
    """Find what gives the outcome away, the kinds in the order of `judged.Leak`."""
    finders = (_find_fields, _find_texts, _find_minute, _find_rows, _find_definitions, _find_found, _find_people)
    return [leak for find in (*finders, _find_duplicates) for leak in find(evidence)]


def measure_field(codes: NDArray[np.int32], happened: NDArray[np.bool_]) -> float:
    """AUC of the smoothed rates of a field's values alone, each learned from rows that it is not judged on."""
    part = np.arange(len(codes)) % _PARTS
    base, values = happened.mean(), codes + 1
    size = int(values.max(initial=0)) + 1
    # A row without a value is one of a value of its own.
    number = np.zeros((_PARTS, size))
    events = np.zeros((_PARTS, size))
    np.add.at(number, (part, values), 1)
    np.add.at(events, (part, values), happened)
    rate = (events.sum(0) - events + SMOOTHING * base) / (number.sum(0) - number + SMOOTHING)
    return auc(rate[part, values], happened)


def _tells(alone: float) -> str:
    return "tells" if abs(alone - 0.5) > _TELLING else "hardly tells"


def _find_fields(evidence: Evidence) -> Iterator[Leak]:
    """Other fields that say the outcome."""
    table, happened = evidence.table, evidence.rows.outcomes
    for name in table.fields:
        if name in evidence.taken or name == MERGED_ROWS:
            continue
        coded = read_labels(table, name)
        if not 1 < len(coded.labels) <= _NUMBERING * len(table):
            continue
        alone = measure_field(coded.codes, happened)
        if not alone >= (SAYS_IF_NAMED if names_outcome(name) else SAYS_OUTCOME):
            continue
        named = name in evidence.features
        read = named and "outcome_field" in evidence.asked
        kept = f"it is kept out, {'although it was named' if named else 'and no feature'}"
        yield Leak(
            "outcome_field",
            (name,),
            alone,
            int((coded.codes != MISSING).sum()),
            not read,
            f"{show_name(name)} says what became of incidents (AUC of it alone {alone:.3f}): {_READ if read else kept}",
            read,
        )


def _find_texts(evidence: Evidence) -> Iterator[Leak]:
    """Descriptions that say the outcome in their words; see `reported.leave_out_told`."""
    coded = evidence.rows.texts.get("description")
    if coded is not None:
        said = [label for label in coded.labels if says_outcome(label)]
        inside = mark_rows(coded, says_outcome)
        if inside.any():
            share, read = float(evidence.rows.outcomes[inside].mean()), "outcome_text" in evidence.asked
            yield Leak(
                "outcome_text",
                tuple(said),
                share,
                int(inside.sum()),
                not read,
                f"{count_text(len(said), 'description says', 'descriptions say')} in words that there was an arrest "
                f"({list_values(said, _LISTED)}): {part_text(int(inside.sum()), len(coded.codes), 'row')}, {share:.1%} "
                f"of them with the outcome. The texts {'were asked for, and are read' if read else 'are kept out'}, "
                "and the rows are kept out of strict figures",
                read,
            )


def _find_minute(evidence: Evidence) -> Iterator[Leak]:
    rows = evidence.rows
    known = rows.minute != MISSING
    if not known.any() or len(np.unique(rows.minute[known])) < 2:
        return
    happened = rows.outcomes
    alone = measure_field(rows.minute.astype(np.int32), happened)
    full, exact = known & (rows.minute == 0), known & (rows.minute % 5 != 0)
    said = " and ".join(
        f"{happened[mask].mean():.1%} of incidents recorded {where}"
        for mask, where in ((full, "on the full hour"), (exact, "at an exact minute"))
        if mask.any()
    )
    kept = _READ if evidence.minute else "it is kept out, and only the hour is read"
    yield Leak(
        "minute",
        (evidence.time,),
        alone,
        int(known.sum()),
        not evidence.minute,
        f"The recorded minute {_tells(alone)} the outcome (AUC of it alone {alone:.3f}): {said} have it; {kept}",
    )


def _find_rows(evidence: Evidence) -> Iterator[Leak]:
    """How many rows an incident has, which grows with its charges."""
    size, happened, incident = evidence.repeats.size, evidence.rows.outcomes, evidence.rows.texts.get("incident")
    asked = "rows" in evidence.asked
    if evidence.table.fields.get(MERGED_ROWS) in ("integer", "long"):
        merged = np.array(evidence.table.column(MERGED_ROWS), dtype=np.float64)
        alone, read = auc(np.nan_to_num(merged, nan=1.0), happened), asked and MERGED_ROWS in evidence.features
        yield Leak(
            "rows",
            (MERGED_ROWS,),
            alone,
            int((merged > 1).sum()),
            not read,
            f"{MERGED_ROWS} counts the rows of an incident that Import incidents has merged, and {_tells(alone)} the "
            f"outcome (AUC of it alone {alone:.3f}): {_READ if read else 'it is no feature'}",
            read,
        )
    if incident is None or size.max(initial=1) < 2:
        return
    # Of incidents, each once.
    extra, any_of = merge_repeats(evidence.repeats, incident, np.ones(len(size), dtype=bool), happened)
    assert any_of is not None
    alone = auc(size[~extra].astype(np.float64), any_of[~extra])
    shares = [
        f"{happened[mask].mean():.0%} of {what}"
        for mask, what in ((size == 1, "rows that are alone"), (size == 2, "pairs"), (size > 2, "three or more rows"))
        if mask.any()
    ]
    remedy = (
        "each incident is one row here"
        if evidence.merged
        else "split by incident, or a row is tested by others of its incident"
    )
    yield Leak(
        "rows",
        (),
        alone,
        int((size > 1).sum()),
        not asked,
        f"How many rows an incident has {_tells(alone)} the outcome (AUC of it alone {alone:.3f}): {', '.join(shares)} "
        f"have it. {'It was asked for, and is read' if asked else 'It is no feature'}; {remedy}",
        asked,
    )


def _find_definitions(evidence: Evidence) -> Iterator[Leak]:
    """Descriptions that are the outcome by definition."""
    rows, asked = evidence.rows, "by_definition" in evidence.asked
    role, named = choose_described(rows), find_definitions(rows)
    if not named:
        return
    inside = mark_definitions(rows, named)
    victims = int((inside & choose_rows(rows, evidence.found, "victims")).sum())
    happened = rows.outcomes
    share = float(happened[inside].sum() / max(happened.sum(), 1))
    rest = (
        "none of them among what victims or others reported"
        if not victims
        else f"{count_text(victims, 'row')} of them among what victims or others reported"
    )
    yield Leak(
        "by_definition",
        tuple(named),
        share,
        int(inside.sum()),
        False,
        f"{count_text(len(named), f'{role} is', f'{_plural(role)} are')} the outcome by definition (at least "
        f"{BY_DEFINITION:.0%} of {BY_DEFINITION_LEAST} incidents or more, such as {list_values(named, _LISTED)}): "
        f"{part_text(int(inside.sum()), len(rows), 'row')}, {share:.0%} of the outcomes, {rest}. "
        f"{'Strict figures and the map have them, as was asked for' if asked else _DEFINED}",
        asked,
    )


def _find_found(evidence: Evidence) -> Iterator[Leak]:
    """Categories that police discover."""
    rows = evidence.rows
    coded = rows.texts.get("category")
    inside = ~choose_rows(rows, evidence.found, "victims")
    if coded is None or not inside.any():
        return
    share = float(rows.outcomes[inside].sum() / max(rows.outcomes.sum(), 1))
    asked = "found_by_police" in evidence.asked
    known = {each.casefold() for each in evidence.found}
    named = [label for label in coded.labels if label.casefold() in known]
    yield Leak(
        "found_by_police",
        tuple(named),
        share,
        int(inside.sum()),
        False,
        f"Police discover, rather than victims report, {list_values(named, 40)}: {inside.mean():.0%} of the incidents, "
        f"{share:.0%} of the outcomes. {_PROPOSED if evidence.proposed else ''}Every figure is given without them, "
        f"too, and the map {'has them, as was asked for' if asked else 'leaves them out'}",
        asked,
    )


def _find_people(evidence: Evidence) -> Iterator[Leak]:
    asked = find_person_fields(list(evidence.features))
    named = find_person_fields([name for name in evidence.table.fields if name not in evidence.taken])
    if not named:
        return
    read = bool(asked) and evidence.people
    what = "were asked for, and are read" if read else "are never read unless that is switched on"
    if len(named) == 1:
        what = what.replace("were", "was").replace("are", "is")
    yield Leak(
        "person",
        tuple(named),
        float("nan"),
        len(evidence.table),
        not read,
        f"{list_names(named, 20)} {'describe' if len(named) > 1 else 'describes'} people and {what}",
    )


def _find_duplicates(evidence: Evidence) -> Iterator[Leak]:
    again, happened = evidence.repeats.again, evidence.rows.outcomes
    if not again.any():
        return
    with_them, without = float(happened.mean()), float(happened[~again].mean())
    do = (
        "They were merged"
        if evidence.merged
        else "They stand on both sides of a random split: switch on MERGE, or split by incident"
    )
    yield Leak(
        "duplicates",
        (),
        with_them - without,
        int(again.sum()),
        evidence.merged,
        f"{part_text(int(again.sum()), len(again), 'row', 'equals', 'equal')} an earlier one in every field. The share "
        f"with the outcome is {with_them:.3f} with them and {without:.3f} without. {do}",
    )


def _plural(role: str) -> str:
    return {"category": "categories", "description": "descriptions"}[role]
