"""The n of a map: how many incidents, in how many maps, of which time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from riskengine.contract import tags
from riskengine.maps.counted import describe_counted, read_counted, tell_counted
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps


@pytest.fixture
def heatmaps() -> Heatmaps:
    """Three days; the second was not observed, and a corner lies outside the study area."""
    counts = np.array([[[1, 2], [0, 40]], [[9, 9], [9, 9]], [[0, 0], [3, 40]]], dtype=np.uint8)
    edges = np.arange("2024-12-30", "2025-01-03", dtype="datetime64[D]").astype("datetime64[s]")
    mask = np.array([[True, True], [True, False]])
    grid = Grid(west=0.0, north=0.0, cell=100.0, columns=2, rows=2, crs="EPSG:32616")
    return Heatmaps(counts, edges, mask, grid, "1 days", observed=np.array([True, False, True]))


def test_only_what_was_observed_inside_counts(heatmaps: Heatmaps) -> None:
    assert describe_counted(heatmaps) == "n = 6 incidents in 2 maps of 1 day, Mon 30 Dec 2024 – Wed 1 Jan 2025"


def test_one_of_each_is_one(heatmaps: Heatmaps) -> None:
    single = replace(heatmaps, counts=np.minimum(heatmaps.counts[:1], 1) * [[1, 0], [0, 0]], edges=heatmaps.edges[:2])
    single.observed = np.ones(1, dtype=bool)
    assert describe_counted(single) == "n = 1 incident in 1 map of 1 day, Mon 30 Dec 2024"


def test_of_the_judged_maps_alone(heatmaps: Heatmaps) -> None:
    assert describe_counted(heatmaps, np.array([2])) == "n = 3 incidents in 1 map of 1 day, Wed 1 Jan 2025"


def test_a_mark_is_no_incident(heatmaps: Heatmaps) -> None:
    marked = replace(heatmaps, counts=np.minimum(heatmaps.counts, 1), binary=True)
    assert describe_counted(marked).startswith("n = 3 marked cells in 2 maps")


def test_what_a_raster_says_is_passed_on_and_another_tools_says_nothing() -> None:
    said = read_counted({tags.CATEGORIES: "theft\nburglary", tags.COUNTED: "n = 2 incidents", tags.CARD: "Model."})
    assert said == {"counted_categories": ["theft", "burglary"], "counted_text": "n = 2 incidents", "card": "Model."}
    assert read_counted({}) == {"counted_categories": [], "counted_text": "", "card": ""}


def test_a_layer_of_points() -> None:
    assert tell_counted(1, "Tue 31 Dec 2024")["counted_text"] == "n = 1 incident, Tue 31 Dec 2024"
    assert tell_counted(0, "")["counted_text"] == ""
