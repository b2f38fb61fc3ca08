"""The report of a training: how good the forecaster is beside simple baselines, and its model card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..contract.forecasters import FORECASTERS
from ..evaluation.judged import Judged
from ..forecasters.base import Forecaster
from ..forecasters.ensemble import Ensemble
from ..ground.artefacts import whole_file
from ..maps.heatmaps import Heatmaps
from . import figures
from .card import bin_words
from .claims import headline
from .html import crs_name, moment, render
from .words import SHOWN_CATEGORIES, categories_text


def write_training_report(
    path: str | Path,
    heatmaps: Heatmaps,
    first: int,
    model: Forecaster,
    card: Any,
    held_out: Judged | None,
    parameters: dict[str, Any],
    notes: list[str],
    refitted: bool,
    parameter: str = "report",
) -> None:
    """Write the report of a training.

    Parameters
    ----------
    path : path
    heatmaps : Heatmaps
        All maps used, the held-out ones among them.
    first : int
        First held-out map.
    model : Forecaster
        The one that is kept.
    card : ModelCard
    held_out : Judged, optional
    parameters : dict
        As the job got them.
    notes : list of str
        Warnings of the run, shown to the reader.
    refitted : bool
        Whether the kept model was fitted again on the held-out maps too.
    """
    entry = FORECASTERS[card.name]
    curves = getattr(model, "curves_", None)
    grid = heatmaps.grid
    scored = heatmaps.edges[:-1][first:][heatmaps.observed[first:]]
    values = {
        "entry": entry,
        "verdict": headline(held_out)[0],
        "look": headline(held_out)[1],
        "held_out": held_out,
        "rows": [] if held_out is None else _rows(held_out),
        "held_out_span": (moment(heatmaps.edges[first]), moment(heatmaps.edges[-1])),
        "trained_span": (moment(heatmaps.edges[0]), moment(heatmaps.edges[first])),
        "refitted": refitted,
        "curves": curves,
        "network_parameters": sum(array.size for name, array in model.state().items() if name.startswith("network.")),
        "loss_figure": figures.loss_curves(curves) if curves is not None and curves.loss else None,
        "reliability_figure": figures.reliability_plot(held_out) if held_out else None,
        "hit_figure": figures.hit_rate_curve(held_out) if held_out else None,
        "time_figure": figures.skill_over_time(held_out, scored) if held_out and len(held_out.maps) > 1 else None,
        "card": card,
        "settings": {
            name: _setting(value) for name, value in model.settings().items() if name not in ("threshold", "seed")
        },
        "members": _members(model),
        "history": {
            "start": moment(heatmaps.edges[0]),
            "end": moment(heatmaps.edges[-1]),
            "maps": len(heatmaps),
            "unobserved": int((~heatmaps.observed).sum()),
            "incidents": int(heatmaps.counts[heatmaps.observed].sum(dtype=np.int64)),
            "cells": int(heatmaps.mask.sum()),
            "area": float(heatmaps.mask.sum()) * grid.cell**2 / 1e6,
            "categories": categories_text(heatmaps.categories),
            "categories_short": categories_text(heatmaps.categories, SHOWN_CATEGORIES),
            "layers": ", ".join((*heatmaps.extras.static_names, *heatmaps.extras.channel_names)),
        },
        "grid": grid,
        "crs": crs_name(grid.crs),
        "bin": bin_words(heatmaps.bin),
        "parameters": parameters,
        "notes": notes,
    }
    text = render("training.html", values)
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _rows(held_out: Judged) -> list[dict[str, Any]]:
    """A row a forecaster: its figures, and the model's difference from it."""
    best = min(score.log_loss for score in held_out.scores.values())
    rows = []
    for name, score in held_out.scores.items():
        own = name == held_out.model
        rows.append(
            {
                "label": figures.display_name(name),
                "score": score,
                "best": score.log_loss == best,
                "model": own,
                "difference": None if own else held_out.against(held_out.model, name),
                "ratio": None if own else held_out.ratio(name),
            }
        )
    return rows


def _setting(value: Any) -> str:
    """A setting for people."""
    if isinstance(value, (list, tuple)):
        return " + ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_setting(each)}" for name, each in value.items()) or "none"
    return "automatic" if value is None else str(value)


def _members(model: Forecaster) -> list[dict[str, Any]]:
    """A row a member of an ensemble, the most heard first."""
    if not isinstance(model, Ensemble):
        return []
    rows = [
        {"label": figures.display_name(name), "weight": float(weight), "loss": float(loss)}
        for name, weight, loss in zip(model.members, model.weights_, model.past_loss_, strict=False)
    ]
    return sorted(rows, key=lambda row: -row["weight"])
