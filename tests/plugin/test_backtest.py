"""Backtest forecasts and Evaluate risk map on a small town, held against what can be worked out by hand."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.layers import read_bands, write_bands
from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsApplication,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsGeometry,
    QgsPalettedRasterRenderer,
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelParameter,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterRasterLayer,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorLayerTemporalContext,
)
from qgis.PyQt.QtCore import QMetaType

gdal.UseExceptions()
ROOT = Path(__file__).resolve().parents[2]
#: Maps of the town's grids, and how many of them a share of 0.2 tests.
MAPS, TESTED = 40, 8
TRUE_NEGATIVE, CORRECT, MISSED, MISSED_NEAR, FALSE, FALSE_NEAR = range(6)
OUTSIDE = 255


def kinds(*names: str) -> list[int]:
    """The numbers of forecasters among the options."""
    from crime_risk.riskengine.contract.forecasters import FORECASTERS

    return [list(FORECASTERS).index(name) for name in names]


def counts_of(path: str | Path) -> Any:
    """Incidents per map and cell; 0 outside the study area."""
    dataset = gdal.Open(str(path))
    array = read_bands(path).astype(int)
    nodata = dataset.GetRasterBand(1).GetNoDataValue()
    array[array == nodata] = 0
    return array


@pytest.fixture(scope="module")
def districts(grids_file: Path) -> QgsVectorLayer:
    """The western and the eastern half of the grids, in degrees."""
    grids = QgsRasterLayer(str(grids_file), "grids")
    layer = QgsVectorLayer(f"Polygon?crs={grids.crs().authid()}", "districts", "memory")
    layer.dataProvider().addAttributes([QgsField("district", QMetaType.Type.QString)])
    layer.updateFields()
    box = grids.extent()
    middle = (box.xMinimum() + box.xMaximum()) / 2
    for name, west, east in (("Old Town", box.xMinimum(), middle), ("Riverside", middle, box.xMaximum())):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(west, box.yMinimum(), east, box.yMaximum())))
        feature.setAttributes([name])
        layer.dataProvider().addFeatures([feature])
    layer.updateExtents()
    QgsProject.instance().addMapLayer(layer, False)
    return layer


@pytest.fixture(scope="module")
def tested(
    run: Any,
    grids_file: Path,
    town_layer: QgsVectorLayer,
    districts: QgsVectorLayer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """Logistic regression beside the baselines, with everything that can come out."""
    folder = tmp_path_factory.mktemp("tested")
    return run(
        "backtestforecast",
        INPUT=str(grids_file),
        MODELS=kinds("constant", "prior_counts", "logistic"),
        PERCENTILE=90,
        INCIDENTS=town_layer,
        TIME_FIELD="occurred",
        CATEGORY_FIELD="category",
        OFFSETS=1,
        AREAS=districts,
        AREA_NAME="district",
        WORKERS=1,
        REPORT=str(folder / "report.html"),
        TABLE=str(folder / "figures.csv"),
        RISK=str(folder / "risk.tif"),
        LABELS=str(folder / "labels.tif"),
        HITS=str(folder / "hits.gpkg"),
    )


def test_the_verdict_is_said(tested: Any) -> None:
    assert tested["MODEL"] == "logistic"
    assert tested["BEST_BASELINE"] in ("constant", "prior_counts", "recent_counts", "weekday_trend", "kde")
    assert tested["MAPS"] == TESTED
    assert len(tested["VERDICT"]) > 40
    assert tested["VERDICT"] in " ".join(tested.log.text.split("\n")), "the log has a line for each sentence"
    for name in ("RISK", "LABELS"):
        said = tested.layer(name).metadata().abstract()
        assert said.startswith("Logistic, over 8 test maps: too few maps to tell it from the simple baselines; log")
        assert " flagged it catches " in said
    report = Path(tested["REPORT"]).read_text(encoding="utf-8")
    for words in ("Old Town", "Riverside", "Logistic", "Prior counts"):
        assert words in report
    assert str(Path(tested["REPORT"]).parent) not in report, "a folder may name a person"
    assert "were not looked for" not in report, "the incidents were given"
    assert "The same backtest of the simple baselines with the grid shifted" in report


def test_figures_agree_with_each_other(tested: Any) -> None:
    assert 0 < tested["LOG_LOSS"] < 1
    assert 0 < tested["BRIER"] < 0.25
    assert 0.5 < tested["AUC"] <= 1, "three clusters are no riddle"
    assert 0 < tested["PRECISION"] <= 1
    assert 0 < tested["PEI"] <= 1
    assert 1 <= tested["PAI"] <= 20
    with Path(tested["TABLE"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    own = [row for row in rows if "logistic" in row.values() and "log_loss" in row.values()]
    assert own
    assert any(float(row["value"]) == pytest.approx(tested["LOG_LOSS"], abs=1e-5) for row in own)


def by_hand(risk: Any, counts: Any, valid: Any, limit: Any) -> Any:
    """The six labels, cell by cell, as FACTS.md defines them."""
    flagged, hit = (risk > limit) & valid, (counts > 0) & valid
    labels = np.full(risk.shape, OUTSIDE)
    for band, row, column in np.argwhere(valid):
        around = np.s_[band, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        if hit[band, row, column]:
            missed = MISSED_NEAR if flagged[around].any() else MISSED
            label = CORRECT if flagged[band, row, column] else missed
        elif flagged[band, row, column]:
            label = FALSE_NEAR if hit[around].any() else FALSE
        else:
            label = TRUE_NEGATIVE
        labels[band, row, column] = label
    return labels


@pytest.mark.parametrize(("over", "percentile"), [(0, 90), (1, 90), (1, 40)])
def test_labels_by_hand(over: int, percentile: int, tested: Any, run: Any, grids_file: Path, tmp_path: Path) -> None:
    """By both readings of the percentile; the raster's label is what a reader of the definition gets."""
    ran = tested
    if over:
        ran = run(
            "evaluaterisk",
            INPUT=tested["RISK"],
            GRIDS=str(grids_file),
            PERCENTILE=percentile,
            OVER=1,
            LABELS=str(tmp_path / "labels.tif"),
        )
    labels, risk, counts = read_bands(ran["LABELS"]), read_bands(tested["RISK"]), counts_of(grids_file)[-TESTED:]
    assert labels.shape == risk.shape == counts.shape
    dataset = gdal.Open(tested["RISK"])
    nodata = dataset.GetRasterBand(1).GetNoDataValue()
    valid = np.isfinite(risk) & (risk != nodata)
    if over:
        limit = np.array([np.percentile(band[inside], percentile) for band, inside in zip(risk, valid)])[:, None, None]
    else:
        limit = np.percentile(risk[valid], percentile)
    assert (labels == by_hand(risk, counts, valid, limit)).all()
    # In the hull of a small town a flagged cell is far from every hit only where many are flagged; nothing is missed
    # far from them then.
    rare = {FALSE} if percentile < 90 else {MISSED}
    assert {TRUE_NEGATIVE, CORRECT, MISSED_NEAR, FALSE_NEAR} | rare <= set(np.unique(labels))


