"""The report of a score model: one HTML file, from what its training found out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.dates import format_last, format_moment
from ..contract.texts import show_name
from ..ground.artefacts import whole_file
from ..intake.patrols import find_patrol_group
from ..systems.score.model import ScoreCard
from ..systems.score.study import HeldOut, Importance, Study
from . import score_figures as figures
from . import score_words as words
from .html import format_crs, render
from .openings import describe_score_model

#: Categories named in the model card.
_CATEGORIES = 12
#: Single features shown.
_COLUMNS = 12
_EXAMPLES_SEED = 0


def write_score_report(path: str | Path, study: Study, parameter: str = "report") -> None:
    """Write the report of a training.

    Parameters
    ----------
    path : path
    study : Study
    """
    text = render("score.html", _values(study))
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _values(study: Study) -> dict[str, Any]:
    card, rows, held_out = study.card, study.rows, study.held_out
    exactness = str(study.about.get("exactness", ""))
    sentence, tone = words.make_headline(study)
    bands = held_out.list_bands()
    incidents = _incidents_by_block(study)
    names = [_capital(each.model) for each in study.comparisons]
    groups, columns = _importance(study)
    l1 = held_out.l1()
    own = held_out.row < rows.originals
    kept = _kept_curves(study)
    return {
        "opening": describe_score_model(study),
        "headline": sentence,
        "tone": tone,
        "notes": study.notes,
        "study": study,
        "card": card,
        "about": study.about,
        "published": card.protocol == "published",
        "l1": l1,
        "between": words.format_bounds,
        "factor": words.compute_factor(card, l1.mean),
        "own_l1": float(held_out.error[own].mean()) if own.any() and not own.all() else None,
        "coverage": held_out.coverage(),
        "parameters": study.settings,
        "network_parameters": _parameter_count(card),
        "block": words.format_metres(held_out.block_size),
        "blocks": int((np.bincount(held_out.block) > 0).sum()),
        "bands": bands,
        "examples": _examples(study),
        "originals": rows.originals,
        "copies": len(rows) - rows.originals,
        "histograms": figures.draw_score_histograms(rows, *_resampled(study)),
        "resampled": _resampled(study),
        "scatter_figure": figures.draw_predicted_against_true(held_out),
        "band_figure": figures.draw_error_by_band(bands),
        "coverage_figure": figures.draw_coverage_by_band(bands, card.interval),
        "score_map": figures.draw_score_map(held_out, incidents),
        "map_figure": figures.draw_error_map(held_out, incidents),
        "map_words": _map_words(held_out, incidents),
        "loss_figure": figures.draw_fit_curves(study.curves, kept) if kept else None,
        "networks": len(study.curves),
        "kept_curves": dict(study.curves)[kept] if kept else None,
        "growth_figure": figures.draw_growth_path(study.growth) if study.growth else None,
        "protocol_figure": figures.draw_protocols(study.comparisons, names) if study.comparisons else None,
        "protocols": _protocols(study),
        "leak": words.describe_leak(study),
        "uneven": study.settings.get("windows", 1) > 1 and any("boosting" in name for name in names),
        "beside": any(name.startswith("Published network") for name in names),
        "groups": [(words.describe_group(each.group), each) for each in groups],
        "importance_figure": figures.draw_importance_bars(columns or groups) if study.importance else None,
        "shown_columns": len(columns),
        "categories": _categories(study),
        "area": _area(card),
        "crs": format_crs(card.crs),
        "reference": format_moment(card.reference_time, exactness)
        if exactness in ("day", "month")
        else format_last(card.reference_time),
        "exactness": exactness,
        "settings": _settings(study),
    }


def _parameter_count(card: ScoreCard) -> int:
    sizes = card.architecture
    widths = (sizes.inputs, *sizes.widths, 1 if sizes.output == "sigmoid" else 3)
    return sum((before + 1) * after for before, after in pairwise(widths))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _importance(study: Study) -> tuple[list[Importance], list[Importance]]:
    """Groups of features, and the single ones that matter most."""
    ordered = sorted(study.importance, key=lambda each: -each.increase)
    groups = [each for each in ordered if each.group in study.card.features.groups]
    return groups, [each for each in ordered if each not in groups][:_COLUMNS]


def _resampled(study: Study) -> tuple[float, float]:
    """Scores below and above which places were resampled."""
    augmentation = study.settings.get("augmentation")
    return (augmentation["low"], augmentation["high"]) if isinstance(augmentation, dict) else (0.3, 0.8)


def _kept_curves(study: Study) -> str | None:
    """The name of the curves that belong to the model itself."""
    fitted = [name for name, fit in study.curves if fit.loss and fit.validation]
    wanted = [name for name in ("final", study.card.architecture.describe()) if name in fitted] or fitted[-1:]
    return wanted[0] if wanted else None


def _incidents_by_block(study: Study) -> NDArray[np.int64]:
    """Different incidents behind the held-out rows of each block: copies of one do not count."""
    held_out = study.held_out
    _, first = np.unique(study.rows.source[held_out.row], return_index=True)
    return np.bincount(held_out.block[first], minlength=len(held_out.corner))


def _map_words(held_out: HeldOut, incidents: NDArray[np.int64]) -> dict[str, Any]:
    _, error = held_out.count_by_block()
    enough = (incidents >= figures.LEAST_IN_BLOCK) & np.isfinite(error)
    few = int(((incidents > 0) & ~enough).sum())
    quarter = np.quantile(error[enough], (0.25, 0.75, 0.9)).tolist() if enough.any() else None
    return {"shown": int(enough.sum()), "few": few, "quarter": quarter, "least": figures.LEAST_IN_BLOCK}


def _examples(study: Study) -> list[dict[str, float]]:
    """A row drawn blindly from each band of the true score; the incidents' own places where there are any."""
    card, held_out = study.card, study.held_out
    random = np.random.default_rng(_EXAMPLES_SEED)
    low, high = np.log(card.count_low), np.log(card.count_high)

    def count(score: float) -> float:
        return float(np.exp(low + score * (high - low)))

    examples = []
    for band in held_out.list_bands():
        inside = (held_out.truth >= band["low"]) & (held_out.truth < band["high"])
        if band["high"] == 1.0:
            inside |= held_out.truth == 1.0
        own = np.flatnonzero(inside & (held_out.row < study.rows.originals))
        row = int(random.choice(own if len(own) else np.flatnonzero(inside)))
        truth, score, lower, upper = (
            float(part[row]) for part in (held_out.truth, held_out.score, held_out.lower, held_out.upper)
        )
        examples.append(
            {
                "truth": truth,
                "score": score,
                "lower": lower,
                "upper": upper,
                "count": count(truth),
                "predicted": count(score),
                "inside": lower <= truth <= upper,
            }
        )
    return examples


