"""Figures of the published network's report: the ladder as points with intervals, and windows told right and wrong."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from ...contract.choices import WindowSplit
from ...contract.dates import format_moment
from ...systems.warning.ladder import RUNGS
from ...systems.warning.windowstudy import WindowStudy
from ..figures import PLOT_STYLE, STYLE, make_figure, to_data_uri
from .words import SPLITS, describe_rung

_MARKS: dict[WindowSplit, tuple[str, str]] = {"random": ("#0072B2", "o"), "forward": ("#D55E00", "s")}
#: Pictures in a row of examples.
EXAMPLES = 5
#: Whether there was a target, and whether the network said so, with what such windows are called.
KINDS = {
    (True, True): "target, told",
    (True, False): "target, not told",
    (False, False): "no target, none told",
    (False, True): "no target, but told",
}


def draw_ladder(study: WindowStudy) -> str:
    """Draw the accuracy of each rung with its interval, at random and forward in time."""
    with mpl.rc_context(PLOT_STYLE):
        figure = make_figure(7.2, 3.8)
        axes = figure.add_subplot()
        for split, (colour, marker) in _MARKS.items():
            rungs = [study.find_rung(key, split) for key in RUNGS]
            place = np.arange(len(RUNGS)) + (0.14 if split == "forward" else -0.14)
            found = np.array([each.accuracy if each is not None else (np.nan,) * 3 for each in rungs])
            reach = np.nan_to_num(np.abs(found[:, 1:] - found[:, :1]).T)
            axes.errorbar(
                found[:, 0], place, xerr=reach, color=colour, marker=marker, linestyle="none", label=SPLITS[split]
            )
        axes.axvline(0.5, color="#999", linewidth=1, linestyle=":")
        axes.set_yticks(range(len(RUNGS)), [describe_rung(study, key)[0] for key in RUNGS])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("share of the test windows told right (0.5 is a coin)")
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        return to_data_uri(figure)


def choose_examples(study: WindowStudy) -> dict[tuple[bool, bool], NDArray[np.int64]]:
    """Choose windows of each kind, those of which the network was surest: their positions in the sample."""
    sample, score = study.main.sample, study.main.score
    happened = sample.happened[sample.tested]
    chosen = {}
    for there, said in KINDS:
        rows = np.flatnonzero((happened == there) & ((score > 0.5) == said))
        surest = rows[np.argsort(-score[rows] if said else score[rows], kind="stable")][:EXAMPLES]
        chosen[there, said] = sample.tested[surest]
    return chosen


def draw_examples(study: WindowStudy) -> str:
    """Draw windows told right and wrong, as the network sees them."""
    sample, starts = study.main.sample, study.scene.windows.starts
    score = dict(zip(sample.tested.tolist(), study.main.score.tolist(), strict=True))
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = make_figure(8.0, 9.4)
        grid = figure.subplots(len(KINDS), EXAMPLES, squeeze=False)
        for row, (kind, chosen) in zip(grid, choose_examples(study).items(), strict=True):
            row[0].set_ylabel(KINDS[kind], fontsize=10)
            for axes in row:
                axes.set_xticks([])
                axes.set_yticks([])
                for side in axes.spines.values():
                    side.set_visible(False)
            for axes, place in zip(row, chosen.tolist(), strict=False):
                axes.imshow(study.main.pictures[place], interpolation="nearest")
                moment = format_moment(starts[sample.window[place]])
                axes.set_title(f"{moment}\nsays {score[place]:.2f}", fontsize=7.5)
        return to_data_uri(figure)
