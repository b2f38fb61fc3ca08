"""Incidents far from all others in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.contexts import Recorder

from riskengine.intake.timecheck import describe_far_times, find_far_times
from riskengine.jobs import run_job

DAYS = np.datetime64("2020-10-10T00:00:00") + np.arange(200) * np.timedelta64(86400, "s")


def far(*odd: str, days: np.ndarray = DAYS) -> list[str]:
    times = np.concatenate([days, np.array(odd, dtype="datetime64[s]")])
    return [str(time)[:10] for time in times[find_far_times(times)]]


def test_years_apart_are_far() -> None:
    assert far("1929-10-09", "1929-11-01", "2120-01-01") == ["1929-10-09", "1929-11-01", "2120-01-01"]
    assert far("1929-10-09", days=DAYS[:10]) == ["1929-10-09"]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 200])
def test_ordinary_files_have_none(count: int) -> None:
    assert far(days=DAYS[:count]) == []
    assert far(days=np.repeat(DAYS[:1], count)) == []


def test_a_slow_beginning_is_not_far() -> None:
    assert far("2017-12-15", "2019-02-15", "2019-08-15", "2019-12-15", "2020-01-15") == []


def test_the_sentence_counts_and_shows_a_few() -> None:
    times = np.concatenate([DAYS, np.array([f"19{year}-01-01" for year in range(20, 25)], dtype="datetime64[s]")])
    said = describe_far_times(times, np.arange(len(times)) + 2)
    assert said.startswith("5 incidents lie up to 100 years before all others, which are from 2020-10-10 to 2021-04-27")
    assert "1920-01-01 (line 202), 1921-01-01 (line 203), 1922-01-01 (line 204) and others." in said
    assert describe_far_times(DAYS, np.arange(len(DAYS))) == ""


def test_an_import_warns_of_a_year_with_a_wrong_digit(tmp_path: Path) -> None:
    path = tmp_path / "city.csv"
    dates = [*(f"10/{day}/2020" for day in range(10, 20)), "10/9/1929", "11/1/0220", "10/30/2202"]
    path.write_text("date,lon,lat\n" + "".join(f"{date},-84.4,33.7\n" for date in dates), encoding="utf-8")
    context = Recorder()
    result = run_job("import_csv", {"path": str(path), "folder": str(tmp_path)}, context)
    assert result["reasons"] == {"year out of range": 2}
    warned = [line for line in context.lines if line.startswith("warning: 1 incident lies 91 years before")]
    assert len(warned) == 1
    assert "1929-10-09 (line 12)" in warned[0]
