"""Open cases: a file in which outcomes take time, so that its end falls short."""

from __future__ import annotations

import numpy as np
import pytest

from riskengine.systems.outcomes.cases import study_cases
from riskengine.systems.outcomes.rows import MISSING, Coded, Rows


def make_daily(days: int, counts: tuple[int, int], delay: int = 0) -> Rows:
    """Each day so many incidents with and without the outcome; of the last `delay` days half of the outcomes are open.

    Two categories take turns, each of the same rate.
    """
    with_it, without = counts
    day = np.repeat(np.arange(days), with_it + without)
    happened = np.tile(np.arange(with_it + without) < with_it, days)
    late = days - 1 - day < delay
    happened &= ~(late & (np.tile(np.arange(with_it + without), days) >= with_it / 2))
    size = len(day)
    return Rows(
        np.arange(size),
        np.datetime64("2024-01-01") + day.astype("timedelta64[D]"),
        np.full(size, MISSING, dtype=np.int8),
        np.full(size, MISSING, dtype=np.int8),
        np.full(size, np.nan),
        np.full(size, np.nan),
        {"category": Coded((np.arange(size) % 2).astype(np.int32), ["THEFT", "BATTERY"])},
        happened=happened,
    )


@pytest.mark.parametrize(("delay", "maturity"), [(0, 0), (30, 28), (63, 63)])
def test_the_maturity_is_the_age_from_which_nothing_is_missing(delay: int, maturity: int) -> None:
    cases = study_cases(make_daily(200, (4, 16), delay))
    assert cases is not None
    assert (cases.days, cases.mature) == (200, 100)
    # After 30 days of open cases those of 28 and 29 days are two of 28: no fall that can be told.
    assert cases.maturity == maturity
    assert cases.recent.mean == pytest.approx(0.5 if delay else 1, abs=0.01)


def test_steps_and_ages_count_what_they_say() -> None:
    cases = study_cases(make_daily(100, (2, 8), 14))
    assert cases is not None
    assert str(cases.last) == "2024-04-09"
    # Fourteen whole weeks, the oldest first; two days at the begin are no week.
    assert cases.steps.ends[0] == 97
    assert cases.steps.begins[-1] == 0
    assert cases.steps.incidents.tolist() == [70] * 14
    assert cases.steps.outcomes.tolist() == [14] * 12 + [7] * 2
    assert cases.steps.expected == pytest.approx([14] * 14, rel=0.02)
    assert cases.ages.begins.tolist() == [0, 7, 14, 28, 56, 84]
    assert cases.ages.ends.tolist() == [6, 13, 27, 55, 83, 99]
    assert cases.ages.outcomes.tolist() == [7, 7, 28, 56, 56, 32]


def test_what_is_missing_is_named_by_category() -> None:
    """Batteries of the last four weeks are all open."""
    rows = make_daily(120, (4, 6))
    battery = rows.texts["category"].codes == 1
    late = rows.day > rows.day.max() - np.timedelta64(28, "D")
    assert rows.happened is not None
    rows.happened[battery & late] = False
    cases = study_cases(rows)
    assert cases is not None
    assert list(cases.late.names) == ["BATTERY"]
    # Of ten a day the second, fourth and so on are batteries; two of the four outcomes.
    assert (cases.late.mature[0], cases.late.mature_outcomes[0]) == (300, 120)
    assert (cases.late.recent[0], cases.late.recent_outcomes[0]) == (140, 0)


def test_a_file_that_falls_all_along_or_is_short_has_no_maturity() -> None:
    short = study_cases(make_daily(60, (2, 8), 20))
    assert short is not None
    assert not short.long_enough
    assert short.maturity is None
    falling = study_cases(make_daily(100, (4, 6), 49))
    assert falling is not None
    assert falling.long_enough
    assert falling.maturity is None


def test_without_dates_or_outcomes_there_is_nothing_to_say() -> None:
    rows = make_daily(100, (0, 5))
    assert study_cases(rows) is None
    rows.day[:] = np.datetime64("NaT")
    assert study_cases(rows) is None


def test_the_end_of_the_file_teaches_nothing() -> None:
    """What is expected rests on the older half alone."""
    rows, other = make_daily(200, (4, 16)), make_daily(200, (4, 16))
    young = other.day > other.day.max() - np.timedelta64(99, "D")
    assert other.happened is not None
    other.happened[young] = True
    first, second = study_cases(rows), study_cases(other)
    assert first is not None
    assert second is not None
    assert first.steps.expected.tolist() == second.steps.expected.tolist()
