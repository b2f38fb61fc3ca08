"""The published set-up (Omdena/Safecity 2020) on Mexico City's sexual offences, with and without its looks ahead.

32 x 32 cells, daily, 16 binary maps in, the next one out, 3-D max pooling, weighted cross-entropy, percentiles 85 to
99, six labels by both readings of the percentile. Two protocols side by side:

published
    Empty days are filled on the straight line between the days around them and read like any other, so the day after
    a filled one shows through it; filled maps are never targets; the output is not calibrated.
leak_free
    The same network and schedule; an empty day is an observation (nothing was reported), and the output is calibrated
    on past days.

Beside both, on the same days and the same cells: prior counts, and our ConvLSTM. The tested days are those that the
published protocol tests, the last quarter without its empty days; grid and study area are those of the days before.

Prints one JSON object.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import make_parser, require_data, round_floats, say
from rasterio.warp import transform
from scipy.ndimage import binary_dilation

from riskengine.forecasters.base import Forecaster
from riskengine.forecasters.baselines import PriorCounts
from riskengine.forecasters.networks.convlstm import ConvLSTMForecaster
from riskengine.forecasters.networks.convlstm_published import PublishedConvLSTM
from riskengine.intake.incidents import Incidents
from riskengine.maps.bins import make_bin_edges
from riskengine.maps.gaps import binarize, fill_gaps
from riskengine.maps.grid import make_grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import count_incidents
from riskengine.measures.labels import PERCENTILES, compute_tradeoff
from riskengine.measures.metrics import auc, brier, count_area_hits, log_loss

LENGTH, SIDE, TEST = 16, 32, 0.25
CRS = "EPSG:32614"
#: Sexual offences of the FGJ's list; a violated letter or seal is none.
OFFENCES = re.compile(
    r"^(TENTATIVA DE )?VIOLACION(?! DE )|ABUSO SEXUAL|ACOSO SEXUAL|HOSTIGAMIENTO|INTIMIDAD SEXUAL|ACTO SEXUAL|ESTUPRO"
)
#: Those of them with few enough reports that many days have none, as in the article's data (586 of 1546 had one).
RARE = re.compile(
    r"^(TENTATIVA DE )?VIOLACION (TUMULTUARIA|EQUIPARADA)|^TENTATIVA DE VIOLACION|ESTUPRO|INTIMIDAD SEXUAL"
)


def read_offences(data: Path, pattern: re.Pattern[str]) -> tuple[Incidents, dict[str, int]]:
    """Read sexual offences of the year, and how many of each category."""
    path = require_data(data, "mexico_city", "fgj_carpetas_2019-02_2020-01.csv")
    frame = pd.read_csv(path, usecols=["fecha_hecho", "lat", "lon", "delito"], low_memory=False)
    frame = frame[frame["delito"].fillna("").map(lambda name: pattern.search(name) is not None)]
    place = frame[["lon", "lat"]].apply(pd.to_numeric, errors="coerce")
    when = pd.to_datetime(frame["fecha_hecho"], errors="coerce")
    known = (place.notna().all(axis=1) & when.notna()).to_numpy()
    x, y = map(np.array, transform("EPSG:4326", CRS, place["lon"][known].tolist(), place["lat"][known].tolist()))
    categories = frame["delito"][known].value_counts().to_dict()
    moments = when[known].to_numpy().astype("datetime64[s]")
    return Incidents(x, y, moments, np.zeros(len(x), np.int32), [], np.arange(len(x))), categories


def heatmaps_of(incidents: Incidents) -> tuple[Heatmaps, int]:
    """Count days, and find the first test day; grid and study area are those of the days before it."""
    first_day, last_day = np.datetime64("2019-02-01"), np.datetime64("2020-01-31")
    edges = make_bin_edges(first_day, last_day, "days")
    first = len(edges) - 1 - round((len(edges) - 1) * TEST)
    past = incidents.time < edges[first]
    west, east = np.quantile(incidents.x[past], (0.002, 0.998))
    south, north = np.quantile(incidents.y[past], (0.002, 0.998))
    grid = make_grid((float(west), float(south), float(east), float(north)), CRS, columns=SIDE, rows=SIDE)
    counts, _ = count_incidents(incidents, grid, edges)
    mask = binary_dilation(counts[:first].any(axis=0), np.ones((3, 3)))
    return Heatmaps(np.where(mask, counts, 0).astype(counts.dtype), edges, mask, grid, "1 days"), first


def compute_scores(risk: np.ndarray, counts: np.ndarray, mask: np.ndarray, calibrated: bool) -> dict[str, Any]:
    """Compute measures over the cells of the study area, and the labels at every percentile by both readings."""
    risk, events = np.where(mask, risk, np.nan), (counts > 0) & mask
    hits = count_area_hits(risk, counts, 0.05)
    measures: dict[str, Any] = {
        "auc": auc(risk, events),
        "hit_rate_5": hits.hit_rate,
        "pai_5": hits.pai,
        "caught": [hits.caught, hits.incidents],
        **({} if not calibrated else {"log_loss": log_loss(risk, events), "brier": brier(risk, events)}),
    }
    if not calibrated:
        measures["log_loss_uncalibrated"] = log_loss(risk, events)
    for over in ("stack", "map"):
        measures[f"labels_by_{over}"] = {
            f"{each.percentile:g}": {
                "cells": list(each.cells),
                "accuracy": each.accuracy,
                "caught": each.caught,
                "caught_or_near": each.caught_or_near,
                "missed": each.missed,
                "precision": each.precision,
            }
            for each in compute_tradeoff(risk, events, mask, PERCENTILES, over)
        }
    return measures


def fill_as_published(heatmaps: Heatmaps) -> Heatmaps:
    """Fill empty days on the line between the days around them, binarised at 0.5."""
    return binarize(fill_gaps(heatmaps, "linear", "empty"))


def run(incidents: Incidents, categories: Mapping[str, int], epochs: int) -> dict[str, Any]:
    """Both protocols and the two comparisons, on one set of offences."""
    heatmaps, first = heatmaps_of(incidents)
    filled = fill_as_published(heatmaps)
    tested = filled.observed[first:]
    truth, mask = heatmaps.counts[first:][tested], heatmaps.mask
    # What is handed to the leak-free ones: every day is an observation, none is filled.
    plain = replace(binarize(heatmaps), counts=(heatmaps.counts > 0).astype(np.uint8))
    schedule = {"sequence_length": LENGTH, "schedule": "published", "epochs": epochs}
    models: dict[str, tuple[Forecaster, Heatmaps, bool]] = {
        "published": (PublishedConvLSTM(**schedule, calibrated=False, read_filled=True), filled, False),
        "leak_free": (PublishedConvLSTM(**schedule), plain, True),
        "convlstm": (ConvLSTMForecaster(LENGTH), plain, True),
        "prior_counts": (PriorCounts(), heatmaps, True),
    }
    summary: dict[str, Any] = {
        "incidents": len(incidents),
        "categories": dict(categories),
        "maps": len(heatmaps),
        "empty_days": int((~filled.observed).sum()),
        "sequences": int(filled.observed[LENGTH:first].sum()),
        "test_maps": int(tested.sum()),
        "cells": int(mask.sum()),
        "cell_metres": heatmaps.grid.cell,
        "share_of_cells_hit": float((truth > 0)[:, mask].mean()),
        "models": {},
    }
    for name, (model, stack, calibrated) in models.items():
        began = time.perf_counter()
        model.fit(stack.before(first))
        risk = model.predict_each(stack, first)[tested]
        summary["models"][name] = {
            "seconds": time.perf_counter() - began,
            **compute_scores(risk, truth, mask, calibrated),
        }
        say(f"{name}: AUC {summary['models'][name]['auc']:.4f}, {summary['models'][name]['seconds']:.0f} s")
    return summary


def main() -> None:
    parser = make_parser(__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20, help="of the published schedule (the article: 100)")
    options = parser.parse_args()
    summary: dict[str, Any] = {"epochs": options.epochs, "labels": "tn, correct, fn, fn neighbour, fp, fp neighbour"}
    for name, pattern in (("all_sexual_offences", OFFENCES), ("rare_ones", RARE)):
        say(name)
        summary[name] = run(*read_offences(options.data, pattern), options.epochs)
    print(json.dumps(round_floats(summary), ensure_ascii=False))


if __name__ == "__main__":
    main()
