"""What a comparison with simple baselines says, in words: of probabilities and of the catch, always both together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..measures.compare import Difference
from .words import format_change, format_percent

#: What is said of the probabilities, and the word before the name of the rival, by state; see `Verdict`.
PROBABILITIES = {
    "better": ("better calibrated", "than"),
    "indistinguishable": ("as well calibrated", "as"),
    "worse": ("WORSE calibrated", "than"),
    "too few": ("too few maps to tell its probabilities", "from those of"),
    "baseline": ("the best simple baseline", ""),
    "alone": ("no simple baseline to compare its probabilities with", ""),
    "none": ("its values are no probabilities, so only their order is judged", ""),
    "unasked": ("", ""),
}
#: The same of the catch.
CATCH = {
    "better": ("catches more", "than"),
    "indistinguishable": ("catches as many", "as"),
    "worse": ("catches FEWER", "than"),
    "too few": ("too few maps to tell its catch", "from that of"),
    "alone": ("no other simple baseline to compare its catch with", ""),
    "nothing": ("no incident lies in the test, so nothing could be caught", ""),
    "unrecorded": ("its catch was not recorded", ""),
}
#: The same where the catch alone was asked for: what cannot be told is not said to be equal.
CATCH_ALONE = {**CATCH, "indistinguishable": ("its catch cannot be told", "from that of")}
#: What is said of the catch beside that of prior counts where it is what was asked for, for readers without statistics.
PLAINLY = {
    "better": "more than chance explains",
    "indistinguishable": "no difference can be told",
    "worse": "a LOSS beyond what chance explains",
    "too few": "too short a test to tell a difference",
}
#: The same of a difference that is small beside what it is compared with.
PLAINLY_SMALL = {
    **PLAINLY,
    "better": "little more, but beyond what chance explains",
    "worse": "a small LOSS beyond what chance explains",
}
#: What is said shorter of both at once.
_BOTH = {
    ("too few", "too few"): "too few maps to tell it from the simple baselines",
    ("alone", "alone"): "no simple baseline was scored beside it, so nothing can be said about how good that is",
}
#: A gain below this share of what it is compared with is called small.
SMALL = 0.02
#: Differences below it are rounding errors, and said as zero.
_NOTHING = 1e-6
#: States that are comparisons; all others stand for themselves.
_COMPARED = ("better", "indistinguishable", "worse")


def verdict_of(difference: Difference) -> str:
    """``better``, ``worse``, ``indistinguishable``, or ``too few`` maps to tell; for losses, where less is better."""
    if difference.too_few or not math.isfinite(difference.mean):
        return "too few"
    return difference.verdict


def verdict_of_hits(difference: Difference) -> str:
    """As `verdict_of`, for a difference of hit rates: more is better."""
    verdict = verdict_of(difference)
    return verdict if verdict == "too few" else difference.verdict_of_more


def format_interval(
    difference: Difference, digits: int | None = None, unit: str = "", times: float = 1.0, each: str = "map"
) -> str:
    """Format the difference and its interval, or say why it has none; by default of three digits.

    Parameters
    ----------
    difference : Difference
    digits : int, optional
        Decimals.
    unit : str
        Follows the difference.
    times : float
        All figures are multiplied by this.
    each : str
        What there may be too few of.
    """
    if not math.isfinite(difference.mean):
        return "no difference could be taken"
    figures = [times * each for each in (difference.mean, difference.low, difference.high)]
    if digits is None:
        most = max(abs(each) for each in figures if math.isfinite(each))
        digits = max(2 - math.floor(math.log10(most)), 0) if most > _NOTHING else 2
    mean, low, high = (format_change(each, digits) for each in figures)
    text = f"{mean} {unit}".rstrip()
    if verdict_of(difference) == "too few":
        return f"{text}, too few {each}s for an interval"
    return f"{text}, {format_percent(difference.level, 0)} interval {low} to {high}"


def format_hit_change(difference: Difference, each: str = "map") -> str:
    """Format a difference of hit rates and its interval."""
    return format_interval(difference, unit="percentage points", times=100, each=each)


def format_points(difference: Difference, unit: str = " points") -> str:
    """Format a difference of hit rates with its interval in brackets, as short as they can be said."""
    if not math.isfinite(difference.mean):
        return "–"
    mean, low, high = (format_change(100 * each, 1) for each in (difference.mean, difference.low, difference.high))
    bounds = f" [{low}, {high}]" if math.isfinite(difference.low) else ""
    return f"{mean}{unit}{bounds}"


@dataclass(frozen=True)
class Verdict:
    """How a model compares with simple baselines: by its probabilities and by its catch.

    Attributes
    ----------
    probabilities : str
        Log-loss beside that of the best simple baseline: ``better``, ``indistinguishable``, ``worse`` or ``too few``
        (maps to tell); ``baseline`` for the best baseline itself, ``alone`` where there is none, ``none`` for values
        that are no probabilities, ``unasked`` where the catch alone was asked for.
    catch : str
        Hit rate beside that of the simple baseline that catches most: the same, or ``nothing`` (no incident in the
        test), or ``unrecorded`` (model files of 0.2 to 0.6).
    """

    probabilities: str
    catch: str

    def describe(self, rival: str = "", catcher: str = "", each: str = "map") -> str:
        """Say both, with the names of those it is compared with where they are given, and what there are too few of.

        Examples
        --------
        >>> Verdict("better", "indistinguishable").describe()
        'better calibrated, catches as many'
        >>> Verdict("better", "worse").describe("prior counts", "recent counts")
        'better calibrated than prior counts, but catches FEWER than recent counts'
        """
        if self.probabilities == "unasked":
            return _name_rival(*CATCH_ALONE[self.catch], catcher).replace("too few maps", f"too few {each}s")
        if (self.probabilities, self.catch) in _BOTH:
            return _BOTH[self.probabilities, self.catch]
        first = _name_rival(*PROBABILITIES[self.probabilities], rival)
        same = rival == catcher and self.probabilities in _COMPARED
        second = _name_rival(*CATCH[self.catch], "" if same else catcher)
        return first + self._join() + second

    def _join(self) -> str:
        if self.probabilities not in _COMPARED or self.catch not in _COMPARED:
            return "; "
        if self.catch == "indistinguishable":
            return ", "
        same = self.probabilities == self.catch or (self.probabilities, self.catch) == ("indistinguishable", "better")
        return ", and " if same else ", but "

    @property
    def summary(self) -> str:
        """One state for both: ``better`` or ``worse`` where nothing speaks against it, ``mixed`` where both do."""
        both = (self.probabilities, self.catch)
        if self.probabilities == "baseline":
            return "baseline"
        if "better" in both and "worse" in both:
            return "mixed"
        ranked = ("better", "worse", "indistinguishable", "too few")
        return next((state for state in ranked if state in both), "alone")


def _name_rival(words: str, joint: str, rival: str) -> str:
    return f"{words} {joint} {rival}" if joint and rival else words
