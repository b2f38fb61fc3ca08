"""Growing a network layer by layer, from logistic regression on, as long as the development loss falls."""

from __future__ import annotations

import threading
from dataclasses import replace

import torch

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import Cancelled
from ...learning.loop import Curves
from ...learning.threads import workers
from .fitting import Draw, Table, fit_network
from .network import Architecture, ScoreNetwork
from .settings import Settings
from .study import GrowthStep
from .tracker import Tracker


def grow_network(
    draw: Draw, development: tuple[Table, Table], settings: Settings, inputs: int, context: JobContext
) -> tuple[ScoreNetwork, list[tuple[str, Curves]], list[GrowthStep]]:
    """Fit ever deeper networks until one does no better than the one before, which is then the result.

    Parameters
    ----------
    draw, development
        As of `fit_network`.
    settings : Settings
        `widths` are the layers that may be added.
    inputs : int

    Returns
    -------
    network : ScoreNetwork
    curves : list of (str, Curves)
    growth : list of GrowthStep
        The last one was not kept, unless the layers ran out.
    """
    tracker = Tracker(context, len(settings.widths) + 1)
    ended = threading.Event()

    def check() -> None:
        context.check_cancelled()
        if ended.is_set():
            raise Cancelled("Growth has ended")

    def fit(depth: int) -> tuple[ScoreNetwork, Curves]:
        architecture = Architecture(
            inputs=inputs, widths=settings.widths[:depth], activation=settings.activation, output=settings.output
        )
        fitted = fit_network(
            architecture,
            draw,
            development,
            settings.fitting,
            settings.interval,
            settings.seed,
            tracker.watch(depth, architecture.describe()),
            check,
        )
        tracker.count_fitted(depth)
        return fitted

    best: tuple[ScoreNetwork, Curves] | None = None
    curves: list[tuple[str, Curves]] = []
    growth: list[GrowthStep] = []
    # The next deeper networks are begun before it is known whether they are wanted: a core each.
    with workers(torch.device("cpu")) as pool:
        futures = [pool.submit(fit, depth) for depth in range(len(settings.widths) + 1)]
        try:
            for future in futures:
                network, course = future.result()
                better = best is None or course.best < best[1].best
                step = _step(network, course, better)
                growth.append(step)
                curves.append((step.architecture, course))
                context.log(
                    f"{step.architecture} ({count_text(step.parameters, 'parameter')}): development"
                    f" {step.development:.4f}" + ("" if better else ", no better than the one before: growth ends")
                )
                if not better:
                    break
                best = network, course
                # The deeper ones may all be fitted by now, and nothing else would ask.
                context.check_cancelled()
        except Cancelled as cancelled:
            if best is not None:
                cancelled.best = best
            raise
        finally:
            ended.set()
            pool.shutdown(cancel_futures=True)
    assert best is not None
    return best[0], curves, growth


def _step(network: ScoreNetwork, course: Curves, kept: bool) -> GrowthStep:
    return GrowthStep(
        network.architecture.describe(),
        network.count_parameters(),
        course.loss[course.best_epoch - 1],
        course.best,
        len(course.validation),
        kept,
    )


def without_growth(settings: Settings, network: ScoreNetwork) -> Settings:
    """Give the settings the architecture that growth arrived at."""
    return replace(settings, grow=False, widths=network.architecture.widths)