def test_hits_are_the_incidents_and_carry_the_raster_s_label(tested: Any, grids_file: Path) -> None:
    hits, labels = QgsVectorLayer(tested["HITS"], "hits"), QgsRasterLayer(tested["LABELS"], "labels")
    counts = counts_of(grids_file)[-TESTED:]
    assert hits.featureCount() == tested["HITS_COUNT"] == (counts > 0).sum()
    features = list(hits.getFeatures())
    assert sum(feature["incidents"] for feature in features) == counts.sum()
    codes = {CORRECT: "correct", MISSED: "false negative", MISSED_NEAR: "false negative, neighbour"}
    spans = labels.temporalProperties().fixedRangePerBand()
    band_of = {span.begin().toString("yyyy-MM-dd"): band for band, span in spans.items()}
    for feature in features:
        band = band_of[feature["start"].toString("yyyy-MM-dd")]
        value, fine = labels.dataProvider().sample(feature.geometry().asPoint(), band)
        assert fine
        assert codes[int(value)] == feature["label"]
        assert 0 <= feature["risk"] <= 1
    assert "Risk, labels and incidents by label are those of Logistic" in tested.log.text


def test_outputs_arrive_styled_and_in_time(tested: Any) -> None:
    labels = QgsRasterLayer(tested["LABELS"], "labels")
    assert isinstance(labels.renderer(), QgsPalettedRasterRenderer)
    assert [entry.label for entry in labels.renderer().classes()][1] == "Correct: flagged, with an incident"
    risk = QgsRasterLayer(tested["RISK"], "risk")
    assert risk.renderer().type() == "singlebandpseudocolor"
    for layer in (labels, risk):
        properties = layer.temporalProperties()
        assert properties.mode() == Qgis.RasterTemporalMode.FixedRangePerBand
        spans = properties.fixedRangePerBand()
        assert len(spans) == TESTED
        assert spans[TESTED].begin().toString("yyyy-MM-dd") == "2024-02-09"
    hits = QgsVectorLayer(tested["HITS"], "hits")
    assert hits.renderer().type() == "categorizedSymbol"
    # QGIS 3.40 switches the time of a GeoPackage's table off after reading its style: read it again.
    hits.loadDefaultStyle()
    assert hits.temporalProperties().isActive()
    # Each bin shows its own points and none of the bin before, which ends where it begins.
    scope = QgsVectorLayerTemporalContext()
    scope.setLayer(hits)
    for number in (1, TESTED):
        span = labels.temporalProperties().fixedRangePerBand()[number]
        request = QgsFeatureRequest().setFilterExpression(hits.temporalProperties().createFilterString(scope, span))
        shown = sorted(feature.id() for feature in hits.getFeatures(request))
        assert shown == sorted(feature.id() for feature in hits.getFeatures() if feature["start"] == span.begin())
        assert shown


