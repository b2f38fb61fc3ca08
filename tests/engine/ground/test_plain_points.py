"""Points in well-known binary are read at once where all of them are plain."""

from __future__ import annotations

import numpy as np
import shapely

from riskengine.ground.tables import read_plain_points


def test_plain_points_are_read_and_none_is_no_place() -> None:
    written = np.array(
        [shapely.to_wkb(shapely.Point(1.5, -2)), None, shapely.to_wkb(shapely.Point(3, 4))], dtype=object
    )
    read = read_plain_points(written)
    assert read is not None
    np.testing.assert_array_equal(read, [[1.5, np.nan, 3], [-2, np.nan, 4]])


def test_anything_else_is_left_to_others() -> None:
    point = shapely.to_wkb(shapely.Point(1, 2))
    for other in (shapely.Point(1, 2, 3), shapely.MultiPoint([[1, 2]]), shapely.box(0, 0, 1, 1)):
        assert read_plain_points(np.array([point, shapely.to_wkb(other)], dtype=object)) is None
    assert read_plain_points(np.array([shapely.to_wkb(shapely.Point(1, 2), byte_order=0)], dtype=object)) is None
