"""The jobs that train any forecaster of the catalogue and that forecast with what was trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from kit.contexts import Recorder
from kit.maps import make_stack, write_stack

from riskengine.forecasters.modelfile import load_model
from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled, DataError, FormatError, OutputError, ParameterError
from riskengine.jobs import run_job
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps, read_heatmaps

TINY = {"epochs": 2, "channels": 4, "layers": 1, "sequence_length": 6}


def heatmaps(maps: int = 60, seed: int = 0) -> Heatmaps:
    """Daily counts of a city with busy and quiet cells, twice as busy at weekends; one corner outside."""
    random = np.random.default_rng(seed)
    weekend = np.where(np.arange(maps) % 7 >= 5, 2.0, 1.0)
    counts = random.poisson(np.random.default_rng(9).gamma(0.4, 0.6, (6, 7)) * weekend[:, None, None])
    mask = np.ones((6, 7), dtype=bool)
    mask[0, :3] = False
    grid = Grid(486000.0, 2150000.0, 500.0, 7, 6, "EPSG:32614")
    return make_stack(np.where(mask, counts, 0).astype(np.uint8), mask, grid=grid, categories=["robo"])


def train(folder: Path, stack: str, context: JobContext | None = None, **more: Any) -> dict[str, Any]:
    parameters = {"heatmaps": stack, "model_output": str(folder / "a.crimemodel"), **more}
    return run_job("train_forecast", parameters, context or JobContext())


def forecast(folder: Path, stack: str, context: JobContext | None = None, **more: Any) -> dict[str, Any]:
    parameters = {"model": str(folder / "a.crimemodel"), "heatmaps": stack, "output": str(folder / "risk.tif"), **more}
    return run_job("forecast", parameters, context or JobContext())


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("prior_counts", {}), ("constant", {}), ("logistic", {"strength": 100.0}), ("convlstm", TINY)],
)
def test_train_and_forecast(kind: str, settings: dict[str, Any], tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "héat maps.tif", heatmaps())
    report = tmp_path / "r.html"
    context = Recorder()
    result = train(
        tmp_path,
        stack,
        context,
        kind=kind,
        settings=settings,
        report=str(report),
        seed=3,
    )
    json.dumps(result, allow_nan=False)
    assert context.shares == sorted(context.shares)
    assert context.shares[-1] == 1.0
    assert result["kind"] == kind
    assert result["held_out_bins"] == 12
    assert result["refitted"]
    assert result["trained_until"] == "2024-03-01T00:00:00"
    assert {"constant", "prior_counts", kind} <= set(result["metrics"])
    assert result["best_baseline"] != kind
    ratio = result["metrics"][kind]["log_loss"] / result["metrics"][result["best_baseline"]]["log_loss"]
    assert result["log_loss_ratio_best"] == pytest.approx(ratio, rel=1e-4)
    assert result["metrics"][kind]["against"]["baseline"] == result["best_baseline"]
    html = report.read_text(encoding="utf-8")
    assert result["verdict"].split(":")[0] in html
    assert "héat maps.tif" in html
    assert str(tmp_path) not in html
    model, card = load_model(result["model"])
    assert (card.name, card.metrics, card.window.end) == (kind, result["metrics"], "2024-03-01T00:00:00")
    assert card.settings == {**model.settings(), **settings}

    out = forecast(tmp_path, stack, steps=3)
    json.dumps(out, allow_nan=False)
    assert out["edges"] == [f"2024-03-0{day}T00:00:00" for day in (1, 2, 3, 4)]
    assert "12 held-out maps" in out["card"]
    with rasterio.open(tmp_path / "risk.tif") as risk:
        tags, values = risk.tags(), risk.read()
        assert (tags["CRIMERISK_KIND"], tags["CRIMERISK_MODEL"]) == ("risk", kind)
        assert tags["CRIMERISK_CARD"] == out["card"]
        assert risk.tags(3)["CRIMERISK_END"] == "2024-03-04T00:00:00"
        assert risk.nodata == -9999.0
    again = model.predict(read_heatmaps(stack), 3)
    inside = heatmaps().mask
    assert np.array_equal(values[:, inside], again[:, inside])
    assert (values[:, ~inside] == -9999.0).all()


def test_the_figures_are_those_of_a_model_that_knew_no_held_out_map(tmp_path: Path) -> None:
    """Other incidents in the held-out maps change the figures, never what was learned before them."""
    city = heatmaps()
    other = replace(city, counts=city.counts.copy())
    other.counts[48:] = 3
    files = [write_stack(tmp_path / f"{number}.tif", each) for number, each in enumerate((city, other))]
    settings = {"kind": "logistic", "refit": False}
    results = [
        train(tmp_path, file, model_output=str(tmp_path / f"{i}.crimemodel"), **settings)
        for i, file in enumerate(files)
    ]
    models = [load_model(tmp_path / f"{number}.crimemodel") for number in range(2)]
    assert models[0][1].window.end == models[1][1].window.end == "2024-02-18T00:00:00"
    assert np.array_equal(*(each.predict(city.before(48)) for each, _ in models), equal_nan=True)
    assert results[0]["metrics"] != results[1]["metrics"]
    assert not any(result["refitted"] for result in results)
    # Refitted on all maps, it has learned from them.
    train(tmp_path, files[1], model_output=str(tmp_path / "all.crimemodel"), kind="logistic")
    refitted, card = load_model(tmp_path / "all.crimemodel")
    assert card.window.end == "2024-03-01T00:00:00"
    early = city.before(48)
    assert not np.array_equal(refitted.predict(early), models[1][0].predict(early), equal_nan=True)


def test_until_leaves_later_maps_out(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", heatmaps())
    context = Recorder()
    result = train(
        tmp_path,
        stack,
        context,
        kind="prior_counts",
        until="2024-02-10T12:00:00",
        held_out=0,
    )
    assert (result["maps"], result["trained_until"]) == (40, "2024-02-10T00:00:00")
    assert "20 maps that end after Sat 10 Feb 2024, 12:00 are left out." in context.messages
    assert result["metrics"] == {}
    assert result["best_baseline"] is None
    assert any("No map was held out" in note for note in result["notes"])
    early = forecast(tmp_path, write_stack(tmp_path / "early.tif", heatmaps().before(20)))
    assert any("has seen, so this is no test of it" in note for note in early["notes"])
    assert "Not evaluated on held-out maps." in early["card"]
    assert forecast(tmp_path, stack)["notes"] == []


def test_a_model_for_other_maps_is_refused_with_a_sentence(tmp_path: Path) -> None:
    city = heatmaps()
    train(tmp_path, write_stack(tmp_path / "h.tif", city), kind="convlstm", settings=TINY, refit=False)

    def refused(kind: type[Exception], match: str, **changes: Any) -> None:
        with pytest.raises(kind, match=match):
            forecast(tmp_path, write_stack(tmp_path / "other.tif", replace(city, **changes)))
        assert not (tmp_path / "risk.tif").exists()

    refused(ParameterError, "trained on maps of 1 days, these are maps of 2 days", bin="2 days")
    refused(
        ParameterError,
        "trained on cells of 500 m, these are cells of 250 m",
        support=Grid(486000.0, 2150000.0, 250.0, 7, 6, "EPSG:32614"),
    )
    refused(
        DataError,
        "holds 10 observed maps; at least 11",
        counts=city.counts[:10],
        edges=city.edges[:11],
        observed=city.observed[:10],
    )
    refused(DataError, "No incident", counts=city.counts * 0)
    # Another place is fine, other categories are worth a word.
    elsewhere = replace(city, support=Grid(9e5, 2e6, 500.0, 7, 6, "EPSG:32614"), categories=["fraude"])
    result = forecast(tmp_path, write_stack(tmp_path / "elsewhere.tif", elsewhere))
    assert ["other categories" in note for note in result["notes"]] == [True]


def test_bad_parameters_are_refused_before_anything_is_fitted(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", heatmaps())
    with pytest.raises(ParameterError, match="There is no forecaster 'oracle'"):
        train(tmp_path, stack, kind="oracle")
    with pytest.raises(ParameterError, match="Prior counts has no setting 'depth'"):
        train(tmp_path, stack, kind="prior_counts", settings={"depth": 3})
    with pytest.raises(ParameterError, match="settings holds threshold=3, but threshold has a parameter of its own"):
        train(tmp_path, stack, kind="prior_counts", settings={"threshold": 3})
    with pytest.raises(DataError, match=r"The stack holds 12 maps, 2 of them held out; Logistic needs at least 12"):
        train(tmp_path, write_stack(tmp_path / "short.tif", heatmaps(12)), kind="logistic")
    with pytest.raises(DataError, match="No map ends before Sun 1 Jan 2023; the first is Mon 1 Jan 2024"):
        train(tmp_path, stack, kind="prior_counts", until="2023-01-01T00:00:00")
    with pytest.raises(OutputError, match="does not exist"):
        train(tmp_path, stack, kind="prior_counts", report=str(tmp_path / "no" / "r.html"))
    assert not (tmp_path / "a.crimemodel").exists()
    with pytest.raises(FormatError, match=r"a\.crimemodel does not exist"):
        forecast(tmp_path, stack)


def fits(said: Recorder) -> int:
    """How many trainings have begun."""
    return sum(text.startswith("Fitting ConvLSTM") for text in said.texts)


def test_a_training_goes_on_after_a_cancel(tmp_path: Path) -> None:
    """Cancelled in the second fit: the first one is not done again, and the model is the same as of one run."""
    stack = write_stack(tmp_path / "h.tif", heatmaps())
    settings = {**TINY, "epochs": 3}
    whole = train(tmp_path, stack, kind="convlstm", settings=settings, model_output=str(tmp_path / "whole.crimemodel"))
    checkpoint = tmp_path / "training.checkpoint"
    context = Recorder(lambda said: fits(said) == 2 and said.texts[-1].startswith("epoch 2"))
    with pytest.raises(Cancelled):
        train(tmp_path, stack, context, kind="convlstm", settings=settings, checkpoint=str(checkpoint))
    assert not (tmp_path / "a.crimemodel").exists()
    assert checkpoint.exists()
    log = Recorder()
    result = train(tmp_path, stack, log, kind="convlstm", settings=settings, checkpoint=str(checkpoint))
    assert any("Going on after epoch 1" in text for text in log.messages)
    assert any("of the run that was cancelled" in text for text in log.messages)
    assert result["metrics"] == whole["metrics"]
    one, two = (load_model(path)[0] for path in (result["model"], whole["model"]))
    city = heatmaps()
    assert np.array_equal(one.predict(city, 2), two.predict(city, 2), equal_nan=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.crimemodel", "h.tif", "whole.crimemodel"]


@pytest.mark.parametrize("changed", ["nothing", "observed", "extras"])
def test_the_judged_model_is_that_of_the_same_maps_alone(changed: str, tmp_path: Path) -> None:
    """Cancelled between the two fits; then maps are told to be unobserved, or a layer holds other values."""
    layer = tmp_path / "layer.tif"
    city = heatmaps()
    write_layer(layer, city, 1.0)
    given = {"kind": "convlstm", "settings": TINY, "checkpoint": str(tmp_path / "c"), "extras": [str(layer)]}
    context = Recorder(lambda said: fits(said) == 2)
    with pytest.raises(Cancelled):
        train(tmp_path, write_stack(tmp_path / "h.tif", city), context, **given)
    (tmp_path / "c").unlink(missing_ok=True)
    if changed == "observed":
        city.observed[[20, 30]] = False
    elif changed == "extras":
        write_layer(layer, city, 2.0)
    log = Recorder()
    train(tmp_path, write_stack(tmp_path / "h.tif", city), log, **given)
    assert any("of the run that was cancelled" in text for text in log.messages) == (changed == "nothing")


def write_layer(path: Path, city: Heatmaps, factor: float) -> None:
    grid = city.grid
    values = factor * np.arange(grid.rows * grid.columns, dtype=np.float32).reshape(grid.shape) ** factor
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": grid.crs, "transform": grid.transform}
    with rasterio.open(path, "w", width=grid.columns, height=grid.rows, **profile) as target:
        target.write(values, 1)


def test_a_moment_with_an_offset_is_refused(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", heatmaps())
    with pytest.raises(ParameterError, match=r"until is 2024-02-15T00:00:00.*with a time zone"):
        train(tmp_path, stack, kind="prior_counts", until="2024-02-15T00:00:00Z")


def test_a_report_that_fails_costs_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no fonts")

    monkeypatch.setattr("riskengine.jobs.train_forecast.write_training_report", fail)
    context = Recorder()
    result = train(
        tmp_path,
        write_stack(tmp_path / "h.tif", heatmaps()),
        context,
        kind="prior_counts",
        report=str(tmp_path / "r.html"),
    )
    assert result["report"] is None
    assert Path(result["model"]).exists()
    assert any(
        "The model is written, but its report is not. It failed unexpectedly (RuntimeError: no fonts)." in text
        for text in context.messages
    )


def test_worse_than_a_baseline_is_said(tmp_path: Path) -> None:
    """A constant on a city of busy and quiet cells loses to all that know the cells."""
    context = Recorder()
    result = train(tmp_path, write_stack(tmp_path / "h.tif", heatmaps(200)), context, kind="constant")
    assert "WORSE calibrated, and catches FEWER; log-loss " in result["verdict"]
    assert ("warning", result["verdict"]) in context.entries
    card = forecast(tmp_path, str(tmp_path / "h.tif"))["card"]
    assert "On 40 held-out maps: WORSE calibrated, and catches FEWER; log-loss of its probabilities " in card


def test_the_report_of_an_ensemble_says_who_is_heard(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", heatmaps(90))
    report = tmp_path / "r.html"
    members = ["prior_counts", "constant"]
    train(tmp_path, stack, kind="ensemble", settings={"members": members}, report=str(report), refit=False)
    model, _ = load_model(tmp_path / "a.crimemodel")
    text = report.read_text(encoding="utf-8")
    assert "members prior_counts + constant" in text
    heard = dict(zip(model.members, model.weights_, strict=True))
    assert heard["prior_counts"] > heard["constant"]
    assert f"{100 * heard['prior_counts']:.0f}\N{NO-BREAK SPACE}%" in text
    text = text[text.index("Who is heard") :]
    assert text.index("<td>Prior counts</td><td") < text.index("<td>Constant</td><td")


def test_the_short_way_takes_no_other_model(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", heatmaps())
    train(tmp_path, stack, kind="prior_counts", held_out=0)
    parameters = {"heatmaps": stack, "model": str(tmp_path / "a.crimemodel"), "output": str(tmp_path / "risk.tif")}
    with pytest.raises(ParameterError, match=r"holds a Prior counts model, not a ConvLSTM.*Use Forecast risk"):
        run_job("convlstm", parameters, JobContext())
