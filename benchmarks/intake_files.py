"""Real files of incidents with the values that an import with no parameter but INPUT must give.

The values below were worked out with pandas alone, by `work_out`: the columns are those that the publisher's page
names, a row counts where both coordinates and the date are there, a time of day that is missing counts as midnight.
``scripts/benchmark.sh intake --work-out`` prints them again.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from intake_runs import import_incidents, read_layer, read_refused


class Values(NamedTuple):
    """Counts of rows; first and last time; place (x, y) of the first and the last incident in the file's order."""

    rows: int
    imported: int
    refused: int
    first: str
    last: str
    first_place: tuple[float, float]
    last_place: tuple[float, float]


#: By folder and, where they differ, by file: columns of x, y, date and time of day.
_COLUMNS = {
    "mexico_city": ("lon", "lat", "fecha_hecho", "hora_hecho"),
    "baltimore": ("lon", "lat", "datetime", ""),
    "chicago": ("Longitude", "Latitude", "Date", ""),
    "san_francisco/incidents_2012_h2.csv": ("lon", "lat", "Date", ""),
    "san_francisco": ("X", "Y", "Date", "Time"),
    "london": ("Longitude", "Latitude", "Month", ""),
    "new_york": ("Longitude", "Latitude", "Occurrence Date", ""),
    "portland": ("x_coordina", "y_coordina", "occ_date", ""),
}


