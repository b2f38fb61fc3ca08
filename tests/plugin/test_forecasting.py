"""Train forecast model and Forecast risk on a small town: what comes out, how it looks, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_in_background
from kit.layers import read_bands, write_bands
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsLayerMetadata,
    QgsProcessingContext,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandPseudoColorRenderer,
)

ROOT = Path(__file__).resolve().parents[2]
gdal.UseExceptions()


def kind(name: str) -> int:
    """The number of a forecaster among the options."""
    from crime_risk.riskengine.contract.forecasters import FORECASTERS

    return list(FORECASTERS).index(name)


@pytest.fixture(scope="module")
def trained(run: Any, grids_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Prior counts: a model that a hand can check."""
    folder = tmp_path_factory.mktemp("trained")
    return run(
        "trainforecastmodel",
        INPUT=str(grids_file),
        MODEL_KIND=kind("prior_counts"),
        MODEL=str(folder / "town.crimemodel"),
        REPORT=str(folder / "report.html"),
    )


def test_trained(trained: Any, run: Any) -> None:
    assert Path(trained["MODEL"]).stat().st_size > 0
    assert (trained["KIND"], trained["MAPS"], trained["HELD_OUT_MAPS"]) == ("prior_counts", 40, 8)
    assert trained["TRAINED_UNTIL"] == "2024-02-10T00:00:00"
    assert 0 < trained["LOG_LOSS"] < 1
    assert 0 < trained["LOG_LOSS_RATIO_CONSTANT"] < 1, "three clusters are no even spread"
    assert trained["VERDICT"].startswith("Prior counts, over 8 test maps: ")
    assert "; log-loss 0." in trained["VERDICT"]
    assert " flagged it catches " in trained["VERDICT"]
    assert trained["VERDICT"] in trained.log.text
    assert trained["BEST_BASELINE"] in ("constant", "recent_counts", "weekday_trend", "kde")
    report = Path(trained["REPORT"]).read_text(encoding="utf-8")
    assert trained["BEST_BASELINE"].split("_")[0] in report.lower()


def test_forecast_by_hand(trained: Any, run: Any, grids_file: Path, tmp_path: Path) -> None:
    """Prior counts forecast 1 - exp(-mean count), the same for each step."""
    import numpy as np

    ran = run(
        "forecastrisk",
        INPUT=str(grids_file),
        MODEL=trained["MODEL"],
        STEPS=3,
        OUTPUT=str(tmp_path / "risk.tif"),
    )
    counts, risk = read_bands(grids_file, nan=True), read_bands(ran["OUTPUT"], nan=True)
    assert risk.shape == (3, 12, 12)
    rate = np.nan_to_num(counts).mean(axis=0)
    # What has never happened is not impossible: the baseline adds a little to every cell.
    busy = rate > 0.1
    assert busy.sum() >= 10
    assert risk[0][busy] == pytest.approx(1 - np.exp(-rate[busy]), rel=0.1)
    assert (np.nan_to_num(risk) >= 0).all()
    assert (np.nan_to_num(risk) <= 1).all()
    assert risk[0] == pytest.approx(risk[2], nan_ok=True)
    assert ran["ORIGIN"] == "2024-02-10T00:00:00"
    assert ran["KIND"] == "prior_counts"


def test_a_forecast_arrives_styled_in_time_and_with_its_card(
    trained: Any, run: Any, grids_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "risk.tif"
    ran = run("forecastrisk", INPUT=str(grids_file), MODEL=trained["MODEL"], STEPS=2, OUTPUT=str(path))
    assert ran["CARD"] in ran.log.text
    assert ran["CARD"].startswith("Forecast for Sat 10 – Sun 11 Feb 2024 (2 maps of 1 day). Model: Prior counts,")
    assert ran["CARD"].endswith(ran["VERDICT"])
    assert "On 8 held-out maps" in ran["VERDICT"]
    layer = QgsRasterLayer(str(path), "risk")
    assert isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer)
    ranges = layer.temporalProperties().fixedRangePerBand()
    form = "yyyy-MM-dd"
    spans = [(ranges[band].begin().toString(form), ranges[band].end().toString(form)) for band in (1, 2)]
    assert spans == [("2024-02-10", "2024-02-11"), ("2024-02-11", "2024-02-12")]
    # As QGIS does when the file is added to a project.
    layer.loadDefaultMetadata()
    metadata: QgsLayerMetadata = layer.metadata()
    assert metadata.abstract() == ran["CARD"], "print layouts show it"
    assert "Forecast risk (crimerisk:forecastrisk)" in "\n".join(metadata.history())


