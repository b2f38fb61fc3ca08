"""What limits warnings, and what they must not be used for: every page and card of warnings says it."""

from __future__ import annotations

from collections.abc import Sequence

from ...contract.texts import list_names
from ...intake.patrols import find_patrol_group
from ...maps.panel import Panel
from ..limits import list_limits

#: Places and times, never persons.
NO_GROUND = (
    "A warning is about a place and a time, never about a person: it is no ground to stop, search or judge anyone, and"
    " never the only ground for a decision."
)
_REPORTED = (
    "It warns of what will be reported, by what was reported. Where people report less, or where rows have no time or"
    " place, there are fewer warnings, not fewer events."
)
_ACTED = (
    "In the test nobody acted on the warnings. Once somebody does, a false alarm may be an event that was prevented:"
    " keep a list of what was warned of and what was done."
)
_FEEDBACK = (
    "What police find by being there (drugs, weapons, stops) says where officers were. As a target or a precursor it"
    " feeds back: officers go where the warning sends them, find more, and the next warning is surer of it. No test on"
    " the same records can see that."
)


def list_warning_limits(panel: Panel, targets: Sequence[str], precursors: Sequence[str]) -> list[str]:
    """List what limits warnings of these events in these units.

    Parameters
    ----------
    panel : Panel
    targets : sequence of str
        Categories warned of.
    precursors : sequence of str
        Categories that models read beside them; empty where that is not known.
    """
    shapes = list_limits(panel) if panel.mask.size > 1 else []
    return [NO_GROUND, describe_feedback(targets, precursors), _REPORTED, _ACTED, *shapes]


def describe_feedback(targets: Sequence[str], precursors: Sequence[str]) -> str:
    """Say what police make themselves by being there, and which of these categories are of that kind."""
    read = list(dict.fromkeys((*targets, *precursors)))
    found = [name for name in read if find_patrol_group(name) is not None]
    if found:
        one = len(found) == 1
        return (
            f"{_FEEDBACK} Of the categories read here {'this is' if one else 'these are'} of that kind, by"
            f" {'its name' if one else 'their names'}: {list_names(found)}. Where warnings send anybody, leave"
            f" {'it' if one else 'them'} out."
        )
    return f"{_FEEDBACK} By their names none of the categories read here is of that kind." if precursors else _FEEDBACK
