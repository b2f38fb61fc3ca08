"""The line that says of a risk map what it is: for the layer's metadata, print layouts and the file's own tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..contract.dates import count_bins, format_bin_length, format_last, format_span
from ..contract.forecasters import title_of
from ..contract.texts import count_text
from ..evaluation.judged import Judged
from ..forecasters.heldout import AGAINST, CATCH, CAUGHT
from .card_catch import note_caught, note_difference
from .claims import Comparison, compare, describe_held_out


def metrics_of(held_out: Judged | None) -> dict[str, Any]:
    """Collect figures by model for a model card; the model's own say how it compares with the best baselines."""
    if held_out is None:
        return {}
    figures: dict[str, Any] = {name: score.to_dict() for name, score in held_out.scores.items()}
    if held_out.catch is not None:
        figures[held_out.model][CAUGHT] = note_caught(held_out)
        return figures
    found = compare(held_out, held_out.model)
    figures[held_out.model][AGAINST] = {
        "baseline": found.rival,
        "verdict": found.verdict.probabilities if found.loss else "too few",
        "ratio": round(held_out.compute_loss_ratio(found.rival), 6),
        "maps": len(held_out.maps),
        **({} if held_out.units is None else {"bin": held_out.panel.bin_noun}),
        CATCH: _catch_of(held_out, found),
    }
    return figures


def _catch_of(held_out: Judged, found: Comparison) -> dict[str, Any]:
    area = held_out.scores[held_out.model].area
    return {
        "baseline": found.catcher,
        "verdict": found.verdict.catch,
        **{name: getattr(area, name) for name in ("share", "flagged", "cells", "maps", "caught", "incidents")},
        **({} if area.weights is None else {"units": held_out.panel.support.kind, "weights": asdict(area.weights)}),
        "few_cells": area.few.cells if area.few else 0,
        "few_incidents": area.few.incidents if area.few else 0.0,
        "baseline_caught": held_out.scores[found.catcher].area.caught if found.catcher else 0.0,
        "change": found.hits and note_difference(found.hits),
    }


def describe_forecast(
    model: str,
    edges: Sequence[str],
    bin_length: str,
    trained_until: str,
    metrics: Mapping[str, Any] | None,
    areas: str = "",
    places: str = "",
) -> str:
    """Describe in one line what is forecast, by which model, trained until when, and how good it was on held-out maps.

    Parameters
    ----------
    model : str
        Name in the catalogue.
    edges : sequence of str, shape (steps + 1,)
        ISO times of the bins that are forecast; the first one is the origin.
    bin_length : str
        For example ``1 days``.
    trained_until : str
        ISO time; empty if unknown.
    metrics : mapping
        As `metrics_of` gives them.
    areas : str
        How many areas there are, such as ``4,835 areas``; empty for the maps of a grid.
    places : str
        Of a window that was forecast as one, what its places are; empty where bins were forecast.
    """
    steps = len(edges) - 1
    size = f"({count_text(steps, 'map')} of {format_bin_length(bin_length)})"
    if areas:
        size = f"({areas}, {count_bins(steps, bin_length)})"
    if places:
        size = f"as a whole. {places}"
    text = f"Forecast for {format_span(edges[0], edges[-1])} {size}. Model: {title_of(model)}"
    if trained_until:
        text += f", trained on {'counts' if areas else 'maps'} up to {format_last(trained_until, bin_length)}"
    return f"{text}. {describe_held_out(model, metrics or {})}"
