"""Training a score model by either protocol.

Recommended: the places are cut into square blocks, the blocks dealt into folds.  Each fold is predicted by a network
that has seen neither it nor the fold that chose its epoch, so every row is judged by a network that does not know
its surroundings; the model itself is then fitted on all blocks but a tenth, which chooses the epoch.

Published (Garrido Czacki 2021): rows at random, 80 % to train, 10 % to choose, 10 % to test.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import Cancelled
from ...learning.intervals import compute_cross_widening, compute_widening
from ...learning.loop import Curves
from ...learning.modelfile import list_versions
from ...learning.threads import workers
from .fitting import Draw, Table, fit_network
from .growth import grow_network, without_growth
from .index import CrimeIndex
from .model import ScoreCard, ScoreModel, widen
from .network import Architecture, ScoreNetwork, run_network
from .prepare import Prepared, prepare
from .settings import Settings
from .splits import Split, number_blocks, number_folds
from .study import GrowthStep, HeldOut, Study
from .tracker import Tracker

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Fitted = tuple[ScoreNetwork, Curves]


def train(
    index: CrimeIndex,
    recent_index: CrimeIndex | None = None,
    settings: Settings | None = None,
    reference: np.datetime64 | None = None,
    name: str = "score",
    fingerprint: str = "",
    context: JobContext | None = None,
) -> tuple[ScoreModel, Study, Prepared, list[ScoreNetwork]]:
    """Train a score model and judge it.

    Parameters
    ----------
    index : CrimeIndex
        Holds the year.
    recent_index : CrimeIndex, optional
        Holds the recent incidents, by default taken from `index`.
    settings : Settings, optional
    reference : datetime64, optional
        End of both windows; by default the index's last incident.
    name, fingerprint : str
        Of the index, for the card.

    Returns
    -------
    model : ScoreModel
    study : Study
        Without comparisons and importance: see `riskengine.systems.score.comparing`.
    prepared : Prepared
    networks : list of ScoreNetwork
        Those that predicted the held-out folds, in order of the folds (published: the model's own, once).

    Raises
    ------
    Cancelled
        Its ``best`` is a `ScoreModel` if a network had been fitted for at least an epoch.
    """
    settings = settings or Settings()
    context = context or JobContext()
    started = time.perf_counter()
    with context.step(0.0, 0.25):
        prepared = prepare(index, recent_index, settings, reference, context)
    context.log(
        f"{count_text(len(prepared.rows), 'row')} ({count_text(prepared.rows.originals, 'place')} of incidents and"
        f" {len(prepared.rows) - prepared.rows.originals:,} resampled),"
        f" {count_text(len(prepared.recent), 'incident')} in the last {count_text(settings.recent_days, 'day')},"
        f" seen from {count_text(len(prepared.tables), 'recent window')}"
    )
    make = _Maker(index, prepared, settings, name, fingerprint)
    try:
        with context.step(0.25, 1.0):
            if settings.protocol == "published":
                outcome = _train_published(prepared, settings, context)
            else:
                outcome = _train_recommended(prepared, settings, context)
    except Cancelled as cancelled:
        if cancelled.best is not None:
            # A network without a finished epoch has learned nothing.
            cancelled.best = make.make_unfinished(cancelled.best) if cancelled.best[1].validation else None
        raise
    model = make.make_model(outcome.network, outcome.added, outcome.held_out, outcome.background)
    study = Study(model.card, prepared.rows, outcome.held_out, outcome.curves, outcome.growth)
    study.background = outcome.background
    study.settings = settings.to_dict()
    study.seconds = time.perf_counter() - started
    return model, study, prepared, outcome.networks


class _Outcome(NamedTuple):
    network: ScoreNetwork
    curves: list[tuple[str, Curves]]
    growth: list[GrowthStep]
    held_out: HeldOut
    background: HeldOut | None
    added: float
    networks: list[ScoreNetwork]


def _train_recommended(prepared: Prepared, settings: Settings, context: JobContext) -> _Outcome:
    fold = number_folds(prepared.rows, "blocks", settings.folds, settings.block_size, settings.seed)
    growth: list[GrowthStep] = []
    curves: list[tuple[str, Curves]] = []
    if settings.grow:
        with context.step(0.0, 0.3):
            grown, curves, growth = grow_network(
                sample_rows(prepared, (fold != 0) & (fold != 1), settings.seed),
                (prepared.table[fold == 1], prepared.score[fold == 1]),
                settings,
                prepared.table.shape[1],
                context,
            )
        settings = without_growth(settings, grown)
    with context.step(0.3 if settings.grow else 0.0, 1.0):
        fitted = fit_folds(prepared, fold, settings, context, with_final=True)
    networks = [network for network, _ in fitted]
    out = predict_folds(prepared, fold, networks)
    truth = prepared.rows.score
    held_out = judge_rows(
        prepared, settings, np.arange(len(truth)), out, compute_cross_widening(out, truth, fold, settings.interval)
    )
    added = compute_widening(out, truth, settings.interval)
    background = None
    if prepared.background is not None:
        places = prepared.background
        predicted = predict_folds(places, fold[places.rows.source], networks)
        background = judge_rows(places, settings, np.arange(len(predicted)), predicted, np.full(len(predicted), added))
    curves += [(f"fold {number + 1}", course) for number, (_, course) in enumerate(fitted[: settings.folds])]
    curves.append(("final", fitted[-1][1]))
    return _Outcome(networks[-1], curves, growth, held_out, background, added, networks[:-1])


def _train_published(prepared: Prepared, settings: Settings, context: JobContext) -> _Outcome:
    fold = number_folds(prepared.rows, "random", 10, seed=settings.seed)
    test, development = fold == 0, fold == 1
    draw = sample_rows(prepared, ~test & ~development, settings.seed)
    dev = (prepared.table[development], prepared.score[development])
    growth: list[GrowthStep] = []
    if settings.grow:
        network, curves, growth = grow_network(draw, dev, settings, prepared.table.shape[1], context)
    else:
        network, course = _fit_alone(prepared, draw, dev, settings, context)
        curves = [("final", course)]
    added = compute_widening(run_network(network, dev[0]), dev[1].astype(np.float64), settings.interval)
    out = run_network(network, prepared.table[test])
    held_out = judge_rows(prepared, settings, np.flatnonzero(test), out, np.full(int(test.sum()), added))
    return _Outcome(network, curves, growth, held_out, None, added, [network])


def _fit_alone(
    prepared: Prepared, draw: Draw, development: tuple[Table, Table], settings: Settings, context: JobContext
) -> Fitted:
    architecture = architecture_of(settings, prepared)
    watch = Tracker(context, 1).watch(0, architecture.describe())
    with workers(torch.device("cpu")) as pool:
        return pool.submit(
            fit_network,
            architecture,
            draw,
            development,
            settings.fitting,
            settings.interval,
            settings.seed,
            watch,
            context.check_cancelled,
        ).result()


def fit_folds(
    prepared: Prepared,
    fold: Ints,
    settings: Settings,
    context: JobContext,
    with_final: bool = False,
    only: int | None = None,
) -> list[Fitted]:
    """Fit a network for each fold on the rows of neither that fold nor the next, which chooses its epoch.

    Parameters
    ----------
    with_final : bool
        Add one that is fitted on all blocks but a tenth.
    only : int, optional
        Fit the first so many folds alone.

    Raises
    ------
    Cancelled
        With ``best``: the network of the lowest development loss so far, its curves, and which rows it was not
        trained on.
    """
    folds = int(fold.max()) + 1
    parts = [((fold != k) & (fold != (k + 1) % folds), fold == (k + 1) % folds) for k in range(only or folds)]
    names = [f"Fold {k + 1} of {folds}" for k in range(len(parts))]
    if with_final:
        # Dealt anew, so that the development blocks of the model are not those of one of the folds.
        final = make_final_folds(prepared, settings)
        parts.append((final != 0, final == 0))
        names.append("Final network")
    tracker = Tracker(context, len(parts))

    def fit(number: int) -> Fitted:
        # Those that wait for their turn when it is cancelled must not begin.
        context.check_cancelled()
        train_rows, dev_rows = parts[number]
        try:
            fitted = fit_network(
                architecture_of(settings, prepared),
                sample_rows(prepared, train_rows, settings.seed + number),
                (prepared.table[dev_rows], prepared.score[dev_rows]),
                settings.fitting,
                settings.interval,
                settings.seed + number,
                tracker.watch(number, names[number]),
                context.check_cancelled,
            )
        except Cancelled as stopped:
            if stopped.best is not None:
                stopped.best = (*stopped.best, dev_rows)
            raise
        tracker.count_fitted(number)
        return fitted

    fitted: list[Fitted] = []
    rescued: list[tuple[ScoreNetwork, Curves, Bools]] = []
    cancelled: Cancelled | None = None
    with workers(torch.device("cpu")) as pool:
        for number, future in enumerate([pool.submit(fit, number) for number in range(len(parts))]):
            try:
                fitted.append(future.result())
                rescued.append((*fitted[-1], parts[number][1]))
            except Cancelled as stopped:
                cancelled = stopped
                if stopped.best is not None and stopped.best[1].validation:
                    rescued.append(stopped.best)
    if cancelled is not None:
        cancelled.best = min(rescued, key=lambda each: each[1].best, default=None)
        raise cancelled
    return fitted


def predict_folds(prepared: Prepared, fold: Ints, networks: list[ScoreNetwork]) -> NDArray[np.float64]:
    """Predict with each fold's network the rows it has not seen, shape (n, 1 or 3)."""
    out = np.empty((len(fold), 3 if networks[0].architecture.output == "interval" else 1))
    for number, network in enumerate(networks[: int(fold.max()) + 1]):
        here = fold == number
        out[here] = run_network(network, prepared.table[here])
    return out


def judge_rows(
    prepared: Prepared, settings: Settings, row: Ints, out: NDArray[Any], added: NDArray[np.float64]
) -> HeldOut:
    """Judge held-out predictions, with their blocks."""
    rows, size = prepared.rows, settings.block_size
    # A random place is known by where it lies itself: blocks are only the clusters of its interval.
    x, y = (rows.source_x, rows.source_y) if rows.originals else (rows.x, rows.y)
    block, corner = number_blocks(x, y, size)
    within = np.column_stack((x, y)) - corner[block]
    inner: Bools = np.all(np.minimum(within, size - within) >= settings.radius, axis=1)
    predicted = widen(out.astype(np.float64), added)
    return HeldOut(row, rows.score[row], *predicted, block[row], corner, size, inner[row])


def architecture_of(settings: Settings, prepared: Prepared) -> Architecture:
    """Make the network's architecture that the settings ask for, with as many inputs as there are features."""
    return Architecture(
        inputs=prepared.table.shape[1],
        widths=settings.widths,
        activation=settings.activation,
        output=settings.output,
    )


def sample_rows(prepared: Prepared, wanted: Bools, seed: int) -> Draw:
    """Sample the rows of an epoch, each seen from one of the recent windows, another one in each epoch.

    Random places come along with the row they belong to.
    """
    parts = [(prepared, np.flatnonzero(wanted))]
    if prepared.background is not None:
        theirs: Bools = wanted[prepared.background.rows.source]
        parts.append((prepared.background, np.flatnonzero(theirs)))
    score = np.concatenate([part.score[rows] for part, rows in parts])

    def draw(epoch: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        random = np.random.default_rng((seed, epoch))
        seen = [part.tables[random.integers(0, len(part.tables), len(rows)), rows] for part, rows in parts]
        return np.concatenate(seen), score

    return draw


def make_final_folds(prepared: Prepared, settings: Settings) -> Ints:
    """Deal blocks anew for the model itself: those of fold 0 choose its epoch."""
    blocks = len(number_blocks(prepared.rows.source_x, prepared.rows.source_y, settings.block_size)[1])
    folds = min(max(10, settings.folds), blocks)
    return number_folds(prepared.rows, "blocks", folds, settings.block_size, settings.seed + 1)


def make_split_folds(prepared: Prepared, split: Split, settings: Settings) -> Ints:
    """Make the folds of a split, with the settings' number, blocks and seed."""
    return number_folds(prepared.rows, split, settings.folds, settings.block_size, settings.seed)


class _Maker:
    """Makes the model of a network: everything but the network is known before it is fitted."""

    def __init__(self, index: CrimeIndex, prepared: Prepared, settings: Settings, name: str, fingerprint: str) -> None:
        self.index, self.prepared, self.settings = index, prepared, settings
        self.name, self.fingerprint = name, fingerprint

    def make_model(
        self,
        network: ScoreNetwork,
        added: float,
        held_out: HeldOut | None,
        background: HeldOut | None,
        complete: bool = True,
    ) -> ScoreModel:
        rows, settings = self.prepared.rows, self.settings
        own = slice(0, rows.originals)
        metrics: dict[str, Any] = {}
        if held_out is not None:
            metrics = {
                "split": "blocks" if settings.protocol == "recommended" else "random",
                "l1": held_out.l1()._asdict(),
                "coverage": held_out.coverage()._asdict(),
                "held_out": len(held_out.row),
            }
        if background is not None:
            metrics["random_places"] = {
                "l1": background.l1()._asdict(),
                "coverage": background.coverage()._asdict(),
            }
        card = ScoreCard(
            name=self.name,
            protocol=settings.protocol,
            features=settings.features,
            architecture=network.architecture,
            radius=settings.radius,
            window_days=settings.window_days,
            recent_days=settings.recent_days,
            reference_time=str(rows.reference),
            crs=self.index.crs,
            extent=(
                float(rows.x[own].min()),
                float(rows.y[own].min()),
                float(rows.x[own].max()),
                float(rows.y[own].max()),
            ),
            count_low=int(rows.scale.counts[0]),
            count_high=int(rows.scale.counts[-1]),
            interval=settings.interval,
            widening=added,
            percentiles=np.percentile(rows.score[own], np.arange(101)).tolist(),
            metrics=metrics,
            seed=settings.seed,
            fingerprint=self.fingerprint,
            incidents=rows.originals,
            recent_incidents=len(self.prepared.recent),
            versions=list_versions(),
            complete=complete,
        )
        return ScoreModel(network.eval(), card)

    def make_unfinished(self, best: tuple[Any, ...]) -> ScoreModel:
        """Make the model of a cancelled training's best network: (network, curves[, rows it has not seen])."""
        network = best[0]
        if len(best) > 2:
            unseen = best[2]
        else:
            # One that was being grown: fold 1 chose its epoch, in either protocol.
            split: Split = "blocks" if self.settings.protocol == "recommended" else "random"
            folds = self.settings.folds if split == "blocks" else 10
            unseen = make_split_folds(self.prepared, split, replace(self.settings, folds=folds)) == 1
        out = run_network(network, self.prepared.table[unseen])
        added = compute_widening(out, self.prepared.rows.score[unseen], self.settings.interval)
        return self.make_model(network, added, None, None, complete=False)
