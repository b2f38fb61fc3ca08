"""Medians by group."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riskengine.measures.grouped import compute_medians


@given(st.lists(st.tuples(st.integers(-1, 5), st.floats(-1e6, 1e6) | st.just(float("nan"))), max_size=40))
def test_they_are_numpys_of_the_values_that_are_there(rows: list[tuple[int, float]]) -> None:
    group, values = np.array([each for each, _ in rows], dtype=np.int64), np.array([each for _, each in rows])
    found = compute_medians(group, values.astype(np.float64), 5)
    for number in range(5):
        own = [value for each, value in rows if each == number and not np.isnan(value)]
        np.testing.assert_allclose(found[number], np.median(own) if own else np.nan)
