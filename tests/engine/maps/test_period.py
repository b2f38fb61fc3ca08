"""The chosen period: which months, which days, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.contexts import Recorder
from kit.incidents import make_incidents, write_incidents
from kit.pages import Page

from riskengine.ground.errors import DataError, ParameterError
from riskengine.jobs import run_job
from riskengine.maps.period import count_by_month, select_period


def times(**months: int) -> np.ndarray:
    """So many incidents on the 10th and later days of months given as m2013_01=5."""
    found = []
    for month, count in months.items():
        start = np.datetime64(month[1:].replace("_", "-") + "-10T09:00:00", "s")
        found.append(start + np.arange(count) * np.timedelta64(3600, "s"))
    return np.concatenate(found)


#: Two incidents, nothing, four full months (with a weak one after them), nothing, three full months.
YEARS = times(m2012_11=2, m2013_01=20, m2013_02=22, m2013_03=18, m2013_04=24, m2013_05=3, m2013_07=30, m2013_08=30)


def test_all_months_are_counted() -> None:
    months, counts = count_by_month(YEARS)
    assert [str(month) for month in months] == [
        *("2012-11", "2012-12"),
        *(f"2013-{month:02}" for month in range(1, 9)),
    ]
    assert counts.tolist() == [2, 0, 20, 22, 18, 24, 3, 0, 30, 30]


def test_the_longest_run_of_useful_months() -> None:
    period = select_period(YEARS)
    # Of the months with any incident the median is 21.
    assert period.limit == 10.5
    assert (str(period.start), str(period.end)) == ("2013-01-01T00:00:00", "2013-05-01T00:00:00")
    assert (period.incidents, period.left_out) == (84, 65)
    assert period.chosen.tolist() == [False, False, True, True, True, True, False, False, False, False]


OLD = {f"m20{year}_{month:02}": 1 for year in (17, 18, 19) for month in (1, 2, 3, 4, 8, 12)}


@pytest.mark.parametrize("share", [0.5, 0.3, 0.9])
def test_old_stragglers_make_no_median(share: float) -> None:
    """Eighteen cases of older months, entered late: four of them in a row are no period."""
    period = select_period(times(**OLD, m2020_10=62, m2020_11=60), share)
    assert (str(period.start), str(period.end)) == ("2020-10-01T00:00:00", "2020-11-13T00:00:00")
    assert (period.incidents, period.left_out) == (122, 18)
    assert period.limit == share * 61
    assert period.stragglers.sum() == 18


def test_what_makes_no_stragglers() -> None:
    few_months = times(m2019_01=1, m2019_02=1, m2020_10=40, m2020_11=40, m2020_12=40)
    assert not select_period(few_months).stragglers.any(), "the median is that of the others already"
    full = times(**{f"m2020_{month:02}": 100 for month in range(1, 13)})
    period = select_period(np.r_[full, np.full(2000, np.datetime64("2021-01-01T00:00:00", "s"))])
    assert not period.stragglers.any(), "a month of one wrong date is not the usual one"
    assert period.chosen.sum() == 13
    own = select_period(times(**OLD, m2020_10=62), least=1)
    assert not own.stragglers.any(), "a limit of one's own needs no median"


def test_stragglers_are_said(tmp_path: Path) -> None:
    old = times(**OLD, m2020_10=62, m2020_11=60)
    place = np.zeros(len(old))
    path = write_incidents(tmp_path / "incidents.npz", make_incidents(place, place, old))
    said = Recorder()
    run_job("select_period", {"incidents": path, "report": str(tmp_path / "r.html")}, said)
    assert any(line.startswith("18 months hold only 18 of 140 incidents: they are taken for") for line in said.messages)
    assert "but stragglers (18 months with 18 incidents)" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_limit_of_ones_own() -> None:
    period = select_period(YEARS, least=23)
    # One month of 24, or two of 30 at the end of the data: the run of two, up to the day of the last incident.
    assert (str(period.start), str(period.end)) == ("2013-07-01T00:00:00", "2013-08-12T00:00:00")
    assert period.limit == 23
    # At least, not more than: 24 is enough for 24.
    assert select_period(YEARS[:89], least=24).incidents == 24


def test_of_equal_runs_the_fuller_then_the_later() -> None:
    fuller = select_period(times(m2020_01=9, m2020_02=9, m2020_04=8, m2020_05=8), least=5)
    assert str(fuller.start) == "2020-01-10T00:00:00"
    later = select_period(times(m2020_01=9, m2020_02=9, m2020_04=9, m2020_05=9), least=5)
    assert str(later.start) == "2020-04-01T00:00:00"


def test_days_that_nobody_recorded_are_not_quiet_days() -> None:
    period = select_period(times(m2020_01=30, m2020_02=30))
    assert (str(period.start), str(period.end)) == ("2020-01-10T00:00:00", "2020-02-12T00:00:00")


def test_times_that_know_only_the_month_stand_for_all_of_it() -> None:
    """As data.police.uk publishes them."""
    months = np.repeat(np.array(["2021-01", "2021-02"], dtype="datetime64[M]").astype("datetime64[s]"), 5)
    period = select_period(months)
    assert (str(period.start), str(period.end)) == ("2021-01-01T00:00:00", "2021-03-01T00:00:00")


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.integers(0, 2 * 365 * 86_400), min_size=1, max_size=300),
    st.floats(0.05, 1.0),
)
def test_nothing_is_lost_and_every_month_is_useful(seconds: list[int], share: float) -> None:
    time = np.datetime64("2019-03-05T00:00:00", "s") + np.array(seconds, dtype="timedelta64[s]")
    period = select_period(time, share)
    inside = (time >= period.start) & (time < period.end)
    assert inside.sum() == period.incidents
    assert period.incidents + period.left_out == len(time)
    assert (period.counts[period.chosen] >= period.limit).all()
    chosen = np.flatnonzero(period.chosen)
    assert np.array_equal(chosen, np.arange(chosen[0], chosen[-1] + 1)), "a gap within the period"
    for outer in (chosen[0] - 1, chosen[-1] + 1):
        assert not 0 <= outer < len(period.counts) or period.counts[outer] < period.limit, "it could be longer"


def test_values_that_cannot_work() -> None:
    for value in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="it must be greater than 0"):
            select_period(YEARS, value)
        with pytest.raises(ParameterError, match="Leave it empty"):
            select_period(YEARS, least=value)
    with pytest.raises(DataError, match="No month holds 31 incidents; the fullest, 2013-07, holds 30"):
        select_period(YEARS, least=31)
    with pytest.raises(DataError, match="There are no incidents"):
        select_period(YEARS[:0])


@pytest.fixture
def exchange(tmp_path: Path) -> str:
    count = len(YEARS)
    place = np.zeros(count)
    return write_incidents(tmp_path / "incidents.npz", make_incidents(place, place, YEARS, fid=10 * np.arange(count)))


def test_job(exchange: str, tmp_path: Path) -> None:
    context = Recorder()
    result = run_job(
        "select_period",
        {"incidents": exchange, "report": str(tmp_path / "r.html"), "kept": str(tmp_path / "kept.npy")},
        context,
    )
    assert (result["start"], result["end"]) == ("2013-01-01T00:00:00", "2013-05-01T00:00:00")
    assert (result["incidents"], result["left_out"]) == (84, 65)
    assert result["months"][2] == ["2013-01", 20]
    assert np.load(tmp_path / "kept.npy").tolist() == [number * 10 for number in range(2, 86)]
    assert any("65 of 149 incidents (43.6%) lie outside the period" in message for message in context.messages)
    report = (tmp_path / "r.html").read_text(encoding="utf-8")
    page = Page(tmp_path / "r.html")
    page.check_order()
    assert page.lead == (
        "Jan – Apr 2013 is kept: 4 of 10 months, with 84 of 149 incidents; 65 (43.6 %) lie outside and are left out."
    )
    assert "data:image/" in report
    assert report.count('class="n kept"') == 4
    assert "http" not in report.replace("http://www.w3.org", ""), "a report must not need the network"


def test_more_than_half_left_out_is_a_warning(exchange: str) -> None:
    context = Recorder()
    parameters: dict[str, Any] = {"incidents": exchange, "least": 23}
    run_job("select_period", parameters, context)
    assert any("lie outside the period" in message for message in context.warnings)
