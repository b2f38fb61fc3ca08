"""What is said of the published early-warning network: that it detects, and what of that is left for a warning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.choices import WindowSplit
from ...contract.dates import format_span
from ...contract.texts import count_text, list_names, part_text
from ...systems.warning.ladder import Rung, RungKey
from ...systems.warning.windowstudy import WindowStudy
from ..areas_words import format_hundred
from ..words import format_share


@dataclass(frozen=True)
class RungWords:
    """What one rung of the ladder is.

    Attributes
    ----------
    title : str
    why : str
        One sentence.
    control : bool
        Nothing is learned from a picture.
    """

    title: str
    why: str
    control: bool = False


RUNGS: dict[RungKey, RungWords] = {
    "point": RungWords(
        "A look for the targets’ points",
        "No learning: the points that make the label are on the picture.",
        control=True,
    ),
    "red": RungWords(
        "Enough dots in the targets’ colour",
        "No learning but of how many are enough.",
        control=True,
    ),
    "all": RungWords("The network on all points", "As published: it sees the very points it is asked about."),
    "without": RungWords("The network without the targets’ points", "All other points of the window."),
    "apart": RungWords(
        "The network without the rows of the same minute and place either",
        "What was recorded together with a target, such as the robbery that ended in a shooting, is left out too.",
    ),
    "clock": RungWords("Hour and weekday alone", "No picture: a logistic regression on the clock.", control=True),
    "previous": RungWords(
        "The network on the window before",
        "All that a picture can show when the window begins: only here could it be a warning.",
    ),
}
#: What a coin tells right of windows of which half have a target.
_COIN = 0.5
SPLITS: dict[WindowSplit, str] = {"random": "Shared out at random", "forward": "The last windows tested"}


def describe_targets(study: WindowStudy) -> str:
    """Name the target categories that there are."""
    incidents = study.scene.incidents
    return list_names([incidents.categories[code] for code in np.unique(incidents.category[study.scene.target])])


def describe_detection(study: WindowStudy) -> str:
    """Say that the network detects and does not warn: the sentence that the report opens with."""
    return (
        "This network detects and does not warn: the pictures that it looks at already show the very points"
        f" ({describe_targets(study)}) that it is asked about."
    )


def describe_verdict(study: WindowStudy) -> str:
    """Say how many windows were told right, and how many are where the picture gives less and less away."""
    accuracy = study.main.rung.accuracy
    text = (
        f"It told {format_hundred(accuracy.mean)} of 100 test windows right ({format_limits(study.main.rung)}), where a"
        " coin tells 50"
    )
    if accuracy.low <= _COIN:
        text += ": it has not learned to tell them yet, and more epochs or a longer time may help"
    said = {key: study.find_rung(key) for key in RUNGS}
    point, red, without, clock, previous = (said[key] for key in ("point", "red", "without", "clock", "previous"))
    if point is None or red is None or without is None or clock is None or previous is None:
        return f"{text}. What of that is left for a warning only the ladder shows: switch it on."
    return (
        f"{text}. A look for the targets’ own points tells {format_hundred(point.accuracy.mean)}, and counting dots in"
        f" their colour {format_hundred(red.accuracy.mean)}. A network without these points tells"
        f" {format_hundred(without.accuracy.mean)}; one that sees the window before, which is all that is known when a"
        f" window begins, tells {format_hundred(previous.accuracy.mean)}, {_compare_clock(previous, clock)}."
    )


def _compare_clock(previous: Rung, clock: Rung) -> str:
    """Whether the window before tells more than the hour and weekday."""
    beside = format_hundred(clock.accuracy.mean)
    difference = previous.minus(clock)
    if difference.low > 0:
        return f"more than hour and weekday alone with {beside}"
    if difference.high < 0:
        return f"fewer than hour and weekday alone with {beside}"
    return f"and hour and weekday alone {beside}: this test shows no difference between the two"


def format_limits(rung: Rung) -> str:
    """Format the 95 % interval of an accuracy, of 100 windows."""
    return f"95 % interval {format_hundred(rung.accuracy.low)} to {format_hundred(rung.accuracy.high)}"


def describe_rung(study: WindowStudy, key: RungKey) -> tuple[str, str]:
    """Title and sentence of a rung; of the colour how many dots are enough, and who shares it."""
    words = RUNGS[key]
    rungs = [each for each in study.rungs if each.key == "red"]
    if key != "red" or not rungs:
        return words.title, words.why
    scene, least = study.scene, sorted({each.least for each in rungs})
    shared = np.unique(scene.incidents.category[scene.alike & ~scene.target])
    names = list_names([scene.incidents.categories[code] for code in shared if code >= 0])
    many = " or ".join(map(str, least))
    title = f"{many} or more dots in the targets’ colour" if least != [1] else "A dot in the targets’ colour"
    others = f" It is also that of {names}." if len(shared) else ""
    return title, f"{words.why}{others}"


def describe_flags(study: WindowStudy) -> str:
    """Say what a flag would be worth where windows with a target are as rare as they are."""
    share, precision = study.scene.share, study.compute_precision()
    text = f"The test has as many windows with a target as without; of all windows {format_share(share)} have one."
    if not np.isfinite(precision):
        return f"{text} The network flagged none."
    return (
        f"{text} Among all, of 100 windows that the network flags about {format_hundred(precision)} would have one,"
        " which it sees on the picture."
    )


def describe_counts(study: WindowStudy) -> str:
    """Say how many windows there are, and how they were shared out."""
    sample, windows = study.main.sample, study.scene.windows
    learned, validated, tested = np.bincount(sample.part, minlength=3).tolist()
    happened = int(study.scene.happened.sum())
    return (
        f"{part_text(happened, len(windows), 'window', 'has', 'have')} a target,"
        f" {format_span(windows.starts[0], windows.ends[-1])}. {count_text(learned, 'window')} to learn from,"
        f" {validated:,} to validate, {tested:,} to test; half of each with a target."
    )
