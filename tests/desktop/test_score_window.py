"""The crime score dock in a real QGIS with the real engine: click, answer, layer, marks, and what goes wrong."""

from __future__ import annotations

import csv
import json
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest
from kit.probes import keep_pictures, need_window, run_probe

ROOT = Path(__file__).resolve().parents[2]
#: West, south, east, north of the middle of Mexico City.
MIDDLE = (-99.18, 19.40, -99.11, 19.46)
NAME = "Alameda Central, Centro, Ciudad de México"
POLYGONS = """<qgis><renderer-v2 type="singleSymbol"><symbols><symbol type="fill" name="0" alpha="1">
<layer class="SimpleLine" enabled="1"><Option type="Map"><Option name="line_color" type="QString" value="90,90,90,160"/>
<Option name="line_width" type="QString" value="0.3"/></Option></layer></symbol></symbols></renderer-v2></qgis>"""


def simulated(path: Path, longitude: float, latitude: float) -> None:
    """A year of incidents around a middle, where there are no real ones."""
    dice = random.Random(3)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["longitude", "latitude", "datetime", "category"])
        for number in range(5000):
            place = (round(dice.gauss(longitude, 0.012), 6), round(dice.gauss(latitude, 0.012), 6))
            day = f"2019-{number % 12 + 1:02d}-{number % 28 + 1:02d} {number % 24:02d}:00"
            rows.writerow([*place, day, "theft" if number % 3 else "assault"])


