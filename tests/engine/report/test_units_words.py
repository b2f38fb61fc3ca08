"""How reports describe a grid below their titles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from kit.maps import make_stack

from riskengine.report.units import describe_layout


def test_cells_of_the_study_area_are_told_from_those_of_the_grid() -> None:
    panel = make_stack(np.zeros((3, 4, 5), dtype=np.int32))
    assert describe_layout(panel).startswith("20 cells of ")
    inside = np.ones((4, 5), dtype=np.bool_)
    inside[0] = False
    assert describe_layout(replace(panel, mask=inside)).startswith("15 of 20 cells of ")
