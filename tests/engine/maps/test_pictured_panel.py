"""Maps of all incidents beside a panel of warnings: drawn where they are asked for, of what was known."""

from __future__ import annotations

import numpy as np
import shapely
from kit.incidents import make_incidents

from riskengine.contract.warnings import Timing
from riskengine.ground.context import JobContext
from riskengine.maps.areas import make_areas
from riskengine.maps.warningpanel import make_warning_panel

NAMES = ["SHOOTING", "ASSAULT", "THEFT"]


def test_pictures_show_targets_similar_and_all_others_that_were_known() -> None:
    times = np.datetime64("2024-01-01T01", "s") + 86_400 * np.arange(14)
    x = np.tile([10.0, 630.0], 7)
    category = np.array([0, 1, 2, 1, 2, 1, 2, 0, 1, 2, 1, 2, 0, 1], dtype=np.int32)
    incidents = make_incidents(x, np.full(14, 5.0), times, category, NAMES)
    areas, _ = make_areas(["A"], np.array([shapely.box(0, 0, 640, 640)]), "EPSG:32618")
    asked = (incidents, ["SHOOTING"], ["ASSAULT"], areas, Timing(24, 0, 0, 0), JobContext())
    known = np.datetime64("2024-01-13T00", "s")
    pictures = make_warning_panel(*asked, known=known, pictures=True).panel.extras.pictures
    assert pictures.shape[1:] == (3, 32, 32)
    # Targets, similar ones, and all that are no target, in the row at the bottom; nothing of the last two days.
    assert pictures.sum(axis=(0, 2, 3)).tolist() == [2, 5, 10]
    assert pictures[0, 0, -1, 0] == pictures[1, 1, -1, -1] == pictures[1, 2, -1, -1] == pictures[2, 2, -1, 0] == 1
    assert not make_warning_panel(*asked).panel.extras.pictures.size
