"""What is said of a catch on cells of other sizes: only of those that covered as much area can catches be compared."""

from __future__ import annotations

import math

from ..evaluation.caught import CellSize
from ..evaluation.judged import Judged
from .catch_numbers import read_catch
from .units import units_of
from .words import format_figure, format_percent, format_percentage_points, inner_title_of

#: Sizes are compared where they covered as much area, but for this share of it: of few large cells whole ones may cover
#: several times as much, or of small ones nearly twice.
_AS_MUCH = 0.1
#: Two shares of the incidents that differ by less are the same for a reader.
_ALIKE = 0.0005


def describe_sizes(judged: Judged) -> str:
    """Say what was caught on cells of other sizes with as much area, and whether size decides more than the model.

    Sizes that covered more or less are named as such, and not compared.
    """
    catch, name = read_catch(judged), judged.model
    sizes = [each for each in catch.sizes if each.incidents.get(name)]
    given = next((each for each in sizes if is_given(each, judged)), None)
    if given is None or len(sizes) < 2:
        return ""
    alike = [each for each in sizes if abs(each.flagged / given.flagged - 1) <= _AS_MUCH]
    others = [_describe_other(each, given, judged) for each in sizes if each not in alike]
    return " ".join([*([_compare(alike, name)] if len(alike) > 1 else []), *others])


def is_given(size: CellSize, judged: Judged) -> bool:
    """Whether cells of this size are those of the panel itself."""
    return math.isclose(size.side, read_catch(judged).panel.support.side, rel_tol=1e-5)


def _compare(sizes: list[CellSize], name: str) -> str:
    other = next((each for each in sizes[0].caught if each != name), "")
    rates = [_rate(each, name) for each in sizes]
    between = max(rates) - min(rates)
    said = [f"of {each.side:,.4g} m {format_percent(rate)}" for each, rate in zip(sizes, rates, strict=True)]
    text = f"with as much area, {inner_title_of(name)} caught on cells {', '.join(said[:-1])} and {said[-1]}"
    if not other:
        return f"{text[0].upper()}{text[1:]}."
    apart = max(abs(_rate(each, name) - _rate(each, other)) for each in sizes)
    most = f"at most {format_percentage_points(apart)}" if apart >= _ALIKE else "less than 0.1 percentage points"
    beside = f"the two models differ by {most} on any of them"
    if between > apart + _ALIKE:
        return f"Cell size decides more than the model: {text}; {beside}."
    return f"{text[0].upper()}{text[1:]}; {beside}."


def _describe_other(size: CellSize, given: CellSize, judged: Judged) -> str:
    measure = units_of(judged.panel).measure
    covered, asked = (f"{format_figure(each.flagged)} {measure}" for each in (size, given))
    return f"Cells of {size.side:,.4g} m are not compared: whole ones cover {covered} instead of {asked}."


def _rate(size: CellSize, name: str) -> float:
    return size.caught[name] / size.incidents[name] if size.incidents.get(name) else math.nan
