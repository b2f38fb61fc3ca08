"""Job: crime scores at given places, or on a grid of points."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contract.texts import count_text
from ..contract.tools.base import fields_of
from ..contract.tools.score import CrimeScoreLayer
from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..systems.score.counted import tell_window
from ..systems.score.definition import score_places
from ..systems.score.index import CrimeIndex
from ..systems.score.places import read_places, to_wall_clock, write_scores
from ..systems.score.query import OUTSIDE_METRES


def run(parameters: CrimeScoreLayer, context: JobContext) -> dict[str, Any]:
    """Score the places and write x, y, score_abs, score, percentile as ``.npz``."""
    context.progress(0.0, "Reading the index")
    index = CrimeIndex.load(parameters.index, context)
    if parameters.method == "exact" and index.method == "annoy":
        index = CrimeIndex(index.incidents, index.crs)
    # A wide circle reaches incidents that lie farther away.
    reach = max(OUTSIDE_METRES, parameters.radius)
    x, y = read_places(index, parameters.points, parameters.grid, context, reach)
    reference = to_wall_clock(parameters.reference_time)
    with context.step(0.1, 0.95):
        s_abs, scale, used = score_places(index, x, y, parameters.radius, parameters.window_days, reference, context)
    score = scale.to_score(s_abs)
    if scale.counts[0] == scale.counts[-1]:
        context.warn(
            f"Every incident has {count_text(int(scale.counts[0]), 'incident')} within {parameters.radius:g} m: the"
            f" score has no scale,"
            " it is 1 at that count and 0 below"
        )
    scores = {"score_abs": s_abs, "score": score, "percentile": scale.to_percentile(s_abs)}
    with whole_file(parameters.output) as temporary:
        np.savez(temporary, x=x, y=y, **scores)  # type: ignore[arg-type]
    fields = fields_of(CrimeScoreLayer, "layer")
    with context.step(0.95, 1.0):
        layer = write_scores(parameters, fields, x, y, scores, index.crs, context)
    return {
        "output": parameters.output,
        "layer": layer,
        "crs": index.crs,
        "points": len(x),
        "reference_time": str(used),
        **tell_window(index.incidents, parameters.window_days, used),
        "incidents_in_window": len(scale.counts),
        "s_abs_low": int(scale.counts[0]),
        "s_abs_high": int(scale.counts[-1]),
        "score_low": int((score < 0.3).sum()),
        "score_high": int((score > 0.8).sum()),
        "method": index.method,
    }
