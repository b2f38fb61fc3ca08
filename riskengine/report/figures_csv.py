"""The CSV of every figure of a backtest: one figure a row, with the counts and the interval it has."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..evaluation.judged import Judged
from ..evaluation.scoring import AREA_SHARE, Hits, ModelScore
from ..ground.artefacts import whole_file
from ..measures.compare import Difference
from .catch_numbers import compare_catches, compute_figures, find_rival, read_catch
from .catch_words import format_part

COLUMNS = ("model", "metric", "at", "value", "n", "N", "low", "high")


def write_figures(path: str | Path, backtest: Judged, parameter: str = "csv") -> None:
    """Write every figure: UTF-8, a header, a point for decimals, nothing where a figure does not exist.

    ``value`` is the figure; ``n`` and ``N`` are the counts whose ratio it is; ``low`` and ``high`` bound it at 95 %.
    ``at`` says where: a share of the area, a percentile and its reading, a map, a seed, an area. With the catch maps
    are its windows, and figures at its size begin with ``catch_``.
    """
    write_rows(path, list_figures(backtest), parameter)


def write_rows(path: str | Path, rows: Iterable[Mapping[str, Any]], parameter: str = "csv") -> None:
    """Write rows of `COLUMNS`; what a row lacks stays empty."""
    with whole_file(path, parameter) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _text(row.get(name)) for name in COLUMNS})


def list_figures(backtest: Judged) -> Iterator[dict[str, Any]]:
    """List every figure as a row of `COLUMNS`."""
    unit_km2 = (backtest.panel.support.side / 1000) ** 2
    best = backtest.best_baseline
    for name, score in backtest.scores.items():
        for row in score.list_rows(unit_km2):
            yield {"model": name, **row}
        if best and name != best and backtest.catch is None:
            yield {"model": name, "at": f"minus {best}", **_difference("log_loss", backtest.compare_losses(name, best))}
            hits = _difference("hit_rate", backtest.compare_hits(name, best))
            yield {"model": name, "at": f"{100 * AREA_SHARE:g} % of the area, minus {best}", **hits}
        for seed, loss in zip(backtest.plan.seeds, backtest.seed_scores.get(name, []), strict=False):
            yield {"model": name, "metric": "log_loss", "at": f"seed {seed}", "value": loss}
        if name in backtest.seconds:
            yield {"model": name, "metric": "seconds", "value": backtest.seconds[name]}
        for number, (start, _) in enumerate(backtest.edges):
            at = f"map {start}"
            caught, incidents = score.fold_caught[number], score.fold_incidents[number]
            yield {"model": name, "metric": "log_loss", "at": at, "value": score.fold_loss[number]}
            yield {"model": name, "metric": "brier", "at": at, "value": score.fold_brier[number]}
            rate = caught / incidents if incidents else math.nan
            yield {"model": name, "metric": "hit_rate_5", "at": at, "value": rate, "n": caught, "N": incidents}
    for name, offsets in backtest.offsets.items():
        for figure in ("hit_rate", "pai", "log_loss"):
            for (east, north), value in zip(offsets.offsets, getattr(offsets, figure), strict=True):
                at = f"grid moved {east:.3f} east, {north:.3f} north"
                yield {"model": name, "metric": figure, "at": at, "value": value}
            yield {
                "model": name,
                "metric": f"{figure}_mean",
                "at": "grid positions",
                "value": offsets.compute_mean(figure),
            }
            yield {
                "model": name,
                "metric": f"{figure}_sd",
                "at": "grid positions",
                "value": offsets.compute_deviation(figure),
            }
    if backtest.catch is not None:
        yield from _list_catch(backtest)
    yield from _list_beside(backtest)
    for area in backtest.areas:
        at = f"area {area.name}"
        for figure in ("area_share", "mean_risk", "flagged_share", "incident_share", "ratio"):
            yield {"model": backtest.model, "metric": figure, "at": at, "value": getattr(area, figure)}


def _list_catch(judged: Judged) -> Iterator[dict[str, Any]]:
    """List every figure of the catch; n and N are means over the positions."""
    catch = read_catch(judged)
    for name, found in catch.models.items():
        figures, other = compute_figures(judged, name), find_rival(judged, name)
        at = f"{format_part(figures.share)} of the area".replace("\N{NO-BREAK SPACE}", " ")
        row, held = {"model": name, "at": at}, {"n": figures.caught, "N": figures.incidents}
        for metric, (value, low, high) in (("catch_hit_rate", figures.rate), ("catch_pai", figures.pai)):
            yield {**row, "metric": metric, "value": value, **held, "low": low, "high": high}
        yield {**row, "metric": "catch_pei", "value": figures.pei, "n": figures.caught, "N": figures.most}
        yield {**row, "metric": "catch_precision", "value": figures.precision}
        yield {**row, "metric": "catch_flagged_share", "value": figures.share}
        yield {**row, "metric": "catch_stable", "value": figures.stable}
        if other:
            change = compare_catches(judged, name, other)
            bounds = {"value": change.mean, "low": change.low, "high": change.high}
            yield {"model": name, "metric": "catch_hit_rate_difference", "at": f"{at}, minus {other}", **bounds}
        for (start, _), caught, incidents in zip(judged.edges, found.caught[0], found.incidents[0], strict=True):
            yield _count(name, f"window {start}", caught.sum(), incidents.sum())
        for (east, north), caught, incidents in zip(catch.offsets, found.caught, found.incidents, strict=False):
            yield _count(name, f"grid moved {east:.3f} east, {north:.3f} north", caught.sum(), incidents.sum())
    for size in catch.sizes:
        for name, caught in size.caught.items():
            at = f"cells of {size.side:.6g} m"
            yield _count(name, at, caught, size.incidents[name])
            yield {"model": name, "metric": "catch_pai", "at": at, "value": size.pai[name]}


def _count(name: str, at: str, caught: float, incidents: float) -> dict[str, Any]:
    caught, incidents = float(caught), float(incidents)
    rate = caught / incidents if incidents else float("nan")
    return {"model": name, "metric": "catch_hit_rate", "at": at, "value": rate, "n": caught, "N": incidents}


def _list_beside(backtest: Judged) -> Iterator[dict[str, Any]]:
    """Figures of what stands beside the backtest: a delay, a control, other weights, other units."""
    if backtest.late is not None:
        for name, score in backtest.late.at_once.items():
            yield from _list_again(name, "counts known at once", score)
            at = "as known minus known at once"
            yield {"model": name, "at": at, **_difference("log_loss", backtest.late.losses[name])}
            yield {"model": name, "at": at, **_difference("hit_rate", backtest.late.hits[name])}
    for control in backtest.controls:
        yield from _list_again(control.model, "shuffled covariates", control.shuffled)
        at = "true minus shuffled covariates"
        yield {"model": control.model, "at": at, **_difference("log_loss", control.loss)}
        yield {"model": control.model, "at": at, **_difference("hit_rate", control.hits)}
    if backtest.weighed is not None:
        for name, shares in backtest.weighed.hits.items():
            for hits in shares:
                yield from _list_hits(name, f"{100 * hits.at:g} % of {backtest.weighed.name}", hits)
    for units in backtest.compared:
        for name, shares in units.hits.items():
            for hits, size in zip(shares, units.km2, strict=True):
                yield from _list_hits(name, f"units {units.title}, {size:.6g} km² flagged", hits)


def _list_again(name: str, at: str, score: ModelScore) -> Iterator[dict[str, Any]]:
    yield {"model": name, "metric": "log_loss", "at": at, "value": score.log_loss}
    area = score.area
    caught = {"value": area.hit_rate, "n": area.caught, "N": area.incidents}
    yield {"model": name, "metric": "hit_rate", "at": f"{100 * area.share:g} % of the area, {at}", **caught}


def _list_hits(name: str, at: str, hits: Hits) -> Iterator[dict[str, Any]]:
    caught = {"at": at, "n": hits.area.caught, "N": hits.area.incidents}
    for metric, interval in (("hit_rate", hits.hit_rate), ("pai", hits.pai)):
        value, low, high = interval
        yield {"model": name, "metric": metric, "value": value, **caught, "low": low, "high": high}


def _difference(metric: str, difference: Difference) -> dict[str, Any]:
    return {
        "metric": f"{metric}_difference",
        "value": difference.mean,
        "low": difference.low,
        "high": difference.high,
    }


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{value:.8g}" if isinstance(value, float) else str(value)