def test_forecasts_know_nothing_of_the_future(tested: Any, run: Any, grids_file: Path, tmp_path: Path) -> None:
    """What happens on the last day changes no forecast: not that of any day before it, and not its own."""
    changed = tmp_path / "changed.tif"
    shutil.copy(grids_file, changed)
    dataset = gdal.Open(str(changed), gdal.GA_Update)
    band = dataset.GetRasterBand(MAPS)
    array = band.ReadAsArray()
    array[array != band.GetNoDataValue()] = 7
    band.WriteArray(array)
    del band, dataset
    given = {"MODELS": kinds("constant", "prior_counts", "logistic"), "WORKERS": 1}
    ran = run("backtestforecast", INPUT=str(changed), **given, RISK=str(tmp_path / "risk.tif"))
    assert (read_bands(ran["RISK"]) == read_bands(tested["RISK"])).all()
    assert ran["LOG_LOSS"] > tested["LOG_LOSS"], "the figures did not notice that last day"


def test_plan(run: Any, grids_file: Path, tmp_path: Path) -> None:
    """START, HORIZON and the kind of forecast are what was asked for."""
    given = {"INPUT": str(grids_file), "MODELS": kinds("prior_counts"), "WORKERS": 1}
    ran = run("backtestforecast", **given, START="2024-02-05T00:00:00", HORIZON=3, RISK=str(tmp_path / "risk.tif"))
    assert ran["MAPS"] == 5
    risk, counts = read_bands(ran["RISK"]), counts_of(grids_file)
    # Prior counts: 1 - exp(-mean count), here of the maps before the origin, three bins before the map's end.
    for number in range(5):
        known = counts[: MAPS - 5 + number - 2].mean(axis=0)
        busy = known > 0.1
        assert risk[number][busy] == pytest.approx(1 - np.exp(-known[busy]), rel=0.1)


