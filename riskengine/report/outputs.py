"""What a backtest or an evaluation leaves: report, CSV, risk, labels, hits or areas; each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import tags as tagnames
from ..contract.forecasters import title_of
from ..contract.tools.base import fields_of
from ..contract.tools.shared import Judges
from ..evaluation.judged import Judged
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.failures import keep_going
from ..ground.tables import Chunk, write_table
from ..intake.findings import Finding
from ..maps.counted import describe_counted
from ..maps.geotiff import write_stack
from ..maps.heatmaps import write_risk
from ..measures.labels import LABEL_NODATA, LABELS
from .areatable import write_judged_areas
from .backtest import write_backtest_report
from .caughtplaces import write_caught_places
from .claims import describe_comparison, make_headline
from .figures_csv import write_figures

#: Parameters of jobs that name files.
FILES = frozenset(
    [
        *("areas", "by_area", "checkpoint", "compare", "csv", "extras", "heatmaps", "hits", "incidents", "labels"),
        *("model", "model_output", "output", "places", "rates", "report", "risk", "tested"),
    ]
)


@dataclass
class Outputs:
    """Destinations; None for those that are not wanted, or could not be written."""

    report: str | None = None
    csv: str | None = None
    risk: str | None = None
    labels: str | None = None
    hits: str | None = None
    by_area: str | None = None
    places: str | None = None


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
    backtest: Judged,
    outputs: Outputs,
    parameters: dict[str, Any],
    notes: Sequence[str],
    findings: Sequence[Finding],
    warn: Callable[[str], None],
    context: JobContext,
) -> None:
    """Write what is wanted; what fails becomes a warning, for the figures must not be lost to it.

    Parameters
    ----------
    outputs : Outputs
        Those that could not be written become None.
    parameters : dict
        As the job got them; the report shows files by name.
    """
    context.progress(0.0, "Writing")
    edges = np.array(backtest.edges, dtype="datetime64[s]")
    panel = backtest.panel
    tags = {
        tagnames.BIN: panel.bin,
        tagnames.MODEL: backtest.model,
        tagnames.CATEGORIES: tagnames.join_categories(panel.categories),
        tagnames.SOURCE: panel.source,
        tagnames.COUNTED: describe_counted(panel, backtest.maps),
    }
    mask = panel.mask

    @cache
    def labels() -> NDArray[np.uint8]:
        return backtest.label_cells()

    def write_the_risk(path: str) -> None:
        horizon = {tagnames.HORIZON: str(backtest.plan.horizon)}
        write_risk(path, backtest.risks[backtest.model], edges, mask, backtest.heatmaps.grid, tags | horizon, context)

    def write_labels(path: str) -> None:
        more = {
            tagnames.KIND: tagnames.LABELS_KIND,
            tagnames.LABELS: "\n".join(LABELS),
            tagnames.PERCENTILE: f"{backtest.percentile:g}",
            tagnames.OVER: backtest.over,
        }
        grid = backtest.heatmaps.grid
        write_stack(path, labels(), edges, mask, grid, LABEL_NODATA, tags | more, context, "labels")

    def write_hits(path: str) -> None:
        fields = fields_of(Judges, "hits")
        write_table(path, fields, [list_hits(backtest, labels())], "point", panel.support.crs, "hits")

    def write_by_area(path: str) -> None:
        write_judged_areas(path, backtest, labels(), context)

    def write_places(path: str) -> None:
        write_caught_places(path, backtest)

    def write_csv(path: str) -> None:
        write_figures(path, backtest)

    def write_report(path: str) -> None:
        write_backtest_report(path, backtest, hide_folders(parameters), notes, findings)

    writers: dict[str, tuple[str, Callable[[str], None]]] = {
        "risk": ("the risk raster is not", write_the_risk),
        "labels": ("the labels are not", write_labels),
        "hits": ("the hits are not", write_hits),
        "by_area": ("the areas by label are not", write_by_area),
        "places": ("the places to go to are not", write_places),
        "csv": ("the CSV is not", write_csv),
        # Last, so that it tells of the others.
        "report": ("the report is not", write_report),
    }
    for name, (failed, write) in writers.items():
        if (path := getattr(outputs, name)) is None:
            continue
        setattr(outputs, name, None)
        with keep_going(warn, f"The figures are there, but {failed}"):
            write(path)
            setattr(outputs, name, path)


def hide_folders(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hide folders in the parameters of a job, as a report may show them: one may name a person."""

    def shown(name: str, value: Any) -> Any:
        if name not in FILES or not value:
            return value
        return [Path(each).name for each in value] if isinstance(value, list) else Path(value).name

    return {name: shown(name, value) for name, value in parameters.items()}


def list_hits(backtest: Judged, labels: NDArray[np.uint8]) -> Chunk:
    """List start, end, incidents, risk and label of each cell and bin with an event, as points; no raw points."""
    counts, grid = backtest.counts, backtest.heatmaps.grid
    events = (counts >= backtest.threshold) & backtest.heatmaps.mask
    number, row, column = np.nonzero(events)
    x, y = grid.centres()
    edges = np.array(backtest.edges, dtype="datetime64[s]").reshape(-1, 2)
    risk = backtest.risks[backtest.model][events].astype(np.float64).round(8)
    names = [LABELS[label] for label in labels[events].tolist()]
    values = [edges[number, 0], edges[number, 1], counts[events].astype(np.int64), risk, names]
    return Chunk(values, x[column].astype(np.float64), y[row].astype(np.float64))


def result_of(backtest: Judged, outputs: Outputs) -> dict[str, Any]:
    """Make the job's result, but for its notes: figures, comparisons, what was written."""
    events = (backtest.counts >= backtest.threshold) & backtest.panel.mask
    model, best = backtest.scores[backtest.model], backtest.scores.get(backtest.best_baseline)
    return {
        **backtest.to_dict(),
        "maps": len(backtest.maps),
        "log_loss_ratio": model.log_loss / best.log_loss if best is not None else None,
        # For the maps of one model, where the verdict on all of them would have no room.
        "headline": make_headline(backtest)[0],
        "verdict": " ".join(describe_comparison(backtest)),
        "title": title_of(backtest.model),
        "labels": list(LABELS),
        "counted_categories": backtest.panel.categories,
        "counted_text": describe_counted(backtest.panel, backtest.maps),
        "hits": int(events.sum()),
        "report": outputs.report,
        "csv": outputs.csv,
        "risk": outputs.risk,
        "by_area": outputs.by_area,
        "places": outputs.places,
    }
