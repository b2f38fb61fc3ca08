"""The published study of area hotspots on London's burglaries: its figures, and what each leak is worth.

With ``--mobility`` the months tested are March to June 2021, the last that the mobility reports cover.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from areas_data import make_london_lsoas, read_london
from common import make_parser, say

from riskengine.contract.choices import StudyClassifier
from riskengine.ground.context import JobContext
from riskengine.systems.areas.inputs import Inputs, choose_tests
from riskengine.systems.areas.ladder import climb_ladder, run_published
from riskengine.systems.areas.protocol import MEASURES, Run
from riskengine.systems.areas.study import read_inputs, require_areas
from riskengine.systems.areas.switches import PUBLISHED

#: The last month tested with mobility: its reports end early in June 2021, and each month takes the one before.
_LAST_WITH_MOBILITY = np.datetime64("2021-06")
_TESTS = 4
_FASTER: tuple[StudyClassifier, ...] = ("forest", "logistic", "bayes", "neighbours")


def read_london_inputs(data: Path, mobility: bool = False) -> Inputs:
    """Read London's burglaries, the LSOA that the police name for each, deprivation and, on request, mobility."""
    panel = make_london_lsoas(data, deprivation=True, mobility=mobility)
    incidents, code = read_london(data)
    last = _LAST_WITH_MOBILITY if mobility else incidents.time.max().astype("datetime64[M]")
    kept = np.isfinite(incidents.x) & (incidents.time.astype("datetime64[M]") <= last)
    area = pd.Index(require_areas(panel).ids).get_indexer(pd.Index(code))
    return read_inputs(panel, incidents.select(kept), area[kept], _TESTS, JobContext())


def measure(data: Path, seed: int = 0, classifiers: Sequence[StudyClassifier] = _FASTER) -> dict[str, Any]:
    """Measure the published figures and the ladder on January to April 2022, without mobility."""
    inputs = read_london_inputs(data)
    tests = choose_tests(inputs, _TESTS)
    began = time.monotonic()
    runs = run_published(inputs, tests, classifiers, PUBLISHED, seed, JobContext(_say_progress))
    published_seconds = time.monotonic() - began
    began = time.monotonic()
    rungs = {
        rung.key: rung.run for rung in climb_ladder(inputs, tests, runs["forest"], seed, JobContext(_say_progress))
    }
    return {
        "published_rf_auc": runs["forest"].mean("auc"),
        "published_knn_auc": runs["neighbours"].mean("auc"),
        "published_logistic_auc": runs["logistic"].mean("auc"),
        "control_random_auc": rungs["random"].mean("auc"),
        "rule_auc": rungs["rule"].mean("auc"),
        "no_leaks_auc": rungs["closed"].mean("auc"),
        "smoothed_mean_auc": rungs["rates"].mean("cells_auc"),
        "smoothed_mean_log_loss": rungs["rates"].mean("cells_log_loss"),
        "classifiers": {name: _figures(run) for name, run in runs.items()},
        "importance": dict(runs["forest"].importance.ordered if runs["forest"].importance else ()),
        "rungs": {key: _figures(run) for key, run in rungs.items()},
        "published_seconds": published_seconds,
        "ladder_seconds": time.monotonic() - began,
    }


def measure_mobility(data: Path, seed: int = 0) -> dict[str, Any]:
    """Measure the forest with mobility, March to June 2021."""
    inputs = read_london_inputs(data, mobility=True)
    runs = run_published(inputs, choose_tests(inputs, _TESTS), ("forest",), PUBLISHED, seed, JobContext(_say_progress))
    return {"with_mobility": _figures(runs["forest"])}


def _figures(run: Run) -> dict[str, float | None]:
    means = {measure: run.mean(measure) for measure in MEASURES}
    return {name: None if np.isnan(value) else round(value, 4) for name, value in means.items()}


def _say_progress(share: float, text: str) -> None:
    say(f"{share:6.1%} {text}")


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__ or "")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mobility", action="store_true", help="the run with mobility instead")
    parser.add_argument("--vectors", action="store_true", help="the bagged support vectors too: hours")
    arguments = parser.parse_args()
    if arguments.mobility:
        result = measure_mobility(arguments.data, arguments.seed)
    else:
        classifiers = (*_FASTER, *(("vectors",) if arguments.vectors else ()))
        result = measure(arguments.data, arguments.seed, classifiers)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