def test_a_backtest_s_risk_evaluates_to_the_same_figures(
    tested: Any, run: Any, grids_file: Path, tmp_path: Path
) -> None:
    ran = run(
        "evaluaterisk",
        INPUT=tested["RISK"],
        GRIDS=str(grids_file),
        PERCENTILE=90,
        LABELS=str(tmp_path / "labels.tif"),
        HITS="memory:",
        REPORT=str(tmp_path / "report.html"),
        TABLE=str(tmp_path / "figures.csv"),
    )
    for name in ("LOG_LOSS", "BRIER", "AUC", "AVERAGE_PRECISION", "HIT_RATE", "PRECISION", "PAI", "PEI"):
        assert ran[name] == pytest.approx(tested[name], abs=2e-6), name
    assert (ran["MAPS"], ran["HITS_COUNT"]) == (tested["MAPS"], tested["HITS_COUNT"])
    assert (read_bands(ran["LABELS"]) == read_bands(tested["LABELS"])).all()
    assert ran["VERDICT"] in " ".join(ran.log.text.split("\n")), "the log has a line for each sentence"
    assert Path(ran["REPORT"]).stat().st_size > 1000
    assert Path(ran["TABLE"]).stat().st_size > 100


@pytest.fixture
def foreign(grids_file: Path, tmp_path: Path) -> Callable[[Any], str]:
    """`foreign(values)`: a raster of another tool, bands of the grids' size without a word about time."""

    def foreign(values: Any) -> str:
        return write_bands(tmp_path / "foreign.tif", values, like=grids_file)

    return foreign


def test_a_perfect_map_of_another_tool(foreign: Callable[[Any], str], run: Any, grids_file: Path) -> None:
    """Counts as "risk": no choice of as many cells catches more, so PEI is 1; a reversed map catches least."""
    counts = counts_of(grids_file)
    ran = run("evaluaterisk", INPUT=foreign(counts), GRIDS=str(grids_file))
    assert ran["MAPS"] == MAPS
    assert ran["PEI"] == pytest.approx(1)
    assert ran["AUC"] == pytest.approx(1)
    ran = run("evaluaterisk", INPUT=foreign(counts.max() - counts), GRIDS=str(grids_file))
    assert ran["AUC"] == pytest.approx(0)
    assert ran["HIT_RATE"] == pytest.approx(0)


