"""Job: add what is known of the areas of a panel, from any table, as covariates of a new panel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from ..contract.dates import count_bins, format_moment
from ..contract.texts import count_text, list_names, part_text, replace_controls, show_name
from ..contract.tools.covariates import AddCovariates
from ..evaluation.exposure import read_areas
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from ..intake.valuetable import ValueTable, read_value_table
from ..maps.counted import describe_counted
from ..maps.covariates import SHUFFLED, Dated, combine_dated, combine_fixed, make_known_from, shuffle_extras
from ..maps.history import to_local_moment
from ..maps.joinedtable import Larger, join_table
from ..maps.joining import Pairs
from ..maps.panel import Covariate, CovariateSource, Extras, Panel
from ..maps.panelfile import copy_with_covariates, read_panel
from ..maps.shapes import Shapes

#: Names that a line of the log lists.
_LISTED = 40
#: The covariate that counts points.
_POINTS = "points"


def run(parameters: AddCovariates, context: JobContext) -> dict[str, Any]:
    """Read panel and table, join them, bring the values to bins, fill gaps from the past, write a new panel."""
    check_folder(parameters.output)
    _refuse_in_place(parameters)
    panel = read_panel(parameters.panel, "panel")
    names = _name_covariates(parameters, panel, context)
    context.progress(0.05, "Reading the table")
    table = read_value_table(
        parameters.table,
        [*parameters.fields, *([parameters.weight_field] if parameters.weight_field else [])],
        context,
        (parameters.key_field or "") if parameters.joined == "key" else "",
        parameters.date_field or "",
        parameters.date_order,
        shapes=parameters.joined != "key",
    )
    context.progress(0.2, "Joining rows and areas")
    pairs, joined = join_table(parameters, _areas_of(panel), table, _read_larger(parameters.areas), context)
    context.progress(0.5, "Bringing the values to bins")
    fields = [np.zeros(table.rows)] if parameters.combine == "count" else [table.values[f] for f in parameters.fields]
    values = dict(zip(names, fields, strict=True))
    make = _make_fixed if table.when is None else _make_dated
    extras = make(parameters, panel, table, pairs, values, context)
    source = CovariateSource(parameters.source or Path(parameters.table).name, joined)
    extras = replace(extras, sources=dict.fromkeys(names, source))
    with_values = _report_missing(extras, panel, context)
    if parameters.shuffle:
        extras = shuffle_extras(extras, panel.mask, parameters.seed)
        context.warn(
            f"The values were dealt out among the areas at random (seed {parameters.seed}): a control, which says"
            " nothing of the areas"
        )
    context.progress(0.8, "Writing the panel")
    copy_with_covariates(parameters.panel, parameters.output, extras)
    names = [*extras.static_names, *(each.name for each in extras.covariates)]
    context.log(f"{count_text(len(names), 'covariate')} added: {list_names(names, _LISTED)}")
    return {
        "covariates": len(names),
        "areas_with_values": with_values,
        "areas_without": panel.mask.size - with_values,
        "filled": sum(int(each.filled.sum()) for each in extras.covariates if each.filled is not None),
        "names": "; ".join(names),
        "edges": [str(edge) for edge in panel.edges],
        "bin": panel.bin,
        "exactness": panel.exactness,
        "highest": int(panel.counts.max(initial=0)),
        "counted_categories": panel.categories,
        "counted_text": describe_counted(panel),
    }


def _areas_of(panel: Panel) -> Shapes:
    assert isinstance(panel.support, Shapes)
    return panel.support


def _refuse_in_place(parameters: AddCovariates) -> None:
    output = Path(parameters.output)
    if output.exists() and output.samefile(parameters.panel):
        raise ParameterError(
            f"output is {output}, which is the panel itself; that stays as it is",
            parameter="output",
            value=output,
            remedy="Choose another file",
        )


def _name_covariates(parameters: AddCovariates, panel: Panel, context: JobContext) -> list[str]:
    """Name the new covariates; say which of the panel's they replace."""
    fields = [_POINTS] if parameters.combine == "count" else parameters.fields
    names = [" ".join(replace_controls(f"{parameters.prefix}{field}").split()) for field in fields]
    if twice := [name for number, name in enumerate(names) if name in names[:number]]:
        raise ParameterError(
            f"{show_name(twice[0])} is given twice", parameter="fields", value=twice[0], remedy="Give each field once"
        )
    known = {*panel.extras.static_names, *(each.name for each in panel.extras.covariates)}
    written = [name + SHUFFLED if parameters.shuffle else name for name in names]
    if replaced := [name for name in written if name in known]:
        one = "covariate of the panel is", "covariates of the panel are"
        context.warn(
            f"{count_text(len(replaced), *one)} replaced by the new one of the same name:"
            f" {list_names(replaced, _LISTED)}. To keep both, give a prefix"
        )
    return names


def _read_larger(path: str | None) -> Larger | None:
    if not path:
        return None
    named = [(name, json.dumps(shape)) for name, shapes in read_areas(path).items() for shape in shapes]
    return [name for name, _ in named], np.asarray(shapely.from_geojson([shape for _, shape in named]), dtype=object)


