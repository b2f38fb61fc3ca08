"""How fast our training reaches what the published schedule reaches, and what an epoch and a forecast cost.

The same data, the same held-out past, the same machine, the same run. Like for like: the speedup is that of the
schedule alone. Both sides train the same network (ConvLSTM over the causal running mean) by the same code, threads
and mixed precision; one by the published schedule (a window from every map, the map after it the only target,
Adam at 1e-4, batches of 8, weighted cross-entropy), the other by ours (every map of a window a target, Adam at 1e-3,
batches of 4, no weight). Seconds run from the first step of training.

What the published schedule reaches is the median held-out log-loss of its last three epochs: that of one epoch jumps
by more than what is left to gain. Both sides have reached it after the first epoch that is at or below it. The same
by the lowest single epoch is told beside it. The network of the article, with its max pooling, is trained for
comparison.

Prints one JSON object.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import make_parser, round_floats, say
from rasterio.warp import transform
from scipy.ndimage import binary_dilation

from riskengine.forecasters.networks.convlstm import ConvLSTMForecaster
from riskengine.forecasters.networks.convlstm_published import PublishedConvLSTM
from riskengine.ground.context import JobContext
from riskengine.intake.incidents import Incidents
from riskengine.learning.loop import Curves
from riskengine.learning.trainingstate import Schedule
from riskengine.maps.bins import make_bin_edges
from riskengine.maps.grid import make_grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import count_incidents
from riskengine.measures.metrics import log_loss
from riskengine.simulation.simulate import simulate_city

LENGTH = 16
#: Windows of 16 maps and a target, as many as the article had.
SEQUENCES = 576
VALIDATION = 0.2


class Clock(JobContext):
    """Wall and processor seconds at the end of each epoch, as the progress tells them."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = ""
        self.began = (time.perf_counter(), time.process_time())
        self.ends: list[tuple[float, float]] = []

    def progress(self, share: float, text: str = "") -> None:
        epoch = text.partition(",")[0]
        if epoch.startswith("epoch") and epoch != self.epoch:
            if self.epoch:
                self.end()
            self.epoch = epoch

    def end(self) -> None:
        """An epoch is over."""
        self.ends.append((time.perf_counter() - self.began[0], time.process_time() - self.began[1]))


