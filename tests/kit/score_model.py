"""A small score model, made in seconds and without Train score model; run by the engine's Python.

Usage: score_model.py INDEX MODEL [EPOCHS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from riskengine.ground.artefacts import compute_fingerprint  # noqa: E402
from riskengine.systems.score.augment import Augmentation, make_rows  # noqa: E402
from riskengine.systems.score.features import FeatureSet, compute_features  # noqa: E402
from riskengine.systems.score.fitting import Fitting, fit_network  # noqa: E402
from riskengine.systems.score.index import CrimeIndex  # noqa: E402
from riskengine.systems.score.model import ScoreCard, ScoreModel  # noqa: E402
from riskengine.systems.score.network import Architecture  # noqa: E402
from riskengine.systems.score.recent import RecentIncidents  # noqa: E402

#: Features and network of the recommended protocol.
FEATURES = FeatureSet(groups=("densities", "slopes"), bandwidths=(50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0))
WIDTHS = (64, 64)


def make_small_model(
    index: CrimeIndex,
    epochs: int = 4,
    recent_days: float = 31.0,
    features: FeatureSet = FEATURES,
    widths: tuple[int, ...] = WIDTHS,
    seed: int = 0,
) -> ScoreModel:
    """A model fitted to all rows of an index; nothing is held out, so it says nothing about how good it is."""
    rows = make_rows(index, augmentation=Augmentation(), seed=seed)
    recent = RecentIncidents.of(index, recent_days, rows.reference)
    table = compute_features(recent, rows.x, rows.y, features)
    score = rows.score.astype(np.float32)
    architecture = Architecture(inputs=table.shape[1], widths=widths)
    fitting = Fitting(epochs=epochs, patience=epochs, batch_size=512)
    network, _ = fit_network(architecture, lambda _: (table, score), (table[:2000], score[:2000]), fitting, seed=seed)
    own = rows.score[: rows.originals]
    incidents = index.incidents
    card = ScoreCard(
        name="small",
        protocol="recommended",
        features=features,
        architecture=architecture,
        radius=200.0,
        window_days=365.0,
        recent_days=recent_days,
        reference_time=str(rows.reference),
        crs=index.crs,
        extent=(incidents.x.min(), incidents.y.min(), incidents.x.max(), incidents.y.max()),
        count_low=int(rows.scale.counts[0]),
        count_high=int(rows.scale.counts[-1]),
        interval=0.9,
        widening=0.01,
        percentiles=[float(value) for value in np.percentile(own, np.arange(101))],
        metrics={},
        seed=seed,
        fingerprint=compute_fingerprint(incidents.x, incidents.y),
        incidents=len(index),
        recent_incidents=len(recent),
        versions={},
    )
    return ScoreModel(network, card)


if __name__ == "__main__":
    make_small_model(CrimeIndex.load(sys.argv[1]), *map(int, sys.argv[3:4])).save(sys.argv[2])
