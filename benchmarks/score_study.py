"""What the first seed left as next steps, answered: features, k, months and years, day and hour, other cities.

Everything is judged on 1 km blocks held out; to keep some forty trainings within half an hour they are shorter than the
default: five folds, 8 epochs, each place seen from three months.  Prints one JSON object; docs/measured.md has
the tables.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cities import FILES, read_city_index
from common import make_parser, round_floats, say

from riskengine.contract.choices import FeatureGroup
from riskengine.ground.context import JobContext
from riskengine.measures.clustered import compute_clustered_mean
from riskengine.systems.score.augment import Rows, make_rows
from riskengine.systems.score.features import FeatureSet, compute_features
from riskengine.systems.score.fitting import Fitting
from riskengine.systems.score.index import CrimeIndex
from riskengine.systems.score.network import run_network
from riskengine.systems.score.prepare import Prepared, prepare
from riskengine.systems.score.recent import RecentIncidents
from riskengine.systems.score.settings import Settings
from riskengine.systems.score.splits import number_blocks, number_folds
from riskengine.systems.score.training import fit_folds, predict_folds, train

#: Groups of features, each against what it is added to.
STEPS: tuple[tuple[FeatureGroup, ...], ...] = (
    ("pairs",),
    ("distances",),
    ("distances", "ages"),
    ("distances", "clock"),
    ("distances", "offsets"),
    ("distances", "more"),
    ("rings",),
    ("densities",),
    ("densities", "slopes"),
    ("densities", "slopes", "clock"),
    ("densities", "slopes", "distances", "ages"),
    ("densities", "slopes", "distances", "more", "offsets", "rings"),
)
DEEP = (15, 20, 30, 50)


def compute_errors(index: CrimeIndex, settings: Settings) -> tuple[np.ndarray, Prepared, np.ndarray]:
    """Compute the absolute error of each row, cross-fitted over blocks; and the rows' blocks."""
    prepared = prepare(index, None, settings, None, JobContext())
    fold = number_folds(prepared.rows, "blocks", settings.folds, settings.block_size, settings.seed)
    networks = [network for network, _ in fit_folds(prepared, fold, settings, JobContext())]
    error = np.abs(predict_folds(prepared, fold, networks)[:, 0] - prepared.rows.score)
    return error, prepared, number_blocks(prepared.rows.source_x, prepared.rows.source_y, settings.block_size)[0]


def as_list(error: np.ndarray, block: np.ndarray) -> list[float]:
    """Mean and its 95 % interval over blocks."""
    return list(compute_clustered_mean(error, block))


def compare_features(index: CrimeIndex, settings: Settings) -> list[dict[str, Any]]:
    """Compare the error with each set of features, and its paired difference to the first."""
    table: list[dict[str, Any]] = []
    first: np.ndarray | None = None
    for groups in STEPS:
        features = FeatureSet(groups=groups, more=DEEP)
        error, _, block = compute_errors(index, replace(settings, features=features))
        first = error if first is None else first
        row = {"features": "+".join(groups), "columns": len(features.list_names()), "l1": as_list(error, block)}
        table.append({**row, "minus_first": as_list(error - first, block)})
        say(f"  {row}")
    return table


def compare_k(index: CrimeIndex, settings: Settings) -> list[dict[str, Any]]:
    """Compare the error with k nearest incidents, distances and ages."""
    table = []
    for k in (1, 5, 10, 20, 50):
        error, _, block = compute_errors(
            index, replace(settings, features=FeatureSet(groups=("distances", "ages"), k=k))
        )
        table.append({"k": k, "l1": as_list(error, block)})
        say(f"  {table[-1]}")
    return table


def compare_windows(index: CrimeIndex, settings: Settings) -> list[dict[str, Any]]:
    """Compare the error when training sees each place from one, or from several months of the same year."""
    table = []
    for windows in (1, 11):
        error, _, block = compute_errors(index, replace(settings, windows=windows))
        table.append({"windows": windows, "l1": as_list(error, block)})
        say(f"  {table[-1]}")
    return table


