"""Growing a network layer by layer, from logistic regression on, as long as the development loss falls."""

from __future__ import annotations

from dataclasses import replace

from ..context import JobContext
from .fitting import Curves, Draw, Table, fit_network
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
    best: tuple[ScoreNetwork, Curves] | None = None
    curves: list[tuple[str, Curves]] = []
    growth: list[GrowthStep] = []
    tracker = Tracker(context, len(settings.widths) + 1)
    for depth in range(len(settings.widths) + 1):
        architecture = Architecture(
            inputs=inputs, widths=settings.widths[:depth], activation=settings.activation, output=settings.output
        )
        name = architecture.text()
        network, found = fit_network(
            architecture,
            draw,
            development,
            settings.fitting,
            settings.interval,
            settings.seed,
            tracker.watch(depth, name),
            context.check_cancelled,
        )
        tracker.done(depth)
        better = best is None or found.best < best[1].best
        context.log(
            f"{name} ({network.parameter_count():,} parameters): development {found.best:.4f}"
            + ("" if better else ", no better than the one before: growth ends")
        )
        growth.append(
            GrowthStep(
                name,
                network.parameter_count(),
                found.train[found.best_epoch - 1],
                found.best,
                len(found.development),
                better,
            )
        )
        curves.append((name, found))
        if not better:
            break
        best = network, found
    assert best is not None
    return best[0], curves, growth


def without_growth(settings: Settings, network: ScoreNetwork) -> Settings:
    """The same settings with the architecture that growth arrived at."""
    return replace(settings, grow=False, widths=network.architecture.widths)
