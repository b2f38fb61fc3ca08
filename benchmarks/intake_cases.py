"""The cases of ../shared/cases/README.md in its order, each with its own command and its right value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from intake_runs import Answer, ask, import_incidents, read_layer, read_refused

#: Daily maps of the typo's 91 years; any bins of a few weeks, or a refusal, are right.
_MOST_MAPS = 1000


@dataclass
class Place:
    """Where the cases lie, and where outputs go."""

    cases: Path
    out: Path


@dataclass(frozen=True)
class Case:
    """A case: the name in the first column of the README, and a judge that says whether it is right and what it saw."""

    file: str
    judge: Callable[[Place], tuple[bool, str]]


def _import_times(place: Place, name: str, *right: str, **parameters: object) -> tuple[bool, str]:
    """Whether an import keeps just these times, in the order of the file."""
    answer = import_incidents(place.cases / name, place.out, **parameters)
    if not answer.fine:
        return False, answer.get_sentence()
    seen = [str(time)[:16] for time in read_layer(place.out).occurred]
    return seen == list(right), ", ".join(seen)


def _holds(answer: Answer, *words: str) -> bool:
    return all(word in answer.said for word in words)


def _lapd(place: Place) -> tuple[bool, str]:
    days = ("11T21:30", "12T18:00", "13T08:45", "14T00:35", "15T00:01", "16T12:05")
    return _import_times(place, "lapd_time_occ.csv", *[f"2020-03-{day}" for day in days])


def _boston(place: Place) -> tuple[bool, str]:
    return _import_times(place, "boston_month.csv", *[f"2018-09-{day}T{day}:54" for day in range(11, 17)])


def _toronto(place: Place) -> tuple[bool, str]:
    days = ("2017-01-10T01:00", "2017-01-11T23:00", "2017-07-12T14:00", "2017-07-13T09:00")
    return _import_times(place, "toronto_hour.csv", *days)


def _philadelphia(place: Place) -> tuple[bool, str]:
    file = place.cases / "philadelphia_utc.csv"
    hand = {"PROFILE": 8, "X_FIELD": "lng", "Y_FIELD": "lat", "TIME_FIELD": "dispatch_date_time"}
    answer = import_incidents(file, place.out, **hand)
    if not answer.fine or not _holds(answer, "America/New_York"):
        return False, f"the zone is not named: {answer.get_sentence()}"
    return _import_times(
        place,
        file.name,
        *("2025-01-06T21:45", "2025-01-07T14:24", "2025-07-07T21:10"),
        **hand,
        TIME_ZONE="America/New_York",
    )


def _vancouver(place: Place) -> tuple[bool, str]:
    hand = {"PROFILE": 8, "X_FIELD": "X", "Y_FIELD": "Y", "CRS": "EPSG:32610"}
    times = [f"2020-06-{day}T{day}:{day + 10}" for day in range(10, 16)]
    return _import_times(place, "vancouver_columns.csv", *times, **hand, TIME_FIELD="YEAR,MONTH,DAY,HOUR,MINUTE")


def _near_zero(place: Place) -> tuple[bool, str]:
    answer = import_incidents(place.cases / "near_zero.csv", place.out)
    if not answer.fine:
        return False, answer.get_sentence()
    refused = read_refused(place.out)
    right = (
        answer.results["COUNT"] == 6
        and [line for line, _ in refused] == [8, 9, 10]
        and all(
            reason.startswith(("coordinates next to", "coordinates (-1", "one coordinate")) for _, reason in refused
        )
        and _holds(answer, "3 of 9 rows were refused")
    )
    return right, f"{answer.results['COUNT']} imported; refused {refused}"


def _typo_year(place: Place) -> tuple[bool, str]:
    answer = import_incidents(place.cases / "typo_year.csv", place.out)
    if not answer.fine:
        return False, answer.get_sentence()
    refused = read_refused(place.out)
    said = _holds(answer, "91 years before all others", "1929-10-09")
    ranged = len(refused) == 2 and all("year out of range" in reason for _, reason in refused)
    maps = ask("rasterizehotspots", INPUT=place.out / "o.gpkg", CELL_SIZE=500, OUTPUT=place.out / "t.tif")
    count = maps.results.get("BINS", 0)
    few = count <= _MOST_MAPS if maps.fine else "1929" in maps.said
    seen = f"{count:,} maps" if maps.fine else f"no maps: {maps.get_sentence()}"
    return said and ranged and few, f"warned: {said}; refused {refused}; {seen}"


def _stragglers(place: Place) -> tuple[bool, str]:
    answer = import_incidents(place.cases / "stragglers.csv", place.out)
    if answer.fine:
        answer = ask("selectperiod", INPUT=place.out / "o.gpkg", REPORT=place.out / "p.html")
    if not answer.fine:
        return False, answer.get_sentence()
    got = answer.results
    seen = (got["START"][:10], got["END"][:10], got["COUNT"], got["LEFT_OUT"])
    return seen == ("2020-10-01", "2020-12-01", 122, 10), f"{seen[0]} to {seen[1]}: {seen[2]}, {seen[3]} left out"


def _dst_gap(place: Place) -> tuple[bool, str]:
    from riskengine.systems.score.index import CrimeIndex

    output = place.out / "d.crimeindex"
    answer = ask(
        "buildcrimeindex",
        {"TZ": "America/New_York"},
        INPUT=place.cases / "dst_gap.geojson",
        TIME_FIELD="n",
        OUTPUT=output,
        REFUSED=place.out / "d.csv",
    )
    if not answer.fine:
        return False, answer.get_sentence()
    clocks = sorted(str(time)[11:16] for time in np.asarray(CrimeIndex.load(output).incidents.time))
    return len(clocks) == 3 and clocks.count("02:30") == 1, f"{len(clocks)} incidents at {', '.join(clocks)}"


def _area_elsewhere(place: Place) -> tuple[bool, str]:
    answer = ask(
        "rasterizehotspots",
        INPUT=place.cases / "incidents.geojson",
        STUDY_AREA=place.cases / "area_elsewhere.geojson",
        CELL_SIZE=500,
        OUTPUT=place.out / "e.tif",
    )
    return not answer.fine and _holds(answer, "None of the 90 incidents"), answer.get_sentence()


def _score_elsewhere(place: Place) -> tuple[bool, str]:
    index = place.out / "i.crimeindex"
    answer = ask("buildcrimeindex", INPUT=place.cases / "incidents.geojson", TIME_FIELD="occurred", OUTPUT=index)
    if not answer.fine:
        return False, answer.get_sentence()
    answer = ask(
        "crimescorelayer",
        INDEX=index,
        POLYGONS=place.cases / "area_elsewhere.geojson",
        SPACING=1000,
        OUTPUT=place.out / "s.gpkg",
    )
    return not answer.fine and _holds(answer, "incidents"), answer.get_sentence()


def _no_category(place: Place) -> tuple[bool, str]:
    answer = ask(
        "rasterizehotspots",
        INPUT=place.cases / "incidents.geojson",
        CATEGORY_FIELD="category",
        CELL_SIZE=1000,
        STACKS=place.out / "st",
        OUTPUT=place.out / "n.tif",
    )
    # The case was written when they were in no stack, and asks that this is said. Now they are a category: what is said
    # must name their stack, and it must be there.
    said = _holds(answer, "30 of 90 incidents have no category", "(no category): 30 incidents in (no category).tif")
    return answer.fine and said and (place.out / "st" / "(no category).tif").is_file(), answer.get_sentence()


def _train_two_cells(place: Place, model: str) -> Answer:
    maps = place.out / "two.tif"
    answer = ask("rasterizehotspots", INPUT=place.cases / "two_cells.geojson", CELL_SIZE=500, OUTPUT=maps)
    if not answer.fine:
        return answer
    return ask("trainforecastmodel", INPUT=maps, MODEL_KIND=1, MODEL=place.out / model)


def _two_cells(place: Place) -> tuple[bool, str]:
    answer = _train_two_cells(place, "two.crimemodel")
    return answer.fine and _holds(answer, "1 of 2 cells (50 %"), answer.get_sentence()


def _endings(place: Place) -> tuple[bool, str]:
    seen = []
    for name, answer in (
        ("two.model", _train_two_cells(place, "two.model")),
        (
            "x.idx",
            ask(
                "buildcrimeindex",
                INPUT=place.cases / "incidents.geojson",
                TIME_FIELD="occurred",
                OUTPUT=place.out / "x.idx",
            ),
        ),
    ):
        refused = not answer.fine and _holds(answer, "choose a file that ends in") and not (place.out / name).exists()
        seen.append((refused, answer.get_sentence()))
    return all(refused for refused, _ in seen), "; ".join(said for _, said in seen)


def _excel_serial(place: Place) -> tuple[bool, str]:
    return _import_times(place, "excel_serial.csv", *[f"2024-03-{day}T12:00" for day in range(10, 16)])


def _no_points(place: Place) -> tuple[bool, str]:
    output = place.out / "n.crimeindex"
    answer = ask("buildcrimeindex", INPUT=place.cases / "table_no_points.csv", TIME_FIELD="occurred", OUTPUT=output)
    right = not answer.fine and _holds(answer, "table without points", "Create points layer from table")
    return right, answer.get_sentence()


#: As in the README, one entry a line of it.
CASES = (
    Case("lapd_time_occ.csv", _lapd),
    Case("boston_month.csv", _boston),
    Case("toronto_hour.csv", _toronto),
    Case("philadelphia_utc.csv", _philadelphia),
    Case("vancouver_columns.csv", _vancouver),
    Case("near_zero.csv", _near_zero),
    Case("typo_year.csv", _typo_year),
    Case("stragglers.csv", _stragglers),
    Case("dst_gap.geojson", _dst_gap),
    Case("incidents.geojson, area_elsewhere.geojson", _area_elsewhere),
    Case("incidents.geojson, area_elsewhere.geojson", _score_elsewhere),
    Case("incidents.geojson", _no_category),
    Case("two_cells.geojson", _two_cells),
    Case("two_cells.geojson", _endings),
    Case("excel_serial.csv", _excel_serial),
    Case("table_no_points.csv", _no_points),
)
