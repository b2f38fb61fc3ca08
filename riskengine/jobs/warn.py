"""Job: warn of the next windows with a trained model."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..contract import tags as tagnames
from ..contract.dates import format_last, format_moment
from ..contract.forecasters import title_of
from ..contract.texts import count_text
from ..contract.tools.warning import Warn
from ..contract.warnings import Timing
from ..forecasters.base import check_history
from ..forecasters.modelcard import ModelCard
from ..forecasters.modelfile import load_model
from ..forecasters.modelfit import arrange_like, check_fits
from ..forecasters.warningnote import read_budget, read_timing, require_warnings
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..intake.incidents import Incidents, count_reasons
from ..maps.panel import Panel
from ..maps.shapes import Shapes
from ..maps.warningpanel import CITY, is_city
from ..report.warnings.outlook import describe_outlook, list_first
from ..systems.warning.inputs import look_at_pictures, read_warning_inputs
from ..systems.warning.moments import Moment, count_next, find_moment
from ..systems.warning.outlook import make_outlook
from ..systems.warning.tables import write_outlook, write_windows


def run(parameters: Warn, context: JobContext) -> dict[str, Any]:
    """Load, read what is known at the moment, forecast, warn, write."""
    began = time.monotonic()
    for name in ("warnings", "next_windows"):
        if path := getattr(parameters, name):
            check_folder(path, name)
    context.progress(0.0, "Reading the model")
    model, card = load_model(parameters.model)
    note = require_warnings(card.warning)
    timing, notes = read_timing(note), list[str]()

    def warn(message: str) -> None:
        notes.append(message)
        context.warn(message)

    _check_areas(card, parameters.areas)
    with context.step(0.05, 0.3):
        inputs = read_warning_inputs(
            parameters,
            note["targets"],
            note["similar"],
            timing,
            context,
            lambda incidents: _find_moment(incidents, parameters, timing, context),
            look_at_pictures([card.name]),
        )
    moment = inputs.moment
    assert moment is not None, "asked for"
    if old := moment.describe_age(timing):
        warn(old)
    if moment.known < np.datetime64(card.window.end) - np.timedelta64(timing.window, "h"):
        warn(
            f"The model was trained on what happened up to {format_last(card.window.end)}, after the moment at which"
            " these warnings are made: what it warns of it may have seen, so this is no test of it"
        )
    panel = _bring_to_model(card, inputs.warning.panel, warn)
    bins = int(np.searchsorted(panel.edges[1:], moment.known, side="right"))
    check_history(panel.cut(bins), model.least_maps)
    windows = count_next(parameters.windows, timing)
    with context.step(0.3, 0.9):
        outlook = make_outlook(model, panel, bins, timing, read_budget(note), moment.made, windows, context)
    line = describe_outlook(outlook, note, card)
    context.log(line)
    areas = panel.support
    assert isinstance(areas, Shapes), "warnings are of areas"
    for number, said in enumerate(list_first(outlook, areas.names), 1):
        context.log(f"{number}. {said}")
    if not outlook.parts:
        context.log(f"{title_of(model.name)} is not made of hour, season, place and level: their columns are empty")
    with context.step(0.9, 1.0):
        if parameters.warnings:
            write_outlook(parameters.warnings, outlook, areas, context)
        if parameters.next_windows:
            write_windows(parameters.next_windows, outlook, areas)
    return {
        "warnings": parameters.warnings,
        "next_windows": parameters.next_windows,
        "model": card.name,
        "title": title_of(card.name),
        "edges": [str(edge) for edge in outlook.edges],
        "made": str(outlook.made),
        "known": str(outlook.known),
        "warned": int(outlook.warned.sum()),
        "windows": outlook.windows,
        "threshold": float(outlook.threshold) if np.isfinite(outlook.threshold) else None,
        "counted_categories": note["targets"],
        "counted_text": f"n = {count_text(int(panel.counts[:bins].sum()), 'event')} known",
        "tags": {
            tagnames.MODEL: card.name,
            tagnames.ORIGIN: str(outlook.made),
            tagnames.TRAINED_UNTIL: card.window.end,
            tagnames.CATEGORIES: tagnames.join_categories(note["targets"]),
        },
        "trained_until": card.window.end,
        "card": line,
        "refused": len(inputs.refusals),
        "reasons": count_reasons(inputs.refusals),
        "refusals": [[each.fid, each.reason] for each in inputs.refusals],
        "notes": [*inputs.notes, *notes],
        "seconds": round(time.monotonic() - began, 3),
    }


def _find_moment(incidents: Incidents, parameters: Warn, timing: Timing, context: JobContext) -> Moment:
    """When the warnings are made; a default is said."""
    moment = find_moment(incidents, parameters.origin, timing)
    if parameters.origin is None:
        context.log(f"The warnings are made on {format_moment(moment.made)}, where the incidents end")
    return moment


def _check_areas(card: ModelCard, areas: str | None) -> None:
    """Refuse areas where the model warns of the whole city, and the other way round.

    Raises
    ------
    ParameterError
    """
    ids = card.units["ids"] if card.units else []
    if areas and ids == [CITY]:
        raise ParameterError(
            "The model warns of the whole city, but areas are given",
            parameter="areas",
            value=areas,
            remedy="Leave the areas empty, or train a model on these",
        )
    if not areas and ids != [CITY]:
        raise ParameterError(
            f"The model warns of {count_text(len(ids), 'area')}, but none are given",
            parameter="areas",
            value="",
            remedy="Choose the layer of areas that it was trained on",
        )


def _bring_to_model(card: ModelCard, panel: Panel, warn: Any) -> Panel:
    """The panel in the model's order of areas; what may be off is said."""
    support = panel.support
    # The hull of the incidents is another one with more of them, and no boundary that anybody drew.
    city = isinstance(support, Shapes) and is_city(support)
    for message in check_fits(card, panel):
        if not city:
            warn(message)
    begin, trained = panel.edges[0], np.datetime64(card.window.start)
    if begin > trained + np.timedelta64(28, "D"):
        warn(
            f"The incidents begin on {format_moment(begin)}, and the model was trained on some from"
            f" {format_moment(trained)} on: places and level are counted from the incidents given, so give all"
        )
    return arrange_like(card, panel)