def test_until_share_and_refit_are_used(run: Any, grids_file: Path, tmp_path: Path) -> None:
    given = {"INPUT": str(grids_file), "MODEL_KIND": kind("prior_counts")}
    ran = run(
        "trainforecastmodel",
        **given,
        UNTIL="2024-01-31T00:00:00",
        HELD_OUT=0.1,
        REFIT=False,
        MODEL=str(tmp_path / "a.crimemodel"),
    )
    assert (ran["HELD_OUT_MAPS"], ran["MAPS"], ran["TRAINED_UNTIL"]) == (3, 27, "2024-01-28T00:00:00")
    ran = run("trainforecastmodel", **given, HELD_OUT=0, MODEL=str(tmp_path / "b.crimemodel"))
    assert (ran["HELD_OUT_MAPS"], ran["MAPS"], ran["LOG_LOSS"]) == (0, 40, None)
    assert ran["VERDICT"].startswith("Not evaluated")
    assert any("No map was held out" in line for line in ran.log.warnings)


def test_a_network_goes_on_after_a_cancel(
    run: Any, refusal: Any, log_of: Any, grids_file: Path, tmp_path: Path, engine: Any
) -> None:
    """The checkpoint outlives the cancel, the model is that of a run in one go, and nothing is left beside it."""
    whole, resumed = tmp_path / "whole.crimemodel", tmp_path / "resumed.crimemodel"
    checkpoint = tmp_path / "town.checkpoint"
    given = {
        "INPUT": str(grids_file),
        "MODEL_KIND": kind("convlstm"),
        "SETTINGS": "epochs=12, learning_rate=0.0001, sequence_length=6, channels=4, layers=1",
    }
    run("trainforecastmodel", **given, MODEL=str(whole))
    # At the beginning of the second of the two trainings, which takes the second half of the progress.
    said = refusal("trainforecastmodel", log_of(cancel_at=51), **given, MODEL=str(resumed), CHECKPOINT=str(checkpoint))
    assert f"The same training goes on from {checkpoint}" in said
    assert not resumed.exists()
    ran = run("trainforecastmodel", **given, MODEL=str(resumed), CHECKPOINT=str(checkpoint))
    assert "that of the run that was cancelled" in ran.log.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resumed.crimemodel", "whole.crimemodel"]
    first, second = (read_bands(_forecast(run, grids_file, model, tmp_path), nan=True) for model in (whole, resumed))
    assert second == pytest.approx(first, abs=1e-7, nan_ok=True)


def _forecast(run: Any, grids: Path, model: Path, folder: Path) -> str:
    output = folder / f"{model.stem}.tif"
    run("forecastrisk", INPUT=str(grids), MODEL=str(model), OUTPUT=str(output))
    return str(output)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (
            "epochs=20, learning_rate=0.001; padding=reflect",
            {"epochs": 20, "learning_rate": 0.001, "padding": "reflect"},
        ),
        ('{"epochs": 20, "bins": [1, 2]}', {"epochs": 20, "bins": [1, 2]}),
        ("bins=[1, 2, 3], weights=none\nlearn=true", {"bins": [1, 2, 3], "weights": "none", "learn": True}),
        ("learn=False, weight=None", {"learn": False, "weight": None}),
        ('title="a, b"', None),
        ("epochs", None),
        ("epochs=", None),
        ("=3", None),
        ("epochs=3, epochs=4", None),
        ("{epochs: 3}", None),
    ],
)
def test_settings(text: str, expected: dict[str, Any] | None) -> None:
    from crime_risk.algorithms import settings
    from qgis.core import QgsProcessingException

    parameter = declared("trainforecastmodel", "settings")
    if expected is None:
        with pytest.raises(QgsProcessingException, match="SETTINGS"):
            settings.settings_of(parameter, text)
    else:
        assert settings.settings_of(parameter, text) == expected


def declared(tool: str, key: str) -> Any:
    """A parameter of a tool's declaration."""
    from crime_risk.riskengine.contract.tools import list_tools
    from crime_risk.riskengine.contract.tools.base import parameters_of

    return next(each for each in parameters_of(list_tools()[tool]) if each.key == key)