def _make_fixed(
    parameters: AddCovariates,
    panel: Panel,
    table: ValueTable,
    pairs: Pairs,
    values: dict[str, NDArray[np.float64]],
    context: JobContext,
) -> Extras:
    areas = panel.mask.size
    made = [combine_fixed(pairs, each, parameters.combine, areas) for each in values.values()]
    if parameters.known_from is None:
        context.warn(
            "The values have no date and count as always known: forecasts of times before they were published look"
            " ahead with them. Give KNOWN_FROM the day of publication, or a date field"
        )
        return Extras(static=np.stack(made), static_names=tuple(values))
    moment = to_local_moment(parameters.known_from, "known_from")
    if moment > panel.edges[-1]:
        raise ParameterError(
            f"known_from is {format_moment(moment)}, after the end of the panel: no forecast in it could read them",
            parameter="known_from",
            value=parameters.known_from,
            remedy="Give the day on which they were published",
        )
    before = int((panel.edges[:-1] < moment).sum())
    context.log(
        f"The values are known from {format_moment(moment)}: forecasts made at the start of"
        f" {part_text(before, len(panel), panel.bin_noun, 'does', 'do')} not read them"
    )
    known = [make_known_from(each, moment, panel.edges) for each in made]
    return Extras(covariates=tuple(Covariate(name, each) for name, each in zip(values, known, strict=True)))


def _make_dated(
    parameters: AddCovariates,
    panel: Panel,
    table: ValueTable,
    pairs: Pairs,
    values: dict[str, NDArray[np.float64]],
    context: JobContext,
) -> Extras:
    assert table.when is not None
    areas = 1 if parameters.joined == "all" else panel.mask.size
    covariates, made = [], []
    for number, (name, each) in enumerate(values.items()):
        context.progress(0.5 + 0.3 * number / len(values))
        dated = combine_dated(pairs, each, parameters.combine, areas, table.when, panel.edges, panel.bin)
        dated = dated.repeat(panel.mask.size) if areas == 1 else dated
        if not np.isfinite(dated.values[: len(panel)]).any():
            raise DataError(
                f"{show_name(name)} has no value in the time of the panel or before",
                parameter="date_field",
                value=parameters.date_field,
                remedy="Choose a table that begins before the panel ends",
            )
        made.append(dated)
        covariates.append(Covariate(name, dated.values, parameters.delay, dated.filled))
    _report_filled(covariates, made, panel, context)
    late = f"{count_bins(parameters.delay, panel.bin)} after " if parameters.delay else ""
    context.log(f"A value is used from {late}the end of its {panel.bin_noun} on")
    return Extras(covariates=tuple(covariates))


def _report_filled(covariates: Sequence[Covariate], made: Sequence[Dated], panel: Panel, context: JobContext) -> None:
    """Say when values begin and end, and what stands where there is none; once for all of which the same is true."""
    said: dict[tuple[bool, str], list[str]] = {}
    for covariate, dated in zip(covariates, made, strict=True):
        for sentence in _describe_filled(dated, panel):
            said.setdefault(sentence, []).append(covariate.name)
    for (is_warning, text), names in said.items():
        (context.warn if is_warning else context.log)(f"{list_names(names, _LISTED)}: {text}")


def _describe_filled(dated: Dated, panel: Panel) -> Iterator[tuple[bool, str]]:
    """Yield sentences, and whether each is a warning."""
    unit, noun, bins = panel.bin.split()[-1], panel.bin_noun, len(panel)
    known = np.isfinite(dated.values)
    first = int(np.argmax(known.any(axis=1)))
    if first:
        before = format_moment(panel.edges[min(first, bins)], unit)
        yield False, f"nothing is known before {before}, in {part_text(min(first, bins), bins, noun)}"
    if not dated.filled.any():
        return
    where = [
        *([f"in {count_text(dated.held, noun)} of which the table has none"] if dated.held else []),
        *([f"{count_text(dated.gaps, 'value')} of areas that lack one where others have it"] if dated.gaps else []),
    ]
    filled = part_text(int(dated.filled.sum()), int(known.sum()), "value", "is", "are")
    yield False, f"{filled} filled with the last one before: {', and '.join(where)}"
    own = np.flatnonzero((known & ~dated.filled).any(axis=1))
    last = int(own[-1]) if len(own) else -1
    if last < bins - 1:
        ends = f"the values end with {format_moment(panel.edges[last], unit)}" if last >= 0 else "all are older"
        yield True, f"{ends}; in {count_text(bins - 1 - last, noun)} at the end the last ones hold"


def _report_missing(extras: Extras, panel: Panel, context: JobContext) -> int:
    """Name the areas without any value, once for all covariates that lack the same; count those that have some."""
    known = dict(zip(extras.static_names, np.isfinite(extras.static), strict=True)) if extras.static_names else {}
    known.update({each.name: np.isfinite(each.values).any(axis=0) for each in extras.covariates})
    alike: dict[bytes, list[str]] = {}
    for name, each in known.items():
        alike.setdefault(each.tobytes(), []).append(name)
    for names in alike.values():
        missing = np.flatnonzero(~known[names[0]])
        if len(missing):
            has = "has no value", "have no value"
            of = f" of {list_names(names)}" if len(alike) > 1 else ""
            without = list_names([_areas_of(panel).names[number] for number in missing.tolist()])
            context.warn(f"{part_text(len(missing), panel.mask.size, panel.noun, *has)}{of}: {without}")
    return int(np.any(list(known.values()), axis=0).sum())
