"""What a model made for the catch has learned, in words."""

from __future__ import annotations

from ..contract.forecasters import title_of
from ..forecasters.base import Forecaster
from ..forecasters.catching.columns import PlaceColumns
from ..forecasters.catching.ensemble import CatchEnsemble
from ..forecasters.catching.pointkernel import PointKernel
from ..maps.panel import Panel
from .units import units_of
from .words import format_percent, inner_title_of


def describe_learned(model: Forecaster, panel: Panel) -> list[str]:
    """Describe what a model learned: who is heard, and what counts in a place; empty of models of other kinds."""
    if isinstance(model, CatchEnsemble):
        of_members = [each for member in model.members_.values() for each in describe_learned(member, panel)]
        return [_describe_weights(model), *of_members]
    return [_describe_powers(model, panel)] if isinstance(model, PointKernel) else []


def _describe_weights(model: CatchEnsemble) -> str:
    heard = sorted(zip(model.weights_.tolist(), model.members, strict=True), reverse=True)
    said = [f"{inner_title_of(name)} {format_percent(weight, 0)}" for weight, name in heard if weight]
    quiet = [inner_title_of(name) for weight, name in heard if not weight]
    text = f"{title_of(model.name)} hears {', '.join(said)}"
    text += f"; not heard: {', '.join(quiet)}" if quiet else ""
    return f"{text}. The weights are those by which incidents of past windows most likely chose their places."


def _describe_powers(model: PointKernel, panel: Panel) -> str:
    names = PlaceColumns(panel, model.threshold).names
    powers = [f"{power:.2f}".replace("-", "\N{MINUS SIGN}") for power in model.powers_.tolist()]
    said = [f"{name}: {power}" for name, power in zip(names, powers, strict=True)]
    return (
        f"{title_of(model.name)} ranks {units_of(panel).one} by its incidents so far, each way to count them to a power"
        f" (that of prior counts is 1; what does not count has 0): {'; '.join(said)}."
    )
