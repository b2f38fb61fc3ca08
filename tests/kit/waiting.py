"""Waiting for what another process or thread does; no test of either Python needs more than this for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def wait_for(condition: Callable[[], Any], seconds: float = 60, turn: Callable[[], None] | None = None) -> None:
    """Wait until something holds; `turn` is called in between, as Qt's events want."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        if turn is not None:
            turn()
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Say whether a process runs; zombies count as dead, for nobody may be there to collect them."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] in "ZX")
