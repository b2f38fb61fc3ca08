"""Job: cut street lines where they cross, touch or share a vertex."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from ..contract.texts import count_text
from ..contract.tools.routes import SplitCrossings
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.wholetables import write_whole_table
from ..intake.project import move_places
from ..streets.crossings import SplitLines, split_lines
from ..streets.faultlayer import write_faults
from ..streets.faults import Faults
from ..streets.reading import Streets, read_streets
