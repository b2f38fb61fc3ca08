"""What warning models are worth on real cities, how fast they are judged, and which half-life of the level is best."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from common import round_floats, say
from numpy.typing import NDArray
from sklearn.linear_model import PoissonRegressor

from riskengine.contract.forecasters import (
    DEFAULT_WARNING,
    FORECASTERS,
    WARNING_BASELINES,
    WARNING_CANDIDATES,
    WARNING_REFERENCE,
)
from riskengine.contract.warnings import SHARES, Budget, Timing
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.warned import WarningsJudged
from riskengine.evaluation.warnings import choose_warning_model, run_warnings
from riskengine.forecasters.levels import boosting, exciting, terms
from riskengine.intake.incidents import write_exchange
from riskengine.jobs import run_job
from riskengine.maps.panel import Panel
from riskengine.maps.unitlayer import UnitRows, write_units
from riskengine.maps.warningpanel import WarningPanel
from riskengine.measures.alarms import bound_losses
from riskengine.measures.compare import Difference
from warning_parts.data import (
    BALTIMORE,
    ELSEWHERE,
    SIMILAR,
    TARGETS,
    find_first_window,
    make_baltimore,
    read_baltimore,
    read_neighbourhoods,
)

#: Every model of this form, as many as there are; networks, which take long, where they are asked for.
MODELS = (*WARNING_BASELINES, DEFAULT_WARNING, *WARNING_CANDIDATES)
NETWORKS = tuple(name for name, each in FORECASTERS.items() if each.network and each.place.startswith("levels."))
#: Days that the level's weights may halve in.
HALF_LIVES, _USUAL = (14, 30, 60, 90), "60"
#: Where each place outside Baltimore begins to be tested: its last part, nothing of which was looked at before.
FIRST_ELSEWHERE = {"chicago": np.datetime64("2018-06-01", "s"), "new_york": np.datetime64("2015-01-01", "s")}
_GAPS = tuple(f"minus_{other}{end}" for other in ("a1", "b") for end in ("", "_low", "_high"))
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
#: Functions that fit a regression, where models call them.
_REGRESSIONS: tuple[tuple[Any, str], ...] = (
    (PoissonRegressor, "fit"),
    (terms, "fit_weights"),
    (boosting, "grow_trees"),
    (exciting, "_fit_shares"),
)


def judge(panel: Panel, timing: Timing, first: int, models: Sequence[str] = MODELS) -> WarningsJudged:
    """Judge models that learn from what was known before bin `first` once, in this process."""
    return run_warnings(panel, list(models), Plan(first), timing, workers=1)


def describe_model(judged: WarningsJudged, name: str) -> dict[str, Any]:
    """Describe a model by all its figures."""
    score, against = judged.scores[name], judged.against.get(name, {})
    made = {
        "auc": score.auc,
        "log_loss": score.log_loss,
        "brier": score.brier,
        "ece": score.calibration_error,
        **_describe_difference("minus_a1", against.get(WARNING_REFERENCE)),
        **_describe_difference("minus_b", against.get(DEFAULT_WARNING)),
    }
    for share in SHARES:
        per = f"{100 * share:.0f}"
        at, raised = (alarms[Budget("share", share)] for alarms in (score.at, score.raised))
        made |= {
            f"precision_{per}": at.precision,
            f"recall_events_{per}": at.recall_events,
            f"raised_{per}": raised.raised / raised.windows,
            f"raised_precision_{per}": raised.precision,
            f"raised_recall_events_{per}": raised.recall_events,
        }
    return made | {"seconds": score.seconds}


def _describe_difference(key: str, difference: Difference | None) -> dict[str, float | None]:
    if difference is None:
        return {key: None, f"{key}_low": None, f"{key}_high": None}
    return {key: difference.mean, f"{key}_low": difference.low, f"{key}_high": difference.high}


def measure_panel(name: str, made: WarningPanel, first: int, models: Sequence[str] = MODELS) -> dict[str, Any]:
    """Measure every model on a panel; ``default`` is what ships, ``chosen`` what the years before the test choose."""
    began = time.perf_counter()
    panel, timing = made.panel, made.timing
    # Of windows that were over and known when the test began, as the tool chooses.
    known = (first - panel.delay) // timing.bins * timing.bins
    choice = choose_warning_model(panel.cut(known), WARNING_CANDIDATES, timing, workers=1)
    chosen_in = time.perf_counter() - began
    judged = judge(panel, timing, first, dict.fromkeys([*models, choice.model]))
    say(f"{name}: {time.perf_counter() - began:.0f} s, of which {chosen_in:.0f} s to choose")
    print_table(judged)
    say(f"on past windows: {choice.reason}")
    models_made = {each: describe_model(judged, each) for each in judged.scores}
    return {
        **models_made,
        "default": {**models_made[DEFAULT_WARNING], "model": DEFAULT_WARNING},
        "chosen": choice.model,
        "chosen_because": choice.reason,
        "windows": judged.events.size,
        "events": int(judged.events.sum()),
        "base_rate": float((judged.events > 0).mean()),
        "beyond": judged.beyond,
        "failures": judged.failures,
        "seconds": time.perf_counter() - began,
    }


def print_table(judged: WarningsJudged) -> None:
    """Print the figures of every model for people."""
    for name in judged.scores:
        each = describe_model(judged, name)
        gap = " ".join("" if each[key] is None else f"{each[key]:+.4f}" for key in _GAPS)
        recall = " ".join(f"{100 * each[f'recall_events_{share}']:.0f}" for share in ("5", "10", "20"))
        precision = " ".join(f"{each[f'precision_{share}']:.2f}" for share in ("5", "10", "20"))
        raised = " ".join(f"{100 * each[f'raised_{share}']:.1f}" for share in ("5", "10", "20"))
        say(
            f"  {name:16} AUC {each['auc']:.3f}  loss {each['log_loss']:.4f}  ECE {each['ece']:.3f}"
            f"  minus A1, B {gap:45} events {recall} %  precision {precision}  raised {raised} %"
            f"  {each['seconds']:.1f} s"
        )


def measure_setups(data: Path, delay: int, setups: Sequence[str], networks: bool) -> dict[str, Any]:
    """Measure the four published set-ups with a delay in hours."""
    models = (*MODELS, *NETWORKS) if networks else MODELS
    found = {}
    for setup in setups:
        made = make_baltimore(data, setup, delay)
        found[setup] = measure_panel(f"{setup}, {delay} h late", made, find_first_window(made), models)
    return found


def measure_elsewhere(data: Path) -> dict[str, Any]:
    """Measure robbery in cities where nothing was tuned, known at once and a day late."""
    found: dict[str, Any] = {}
    for city, make in ELSEWHERE.items():
        for delay in (0, 24):
            made = make(data, delay)
            first = find_first_window(made, FIRST_ELSEWHERE[city])
            found[city if not delay else f"{city}_{delay}h"] = measure_panel(f"{city}, {delay} h late", made, first)
    return found


def measure_half_lives(data: Path, setups: Sequence[str] = tuple(BALTIMORE)) -> dict[str, Any]:
    """Measure the level with several half-lives in the test, and what the years before it would choose.

    These are judged on their last half, by models that learned from the first; a fixed level (``none``) and one reset
    each quarter (``reset``) are among what they can choose. In the test what they choose is compared with model B.
    """
    found = {}
    for setup in setups:
        made = make_baltimore(data, setup)
        panel, timing, first = made.panel, made.timing, find_first_window(made)
        before = first // timing.bins // 2 * timing.bins
        test = _judge_half_lives(panel, timing, first)
        training = _judge_half_lives(panel.cut(first), timing, before)
        chosen = min(training, key=lambda each: training[each].mean())
        found[setup] = {
            "test": {name: float(losses.mean()) for name, losses in test.items()},
            "training": {name: float(losses.mean()) for name, losses in training.items()},
            "chosen": chosen,
            **_describe_difference("chosen_minus_b", bound_losses(test[chosen], test[_USUAL], timing.window)),
        }
        say(f"{setup}: {round_floats(found[setup])}")
    return found


def _judge_half_lives(panel: Panel, timing: Timing, first: int) -> dict[str, NDArray[np.float64]]:
    """Losses by window of the level with each half-life, and without any."""
    losses = {}
    for days in HALF_LIVES:
        settings = {DEFAULT_WARNING: {"half_life": float(days)}}
        judged = run_warnings(panel, [DEFAULT_WARNING], Plan(first), timing, settings=settings, workers=1)
        losses[str(days)] = judged.scores[DEFAULT_WARNING].fold_loss
    return losses | {"none": judged.scores["calendar"].fold_loss, "reset": judged.scores[WARNING_REFERENCE].fold_loss}


def measure_speed(data: Path, times: int = 3) -> dict[str, Any]:
    """Measure a backtest of all models by neighbourhood and week against the same regressions on ready matrices."""
    made = make_baltimore(data, "neighbourhood_7d")
    first, ratios, seconds = find_first_window(made), [], []
    judge(made.panel, made.timing, first)
    for _ in range(times):
        with record_regressions() as calls:
            began = time.perf_counter()
            judge(made.panel, made.timing, first)
            seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
        for fit, args, kwargs in calls:
            fit(*args, **kwargs)
        ratios.append(seconds[-1] / (time.perf_counter() - began))
        say(f"backtest {seconds[-1]:.2f} s, {len(calls)} bare regressions {seconds[-1] / ratios[-1]:.2f} s")
    return {"backtest_vs_bare": statistics.median(ratios), "backtest_seconds": statistics.median(seconds)}


@contextmanager
def record_regressions() -> Iterator[list[Call]]:
    """While it lasts, keep what every regression is called with."""
    calls: list[Call] = []
    with ExitStack() as stack:
        for owner, name in _REGRESSIONS:
            stack.enter_context(patch.object(owner, name, _keep(getattr(owner, name), calls)))
        yield calls


def _keep(fit: Callable[..., Any], calls: list[Call]) -> Callable[..., Any]:
    def keep(*args: Any, **kwargs: Any) -> Any:
        calls.append((fit, args, kwargs))
        return fit(*args, **kwargs)

    return keep


def measure_warm(data: Path) -> dict[str, Any]:
    """Measure the seconds of a warning in a process that is warm: reading all incidents, and the next week by area."""
    incidents, table = read_baltimore(data)
    areas = read_neighbourhoods(data)
    with tempfile.TemporaryDirectory() as folder:
        files = {name: str(Path(folder) / name) for name in ("incidents.npz", "areas.npz", "b.crimemodel", "w.gpkg")}
        write_exchange(files["incidents.npz"], incidents, places=pd.factorize(table["Location"])[0].astype(np.int32))
        rows = UnitRows(list(areas.ids), list(areas.ids), areas.geometries, np.arange(len(areas.ids)))
        write_units(files["areas.npz"], rows)
        read = {"incidents": files["incidents.npz"], "areas": files["areas.npz"], "crs": areas.crs}
        asked: Mapping[str, Any] = asdict(Timing(168, 0, 0, 0)) | {"targets": list(TARGETS), "similar": list(SIMILAR)}
        began = time.perf_counter()
        trained = {"kind": DEFAULT_WARNING, "held_out": 0.0, "model_output": files["b.crimemodel"]}
        run_job("train_warning", {**read, **asked, **trained})
        training = time.perf_counter() - began
        seconds = []
        for _ in range(4):
            began = time.perf_counter()
            run_job("warn", {**read, "model": files["b.crimemodel"], "warnings": files["w.gpkg"]})
            seconds.append(time.perf_counter() - began)
    say(f"training {training:.1f} s, warning {seconds[1:]} s")
    return {"warm_warning_seconds": statistics.median(seconds[1:]), "training_seconds": training}
