"""Job: predicted crime scores at given places, or on a grid of points."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contract.texts import none_text, part_text
from ..contract.tools.base import fields_of
from ..contract.tools.score import PredictScore
from ..ground.artefacts import check_folder, whole_file
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..systems.score.applied import AppliedModel
from ..systems.score.counted import tell_window
from ..systems.score.places import read_places, to_wall_clock, write_scores
from ..systems.score.query import OUTSIDE_METRES


def run(parameters: PredictScore, context: JobContext) -> dict[str, Any]:
    """Predict, and write x, y, score, lower, upper, percentile, incidents and count as ``.npz``.

    ``incidents`` is the number of recent incidents within `applied.SUPPORT_RADIUS`, ``count`` the number of incidents
    that the score stands for; see `AppliedModel.predict` for the others.  Given points outside the data are written
    with NaN, those of a grid are left out.
    """
    check_folder(parameters.output)
    applied = AppliedModel.load(
        parameters.index, parameters.model, to_wall_clock(parameters.reference_time), parameters.elsewhere, context
    )
    x, y = read_places(applied.index, parameters.points, parameters.grid, context)
    with context.step(0.1, 0.8):
        scores = applied.predict(x, y, context)
    with context.step(0.8, 0.95):
        incidents = applied.count_support(x, y, context)
    unknown = int(np.isnan(scores["score"]).sum())
    nowhere = int((~np.isfinite(x + y)).sum())
    if nowhere == len(x):
        raise DataError(
            f"{none_text(len(x), 'place', 'has', 'has no')} coordinates",
            parameter="points",
            remedy="Give places with finite x and y",
        )
    if unknown == len(x):
        raise DataError(
            f"{none_text(len(x), 'place', 'lies', 'does not lie')} inside the data, within {OUTSIDE_METRES / 1000:g} km"
            " of an incident",
            parameter="points" if parameters.grid is None else "grid",
            remedy="Choose places in the city that the index covers",
        )
    columns: dict[str, Any] = {"x": x, "y": y, **scores, "incidents": incidents}
    if nowhere:
        context.warn(f"{part_text(nowhere, len(x), 'place', 'has', 'have')} no coordinates, and so no score")
    if unknown > nowhere:
        one = unknown - nowhere == 1
        it = ("it is" if one else "they are") if parameters.grid is not None else ("it has" if one else "they have")
        what = f"{it} {'left out' if parameters.grid is not None else 'no score'}"
        context.warn(
            f"{part_text(unknown - nowhere, len(x), 'place', 'lies', 'lie')} outside the data, more than"
            f" {OUTSIDE_METRES / 1000:g} km from every incident: {what}, which does not mean that nothing happens there"
        )
        if parameters.grid is not None:
            known = np.isfinite(scores["score"])
            columns = {name: values[known] for name, values in columns.items()}
    with whole_file(parameters.output) as temporary:
        np.savez(temporary, **columns)
    fields = fields_of(PredictScore, "layer")
    with context.step(0.95, 1.0):
        layer = write_scores(parameters, fields, columns["x"], columns["y"], columns, applied.index.crs, context)
    card = applied.model.card
    return {
        "output": parameters.output,
        "layer": layer,
        "crs": applied.index.crs,
        "points": len(columns["x"]),
        "known": len(columns["x"]) - (unknown if parameters.grid is None else 0),
        "unknown": unknown,
        "reference_time": str(applied.recent.reference),
        "recent_incidents": len(applied.recent),
        "recent_days": card.recent_days,
        **tell_window(applied.recent.incidents, card.recent_days, applied.recent.reference),
        "model": card.name,
        "interval": card.interval,
        "classes": applied.classes,
    }
