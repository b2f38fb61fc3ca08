"""A risk that was made from the very incidents it is judged by is told of first, in log and report."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from kit.contexts import Recorder
from kit.maps import make_stack, write_raster

from riskengine.jobs import run_job
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps, read_heatmaps, write_heatmaps

FILES = Path(__file__).resolve().parents[2] / "contracts" / "files" / "0.3.0"
UNKNOWN = "could not be checked"


def make_town(days: int = 60) -> Heatmaps:
    """Daily maps from Monday, 1 January 2024 on, counted from a layer; a category of its own."""
    counts = np.random.default_rng(5).poisson(0.6, (days, 6, 6)).astype(np.uint8)
    return make_stack(counts, categories=["burglary"], source="reports 2024")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The maps; a model that knows the first 40 days, and one that knows all."""
    folder = tmp_path_factory.mktemp("town")
    write_heatmaps(folder / "all.tif", make_town())
    write_heatmaps(folder / "40.tif", make_town().before(40))
    for name in ("40", "all"):
        given = {"heatmaps": str(folder / f"{name}.tif"), "kind": "prior_counts", "held_out": 0.0}
        run_job("train_forecast", {**given, "model_output": str(folder / f"{name}.crimemodel")})
    return folder


def forecast(town: Path, model: str, heatmaps: str, steps: int = 10) -> str:
    path = town / f"risk of {model} after {heatmaps}.tif"
    given = {"model": str(town / f"{model}.crimemodel"), "heatmaps": str(town / f"{heatmaps}.tif"), "extras": []}
    run_job("forecast", {**given, "steps": steps, "output": str(path)})
    return str(path)


def judge(risk: str | Path, heatmaps: Path, folder: Path, **more: Any) -> tuple[str, list[str]]:
    """Judge a risk; returns the report's text and the warnings of the log."""
    said, report = Recorder(), folder / "report.html"
    run_job("evaluate", {"risk": str(risk), "heatmaps": str(heatmaps), "report": str(report), **more}, said)
    text = re.sub(r"<[^>]+>", " ", report.read_text(encoding="utf-8"))
    return " ".join(text.split()), [message for level, message in said.entries if level == "warning"]


def test_a_forecast_of_later_maps_is_no_leak(town: Path, tmp_path: Path) -> None:
    report, warnings = judge(forecast(town, "40", "40"), town / "all.tif", tmp_path)
    assert "known to it" not in report
    assert UNKNOWN not in report
    assert not [line for line in warnings if "known to it" in line or UNKNOWN in line]


def test_a_model_that_was_trained_on_the_maps_is_told_of_first(town: Path, tmp_path: Path) -> None:
    """Days 41 to 50 were forecast from the 40 before them, by a model that had learned all 60."""
    report, warnings = judge(forecast(town, "all", "40"), town / "all.tif", tmp_path)
    said = (
        "The risk was made from the very incidents of reports 2024 that it is judged by, those up to Thu 29 Feb 2024:"
        " all 10 maps judged (Sat 10 – Mon 19 Feb 2024) were known to it, which makes it look better than it is."
        " Give hotspot grids of a later time."
    )
    assert warnings[0] == said
    # The first point among those that limit the figures, which stands at the report's top.
    assert re.search(rf"What limits these figures \(\d+ points?, all below \): {re.escape(said)}", report)


def test_where_some_maps_were_not_known_it_says_which_to_judge(town: Path, tmp_path: Path) -> None:
    """A raster of another tool that carries our tag: trained until the end of January."""
    tags = {"CRIMERISK_TRAINED_UNTIL": "2024-02-01T00:00:00"}
    path = write_raster(tmp_path / "r.tif", np.full((1, 6, 6), 0.2, np.float32), make_town().grid.transform, **tags)
    _, warnings = judge(path, town / "all.tif", tmp_path)
    assert "31 of the 60 maps judged (Jan 2024) were known to it" in warnings[0]
    assert warnings[0].endswith("Judge it from Thu 1 Feb 2024 on (First map judged).")
    _, warnings = judge(path, town / "all.tif", tmp_path, start="2024-02-01T00:00:00")
    assert not any("known to it" in line for line in warnings)


def test_classes_and_finer_maps_know_what_their_risk_knew(town: Path, tmp_path: Path) -> None:
    for model, leaks in (("all", True), ("40", False)):
        risk = forecast(town, model, "40")
        run_job("classify", {"risk": risk, "output": str(tmp_path / "classes.tif"), "polygons": None})
        run_job("upsample", {"risk": risk, "factor": 2, "output": str(tmp_path / "fine.tif")})
        for name in ("classes", "fine"):
            _, warnings = judge(tmp_path / f"{name}.tif", town / "all.tif", tmp_path)
            assert ("the very incidents of reports 2024" in warnings[0]) == leaks
            assert not any(UNKNOWN in line for line in warnings)


