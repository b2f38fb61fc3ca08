"""Which rows are learned from and tested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.outcomerows import make_outcome_rows

from riskengine.ground.errors import DataError
from riskengine.systems.outcomes.rows import MISSING, Coded
from riskengine.systems.outcomes.splits import find_span, split_rows

ROWS = make_outcome_rows(600, days=50)


@given(st.floats(0.05, 0.5) | st.integers(1, 20), st.integers(0, 20))
@settings(max_examples=40)
def test_forward_in_time_nothing_is_learned_that_is_not_known_at_the_origin(test: float, maturity: int) -> None:
    parts = split_rows(ROWS, "forward", test, maturity)
    last = find_span(ROWS.day)[1]
    days = test if test >= 1 else max(round(test * 50), 1)
    assert (last - parts.origin) / np.timedelta64(1, "D") + 1 == days
    assert (ROWS.day[parts.learned] < parts.origin - np.timedelta64(maturity, "D")).all()
    assert (ROWS.day[parts.tested] >= parts.origin).all()
    left_out = np.setdiff1d(np.arange(len(ROWS)), np.r_[parts.learned, parts.tested])
    assert ((parts.origin - ROWS.day[left_out]) / np.timedelta64(1, "D") <= maturity).all()


def test_rows_without_a_day_are_left_out_forward_in_time_and_nowhere_else() -> None:
    day = ROWS.day.copy()
    day[::7] = np.datetime64("NaT")
    rows = replace(ROWS, day=day)
    forward, random = split_rows(rows, "forward"), split_rows(rows, "random")
    assert not np.isnat(day[np.r_[forward.learned, forward.tested]]).any()
    assert len(forward.learned) + len(forward.tested) == (~np.isnat(day)).sum()
    assert len(random.learned) + len(random.tested) == len(rows)


def test_at_random_the_share_is_tested_and_the_seed_says_which() -> None:
    parts = split_rows(ROWS, "random", 0.2, seed=3)
    assert len(parts.tested) == 120
    assert np.array_equal(np.sort(np.r_[parts.learned, parts.tested]), np.arange(600))
    assert np.array_equal(split_rows(ROWS, "random", 0.2, seed=3).tested, parts.tested)
    assert not np.array_equal(split_rows(ROWS, "random", 0.2, seed=4).tested, parts.tested)
    # Days at the end are the share that they are of all days.
    assert np.array_equal(split_rows(ROWS, "random", 10, seed=3).tested, parts.tested)


@given(st.integers(0, 50))
@settings(max_examples=20)
def test_rows_of_one_incident_stay_together_and_those_without_a_number_are_their_own(seed: int) -> None:
    code = ROWS.texts["incident"].codes.copy()
    code[:100] = MISSING
    rows = replace(ROWS, texts={**ROWS.texts, "incident": Coded(code, ROWS.texts["incident"].labels)})
    parts = split_rows(rows, "incident", 0.3, seed=seed)
    assert not set(code[parts.learned][code[parts.learned] != MISSING]) & set(code[parts.tested])
    numberless = (code[parts.tested] == MISSING).sum()
    assert 0 < numberless < 100
    assert len(parts.learned) + len(parts.tested) == 600


def test_blocks_of_space_lie_on_one_side_and_rows_without_a_place_on_none() -> None:
    x = ROWS.x.copy()
    x[:50] = np.nan
    rows = replace(ROWS, x=x)
    parts = split_rows(rows, "blocks", 0.3, side=1500.0)
    block = {
        name: set(zip(x[each] // 1500, rows.y[each] // 1500, strict=True))
        for name, each in (("learned", parts.learned), ("tested", parts.tested))
    }
    assert not block["learned"] & block["tested"]
    assert len(block["tested"]) == pytest.approx(0.3 * 36, abs=1)
    assert min(parts.learned.min(), parts.tested.min()) >= 50
    assert len(parts.learned) + len(parts.tested) == 550


def test_a_maturity_that_leaves_nothing_to_learn_from_is_refused_with_a_remedy() -> None:
    with pytest.raises(DataError, match=r"600 incidents of 50 days leave 0 rows to learn from and \d+ rows to test"):
        split_rows(ROWS, "forward", 0.2, maturity=60)


def test_a_split_by_what_the_rows_lack_is_refused() -> None:
    texts = {role: coded for role, coded in ROWS.texts.items() if role != "incident"}
    with pytest.raises(DataError, match=r"no field of the table says which rows are one incident.*ID_FIELD"):
        split_rows(replace(ROWS, texts=texts), "incident")
    with pytest.raises(DataError, match="none of them has a place"):
        split_rows(replace(ROWS, x=np.full(len(ROWS), np.nan)), "blocks")
