"""HTML reports from templates: self-contained, and every text from a user escaped."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import __version__
from ..evaluation.judged import Judged
from ..forecasters.modelcard import ModelCard
from ..ground.artefacts import whole_file
from ..maps.heatmaps import Heatmaps
from . import figures
from .claims import headline
from .words import SHOWN_CATEGORIES, categories_text, change, percent

if TYPE_CHECKING:
    from ..learning.loop import Curves


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, percent=percent, moment=moment, signed=change)
    return environment


def number(value: float | None, digits: int = 4) -> str:
    """A figure for a table; a dash where there is none."""
    return "–" if value is None or not np.isfinite(value) else f"{value:,.{digits}f}"


def moment(value: object) -> str:
    """An ISO time for people: no T, no midnight."""
    return str(value).replace("T", " ").removesuffix(":00").removesuffix(" 00:00")


def render(template: str, values: dict[str, Any]) -> str:
    """Fill a template of this package."""
    made = datetime.now().isoformat(" ", "minutes")
    return _environment().get_template(template).render(made=made, version=__version__, **values)


def write_forecast_report(
    path: str | Path,
    heatmaps: Heatmaps,
    risk: np.ndarray,
    risk_edges: np.ndarray,
    card: ModelCard,
    curves: Curves | None,
    held_out: Judged | None,
    parameters: dict[str, Any],
    notes: list[str],
    parameter: str = "report",
) -> None:
    """Write the report of a forecast.

    Parameters
    ----------
    path : path
    heatmaps : Heatmaps
        All the history.
    risk : ndarray, shape (S, H, W)
    risk_edges : ndarray of datetime64[s], shape (S + 1,)
    card : ModelCard
    curves : Curves, optional
        Of the training.
    held_out : Judged, optional
        None when no map with enough past lay after the model's training window.
    parameters : dict
        As the job got them.
    notes : list of str
        Warnings of the run, shown to the reader.
    """
    grid = heatmaps.grid
    maps = [
        figures.risk_map(risk[step], grid, f"{moment(risk_edges[step])} to {moment(risk_edges[step + 1])}")
        for step in sorted({0, len(risk) - 1})
    ]
    values = {
        "verdict": headline(held_out)[0],
        "look": headline(held_out)[1],
        "held_out": held_out,
        "rows": [] if held_out is None else _rows(held_out),
        "differences": [] if held_out is None else _differences(held_out),
        "held_out_span": None
        if held_out is None
        else (moment(heatmaps.edges[held_out.plan.first]), moment(heatmaps.edges[-1])),
        "curves": curves,
        "loss_figure": figures.loss_curves(curves) if curves and curves.loss else None,
        "reliability_figure": figures.reliability_plot(held_out) if held_out else None,
        "hit_figure": figures.hit_rate_curve(held_out) if held_out else None,
        "time_figure": figures.skill_over_time(held_out, heatmaps.edges[:-1][held_out.maps])
        if held_out and len(held_out.maps) > 1
        else None,
        "maps": maps,
        "steps": len(risk),
        "card": card,
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
            "kind": "binary (at least one incident)" if heatmaps.binary else "counts",
        },
        "grid": grid,
        "crs": crs_name(grid.crs),
        "bin": heatmaps.bin,
        "parameters": parameters,
        "notes": notes,
    }
    text = render("forecast.html", values)
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _rows(held_out: Judged) -> list[dict[str, Any]]:
    best = min(score.log_loss for score in held_out.scores.values())
    return [
        {
            "label": figures.display_name(name),
            "score": score,
            "best": score.log_loss == best,
            "model": name == held_out.model,
        }
        for name, score in held_out.scores.items()
    ]


def _differences(held_out: Judged) -> list[dict[str, Any]]:
    return [
        {
            "label": figures.display_name(name),
            "difference": held_out.against(held_out.model, name),
            "ratio": held_out.ratio(name),
        }
        for name in held_out.scores
        if name != held_out.model
    ]


def crs_name(crs: str) -> str:
    """Name of a CRS given as WKT or authority code, short enough for a table."""
    if '["' in crs:
        return crs.split('["', 1)[1].split('"', 1)[0]
    return crs[:80] or "unknown"
