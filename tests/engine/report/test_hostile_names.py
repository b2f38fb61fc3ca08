"""Every report is as it should be whatever categories, areas, layers and files are called."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.hostile import FILE_NAMES, HOSTILE, WRITABLE, find_faults_of_page, list_long_words, list_unseen
from kit.incidents import make_incidents, write_incidents
from kit.maps import make_stack, write_raster, write_stack
from kit.pages import Page

from riskengine.contract.texts import NAME_LENGTH, clean_text, list_names, show_name
from riskengine.jobs import run_job
from riskengine.jobs.rasterize import choose_file_name
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps, read_heatmaps

GRID = Grid(500_000.0, 2_150_000.0, 500.0, 6, 6, "EPSG:32614")
MAPS = 60


def make_grids(name: str) -> Heatmaps:
    random = np.random.default_rng(0)
    counts = random.poisson(random.gamma(0.5, 0.6, (6, 6)), (MAPS, 6, 6)).astype(np.uint8)
    return make_stack(counts, grid=GRID, categories=[name, "theft"])


def write_extras(folder: Path) -> list[str]:
    """Two rasters of other tools: hostile in the name of the file, and in the descriptions of the bands."""
    random = np.random.default_rng(1)
    paths = []
    for key in ("mathtext", "right to left", "script"):
        path = folder / f"{FILE_NAMES[key]}.tif"
        bands = random.random((2, 6, 6)).astype(np.float32)
        names = (WRITABLE["image"], WRITABLE["long word"])
        paths.append(write_raster(path, bands, GRID.transform, "EPSG:32614", names=names))
    return paths


def write_areas(folder: Path) -> str:
    """A strip of the city for each name."""
    features = []
    for number, name in enumerate(HOSTILE.values()):
        west = 500_000 + 3000 * number / len(HOSTILE)
        ring = [[west, 2_146_000], [west + 700, 2_146_000], [west + 700, 2_151_000], [west, 2_151_000]]
        shape = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        features.append({"type": "Feature", "properties": {"name": name}, "geometry": shape})
    path = folder / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return str(path)


def write_city(folder: Path, count: int = 900) -> str:
    """Incidents of all names over 120 days."""
    random = np.random.default_rng(5)
    time = np.sort(np.datetime64("2024-01-01", "s") + random.integers(0, 120 * 86_400, count))
    x, y = 500_000 + random.uniform(0, 3000, count), 2_147_000 + random.uniform(0, 3000, count)
    names = list(WRITABLE.values())
    return write_incidents(folder / "incidents.npz", make_incidents(x, y, time, np.arange(count) % len(names), names))


Report = Callable[[Path, Recorder], Path]


def inspect(folder: Path, said: Recorder) -> Path:
    report = folder / "r.html"
    given = {"incidents": write_city(folder), "crs": "EPSG:32614", "report": str(report)}
    reasons = {f"no time: '{name[:60]}'": number for number, name in enumerate(WRITABLE.values(), 1)}
    run_job("inspect_incidents", {**given, "layer": HOSTILE["long"], "refused_places": reasons}, said)
    return report


def select_period(folder: Path, said: Recorder) -> Path:
    report = folder / "r.html"
    run_job("select_period", {"incidents": write_city(folder), "report": str(report)}, said)
    return report


def train(folder: Path, said: Recorder) -> Path:
    report = folder / "r.html"
    stack = write_stack(folder / f"{FILE_NAMES['image']}.tif", make_grids(HOSTILE["script"]))
    given = {"heatmaps": stack, "kind": "logistic", "extras": write_extras(folder), "report": str(report)}
    run_job("train_forecast", {**given, "model_output": str(folder / "m.crimemodel")}, said)
    return report


def predict(folder: Path, said: Recorder) -> Path:
    report = folder / "r.html"
    stack = write_stack(folder / f"{FILE_NAMES['zero width']}.tif", make_grids(HOSTILE["long word"]))
    given = {"heatmaps": stack, "output": str(folder / "risk.tif")}
    tiny = {"epochs": 1, "channels": 4, "layers": 1, "sequence_length": 6}
    run_job("convlstm", {**given, "report": str(report), **tiny}, said)
    return report


def backtest(folder: Path, said: Recorder) -> Path:
    report = folder / "r.html"
    stack = write_stack(folder / f"{FILE_NAMES['attribute']}.tif", make_grids(HOSTILE["isolates"]))
    given = {"heatmaps": stack, "models": ["logistic"], "extras": write_extras(folder), "workers": 1}
    result = run_job(
        "backtest",
        {**given, "areas": write_areas(folder), "report": str(report), "csv": str(folder / "figures.csv")},
        said,
    )
    assert result["report"] == str(report)
    assert result["csv"]
    return report


def evaluate(folder: Path, said: Recorder) -> Path:
    report = folder / "r.html"
    stack = write_stack(folder / "grids.tif", make_grids(HOSTILE["line ends"]))
    given = {"heatmaps": stack, "models": ["prior_share"], "workers": 1, "risk": str(folder / "given.tif")}
    run_job("backtest", given, Recorder())
    more = {"heatmaps": stack, "areas": write_areas(folder), "report": str(report)}
    assert run_job("evaluate", {"risk": str(folder / "given.tif"), **more}, said)["report"]
    return report


def train_score(folder: Path, said: Recorder) -> Path:
    report = folder / "r.html"
    index = folder / f"{FILE_NAMES['formula']}.crimeindex"
    run_job("build_index", {"incidents": write_city(folder), "crs": "EPSG:32614", "output": str(index)}, said)
    small = {"radius": 300.0, "window_days": 90.0, "folds": 3, "epochs": 1, "widths": [8], "compare": False}
    output = {"model_output": str(folder / f"{FILE_NAMES['script']}.crimescore"), "report": str(report)}
    run_job("train_score", {"index": str(index), **output, **small}, said)
    return report


def train_outcome(folder: Path, said: Recorder) -> Path:
    report = folder / "r.html"
    table = folder / f"{FILE_NAMES['image']}.csv"
    random = np.random.default_rng(3)
    # No file of GDAL's holds what is behind a zero.
    names = [name for key, name in WRITABLE.items() if key != "nul"]
    days = np.datetime64("2024-01-01") + np.sort(random.integers(0, 120, 1500))
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Date", "Category", "Description", "District", "Arrest"])
        for day in days:
            what, more, where = random.choice(len(names), 3)
            writer.writerow([day, names[what], names[more], names[where], random.random() < 0.2 + what / 100])
    given = {"incidents": str(table), "kind": "rate", "compare": [], "ladder": False, "report": str(report)}
    run_job("train_outcome", {**given, "model_output": str(folder / "m.crimeoutcome")}, said)
    return report


REPORTS: list[Report] = [inspect, select_period, train, predict, backtest, evaluate, train_score, train_outcome]


@pytest.mark.parametrize("make", REPORTS, ids=lambda make: make.__name__)
def test_a_report_shows_hostile_names_as_text_and_short(make: Report, tmp_path: Path) -> None:
    said = Recorder()
    page = Page(make(tmp_path, said))
    assert find_faults_of_page(page) == []
    assert [word for message in said.messages for word in (*list_unseen(message), *list_long_words(message))] == []


def test_names_are_whole_in_data_and_no_formula_in_the_csv(tmp_path: Path) -> None:
    backtest(tmp_path, Recorder())
    with (tmp_path / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert f"area {HOSTILE['script']}" in {row["at"] for row in rows}
    assert f"area {HOSTILE['long word']}" in {row["at"] for row in rows}
    begins = {cell[:1] for row in rows for cell in row.values() if not _is_number(cell)}
    assert begins
    assert not begins & set("=+-@\t\r")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("key", HOSTILE)
def test_a_name_is_shown_on_one_line_short_and_without_what_no_one_sees(key: str) -> None:
    shown = show_name(HOSTILE[key])
    assert shown
    assert len(shown) <= NAME_LENGTH
    assert not set("\n\r\t\u2028") & set(shown)
    assert list_unseen(shown) == []
    assert "[%" not in shown
    shown.encode("utf-8")


def test_a_short_harmless_name_is_shown_as_it_is() -> None:
    for name in ("VIOLACIÓN", HOSTILE["arabic"], HOSTILE["emoji"], HOSTILE["script"], "می\u200cخواهم", "50 % [a]"):
        assert show_name(name) == name
    assert show_name("x" * 61) == "x" * 59 + "…"
    assert clean_text("first line\n\tsecond") == "first line\n\tsecond"
    assert list_names(["a", "b", "c"], 2) == "a, b and 1 more"


def test_every_name_becomes_a_file_of_its_own(tmp_path: Path) -> None:
    taken: set[str] = set()
    names = [choose_file_name(name, taken) for name in HOSTILE.values()]
    assert len(set(names)) == len(HOSTILE)
    for name in names:
        (tmp_path / name).write_text("")
        assert list_unseen(name) == []
        assert len(f".{name}.abcdef-123456.partial.aux.xml".encode()) <= 255


@pytest.mark.parametrize("key", HOSTILE)
def test_a_category_does_not_break_the_stack_nor_hide_those_behind_it(key: str, tmp_path: Path) -> None:
    stack = make_stack(np.ones((2, 3, 3), np.uint8), categories=[HOSTILE[key], "theft"])
    read = read_heatmaps(write_stack(tmp_path / "s.tif", stack)).categories
    assert read[1:] == ["theft"]
    if not {"\n", "\t", "\r"} & set(HOSTILE[key]) and list_unseen(HOSTILE[key]) == []:
        assert read[0] == HOSTILE[key]


def test_a_refusal_names_hostile_categories_short(tmp_path: Path) -> None:
    given: dict[str, Any] = {"incidents": write_city(tmp_path), "crs": "EPSG:32614", "output": str(tmp_path / "o.tif")}
    with pytest.raises(ValueError, match="No incident has category") as refused:
        run_job("rasterize", {**given, "categories": [HOSTILE["long word"] + "y"]}, Recorder())
    assert list_unseen(str(refused.value)) == []
    assert list_long_words(str(refused.value)) == []