def middle_of(source: Path, path: Path) -> None:
    """The incidents of Mexico City's middle."""
    west, south, east, north = MIDDLE
    with source.open(encoding="utf-8", newline="") as file, path.open("w", encoding="utf-8", newline="") as target:
        rows = csv.DictReader(file)
        kept = csv.DictWriter(target, rows.fieldnames or [])
        kept.writeheader()
        for row in rows:
            if row["lat"] and west < float(row["lon"]) < east and south < float(row["lat"]) < north:
                kept.writerow(row)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the probe found; pictures lie in `folder`."""
    need_window()
    folder = tmp_path_factory.mktemp("score")
    pictures = os.environ.get("PROBE_PICTURES")
    environment = {
        "PROBE_CSV": str(folder / "city.csv"),
        "PROBE_OTHER_CSV": str(folder / "other.csv"),
        # In earnest it takes minutes, which only a picture that is kept is worth.
        "PROBE_TRAINING": json.dumps({} if pictures else {"EPOCHS": 3, "FOLDS": 3}),
        "PROBE_PLACE": "-99.1453,19.4352",
        "PROBE_NAME": NAME,
        "PROBE_STYLE": str(folder / "polygons.qml"),
    }
    probe, seconds = Path(__file__).with_name("score_probe.py"), 1200 if pictures else 300
    data = Path(os.environ.get("CRIMERISK_DATA") or ROOT.parent / "shared" / "data") / "mexico_city"
    whole = data / "fgj_carpetas_2019-02_2020-01.csv"
    simulated(folder / "other.csv", 3.0, 47.85)
    if data.is_dir():
        middle_of(whole, folder / "city.csv")
        (folder / "polygons.qml").write_text(POLYGONS, encoding="utf-8")
        environment["PROBE_POLYGONS"] = str(data / "colonias.geojson")
    else:
        simulated(folder / "city.csv", -99.145, 19.43)
    seen = run_probe(probe, folder, environment, seconds)
    run_probe(probe, folder, {**environment, "PROBE_PICTURE": "score_dock_dark"}, seconds, "Night Mapping")
    if pictures:
        city = {"PROBE_CSV": str(whole)} if data.is_dir() else {}
        run_probe(probe, folder, {**environment, **city, "PROBE_PICTURE": "predicted_scores"}, seconds)
        keep_pictures(folder)
    return {**seen, "folder": folder}


def test_the_index_is_warmed_up_and_described(found: dict[str, Any]) -> None:
    assert re.match(r"city: [\d,]+ days of data, .+ 20\d\d; [\d,]+ incidents", found["about"])
    assert found["about"].endswith(". Click on the map, or type an address.")


def test_the_files_that_the_toolbox_made_last_would_be_offered(found: dict[str, Any]) -> None:
    assert found["made_last"] == [str(found["folder"] / f"other.{ending}") for ending in ("crimeindex", "crimescore")]


def test_a_click_is_answered_where_it_was(found: dict[str, Any]) -> None:
    score, percentile, incidents, predicted = found["answer"]
    assert 0 <= score <= 1
    assert 0 <= percentile <= 100
    assert predicted is None
    assert found["months"] == incidents
    assert found["distance"] < 1e-3
    visible, words = found["shown"]
    assert visible
    assert f"Crime score {score:.2f}" in words


def test_the_answer_is_in_layer_table_and_on_the_map(found: dict[str, Any]) -> None:
    assert found["feature"] == [True, True]
    assert found["neighbours"] == 10
    # Circle, lines, their ends and the place; then the selected row.
    assert (found["bands"], found["bands_highlighted"]) == (4, 5)


def test_coordinates_in_the_address_line(found: dict[str, Any]) -> None:
    assert found["address"] == pytest.approx([-99.1453, 19.4352])


def test_with_a_model_its_prediction_is_large(found: dict[str, Any]) -> None:
    seen, before = found["with_model"], found["without_model"]
    predicted = seen["predicted"]
    assert 0 <= predicted["lower"] <= predicted["score"] <= predicted["upper"] <= 1
    assert predicted["lower"] < predicted["upper"]
    assert 0 <= predicted["percentile"] <= 100
    assert seen["message"] == ""
    # The exact count, beside it, is what it was without a model.
    assert seen["exact"] == before["exact"]
    for part in (
        f"Crime score {predicted['score']:.2f}",
        f"Likely: {predicted['lower']:.2f} – {predicted['upper']:.2f}: holds the counted score at 90 of 100 places",
        f"Counted score: {before['exact']['score']:.2f}",
        f"{before['exact']['score_abs']:,} incidents in the 365 days up to",
        "Model: city",
    ):
        assert part in seen["words"]


def test_with_a_model_the_neighbours_are_recent(found: dict[str, Any]) -> None:
    seen, before = found["with_model"], found["without_model"]
    assert len(seen["rows"]) == len(before["rows"]) == 10
    assert max(seen["ages"]) < 31 < max(before["ages"])
    assert seen["rows"] == [f"{age:,.0f} days" for age in seen["ages"]]
    assert (seen["tab"], before["tab"]) == ("Nearest incidents, 31 days", "Nearest incidents, 365 days")


def test_with_a_model_the_layer_keeps_the_interval(found: dict[str, Any]) -> None:
    seen, before = found["with_model"], found["without_model"]
    assert {name: seen["feature"][name] for name in seen["predicted"]} == seen["predicted"]
    assert (seen["feature"]["model"], before["feature"]["model"]) == ("city", None)
    assert (before["feature"]["lower"], before["feature"]["upper"]) == (None, None)
    for each in (seen, before):
        assert each["feature"]["colour"] == each["colour"]


def test_a_model_of_another_place_is_not_asked(found: dict[str, Any]) -> None:
    seen, before = found["other_model"], found["without_model"]
    assert "was trained on another place than this index covers" in seen["message"]
    assert seen["message"].endswith("Only the exact count answers.")
    assert seen["predicted"] is None
    assert seen["exact"] == before["exact"]
    assert seen["words"] == before["words"].replace("19.43520° N, 99.14530° W", NAME)
    assert (seen["feature"]["score"], seen["feature"]["model"]) == (before["exact"]["score"], None)


def test_outside_the_data(found: dict[str, Any]) -> None:
    sentence, score = found["outside"]
    assert "outside the data: the nearest incident is" in sentence
    assert score is None


def test_the_last_click_wins(found: dict[str, Any]) -> None:
    assert found["last_click"] == [1, pytest.approx(19.44)]


def test_without_an_engine(found: dict[str, Any]) -> None:
    assert "not installed" in found["missing"]
    assert found["set_up"]


def test_nothing_is_left_behind(found: dict[str, Any]) -> None:
    assert found["checked"] == [True, False]
    assert found["closed"] == [False, 0, False]
    assert found["reopened"]
    assert found["left"] == [[], False, 0]


def test_pictures_were_taken(found: dict[str, Any]) -> None:
    for name in ("score_dock", "score_dock_dark"):
        assert (found["folder"] / f"{name}.png").stat().st_size > 20_000
