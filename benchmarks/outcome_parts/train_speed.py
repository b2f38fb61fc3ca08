"""Speed of training an outcome model: the default from incidents on, against scikit-learn on its finished table."""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from typing import Any

import numpy as np
from common import say
from sklearn.ensemble import HistGradientBoostingClassifier

from riskengine.contract.outcomes import DEFAULT_MODEL, GROUPS
from riskengine.systems.outcomes.models.base import Reading, make_predictor
from riskengine.systems.outcomes.models.boosting import BoostingPlace
from riskengine.systems.outcomes.rows import Rows

#: Incidents trained on, and by how many metres at most their places are moved: no two are alike.
INCIDENTS, _JITTER = 1_000_000, 50.0


def train_vs_sklearn(rows: Rows, incidents: int = INCIDENTS) -> dict[str, Any]:
    """Train the default on incidents drawn from `rows`, then scikit-learn on the table that it made of them.

    Encodings and past local rates are in our seconds and in none of scikit-learn's; settings are the same. The memory
    is the most that this process had until our model was trained, with the incidents themselves.
    """
    many = _draw(rows, incidents)
    model = make_predictor(DEFAULT_MODEL, Reading(tuple(GROUPS)))
    assert isinstance(model, BoostingPlace)
    began = time.perf_counter()
    model.fit(many)
    ours = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table = model.columns_.learn(many)
    bare = HistGradientBoostingClassifier(
        **model.SETTINGS, categorical_features=list(range(model.columns_.categories)), random_state=0
    )
    began = time.perf_counter()
    bare.fit(table, many.outcomes)
    theirs = time.perf_counter() - began
    say(f"training: {ours:.1f} s, scikit-learn {theirs:.1f} s, ratio {ours / theirs:.2f}, {memory:.0f} MB")
    return {
        "train_vs_sklearn": ours / theirs,
        "train_seconds": ours,
        "train_sklearn_seconds": theirs,
        "train_memory_mb": memory,
    }


def _draw(rows: Rows, incidents: int) -> Rows:
    random = np.random.default_rng(0)
    drawn = rows.select(random.integers(0, len(rows), incidents))
    x, y = (side + random.uniform(-_JITTER, _JITTER, incidents) for side in (drawn.x, drawn.y))
    return replace(drawn, fid=np.arange(incidents), x=x, y=y)
