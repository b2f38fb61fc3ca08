"""The line that says of a risk map what it is: for the layer's metadata, print layouts and the file's own tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..contract.dates import format_bin_length, format_last, format_moment, format_span
from ..contract.forecasters import title_of
from ..contract.texts import count_text
from ..evaluation.judged import Judged
from ..forecasters.modelcard import AGAINST
from .claims import describe_held_out, verdict_of


def metrics_of(held_out: Judged | None) -> dict[str, Any]:
    """Collect figures by model for a model card; the model's own say how it compares with the best baseline."""
    if held_out is None:
        return {}
    figures: dict[str, Any] = {name: score.to_dict() for name, score in held_out.scores.items()}
    best = held_out.best_baseline
    difference = held_out.compare_losses(held_out.model, best)
    figures[held_out.model][AGAINST] = {
        "baseline": best,
        "verdict": verdict_of(difference),
        "ratio": round(held_out.compute_loss_ratio(best), 6),
        "maps": len(held_out.maps),
    }
    return figures


def describe_forecast(
    model: str, edges: Sequence[str], bin_length: str, trained_until: str, metrics: Mapping[str, Any] | None
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
    """
    steps = count_text(len(edges) - 1, "map")
    text = f"Forecast for {format_span(edges[0], edges[-1])} ({steps} of {format_bin_length(bin_length)})."
    text += f" Model: {title_of(model)}, origin {format_moment(edges[0])}"
    text += f", trained on maps up to {format_last(trained_until)}" if trained_until else ""
    return f"{text}. {describe_held_out(model, metrics or {})}"