def test_a_map_without_times_beside_baselines(
    foreign: Callable[[Any], str], run: Any, refusal: Any, grids_file: Path, tmp_path: Path
) -> None:
    """One band for all maps from START on; what happened before is the history of the baselines."""
    counts = counts_of(grids_file)
    path = foreign(counts[:-TESTED].mean(axis=0, keepdims=True))
    day = {"START": "2024-02-02T00:00:00"}
    ran = run("evaluaterisk", INPUT=path, GRIDS=str(grids_file), **day, HITS=str(tmp_path / "hits.gpkg"))
    assert ran["MAPS"] == TESTED
    assert ran["HITS_COUNT"] == (counts[-TESTED:] > 0).sum()
    assert ran["VERDICT"].startswith("Over 8 test maps the best simple baseline is ")
    plain = run("backtestforecast", INPUT=str(grids_file), MODELS=kinds("prior_counts"), REFIT=0, WORKERS=1)
    assert ran["HIT_RATE"] == pytest.approx(plain["HIT_RATE"], abs=0.1), "it orders the cells as the counts do"
    said = refusal("evaluaterisk", INPUT=path, GRIDS=str(grids_file), START="2031-01-01T00:00:00")
    assert "start is Wed 1 Jan 2031, but the last map begins on Fri 9 Feb 2024." in said


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"SEEDS": "one"}, "SEEDS is one; give up to 50 whole numbers"),
        ({"SEEDS": "1, 1"}, "SEEDS is 1, 1; give different whole numbers"),
        ({"SETTINGS": "kde.seed=1"}, "SETTINGS holds seed=1, but seed has a parameter of its own"),
        ({"SETTINGS": "gpt.size=3"}, "SETTINGS names the model gpt, which there is not. Use one of constant"),
        ({"OFFSETS": 3}, "OFFSETS is 3, but there are no INCIDENTS"),
        ({"TEST": 1}, "TEST is 1; give a number from 0.01 to 0.9"),
        ({"START": "2031-01-01T00:00:00"}, "2031"),
        ({"HORIZON": 0}, "HORIZON is 0; give a whole number from 1"),
        ({"PERCENTILE": 101}, "PERCENTILE is 101; give a number from 0.01 to 99.99"),
        ({"INPUT": __file__}, "INPUT"),
    ],
)
def test_what_cannot_be_backtested_is_refused(
    given: dict[str, Any], sentence: str, refusal: Any, grids_file: Path, tmp_path: Path
) -> None:
    usual = {"INPUT": str(grids_file), "MODELS": kinds("prior_counts"), "RISK": str(tmp_path / "risk.tif")}
    assert sentence in refusal("backtestforecast", **{**usual, **given})
    assert not list(tmp_path.iterdir())


def test_areas_need_names_and_polygons(
    refusal: Any, tested: Any, grids_file: Path, districts: QgsVectorLayer, town_layer: QgsVectorLayer
) -> None:
    given = {"INPUT": tested["RISK"], "GRIDS": str(grids_file)}
    assert "AREA_NAME is empty, but there are AREAS" in refusal("evaluaterisk", **given, AREAS=districts)
    said = refusal("evaluaterisk", **given, AREAS=districts, AREA_NAME="borough")
    assert "AREA_NAME: the layer has no field borough. It has: district" in said
    said = refusal("evaluaterisk", **given, AREAS=town_layer, AREA_NAME="category")
    assert "has no polygon" in said


def test_cancel_leaves_nothing(refusal: Any, log_of: Any, grids_file: Path, tmp_path: Path) -> None:
    outputs = {"RISK": "r.tif", "LABELS": "l.tif", "REPORT": "r.html", "TABLE": "t.csv", "HITS": "h.gpkg"}
    said = refusal(
        "backtestforecast",
        log_of(cancel_at=20),
        INPUT=str(grids_file),
        MODELS=kinds("prior_counts", "logistic"),
        WORKERS=1,
        **{name: str(tmp_path / file) for name, file in outputs.items()},
    )
    assert "Cancelled: nothing was written." in said
    assert not list(tmp_path.iterdir())


def test_in_a_model(log_of: Any, grids_file: Path, tmp_path: Path) -> None:
    """Train, forecast: two steps of a model, the second fed by the first."""
    model = QgsProcessingModelAlgorithm("chain")
    parameter = QgsProcessingParameterRasterLayer("grids", "Grids")
    model.addModelParameter(parameter, QgsProcessingModelParameter("grids"))
    source = QgsProcessingModelChildParameterSource

    def child(name: str, sources: dict[str, Any]) -> None:
        step = QgsProcessingModelChildAlgorithm(f"crimerisk:{name}")
        step.setChildId(name)
        for key, value in {"INPUT": source.fromModelParameter("grids"), **sources}.items():
            step.addParameterSources(key, [value])
        model.addChildAlgorithm(step)

    kind = kinds("prior_counts")[0]
    child(
        "trainforecastmodel",
        {
            "MODEL_KIND": source.fromStaticValue(kind),
            "MODEL": source.fromStaticValue(str(tmp_path / "town.crimemodel")),
        },
    )
    child(
        "forecastrisk",
        {
            "MODEL": source.fromChildOutput("trainforecastmodel", "MODEL"),
            "OUTPUT": source.fromStaticValue(str(tmp_path / "risk.tif")),
        },
    )
    context, log = QgsProcessingContext(), log_of()
    context.setProject(QgsProject.instance())
    _, fine = model.run({"grids": str(grids_file)}, context, log)
    assert fine, log.errors
    assert read_bands(tmp_path / "risk.tif").shape == (1, 12, 12)


