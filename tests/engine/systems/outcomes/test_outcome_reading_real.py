"""The published tables of Chicago and San Francisco, read as they are; skipped where they are absent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskengine.systems.outcomes.judged import Leak
from riskengine.systems.outcomes.reading import ReadRows
from riskengine.systems.outcomes.reported import choose_rows
from riskengine.systems.outcomes.rows import MISSING

#: Days that FACTS.md, section 1, tests of Chicago 2018.
LAST_DAYS = 44


@pytest.fixture
def read_city(data_folder: Path, read_table: Any) -> Any:
    def read(name: str, **given: Any) -> ReadRows:
        path = data_folder / name
        if not path.exists():
            pytest.skip(f"no real data at {path}")
        made: ReadRows = read_table(path, **given)[0]
        return made

    return read


def find(read: ReadRows, kind: str) -> Leak | None:
    return next((leak for leak in read.leaks if leak.kind == kind), None)


def test_chicago_2018_is_what_was_measured(read_city: Any) -> None:
    began = time.process_time()
    read = read_city("chicago/crimes_2018.csv")
    # About a second and a half on a free machine.
    assert time.process_time() - began < 15
    rows = read.rows
    assert len(rows) == 156_385
    assert rows.outcomes.mean() == pytest.approx(0.196, abs=5e-4)
    assert (str(rows.day.min()), str(rows.day.max())) == ("2018-01-01", "2018-08-08")
    assert len(rows.texts["area"].labels) == 77
    assert np.isfinite(rows.x).all()
    assert rows.crs == "EPSG:32616"
    # The thirteen that FACTS.md lists, of which one has two names.
    assert len({name.split(" (")[0] for name in read.found}) == 13
    found = find(read, "found_by_police")
    assert found is not None
    assert found.rows / len(rows) == pytest.approx(0.18, abs=5e-3)
    assert found.figure == pytest.approx(0.53, abs=5e-3)
    last = rows.day >= rows.day.max() - (LAST_DAYS - 1)
    strict = choose_rows(rows, read.found, "strict")
    assert rows.outcomes[strict & last].mean() == pytest.approx(0.079, abs=5e-4)
    minute = find(read, "minute")
    assert minute is not None
    assert minute.kept_out
    full, exact = (rows.outcomes[strict & mask].mean() for mask in (rows.minute == 0, rows.minute % 5 != 0))
    assert full == pytest.approx(0.038, abs=2e-3)
    assert exact == pytest.approx(0.187, abs=0.01)
    assert find(read, "rows") is None
    assert find(read, "outcome_field") is None


def test_chicago_2015_is_read_like_2018(read_city: Any) -> None:
    read = read_city("chicago/crimes_2015_10k.csv")
    assert len(read.rows) == 9_999
    assert read.rows.outcomes.mean() == pytest.approx(0.293, abs=5e-4)
    assert set(read.rows.texts) == {"category", "description", "location", "domestic", "area", "block", "incident"}
    assert np.isnan(read.rows.x).mean() == pytest.approx(0.016, abs=5e-4)
    assert (str(read.rows.day.min()), str(read.rows.day.max())) == ("2015-01-23", "2015-02-08")
    assert {leak.kind for leak in read.leaks} == {"minute", "by_definition", "found_by_police"}


def test_san_francisco_2012_has_duplicates_that_make_its_rate(read_city: Any) -> None:
    read = read_city("san_francisco/incidents_2012_h2.csv")
    assert len(read.rows) == 13_472
    duplicates, rows = find(read, "duplicates"), find(read, "rows")
    assert duplicates is not None
    assert rows is not None
    assert duplicates.rows == 3_319
    assert read.rows.outcomes.mean() == pytest.approx(0.328, abs=5e-4)
    assert duplicates.figure == pytest.approx(0.328 - 0.194, abs=1e-3)
    assert rows.figure == pytest.approx(0.845, abs=1e-3)
    assert "6% of rows that are alone, 55% of pairs, 85% of three or more rows" in rows.sentence
    assert (read.rows.hour == MISSING).all()
    merged = read_city("san_francisco/incidents_2012_h2.csv", merge=True)
    assert len(merged.rows) == 10_140
    assert merged.rows.outcomes.mean() == pytest.approx(0.194, abs=1e-3)


def test_san_francisco_2017_says_arrests_in_words(read_city: Any) -> None:
    read = read_city("san_francisco/incidents_2017_07.csv")
    assert len(read.rows) == 8_964
    assert read.outcome.values == ("ARREST, BOOKED", "JUVENILE BOOKED", "ARREST, CITED")
    assert read.fields["time"] == ("Date", "Time")
    said = find(read, "outcome_text")
    assert said is not None
    assert "BURGLARY, VEHICLE (ARREST MADE)" in said.names
    assert said.kept_out
    assert {"WARRANTS", "DRUG/NARCOTIC", "TRESPASS", "OTHER OFFENSES", "NON-CRIMINAL"} <= set(read.found)
    assert not {"LARCENY/THEFT", "ASSAULT", "VANDALISM", "MISSING PERSON"} & set(read.found)
    assert find(read, "duplicates") is None


def test_england_and_mexico_city_are_read(read_city: Any) -> None:
    london = read_city("london/police_uk/2021-01-metropolitan-street.csv")
    assert london.fields["outcome"] == ("Last outcome category",)
    assert 0 < london.rows.outcomes.mean() < 0.2
    assert london.rows.crs == "EPSG:32630"
    city = read_city("mexico_city/fgj_carpetas_2019-02_2020-01.csv", required=False)
    assert city.fields["category"] == ("delito",)
    assert city.fields["time"] == ("fecha_hecho", "hora_hecho")
    assert city.rows.happened is None
