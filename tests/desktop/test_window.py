"""A real QGIS with its window: the plugin loads, its menu opens, its results arrive styled and play in time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.probes import keep_pictures, need_window, run_probe


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the probe found in a QGIS of its own profile; pictures lie in `folder`."""
    need_window()
    folder = tmp_path_factory.mktemp("window")
    csv = folder / "city.csv"
    rows = (
        f"{2.3 + number % 37 / 1000},{48.8 + number % 23 / 1000},2024-03-{number % 12 + 1:02d} {number % 24:02d}:00,"
        f"{'theft' if number % 3 else 'assault'}"
        for number in range(600)
    )
    csv.write_text("\n".join(["longitude,latitude,datetime,category", *rows, ",,2024-03-01 10:00,lost"]), "utf-8")
    found = run_probe(Path(__file__).with_name("window_probe.py"), folder, {"PROBE_CSV": str(csv)})
    keep_pictures(folder)
    return {**found, "folder": folder}


def test_menu_opens_the_engine_dialog(window: dict[str, Any]) -> None:
    assert window["menu"]["Crime Risk"] == [
        "Set up engine…",
        "Crime score",
        "Less exposed routes",
        "New risk map layout",
    ]
    assert window["dialog_visible"]


def test_all_algorithms_are_in_the_toolbox(window: dict[str, Any]) -> None:
    names = ("importincidents", "buildcrimeindex", "crimescorelayer", "rasterizehotspots", "convlstmprediction")
    names += ("trainforecastmodel", "forecastrisk", "backtestforecast", "evaluaterisk")
    assert {f"crimerisk:{name}" for name in (*names, "classifyrisk")} <= set(window["algorithms"])


def test_results_arrive_named_and_styled(window: dict[str, Any]) -> None:
    grids = "Hotspot grids, Fri 1 – Tue 12 Mar 2024"
    assert window["layers"] == {"Incidents, Fri 1 – Tue 12 Mar 2024": 600, "Refused rows": 1, grids: None}
    assert window["renderer"] == "singlebandpseudocolor"


def test_hotspot_grids_play_in_time(window: dict[str, Any]) -> None:
    assert window["temporal"] == [True, True]
    assert window["days_differ"]
    assert window["legend"] == ["Map of Sun 3 Mar 2024", "Map of Mon 4 Mar 2024"]


def test_a_layout_is_made_from_the_template(window: dict[str, Any]) -> None:
    assert window["layouts"] == ["Risk map", "Risk map 2"]
    assert window["designers"] == 2
    assert window["layout_maps"] == 1
    assert window["layout_extent"]
    assert window["layout_time"], "the layout shows another time than the map"


def test_the_dialog_of_import_incidents_says_what_would_be_refused(window: dict[str, Any]) -> None:
    assert "1 of 601 rows would be refused: 1 × no coordinates." in window["import_dialog"]


def test_pictures_were_taken(window: dict[str, Any]) -> None:
    for name in ("engine_dialog", "window", "algorithm_dialog", "import_dialog"):
        assert (window["folder"] / f"{name}.png").stat().st_size > 5_000
