"""What a score model is compared with: baselines, both protocols' ways to judge, and its own features shuffled.

No model is reported alone.  Every comparison is an error on held-out rows; what differs is how they were held out.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from ..context import JobContext
from ..evaluation.clustered import clustered_mean
from ..forecast.threads import available_cores
from ..index import CrimeIndex
from .features import FeatureSet
from .network import ScoreNetwork, run_network
from .prepare import Prepared, prepare
from .settings import PUBLISHED_FEATURES, Settings
from .splits import Split, block_numbers
from .study import Comparison, Importance, Study
from .training import fit_folds, predict_folds, split_folds

Floats = NDArray[np.float64]

#: Folds that are fitted for a split whose rows are alike, so that one tenth of them is judge enough.
_FEW = 1
#: Held-out rows that shuffling is tried on, at most.
_SHUFFLED = 50_000
SPLITS: tuple[Split, ...] = ("random", "groups", "blocks")


def compare(
    study: Study,
    prepared: Prepared,
    networks: list[ScoreNetwork],
    index: CrimeIndex,
    recent_index: CrimeIndex | None,
    settings: Settings,
    context: JobContext,
) -> None:
    """Fill the study's comparisons and importance.

    Parameters
    ----------
    study : Study
    prepared : Prepared
    networks : list of ScoreNetwork
        As `train` returned them.
    """
    settings = replace(settings, grow=False, widths=study.card.architecture.widths)
    judge = _Judge(study, prepared, settings, context)
    with context.step(0.0, 0.1):
        judge.baselines()
    with context.step(0.1, 0.45):
        judge.network(prepared, settings, "this network", ("random", "groups"))
        if settings.protocol == "published":
            judge.network(prepared, settings, "this network", ("blocks",))
    if settings.protocol == "recommended":
        with context.step(0.45, 0.7):
            plain = replace(
                settings, features=FeatureSet(groups=PUBLISHED_FEATURES.groups, k=settings.features.k), windows=1
            )
            published = prepare(index, recent_index, plain, prepared.rows.reference, context)
            judge.network(published, plain, "the same network on the published features", SPLITS)
    with context.step(0.7, 0.95):
        judge.boosting()
    study.importance = importance(study, prepared, networks, settings)
    context.progress(1.0)


class _Judge:
    """Adds comparisons to a study, all on the same folds and blocks."""

    def __init__(self, study: Study, prepared: Prepared, settings: Settings, context: JobContext) -> None:
        self.study, self.prepared, self.settings, self.context = study, prepared, settings, context
        self.folds = {split: split_folds(prepared, split, settings) for split in SPLITS}
        rows = prepared.rows
        self.block = block_numbers(rows.source_x, rows.source_y, settings.block_size)[0]
        own: Split = "blocks" if settings.protocol == "recommended" else "random"
        self._own = own
        self._add("this network", own, study.held_out.error, study.held_out.row)

    def _add(self, model: str, split: Split, error: Floats, row: NDArray[np.int64]) -> None:
        found = clustered_mean(error, self.block[row])
        self.study.comparisons.append(Comparison(model, split, found, len(row)))

    def baselines(self) -> None:
        """The median of the other blocks' rows."""
        fold, score = self.folds["blocks"], self.prepared.rows.score
        error = np.empty(len(score))
        for number in range(int(fold.max()) + 1):
            here = fold == number
            error[here] = np.abs(score[here] - np.median(score[~here]))
        self._add("median score", "blocks", error, np.arange(len(score)))

    def network(self, prepared: Prepared, settings: Settings, name: str, splits: tuple[Split, ...]) -> None:
        """The same network, fitted anew for each split."""
        for split in splits:
            if split == self._own and prepared is self.prepared:
                continue
            fold = self.folds[split]
            only = None if split == "blocks" and settings.protocol == "recommended" else _FEW
            fitted = fit_folds(prepared, fold, settings, self.context, only=only)
            row = np.flatnonzero(fold < len(fitted))
            out = predict_folds(prepared, np.where(fold < len(fitted), fold, 0), [network for network, _ in fitted])
            self._add(name, split, np.abs(out[row, 0] - prepared.rows.score[row]), row)

    def boosting(self) -> None:
        """Gradient boosting on the model's features, held out like the model and by blocks."""
        splits: list[Split] = ["blocks"] if self._own == "blocks" else [self._own, "blocks"]
        for split in splits:
            error = boosting_errors(self.prepared, self.folds[split], None if split == "blocks" else _FEW, self.context)
            row = np.flatnonzero(~np.isnan(error))
            self._add("gradient boosting", split, error[row], row)


def boost(table: NDArray[np.float32], score: Floats) -> HistGradientBoostingRegressor:
    """scikit-learn's histogram gradient boosting with absolute error: 400 trees of 63 leaves."""
    model = HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=400, max_leaf_nodes=63, early_stopping=False, random_state=0
    )
    return model.fit(table, score)


def boosting_errors(
    prepared: Prepared, fold: NDArray[np.int64], only: int | None = None, context: JobContext | None = None
) -> Floats:
    """Absolute error of gradient boosting on rows of folds it has not seen; nan for folds that were not asked for.

    Parameters
    ----------
    only : int, optional
        Hold out the first so many folds alone.
    """
    context = context or JobContext()
    score, table = prepared.rows.score, prepared.table
    folds = only or int(fold.max()) + 1
    error = np.full(len(score), np.nan)

    def judge(number: int) -> None:
        context.check_cancelled()
        here = fold == number
        # A fold to each core: threads inside the boosting wait for each other by spinning, which beside another
        # busy process was measured several times slower.
        with threadpool_limits(1):
            error[here] = np.abs(boost(table[~here], score[~here]).predict(table[here]) - score[here])

    with ThreadPoolExecutor(available_cores()) as pool:
        for number, future in enumerate([pool.submit(judge, number) for number in range(folds)]):
            context.progress(number / folds, f"Gradient boosting, fold {number + 1} of {folds}")
            future.result()
    return error


def importance(study: Study, prepared: Prepared, networks: list[ScoreNetwork], settings: Settings) -> list[Importance]:
    """By how much the error grows when a feature, or a whole group, is shuffled among held-out rows (Breiman 2001).

    Each row is predicted by the network that has not seen it; features that say the same can stand in for each other.
    """
    random = np.random.default_rng(settings.seed)
    row = study.held_out.row
    if len(row) > _SHUFFLED:
        row = np.sort(random.choice(row, _SHUFFLED, replace=False))
    if settings.protocol == "recommended":
        fold = split_folds(prepared, "blocks", settings)[row]
    else:
        fold = np.zeros(len(row), dtype=np.int64)
    truth, table = prepared.rows.score[row], prepared.table[row]

    def error(changed: NDArray[np.float32]) -> float:
        total = 0.0
        for number in np.unique(fold):
            here = fold == number
            total += float(np.abs(run_network(networks[number], changed[here])[:, 0] - truth[here]).sum())
        return total / len(truth)

    base = error(table)
    wanted = [(group, columns) for group, columns in settings.features.columns().items()]
    wanted += [(name, [column]) for column, name in enumerate(settings.features.names())]
    found = []
    for name, columns in wanted:
        changed = table.copy()
        changed[:, columns] = changed[random.permutation(len(changed))][:, columns]
        found.append(Importance(name, len(columns), error(changed) - base))
    return found
