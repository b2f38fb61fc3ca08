"""A published network, trained and tested, with its ladder: what the tool and its report are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from ...contract.choices import WindowSplit
from ...contract.texts import count_text
from ...ground.context import JobContext
from .ladder import Detection, Rung, RungKey, climb_ladder, detect
from .networks import WindowArchitecture
from .windowsample import Sample, Scene, draw_sample

#: Share of the work that the network itself is, where every rung of the ladder has as many epochs.
_RUNGS_LEARNED = 7


@dataclass(frozen=True)
class Plan:
    """What is trained, and how.

    Attributes
    ----------
    architecture : WindowArchitecture
    epochs : int
    split : {"random", "forward"}
    seed : int
    ladder_epochs : int
        Of each network of the ladder; 0 for no ladder.
    """

    architecture: WindowArchitecture
    epochs: int
    split: WindowSplit
    seed: int
    ladder_epochs: int = 0


@dataclass(frozen=True, eq=False)
class WindowStudy:
    """What came out.

    Attributes
    ----------
    scene : Scene
    plan : Plan
    main : Detection
        The network as published.
    rungs : list of Rung
        For each split in turn; empty without a ladder.
    """

    scene: Scene
    plan: Plan
    main: Detection
    rungs: list[Rung]

    def find_rung(self, key: RungKey, split: WindowSplit | None = None) -> Rung | None:
        """Find a rung, by default that of the network's own split; None without a ladder."""
        wanted = split or self.plan.split
        return next((each for each in self.rungs if (each.key, each.split) == (key, wanted)), None)

    @property
    def learned_span(self) -> tuple[np.datetime64, np.datetime64]:
        """Begin of the first window that the network learned from, and end of the last."""
        windows, sample = self.scene.windows, self.main.sample
        numbers = sample.window[sample.learned]
        return windows.starts[numbers[0]], windows.ends[numbers[-1]]

    @property
    def learned_share(self) -> float:
        """Share of the windows with a target in the span that the network learned from."""
        sample = self.main.sample
        numbers = sample.window[sample.learned]
        return float(self.scene.happened[numbers[0] : numbers[-1] + 1].mean())

    def count_told(self) -> dict[tuple[bool, bool], int]:
        """Count the windows tested by whether there was a target, and whether the network said so."""
        happened, told = self.main.sample.happened[self.main.sample.tested], self.main.score > 0.5
        return {
            (there, said): int(((happened == there) & (told == said)).sum())
            for there in (True, False)
            for said in (True, False)
        }

    def compute_precision(self) -> float:
        """Compute the share of the windows flagged that have a target, where as few have one as in all windows."""
        told = self.count_told()
        caught = told[True, True] / (told[True, True] + told[True, False])
        false = told[False, True] / (told[False, True] + told[False, False])
        share = self.scene.share
        flagged = share * caught + (1 - share) * false
        return share * caught / flagged if flagged else float("nan")


def run_study(scene: Scene, plan: Plan, context: JobContext) -> WindowStudy:
    """Train and test a network, and climb the ladder at random and forward in time.

    Raises
    ------
    ParameterError
        If the pictures are too small for the network.
    DataError
        If there are too few windows with a target.
    """
    plan.architecture.check_size()
    samples = {split: _draw(scene, plan, split) for split in get_args(WindowSplit)}
    sample = samples[plan.split]
    context.log(_describe_sample(sample))
    weight = _RUNGS_LEARNED * plan.ladder_epochs
    share = plan.epochs / (plan.epochs + weight)
    with context.step(0.0, share):
        main = detect(scene, sample, "all", plan.architecture, plan.epochs, plan.seed, context)
    rungs: list[Rung] = []
    if plan.ladder_epochs:
        known = main.rung if plan.ladder_epochs == plan.epochs else None
        splits: Sequence[Sample] = list(samples.values())
        with context.step(share, 1.0):
            rungs = climb_ladder(scene, splits, plan.architecture, plan.ladder_epochs, plan.seed, context, known)
    return WindowStudy(scene, plan, main, rungs)


def _draw(scene: Scene, plan: Plan, split: WindowSplit) -> Sample:
    return draw_sample(scene.happened, split, plan.architecture.recipe.validation, plan.seed)


def _describe_sample(sample: Sample) -> str:
    learned, validated, tested = np.bincount(sample.part, minlength=3).tolist()
    return (
        f"As many windows without one are drawn: {count_text(learned, 'window')} to learn from,"
        f" {validated:,} to validate and {tested:,} to test, half of each with a target"
    )
