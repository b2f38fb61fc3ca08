"""Maps of all incidents beside a panel of warnings: drawn where they are asked for, of what was known."""

from __future__ import annotations

import numpy as np
import shapely
from kit.incidents import make_incidents

from riskengine.contract.warnings import Timing
from riskengine.ground.context import JobContext
from riskengine.maps.areas import make_areas
from riskengine.maps.warningpanel import make_city, make_warning_panel

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


def test_pictures_of_a_city_do_not_move_with_what_is_not_known_yet() -> None:
    times = np.datetime64("2024-01-01T01", "s") + 86_400 * np.arange(14)
    x, category = np.linspace(0.0, 9_000.0, 14), np.zeros(14, dtype=np.int32)
    known, pictures = np.datetime64("2024-01-13T00", "s"), []
    for later in (0.0, 90_000.0):
        x[12:] = 9_000.0 + later
        incidents = make_incidents(x, np.full(14, 5.0), times, category, ["SHOOTING"])
        asked = (incidents, ["SHOOTING"], [], make_city(incidents, "EPSG:32618"), Timing(24, 0, 0, 0), JobContext())
        pictures.append(make_warning_panel(*asked, known=known, pictures=True).panel.extras.pictures)
    np.testing.assert_array_equal(*pictures)
