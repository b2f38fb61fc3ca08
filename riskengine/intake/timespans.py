"""Two times of an incident, the start and the end of the span in which it happened, and the one that is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import Occurred
from ..contract.texts import count_text, part_text
from .times import MISSING, ParsedTimes

_DAY = 86400


@dataclass(frozen=True)
class Spans:
    """Spans of time, one a row.

    Attributes
    ----------
    end : ndarray of datetime64[s]
        Not before the start; NaT where there is none, or none that can be used.
    occurred : ndarray of datetime64[s]
        The moment of the span that stands for it; the start where there is no end.
    said : str
    warnings : list of str
    whole : bool
        False if the file says more of the end than `end` keeps.
    """

    end: NDArray[np.datetime64]
    occurred: NDArray[np.datetime64]
    said: str
    warnings: list[str]
    whole: bool


def choose_moments(
    start: NDArray[np.datetime64],
    ends: ParsedTimes,
    occurred: Occurred,
    seed: int,
    latest: np.datetime64,
    counted: NDArray[np.bool_],
) -> Spans:
    """Choose a moment in the span of every row.

    A moment is as exact as the times: in days if all are dates, else in minutes or seconds. If only the ends are
    dates, a span ends with that day.

    Parameters
    ----------
    start : ndarray of datetime64[s]
    ends : ParsedTimes
    occurred : {"start", "middle", "end", "random"}
    seed : int
        Of the random moments: every one from start to end, both included, is equally likely.
    latest : datetime64
        Ends after it are not used.
    counted : ndarray of bool
        The rows that are spoken of.
    """
    given = ~np.isnat(ends.time) & ~np.isnat(start)
    end, said = ends.time.copy(), []
    fine = np.concatenate([start[given], end[given]]).astype(np.int64)
    unit = next(unit for unit in (_DAY, 60, 1) if not (fine % unit).any())
    if unit < _DAY and given.any() and not (end[given].astype(np.int64) % _DAY).any():
        end += np.timedelta64(_DAY - unit, "s")
        said.append("The ends are dates without a time of day: each span goes to the last minute of that day")
    late = given & (end > latest)
    swapped = given & ~late & (end < start)
    unread = ~np.isnat(start) & (ends.reason != "") & (ends.reason != MISSING)
    used = given & ~late & ~swapped
    end[~used] = np.datetime64("NaT")
    length = np.where(used, (end - start).astype(np.int64) // unit, 0)
    if occurred == "random":
        steps = np.random.default_rng(seed).integers(0, length + 1)
    else:
        steps = {"start": np.zeros_like(length), "middle": length // 2, "end": length}[occurred]
    moment = start + (steps * unit).astype("timedelta64[s]")
    taken = {"random": f"a random moment of it (SEED={seed})"}.get(occurred, f"its {occurred}")
    spans = length[counted & (length > 0)] * unit
    if len(spans):
        half = _describe_length(float(np.median(spans)))
        share = part_text(len(spans), int(counted.sum()), "incident")
        said.append(f"{share} have a span from start to end, half of them of {half} or more; occurred is {taken}")
    else:
        said.append("No incident has a span: no end lies after its start")
    faults = (
        (swapped, "{} before it starts", "end before they start"),
        (late, "{} in the future", "end in the future"),
        (unread, "{} at a time that is not understood", "end at a time that is not understood"),
    )
    warnings = []
    for rows, one, many in faults:
        count = int((rows & counted).sum())
        if count:
            first = int(np.flatnonzero(rows & counted)[0])
            shown = ends.reason[first] or f"from {_show(start[first])} to {_show(ends.time[first])}"
            span = one.format("1 span ends") if count == 1 else f"{count} spans {many}"
            warnings.append(f"{span} ({shown}): the start alone is used there, and the field end is empty")
    return Spans(end, moment, ". ".join(said), warnings, ends.whole and not (late | swapped | unread).any())


def _show(time: np.datetime64) -> str:
    return str(time)[:16].replace("T", " ")


def _describe_length(seconds: float) -> str:
    for unit, name in ((_DAY, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return count_text(seconds, "second")
