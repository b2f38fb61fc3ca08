"""Every figure of a test of the catch as a row of the CSV: of all positions, of each window, of other cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..evaluation.judged import Judged
from .catch_numbers import compare_catches, compute_figures, find_rival, read_catch
from .catch_words import format_part


def list_catch_figures(judged: Judged) -> Iterator[dict[str, Any]]:
    """List every figure of the catch as a row of `figures_csv.COLUMNS`; n and N are means over the positions."""
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
