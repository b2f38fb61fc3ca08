"""The mark in the name of a temporary file that says which process makes it, and so whether it is abandoned."""

from __future__ import annotations

import hashlib
import os
import platform


def make_owner(pid: int | None = None) -> str:
    """Make the mark of a process: of this computer, and its number. On a shared folder other computers write too."""
    return f"{_HOST}-{pid or os.getpid()}"


def is_of_this_host(host: str) -> bool:
    """Whether a mark's first part is this computer's."""
    return host == _HOST


_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
