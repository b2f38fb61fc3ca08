"""Windows: bins gathered as one, and nothing in them that was known later than it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.maps import make_stack
from kit.panels import make_panel

from riskengine.maps.panel import Covariate, Extras, Panel
from riskengine.maps.sparsecounts import keep_sparse
from riskengine.maps.windows import gather_windows, list_windows


def make_weeks(counts: list[list[int]], **more: Any) -> Panel:
    return make_panel(np.array(counts), bin="1 weeks", start="2024-01-01", **more)


def test_counts_are_added_up_in_windows_that_begin_with_the_test() -> None:
    # Seven weeks, windows of two from the fourth on: the first week and the last fill none.
    panel = make_weeks([[9, 9], [1, 0], [2, 0], [3, 1], [4, 0], [5, 0], [6, 0]])
    windows = gather_windows(panel, 3, 2)
    assert windows.counts.tolist() == [[3, 0], [7, 1], [11, 0]]
    assert windows.edges.tolist() == panel.edges[[1, 3, 5, 7]].tolist()
    assert windows.bin == "2 weeks"
    assert windows.edges[3 // 2] == panel.edges[3]
    assert list_windows(panel, 3, 2).tolist() == [3, 5]
    # One week is left at the end where they begin with the third.
    assert gather_windows(panel, 2, 2).counts.tolist() == [[10, 9], [5, 1], [9, 0]]


def test_a_window_of_one_bin_is_the_panel() -> None:
    panel = make_weeks([[1, 2], [3, 4]])
    assert gather_windows(panel, 1, 1) is panel


def test_unobserved_bins_count_nothing_and_a_window_of_nothing_else_is_not_scored() -> None:
    panel = make_weeks([[1], [7], [2], [5], [6], [3]])
    panel.observed = np.array([True, False, True, False, False, True])
    windows = gather_windows(panel, 0, 2)
    assert windows.counts[:, 0].tolist() == [1, 2, 3]
    panel.observed[5] = False
    assert gather_windows(panel, 0, 2).observed.tolist() == [True, True, False]
    assert list_windows(panel, 0, 2).tolist() == [0, 2]


def test_sums_that_outgrow_their_type_get_a_larger_one() -> None:
    panel = make_panel(np.full((4, 2), 200, dtype=np.uint8))
    windows = gather_windows(panel, 0, 2)
    assert windows.counts.tolist() == [[400, 400], [400, 400]]
    assert windows.counts.dtype == np.uint16


def test_sparse_counts_give_the_same_windows() -> None:
    counts = (np.random.default_rng(0).random((12, 30, 30)) < 0.01).astype(np.uint8)
    dense = make_stack(counts)
    sparse = keep_sparse(dense)
    assert not isinstance(sparse.counts, np.ndarray)
    assert np.array_equal(gather_windows(sparse, 5, 3).counts, gather_windows(dense, 5, 3).counts)


@given(
    bins=st.integers(1, 30),
    length=st.integers(2, 6),
    delay=st.integers(-3, 9),
    late=st.integers(0, 9),
    first=st.integers(0, 29),
    extra=st.integers(-4, 4),
)
def test_whoever_forecasts_a_window_knows_nothing_more_of_counts_or_covariates(
    bins: int, length: int, delay: int, late: int, first: int, extra: int
) -> None:
    # Each value is the number of its own bin, so that what is known says when it was recorded.
    numbers = np.arange(max(bins + extra, 0), dtype=np.float32)[:, None]
    panel = make_panel(np.zeros((bins, 1), dtype=np.uint8), delay=late)
    panel.extras = Extras(covariates=(Covariate("level", numbers, delay),))
    windows = gather_windows(panel, first, length)
    for number in range(len(windows)):
        start = first % length + number * length
        for level in windows.extras.covariates[0].before(number).values:
            assert level[0] in panel.extras.covariates[0].before(start).values[:, 0]
        known = windows.before(number)
        assert len(known) == 0 or known.edges[-1] <= panel.before(start).edges[-1]


def test_covariates_have_the_value_of_a_windows_last_bin() -> None:
    panel = make_weeks([[0]] * 6)
    values = np.array([[1], [2], [3], [4], [5], [6]], dtype=np.float32)
    panel.extras = Extras(np.ones((1, 1), np.float32), ("homes",), covariates=(Covariate("people", values, 1),))
    extras = gather_windows(panel, 0, 3).extras
    assert extras.covariates[0].values[:, 0].tolist() == [3, 6]
    assert extras.static_names == ("homes",)


@pytest.mark.parametrize(("first", "length"), [(3, 4), (6, 1), (2, 9)])
def test_windows_longer_than_the_test_are_none(first: int, length: int) -> None:
    assert list_windows(make_weeks([[1]] * 6), first, length).tolist() == []
