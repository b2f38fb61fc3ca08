"""The page of the published early-warning network, and its figures as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from ...contract.choices import WindowSplit
from ...contract.tools.windownetwork import NETWORKS
from ...ground.artefacts import whole_file
from ...systems.warning.ladder import RUNGS, Rung
from ...systems.warning.windowstudy import WindowStudy
from ..figures import draw_loss_curves
from ..html import format_crs, render
from ..warnings.limits import NO_GROUND, describe_feedback
from ..words import format_range
from . import figures, words

COLUMNS = ("what", "split", "measure", "value")


def write_network_report(
    path: str | Path,
    study: WindowStudy,
    crs: str,
    parameters: dict[str, Any],
    notes: list[str],
    parameter: str = "report",
) -> None:
    """Write the report.

    Parameters
    ----------
    path : path
    study : WindowStudy
    crs : str
    parameters : dict
        As the job got them.
    notes : list of str
        Sentences that the reader must not miss.
    """
    text = render("windownetwork.html", _collect_values(study, crs, parameters, notes))
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _collect_values(study: WindowStudy, crs: str, parameters: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    plan, main, incidents = study.plan, study.main, study.scene.incidents
    told = study.count_told()
    return {
        "opening": words.describe_detection(study),
        "verdict": words.describe_verdict(study),
        "notes": notes,
        "counts": words.describe_counts(study),
        "flags": words.describe_flags(study),
        "tiles": _list_tiles(study),
        "ladder": [(words.RUNGS[key], *words.describe_rung(study, key), _list_cells(study, key)) for key in RUNGS]
        if study.rungs
        else [],
        "splits": list(words.SPLITS.values()),
        "ladder_figure": figures.draw_ladder(study) if study.rungs else None,
        "tested": {words.SPLITS[each.split]: len(each.right) for each in study.rungs},
        "loss_figure": draw_loss_curves(main.trained.curves),
        "validated": main.trained.accuracy[-1],
        "examples": figures.draw_examples(study),
        "told": [(title, told[kind]) for kind, title in figures.KINDS.items()],
        "plan": plan,
        "network": NETWORKS.titles[plan.architecture.network],
        "plain": plan.architecture.recipe.count_plain(plan.epochs),
        "network_parameters": main.trained.network.count_parameters(),
        "seconds": main.trained.curves.seconds,
        "targets": words.describe_targets(study),
        "no_ground": NO_GROUND,
        "feedback": describe_feedback(parameters["targets"], incidents.categories),
        "crs": format_crs(crs),
        "parameters": parameters,
    }


def _list_cells(study: WindowStudy, key: Any) -> list[Any]:
    """A rung's accuracy with its interval, for each split."""
    rungs = (study.find_rung(key, split) for split in words.SPLITS)
    return ["–" if each is None else format_range(each.accuracy) for each in rungs]


def _list_tiles(study: WindowStudy) -> list[tuple[float, str]]:
    """What stands at the top: accuracies, and of what."""
    tiles = [(study.main.rung.accuracy.mean, "the network as published")]
    wanted = (
        ("point", "a look for the targets’ points"),
        ("without", "the network without these points"),
        ("previous", "the network on the window before"),
        ("clock", "hour and weekday alone"),
    )
    for key, text in wanted:
        rung = study.find_rung(key)  # type: ignore[arg-type]
        tiles += [(rung.accuracy.mean, text)] if rung is not None else []
    return tiles


def write_network_figures(path: str | Path, study: WindowStudy, parameter: str = "csv") -> None:
    """Write every figure, one a row: UTF-8, a header, a point for decimals."""
    with whole_file(path, parameter) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for what, split, measure, value in _list_figures(study):
            writer.writerow((what, split, measure, f"{value:.6g}"))


def _list_figures(study: WindowStudy) -> Iterator[tuple[str, str, str, float]]:
    """The network, its curves by epoch, what it told, and the ladder."""
    yield from _list_rows("network", study.main.rung)
    trained = study.main.trained
    for number, figures_of in enumerate(
        zip(trained.curves.loss, trained.curves.validation, trained.accuracy, strict=True), 1
    ):
        for measure, value in zip(("loss", "validation_loss", "validation_accuracy"), figures_of, strict=True):
            yield f"epoch {number}", study.plan.split, measure, value
    for (there, said), count in study.count_told().items():
        what = f"{'target' if there else 'none'}, told {'target' if said else 'none'}"
        yield what, study.plan.split, "windows", count
    for split in get_args(WindowSplit):
        for key in RUNGS:
            if (rung := study.find_rung(key, split)) is not None:
                yield from _list_rows(key, rung)


def _list_rows(what: str, rung: Rung) -> Iterator[tuple[str, str, str, float]]:
    for measure, value in zip(("accuracy", "accuracy_low", "accuracy_high"), rung.accuracy, strict=True):
        yield what, rung.split, measure, value
    yield what, rung.split, "windows", len(rung.right)
    if rung.least:
        yield what, rung.split, "least_dots", rung.least
