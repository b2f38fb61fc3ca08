"""What a model made for the catch has learned, in words."""

from __future__ import annotations

from ..contract.forecasters import title_of
from ..forecasters.base import Forecaster
from ..forecasters.catching.ensemble import CatchEnsemble
from ..maps.panel import Panel
from .words import format_percent, inner_title_of


def describe_learned(model: Forecaster, panel: Panel) -> list[str]:
    """Describe what a model learned: who is heard, and what counts in a place; empty of models of other kinds."""
    if not isinstance(model, CatchEnsemble):
        return []
    heard = sorted(zip(model.weights_.tolist(), model.members, strict=True), reverse=True)
    said = [f"{inner_title_of(name)} {format_percent(weight, 0)}" for weight, name in heard if weight]
    quiet = [inner_title_of(name) for weight, name in heard if not weight]
    text = f"{title_of(model.name)} hears {', '.join(said)}"
    text += f"; not heard: {', '.join(quiet)}" if quiet else ""
    return [f"{text}. The weights were learned on past windows, by what each caught there."]
