"""What is said of areas: observed against predicted, and whether either follows an indicator such as hardship."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ...contract.outcomes import COMPARED_LEAST
from ...contract.texts import format_amount, part_text, show_name
from ...measures.clustered import Interval
from ...systems.outcomes.judged import AreaOutcomes
from ..words import format_change, format_percentage_points
from . import words

#: Of the intervals of areas that do not differ, so many leave 0 out.
_BY_CHANCE = 0.05
#: All areas together are off by at least so much before it is said.
_LEVEL = 0.005


@dataclass(frozen=True)
class AreaRow:
    """An area of the table; what rests on too few incidents is empty."""

    name: str
    rows: int
    observed: float
    predicted: float
    difference: Markup
    indicator: str | None


def find_compared(areas: AreaOutcomes) -> NDArray[np.bool_]:
    """Find the areas with enough incidents for a difference to be shown."""
    return np.asarray((areas.rows >= COMPARED_LEAST) & np.isfinite(areas.low))


def list_area_rows(areas: AreaOutcomes) -> list[AreaRow]:
    """List the areas, those observed farthest above what was predicted first."""
    compared, departure = find_compared(areas), areas.observed - areas.predicted
    order = np.lexsort((-departure, ~compared))
    rows = []
    for place in order.tolist():
        interval = Interval(*(100 * float(each[place]) for each in (departure, areas.low, areas.high)))
        indicator = None if areas.indicator is None else _format_indicator(float(areas.indicator[place]))
        shares = float(areas.observed[place]), float(areas.predicted[place])
        difference = words.format_cell(interval if compared[place] else None, 1, signed=True)
        rows.append(AreaRow(show_name(areas.names[place]), int(areas.rows[place]), *shares, difference, indicator))
    return rows


def _format_indicator(value: float) -> str:
    return format_amount(value) if math.isfinite(value) else "–"


def describe_areas(areas: AreaOutcomes) -> str:
    """Say in how many areas observed and predicted differ beyond chance, and in how many chance alone makes it so."""
    compared = find_compared(areas)
    if not compared.any():
        return f"No area has {COMPARED_LEAST} incidents in the test: none is compared."
    number = int(compared.sum())
    above, below = int((areas.low[compared] > 0).sum()), int((areas.high[compared] < 0).sum())
    expected = _BY_CHANCE * number
    level = float(np.average(areas.observed - areas.predicted, weights=areas.rows))
    text = (
        f"{part_text(above + below, number, 'area', 'has', 'have')} another share of outcomes than was predicted"
        f" ({above} more, {below} fewer), where chance alone makes it about {expected:.0f}."
    )
    if abs(level) < _LEVEL:
        return text
    differ = int(((areas.low > level) | (areas.high < level))[compared].sum())
    return (
        f"{text} All together have {format_percentage_points(abs(level))} {'more' if level > 0 else 'less'} than was"
        f" predicted, which is the level and no difference between areas: beyond it {part_text(differ, number, 'area')}"
        f" {'differs' if differ == 1 else 'differ'}."
    )


def describe_correlation(areas: AreaOutcomes, indicator: str) -> str:
    """Say whether raw rates and residuals follow the indicator, and what follows from that."""
    raw, residual = areas.raw_correlation, areas.residual_correlation
    if raw is None or residual is None or not math.isfinite(raw.mean):
        return ""
    name = show_name(indicator) if indicator else "the indicator"
    text = (
        f"Raw rates {_say_whether(raw)} {name} (Spearman {_format_correlation(raw)});"
        f" observed less predicted, they {_say_whether(residual)} it ({_format_correlation(residual)})"
    )
    if _is_sure(raw) and not _is_sure(residual):
        return (
            f"{text}. So areas differ because other things are reported there, not beyond that as far as can be told."
        )
    if _is_sure(residual):
        return f"{text}. So areas that differ in it get probabilities that are wrong for them: find out why before use."
    return f"{text}."


def _say_whether(correlation: Interval) -> str:
    if not _is_sure(correlation):
        return "cannot be told to follow"
    return "rise with" if correlation.mean > 0 else "fall with"


def _is_sure(correlation: Interval) -> bool:
    return math.isfinite(correlation.low) and not correlation.low <= 0 <= correlation.high


def _format_correlation(correlation: Interval) -> str:
    bounds = words.format_bounds(correlation, 2)
    return f"{format_change(correlation.mean, 2)}{f', {bounds}' if bounds else ''}"