def compare_months(index: CrimeIndex, settings: Settings) -> list[dict[str, Any]]:
    """Compare the last month's model, asked with another month of the year: cross-fitted over blocks."""
    prepared = prepare(index, None, replace(settings, windows=1), None, JobContext())
    fold = number_folds(prepared.rows, "blocks", settings.folds, settings.block_size, settings.seed)
    networks = [network for network, _ in fit_folds(prepared, fold, settings, JobContext())]
    block = number_blocks(prepared.rows.source_x, prepared.rows.source_y, settings.block_size)[0]
    table = []
    for month in range(int(settings.window_days // settings.recent_days)):
        reference = prepared.rows.reference - np.timedelta64(round(month * settings.recent_days * 86_400), "s")
        recent = RecentIncidents.of(index, settings.recent_days, reference)
        asked = replace(
            prepared, tables=compute_features(recent, prepared.rows.x, prepared.rows.y, settings.features)[None]
        )
        error = np.abs(predict_folds(asked, fold, networks)[:, 0] - prepared.rows.score)
        table.append({"until": str(reference)[:10], "incidents": len(recent), "l1": as_list(error, block)})
        say(f"  {table[-1]}")
    return table


def compare_backgrounds(index: CrimeIndex, settings: Settings) -> list[dict[str, Any]]:
    """Compare the error at incidents' places and at random places, by how many random places were learned from."""
    shares = (0.0, 0.1, 0.25)
    prepared = prepare(index, None, replace(settings, background=shares[-1]), None, JobContext())
    places = prepared.background
    assert places is not None
    fold = number_folds(prepared.rows, "blocks", settings.folds, settings.block_size, settings.seed)
    block = number_blocks(prepared.rows.source_x, prepared.rows.source_y, settings.block_size)[0]
    near = number_blocks(places.rows.x, places.rows.y, settings.block_size)[0]
    table = []
    for share in shares:
        number = round(share * prepared.rows.originals)
        some = replace(
            places,
            rows=replace(places.rows, source=places.rows.source[:number]),
            tables=places.tables[:, :number],
            score=places.score[:number],
        )
        learned = replace(prepared, background=some if number else None)
        networks = [network for network, _ in fit_folds(learned, fold, settings, JobContext())]
        error = np.abs(predict_folds(prepared, fold, networks)[:, 0] - prepared.rows.score)
        anywhere = np.abs(predict_folds(places, fold[places.rows.source], networks)[:, 0] - places.rows.score)
        table.append({"share": share, "l1": as_list(error, block), "random_places_l1": as_list(anywhere, near)})
        say(f"  {table[-1]}")
    return table


def compare_years(index: CrimeIndex, settings: Settings) -> list[dict[str, Any]]:
    """Baltimore: trained on one or several earlier years, judged on the last; and that year's own model beside them.

    Blocks are held out of the earlier years too: the places of a block are never trained on in any year.
    """
    last = index.incidents.time.max().astype("datetime64[s]")
    year = np.timedelta64(365, "D")
    yearly = [
        prepare(CrimeIndex(index.incidents, index.crs), None, settings, last - back * year, JobContext())
        for back in range(5)
    ]
    # Blocks by place, the same in every year, dealt into folds by a hash of their corner.
    folds = [_fold_by_place(each.rows, settings) for each in yearly]
    target = yearly[0]
    block = number_blocks(target.rows.source_x, target.rows.source_y, settings.block_size)[0]
    table = []
    for name, years in (
        ("the same year", (0,)),
        ("the year before", (1,)),
        ("two years before", (2,)),
        ("four years before", (4,)),
        ("the 2 years before", (1, 2)),
        ("the 4 years before", (1, 2, 3, 4)),
        ("the same year and the 4 before", (0, 1, 2, 3, 4)),
    ):
        joined = _joined([yearly[back] for back in years])
        fold = np.concatenate([folds[back] for back in years])
        networks = [network for network, _ in fit_folds(joined, fold, settings, JobContext())]
        error = np.abs(predict_folds(target, folds[0], networks)[:, 0] - target.rows.score)
        table.append({"trained_on": name, "rows": len(joined.rows), "l1": as_list(error, block)})
        say(f"  {table[-1]}")
    return table


def _fold_by_place(rows: Rows, settings: Settings) -> np.ndarray:
    block, corner = number_blocks(rows.source_x, rows.source_y, settings.block_size)
    cells = np.round(corner / settings.block_size).astype(np.int64).tolist()
    dealt = [np.random.default_rng((settings.seed, *cell)).integers(settings.folds) for cell in cells]
    return np.array(dealt)[block]


def _joined(parts: list[Prepared]) -> Prepared:
    """Several years' rows as one training set; only what `fit_folds` looks at is joined."""
    windows = min(len(part.tables) for part in parts)
    return replace(
        parts[0],
        rows=replace(parts[0].rows, x=np.concatenate([part.rows.x for part in parts])),
        tables=np.concatenate([part.tables[:windows] for part in parts], axis=1),
        score=np.concatenate([part.score for part in parts]),
    )


def compare_cities(indexes: dict[str, CrimeIndex], settings: Settings) -> list[dict[str, Any]]:
    """Train on one city, score another.

    A score is a place on its own city's scale; for another city the predicted *count* is what travels, read on that
    city's scale.  ``bias`` is the mean of predicted minus true score: cities differ in how their year relates to
    their last month, in what is counted (New York's file has four types of crime) and in how it is geocoded.
    """
    trained = {city: train(index, settings=settings)[:2] for city, index in indexes.items()}
    table = []
    for source, (model, study) in trained.items():
        for target, index in indexes.items():
            if source == target:
                l1 = list(study.held_out.l1())
                bias = float((study.held_out.score - study.held_out.truth).mean())
            else:
                rows = make_rows(index, settings.radius, settings.window_days, None, settings.augmentation)
                recent = RecentIncidents.of(index, settings.recent_days)
                out = run_network(model.network, compute_features(recent, rows.x, rows.y, settings.features))[:, 0]
                score = rows.scale.to_score(np.maximum(model.to_count(out.astype(np.float64)), 1.0))
                block = number_blocks(rows.source_x, rows.source_y, settings.block_size)[0]
                l1, bias = as_list(np.abs(score - rows.score), block), float((score - rows.score).mean())
            table.append({"trained_on": source, "judged_on": target, "l1": l1, "bias": bias})
            say(f"  {table[-1]}")
    return table


def main() -> None:
    parser = make_parser(__doc__ or "")
    parser.add_argument("--only", nargs="*", help="features, k, windows, background, months, years, cities")
    options = parser.parse_args()
    settings = Settings(folds=5, windows=3, background=0.0, fitting=Fitting(epochs=8, patience=8))
    with tempfile.TemporaryDirectory() as folder:
        indexes = {city: read_city_index(city, options.data, Path(folder))[0] for city in FILES}
        mexico = indexes["mexico_city"]
        parts = {
            "features": lambda: compare_features(mexico, settings),
            "k": lambda: compare_k(mexico, settings),
            "windows": lambda: compare_windows(mexico, settings),
            "background": lambda: compare_backgrounds(mexico, settings),
            "months": lambda: compare_months(mexico, settings),
            "years": lambda: compare_years(indexes["baltimore"], settings),
            "cities": lambda: compare_cities(indexes, settings),
        }
        result = {}
        for name, part in parts.items():
            if not options.only or name in options.only:
                say(name)
                result[name] = part()
    print(json.dumps(round_floats(result)))


if __name__ == "__main__":
    main()