def measure_peak_mb(reset: bool = False) -> float | None:
    """Measure the highest resident memory since the last reset; None where the system does not tell."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


#: File, columns of time, longitude and latitude, the UTM zone, and what it is. Settings and goal were chosen on
#: Baltimore; New York had no part in that.
CITIES = {
    "baltimore": ("bpd_part1_2011_2016.csv", ("datetime", "lon", "lat"), "EPSG:26918", "Baltimore, Part 1 crime"),
    "new_york": (
        "crimes_2014_2015.csv",
        ("Occurrence Date", "Longitude", "Latitude"),
        "EPSG:26918",
        "New York, four types of crime",
    ),
}


def incidents_of(data: Path, city: str) -> tuple[str, Incidents, str]:
    """A city's incidents; the simulator's where the file is absent."""
    name, columns, crs, title = CITIES[city]
    path = data / city / name
    if not path.exists():
        simulated = simulate_city(120_000, days=1000)
        return "simulated city", simulated.to_incidents(), simulated.crs
    frame = pd.read_csv(path, usecols=list(columns), low_memory=False)
    place = frame[list(columns[1:])].apply(pd.to_numeric, errors="coerce")
    when = pd.to_datetime(frame[columns[0]], errors="coerce")
    known = (place.notna().all(axis=1) & when.notna()).to_numpy()
    x, y = (np.array(each) for each in transform("EPSG:4326", crs, *(place[each][known].tolist() for each in place)))
    moments = when[known].to_numpy().astype("datetime64[s]")
    return title, Incidents(x, y, moments, np.zeros(len(x), np.int32), [], np.arange(len(x))), crs


def heatmaps_of(incidents: Incidents, crs: str, side: int, maps: int) -> Heatmaps:
    """The last `maps` whole days on a grid of `side` x `side` cells; the study area is that of the training span."""
    # The first and last day may be incomplete.
    edges = make_bin_edges(*incidents.span, "days")[1:-1][-(maps + 1) :]
    west, east = np.quantile(incidents.x, (0.001, 0.999))
    south, north = np.quantile(incidents.y, (0.001, 0.999))
    grid = make_grid((float(west), float(south), float(east), float(north)), crs, columns=side, rows=side)
    counts, _ = count_incidents(incidents, grid, edges)
    trained = len(counts) - round(len(counts) * VALIDATION)
    mask = binary_dilation(counts[:trained].any(axis=0), np.ones((3, 3)))
    return Heatmaps(np.where(mask, counts, 0).astype(counts.dtype), edges, mask, grid, "1 days")


def fit_timed(model: Any, history: Heatmaps) -> tuple[Any, Curves, list[tuple[float, float]]]:
    """Fit the model; also its curves, and (wall, processor) seconds at the end of each epoch."""
    clock = Clock()
    model.fit(history, clock)
    clock.end()
    return model, model.curves_, clock.ends


def make_ours(epochs: int, weight: float | None = 1.0, batch: int = 4, **more: Any) -> ConvLSTMForecaster:
    schedule = Schedule(epochs=epochs, sequence_length=LENGTH, stride=LENGTH // 4, batch_size=batch, patience=0, **more)
    return ConvLSTMForecaster(LENGTH, schedule=schedule, positive_weight=weight, validation_share=VALIDATION)


def find_first_at(losses: list[float], goal: float) -> int | None:
    """Find the first epoch, from 0, at or below `goal`."""
    return next((epoch for epoch, loss in enumerate(losses) if loss <= goal), None)


def make_published_schedule(epochs: int) -> ConvLSTMForecaster:
    return make_ours(epochs, None, 8, learning_rate=1e-4, windows=1_000_000, keep="last", supervision="windows")


def compute_slope(sizes: list[int], seconds: list[float]) -> float:
    """Compute the exponent of growth: slope of log seconds against log size."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def measure_growth(incidents: Incidents, crs: str) -> dict[str, Any]:
    """Processor seconds of an epoch by cells and by bins; wall seconds would tell what else the machine does."""

    def epoch(history: Heatmaps, **more: Any) -> float:
        _, _, ends = fit_timed(make_ours(2, crop=max(history.mask.shape), **more), history)
        return ends[1][1] - ends[0][1]

    sides, bins = [16, 32, 64], [150, 300, 600]
    by_cells = [epoch(heatmaps_of(incidents, crs, side, 140), windows=16) for side in sides]
    say(f"cells {[side**2 for side in sides]}: {round_floats(by_cells)} s")
    by_bins = [epoch(heatmaps_of(incidents, crs, 16, maps), windows=1_000_000) for maps in bins]
    say(f"bins {bins}: {round_floats(by_bins)} s")
    return {
        "growth_cells": {str(side**2): seconds for side, seconds in zip(sides, by_cells, strict=True)},
        "growth_cells_slope": compute_slope([side**2 for side in sides], by_cells),
        "growth_bins": {str(maps): seconds for maps, seconds in zip(bins, by_bins, strict=True)},
        "growth_bins_slope": compute_slope(bins, by_bins),
    }


