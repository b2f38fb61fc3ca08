"""What a score model is compared with: baselines, both protocols' ways to judge, and its own features shuffled.

No model is reported alone.  Every comparison is an error on held-out rows; what differs is how they were held out.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import Cancelled, CrimeRiskError, DataError
from ...learning.threads import count_cores
from ...measures.clustered import compute_clustered_mean
from .features import compute_features
from .network import PUBLISHED_WIDTHS, ScoreNetwork, run_network
from .prepare import Prepared
from .settings import PUBLISHED_FEATURES, PUBLISHED_FITTING, Settings, make_published_settings
from .splits import Split, number_blocks
from .study import Comparison, Importance, Study
from .training import fit_folds, make_split_folds, predict_folds

Floats = NDArray[np.float64]

#: Folds that a rival network is fitted for: a tenth of the rows is judge enough, and where they are held out as the
#: model's were, the difference to it is taken over the same rows.
_FEW = 1
#: Folds for gradient boosting on other features: fitted one beside the other.
_SOME = 2
#: Held-out rows that shuffling is tried on, at most.
_SHUFFLED = 50_000
#: The published network is fitted beside the others in a minute: its own patience may take an hour.
_BESIDE = replace(PUBLISHED_FITTING, epochs=60, patience=20)
SPLITS: tuple[Split, ...] = ("random", "groups", "blocks")
OWN, BOOSTING = "this network", "gradient boosting"
_THEIRS = "on the published features"


def compare(
    study: Study, prepared: Prepared, networks: list[ScoreNetwork], settings: Settings, context: JobContext
) -> None:
    """Fill the study's comparisons and importance; what cannot be compared is left out, and a note says why.

    Parameters
    ----------
    study : Study
    prepared : Prepared
    networks : list of ScoreNetwork
        As `train` returned them.
    """
    settings = replace(settings, grow=False, widths=study.card.architecture.widths)
    judge = _Judge(study, prepared, settings, context)
    own: tuple[Split, ...] = (
        ("random", "groups", "blocks") if settings.protocol == "published" else ("random", "groups")
    )
    with context.step(0.0, 0.02):
        judge.judge_baselines()
    with context.step(0.02, 0.25):
        judge.judge_network(prepared, settings, OWN, own)
    with context.step(0.25, 0.6):
        if settings.protocol == "recommended":
            judge.judge_published()
    with context.step(0.6, 0.95):
        judge.judge_boosting()
    study.importance = compute_importance(study, prepared, networks, settings)
    context.progress(1.0)


class _Judge:
    """Adds comparisons to a study, all on the same folds and blocks."""

    def __init__(self, study: Study, prepared: Prepared, settings: Settings, context: JobContext) -> None:
        self.study, self.prepared, self.settings, self.context = study, prepared, settings, context
        rows = prepared.rows
        self.block = number_blocks(rows.source_x, rows.source_y, settings.block_size)[0]
        self._own: Split = "blocks" if settings.protocol == "recommended" else "random"
        self._error = np.full(len(rows), np.nan)
        self._error[study.held_out.row] = study.held_out.error
        self._add(OWN, self._own, study.held_out.error, study.held_out.row)

    def _add(self, model: str, split: Split, error: Floats, row: NDArray[np.int64]) -> None:
        block = self.block[row]
        minus = None
        both = ~np.isnan(self._error[row])
        if model != OWN and split == self._own and both.any():
            minus = compute_clustered_mean((error - self._error[row])[both], block[both])
        self.study.comparisons.append(Comparison(model, split, compute_clustered_mean(error, block), len(row), minus))

    @contextmanager
    def _leaving_out(self, what: str) -> Iterator[None]:
        try:
            yield
        except Cancelled:
            raise
        except CrimeRiskError as error:
            self.study.notes.append(f"The comparison with {what} was left out: {error.describe()}")

    def judge_baselines(self) -> None:
        """The median of the other blocks' rows."""
        with self._leaving_out("the median score"):
            fold, score = make_split_folds(self.prepared, "blocks", self.settings), self.prepared.rows.score
            error = np.empty(len(score))
            for number in range(int(fold.max()) + 1):
                here = fold == number
                error[here] = np.abs(score[here] - np.median(score[~here]))
            self._add("median score", "blocks", error, np.arange(len(score)))

    def judge_network(self, prepared: Prepared, settings: Settings, name: str, splits: tuple[Split, ...]) -> None:
        """A network, fitted anew for the first fold of each split."""
        for number, split in enumerate(splits):
            with (
                self._leaving_out(f"{name}, {split}"),
                self.context.step(number / len(splits), (number + 1) / len(splits)),
            ):
                fold = make_split_folds(self.prepared, split, self.settings)
                fitted = fit_folds(prepared, fold, settings, self.context, only=_FEW)
                row = np.flatnonzero(fold < len(fitted))
                out = predict_folds(prepared, np.where(fold < len(fitted), fold, 0), [network for network, _ in fitted])
                self._add(name, split, np.abs(out[row, 0] - prepared.rows.score[row]), row)

    def judge_published(self) -> None:
        """What the published features are worth: to this network, to the published one, and to gradient boosting."""
        with self._leaving_out(f"everything {_THEIRS}"):
            theirs = _seen_as_published(self.prepared, self.context)
            same = replace(self.settings, features=PUBLISHED_FEATURES, windows=1, background=0.0)
            with self.context.step(0.1, 0.4):
                self.judge_network(theirs, same, f"the same network {_THEIRS}", SPLITS)
            with self.context.step(0.4, 0.8):
                choice = make_published_settings(
                    grow=False, fitting=_BESIDE, interval=self.settings.interval, seed=self.settings.seed
                )
                self.judge_network(
                    theirs,
                    choice,
                    f"published network ({count_text(_published_size(), 'parameter')}) {_THEIRS}",
                    SPLITS,
                )
            with self.context.step(0.8, 1.0):
                self._boost(theirs, "blocks", _SOME, f"{BOOSTING} {_THEIRS}")

    def judge_boosting(self) -> None:
        """Gradient boosting on the model's features, held out like the model and by blocks."""
        self._boost(self.prepared, "blocks", None, BOOSTING)
        if self._own != "blocks":
            self._boost(self.prepared, self._own, _FEW, BOOSTING)

    def _boost(self, prepared: Prepared, split: Split, only: int | None, name: str) -> None:
        with self._leaving_out(f"{name}, {split}"):
            error = compute_boosting_errors(
                prepared, make_split_folds(self.prepared, split, self.settings), only, self.context
            )
            row = np.flatnonzero(~np.isnan(error))
            self._add(name, split, error[row], row)


