"""Sparse counts: to whoever reads them they are the array that they stand for."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy
from kit.maps import make_stack
from kit.panels import make_panel
from scipy.sparse import csr_array

from riskengine.ground.artefacts import compute_fingerprint
from riskengine.maps.area import narrow_to_past
from riskengine.maps.sparsecounts import SparseCounts, clear_units, gather_counts, keep_sparse, read_csr

KINDS = (np.uint8, np.uint16, np.uint32, np.int32)


def make_sparse(dense: np.ndarray) -> SparseCounts:
    """Sparse counts of a dense array, whether or not that is smaller."""
    return SparseCounts(csr_array(dense.reshape(len(dense), -1)), dense.shape[1:])


@st.composite
def dense_counts(draw: Any) -> np.ndarray:
    """Counts of a grid or of areas, most of them zero."""
    shape = draw(st.one_of(st.tuples(*[st.integers(1, 6)] * 3), st.tuples(*[st.integers(1, 7)] * 2)))
    kind = draw(st.sampled_from(KINDS))
    values = st.one_of(st.just(0), st.just(0), st.integers(0, 200))
    return draw(of_numpy.arrays(kind, shape, elements=values))


def assert_same(one: Any, other: Any) -> None:
    """Assert the same values, shape and type."""
    assert np.shape(one) == np.shape(other)
    assert one.dtype == np.asarray(other).dtype
    np.testing.assert_array_equal(np.asarray(one), other)


@given(dense_counts(), st.data())
def test_every_index_gives_what_the_array_gives(dense: np.ndarray, data: Any) -> None:
    sparse, maps, units = make_sparse(dense), len(dense), dense[0].size
    mask = data.draw(of_numpy.arrays(bool, dense.shape[1:]), label="mask")
    numbers = data.draw(of_numpy.arrays(np.intp, st.integers(0, 5), elements=st.integers(-maps, maps - 1)))
    chosen = data.draw(of_numpy.arrays(bool, maps))
    some = data.draw(st.slices(maps))
    number = int(numbers[0]) if len(numbers) else 0
    keys = [
        *(some, numbers, chosen, numbers.tolist(), chosen.tolist(), number, np.int64(number), ..., None, ()),
        *((slice(None), mask), (some, mask), (number, mask), (slice(None), 0), (some, slice(0, 1)), (number, 0)),
        *((numbers, 0), (chosen, ...), dense > 0, np.array([[0, maps - 1]]), (..., 0)),
    ]
    if dense.ndim == 2:
        keys.append((slice(None), np.array([units - 1, 0])))
    for key in keys:
        assert_same(sparse[key], dense[key])


@given(dense_counts(), st.slices(6))
def test_several_maps_stay_sparse_and_one_is_dense(dense: np.ndarray, some: slice) -> None:
    sparse = make_sparse(dense)
    assert isinstance(sparse[some], SparseCounts)
    assert isinstance(sparse[np.arange(len(dense))], SparseCounts)
    assert isinstance(sparse[np.ones(len(dense), dtype=bool)][some], SparseCounts)
    assert isinstance(sparse[0], np.ndarray)
    assert isinstance(sparse[:, np.ones(dense.shape[1:], dtype=bool)], np.ndarray)


@given(dense_counts())
def test_an_index_beyond_the_maps_is_refused_as_of_an_array(dense: np.ndarray) -> None:
    maps = len(dense)
    for key in (maps, -maps - 1, np.array([maps]), np.zeros(maps + 1, dtype=bool), (maps, 0), "a"):
        with pytest.raises(IndexError):
            dense[key]
        with pytest.raises(IndexError):
            make_sparse(dense)[key]


SUMS: list[Callable[[Any], Any]] = [
    lambda counts: counts.sum(),
    lambda counts: counts.sum(axis=0),
    lambda counts: counts.sum(axis=0, dtype=np.float64),
    lambda counts: counts.sum(axis=0, dtype=np.int64),
    lambda counts: counts.sum(axis=1),
    lambda counts: counts.sum(axis=-1, dtype=np.int64),
    lambda counts: counts.sum(axis=tuple(range(1, counts.ndim)), dtype=np.int64),
    lambda counts: counts.sum(axis=tuple(range(counts.ndim)), keepdims=True),
    lambda counts: counts.mean(),
    lambda counts: counts.mean(axis=0),
    lambda counts: counts.mean(axis=0, dtype=np.float32),
    lambda counts: counts.max(),
    lambda counts: counts.max(initial=0),
    lambda counts: counts.max(axis=0),
    lambda counts: counts.any(),
    lambda counts: counts.any(axis=0),
    lambda counts: counts.any(axis=tuple(range(1, counts.ndim))),
    lambda counts: counts.any(axis=1),
    np.sum,
    np.max,
    np.min,
    np.any,
    np.median,
    lambda counts: np.count_nonzero(counts),
    lambda counts: np.array(np.nonzero(counts)),
    lambda counts: np.concatenate([counts, counts]),
    lambda counts: np.where(counts[0] > 1, counts, 0),
    lambda counts: counts >= 1,
    lambda counts: counts == counts[0],
    lambda counts: 2 * counts + 1,
    lambda counts: counts.astype(np.float64),
    lambda counts: np.asarray(counts, dtype=np.float32),
    lambda counts: np.stack(list(counts)),
    lambda counts: np.array([len(counts), counts.size, counts.ndim]),
]


@given(dense_counts())
def test_every_sum_and_comparison_gives_what_the_array_gives(dense: np.ndarray) -> None:
    for compute in SUMS:
        assert_same(compute(make_sparse(dense)), compute(dense))


@given(dense_counts())
def test_an_axis_that_is_none_is_refused(dense: np.ndarray) -> None:
    for axis in (dense.ndim, (0, 0)):
        for counts in (dense, make_sparse(dense)):
            with pytest.raises(ValueError, match="axis"):
                counts.sum(axis=axis)


@given(dense_counts())
def test_they_are_the_same_after_a_file(dense: np.ndarray) -> None:
    again = pickle.loads(pickle.dumps(make_sparse(dense)[1:]))
    assert isinstance(again, SparseCounts)
    assert_same(again, dense[1:])


def test_what_is_read_is_a_copy_that_may_be_written_to() -> None:
    sparse = make_sparse(np.eye(3, dtype=np.uint8))
    written = np.array(sparse)
    written[:] = 7
    sparse[0][:] = 9
    assert_same(sparse, np.eye(3, dtype=np.uint8))
    with pytest.raises(TypeError):
        sparse[0] = 1  # type: ignore[index]


def test_a_panel_keeps_sparse_counts_only_where_that_is_smaller() -> None:
    quiet = np.zeros((50, 9, 9), dtype=np.uint8)
    quiet[3, 4, 5], quiet[20, 0, 0] = 2, 1
    kept = keep_sparse(make_stack(quiet))
    assert isinstance(kept.counts, SparseCounts)
    assert kept.counts.nbytes < quiet.nbytes
    assert_same(kept.counts, quiet)
    assert keep_sparse(kept) is kept
    busy = make_stack(np.ones((50, 9, 9), dtype=np.uint8))
    assert keep_sparse(busy) is busy
    # Maps that were filled in between others hold parts of incidents.
    filled = make_stack(quiet.astype(np.float32))
    assert keep_sparse(filled) is filled


def test_a_panel_with_sparse_counts_is_cut_and_known_as_any() -> None:
    counts = np.zeros((40, 30), dtype=np.uint8)
    counts[[2, 30, 39], [1, 5, 29]] = 1, 2, 3
    panel = make_panel(counts, ids=[f"A{number}" for number in range(30)])
    kept = keep_sparse(panel)
    assert isinstance(kept.counts, SparseCounts)
    for change in (lambda one: one.cut(31), lambda one: one.before(39), lambda one: one.take(np.array([29, 5]))):
        assert_same(change(kept).counts, change(panel).counts)


@given(dense_counts(), st.data())
def test_the_rows_of_the_study_area_are_the_same_however_they_are_kept(dense: np.ndarray, data: Any) -> None:
    stack = make_stack(dense) if dense.ndim == 3 else make_panel(dense)
    stack.mask = data.draw(of_numpy.arrays(bool, dense.shape[1:]))
    wanted = dense[:, stack.mask]
    for counts in (dense, make_sparse(dense)):
        stack.counts = counts
        rows = read_csr(stack)
        assert_same(rows.toarray(), wanted)
        assert rows.has_sorted_indices


@given(dense_counts(), st.booleans())
def test_what_is_gathered_map_by_map_is_the_same(dense: np.ndarray, sparse: bool) -> None:
    asked = []
    gathered = gather_counts(iter(dense), dense.shape, dense.dtype, sparse, lambda: asked.append(True))
    assert_same(gathered, dense)
    few = make_sparse(dense).nbytes < dense.nbytes
    assert isinstance(gathered, SparseCounts) == (sparse and few)
    assert asked == ([] if sparse and few else [True])


@given(dense_counts(), st.data())
def test_units_are_cleared_however_counts_are_kept(dense: np.ndarray, data: Any) -> None:
    units = data.draw(of_numpy.arrays(bool, dense.shape[1:]))
    sparse = make_sparse(dense)
    cleared = clear_units(sparse, units)
    assert_same(cleared, np.where(units, 0, dense).astype(dense.dtype))
    assert_same(clear_units(dense, units), cleared)
    assert isinstance(cleared, SparseCounts)
    assert (cleared.rows.data > 0).all()
    assert_same(sparse, dense)


@given(dense_counts())
def test_a_fingerprint_is_that_of_the_array(dense: np.ndarray) -> None:
    assert compute_fingerprint(make_sparse(dense)) == compute_fingerprint(dense)


def test_a_hull_of_the_past_is_the_same_however_counts_are_kept() -> None:
    random = np.random.default_rng(4)
    counts = np.zeros((30, 20, 20), dtype=np.uint8)
    counts[random.integers(0, 20, 60), random.integers(3, 12, 60), random.integers(3, 12, 60)] = 1
    counts[25, 15, 16] = 3
    dense = make_stack(counts, cell=100.0, area="hull ratio=0.1")
    said: list[str] = []
    one, other = (narrow_to_past(each, 20, said.append) for each in (dense, keep_sparse(dense)))
    assert isinstance(other.counts, SparseCounts)
    assert one.counts.sum() == counts.sum() - 3
    assert_same(other.counts, one.counts)
    assert np.array_equal(other.mask, one.mask)
    assert said[0] == said[1]
    assert "3 (100.00%) of 3 later incidents happened there" in said[0]