def test_settings_by_model() -> None:
    from crime_risk.algorithms import settings
    from qgis.core import QgsProcessingException

    parameter = declared("backtestforecast", "settings")
    both = {"convlstm": {"epochs": 5, "padding": "zeros"}, "kde": {"lives": [7, 30]}}
    assert settings.settings_of(parameter, "convlstm.epochs=5, convlstm.padding=zeros, kde.lives=[7, 30]") == both
    assert settings.settings_of(parameter, json.dumps(both)) == both
    for wrong in ("convlstm=5", '{"kde": 3}', "epochs=5"):
        with pytest.raises(QgsProcessingException, match="SETTINGS"):
            settings.settings_of(parameter, wrong)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"SETTINGS": "many"}, "SETTINGS is many; write it such as epochs=20"),
        ({"SETTINGS": "seed=2"}, "SETTINGS holds seed=2, but seed has a parameter of its own. Give it there"),
        ({"SETTINGS": "colour=red"}, "Prior counts has no setting 'colour'. It has "),
        ({"SETTINGS": "shrinkage=much"}, "setting shrinkage is 'much': input should be a valid number"),
        ({"HELD_OUT": 0.9}, "HELD_OUT is 0.9; give a number from 0 to 0.5"),
        ({"UNTIL": "1999-01-01T00:00:00"}, "No map ends before"),
        ({"MODEL_KIND": 99}, "MODEL_KIND is 99; choose one of 0: Constant"),
        ({"INPUT": __file__}, "INPUT"),
        ({"EXTRAS": ["/no/such.tif"]}, "EXTRAS is ['/no/such.tif']; at least one of them is missing or no layer"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    given: dict[str, Any], sentence: str, refusal: Any, grids_file: Path, tmp_path: Path
) -> None:
    usual = {"INPUT": str(grids_file), "MODEL_KIND": kind("prior_counts"), "MODEL": str(tmp_path / "m.crimemodel")}
    assert sentence in refusal("trainforecastmodel", **{**usual, **given})
    assert not list(tmp_path.iterdir())


def test_a_model_of_other_grids_is_refused(
    trained: Any, run: Any, refusal: Any, town_layer: Any, tmp_path: Path
) -> None:
    other = tmp_path / "weekly.tif"
    run(
        "rasterizehotspots",
        INPUT=town_layer,
        TIME_FIELD="occurred",
        BIN_UNIT=2,
        COLUMNS=12,
        ROWS=12,
        OUTPUT=str(other),
    )
    output = tmp_path / "risk.tif"
    said = refusal("forecastrisk", INPUT=str(other), MODEL=trained["MODEL"], OUTPUT=str(output))
    assert "bins of 1 days" in said
    assert "1 weeks" in said
    assert not output.exists()
    said = refusal("forecastrisk", INPUT=str(other), MODEL=str(other), OUTPUT=str(output))
    assert "MODEL" in said
    assert str(other) in said


def test_an_extra_layer_is_no_destination(trained: Any, refusal: Any, grids_file: Path) -> None:
    """Whatever a run reads it does not write over."""
    before = grids_file.read_bytes()
    said = refusal(
        "forecastrisk",
        INPUT=str(trained["REPORT"]).replace("report.html", "nothing.tif"),
        MODEL=trained["MODEL"],
        OUTPUT=str(grids_file),
    )
    assert "INPUT" in said
    one = QgsApplication.processingRegistry().algorithmById("crimerisk:forecastrisk").create()
    from crime_risk.algorithms import destinations

    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    given = {"EXTRAS": [str(grids_file)], "MODEL": trained["MODEL"], "OUTPUT": str(grids_file)}
    with pytest.raises(Exception, match="is also an input and would be overwritten"):
        destinations.check(one, given, context)
    assert grids_file.read_bytes() == before


@pytest.mark.parametrize("cancel", [False, True])
def test_in_a_background_task(cancel: bool, log_of: Any, grids_file: Path, tmp_path: Path) -> None:
    """As the toolbox runs it; cancelling the task leaves nothing behind."""
    log = log_of(0 if cancel else None)
    parameters = {
        "INPUT": str(grids_file),
        "MODEL_KIND": kind("prior_counts"),
        "MODEL": str(tmp_path / "town.crimemodel"),
    }
    fine, _ = run_in_background("trainforecastmodel", parameters, log)
    assert fine is not cancel, log.errors
    assert (tmp_path / "town.crimemodel").exists() is not cancel


def test_an_extra_layer_is_read_and_asked_for_again(run: Any, refusal: Any, grids_file: Path, tmp_path: Path) -> None:
    """A static layer of finer cells; a forecast without it is refused in words."""
    import numpy as np

    path = tmp_path / "population.tif"
    write_bands(path, np.random.default_rng(1).random((24, 24)), like=grids_file)
    model = tmp_path / "m.crimemodel"
    run(
        "trainforecastmodel",
        INPUT=str(grids_file),
        MODEL_KIND=kind("logistic"),
        EXTRAS=[str(path)],
        HELD_OUT=0,
        MODEL=str(model),
    )
    given = {"INPUT": str(grids_file), "MODEL": str(model), "OUTPUT": str(tmp_path / "risk.tif")}
    said = refusal("forecastrisk", **given)
    assert "population" in said
    assert not (tmp_path / "risk.tif").exists()
    run("forecastrisk", **given, EXTRAS=[str(path)])
    assert read_bands(tmp_path / "risk.tif", nan=True).shape == (1, 12, 12)