def _seen_as_published(prepared: Prepared, context: JobContext) -> Prepared:
    """The same rows with the published features, seen from the last window alone."""
    rows, needed = prepared.rows, PUBLISHED_FEATURES.neighbours
    if len(prepared.recent) < needed:
        raise DataError(
            f"Only {count_text(len(prepared.recent), 'incident is', 'incidents are')} recent, fewer than the"
            f" {count_text(needed, 'neighbour')} looked at",
            parameter="recent_days",
            remedy="Use a longer recent window",
        )
    with context.step(0.0, 0.1):
        table = compute_features(prepared.recent, rows.x, rows.y, PUBLISHED_FEATURES, context, rows.shift)
    return replace(prepared, tables=table[None], background=None)


def _published_size() -> int:
    sizes = (len(PUBLISHED_FEATURES.list_names()), *PUBLISHED_WIDTHS, 1)
    return sum((before + 1) * after for before, after in pairwise(sizes))


def fit_boosting(table: NDArray[np.float32], score: Floats) -> HistGradientBoostingRegressor:
    """Fit scikit-learn's histogram gradient boosting with absolute error: 400 trees of 63 leaves."""
    model = HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=400, max_leaf_nodes=63, early_stopping=False, random_state=0
    )
    return model.fit(table, score)


def compute_boosting_errors(
    prepared: Prepared, fold: NDArray[np.int64], only: int | None = None, context: JobContext | None = None
) -> Floats:
    """Compute the absolute error of gradient boosting on rows of folds it has not seen; nan for folds not asked for.

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
            error[here] = np.abs(fit_boosting(table[~here], score[~here]).predict(table[here]) - score[here])

    with ThreadPoolExecutor(count_cores()) as pool:
        for number, future in enumerate([pool.submit(judge, number) for number in range(folds)]):
            context.progress(number / folds, f"Gradient boosting, fold {number + 1} of {folds}")
            future.result()
    return error


def compute_importance(
    study: Study, prepared: Prepared, networks: list[ScoreNetwork], settings: Settings
) -> list[Importance]:
    """Compute the growth of the error when a feature, or a whole group, is shuffled among held-out rows (Breiman 2001).

    Each row is predicted by the network that has not seen it; features that say the same can stand in for each other.
    """
    random = np.random.default_rng(settings.seed)
    row = study.held_out.row
    if len(row) > _SHUFFLED:
        row = np.sort(random.choice(row, _SHUFFLED, replace=False))
    if settings.protocol == "recommended":
        fold = make_split_folds(prepared, "blocks", settings)[row]
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
    wanted = [(group, columns) for group, columns in settings.features.list_columns().items()]
    wanted += [(name, [column]) for column, name in enumerate(settings.features.list_names())]
    rows = []
    for name, columns in wanted:
        changed = table.copy()
        changed[:, columns] = changed[random.permutation(len(changed))][:, columns]
        rows.append(Importance(name, len(columns), error(changed) - base))
    return rows
