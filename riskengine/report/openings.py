"""The sentence that each report opens with: what, where, when and how good, for readers who know no statistics."""

from __future__ import annotations

import math

import numpy as np

from ..contract.dates import count_bins, format_last, format_span, format_window
from ..contract.forecasters import title_of
from ..contract.texts import count_text
from ..evaluation.judged import Judged
from ..maps.panel import Panel
from ..maps.period import Period
from ..systems.score.study import Study
from .catch_words import describe_catch, name_categories
from .claims import find_catcher
from .score_words import compute_factor, format_metres
from .units import units_of
from .words import (
    describe_few_units,
    format_figure,
    format_flagged,
    format_share,
    inner_title_of,
)


def describe_trial(judged: Judged, who: str = "") -> str:
    """Say what was caught on which maps: n of N, beside the simple baseline that catches most and beside chance.

    Parameters
    ----------
    who : str
        What the model is called; its title, where nothing is given.
    """
    if judged.catch is not None:
        return describe_catch(judged)
    panel, maps, units = judged.panel, judged.maps, units_of(judged.panel)
    who = who or ("The risk map" if judged.model == "risk" else title_of(judged.model))
    span = format_span(panel.edges[maps[0]], panel.edges[maps[-1] + 1])
    tried = f"{who} was tried on {count_bins(len(maps), panel.bin)}, {span}, in {_measure_area(panel)}"
    score = judged.scores.get(judged.model)
    if score is None or not score.area.cells:
        return f"{tried}: it gave no forecast that could be judged."
    area = score.area
    if not area.incidents:
        return f"{tried}: no incident happened there, so nothing can be said about how good it is."
    text = (
        f"{tried}: the riskiest {format_flagged(area, units)} caught {round(area.caught):,} of"
        f" {count_text(round(area.incidents), 'incident')}{name_categories(panel)}, {format_share(area.hit_rate)}"
    )
    if few := describe_few_units(area, units):
        text += f" ({few})"
    plain, chance = find_catcher(judged), f"about {round(area.flagged_share * area.incidents):,}"
    if plain in (None, "constant"):
        return f"{text}; as many {units.amount} drawn at random would catch {chance}."
    beside = f"{round(judged.scores[plain].area.caught):,}"
    return (
        f"{text}; the simple method {inner_title_of(plain)} caught {beside}, and as many {units.amount} drawn at random"
        f" would catch {chance}."
    )


def describe_forecast_map(model: str, edges: np.ndarray, panel: Panel, judged: Judged | None) -> str:
    """Say what is forecast for when, and how good such forecasts were."""
    text = (
        f"Forecast by {inner_title_of(model)}: where incidents{name_categories(panel)} are likeliest on"
        f" {format_span(edges[0], edges[-1])}, in {_measure_area(panel)}."
    )
    return f"{text} {describe_trial(judged, 'It')}" if judged else f"{text} How good that is was not measured."


def describe_untried_model(model: str, panel: Panel) -> str:
    """Say what a model learned from that nobody judged."""
    return (
        f"{title_of(model)} has learned where incidents{name_categories(panel)} happen from"
        f" {count_bins(len(panel), panel.bin)}, {format_span(panel.edges[0], panel.edges[-1])}, in"
        f" {_measure_area(panel)}; how good its forecasts are was not measured."
    )


def describe_score_model(study: Study) -> str:
    """Say what a score model answers, and how far off it typically is in numbers of incidents."""
    card, error = study.card, study.held_out.l1().mean
    west, south, east, north = card.extent
    place = "it has never seen" if card.protocol == "recommended" else "beside those it learned from"
    exactness = str(study.about.get("exactness", ""))
    when = f"the {count_text(round(card.window_days), 'day')} up to {format_last(card.reference_time)}"
    if exactness in ("day", "month"):
        span = study.about["first"], study.about["last"]
        when = format_window(card.window_days, card.reference_time, exactness, *span)
        when = when if exactness == "month" else f"the {when}"
    text = (
        f"Asked about a place {place}, in an area of {_format_box(east - west, north - south)}, the model says how many"
        f" incidents were reported within {format_metres(card.radius)} in {when}"
    )
    if not math.isfinite(error):
        return f"{text}; how far off it is was not measured."
    factor, says = compute_factor(card, error), 100 if card.count_high >= 200 else 10
    return (
        f"{text}; it is typically off by a factor of {format_figure(factor)}: where it says {says}, a typical truth is"
        f" {round(says / factor)} or {round(says * factor)}."
    )


def describe_period(period: Period, total: int) -> str:
    """Say which months are kept, and how many incidents that leaves out."""
    span, months = format_span(period.start, period.end), int(period.chosen.sum())
    if not period.left_out:
        return f"{span} is kept: {count_text(months, 'month')} with {count_text(total, 'incident')}, which are all."
    lie = "lies outside and is" if period.left_out == 1 else "lie outside and are"
    return (
        f"{span} is kept: {months:,} of {count_text(len(period.months), 'month')}, with {period.incidents:,} of"
        f" {count_text(total, 'incident')}; {period.left_out:,} ({format_share(period.left_out / total)}) {lie} left"
        " out."
    )


def describe_incidents(
    name: str, number: int, when: str, size: tuple[float, float], refused: int, warnings: int
) -> str:
    """Say what a layer holds, where and when, and whether anything in it must be heeded.

    Parameters
    ----------
    number, refused : int
        How many can be used, and how many cannot.
    when : str
        Their span.
    size : (float, float)
        Width and height of the area they lie in, metres.
    warnings : int
        How many points are to be known first.
    """
    more = f", and {refused:,} that cannot" if refused else ""
    heed = "nothing was found that must be heeded"
    if warnings:
        heed = f"{count_text(warnings, 'thing to know first is', 'things to know first are')} listed below"
    hold = "hold" if name.endswith(" files") else "holds"
    return (
        f"{name or 'The layer'} {hold} {count_text(number, 'incident')} that can be used{more}, {when}, in an area of"
        f" {_format_box(*size)}; {heed}."
    )


def _measure_area(panel: Panel) -> str:
    return f"{format_figure(float(panel.support.measure_km()[panel.mask].sum()))} {units_of(panel).measure}"


def _format_box(width: float, height: float) -> str:
    return f"{format_figure(width / 1000)} × {format_figure(height / 1000)} km"
