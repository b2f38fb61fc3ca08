"""The study area: which rows and columns remain, the smallest box, and points in polygons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kit.contexts import Recorder
from kit.incidents import make_incidents, write_incidents

from riskengine.ground.errors import DataError, ParameterError
from riskengine.jobs import run_job
from riskengine.maps.study_area import choose_dense_box, choose_smallest_box, in_polygons, trim_by_events

CRS = "EPSG:32614"
COUNTS = np.array([[0, 1, 0, 0], [2, 5, 3, 0], [0, 4, 1, 0], [0, 0, 0, 1]])


def test_rows_and_columns_with_few_events_are_cut() -> None:
    # By hand: the row and the column with 1 go, then the top row with 1, then the left column with 2.
    assert trim_by_events(COUNTS, 3) == (1, 2, 1, 2)
    assert trim_by_events(COUNTS, 1) == (0, 3, 0, 3)
    # A row is enough when it holds exactly the threshold.
    assert trim_by_events(COUNTS, 5) == (1, 1, 1, 1)
    with pytest.raises(DataError, match="No row or column of the grid holds 99 incidents; the fullest cell holds 5"):
        trim_by_events(COUNTS, 99)


def test_an_empty_row_between_dense_ones_stays() -> None:
    assert trim_by_events(np.array([[5, 5], [0, 0], [5, 5]]), 3) == (0, 2, 0, 1)


@settings(deadline=None, max_examples=80)
@given(hnp.arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 5)))
def test_what_remains_reaches_the_threshold_on_all_sides(counts: np.ndarray) -> None:
    try:
        top, bottom, left, right = trim_by_events(counts, 4)
    except DataError:
        return
    part = counts[top : bottom + 1, left : right + 1]
    assert min(part[0].sum(), part[-1].sum(), part[:, 0].sum(), part[:, -1].sum()) >= 4
    # Turning the map turns the box.
    if counts.sum(axis=0).min() >= 4 and counts.sum(axis=1).min() >= 4:
        assert part.shape == counts.shape


@settings(deadline=None, max_examples=120)
@given(
    hnp.arrays(np.int64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 4)),
    st.floats(0.01, 1.0),
)
def test_no_smaller_box_holds_the_share(counts: np.ndarray, share: float) -> None:
    total = int(counts.sum())
    if not total:
        return
    needed = int(np.ceil(share * total - 1e-9))
    rows, columns = counts.shape
    every = [
        ((bottom - top + 1) * (right - left + 1), -int(counts[top : bottom + 1, left : right + 1].sum()))
        for top in range(rows)
        for bottom in range(top, rows)
        for left in range(columns)
        for right in range(left, columns)
        if counts[top : bottom + 1, left : right + 1].sum() >= needed
    ]
    top, bottom, left, right = choose_smallest_box(counts, share, total)
    held = int(counts[top : bottom + 1, left : right + 1].sum())
    assert ((bottom - top + 1) * (right - left + 1), -held) == min(every)


@pytest.fixture(scope="module")
def town() -> tuple[np.ndarray, np.ndarray]:
    """100 incidents in the square kilometre east of 500 km and north of 2000 km, and 4 that lie 50 km away."""
    random = np.random.default_rng(5)
    x, y = 500_000 + random.uniform(1, 999, 100), 2_000_000 + random.uniform(1, 999, 100)
    # Its corners are there, so that the box is known.
    x[:4], y[:4] = 500_000 + np.array([1, 999, 1, 999]), 2_000_000 + np.array([1, 1, 999, 999])
    far = 50_000 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    return np.r_[x, 500_500 + far[:, 0]], np.r_[y, 2_000_500 + far[:, 1]]


def test_outliers_are_left_out_and_the_cells_follow(town: tuple[np.ndarray, np.ndarray]) -> None:
    found = choose_dense_box(*town, CRS, share=0.95)
    assert found.inside.sum() >= 99
    assert not found.inside[-4:].any()
    assert found.cell < 100, "a few far places must not make the cells coarse"
    west, south, east, north = found.extent
    assert 499_950 <= west <= 500_050
    assert 500_950 <= east <= 501_050
    assert 1_999_950 <= south <= 2_000_050
    assert 2_000_950 <= north <= 2_001_050


def test_by_events_on_cells_of_ones_own(town: tuple[np.ndarray, np.ndarray]) -> None:
    found = choose_dense_box(*town, CRS, events=2, cell=500.0)
    assert found.extent == (500_000, 2_000_000, 501_000, 2_001_000)
    assert found.inside.tolist() == [True] * 100 + [False] * 4
    assert found.cell == 500
    all_of_them = choose_dense_box(*town, CRS, share=1.0, cell=500.0)
    assert all_of_them.inside.all()


def test_one_place_is_a_study_area_too() -> None:
    found = choose_dense_box(np.full(3, 500_010.0), np.full(3, 2_000_010.0), CRS)
    assert found.inside.all()
    assert found.extent == (500_000, 2_000_000, 500_100, 2_000_100)


def test_values_that_cannot_work(town: tuple[np.ndarray, np.ndarray]) -> None:
    for cell in (0.0, -5.0):
        with pytest.raises(ParameterError, match=r"cell_size is .*; it must be greater than 0"):
            choose_dense_box(*town, CRS, cell=cell)
    with pytest.raises(ParameterError, match="events is 0"):
        choose_dense_box(*town, CRS, events=0)
    for share in (0.0, 1.1, float("nan")):
        with pytest.raises(ParameterError, match="it must be above 0 and at most 1"):
            choose_dense_box(*town, CRS, share=share)
    with pytest.raises(ParameterError, match=r"Cells of 20 m make a grid of .* the limit is 1,000"):
        choose_dense_box(*town, CRS, cell=20.0)


def ring(*corners: tuple[float, float]) -> list[list[float]]:
    return [list(corner) for corner in (*corners, corners[0])]


SQUARE = ring((0, 0), (10, 0), (10, 10), (0, 10))
HOLE = ring((4, 4), (6, 4), (6, 6), (4, 6))


def test_inside_polygons() -> None:
    x, y = np.array([5.0, 1.0, 11.0, 21.0, 5.0]), np.array([5.0, 1.0, 5.0, 1.0, -1.0])
    polygon = {"type": "Polygon", "coordinates": [SQUARE, HOLE]}
    assert in_polygons(x, y, [polygon]).tolist() == [False, True, False, False, False]
    island = [ring((20, 0, 7), (22, 0, 7), (22, 2, 7))]  # type: ignore[arg-type]
    several = {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE], island]}
    assert in_polygons(x, y, [several]).tolist() == [False, True, False, True, False]
    # Where polygons overlap a point is still inside.
    assert in_polygons(x, y, [polygon, polygon]).tolist() == [False, True, False, False, False]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_inside_a_triangle(seed: int) -> None:
    random = np.random.default_rng(seed)
    corners = random.uniform(-10, 10, (3, 2))
    x, y = random.uniform(-12, 12, (2, 50))
    side = []
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        side.append((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) > 0)
    expected = (np.array(side).sum(axis=0) % 3) == 0
    polygon = {"type": "Polygon", "coordinates": [ring(*corners.tolist())]}
    assert np.array_equal(in_polygons(x, y, [polygon]), expected)


@pytest.fixture
def job(town: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> Any:
    count = len(town[0])
    time = np.full(count, np.datetime64("2024-01-01T12:00:00", "s"))
    path = write_incidents(tmp_path / "incidents.npz", make_incidents(*town, time, fid=np.arange(count) + 7))

    def run(**parameters: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        context = Recorder()
        return run_job("select_area", {"incidents": path, "crs": CRS, **parameters}, context), context.entries

    return run


def test_job_says_what_is_left_out(job: Any, tmp_path: Path) -> None:
    result, said = job(method="events", events=2, cell_size=500, kept=str(tmp_path / "kept.npy"))
    assert (result["incidents"], result["left_out"], result["cell_size"]) == (100, 4, 500)
    assert result["share"] == pytest.approx(100 / 104)
    assert result["extent"] == [500_000, 2_000_000, 501_000, 2_001_000]
    assert np.load(tmp_path / "kept.npy").tolist() == list(range(7, 107))
    assert ("info", "4 of 104 incidents (3.8%) lie outside the study area and are left out.") in said


def test_job_by_polygons(job: Any) -> None:
    box = ring((500_000, 2_000_000), (500_500, 2_000_000), (500_500, 2_001_000), (500_000, 2_001_000))
    west = {"type": "Polygon", "coordinates": [box]}
    result, _ = job(method="polygons", polygons=[west])
    assert result["extent"] is None
    assert 30 < result["incidents"] < 70
    assert result["incidents"] + result["left_out"] == 104
    away = {"type": "Polygon", "coordinates": [SQUARE]}
    with pytest.raises(DataError, match="None of the 104 incidents lies inside the polygons"):
        job(method="polygons", polygons=[away])
    with pytest.raises(ParameterError, match=r"polygons is empty\. Choose a polygon layer, or another method"):
        job(method="polygons")
