"""The report of a training, and of a forecast made right after it: how good the model is, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..contract.dates import format_bin_length, format_span
from ..contract.forecasters import FORECASTERS, title_of
from ..evaluation.judged import Judged
from ..forecasters.base import Forecaster
from ..forecasters.ensemble import Ensemble
from ..forecasters.modelcard import ModelCard
from ..ground.artefacts import whole_file
from ..maps.area import describe_area
from ..maps.panel import Panel
from ..systems.hotspots.steps import RiskForecast
from . import backtest_figures, backtest_maps, figures, words
from .beside import list_covariates
from .canvas import holds_dots
from .catch_page import collect_catch
from .claims import compare, make_headline
from .html import format_crs, history_of, render
from .learned import describe_learned
from .limits import list_limits
from .openings import describe_forecast_map, describe_trial, describe_untried_model
from .units import describe_layout, units_of


def write_training_report(
    path: str | Path,
    panel: Panel,
    model: Forecaster,
    card: ModelCard,
    judged: Judged | None,
    weights: str,
    parameters: Mapping[str, Any],
    notes: Sequence[str],
    forecast: RiskForecast | None = None,
    parameter: str = "report",
) -> None:
    """Write the report of a training.

    Parameters
    ----------
    path : path
    panel : Panel
        All maps used, the held-out ones among them.
    model : Forecaster
        The one that is kept.
    card : ModelCard
    judged : Judged, optional
        On the held-out maps; None where nothing was.
    weights : str
        Which maps the kept model was fitted on: `words.weights_text`.
    parameters : mapping
        As the job got them, without folders.
    notes : sequence of str
        Warnings of the run, shown to the reader.
    forecast : RiskForecast, optional
        Maps that were forecast with it.
    """
    curves, units = getattr(model, "curves_", None), units_of(panel)
    sentence, tone = make_headline(judged)
    catch = collect_catch(judged) if judged is not None and judged.catch is not None else None
    values = {
        "opening": _open(card, panel, judged, forecast),
        "forecast_span": "" if forecast is None else format_span(forecast.edges[0], forecast.edges[-1]),
        "words": words,
        "entry": FORECASTERS[card.name],
        "verdict": sentence,
        "tone": tone,
        "judged": judged,
        "catch": catch,
        "learned": describe_learned(model, panel),
        "names": title_of,
        "weights": weights,
        **_evaluation(judged if catch is None else None),
        "forecast": forecast,
        "maps": [] if forecast is None else _maps(forecast, panel),
        "curves": curves,
        "network_parameters": sum(array.size for name, array in model.state().items() if name.startswith("network.")),
        "loss_figure": figures.draw_loss_curves(curves) if curves is not None and curves.loss else None,
        "card": card,
        "settings": {
            name: _setting(value) for name, value in model.settings().items() if name not in ("threshold", "seed")
        },
        "members": _members(model),
        "history": history_of(panel),
        "covariates": list_covariates(panel),
        "limits": list_limits(panel),
        "units": units,
        "step": catch["noun"] if catch else panel.bin_noun,
        "layout": describe_layout(panel),
        "layout_in_full": describe_layout(panel, True),
        "crs": format_crs(panel.support.crs),
        "bin": format_bin_length(panel.bin),
        "history_bin": panel.bin,
        "card_bin": format_bin_length(card.bin),
        "parameters": parameters,
        "notes": notes,
    }
    text = render("training.html", values)
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _open(card: ModelCard, panel: Panel, judged: Judged | None, forecast: RiskForecast | None) -> str:
    if forecast is not None:
        return describe_forecast_map(card.name, forecast.edges, panel, judged)
    return describe_untried_model(card.name, panel) if judged is None else describe_trial(judged)


def _evaluation(judged: Judged | None) -> dict[str, Any]:
    """Tables and figures of the held-out maps; nothing where there were none."""
    if judged is None:
        return dict.fromkeys(
            (
                *("judged_area", "rows", "held_out", "held_out_span", "reading", "blocks"),
                *("reliability_figure", "hit_figure", "time_figure"),
            )
        )
    edges, other = judged.panel.edges, judged.best_baseline
    difference = judged.compare_losses(judged.model)
    return {
        "judged_area": describe_area(judged.panel),
        "rows": _rows(judged),
        "held_out": _draw_held_out(judged),
        "reading": _describe_reading(judged.panel),
        "held_out_span": format_span(edges[judged.plan.first], edges[-1]),
        "readings": backtest_maps.READINGS,
        "blocks": 0 if difference.too_few else difference.blocks,
        "reliability_figure": backtest_figures.draw_reliability_curves(judged),
        "hit_figure": backtest_figures.draw_hit_rate_curves(judged),
        "time_figure": backtest_figures.draw_difference_over_time(judged, judged.model, other)
        if len(judged.maps) > 1
        else None,
    }


def _draw_held_out(judged: Judged) -> dict[str, Any] | None:
    """The typical one of the held-out maps, and its numbers; None where there is no forecast of any."""
    if not len(judged.maps) or not judged.scores[judged.model].area.cells:
        return None
    typical = {"typical": backtest_maps.choose_maps(judged)["typical"]}
    return backtest_maps.draw_maps(judged, typical, judged.label_cells())["typical"]


def _describe_reading(panel: Panel) -> str:
    """How the held-out map is read, where its colours and dots do not say it."""
    marks = "" if holds_dots(panel.support) else backtest_maps.describe_marks(panel)
    return " ".join(filter(None, (marks, units_of(panel).colours)))


def _rows(judged: Judged) -> list[dict[str, Any]]:
    """A row a forecaster: its figures, and the model's difference from it."""
    best = min(score.log_loss for score in judged.scores.values())
    rows = []
    for name, score in judged.scores.items():
        own = name == judged.model
        difference = None if own else judged.compare_losses(judged.model, name)
        rows.append(
            {
                "label": title_of(name),
                "summary": FORECASTERS[name].summary if name in FORECASTERS else "",
                "score": score,
                "best": score.log_loss == best,
                "model": own,
                "difference": difference,
                "verdict": "" if difference is None else compare(judged, judged.model, name).verdict.describe(),
                "ratio": None if own else judged.compute_loss_ratio(name),
            }
        )
    return rows


def _maps(forecast: RiskForecast, panel: Panel) -> list[str]:
    """The first and the last map of a forecast."""
    return [
        figures.draw_risk_map(
            forecast.risk[step],
            panel.support,
            format_span(forecast.edges[step], forecast.edges[step + 1]),
        )
        for step in sorted({0, len(forecast.risk) - 1})
    ]


def _setting(value: Any) -> str:
    """A setting for people."""
    if isinstance(value, (list, tuple)):
        return " + ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_setting(each)}" for name, each in value.items()) or "none"
    return "automatic" if value is None else str(value)


def _members(model: Forecaster) -> list[dict[str, Any]]:
    """A row a member of an ensemble, the most heard first."""
    if not isinstance(model, Ensemble):
        return []
    rows = [
        {"label": title_of(name), "weight": float(weight), "loss": float(loss)}
        for name, weight, loss in zip(model.members, model.weights_, model.past_loss_, strict=False)
    ]
    return sorted(rows, key=lambda row: -row["weight"])
