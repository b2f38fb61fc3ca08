"""The jobs that judge forecasts: what they write, and that a risk raster is judged as the backtest judged it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from kit.contexts import Recorder
from kit.incidents import incidents_of, write_incidents
from kit.maps import make_stack, write_raster
from rasterio.transform import Affine
from rasterio.warp import transform_bounds

from riskengine.contract.forecasters import BASELINES
from riskengine.forecasters.baselines import PriorCounts, PriorShare
from riskengine.ground.errors import CrimeRiskError, DataError, OutputError, ParameterError
from riskengine.intake.incidents import read_exchange, write_exchange
from riskengine.jobs import run_job
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps, read_heatmaps, write_heatmaps, write_risk
from riskengine.maps.risk import read_risk
from riskengine.measures.labels import LABELS
from riskengine.measures.metrics import log_loss

MAPS, HEIGHT, WIDTH, TEST = 100, 6, 8, 20


def make_city(seed: int = 3) -> Heatmaps:
    random = np.random.default_rng(seed)
    mask = np.ones((HEIGHT, WIDTH), bool)
    mask[0, :3] = False
    counts = random.poisson(random.gamma(0.5, 0.5, (HEIGHT, WIDTH)), (MAPS, HEIGHT, WIDTH)) * mask
    observed = np.ones(MAPS, bool)
    observed[90] = False
    grid = Grid(500_000.0, 2_150_000.0, 500.0, WIDTH, HEIGHT, "EPSG:32614")
    return make_stack(counts.astype(np.uint8), mask, grid=grid, observed=observed)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    heatmaps = make_city()
    write_heatmaps(folder / "grids.tif", heatmaps)
    incidents = incidents_of(heatmaps, seed=1)
    write_incidents(folder / "incidents.npz", replace(incidents, time=incidents.time + 3600))
    west = [[[500_000, 0], [502_000, 0], [502_000, 3e6], [500_000, 3e6], [500_000, 0]]]
    areas = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"name": "West"}, "geometry": {"type": "Polygon", "coordinates": west}}
        ],
    }
    (folder / "areas.geojson").write_text(json.dumps(areas), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def judged(city: Path) -> dict[str, Any]:
    """A backtest with all its outputs."""
    return run_job(
        "backtest",
        {
            "heatmaps": str(city / "grids.tif"),
            "models": ["prior_share", "logistic"],
            "refit": 10,
            "incidents": str(city / "incidents.npz"),
            "offsets": 2,
            "areas": str(city / "areas.geojson"),
            "percentile": 90,
            "workers": 1,
            **{name: str(city / f"out.{name}") for name in ("report", "csv")},
            **{name: str(city / f"{name}.tif") for name in ("risk", "labels")},
            "hits": str(city / "hits.json"),
        },
    )


def test_the_result_names_models_baselines_and_differences(judged: dict[str, Any]) -> None:
    json.dumps(judged, allow_nan=False)
    assert set(judged["scores"]) == {"prior_share", "logistic", *BASELINES}
    assert judged["model"] == "logistic"
    best = judged["best_baseline"]
    losses = {name: each["log_loss"] for name, each in judged["scores"].items() if name != "logistic"}
    assert losses[best] == min(losses.values())
    assert set(judged["against"]) == set(judged["scores"]) - {best}
    found = judged["against"]["logistic"]
    assert found["mean"] == pytest.approx(judged["scores"]["logistic"]["log_loss"] - losses[best], abs=2e-6)
    assert found["blocks"] == 6
    assert judged["verdict"]
    assert judged["labels"] == list(LABELS)
    assert len(judged["edges"]) == TEST - 1
    assert judged["edges"][0] == ["2024-03-21T00:00:00", "2024-03-22T00:00:00"]
    assert any("1 map was not observed: it is neither" in note for note in judged["notes"])


def test_the_risk_stack_holds_the_scored_maps_in_time(city: Path, judged: dict[str, Any]) -> None:
    stack = read_risk(str(city / "risk.tif"))
    assert stack.edges == judged["edges"]
    assert stack.tags["CRIMERISK_MODEL"] == "logistic"
    assert stack.tags["CRIMERISK_HORIZON"] == "1"
    assert np.isnan(stack.risk[:, 0, :3]).all()
    inside = stack.risk[:, read_heatmaps(city / "grids.tif").mask]
    assert ((inside >= 0) & (inside <= 1)).all()


def test_labels_and_hits_agree_with_risk_and_counts(city: Path, judged: dict[str, Any]) -> None:
    heatmaps, risk = read_heatmaps(city / "grids.tif"), read_risk(str(city / "risk.tif")).risk
    scored = [number for number in range(MAPS - TEST, MAPS) if number != 90]
    with rasterio.open(city / "labels.tif") as source:
        labels, tags = source.read(), source.tags()
        assert source.tags(3)["CRIMERISK_START"] == judged["edges"][2][0]
        assert source.nodata == 255
    assert (tags["CRIMERISK_KIND"], tags["CRIMERISK_LABELS"]) == ("labels", "\n".join(LABELS))
    crimes = heatmaps.counts[scored] > 0
    assert np.array_equal(np.isin(labels, (1, 2, 3)), crimes)
    # Flagged: strictly above the 90th percentile of all scored maps.
    flagged = risk > np.nanpercentile(risk, 90)
    assert np.array_equal(np.isin(labels, (1, 4, 5)), flagged)
    rows = json.loads((city / "hits.json").read_text(encoding="utf-8"))
    assert len(rows) == judged["hits"] == crimes.sum()
    assert sum(row[4] for row in rows) == heatmaps.counts[scored].sum()
    x, y, start, end, incidents, value, label = rows[-1]
    number = judged["edges"].index([start, end])
    column, row = int((x - 500_000) / 500), int((2_150_000 - y) / 500)
    assert (x, y) == (500_250 + 500 * column, 2_149_750 - 500 * row)
    assert incidents == heatmaps.counts[scored[number], row, column]
    assert value == pytest.approx(risk[number, row, column], abs=1e-6)
    assert LABELS.index(label) == labels[number, row, column]


def test_the_csv_holds_every_figure_with_its_counts(city: Path, judged: dict[str, Any]) -> None:
    with (city / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["model", "metric", "at", "value", "n", "N", "low", "high"]
    table = {(row["model"], row["metric"], row["at"]): row for row in rows}
    assert len(table) == len(rows), "some figure is there twice"
    for name, figures in judged["scores"].items():
        for figure in ("log_loss", "brier", "brier_skill", "auc", "average_precision"):
            assert float(table[name, figure, ""]["value"]) == pytest.approx(figures[figure], abs=1e-6)
        hits = table[name, "hit_rate", "5 % of the area"]
        assert float(hits["n"]) / float(hits["N"]) == pytest.approx(float(hits["value"]), abs=1e-6)
        assert float(hits["low"]) <= float(hits["value"]) <= float(hits["high"])
        for over in ("stack", "map"):
            for percentile in range(85, 100):
                at = f"percentile {percentile} of the {over}"
                for metric in ("hit_rate", "pai", "pei", "precision", "ser_per_km2", "accuracy", "label correct"):
                    assert (name, metric, at) in table
        # Cells of a quarter of a square kilometre.
        flagged, ser = (table[name, each, "5 % of the area"] for each in ("flagged_share", "ser_per_km2"))
        assert float(ser["value"]) == pytest.approx(float(ser["n"]) / (float(flagged["n"]) * 0.25), abs=1e-6)
    assert ("logistic", "flagged_share", "area West") in table
    assert ("prior_counts", "pai_sd", "grid positions") in table
    assert ("logistic", "log_loss", f"map {judged['edges'][0][0]}") in table


def test_areas_and_grid_positions_are_told(judged: dict[str, Any]) -> None:
    names = [area["name"] for area in judged["areas"]]
    assert sorted(names) == ["(in no area)", "West"]
    assert sum(area["flagged_share"] for area in judged["areas"]) == pytest.approx(1, abs=1e-5)
    assert set(judged["offsets"]) == {"prior_share", *BASELINES} - {"constant"}
    moved = judged["offsets"]["prior_share"]
    assert len(moved["hit_rate"]) == 3
    assert moved["hit_rate"][0] == pytest.approx(judged["scores"]["prior_share"]["hit_rate_5"], abs=1e-5)


def test_the_report_is_one_file_without_folders(city: Path) -> None:
    pytest.importorskip("riskengine.report.backtest", reason="the report of a backtest is not there yet")
    text = (city / "out.report").read_text(encoding="utf-8")
    assert "Logistic" in text
    assert str(city) not in text


def test_evaluating_the_written_risk_gives_the_backtests_figures(city: Path, judged: dict[str, Any]) -> None:
    found = run_job("evaluate", {"risk": str(city / "risk.tif"), "heatmaps": str(city / "grids.tif"), "percentile": 90})
    assert found["model"] == "logistic"
    assert found["edges"] == judged["edges"]
    for name in ("logistic", "prior_counts", "recent_counts", "constant"):
        expected = {key: value for key, value in judged["scores"][name].items() if key != "skill_best"}
        assert {key: found["scores"][name][key] for key in expected} == pytest.approx(expected, abs=1e-5), name
    assert found["hits"] == judged["hits"]


def test_baselines_know_no_more_than_the_origin_of_a_forecast(city: Path, tmp_path: Path) -> None:
    heatmaps = read_heatmaps(city / "grids.tif")
    # Three bins, all forecast at the start of the first.
    history = heatmaps.before(80)
    risk = PriorShare().fit(history).predict(history, 3)
    tags = {"CRIMERISK_ORIGIN": str(heatmaps.edges[80]), "CRIMERISK_MODEL": "logistic"}
    write_risk(tmp_path / "ahead.tif", risk, heatmaps.edges[80:84], heatmaps.mask, heatmaps.grid, tags)
    found = run_job("evaluate", {"risk": str(tmp_path / "ahead.tif"), "heatmaps": str(city / "grids.tif")})
    assert [edge[0] for edge in found["edges"]] == [str(edge) for edge in heatmaps.edges[80:83]]
    counts = PriorCounts().fit(history).predict(history, 3)[:, heatmaps.mask]
    events = heatmaps.counts[80:83][:, heatmaps.mask] > 0
    assert found["scores"]["prior_counts"]["log_loss"] == pytest.approx(log_loss(counts, events), abs=1e-6)
    shares = risk[:, heatmaps.mask]
    assert found["scores"]["logistic"]["log_loss"] == pytest.approx(log_loss(shares, events), abs=1e-6)


def run(city: Path, job: str = "backtest", **more: Any) -> dict[str, Any]:
    return run_job(job, {"heatmaps": str(city / "grids.tif"), **more})


def test_the_test_may_begin_at_a_time(city: Path) -> None:
    found = run(city, models=["prior_counts"], start="2024-03-27T12:00:00", horizon=3)
    assert found["edges"][0][0] == "2024-03-28T00:00:00"
    # The 91st map was not observed.
    assert len(found["edges"]) == 12


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"start": "2020-01-01T00:00:00"}, ParameterError, "the first map begins"),
        ({"start": "2025-01-01T00:00:00"}, ParameterError, "the first map begins"),
        ({"offsets": 3}, ParameterError, "no incidents"),
        ({"models": ["oracle"]}, ParameterError, "no forecaster 'oracle'"),
        ({"settings": {"convlstm": {"epochs": 1}}, "models": ["logistic"]}, ParameterError, "does not take part"),
        ({"test": 0}, ParameterError, "test is"),
        ({"percentile": 100}, ParameterError, "percentile is 100; give a number from 0.01 to 99.99"),
        ({"seeds": []}, ParameterError, "'seeds'"),
        ({"report": "nowhere/at/all.html"}, OutputError, "does not exist"),
        ({"areas": "no.geojson"}, CrimeRiskError, "cannot be read as GeoJSON"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    city: Path, given: dict[str, Any], error: type[CrimeRiskError], words: str
) -> None:
    with pytest.raises(error, match=words):
        run(city, **{"models": ["prior_counts"], **given})


def test_nothing_is_left_behind_when_it_is_refused(city: Path, tmp_path: Path) -> None:
    outputs = {name: str(tmp_path / f"{name}.x") for name in ("report", "csv", "risk", "labels", "hits")}
    with pytest.raises(ParameterError):
        run(city, models=["prior_counts"], start="2025-01-01T00:00:00", **outputs)
    assert not list(tmp_path.iterdir())


def test_incidents_of_another_stack_are_refused_before_any_work(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("it began to work")

    monkeypatch.setattr("riskengine.jobs.backtest.run_backtest", fail)
    incidents, _ = read_exchange(str(city / "incidents.npz"))
    write_exchange(tmp_path / "half.npz", incidents.select(np.arange(len(incidents)) % 2 == 0))
    with pytest.raises(DataError, match="but the hotspot grids hold"):
        run(city, incidents=str(tmp_path / "half.npz"), offsets=1)
    # A 1 from two incidents on.
    binary = str(tmp_path / "binary.tif")
    run_job("binarize", {"heatmaps": str(city / "grids.tif"), "output": binary, "threshold": 1})
    with pytest.raises(DataError, match=r"binary maps of cells with 2 incidents or more.* with a threshold of 2, or"):
        run_job("backtest", {"heatmaps": binary, "incidents": str(city / "incidents.npz"), "offsets": 1})


def test_what_fails_after_the_backtest_costs_no_figures(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError("no more")

    for name in ("run_offsets", "compute_exposure"):
        monkeypatch.setattr(f"riskengine.jobs.backtest.{name}", fail)
    # A CSV that is open in a spreadsheet cannot be replaced; a folder of its name cannot either.
    names = ("report", "csv", "risk", "labels", "hits")
    paths = {name: tmp_path / f"{name}.x" for name in names}
    for name in ("csv", "risk", "labels", "hits"):
        (paths[name] / "inside").mkdir(parents=True)
    found = run(
        city,
        models=["prior_counts"],
        incidents=str(city / "incidents.npz"),
        offsets=1,
        areas=str(city / "areas.geojson"),
        **{name: str(path) for name, path in paths.items()},
    )
    assert found["scores"]["prior_counts"]["log_loss"] > 0
    assert (found["offsets"], found["areas"]) == ({}, [])
    assert (found["risk"], found["csv"]) == (None, None)
    assert found["report"] == str(paths["report"])
    for words in (
        "further grid positions could not be worked out. The engine ran out of memory (no more). Use a smaller area",
        "exposure by area could not be worked out",
        "but the risk raster is not",
        "but the labels are not",
        "but the hits are not",
        "but the CSV is not",
    ):
        assert any(words in note for note in found["notes"]), words
        assert words.partition(". ")[0] in paths["report"].read_text(encoding="utf-8")


def test_a_moment_with_an_offset_is_refused(city: Path) -> None:
    with pytest.raises(ParameterError, match=r"with a time zone.*Give the local time"):
        run(city, models=["prior_counts"], start="2024-03-27T12:00:00+02:00")


def write_foreign(path: Path, bands: np.ndarray, transform: Affine, **tags: str) -> str:
    return write_raster(path, bands.astype(np.float32), transform, nodata=-1, **tags)


def test_a_foreign_density_is_judged_by_its_order(city: Path, tmp_path: Path) -> None:
    heatmaps = read_heatmaps(city / "grids.tif")
    # How often it happened there in all, times a thousand: the best order there is, and no probability.
    density = 1000.0 * heatmaps.counts.sum(axis=0)[None]
    risk = write_foreign(tmp_path / "kde.tif", density, heatmaps.grid.transform)
    context = Recorder()
    found = run_job(
        "evaluate",
        {"risk": risk, "heatmaps": str(city / "grids.tif"), "report": str(tmp_path / "report.html")},
        context,
    )
    figures = found["scores"]["risk"]
    assert found["model"] == "risk"
    # A single band without a time is held against every observed map.
    assert len(found["edges"]) == MAPS - 1
    assert figures["log_loss"] is None
    assert figures["brier_skill"] is None
    assert figures["auc"] > 0.6
    assert figures["incidents"] == heatmaps.counts[heatmaps.observed].sum()
    assert any("no probabilities" in note for note in found["notes"])
    # From the first map on there is no history that a baseline could learn from.
    assert found["best_baseline"] == ""
    assert any("No baseline stands beside it" in note for note in found["notes"])
    json.dumps(found, allow_nan=False)
    assert found["report"], context.messages
    assert "probabilities" in Path(found["report"]).read_text(encoding="utf-8")


def test_a_finer_raster_is_brought_onto_the_grid(city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that lies in a file, as a large one does."""
    monkeypatch.setattr("riskengine.ground.bigarrays.IN_MEMORY", 0)
    heatmaps = read_heatmaps(city / "grids.tif")
    share = (heatmaps.counts > 0).mean(axis=0)[None]
    fine = np.kron(share, np.ones((1, 5, 5)))
    grid = heatmaps.grid
    risk = write_foreign(tmp_path / "fine.tif", fine, Affine(100, 0, grid.west, 0, -100, grid.north))
    same = write_foreign(tmp_path / "same.tif", share, grid.transform)
    found, expected = (
        run_job("evaluate", {"risk": path, "heatmaps": str(city / "grids.tif")}) for path in (risk, same)
    )
    for figure in ("log_loss", "brier", "auc", "average_precision", "hit_rate_5"):
        assert found["scores"]["risk"][figure] == pytest.approx(expected["scores"]["risk"][figure], rel=1e-4)
    assert any("another grid" in note for note in found["notes"])


