"""Why a value is refused, in one sentence that dialog and job share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..texts import tr
from .base import LARGEST_INTEGER, Parameter, parameters_of
from .kinds import FileDestination
from .shared import Spacing

#: No larger number of points is said.
_COUNTLESS = 1e15


def describe_requirement(parameter: Parameter, translate: Callable[[str], str] = tr) -> str:
    """Say what a number, or each number of a list, must be: the rest of a sentence that names the value.

    Parameters
    ----------
    parameter : Parameter
    translate : callable, optional
        Brings a text to the user's language.
    """
    limits, factor = parameter.limits, choose_shown_factor(parameter)
    if limits.above and limits.low is not None:
        text = translate("it must be greater than {low}").format(low=f"{limits.low * factor:g}")
        if limits.high is not None and limits.high < LARGEST_INTEGER:
            text += translate(" and at most {high}").format(high=f"{limits.high * factor:g}")
        if parameter.nullable and parameter.default is None:
            return text + translate(", or empty for an automatic choice")
        return text + (translate(", usually {usual}").format(usual=_usual(parameter)) if _usual(parameter) else "")
    kind = translate("a whole number") if parameter.whole else translate("a number")
    low = "" if limits.low is None else f"{limits.low * factor:g}"
    high = "" if limits.high is None or limits.high >= LARGEST_INTEGER else f"{limits.high * factor:g}"
    if low and high:
        return translate("give {kind} from {low} to {high}").format(kind=kind, low=low, high=high)
    if low:
        return translate("give {kind} from {low}").format(kind=kind, low=low)
    return translate("give {kind}").format(kind=kind)


def describe_wrong_ending(parameter: Parameter, name: str, translate: Callable[[str], str] = tr) -> str:
    """Say which ending the name of a destination must have; empty where it has it or none is needed.

    Said before any work: the steps that read such a file would not take it.
    """
    ending = getattr(parameter.kind, "ending", "")
    if not isinstance(parameter.kind, FileDestination) or not ending or name.lower().endswith(f".{ending}"):
        return ""
    return describe_needed_ending(ending, translate)


def describe_needed_ending(ending: str, translate: Callable[[str], str] = tr) -> str:
    """Say which ending a file must have: the rest of a sentence that names it."""
    return translate("choose a file that ends in .{extension}").format(extension=ending)


def round_spacing_up(spacing: float) -> float:
    """Round a spacing up to two digits, as a sentence recommends it."""
    step = 10.0 ** (math.floor(math.log10(spacing)) - 1)
    return round(math.ceil(spacing / step - 1e-9) * step, 10)


def describe_too_many_points(
    spacing: float,
    points: float,
    most: int,
    wider: tuple[float, float],
    counted: bool = True,
    translate: Callable[[str], str] = tr,
) -> tuple[str, str]:
    """Say that a grid would have too many points, and what would be right: two sentences without their full stops.

    Parameters
    ----------
    spacing, points : float
        What was asked for, metres, and how many points it gives.
    most : int
        How many are allowed.
    wider : (float, float)
        A spacing that is allowed, and how many points it gives.
    counted : bool
        Numbers of points are no estimates.
    """
    of = {parameter.key: parameter for parameter in parameters_of(Spacing)}
    limit = of["most_points"]
    problem = translate("{spacing} is {given} m: its points would be {points}, and {most_points} allows {most}")
    remedy = translate("Choose {spacing} {wider} m (points: {fewer}) or a smaller area")
    if limit.limits.allow(points):
        remedy += translate(", or raise {most_points}")
    said = {
        **{key: parameter.name for key, parameter in of.items()},
        "given": f"{spacing:g}",
        "points": _format_count(points, counted, translate),
        "most": f"{most:,}",
        "wider": f"{wider[0]:g}",
        "fewer": _format_count(wider[1], counted, translate),
    }
    return problem.format(**said), remedy.format(**said)


def _format_count(points: float, counted: bool, translate: Callable[[str], str]) -> str:
    points = min(points, _COUNTLESS)
    return f"{points:,.0f}" if counted else translate("about {number}").format(number=f"{float(f'{points:.3g}'):,.0f}")


def _usual(parameter: Parameter) -> str:
    return parameter.shown.usual if parameter.shown is not None else ""


def choose_shown_factor(parameter: Parameter) -> float:
    """Choose 100 for a share that people see in per cent, else 1."""
    return 100.0 if parameter.shown is not None and parameter.shown.percent else 1.0


def is_refused(parameter: Parameter, value: Any) -> bool:
    """Say whether a number, as the job gets it, lies outside the parameter's limits or is not finite."""
    return not math.isfinite(value) or not parameter.limits.allow(value)