def test_a_backtest_knew_nothing_of_what_it_is_judged_by(town: Path, tmp_path: Path) -> None:
    given = {"heatmaps": str(town / "all.tif"), "models": ["prior_counts"], "risk": str(tmp_path / "risk.tif")}
    run_job("backtest", given)
    _, warnings = judge(tmp_path / "risk.tif", town / "all.tif", tmp_path)
    assert not any("known to it" in line or UNKNOWN in line for line in warnings)


def test_a_raster_that_says_nothing_could_not_be_checked(town: Path, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "kde.tif", np.full((1, 6, 6), 3.0, np.float32), make_town().grid.transform)
    report, warnings = judge(path, town / "all.tif", tmp_path)
    assert warnings[0].startswith("Whether the risk was made from the very incidents that it is judged by could not be")
    assert warnings[0] in report


def test_the_grids_themselves_are_made_of_what_happened(town: Path, tmp_path: Path) -> None:
    _, warnings = judge(town / "40.tif", town / "all.tif", tmp_path)
    assert "all 40 maps judged (Mon 1 Jan – Fri 9 Feb 2024) were known to it" in warnings[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"categories": ["theft"]}, None),
        ({"categories": ["Burglary", "theft"]}, "the very incidents of reports 2024 that"),
        ({"source": "calls"}, "The risk was made from reports 2024 up to Thu 29 Feb 2024, and is judged by calls. If "
         "both hold the same incidents, all 10 maps judged"),
        ({"source": ""}, "the very incidents of reports 2024 that"),
    ],
)  # fmt: skip
def test_other_incidents_are_no_leak(change: dict[str, Any], said: str | None, town: Path, tmp_path: Path) -> None:
    write_heatmaps(tmp_path / "other.tif", replace(make_town(), **change))
    _, warnings = judge(forecast(town, "all", "40"), tmp_path / "other.tif", tmp_path)
    if said is None:
        assert not any("known to it" in line for line in warnings)
    else:
        assert said in warnings[0]


def test_a_predicted_score_knows_up_to_its_reference_time(tmp_path: Path) -> None:
    """Of its four bands the first is the score; the others are no later maps."""
    files = {"index": str(FILES / "city.crimeindex"), "model": str(FILES / "city.crimescore")}
    risk = tmp_path / "score.tif"
    run_job("predict_score_raster", {**files, "cell_size": 500, "output": str(risk)})
    with rasterio.open(risk) as source:
        tags, place = source.tags(), source
        grid = Grid(place.bounds.left, place.bounds.top, 500.0, place.width, place.height, place.crs.to_wkt())
        score = source.read(1)
    reference = np.datetime64(tags["CRIMERISK_REFERENCE"])
    day = reference.astype("datetime64[D]")
    counts = np.random.default_rng(0).poisson(1.0, (20, *grid.shape)).astype(np.uint8)
    for start, leaks in ((day - 9, True), (day + 1, False)):
        write_heatmaps(tmp_path / "grids.tif", make_stack(counts, ~np.isnan(score), start=str(start), grid=grid))
        _, warnings = judge(risk, tmp_path / "grids.tif", tmp_path)
        # The reference day itself began before the reference time.
        assert ("10 of the 20 maps judged" in warnings[0]) == leaks
        assert not any("bands are left out" in line or UNKNOWN in line for line in warnings)


def test_grids_say_what_they_were_counted_from(town: Path) -> None:
    assert read_heatmaps(town / "all.tif").source == "reports 2024"
    with rasterio.open(forecast(town, "40", "40")) as source:
        assert source.tags()["CRIMERISK_SOURCE"] == "reports 2024"
        assert source.tags()["CRIMERISK_TRAINED_UNTIL"] == "2024-02-10T00:00:00"


def test_a_risk_of_other_categories_is_told_of(town: Path, tmp_path: Path) -> None:
    risk = forecast(town, "40", "40")
    for categories, told in ((["burglary", "theft"], True), (["Burglary"], False), ([], False)):
        write_heatmaps(tmp_path / "judged.tif", replace(make_town(), categories=categories))
        report, warnings = judge(risk, tmp_path / "judged.tif", tmp_path)
        said = "The risk is of burglary, and the maps judged are of burglary, theft:"
        assert any(line.startswith(said) for line in warnings) is told
        assert (said in report) is told
