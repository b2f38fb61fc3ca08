"""The ladder: what a look at the targets' points, their colour and the clock tell, and a network that sees less.

Each rung says of the same balanced test windows whether there is a target in them, so their accuracies compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ...contract.choices import WindowSplit
from ...ground.context import JobContext
from ...measures.clustered import Interval, compute_clustered_mean
from ...measures.flagging import compute_ratio_interval, find_exact_limits
from .networks import WindowArchitecture
from .windowmodel import compute_scores
from .windowsample import Flags, Pictures, Sample, Scene, View, draw_pictures
from .windowtraining import Trained, train_network

Floats = NDArray[np.float64]
RungKey = Literal["point", "red", "all", "without", "apart", "clock", "previous"]
#: In the order of the report.
RUNGS: tuple[RungKey, ...] = get_args(RungKey)
#: The rungs on which a network is trained, by what it sees.
VIEWS: dict[RungKey, View] = {"all": "all", "without": "without", "apart": "apart", "previous": "previous"}
_HOURS, _DAYS = 24, 7


@dataclass(frozen=True, eq=False)
class Rung:
    """What one way of telling windows with a target from others reached on the test.

    Attributes
    ----------
    key : str
    split : {"random", "forward"}
    right : ndarray of bool, shape (n,)
        Whether each window tested was told right.
    week : ndarray of int, shape (n,)
        The week it lies in.
    least : int
        Of the look for the colour: so many dots make a target; else 0.
    """

    key: RungKey
    split: WindowSplit
    right: Flags
    week: NDArray[np.int64]
    least: int = 0

    @cached_property
    def accuracy(self) -> Interval:
        """Share of the test told right, with its 95 % interval (`compute_accuracy`)."""
        return compute_accuracy(self.right, self.week)

    def minus(self, other: Rung) -> Interval:
        """How much more was told right than by another rung, with its 95 % interval over weeks."""
        return compute_clustered_mean(self.right.astype(float) - other.right, self.week)


def compute_accuracy(right: Flags, week: NDArray[np.int64]) -> Interval:
    """Compute the share told right, with its 95 % interval over weeks; where these are too few, over single windows."""
    _, number = np.unique(week, return_inverse=True)
    found = compute_ratio_interval(np.bincount(number, right), np.bincount(number), block=1, shortest=1)
    if np.isfinite(found.low):
        return found
    return Interval(found.mean, *find_exact_limits(float(right.sum()), len(right)))


def number_weeks(scene: Scene, sample: Sample, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the week of each window at these positions of a sample."""
    days = scene.windows.starts[sample.window[rows]].astype("datetime64[D]").astype(np.int64)
    return np.asarray(days // _DAYS)


def look_for_targets(scene: Scene, sample: Sample) -> Flags:
    """Say of each window tested whether a target's point is on its picture."""
    return scene.happened[sample.window[sample.tested]]


def look_for_colour(scene: Scene, sample: Sample) -> tuple[Flags, int]:
    """Say of each window tested whether it has enough dots in the targets' colour, and how many are enough.

    How many are is seen from what is learned from: the number that tells most of those windows right.
    """
    dots = scene.windows.count(scene.alike)[sample.window]
    learned = sample.learned
    candidates = np.arange(1, max(int(dots[learned].max(initial=1)), 1) + 1)
    right = [float(((dots[learned] >= each) == sample.happened[learned]).mean()) for each in candidates]
    least = int(candidates[int(np.argmax(right))])
    return dots[sample.tested] >= least, least


def look_at_clock(scene: Scene, sample: Sample, seed: int) -> Flags:
    """Say it by the hour and weekday alone: a logistic regression on what is learned from."""
    start = scene.windows.starts[sample.window]
    hour = start.astype("datetime64[h]").astype(np.int64) % _HOURS
    day = start.astype("datetime64[D]").astype(np.int64) % _DAYS
    table = np.column_stack([np.eye(_HOURS)[hour], np.eye(_DAYS)[day]])
    model = LogisticRegression(max_iter=1000, random_state=seed)
    model.fit(table[sample.learned], sample.happened[sample.learned])
    told: Flags = model.predict_proba(table[sample.tested])[:, 1] > 0.5
    return told


@dataclass(frozen=True, eq=False)
class Detection:
    """A network that was trained and tested.

    Attributes
    ----------
    sample : Sample
    pictures : ndarray of uint8, shape (m, height, width, 3)
    trained : Trained
    score : ndarray, shape (n,)
        Of the windows tested.
    rung : Rung
    """

    sample: Sample
    pictures: Pictures
    trained: Trained
    score: Floats
    rung: Rung


def detect(
    scene: Scene,
    sample: Sample,
    key: RungKey,
    architecture: WindowArchitecture,
    epochs: int,
    seed: int,
    context: JobContext,
) -> Detection:
    """Draw, train and test a network that sees what a rung allows."""
    with context.step(0.0, 0.03):
        pictures = draw_pictures(scene, sample.window, VIEWS[key], context)
    with context.step(0.03, 0.99):
        trained = train_network(pictures, sample, architecture, epochs, seed, context)
    tested = sample.tested
    with context.step(0.99, 1.0):
        score = compute_scores(trained.network, pictures, tested, context)
    right = (score > 0.5) == sample.happened[tested]
    rung = Rung(key, sample.split, right, number_weeks(scene, sample, tested))
    return Detection(sample, pictures, trained, score, rung)


def climb_ladder(
    scene: Scene,
    samples: Sequence[Sample],
    architecture: WindowArchitecture,
    epochs: int,
    seed: int,
    context: JobContext,
    known: Rung | None = None,
    keys: Sequence[RungKey] = RUNGS,
) -> list[Rung]:
    """Climb every rung for each way of sharing windows out.

    Parameters
    ----------
    scene : Scene
    samples : sequence of Sample
    architecture : WindowArchitecture
    epochs : int
        Of each network.
    seed : int
    context : JobContext
    known : Rung, optional
        That of a network that was trained with as many epochs already.
    keys : sequence of str
        Which rungs.
    """
    wanted = [(sample, key) for sample in samples for key in keys]
    trained = [each for each in wanted if each[1] in VIEWS and not _is_known(known, *each)]
    rungs, done = [], 0
    for sample, key in wanted:
        if known is not None and _is_known(known, sample, key):
            rungs.append(known)
        elif key in VIEWS:
            context.log(f"{_SPLITS[sample.split]}: a network that sees {_SEEN[VIEWS[key]]}")
            with context.step(done / len(trained), (done + 1) / len(trained)):
                rungs.append(detect(scene, sample, key, architecture, epochs, seed, context).rung)
            done += 1
        else:
            rungs += _look(scene, sample, key, seed)
    return rungs


_SPLITS: dict[WindowSplit, str] = {"random": "Split at random", "forward": "Split forward in time"}
_SEEN: dict[View, str] = {
    "all": "all points",
    "without": "all points but the targets'",
    "apart": "no row of the targets' minutes and places",
    "previous": "the window before",
}


def _is_known(known: Rung | None, sample: Sample, key: RungKey) -> bool:
    return known is not None and (known.key, known.split) == (key, sample.split)


def _look(scene: Scene, sample: Sample, key: RungKey, seed: int) -> Iterator[Rung]:
    """A rung on which nothing is trained that takes longer than a second."""
    least = 0
    if key == "point":
        told = look_for_targets(scene, sample)
    elif key == "red":
        told, least = look_for_colour(scene, sample)
    else:
        told = look_at_clock(scene, sample, seed)
    rows = sample.tested
    yield Rung(key, sample.split, told == sample.happened[rows], number_weeks(scene, sample, rows), least)