def work_out(data: Path, name: str) -> Values:
    """Work out the values of a file with pandas alone."""
    x, y, date, clock = _COLUMNS.get(name) or _COLUMNS[name.split("/")[0]]
    table = pd.read_csv(data / name, dtype=str, keep_default_na=False)
    days = pd.to_datetime(table[date].replace("", None), format="mixed")
    if clock:
        # Some are written 10:00:00:00, some are missing.
        parts = table[clock].str.extract(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?").fillna("0").astype(int)
        days += pd.to_timedelta(parts[0] * 3600 + parts[1] * 60 + parts[2], unit="s")
    east, north = (pd.to_numeric(table[column].replace("", None)) for column in (x, y))
    kept = days.notna() & east.notna() & north.notna()
    times, places = days[kept], list(zip(east[kept], north[kept], strict=True))
    counts = (len(table), int(kept.sum()), int((~kept).sum()))
    ends = [tuple(float(each) for each in places[row]) for row in (0, -1)]
    return Values(*counts, times.min().isoformat(), times.max().isoformat(), *ends)


def describe_difference(data: Path, name: str, out: Path) -> tuple[bool, str]:
    """Import a file and say how what came in differs from its values."""
    answer = import_incidents(data / name, out)
    if not answer.fine:
        return False, answer.get_sentence()
    layer, refused = read_layer(out), len(read_refused(out))
    seen = Values(
        len(layer.occurred) + refused,
        len(layer.occurred),
        refused,
        str(layer.occurred.min()),
        str(layer.occurred.max()),
        (float(layer.x[0]), float(layer.y[0])),
        (float(layer.x[-1]), float(layer.y[-1])),
    )
    right = Values(*FILES[name])
    wrong = [
        f"{field} {one} instead of {other}"
        for field, one, other in zip(Values._fields, seen, right, strict=True)
        # Two readers of decimals may differ in the last bit.
        if not (np.allclose(one, other, rtol=1e-12, atol=0) if isinstance(one, tuple) else one == other)
    ]
    said = answer.results["COUNT"] == right.imported and answer.results["REFUSED_COUNT"] == right.refused
    wrong += [] if said else ["the counts that it says are others"]
    return not wrong, "; ".join(wrong) or f"{seen.imported:,} of {seen.rows:,}, {seen.first} to {seen.last}"


def judge_refusal(data: Path, name: str, out: Path) -> tuple[bool, str]:
    """Import bare metres without a header: refused, saying which columns and which parameters to give."""
    answer = import_incidents(data / name, out)
    needed = ("field_1", "field_2", "field_3", "X_FIELD", "Y_FIELD", "TIME_FIELD", "CRS")
    right = not answer.fine and all(word in answer.said for word in needed) and "EPSG:" not in answer.said
    return right and not (out / "o.gpkg").exists(), answer.get_sentence()


#: Metres of a system that the file does not name.
REFUSED = ("near_repeat/chicago_arson.csv", "near_repeat/chicago_be_month1.csv")
FILES: dict[str, tuple[object, ...]] = {
    "mexico_city/fgj_carpetas_2019-02_2020-01.csv": (
        236068,
        236068,
        0,
        "2019-02-01T00:00:00",
        "2020-01-31T23:59:00",
        (-99.1545, 19.44601),
        (-99.16482, 19.28847),
    ),
    "baltimore/bpd_part1_2011_2016.csv": (
        277111,
        275364,
        1747,
        "2011-01-01T00:00:00",
        "2016-09-17T23:45:00",
        (-76.6616, 39.2956),
        (-76.6136, 39.33),
    ),
    "chicago/crimes_2018.csv": (
        156385,
        156385,
        0,
        "2018-01-01T00:00:00",
        "2018-08-08T23:59:00",
        (-87.733658025, 41.855882121),
        (-87.58296871299999, 41.746764918000004),
    ),
    "chicago/crimes_2015_10k.csv": (
        9999,
        9837,
        162,
        "2015-01-23T08:30:30",
        "2015-02-08T23:43:40",
        (-87.549035389, 41.747693646),
        (-87.737892658, 41.883327487),
    ),
    "san_francisco/incidents_2012_h2.csv": (
        13472,
        13472,
        0,
        "2012-07-01T00:00:00",
        "2012-12-31T00:00:00",
        (-122.50022040512755, 37.718954165965194),
        (-122.4291287841292, 37.7694556169659),
    ),
    "san_francisco/incidents_2017_07.csv": (
        8964,
        8964,
        0,
        "2017-07-11T00:01:00",
        "2017-07-31T23:59:00",
        (-122.40340479147905, 37.775420706711),
        (-122.40257418908698, 37.71853810131178),
    ),
    "london/burglary_2019-01_2022-04.csv": (
        211536,
        209335,
        2201,
        "2019-01-01T00:00:00",
        "2022-04-01T00:00:00",
        (0.140192, 51.582311),
        (-0.136371, 51.485144),
    ),
    "london/police_uk/2021-01-metropolitan-street.csv": (
        4299,
        4270,
        29,
        "2021-01-01T00:00:00",
        "2021-01-01T00:00:00",
        (0.134864, 51.571806),
        (-0.134554, 51.490475),
    ),
    "london/police_uk/2021-02-metropolitan-street.csv": (
        4062,
        4041,
        21,
        "2021-02-01T00:00:00",
        "2021-02-01T00:00:00",
        (0.135554, 51.584985),
        (-0.134389, 51.488872),
    ),
    "london/police_uk/2021-03-metropolitan-street.csv": (
        4715,
        4625,
        90,
        "2021-03-01T00:00:00",
        "2021-03-01T00:00:00",
        (0.145888, 51.593835),
        (-0.134389, 51.488872),
    ),
    "london/police_uk/2021-04-metropolitan-street.csv": (
        4203,
        4126,
        77,
        "2021-04-01T00:00:00",
        "2021-04-01T00:00:00",
        (0.135866, 51.587336),
        (-0.555552, 51.298388),
    ),
    "london/police_uk/2021-05-metropolitan-street.csv": (
        4235,
        4156,
        79,
        "2021-05-01T00:00:00",
        "2021-05-01T00:00:00",
        (0.130789, 51.586196),
        (-0.142868, 51.486875),
    ),
    "london/police_uk/2021-06-metropolitan-street.csv": (
        4286,
        4222,
        64,
        "2021-06-01T00:00:00",
        "2021-06-01T00:00:00",
        (0.135866, 51.587336),
        (-0.135811, 51.489686),
    ),
    "london/police_uk/2021-07-metropolitan-street.csv": (
        4262,
        4200,
        62,
        "2021-07-01T00:00:00",
        "2021-07-01T00:00:00",
        (0.140035, 51.589112),
        (-0.137231, 51.486309),
    ),
    "london/police_uk/2021-08-metropolitan-street.csv": (
        4403,
        4290,
        113,
        "2021-08-01T00:00:00",
        "2021-08-01T00:00:00",
        (0.133181, 51.586719),
        (-0.135811, 51.489686),
    ),
    "london/police_uk/2021-09-metropolitan-street.csv": (
        4445,
        4280,
        165,
        "2021-09-01T00:00:00",
        "2021-09-01T00:00:00",
        (0.128927, 51.584656),
        (-0.137231, 51.486309),
    ),
    "london/police_uk/2021-10-metropolitan-street.csv": (
        4812,
        4669,
        143,
        "2021-10-01T00:00:00",
        "2021-10-01T00:00:00",
        (0.145888, 51.593835),
        (-0.136698, 51.487353),
    ),
    "london/police_uk/2021-11-metropolitan-street.csv": (
        4954,
        4801,
        153,
        "2021-11-01T00:00:00",
        "2021-11-01T00:00:00",
        (0.133378, 51.581059),
        (-0.133518, 51.486915),
    ),
    "london/police_uk/2021-12-metropolitan-street.csv": (
        4712,
        4562,
        150,
        "2021-12-01T00:00:00",
        "2021-12-01T00:00:00",
        (0.134947, 51.588063),
        (-0.134389, 51.488872),
    ),
    "london/police_uk/2022-01-metropolitan-street.csv": (
        4880,
        4729,
        151,
        "2022-01-01T00:00:00",
        "2022-01-01T00:00:00",
        (0.132608, 51.577881),
        (-0.137907, 51.486679),
    ),
    "london/police_uk/2022-02-metropolitan-street.csv": (
        4333,
        4192,
        141,
        "2022-02-01T00:00:00",
        "2022-02-01T00:00:00",
        (0.140192, 51.582311),
        (-0.138998, 51.487119),
    ),
    "london/police_uk/2022-03-metropolitan-street.csv": (
        4602,
        4446,
        156,
        "2022-03-01T00:00:00",
        "2022-03-01T00:00:00",
        (0.145888, 51.593835),
        (-0.134817, 51.49074),
    ),
    "london/police_uk/2022-04-metropolitan-street.csv": (
        4042,
        3896,
        146,
        "2022-04-01T00:00:00",
        "2022-04-01T00:00:00",
        (-0.66225, 50.785967),
        (-0.136371, 51.485144),
    ),
    "new_york/crimes_2014_2015.csv": (
        191580,
        191580,
        0,
        "2014-01-01T00:00:00",
        "2015-12-31T23:18:00",
        (-73.9374216689999, 40.8043840460001),
        (-73.920163069, 40.831439076),
    ),
    "portland/burglary_2012_2017.csv": (
        5364,
        5364,
        0,
        "2012-03-01T00:00:00",
        "2017-05-31T00:00:00",
        (7688186.0, 676342.0),
        (7680322.0, 669485.0),
    ),
    "portland/vehicle_theft_2012_2017.csv": (
        9842,
        9842,
        0,
        "2012-03-01T00:00:00",
        "2017-05-31T00:00:00",
        (7646893.0, 698007.0),
        (7679729.0, 695898.0),
    ),
}
