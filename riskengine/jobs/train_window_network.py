"""Job: train a published network on window maps, climb its ladder, and keep it for window maps."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.texts import count_text
from ..contract.tools.windownetwork import TrainWindowNetwork
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.failures import keep_going
from ..intake.incidents import count_reasons
from ..learning.modelfile import list_versions
from ..report.outputs import hide_folders
from ..report.windownetwork.page import write_network_figures, write_network_report
from ..report.windownetwork.words import SPLITS, describe_detection, describe_rung, describe_verdict
from ..report.words import format_share
from ..systems.warning.ladder import Rung
from ..systems.warning.networks import RECIPES, WindowArchitecture
from ..systems.warning.pictures.reading import Pictured, read_pictured
from ..systems.warning.windowmodel import WindowCard, WindowModel
from ..systems.warning.windowsample import Scene, make_scene
from ..systems.warning.windowstudy import Plan, WindowStudy, run_study
from .models import to_dict


def run(parameters: TrainWindowNetwork, context: JobContext) -> dict[str, Any]:
    """Read, train and test, climb the ladder, write."""
    began = time.monotonic()
    for key in ("model_output", "report", "csv"):
        if path := getattr(parameters, key):
            check_folder(path, key)
    plan = _make_plan(parameters)
    plan.architecture.check_size()
    context.progress(0.0, "Reading incidents")
    pictured = read_pictured(parameters, context)
    scene = _make_scene(pictured, plan)
    context.log(
        f"Pictures of {plan.architecture.width} × {plan.architecture.height} pixels, {count_text(plan.epochs, 'epoch')}"
    )
    with context.step(0.05, 0.95):
        study = run_study(scene, plan, context)
    opening, verdict = describe_detection(study), describe_verdict(study)
    for each in study.rungs:
        context.log(f"{SPLITS[each.split]}: {_say(study, each)}")
    context.log(opening)
    context.log(verdict)
    model = WindowModel(study.main.trained.network.cpu(), _make_card(parameters, study, pictured))
    model.save(parameters.model_output, "model_output")
    shown = hide_folders(to_dict(parameters))
    if parameters.csv:
        write_network_figures(parameters.csv, study)
    if parameters.report:
        context.progress(0.96, "Writing the report")
        with keep_going(context.warn, "The network is written, but its report is not"):
            write_network_report(parameters.report, study, parameters.crs, shown, [])
    context.progress(1.0, "Done")
    return {
        **_list_figures(study.main.rung),
        "rungs": {each.key: _list_figures(each) for each in study.rungs if each.split == plan.split},
        "splits": {
            split: {each.key: _list_figures(each) for each in study.rungs if each.split == split} for split in SPLITS
        },
        "verdict": f"{opening} {verdict}",
        "windows": len(scene.windows),
        "with_target": int(scene.happened.sum()),
        "tested": len(study.main.rung.right),
        "network_parameters": model.network.count_parameters(),
        "seconds": study.main.trained.curves.seconds,
        "elapsed": round(time.monotonic() - began, 3),
        "refused": len(pictured.refusals),
        "reasons": count_reasons(pictured.refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in pictured.refusals],
        "parameters": shown,
    }


def _make_plan(parameters: TrainWindowNetwork) -> Plan:
    """What is trained; what is left empty is as published."""
    epochs = parameters.epochs or RECIPES[parameters.network].epochs
    return Plan(
        WindowArchitecture(network=parameters.network, width=parameters.width, height=parameters.height),
        epochs,
        parameters.split,
        parameters.seed,
        (parameters.ladder_epochs or epochs) if parameters.ladder else 0,
    )


def _make_scene(pictured: Pictured, plan: Plan) -> Scene:
    drawing = pictured.make_drawing(plan.architecture.width, plan.architecture.height)
    dots = pictured.place_dots(drawing)
    return make_scene(pictured.incidents, pictured.windows, drawing, dots, pictured.target, pictured.place)


def _make_card(parameters: TrainWindowNetwork, study: WindowStudy, pictured: Pictured) -> WindowCard:
    first, end = study.learned_span
    return WindowCard(
        name=Path(parameters.model_output).stem,
        architecture=study.plan.architecture,
        hours=parameters.window,
        closed=pictured.windows.closed,
        targets=parameters.targets,
        colours=pictured.colours,
        crs=parameters.crs,
        extent=study.scene.drawing.extent,
        first=str(first),
        end=str(end),
        split=study.plan.split,
        share=study.learned_share,
        epochs=study.plan.epochs,
        seed=study.plan.seed,
        metrics=_list_figures(study.main.rung),
        versions=list_versions(),
    )


def _list_figures(rung: Rung) -> dict[str, float | None]:
    """Accuracy and its interval; None where there is none."""
    found = zip(("accuracy", "accuracy_low", "accuracy_high"), rung.accuracy, strict=True)
    return {name: value if np.isfinite(value) else None for name, value in found}


def _say(study: WindowStudy, rung: Rung) -> str:
    """A rung of the ladder, as a line of the log."""
    return f"{describe_rung(study, rung.key)[0]}: {format_share(rung.accuracy.mean)} told right"
