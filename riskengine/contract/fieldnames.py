"""Fields of tables by the names that users type."""

from __future__ import annotations

from collections.abc import Iterable


def find_field(name: str, known: Iterable[str]) -> str | None:
    """Find a field: of just this name, or else the only one that differs in capitals, or blanks at its ends, alone.

    Commands lose blanks at the ends of names, which headers of tables do have.
    """
    names = list(known)
    if name in names:
        return name
    alike = [each for each in names if each.strip().casefold() == name.strip().casefold()]
    return alike[0] if len(alike) == 1 else None