def test_baselines_beside_one_band_without_a_time_know_what_came_before_the_test(city: Path, tmp_path: Path) -> None:
    heatmaps = read_heatmaps(city / "grids.tif")
    share = (heatmaps.counts[:80] > 0).mean(axis=0)[None]
    risk = write_foreign(tmp_path / "past.tif", share, heatmaps.grid.transform)
    found = run(city, "evaluate", risk=risk, start=str(heatmaps.edges[80]))
    scored = [number for number in range(80, MAPS) if heatmaps.observed[number]]
    assert len(found["edges"]) == len(scored)
    history = heatmaps.before(80)
    # Not told each day of the days before it, as a forecast of each map is.
    counts = PriorCounts().fit(history).predict(history)[0][heatmaps.mask]
    events = heatmaps.counts[scored][:, heatmaps.mask] > 0
    expected = log_loss(np.broadcast_to(counts, events.shape), events)
    assert found["scores"]["prior_counts"]["log_loss"] == pytest.approx(expected, abs=1e-6)


def test_a_coarse_raster_in_degrees_is_looked_up(city: Path, tmp_path: Path) -> None:
    """A pixel of 0.05 degrees is some kilometres wide: many times a cell, though 0.05 < 500."""
    heatmaps = read_heatmaps(city / "grids.tif")
    west, south, east, north = transform_bounds("EPSG:32614", "EPSG:4326", *heatmaps.grid.bounds)
    notes = []
    for size in (0.05, 0.0005):
        wide, high = (int((high - low) / size) + 3 for low, high in ((west, east), (south, north)))
        values = np.linspace(0.1, 0.9, wide * high).reshape(1, high, wide)
        path = tmp_path / "degrees.tif"
        write_foreign(path, values, Affine(size, 0, west - size, 0, -size, north + size))
        with rasterio.open(path, "r+") as target:
            target.crs = "EPSG:4326"
        notes.append(" ".join(run(city, "evaluate", risk=str(path))["notes"]))
    assert "looked up at the centres" in notes[0]
    assert "averaged over its cells" in notes[1]


