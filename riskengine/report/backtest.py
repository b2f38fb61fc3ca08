"""The report of a backtest: one HTML file that says first which model is worth its trouble, and where none is."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..contract.dates import format_span
from ..contract.forecasters import title_of
from ..evaluation.exposure import AreaExposure
from ..evaluation.judged import Judged
from ..evaluation.offsets import OffsetFigures
from ..evaluation.scoring import AREA_SHARE, Hits, ModelScore
from ..ground.artefacts import check_folder, whole_file
from ..intake.findings import Finding
from ..measures.compare import Difference
from ..measures.labels import LABELS
from ..measures.metrics import AreaHits
from . import backtest_figures as figures
from . import backtest_maps as maps
from . import claims, label_figures, words
from .beside import collect_beside
from .canvas import holds_dots
from .catch_page import collect_catch
from .html import format_crs, history_of, render
from .limits import describe_flattery, list_limits_of_shapes
from .openings import describe_trial
from .signals import describe_signal
from .units import count_steps, describe_layout, units_of
from .verdicts import format_hit_change

#: Areas shown before the rest is folded away.
_AREAS = 12
#: Stands for the flagged area where nothing was scored.
_NO_AREA = AreaHits(AREA_SHARE, 0.0, 0, 0.0, 0.0, 0.0, 0.0)
_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")


def write_backtest_report(
    path: str | Path,
    backtest: Judged,
    parameters: dict[str, Any],
    notes: Sequence[str],
    findings: Sequence[Finding] = (),
    offsets: dict[str, OffsetFigures] | None = None,
    exposure: Sequence[AreaExposure] | None = None,
    parameter: str = "report",
) -> None:
    """Write the report of a backtest.

    Parameters
    ----------
    path : path
    backtest : Judged
    parameters : dict
        As the job got them.
    notes : sequence of str
        Warnings of the run, shown to the reader beside those of the backtest itself.
    findings : sequence of Finding
        What the incidents tell of how they were recorded.
    offsets, exposure : optional
        Figures over further grid positions and by named area; those of the backtest when left out.
    """
    check_folder(path, parameter)
    text = render(
        "backtest.html",
        _values(
            backtest,
            parameters,
            notes,
            findings,
            backtest.offsets if offsets is None else offsets,
            backtest.areas if exposure is None else exposure,
        ),
    )
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _values(
    backtest: Judged,
    parameters: dict[str, Any],
    notes: Sequence[str],
    findings: Sequence[Finding],
    offsets: dict[str, OffsetFigures],
    exposure: Sequence[AreaExposure],
) -> dict[str, Any]:
    panel, units = backtest.panel, units_of(backtest.panel)
    catch = None if backtest.catch is None else collect_catch(backtest)
    sentence, tone = claims.make_headline(backtest)
    other, model = backtest.best_baseline, backtest.model
    usable = model in backtest.scores and backtest.scores[model].area.cells > 0
    probable = usable and np.isfinite(backtest.scores[model].log_loss)
    plain = claims.find_catcher(backtest)
    area = next((score.area for score in backtest.scores.values() if score.area.cells), _NO_AREA)
    pair = [*([model] if usable else []), *([plain] if plain else [])]
    compared = claims.compute_differences(backtest) if catch is None else {}
    # Neither labels nor shares of 5 % and more say anything of a catch.
    shown = usable and catch is None
    chosen = maps.choose_maps(backtest) if shown and len(backtest.maps) else {}
    tradeoff = backtest.scores[model].tradeoff if shown else {}
    labels = backtest.label_cells(model) if chosen else None
    drawn = {} if labels is None else maps.draw_maps(backtest, chosen, labels)
    return {
        "opening": describe_trial(backtest),
        "headline": sentence,
        "tone": tone,
        "signal": describe_signal(backtest),
        "lines": claims.describe_models(backtest),
        "digits": claims.digits_of(*compared.values()),
        "words": words,
        "claims": claims,
        "names": title_of,
        "backtest": backtest,
        "model": model if usable else None,
        "other": other,
        "plain": plain,
        "area": area,
        "rows": _rows(backtest, compared),
        "differences": compared,
        "hit_change": format_hit_change(backtest.compare_hits(model, plain)) if usable and plain else None,
        "probable": probable,
        # Nothing was fitted for a risk map that was given.
        "given": not backtest.seconds,
        "pair": pair,
        "shares": _paired([backtest.scores[name].shares for name in pair]),
        "percentiles": {
            over: _paired([backtest.scores[name].percentiles.get(over, []) for name in pair]) for over in maps.READINGS
        },
        "readings": maps.READINGS,
        "border": {name: backtest.scores[name].border for name in pair},
        "tradeoff": tradeoff,
        "label_titles": [maps.TITLES.get(name, name) for name in LABELS],
        "forest_figure": figures.draw_differences(compared, {name: title_of(name) for name in compared}, model)
        if compared
        else None,
        "hit_figure": figures.draw_hit_rate_curves(backtest)
        if any(score.area.incidents for score in backtest.scores.values())
        else None,
        "reliability_figure": figures.draw_reliability_curves(backtest) if _finite(backtest) else None,
        "time_figure": figures.draw_difference_over_time(backtest, model, other)
        if probable and other and other != model and len(backtest.maps) > 1
        else None,
        "gain_figure": figures.draw_gains_over_time(backtest, other)
        if other and len(backtest.maps) > 1 and set(compared) - {"constant"}
        else None,
        "tradeoff_figure": label_figures.draw_tradeoff(tradeoff) if any(tradeoff.values()) else None,
        "rate_figure": label_figures.draw_label_rates(tradeoff, units) if any(tradeoff.values()) else None,
        "typical": drawn.pop("typical", None),
        "maps": drawn,
        "marks": " ".join(filter(None, (maps.describe_marks(panel), units.colours))),
        # Where units are many, the labels stand beside each map.
        "label_figure": maps.draw_label_map(backtest, labels, chosen["typical"])
        if labels is not None and holds_dots(panel.support)
        else None,
        "label_words": _label_words(backtest, labels, chosen["typical"]) if labels is not None else None,
        "offsets": [_offset_row(name, each) for name, each in offsets.items()],
        "catch": catch,
        "areas": sorted(exposure, key=lambda each: (-np.nan_to_num(each.flagged_share), each.name)),
        "areas_shown": _AREAS,
        "flattery": describe_flattery(backtest),
        "limits": list_limits_of_shapes(panel),
        **collect_beside(backtest),
        "notes": list(dict.fromkeys((*backtest.notes, *notes))),
        "findings": findings,
        "history": history_of(panel),
        "test": _test(backtest),
        "units": units,
        "step": catch["noun"] if catch else panel.bin_noun,
        "layout": describe_layout(panel),
        "layout_in_full": describe_layout(panel, True),
        "crs": format_crs(panel.support.crs),
        "versions": _versions(),
        "parameters": parameters,
    }


def _finite(backtest: Judged) -> list[str]:
    return [name for name, score in backtest.scores.items() if np.isfinite(score.log_loss)]


def _rows(backtest: Judged, compared: dict[str, Difference]) -> list[dict[str, Any]]:
    """A table row for each model, the smallest log-loss first."""
    order = sorted(backtest.scores, key=lambda name: (np.nan_to_num(backtest.scores[name].log_loss, nan=np.inf), name))
    unit_km2 = backtest.panel.support.side**2 / 1e6
    return [
        {
            "name": name,
            "label": title_of(name),
            "score": backtest.scores[name],
            "best": number == 0 and name in _finite(backtest),
            "model": name == backtest.model,
            "baseline": name in backtest.baselines,
            "difference": compared.get(name),
            "at": _five(backtest.scores[name]),
            "ser": backtest.scores[name].area.ser(unit_km2),
            "seconds": backtest.seconds.get(name),
            "seeds": _spread(backtest.seed_scores.get(name, [])),
        }
        for number, name in enumerate(order)
    ]


def _five(score: ModelScore) -> Hits | None:
    """The figures at the headline's share of the area, with their intervals."""
    return next((each for each in score.shares if each.at == score.area.share), None)