def measure_inference(model: ConvLSTMForecaster, history: Heatmaps, first: int) -> dict[str, float]:
    """Measure milliseconds a map: all in one pass, and each by itself from its own history."""
    began = time.perf_counter()
    risk = model.predict_each(history, first)
    one_pass = (time.perf_counter() - began) / len(risk)
    some = range(first, len(history), max((len(history) - first) // 8, 1))
    began = time.perf_counter()
    alone = [model.predict(history.before(origin))[0] for origin in some]
    by_map = (time.perf_counter() - began) / len(alone)
    apart = max(float(np.nanmax(abs(one - risk[origin - first]))) for one, origin in zip(alone, some, strict=True))
    return {
        "inference_ms_per_map": one_pass * 1e3,
        "inference_ms_map_by_map": by_map * 1e3,
        "largest_difference": apart,
    }


def main() -> None:
    parser = make_parser(__doc__.splitlines()[0])
    parser.add_argument("--city", choices=list(CITIES), default="baltimore")
    parser.add_argument("--epochs", type=int, default=12, help="of the published schedule (the article: 100)")
    parser.add_argument("--ours", type=int, default=6, help="epochs of our schedule, at most")
    parser.add_argument("--network", type=int, default=3, help="epochs of the article's network; 0 to leave it out")
    options = parser.parse_args()
    city, incidents, crs = incidents_of(options.data, options.city)
    trained = SEQUENCES + LENGTH
    history = heatmaps_of(incidents, crs, 32, round(trained / (1 - VALIDATION)))
    trained = len(history) - round(len(history) * VALIDATION)
    measure_peak_mb(reset=True)

    say(f"{city}: {len(history)} maps of {history.grid.rows} x {history.grid.columns}; published schedule")
    _, slow, slow_ends = fit_timed(make_published_schedule(options.epochs), history)
    goal, lowest = float(np.median(slow.validation[-3:])), min(slow.validation)
    best = find_first_at(slow.validation, goal)
    assert best is not None, "the median is one of them"
    say(f"log-loss {goal:.5f} after {slow.elapsed[best]:.0f} s (running mean {slow.validation_start:.5f}); ours")
    model, fast, fast_ends = fit_timed(make_ours(options.ours), history)
    reached, strict = find_first_at(fast.validation, goal), find_first_at(fast.validation, lowest)
    memory = measure_peak_mb()
    figures: dict[str, Any] = {
        "data": city,
        "grid": [32, 32],
        "cells": int(history.mask.sum()),
        "sequences": trained - LENGTH,
        "held_out_maps": len(history) - trained,
        "running_mean_log_loss": slow.validation_start,
        "published_schedule": {
            "epochs": options.epochs,
            "log_loss": goal,
            "reached_in_epoch": best + 1,
            "seconds": slow.elapsed[best],
            "cpu_seconds": slow_ends[best][1],
            "log_losses": slow.validation,
        },
        "ours": {
            "epochs": None if reached is None else reached + 1,
            "log_loss": min(fast.validation) if reached is None else fast.validation[reached],
            "seconds": None if reached is None else fast.elapsed[reached],
            "cpu_seconds": None if reached is None else fast_ends[reached][1],
            "log_losses": fast.validation,
        },
        "speedup": None if reached is None else slow.elapsed[best] / fast.elapsed[reached],
        "speedup_cpu": None if reached is None else slow_ends[best][1] / fast_ends[reached][1],
        "speedup_to_lowest_epoch_cpu": None
        if strict is None
        else slow_ends[slow.validation.index(lowest)][1] / fast_ends[strict][1],
        "epoch_seconds": float(np.median(np.diff([0.0, *slow.elapsed]))),
        "epoch_cpu_seconds": float(np.median(np.diff([0.0, *(cpu for _, cpu in slow_ends)]))),
        "our_epoch_seconds": float(np.median(np.diff([0.0, *fast.elapsed]))),
        "our_epoch_cpu_seconds": float(np.median(np.diff([0.0, *(cpu for _, cpu in fast_ends)]))),
        **measure_inference(model, history, trained),
        "peak_mb": memory,
    }
    if options.network:
        say("the article's network")
        article = PublishedConvLSTM(LENGTH, schedule="published", epochs=options.network, validation_share=VALIDATION)
        _, curves, ends = fit_timed(article, history)
        truth = history.counts[trained:][:, history.mask] > 0
        share = float((history.counts[:trained][:, history.mask] > 0).mean())
        figures["published_network"] = {
            "epochs": options.network,
            "log_losses": curves.validation,
            "constant_log_loss": log_loss(np.full(truth.shape, share), truth),
            "epoch_seconds": curves.seconds / options.network,
            "epoch_cpu_seconds": ends[-1][1] / options.network,
            "note": "ours starts at the running mean, which this network has to be compared with before any speed",
        }
    figures |= measure_growth(incidents, crs)
    print(json.dumps({name: value for name, value in round_floats(figures, 6).items() if not _missing(value)}))


def _missing(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


if __name__ == "__main__":
    main()
