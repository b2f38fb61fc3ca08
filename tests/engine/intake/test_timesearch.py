"""Which columns are taken for the time of a file that no profile knows."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from kit.contexts import Recorder
from kit.tables import read_table

from riskengine.ground.errors import DataError
from riskengine.intake.timesearch import find_times
from riskengine.jobs import run_job

MOMENTS = [datetime.datetime(2021, 3, 1) + datetime.timedelta(minutes=4567 * number) for number in range(40)]
FORMATS = {
    "moment": "%m/%d/%Y %I:%M:%S %p",
    "date": "%Y-%m-%d",
    "noon": "%d/%m/%Y 12:00",
    "offset": "%Y-%m-%dT%H:%M:%S-05:00",
    "utc": "%Y-%m-%d %H:%M:%S+00",
    "clock": "%H:%M:%S",
    "half": "%I:%M %p",
    "month": "%Y-%m",
    "weekday": "%A",
}
SPANISH = ["Enero", "Febrero", "Marzo", "Abril", "Mayo", "Junio", "Julio"]


def write(what: str, moment: datetime.datetime, row: int) -> str:
    since = moment.replace(tzinfo=datetime.UTC).timestamp()
    texts: dict[str, Any] = {
        "later": f"{moment + datetime.timedelta(hours=9):%Y-%m-%d %H:%M}",
        "hhmm": 100 * moment.hour + moment.minute,
        "hour": moment.hour,
        "minute": moment.minute,
        "year": moment.year,
        "number": moment.month,
        "name": SPANISH[moment.month - 1],
        "day": moment.day,
        "seconds": int(since),
        "milliseconds": int(1000 * since),
        "serial": since / 86400 + 25569,
        "serial day": int(since // 86400) + 25569,
        "serial clock": since / 86400 % 1,
        "id": 2021000000 + row,
        "code": f"{moment:%Y%m%d}",
        "beat": row % 22 + 1,
        "speed": f"{row % 20}.{row % 60:02d}",
        "x": "x",
    }
    return str(texts[what]) if what in texts else moment.strftime(FORMATS[what])


def found(columns: dict[str, str], **parameters: Any) -> list[tuple[str, ...]]:
    rows = [[write(what, moment, row) for what in columns.values()] for row, moment in enumerate(MOMENTS)]
    return [reading.columns for reading in find_times(list(columns), rows, **parameters)]


#: The columns that hold the time, and what all columns of the file hold.
FILES = """
b <- a=id, b=moment, c=beat
b, c <- a=id, b=date, c=clock
DATE OCC, TIME OCC <- Date Rptd=date, DATE OCC=date, TIME OCC=hhmm
OCCURRED_ON_DATE <- OCCURRED_ON_DATE=moment, YEAR=year, MONTH=number, DAY_OF_WEEK=weekday, HOUR=hour
occurrencedate, occurrencehour <- occurrencedate=noon, occurrenceday=day, occurrencehour=hour
fecha, franja <- id=id, anio=year, mes=number, dia=weekday, fecha=date, franja=hour
FECHA, Franja Horaria <- AÑO=year, Mes=name, FECHA=date, Franja Horaria=hour
fecha_hecho, hora_hecho <- fecha_inicio=later, hora_inicio=clock, fecha_hecho=date, hora_hecho=clock
anio_hecho, meshecho, diahecho, hora_hecho <- anio_hecho=year, meshecho=name, diahecho=day, hora_hecho=clock
Date des faits, Heure des faits <- Date des faits=date, Heure des faits=hour, Date de plainte=date
Tatdatum, Uhrzeit <- Tatdatum=date, Uhrzeit=clock, Anzeigedatum=date, Geburtsdatum=date
Data zdarzenia, Godzina zdarzenia <- Data zdarzenia=date, Godzina zdarzenia=hour
Дата, Время <- номер=id, Дата=date, Время=clock
FR_DT, FR_TM <- RPT_DT=date, TO_DT=date, TO_TM=clock, FR_DT=date, FR_TM=half
START_DATE <- REPORT_DAT=milliseconds, START_DATE=milliseconds, CCN=id
timestamp <- id=id, timestamp=seconds
date <- case=code, date=serial
occurredAt <- reportedOn=later, occurredAt=offset
dispatch_date, dispatch_time <- dispatch_date_time=utc, dispatch_date=date, dispatch_time=clock, hour=hour
YEAR, MONTH, DAY, HOUR, MINUTE <- TYPE=x, YEAR=year, MONTH=number, DAY=day, HOUR=hour, MINUTE=minute
Date, Hour, Minute <- Date=date, Hour=hour, Minute=minute
Month <- Month=month, beat=beat
Year, Month <- Year=year, Month=number, crimes=beat
Date Occurred <- Date Occurred=date, Time Reported=clock
DATE <- DATE=date, AWND=speed
date, time <- date=serial day, time=serial clock
yr, mo, dy, hr <- yr=year, mo=number, dy=day, hr=hour
updated <- victim_dob=date, updated=moment
"""


@pytest.mark.parametrize("line", FILES.strip().splitlines())
def test_the_best_columns_are_taken(line: str) -> None:
    expected, _, columns = line.partition(" <- ")
    assert found(dict(pair.split("=") for pair in columns.split(", ")))[0] == tuple(expected.split(", "))


def test_what_is_no_time_is_not_taken() -> None:
    assert found({"case": "id", "code": "code", "beat": "beat", "HOUR": "hour", "MONTH": "number", "dob": "date"}) == []
    assert found({"date": "date"}, taken=["date"]) == []
    assert find_times(["date"], []) == []


def run(folder: Path, text: str, **parameters: Any) -> tuple[list[str], str, dict[str, Any]]:
    """Import a file: the times, what was said, and the result."""
    path = folder / "city.csv"
    path.write_text(text, encoding="utf-8")
    context = Recorder()
    result = run_job("import_csv", {"path": str(path), "folder": str(folder), **parameters}, context)
    times = [str(time)[:16] for time in read_table(result["output"])["occurred"]]
    return times, "\n".join(context.lines), result


def test_the_log_says_what_was_taken_and_what_else_could_have_been(tmp_path: Path) -> None:
    rows = "03/15/2020 12:00:00 AM,03/11/2020 12:00:00 AM,{},34.01,-118.2\n"
    text = "Date Rptd,DATE OCC,TIME OCC,LAT,LON\n" + "".join(map(rows.format, (2130, 845, 35, 1)))
    times, said, result = run(tmp_path, text)
    assert times == ["2020-03-11T21:30", "2020-03-11T08:45", "2020-03-11T00:35", "2020-03-11T00:01"]
    assert "The time is read from 'DATE OCC' (dates in all of the first 4 rows" in said
    assert "time of day from 'TIME OCC'" in said
    assert "It could also have been 'Date Rptd'" in said
    assert [field["name"] for field in result["fields"]] == ["occurred", "category", "Date Rptd"]


def test_a_time_of_day_that_never_changes_is_said(tmp_path: Path) -> None:
    text = "date,lat,lon\n" + "".join(f"2017-01-{day}T05:00:00Z,43.6,-79.3\n" for day in range(10, 16))
    times, said, _ = run(tmp_path, text)
    assert times[0] == "2017-01-10T05:00"
    assert "All times of day are 05:00, so they say nothing" in said


def test_midnights_in_utc_east_of_greenwich_are_the_next_day(tmp_path: Path) -> None:
    text = "date,hour,lat,lon\n" + "".join(f"2017-01-{day}T23:00:00Z,{day},52.5,13.4\n" for day in range(10, 16))
    times, said, result = run(tmp_path, text)
    assert times[0] == "2017-01-11T10:00"
    assert "midnights written in UTC" in said
    assert "date" in [field["name"] for field in result["fields"]]


def test_the_share_that_is_understood_is_said(tmp_path: Path) -> None:
    text = "date,lat,lon\n" + "2017-01-10,43.6,-79.3\n" * 499 + "soon,43.6,-79.3\n"
    _, said, result = run(tmp_path, text)
    assert "'date' (dates in 99 % of the first 500 rows)" in said
    assert result["refused"] == 1


def test_bad_dates_are_refused_with_their_reason_and_not_for_want_of_a_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such date"):
        run(tmp_path, "date,lat,lon\n2017-02-30,43.6,-79.3\n2017-02-31,43.6,-79.3\n")
