"""What limits forecasts of places, and who should not use them: of every kind of units, and of each."""

from __future__ import annotations

from ..evaluation.judged import Judged
from ..maps.panel import Panel
from .units import units_of
from .words import format_share

#: Of a model and its forecast, below what is said of every one.
_OF_GRIDS = (
    "Locations that were snapped, jittered or geocoded coarsely make fine cells meaningless: keep cells larger than the"
    " shift.",
    "Cells at the edge of the study area know less of their surroundings.",
    "Before publishing, merge cells with few incidents: a cell of a few houses can point at people.",
)
_OF_SHAPES = (
    "The {noun} that a column of the incidents names and the one that their place lies in disagree where places were"
    " snapped or geocoded: of London's burglaries 5.6 % do by census area. Count by the column where the police give"
    " one, and never compare the one with the other.",
    "A forecast holds for the {many} that it learned from: where boundaries have changed since, count again and train"
    " again.",
    "Before publishing, merge {many} with few incidents: {one} of a few houses can point at people.",
)
_OF_COVARIATES = (
    "Covariates such as deprivation name places: they hardly change, so that a model can learn from them which"
    " {many} had incidents, as it could from random numbers for each. They are no causes, and forecasts made with them"
    " weigh on those who live there. The control with shuffled covariates tells what they add to the counts."
)


def list_limits(panel: Panel) -> list[str]:
    """List what limits any forecast of these units."""
    units = units_of(panel)
    said = _OF_GRIDS if units.kind == "grid" else _OF_SHAPES
    more = (_OF_COVARIATES,) if panel.extras.static_names or panel.extras.covariates else ()
    return [each.format(noun=units.noun, many=units.many, one=units.one) for each in (*said, *more)]


def list_limits_of_shapes(panel: Panel) -> list[str]:
    """List what limits a test of units that differ in size; of cells, nothing more is said there."""
    return [] if units_of(panel).kind == "grid" else list_limits(panel)


def describe_flattery(judged: Judged) -> str:
    """Say why small units flatter a hit rate, with what the constant catches by them alone; empty of a grid."""
    units, constant = units_of(judged.panel), judged.scores.get("constant")
    if judged.units is None:
        return ""
    text = (
        f"Small {units.many} flatter: their {units.measure} follow the incidents more closely, and many are small"
        f" because many people live there. Compare hit rates over the same {units.many} alone."
    )
    if constant is None or not constant.area.incidents:
        return text
    alone = format_share(constant.area.hit_rate)
    return (
        f"{text} The constant, which knows nothing of any place, catches {alone} here, for at equal risk the smallest"
        f" {units.many} come first."
    )
