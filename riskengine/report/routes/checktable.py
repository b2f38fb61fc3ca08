"""The table of all figures of a check of routes: one figure a row, as a spreadsheet or a script reads it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...ground.artefacts import whole_file
from ...systems.routes.results import Interval, RouteCheck

COLUMNS = ("risk", "control", "figure", "metres", "value", "low", "high")


def write_check_table(path: str | Path, check: RouteCheck, parameter: str = "csv") -> None:
    """Write every figure: UTF-8, a header, a point for decimals; limits that cannot be told are empty."""
    with whole_file(path, parameter) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in list_figures(check):
            writer.writerow({key: _write(value) for key, value in row.items()})


def list_figures(check: RouteCheck) -> Iterator[dict[str, Any]]:
    """List the figures of each risk, then those of the first one under other caps."""
    for each in check.deliveries:
        about = {"risk": each.title, "control": int(each.control)}
        yield about | {"figure": "promised"} | _bound(each.promised)
        for metres, ratio in each.delivered.items():
            less, short = each.counts[metres]
            yield about | {"figure": "delivered", "metres": metres} | _bound(ratio)
            yield about | {"figure": "incidents_less_exposed", "metres": metres, "value": less}
            yield about | {"figure": "incidents_shortest", "metres": metres, "value": short}
        yield about | {"figure": "promised_minus_delivered"} | _bound(each.gap)
        for name in ("fewer", "more", "detour"):
            yield about | {"figure": name, "value": getattr(each, name)}
    for cap, ratio in check.by_detour:
        figure = f"delivered_at_{cap:g}_percent"
        yield {"risk": check.deliveries[0].title, "control": 0, "figure": figure} | _bound(ratio)
    for share in check.districts:
        for name, value in (("shortest", share.shortest), ("least_exposed", share.least)):
            yield {"risk": check.deliveries[0].title, "control": 0, "figure": f"{name} in {share.name}", "value": value}


def _bound(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _write(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}" if np.isfinite(value) else ""
    return value