def test_cells_without_a_risk_are_left_out_and_told(city: Path, tmp_path: Path) -> None:
    heatmaps = read_heatmaps(city / "grids.tif")
    share = (heatmaps.counts > 0).mean(axis=0)[None]
    share[0, :, -1] = -1
    found = run(city, "evaluate", risk=write_foreign(tmp_path / "part.tif", share, heatmaps.grid.transform))
    assert any(f"{HEIGHT} of {heatmaps.mask.sum()} cells" in note for note in found["notes"])
    assert found["scores"]["risk"]["incidents"] == heatmaps.counts[heatmaps.observed][:, :, :-1].sum()


def test_a_model_that_knew_the_maps_is_told_of(city: Path, tmp_path: Path) -> None:
    heatmaps = read_heatmaps(city / "grids.tif")
    share = (heatmaps.counts > 0).mean(axis=0)[None]
    tags = {"CRIMERISK_MODEL": "logistic", "CRIMERISK_TRAINED_UNTIL": "2024-01-31T00:00:00"}
    risk = write_foreign(tmp_path / "trained.tif", share, heatmaps.grid.transform, **tags)
    found = run(city, "evaluate", risk=risk)
    # 99 of the 100 maps were observed.
    said = "30 of the 99 maps judged (Mon 1 – Tue 30 Jan 2024) were known to it, which makes it look better than it is."
    assert any(said in note for note in found["notes"])


def test_bands_of_another_time_are_refused(city: Path, tmp_path: Path, judged: dict[str, Any]) -> None:
    later = make_city()
    later = replace(later, edges=later.edges + np.timedelta64(365, "D"))
    write_heatmaps(tmp_path / "later.tif", later)
    with pytest.raises(DataError, match="No observed map covers the time"):
        run_job("evaluate", {"risk": str(city / "risk.tif"), "heatmaps": str(tmp_path / "later.tif")})
