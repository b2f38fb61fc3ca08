"""The crime index: both ways to search agree with plain arithmetic, and the file gives back what it was given."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.contexts import make_cancelled_context
from kit.incidents import make_incidents

from riskengine.ground.errors import Cancelled, FormatError, ParameterError
from riskengine.intake.incidents import Incidents
from riskengine.systems.score.index import CrimeIndex, has_annoy

CRS = "EPSG:32614"
needs_annoy = pytest.mark.skipif(not has_annoy(), reason="annoy could not be compiled on this machine")
METHODS = ["exact", pytest.param("annoy", marks=needs_annoy)]


def scattered(count: int, seed: int = 0, size: float = 3000.0) -> Incidents:
    random = np.random.default_rng(seed)
    return make_incidents(
        480_000 + random.uniform(0, size, count),
        2_150_000 + random.uniform(0, size, count),
        np.datetime64("2024-01-01", "s") + random.integers(0, 86_400 * 60, count),
        random.integers(-1, 2, count),
        ["ROBO", "Überfall"],
        np.arange(count) * 3,
    )


def by_hand(incidents: Incidents, x: np.ndarray, y: np.ndarray, radius: float, counted: Any = None) -> list[int]:
    near = np.hypot(incidents.x - x[:, None], incidents.y - y[:, None]) < radius
    return (near if counted is None else near & counted).sum(axis=1).tolist()


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 120), radius=st.floats(1, 5000), asked=st.integers(0, 50))
def test_counts_are_exact(seed: int, count: int, radius: float, asked: int) -> None:
    incidents = scattered(count, seed)
    random = np.random.default_rng(seed + 1)
    x, y = 480_000 + random.uniform(-500, 3500, asked), 2_150_000 + random.uniform(-500, 3500, asked)
    counted = random.random(count) < 0.5
    index = CrimeIndex(incidents, CRS)
    assert index.count_within(x, y, radius).tolist() == by_hand(incidents, x, y, radius)
    if counted.any():
        assert index.count_within(x, y, radius, counted).tolist() == by_hand(incidents, x, y, radius, counted)


def test_closer_than_the_radius_not_as_close() -> None:
    incidents = scattered(1)
    x, y = incidents.x + 200.0, incidents.y
    assert CrimeIndex(incidents, CRS).count_within(x, y, 200.0).tolist() == [0]
    assert CrimeIndex(incidents, CRS).count_within(x, y, 200.0001).tolist() == [1]


@pytest.mark.parametrize("method", METHODS)
def test_many_at_one_place(method: Any) -> None:
    incidents = scattered(500, size=0.0)
    index = CrimeIndex(incidents, CRS, method)
    assert index.count_within(incidents.x[:3], incidents.y[:3], 10.0).tolist() == [500] * 3
    assert index.recall() == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_nearest(method: Any) -> None:
    incidents = scattered(300)
    index = CrimeIndex(incidents, CRS, method, trees=50)
    distance, number = index.find_nearest(incidents.x[:20], incidents.y[:20], 5)
    assert distance.shape == number.shape == (20, 5)
    assert (np.diff(distance, axis=1) >= 0).all()
    assert distance[:, 0] == pytest.approx(0, abs=0.01)
    exact, _ = CrimeIndex(incidents, CRS).find_nearest(incidents.x[:20], incidents.y[:20], 5)
    assert (distance >= exact - 0.01).all()
    far, none = index.find_nearest(incidents.x[:1], incidents.y[:1], 301)
    assert np.isinf(far[0, -1])
    assert none[0, -1] == 300


@needs_annoy
def test_annoy_recall_and_determinism() -> None:
    incidents = scattered(2000)
    index = CrimeIndex(incidents, CRS, "annoy", trees=10, seed=4)
    assert 0.9 < index.recall() <= 1.0
    again = CrimeIndex(incidents, CRS, "annoy", trees=10, seed=4)
    counts = index.count_within(incidents.x[:200], incidents.y[:200], 200)
    assert np.array_equal(counts, again.count_within(incidents.x[:200], incidents.y[:200], 200))
    exact = np.array(by_hand(incidents, incidents.x[:200], incidents.y[:200], 200))
    assert (counts <= exact).all()
    assert counts.sum() > 0.95 * exact.sum()


@pytest.mark.parametrize("method", METHODS)
def test_round_trip(method: Any, tmp_path: Path) -> None:
    incidents = scattered(200)
    index = CrimeIndex(incidents, CRS, method, trees=7, seed=3)
    path = tmp_path / "índice uno.crimeindex"
    index.save(path, {"source": "a & b"})
    again = CrimeIndex.load(path)
    for name in ("x", "y", "time", "category", "fid"):
        assert np.array_equal(getattr(again.incidents, name), getattr(incidents, name)), name
    assert again.incidents.categories == incidents.categories
    assert (again.crs, again.method, again.trees, again.seed) == (CRS, method, 7, 3)
    x, y = incidents.x[:50], incidents.y[:50]
    assert np.array_equal(again.count_within(x, y, 300), index.count_within(x, y, 300))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    first = path.read_bytes()
    index.save(path, {"source": "a & b"})
    assert CrimeIndex.load(path).incidents.x.tolist() == incidents.x.tolist()
    with zipfile.ZipFile(path) as bundle:
        meta = json.loads(bundle.read("meta.json"))
    assert meta["count"] == 200
    assert len(meta["fingerprint"]) == 16
    assert len(first) == path.stat().st_size


def test_broken_files(tmp_path: Path) -> None:
    path = tmp_path / "a.crimeindex"
    CrimeIndex(scattered(50), CRS).save(path)
    whole = path.read_bytes()
    for share in (0.0, 0.3, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FormatError, match="truncated or foreign"):
            CrimeIndex.load(path)
    # A flipped byte in the middle of the coordinates is found by the checksum.
    spoilt = bytearray(whole)
    spoilt[len(whole) // 3] ^= 0xFF
    path.write_bytes(spoilt)
    with pytest.raises(FormatError, match="damaged"):
        CrimeIndex.load(path)


@pytest.mark.parametrize(
    "changes", [{"count": 3}, {"categories": None}, {"crs": ...}, {"trees": 0}, {"method": "annoy"}, {"format": None}]
)
def test_a_description_that_does_not_fit(changes: dict[str, Any], tmp_path: Path) -> None:
    CrimeIndex(scattered(20), CRS).save(tmp_path / "a.crimeindex")
    target = tmp_path / "b.crimeindex"
    with zipfile.ZipFile(tmp_path / "a.crimeindex") as source, zipfile.ZipFile(target, "w") as copy:
        meta = {**json.loads(source.read("meta.json")), **changes}
        copy.writestr("meta.json", json.dumps({key: value for key, value in meta.items() if value is not ...}))
        for name in source.namelist():
            if name != "meta.json":
                copy.writestr(name, source.read(name))
    if changes == {"method": "annoy"} and not has_annoy():
        return
    with pytest.raises(FormatError):
        CrimeIndex.load(target)


def test_what_cannot_work() -> None:
    index = CrimeIndex(scattered(5), CRS)
    for radius in (0.0, -1.0, float("nan")):
        with pytest.raises(ParameterError, match=r"radius is .* must be greater than 0"):
            index.count_within(index.incidents.x, index.incidents.y, radius)
    with pytest.raises(ParameterError, match="trees is 0"):
        CrimeIndex(scattered(5), CRS, trees=0)


def test_counting_can_be_cancelled() -> None:
    index = CrimeIndex(scattered(5), CRS)
    with pytest.raises(Cancelled):
        index.count_within(index.incidents.x, index.incidents.y, 10.0, context=make_cancelled_context())
