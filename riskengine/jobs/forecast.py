"""Job: forecast the next bins with a trained model."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from ..contract import tags as tagnames
from ..contract.aims import CATCH, PROBABILITIES, Catch
from ..contract.dates import format_last, format_span
from ..contract.forecasters import title_of
from ..contract.texts import count_text
from ..contract.tools.base import fields_of
from ..contract.tools.forecast import ForecastRisk
from ..forecasters.base import check_history
from ..forecasters.modelcard import ModelCard
from ..forecasters.modelfile import load_model
from ..forecasters.modelfit import arrange_like, check_fits
from ..forecasters.warningnote import refuse_warnings
from ..ground.artefacts import check_folder, compute_fingerprint
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..maps.area import narrow_to_past
from ..maps.heatmaps import Heatmaps
from ..maps.history import read_panel_or_heatmaps
from ..maps.panel import Panel
from ..maps.sparsecounts import keep_sparse
from ..report.card import describe_forecast
from ..report.card_catch import describe_chosen
from ..report.claims import describe_held_out
from ..systems.hotspots.aims import check_cells, describe_aim, make_catch
from ..systems.hotspots.chosen import choose_places, write_chosen
from ..systems.hotspots.places import describe_caution, list_place_classes, write_places
from ..systems.hotspots.steps import describe_delay, find_known, forecast, forecast_window, write_forecast
from .models import check_units


def run(parameters: ForecastRisk, context: JobContext) -> dict[str, Any]:
    """Load, check that model and counts fit each other, forecast, write."""
    began = time.monotonic()
    for name in ("output", "by_area", "top", "places"):
        if path := getattr(parameters, name):
            check_folder(path, name)
    context.progress(0.0, "Reading the model")
    model, card = load_model(parameters.model)
    refuse_warnings(card.warning)
    context.progress(0.05, "Reading the counts")
    panel = read_panel_or_heatmaps(parameters.heatmaps, parameters.extras)
    of_areas = not isinstance(panel, Heatmaps)
    check_units(ForecastRisk, parameters, heatmaps=of_areas)
    if isinstance(panel, Heatmaps):
        panel = _bring_to_area(card, panel)
    notes = check_fits(card, panel)
    panel = arrange_like(card, panel)
    if panel.edges[-1] < np.datetime64(card.window.end):
        noun = panel.bin_noun
        notes.append(
            f"The model was trained on {noun}s up to {format_last(card.window.end, card.bin)}, after these {noun}s end:"
            " what it forecasts it has seen, so this is no test of it"
        )
    for message in notes:
        context.warn(message)
    # As much past as learning needs at least: with less there is no long-run mean to start from.
    check_history(panel, model.least_maps)
    history = find_known(panel, len(panel))
    catch = _find_catch(parameters, card, history)
    if catch is None:
        check_cells(history)
    for sentence in describe_aim(card, catch, history):
        context.log(sentence)
    with context.step(0.2, 0.9):
        if catch is None:
            made, chosen = forecast(model, card, history, parameters.steps or 1, context), None
        else:
            made = forecast_window(model, card, keep_sparse(history), catch, context)
            assert made.expected is not None
            chosen = choose_places(made.expected[0], history, catch, *made.edges)
    if of_areas:
        context.log(made.tags[tagnames.COUNTED])
    if late := describe_delay(history):
        context.log(f"{late}: the forecast is for {format_span(made.edges[0], made.edges[-1])}")
    areas = count_text(len(history.mask), history.noun) if of_areas else ""
    places = describe_chosen(chosen, history) if chosen else ""
    line = describe_forecast(card.name, made.bins, history.bin, card.window.end, card.metrics, areas, places)
    context.log(line)
    context.progress(0.9, "Writing")
    with context.step(0.9, 1.0):
        if of_areas:
            line = f"{line} {describe_caution(history, catch)}"
            write_places(parameters.by_area, parameters.top, made, history, context)
        elif isinstance(history, Heatmaps) and parameters.output:
            write_forecast(parameters.output, made, history, line, context)
        if parameters.places and chosen:
            write_chosen(parameters.places, fields_of(ForecastRisk, "places"), [chosen], history)
        elif parameters.places:
            context.log("Probabilities choose no places to go to: none are written. Set aim to the catch for them")
    return {
        "risk": parameters.output,
        "by_area": parameters.by_area,
        "top": parameters.top,
        "places": parameters.places if chosen else None,
        "aim": PROBABILITIES if catch is None else CATCH,
        "catch": catch and asdict(catch),
        "model": card.name,
        "title": title_of(card.name),
        "edges": made.bins,
        "counted_categories": panel.categories,
        "counted_text": made.tags[tagnames.COUNTED],
        "class_labels": list_place_classes(history.support.kind),
        "tags": made.tags,
        "origin": made.bins[0],
        "delay": history.delay,
        "trained_until": card.window.end,
        "card": line,
        "verdict": describe_held_out(card.name, card.metrics),
        "metrics": card.metrics,
        "notes": notes,
        "seconds": round(time.monotonic() - began, 3),
    }


def _find_catch(parameters: ForecastRisk, card: ModelCard, history: Panel) -> Catch | None:
    """What is asked for: the model's own catch, or one that was given; None for probabilities.

    Raises
    ------
    ParameterError
        If a catch, or nothing but its places, is asked of a model as it was made that was made for probabilities.
    """
    own = Catch(**card.catch) if card.catch else None
    if parameters.aim == PROBABILITIES:
        return None
    if parameters.aim != CATCH and own is None:
        alone = None if parameters.output or parameters.by_area or parameters.top else parameters.places
        for name, value in (("catch_size", parameters.catch_size), ("places", alone)):
            if value is not None:
                raise ParameterError(
                    f"{name} is {value}, but the model was made for probabilities, which choose no places",
                    parameter=name,
                    value=value,
                    remedy="Set aim to the catch, or give a model that was trained for it",
                )
        return None
    given = own or Catch()
    window = parameters.steps or given.window
    if parameters.catch_size is None:
        return make_catch(given.size, given.unit, window, history)
    return make_catch(parameters.catch_size, parameters.catch_unit or given.unit, window, history)


def _bring_to_area(card: ModelCard, heatmaps: Heatmaps) -> Heatmaps:
    """The maps in the hull that was known when the model was trained, where the model knows just the cells of that."""
    trained = int(np.searchsorted(heatmaps.edges[1:], np.datetime64(card.window.end), side="right"))
    if not card.located or card.area in ("", compute_fingerprint(heatmaps.mask)) or not trained:
        return heatmaps
    narrowed = narrow_to_past(heatmaps, trained, lambda sentence: None)
    return narrowed if compute_fingerprint(narrowed.mask) == card.area else heatmaps
