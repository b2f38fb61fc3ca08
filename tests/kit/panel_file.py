"""A small panel as a file, for tests under QGIS: the engine's Python makes it, as *Count incidents by area* would."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Three years of months in four areas of 1, 1, 2 and 6 km², with 0.25, 1, 0.75 and 1.25 incidents a month.
MAKE = """
import sys
import numpy as np
from kit.panels import make_panel, make_row
from riskengine.maps.panelfile import write_panel

counts = np.tile([[1, 1, 1, 2], [0, 1, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]], (9, 1))[: int(sys.argv[2])].astype(np.uint8)
shapes = make_row([1000, 1000, 2000, 6000])
write_panel(sys.argv[1], make_panel(counts, ids=[*"ABCD"], names=["Alder", "Birch", "Cedar", "Dogwood"], shapes=shapes))
"""


def make_panel_file(path: Path, months: int = 36) -> str:
    """Make the panel of the first so many months; returns its path as a parameter."""
    from crime_risk.bridge import environment

    known = {**environment.make_child_environment(), "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    command = [str(environment.python_of_engine()), "-c", MAKE, str(path), str(months)]
    subprocess.run(command, check=True, timeout=120, env=known)
    return str(path)
