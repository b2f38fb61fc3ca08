"""Figures of the published network's report: the ladder as points with intervals, and windows told right and wrong."""

from __future__ import annotations

from textwrap import fill

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
#: Letters in a line of a rung's title.
_LABEL = 36
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
        figure = make_figure(7.2, 4.2)
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
        titles = [fill(describe_rung(study, key)[0], _LABEL) for key in RUNGS]
        axes.set_yticks(range(len(RUNGS)), titles, fontsize=9.5)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("share told right")
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        return to_data_uri(figure)


def choose_examples(study: WindowStudy) -> dict[tuple[bool, bool], NDArray[np.int64]]:
    """Choose windows of each kind that there is, those of which the network was surest: positions in the sample."""
    sample, score = study.main.sample, study.main.score
    happened = sample.happened[sample.tested]
    chosen = {}
    for there, said in KINDS:
        rows = np.flatnonzero((happened == there) & ((score > 0.5) == said))
        surest = rows[np.argsort(-score[rows] if said else score[rows], kind="stable")][:EXAMPLES]
        if len(surest):
            chosen[there, said] = sample.tested[surest]
    return chosen


def draw_examples(study: WindowStudy) -> str:
    """Draw windows told right and wrong, as the network sees them."""
    sample, starts = study.main.sample, study.scene.windows.starts
    score = dict(zip(sample.tested.tolist(), study.main.score.tolist(), strict=True))
    examples = choose_examples(study)
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = make_figure(8.0, 2.3 * len(examples))
        grid = figure.subplots(len(examples), EXAMPLES, squeeze=False)
        for row, (kind, chosen) in zip(grid, examples.items(), strict=True):
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