@pytest.mark.parametrize("named", [True, False])
def test_a_backtest_in_a_model(
    named: bool, log_of: Any, grids_file: Path, districts: QgsVectorLayer, tmp_path: Path
) -> None:
    """Backtest by areas, its risk evaluated by areas; what the dialog would refuse the model refuses too."""
    model = QgsProcessingModelAlgorithm("backtest")
    for definition in (
        QgsProcessingParameterRasterLayer("grids", "Grids"),
        QgsProcessingParameterFeatureSource("areas", "Areas"),
    ):
        model.addModelParameter(definition, QgsProcessingModelParameter(definition.name()))
    source = QgsProcessingModelChildParameterSource
    areas = {"AREAS": source.fromModelParameter("areas"), "AREA_NAME": source.fromStaticValue("district")}
    for name, sources in (
        (
            "backtestforecast",
            {
                "INPUT": source.fromModelParameter("grids"),
                "MODELS": source.fromStaticValue(kinds("logistic")),
                "WORKERS": source.fromStaticValue(1),
                "RISK": source.fromStaticValue(str(tmp_path / "risk.tif")),
            },
        ),
        (
            "evaluaterisk",
            {"INPUT": source.fromChildOutput("backtestforecast", "RISK"), "GRIDS": source.fromModelParameter("grids")},
        ),
    ):
        step = QgsProcessingModelChildAlgorithm(f"crimerisk:{name}")
        step.setChildId(name)
        sources = {**areas, **sources, "REPORT": source.fromStaticValue(str(tmp_path / f"{name}.html"))}
        for key, value in sources.items():
            if named or key != "AREA_NAME":
                step.addParameterSources(key, [value])
        model.addChildAlgorithm(step)
        assert model.validateChildAlgorithm(name) == (True, [])
    context, log = QgsProcessingContext(), log_of()
    context.setProject(QgsProject.instance())
    _, fine = model.run({"grids": str(grids_file), "areas": districts}, context, log)
    if not named:
        assert not fine
        assert "AREA_NAME is empty, but there are AREAS" in "\n".join(log.errors)
        assert not list(tmp_path.iterdir())
        return
    assert fine, log.errors
    assert read_bands(tmp_path / "risk.tif").shape == (TESTED, 12, 12)
    for name, sentence in (
        ("backtestforecast", "No incidents were given: snapped places and address artefacts were not looked for. Give"),
        ("evaluaterisk", "Evaluate risk map is given no incidents: snapped places and address artefacts were not"),
    ):
        report = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert "Old Town" in report
        assert "Riverside" in report
        assert sentence in report
        assert "The run gave no warning" not in report


def test_a_layer_that_is_missing_is_not_left_out(log_of: Any, grids_file: Path, tmp_path: Path) -> None:
    """A model's step is not checked, and QGIS itself would go on without the layer."""
    one = QgsApplication.processingRegistry().algorithmById("crimerisk:backtestforecast").create()
    context, log = QgsProcessingContext(), log_of()
    context.setProject(QgsProject.instance())
    given = {"INPUT": str(grids_file), "EXTRAS": [str(grids_file), str(tmp_path / "no.tif")]}
    _, fine = one.run({**given, "REPORT": str(tmp_path / "r.html")}, context, log)
    assert not fine
    assert "no.tif']; at least one of them is missing or no layer. Choose layers" in "\n".join(log.errors)
    assert not list(tmp_path.iterdir())