def _spread(losses: Sequence[float]) -> dict[str, float] | None:
    finite = [loss for loss in losses if np.isfinite(loss)]
    if len(finite) < 2:
        return None
    return {"number": len(finite), "sd": float(np.std(finite, ddof=1)), "low": min(finite), "high": max(finite)}


def _paired(models: list[list[Hits]]) -> list[tuple[float, list[Hits]]]:
    """What was caught at each share or percentile, for the model and the best baseline beside it."""
    return [(each[0].at, list(each)) for each in zip(*models, strict=True)] if models and all(models) else []


def _label_words(backtest: Judged, labels: NDArray[np.uint8], place: int) -> dict[str, Any]:
    numbers = np.bincount(labels[place].ravel(), minlength=256)[: len(LABELS)]
    titled = [(maps.TITLES.get(name, name), int(number)) for name, number in zip(LABELS, numbers, strict=True)]
    return {**maps.count_map(backtest, place, labels), "numbers": titled}


def _offset_row(name: str, each: OffsetFigures) -> dict[str, Any]:
    def spread(values: Sequence[float]) -> dict[str, float]:
        finite = np.array([value for value in values if np.isfinite(value)])
        if not finite.size:
            return dict.fromkeys(("mean", "sd", "low", "high"), float("nan"))
        sd = float(finite.std(ddof=1)) if finite.size > 1 else float("nan")
        return {"mean": float(finite.mean()), "sd": sd, "low": float(finite.min()), "high": float(finite.max())}

    return {
        "label": title_of(name),
        "positions": len(each.offsets),
        "hit_rate": spread(each.hit_rate),
        "pai": spread(each.pai),
        "log_loss": spread(each.log_loss),
    }


def _total(backtest: Judged, numbers: NDArray[np.int64]) -> int:
    """Incidents on some maps; map by map, for a long stack does not come into memory as a whole."""
    counts, mask = backtest.panel.counts, backtest.panel.mask
    return sum(int(counts[number][mask].sum(dtype=np.int64)) for number in numbers)


def _test(backtest: Judged) -> dict[str, Any]:
    edges, refit = backtest.panel.edges, backtest.plan.refit
    first, last = int(backtest.maps[0]), int(backtest.maps[-1])
    span = len(backtest.panel) - backtest.plan.first
    mask, each = backtest.panel.mask, backtest.panel.counts
    events = sum(int((each[number][mask] >= backtest.threshold).sum()) for number in backtest.maps)
    asked = int(mask.sum()) * len(backtest.maps)
    return {
        "span": format_span(edges[first], edges[last + 1]),
        "maps": len(backtest.maps),
        "counted": count_steps(backtest.panel, len(backtest.maps), "test"),
        "left_out": last + 1 - first - len(backtest.maps),
        "fits": -(-span // refit) if refit else 1,
        "incidents": _total(backtest, backtest.maps),
        "events": events / asked if asked else float("nan"),
    }


def _versions() -> dict[str, str]:
    versions = {"Crime Risk": __version__, "Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
