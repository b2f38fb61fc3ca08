"""Street segments as units: the nearest within a tolerance, ends that meet, middles on the street."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from rasterio.warp import transform

from riskengine.ground.errors import DataError
from riskengine.maps.segments import Segments, make_segments

CRS = "EPSG:32618"


def make(tolerance: float = 50.0, **lines: shapely.Geometry) -> Segments:
    return make_segments(list(lines), np.array(list(lines.values()), dtype=object), CRS, tolerance)[0]


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(points)


def test_an_incident_belongs_to_the_nearest_segment_within_the_tolerance() -> None:
    streets = make(30.0, north=line((0, 100), (200, 100)), south=line((0, 0), (200, 0)))
    x, y = np.array([50.0, 50.0, 50.0, 50.0]), np.array([20.0, 80.0, 50.0, 131.0])
    assert streets.locate(x, y).tolist() == [1, 0, -1, -1]


def test_at_a_crossing_the_first_of_several_counts() -> None:
    streets = make(a=line((0, 0), (100, 0)), b=line((100, 0), (200, 0)), c=line((100, 0), (100, 90)))
    x, y = np.array([100.0, 100.0]), np.array([0.0, -10.0])
    point, segment = streets.match(x, y)
    assert [segment[point == number].tolist() for number in (0, 1)] == [[0, 1, 2], [0, 1, 2]]
    assert streets.locate(x, y).tolist() == [0, 0]


def test_sizes_are_lengths_and_middles_lie_on_the_street() -> None:
    streets = make(straight=line((0, 0), (300, 0)), bent=line((0, 0), (100, 0), (100, 200)))
    assert streets.measure_sizes().tolist() == [300, 300]
    assert streets.side == 300
    x, y = streets.find_centres()
    assert (x.tolist(), y.tolist()) == ([150, 100], [0, 50])


def test_a_segment_of_two_parts_has_its_middle_on_the_longer_one() -> None:
    parts = shapely.MultiLineString([[(0, 0), (10, 0)], [(500, 0), (700, 0)]])
    x, y = make(road=parts).find_centres()
    assert (x.tolist(), y.tolist()) == ([600], [0])


def test_neighbours_share_an_end_within_half_a_metre_and_a_bridge_is_no_crossing() -> None:
    streets = make(
        a=line((0, 0), (100, 0)),
        b=line((100.4, 0), (200, 0)),
        gap=line((201, 0), (300, 0)),
        bridge=line((50, -50), (50, 50)),
        ring=line((0, 0), (-50, 50), (-50, -50), (0, 0)),
    )
    touch = streets.find_neighbours().toarray()
    pairs = {(streets.ids[one], streets.ids[other]) for one, other in zip(*np.nonzero(touch), strict=True)}
    assert pairs == {("a", "b"), ("b", "a"), ("a", "ring"), ("ring", "a")}


def test_rows_without_length_are_named_and_rows_of_one_id_are_one_segment() -> None:
    rows = [
        ("main", line((0, 0), (9, 0))),
        ("point", line((5, 5), (5, 5))),
        ("main", line((9, 0), (20, 0))),
        ("none", None),
    ]
    segments, faults = make_segments(
        [name for name, _ in rows], np.array([shape for _, shape in rows], dtype=object), CRS, 50.0
    )
    assert segments.ids == ("main",)
    assert segments.measure_sizes().tolist() == [20]
    assert (faults.empty, faults.joined) == (["none", "point"], ["main"])


def test_a_layer_without_lines_is_refused() -> None:
    with pytest.raises(DataError, match=r"no line.*street segments"):
        make_segments(["a"], np.array([shapely.Point(0, 0)], dtype=object), CRS, 50.0)


def test_the_streets_of_baltimore(data_folder: Path) -> None:
    """Thirty-five thousand segments: each middle belongs to its own, and nearly all streets touch another."""
    _, _, packed, _ = pyogrio.raw.read(data_folder / "streets" / "baltimore_streets.gpkg", columns=[])
    lines = shapely.from_wkb(packed)
    x, y = transform("EPSG:4326", CRS, *shapely.get_coordinates(lines).T)
    lines = shapely.set_coordinates(lines, np.column_stack([x, y]))
    streets, faults = make_segments([str(number) for number in range(len(lines))], lines, CRS, 30.0)
    assert len(streets.ids) == 35_358
    assert not faults.empty
    own = streets.locate(*streets.find_centres()) == np.arange(35_358)
    # Some lie on one another: dual carriageways that were drawn twice.
    assert own.mean() > 0.999
    assert (streets.find_neighbours().sum(axis=1) > 0).mean() > 0.99
