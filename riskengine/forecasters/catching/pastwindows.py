"""Windows of a history's own past, on which the catch is learned: each looked at from what was known at its start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ...contract.dates import count_bins, format_moment
from ...contract.texts import count_text
from ...maps.panel import Panel
from ..cell_features import measure_bin

Array = NDArray[np.float64]

#: Past windows that are read at most.
MOST_WINDOWS = 40
#: Fewer windows, or fewer incidents in them, tell nothing.
LEAST_WINDOWS, LEAST_INCIDENTS = 4, 40
#: Where to go depends little on how long: a window of so many days is learned from where a shorter one is asked for,
#: unless it would be more than this part of the history.
_LEARNED_DAYS, _LEARNED_PART = 91.0, 0.125
#: Windows begin a third of their length apart: less than that tells little more.
_PARTS = 3
#: Units that come into question: so many times those asked for, and no fewer; those with most of the past.
FOCUS, LEAST_FOCUS = 9, 400


@dataclass(frozen=True)
class PastWindow:
    """A window of the past.

    Attributes
    ----------
    known : int
        Bins that were known at its start.
    counts : ndarray, shape (N,)
        What happened in it, in the units inside.
    """

    known: int
    counts: Array


def choose_window(history: Panel, window: int) -> int:
    """Choose how many bins the windows have that are learned from, where `window` bins are asked for."""
    longer = min(round(_LEARNED_DAYS / measure_bin(history)), int(len(history) * _LEARNED_PART))
    return max(window, longer)


def list_past_windows(history: Panel, events: csr_array, window: int, least: float) -> list[PastWindow]:
    """List windows in the past of a history, the earliest first; none looks ahead of its end.

    Bins that were not observed hold nothing.

    Parameters
    ----------
    history : Panel
    events : csr_array, shape (T, N)
    window : int
        Bins of each.
    least : float
        Share of the history that is known before the first.
    """
    bins, delay = len(history), history.delay
    apart = max(window // _PARTS, 1)
    known = np.arange(bins - window - delay, max(round(bins * least), 1) - 1, -apart)[::-1]
    if len(known) > MOST_WINDOWS:
        known = known[np.linspace(0, len(known) - 1, MOST_WINDOWS).round().astype(int)]
    windows = []
    for each in known.tolist():
        seen = np.zeros(bins)
        seen[each + delay : each + delay + window] = history.observed[each + delay : each + delay + window]
        if seen.any() and history.observed[:each].any():
            windows.append(PastWindow(each, np.asarray(seen @ events)))
    return windows


def find_overlap(windows: Sequence[PastWindow], window: int) -> float:
    """Find how many windows an incident lies in, on average."""
    if len(windows) < 2:
        return 1.0
    return max(window * (len(windows) - 1) / (windows[-1].known - windows[0].known), 1.0)


def tell_enough(windows: Sequence[PastWindow], window: int) -> bool:
    """Say whether past windows of so many bins are enough to learn from."""
    return len(windows) >= LEAST_WINDOWS and count_incidents(windows, window) >= LEAST_INCIDENTS


def count_incidents(windows: Sequence[PastWindow], window: int) -> int:
    """Count the incidents of windows of so many bins, each once though windows overlap."""
    return round(sum(float(each.counts.sum()) for each in windows) / find_overlap(windows, window))


def describe_few(windows: Sequence[PastWindow], window: int) -> str:
    """Describe past windows that do not tell enough: ``3 past windows with 9 incidents are too few``."""
    incidents = count_text(count_incidents(windows, window), "incident")
    return f"{count_text(len(windows), 'past window')} with {incidents} are too few"


def count_asked(size: Array, flagged: float) -> int:
    """Count the units that are asked for, of the typical size, for a share of the area."""
    return min(max(int(flagged * float(size.sum()) / float(np.median(size)) + 1e-9), 1), len(size))


def count_focus(size: Array, flagged: float) -> int:
    """Count the units that come into question for a share of the area."""
    typical = flagged * float(size.sum()) / float(np.median(size))
    return min(max(int(FOCUS * typical), LEAST_FOCUS), len(size))


def list_ranks(size: Array, flagged: float) -> tuple[int, int]:
    """List the ranks at which groups of units end that expect by levels of their own: those asked for, in question."""
    return count_asked(size, flagged), count_focus(size, flagged)


def find_focus(density: Array, number: int) -> NDArray[np.intp]:
    """Find so many units that come into question: those with the highest density of the past."""
    return np.sort(np.argpartition(-density, number - 1)[:number])


def describe_windows(history: Panel, windows: Sequence[PastWindow], window: int) -> str:
    """Describe the windows that were learned from: how many, how long, and when they began."""
    starts = [format_moment(history.edges[windows[place].known + history.delay]) for place in (0, -1)]
    each = f"{count_text(len(windows), 'past window')} of {count_bins(window, history.bin)} each"
    return f"{each} that began between {starts[0]} and {starts[1]}"
