"""What a backtest or an evaluation leaves behind: report, CSV, risk, labels and hits; each whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..artefacts import check_folder, whole_file
from ..context import JobContext
from ..errors import CrimeRiskError
from ..heatmaps import write_risk, write_stack
from .backtest import Backtest
from .labels import LABEL_NODATA, LABELS

if TYPE_CHECKING:
    from ..artefact_checks import Finding

#: Parameters that name files: shown without their folders, which may name a person.
FILES = ("heatmaps", "incidents", "areas", "report", "csv", "risk", "labels", "hits")


@dataclass(frozen=True)
class Outputs:
    """Destinations; None for those that are not wanted."""

    report: str | None = None
    csv: str | None = None
    risk: str | None = None
    labels: str | None = None
    hits: str | None = None


def check_outputs(outputs: Outputs) -> None:
    """Refuse destinations in folders that do not exist, before hours of work rather than after.

    Raises
    ------
    OutputError
    """
    for name in Outputs.__dataclass_fields__:
        if path := getattr(outputs, name):
            check_folder(path, name)


def write_outputs(
    backtest: Backtest,
    outputs: Outputs,
    parameters: dict[str, Any],
    notes: Sequence[str],
    findings: Sequence[Finding],
    warn: Callable[[str], None],
    context: JobContext,
) -> None:
    """Write what is wanted; a report that fails is told of, for the figures must not be lost to it.

    Parameters
    ----------
    parameters : dict
        As the job got them; the report shows files by name.
    """
    context.progress(0.0, "Writing")
    edges = np.array(backtest.edges, dtype="datetime64[s]")
    heatmaps = backtest.heatmaps
    tags = {
        "CRIMERISK_BIN": heatmaps.bin,
        "CRIMERISK_MODEL": backtest.model,
        "CRIMERISK_CATEGORIES": "\n".join(heatmaps.categories),
    }
    if outputs.risk:
        horizon = {"CRIMERISK_HORIZON": str(backtest.plan.horizon)}
        risk = backtest.risks[backtest.model]
        write_risk(outputs.risk, risk, edges, heatmaps.mask, heatmaps.grid, tags | horizon, context)
    labels: NDArray[np.uint8] | None = None
    if outputs.labels or outputs.hits:
        labels = backtest.labels()
    if outputs.labels and labels is not None:
        more = {
            "CRIMERISK_KIND": "labels",
            "CRIMERISK_LABELS": "\n".join(LABELS),
            "CRIMERISK_PERCENTILE": f"{backtest.percentile:g}",
            "CRIMERISK_OVER": backtest.over,
        }
        write_stack(
            outputs.labels, labels, edges, heatmaps.mask, heatmaps.grid, LABEL_NODATA, tags | more, context, "labels"
        )
    if outputs.hits and labels is not None:
        with whole_file(outputs.hits, "hits") as temporary:
            text = json.dumps(hit_rows(backtest, labels), ensure_ascii=False, allow_nan=False)
            temporary.write_text(text, encoding="utf-8")
    if outputs.csv:
        from ..report.figures_csv import write_figures

        write_figures(outputs.csv, backtest)
    if outputs.report:
        from ..report.backtest import write_backtest_report

        shown = {name: _shareable(name, value) for name, value in parameters.items()}
        try:
            write_backtest_report(outputs.report, backtest, shown, notes, findings)
        except Exception as error:
            reason = error.sentence() if isinstance(error, CrimeRiskError) else f"{type(error).__name__}: {error}"
            warn(f"The figures are there, but the report is not. {reason}")


def _shareable(name: str, value: Any) -> Any:
    if name == "extras":
        return [Path(path).name for path in value]
    return Path(value).name if name in FILES and value else value


def hit_rows(backtest: Backtest, labels: NDArray[np.uint8]) -> list[list[Any]]:
    """[x, y, start, end, incidents, risk, label] of each cell and bin with an event; no raw points."""
    counts, edges, grid = backtest.counts, backtest.edges, backtest.heatmaps.grid
    events = (counts >= backtest.threshold) & backtest.heatmaps.mask
    risk = backtest.risks[backtest.model]
    x, y = grid.centres()
    return [
        [
            float(x[column]),
            float(y[row]),
            *edges[number],
            int(counts[number, row, column]),
            round(float(risk[number, row, column]), 8),
            LABELS[labels[number, row, column]],
        ]
        for number, row, column in zip(*(axis.tolist() for axis in np.nonzero(events)), strict=True)
    ]


def result_of(backtest: Backtest, outputs: Outputs) -> dict[str, Any]:
    """The job's result, but for its notes: figures, comparisons, what was written."""
    events = (backtest.counts >= backtest.threshold) & backtest.heatmaps.mask
    return {
        **backtest.to_dict(),
        "labels": list(LABELS),
        "hits": int(events.sum()),
        "report": outputs.report if outputs.report and Path(outputs.report).is_file() else None,
        "csv": outputs.csv,
        "risk": outputs.risk,
    }
