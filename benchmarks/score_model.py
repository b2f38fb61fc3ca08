"""The crime score model on real cities: the published protocol, blocks held out, boosting beside it, in one run.

Prints one JSON object.  Every L1 is [mean, low, high]: the mean over held-out rows with its 95 % interval over
1 km blocks, except the plain numbers the issue names, which are the means.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cities import read_city_index
from common import make_parser, round_floats, say

from riskengine.ground.context import JobContext
from riskengine.measures.clustered import Interval, compute_clustered_mean
from riskengine.systems.score.comparing import compute_boosting_errors
from riskengine.systems.score.features import FeatureSet
from riskengine.systems.score.fitting import Fitting
from riskengine.systems.score.index import CrimeIndex
from riskengine.systems.score.network import run_network
from riskengine.systems.score.settings import PUBLISHED_FITTING, Settings, make_published_settings
from riskengine.systems.score.splits import number_blocks
from riskengine.systems.score.training import fit_folds, make_split_folds, predict_folds, train

#: The published 20 features, distances as logarithms: the same numbers on a scale a network reads more easily.
TWENTY = FeatureSet(groups=("distances", "ages"))
#: Our network for the published protocol: layers of 128 are added as long as the development loss falls.
OURS = make_published_settings(
    features=TWENTY,
    widths=(128,) * 4,
    activation="silu",
    fitting=Fitting(epochs=60, patience=60, learning_rate=3e-3, weight_decay=1e-6, batch_size=1024),
)


def make_quiet_context() -> JobContext:
    """Make a context that says what is worth keeping on stderr."""
    return JobContext(None, lambda message, level: say(f"  {message}"))


def as_list(interval: Interval) -> list[float]:
    """For JSON."""
    return [interval.mean, interval.low, interval.high]


def run_published_protocol(index: CrimeIndex, settings: Settings, grouped: bool) -> dict[str, Any]:
    """Grow the network on rows split at random; the same architecture on rows split by place of origin."""
    _, study, prepared, _ = train(index, settings=settings, context=make_quiet_context())
    figures: dict[str, Any] = {
        "l1": as_list(study.held_out.l1()),
        "architecture": study.card.architecture.describe(),
        "growth": [[step.architecture, step.parameters, step.development] for step in study.growth],
        "seconds": study.seconds,
    }
    if grouped:
        settled = replace(settings, grow=False, widths=study.card.architecture.widths, folds=10)
        fold = make_split_folds(prepared, "groups", settled)
        network = fit_folds(prepared, fold, settled, make_quiet_context(), only=1)[0][0]
        here = fold == 0
        error = np.abs(run_network(network, prepared.table[here])[:, 0] - prepared.rows.score[here])
        block, _ = number_blocks(prepared.rows.source_x, prepared.rows.source_y, settings.block_size)
        figures["grouped_l1"] = as_list(compute_clustered_mean(error, block[here]))
        random = make_split_folds(prepared, "random", settled)
        boosted = compute_boosting_errors(prepared, random, only=1)
        tried = ~np.isnan(boosted)
        figures["boosting_l1"] = as_list(compute_clustered_mean(boosted[tried], block[tried]))
    return figures


def run_blocks_protocol(index: CrimeIndex, settings: Settings) -> dict[str, Any]:
    """Run the protocol cross-fitted over blocks, and boosting on the same features and folds, with the paired
    difference.
    """
    _, study, prepared, networks = train(index, settings=settings, context=make_quiet_context())
    fold = make_split_folds(prepared, "blocks", settings)
    boosted = compute_boosting_errors(prepared, fold)
    held_out = study.held_out
    own = np.arange(len(prepared.rows)) < prepared.rows.originals
    out = predict_folds(prepared, fold, networks)
    assert np.allclose(np.clip(out[:, 0], 0, 1), held_out.score, atol=1e-6)
    median = np.empty(len(fold))
    for number in range(settings.folds):
        here = fold == number
        median[here] = np.abs(held_out.truth[here] - np.median(held_out.truth[~here]))
    return {
        "l1": as_list(held_out.l1()),
        "l1_originals": as_list(compute_clustered_mean(held_out.error[own], held_out.block[own])),
        "boosting_l1": as_list(compute_clustered_mean(boosted, held_out.block)),
        "minus_boosting": as_list(compute_clustered_mean(held_out.error - boosted, held_out.block)),
        "median_l1": as_list(compute_clustered_mean(median, held_out.block)),
        "coverage90": as_list(held_out.coverage()),
        "l1_inner": as_list(held_out.inner_l1()),
        "random_places_l1": as_list(study.background.l1()) if study.background else None,
        "random_places_coverage90": as_list(study.background.coverage()) if study.background else None,
        "train_seconds": study.seconds,
        "parameters": networks[0].count_parameters(),
        "rows": len(prepared.rows),
        "incidents": prepared.rows.originals,
        "recent_incidents": len(prepared.recent),
    }


def measure_city(index: CrimeIndex, wanted: Sequence[str], quick: bool) -> dict[str, Any]:
    """Measure the parts that were asked for, and the numbers of the issue taken from them."""
    plain = replace(Settings(), folds=3) if quick else Settings()
    ours = OURS
    if quick:
        plain = replace(plain, fitting=replace(plain.fitting, epochs=2))
        ours = replace(ours, fitting=replace(ours.fitting, epochs=2))
    parts: dict[str, Any] = {}
    headline: dict[str, Any] = {}
    if "published" in wanted:
        say("  published protocol, our network")
        part = parts["published"] = run_published_protocol(index, ours, grouped=True)
        headline |= {"published_l1": part["l1"][0], "grouped_l1": part["grouped_l1"][0]}
    if "twenty" in wanted:
        say("  20 features on blocks")
        # The same rows as boosting learns from: no random places.
        part = parts["twenty_features"] = run_blocks_protocol(
            index, replace(plain, features=TWENTY, widths=(64,) * 4, background=0.0)
        )
        headline |= {"blocks_l1_20": part["l1"][0], "blocks_boosting_l1_20": part["boosting_l1"][0]}
    if "recommended" in wanted:
        say("  recommended")
        part = parts["recommended"] = run_blocks_protocol(index, plain)
        headline |= {
            "blocks_l1": part["l1"][0],
            "blocks_boosting_l1": part["boosting_l1"][0],
            "coverage90": part["coverage90"][0],
            "random_places_l1": part["random_places_l1"][0],
            "train_seconds": part["train_seconds"],
            "parameters": part["parameters"],
        }
    return {**headline, **parts}


def main() -> None:
    parser = make_parser(__doc__ or "")
    parser.add_argument("--published-epochs", type=int, default=300, help="epochs at most of the printed network")
    parser.add_argument("--only", nargs="*", default=["published", "twenty", "recommended", "printed", "cities"])
    parser.add_argument("--quick", action="store_true", help="few epochs: to try the script, not to quote")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        index, _ = read_city_index("mexico_city", options.data, Path(folder))
        say("mexico_city")
        result = measure_city(index, options.only, options.quick)
        if "printed" in options.only:
            say("  published protocol, printed network")
            epochs = 2 if options.quick else options.published_epochs
            printed = make_published_settings(fitting=replace(PUBLISHED_FITTING, epochs=epochs))
            result["printed_network"] = run_published_protocol(index, printed, grouped=False)
        if "cities" in options.only:
            result["cities"] = {}
            for city in ("new_york", "baltimore"):
                index, _ = read_city_index(city, options.data, Path(folder))
                say(city)
                result["cities"][city] = measure_city(index, options.only, options.quick)
    print(json.dumps(round_floats(result)))


if __name__ == "__main__":
    main()