def _protocols(study: Study) -> dict[str, Any]:
    """Comparisons as a table: a line for each model, a column for each split."""
    splits = [split for split in figures.SPLITS if any(each.split == split for each in study.comparisons)]
    lowest = {
        split: min(each.l1.mean for each in study.comparisons if each.split == split and np.isfinite(each.l1.mean))
        for split in splits
    }
    lines = []
    for model in dict.fromkeys(each.model for each in study.comparisons):
        of = {each.split: each for each in study.comparisons if each.model == model}
        own = any(words.is_own(each) for each in of.values())
        lines.append({"model": _capital(model), "own": own, "cells": [of.get(split) for split in splits]})
    return {"splits": splits, "lowest": lowest, "lines": lines}


def _categories(study: Study) -> dict[str, Any]:
    """The most frequent categories, and the share of those that patrols seem to find."""
    listed = [(show_name(name), float(share)) for name, share in study.about.get("categories") or []]
    patrols = [(name, share) for name, share in listed if find_patrol_group(name)]
    return {
        "listed": [(name, share, find_patrol_group(name) is not None) for name, share in listed[:_CATEGORIES]],
        "more": max(0, len(listed) - _CATEGORIES),
        "patrols": [name for name, _ in patrols[:_CATEGORIES]],
        "patrol_share": sum(share for _, share in patrols),
    }


def _area(card: ScoreCard) -> str:
    west, south, east, north = card.extent
    return f"{(east - west) / 1000:.1f} km from west to east, {(north - south) / 1000:.1f} km from south to north"


def _settings(study: Study) -> dict[str, str]:
    """Every parameter as text, one line each."""

    def text(value: Any) -> str:
        if isinstance(value, dict):
            return "; ".join(f"{name.replace('_', ' ')}: {text(each)}" for name, each in value.items())
        if isinstance(value, (list, tuple)):
            return ", ".join(text(each) for each in value) or "none"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, float):
            return f"{value:g}"
        return "–" if value is None else str(value)

    return {name: text(value) for name, value in study.settings.items()}
