"""A table of incidents as rows that models learn from: fields found, the outcome, times, places, repeats, leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...contract.dates import format_moment
from ...contract.texts import count_text, list_names, part_text, show_name
from ...contract.tools.outcomes import ReadsOutcomes
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...ground.wholetables import WholeTable, read_whole_table, write_whole_table
from ...intake.times import kind_of_reason
from .coding import read_labels
from .features import Features, read_features, refuse_outcome
from .fields import find_fields
from .judged import Leak
from .leaks import Evidence, find_leaks
from .located import read_places
from .repeated import ROWS_FEATURE, find_repeats, merge_repeats
from .reported import leave_out_told, propose_found
from .rows import MISSING, Coded, Rows
from .rule import OutcomeRule, apply_rule, has_values, make_rule, make_rule_error, unite_truths
from .telling import Told
from .whens import Whens, read_whens

_NO_OUTCOME = "no outcome"
#: Reasons that a sentence names.
_LISTED = 3


@dataclass(frozen=True, eq=False)
class ReadRows:
    """What was read of a table.

    Attributes
    ----------
    rows : Rows
        That can be used, in the table's order; `Rows.fid` says where each stands in `table`.
    table : WholeTable
        All rows of it.
    outcome : OutcomeRule or None
        None only where no outcome was required, and none is told.
    fields : dict of str to tuple of str
        Fields by what they hold: outcome, time, and the roles of texts.
    found : tuple of str
        Categories that police discover.
    refusals : list of (int, str)
        Position in the table and reason of each row that cannot be used.
    merged : int
        Rows that an earlier one of their incident stands for.
    leaks : list of Leak
        Empty without an outcome.
    kept_out : tuple of str
        Fields that were asked for as features and are none: they say the outcome.
    notes : list of str
        What the log said.
    """

    rows: Rows
    table: WholeTable
    outcome: OutcomeRule | None
    fields: Mapping[str, tuple[str, ...]]
    found: tuple[str, ...]
    refusals: list[tuple[int, str]]
    merged: int
    leaks: list[Leak]
    kept_out: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def read_rows(
    parameters: ReadsOutcomes, context: JobContext, required: bool = True, table: WholeTable | None = None
) -> ReadRows:
    """Read a table of incidents; what is left empty is found by its name, and all that is chosen is said.

    Parameters
    ----------
    parameters : ReadsOutcomes
        Of *Train outcome model*, ``weather_fields``, ``census_fields``, ``other_fields``, ``people``, ``use_minute``
        and ``leaks`` are read too. Where ``refused`` names a file, what is refused is written there.
    context : JobContext
    required : bool
        Rows without a day or an outcome are refused; otherwise every row stays, and needs neither.
    table : WholeTable, optional
        That of the parameters, where it has been read.

    Raises
    ------
    FormatError
        If GDAL cannot read the table.
    ParameterError
        If a field or value that was chosen is not there, or a field describes people.
    DataError
        If the table does not say when, or what became of it.
    """
    told = Told(context)
    table = read_whole_table(parameters.incidents) if table is None else table
    if not len(table):
        raise DataError(
            "The table has no row", parameter="incidents", remedy="Choose a layer or table that holds incidents"
        )
    context.progress(0.3)
    parts = _read_parts(parameters, table, required, told)
    context.progress(0.7)
    refusals = _list_refusals(parts) if required else []
    told.warn(_describe_refused(refusals, len(table)))
    if path := getattr(parameters, "refused", None):
        write_refused(path, table, refusals)
    good = np.ones(len(table), dtype=bool)
    good[[row for row, _ in refusals]] = False
    found = _choose_found(parameters, parts.rows, told)
    repeats = find_repeats(table, parts.rows.texts.get("incident"))
    leaks: list[Leak] = []
    asked: Collection[str] = getattr(parameters, "leaks", ())
    if parts.rule is not None and required:
        _check_both(parts.rows.outcomes[good], parts.rule)
        place = np.flatnonzero(good)
        leaks = find_leaks(
            Evidence(
                table.select(place),
                parts.rows.select(place),
                parts.taken,
                parts.features.names,
                next(iter(parts.fields["time"]), ""),
                repeats.select(place),
                found,
                not parameters.found_by_police,
                getattr(parameters, "use_minute", False),
                parts.features.people,
                parameters.merge,
                asked,
            )
        )
        for leak in leaks:
            told.note(leak.sentence)
    kinds = ("outcome_field", "rows")
    says_outcome = {name for leak in leaks if leak.kind in kinds and leak.kept_out for name in leak.names}
    kept_out = tuple(name for name in parts.features.names if name in says_outcome)
    rows, merged = parts.features.add_to(parts.rows, kept_out), 0
    if "rows" in asked:
        rows = replace(rows, other={**rows.other, ROWS_FEATURE: repeats.size.astype(np.float64)})
    if parameters.merge:
        extra, happened = merge_repeats(repeats, rows.texts.get("incident"), good, rows.happened)
        rows, merged, good = replace(rows, happened=happened), int(extra.sum()), good & ~extra
        told.note(_describe_merged(merged, int(good.sum()), "incident" in rows.texts))
    rows = (rows if "outcome_text" in asked else leave_out_told(rows)).select(good)
    told.note(_describe_span(rows))
    context.progress(1.0)
    return ReadRows(rows, table, parts.rule, parts.fields, found, refusals, merged, leaks, kept_out, told.notes)


@dataclass(frozen=True, eq=False)
class _Parts:
    """What the fields hold, of every row of the table."""

    rows: Rows
    rule: OutcomeRule | None
    known: NDArray[np.bool_]
    whens: Whens
    features: Features
    fields: dict[str, tuple[str, ...]]
    taken: set[str]


def _read_parts(parameters: ReadsOutcomes, table: WholeTable, required: bool, told: Told) -> _Parts:
    chosen = find_fields(parameters, list(table.fields), table.geometry is not None)
    rule, outcome = _read_outcome(table, chosen.outcome, parameters.outcome_values, required)
    taken = {*chosen.texts.values(), chosen.x, chosen.y, *((rule.field,) if rule else ())} - {""}
    whens = read_whens(table, chosen.time, taken, parameters.date_order, chosen.date_order, required)
    taken |= set(whens.fields)
    if rule and required:
        refuse_outcome(parameters, rule.field)
    told.note(chosen.describe(rule.field if rule else "", whens.fields))
    told.note(rule.sentence if rule else "")
    told.note(whens.note)
    x, y, crs = read_places(table, chosen.x, chosen.y, told)
    texts = {role: read_labels(table, name) for role, name in chosen.texts.items()}
    if "domestic" in texts:
        texts["domestic"] = unite_truths(texts["domestic"])
    known = np.ones(len(table), dtype=bool) if outcome is None else outcome.codes != MISSING
    happened = None if outcome is None or rule is None else apply_rule(rule, outcome)
    rows = Rows(np.arange(len(table)), whens.day, whens.hour, whens.minute, x, y, texts, happened=happened, crs=crs)
    fields = {"outcome": (rule.field,) if rule else (), "time": whens.fields}
    fields |= {role: (name,) for role, name in chosen.texts.items()}
    return _Parts(rows, rule, known, whens, read_features(parameters, table, taken, told), fields, taken)


def _read_outcome(
    table: WholeTable, fields: Sequence[str], asked: Sequence[str], required: bool
) -> tuple[OutcomeRule | None, Coded | None]:
    """The first field whose values are an outcome, and they."""
    tried = {}
    for name in fields:
        tried[name] = read_labels(table, name)
        if len(fields) > 1 and asked and not has_values(tried[name], asked):
            continue
        rule = make_rule(name, tried[name], asked)
        if rule is not None:
            return rule, tried[name]
    if required:
        raise make_rule_error(tried)
    return None, None


def _list_refusals(parts: _Parts) -> list[tuple[int, str]]:
    reasons = np.where(parts.whens.reasons == "", np.where(parts.known, "", _NO_OUTCOME), parts.whens.reasons)
    return [(int(row), str(reasons[row])) for row in np.flatnonzero(reasons != "")]


def _describe_refused(refusals: Sequence[tuple[int, str]], total: int) -> str:
    if not refusals:
        return ""
    counted = Counter(kind_of_reason(reason) for _, reason in refusals)
    why = "; ".join(f"{reason} ({number:,})" for reason, number in counted.most_common(_LISTED))
    return f"{part_text(len(refusals), total, 'row', 'is', 'are')} left out: {why}"


def _choose_found(parameters: ReadsOutcomes, rows: Rows, told: Told) -> tuple[str, ...]:
    """The categories that police discover: those that were named, or are proposed."""
    category = rows.texts.get("category")
    labels = [] if category is None else list(category.labels)
    if parameters.found_by_police:
        known = {label.casefold(): label for label in labels}
        named = {each.casefold(): each for each in parameters.found_by_police}
        if unknown := [each for reduced, each in named.items() if reduced not in known]:
            told.warn(f"No incident has the category {list_names(unknown)}, named as one that police discover")
        return tuple(known.get(reduced, each) for reduced, each in named.items())
    return tuple(propose_found(sorted(labels)))


def _check_both(happened: NDArray[np.bool_], rule: OutcomeRule) -> None:
    """Refuse a table in which all incidents, or none, have the outcome."""
    if not len(happened):
        raise DataError(
            "No row has both a date and an outcome",
            parameter="incidents",
            remedy="Choose the time field and the outcome field",
        )
    if happened.all() or not happened.any():
        whole = "Every incident has" if happened.all() else "No incident has"
        raise DataError(
            f"{whole} the outcome: {show_name(rule.field)} is {list_names(rule.values)}",
            parameter="outcome_values",
            value=rule.field,
            remedy="Give other values that count, or choose incidents of which some have the outcome and some have not",
        )


def _describe_merged(merged: int, left: int, by_id: bool) -> str:
    if not merged:
        return "No row was merged: each incident has one"
    how = "the rows of one incident number are" if by_id else "rows that equal another in every field are"
    return f"{count_text(left, 'incident is', 'incidents are')} left of {count_text(merged + left, 'row')}: {how} one"


def _describe_span(rows: Rows) -> str:
    days = rows.day[~np.isnat(rows.day)]
    when = (
        f" from {format_moment(str(days.min()), 'days')} to {format_moment(str(days.max()), 'days')}"
        if len(days)
        else ""
    )
    share = f", {rows.happened.mean():.1%} of them with the outcome" if rows.happened is not None and len(rows) else ""
    return f"{count_text(len(rows), 'incident')}{when}{share}"


def write_refused(path: str, table: WholeTable, refusals: Sequence[tuple[int, str]]) -> None:
    """Write rows of a table by their position, with all that they have and the reason of each."""
    place = np.array([row for row, _ in refusals], dtype=np.int64)
    reasons = [reason for _, reason in refusals]
    write_whole_table(path, table.select(place), {"reason": "text"}, [reasons], "refused")
