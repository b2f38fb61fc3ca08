"""Predicted scores as a layer and as a raster: places in any CRS, styles, refusals, every way to run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_in_background
from kit.layers import SYSTEMS, make_square, read_bands
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QMetaType

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("score", "lower", "upper", "percentile", "incidents", "count")
X, Y = 525_000, 5_040_000


#: The letter C, whose centroid lies outside it.
CRESCENT = (
    f"Polygon (({X} {Y}, {X + 900} {Y}, {X + 900} {Y + 100}, {X + 100} {Y + 100}, {X + 100} {Y + 800}, "
    f"{X + 900} {Y + 800}, {X + 900} {Y + 900}, {X} {Y + 900}, {X} {Y}))"
)
SHAPES = (make_square(200, 300, 800), make_square(1000, 1500, 1200), CRESCENT)


def layer_of(shapes: tuple[str, ...], crs: str = "EPSG:32610", kind: str = "Polygon", score: bool = False) -> Any:
    """Geometries given in metres, with a name each (and a field of the same name as ours), in a CRS."""
    layer = QgsVectorLayer(f"{kind}?crs={crs}", "neighbourhoods", "memory")
    fields = [QgsField("name", QMetaType.Type.QString)]
    layer.dataProvider().addAttributes([*fields, *([QgsField("score", QMetaType.Type.Int)] if score else [])])
    layer.updateFields()
    move = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem("EPSG:32610"), QgsCoordinateReferenceSystem(crs), QgsProject.instance()
    )
    for number, shape in enumerate(shapes):
        feature = QgsFeature(layer.fields())
        if shape:
            geometry = QgsGeometry.fromWkt(shape)
            geometry.transform(move)
            feature.setGeometry(geometry)
        feature.setAttributes([f"place {number}", *([7] if score else [])])
        layer.dataProvider().addFeatures([feature])
    layer.updateExtents()
    QgsProject.instance().addMapLayer(layer, False)
    return layer


def table(layer: QgsVectorLayer, names: tuple[str, ...] = NAMES) -> list[list[Any]]:
    return [[feature[name] for name in names] for feature in layer.getFeatures()]


@pytest.fixture(scope="module")
def both(index_file: Path, score_model_file: Path) -> dict[str, str]:
    """INDEX and MODEL."""
    return {"INDEX": str(index_file), "MODEL": str(score_model_file)}


def test_points_in_any_crs(both: dict[str, str], run: Any, points: Any, town: Any) -> None:
    found = {}
    for crs in SYSTEMS:
        ran = run("predictscore", **both, INPUT=points(town, crs=crs), OUTPUT="memory:")
        assert ran["OUTPUT"].crs().authid() == crs
        assert ran["OUTPUT"].fields().names() == ["occurred", "category", *NAMES]
        assert (ran["COUNT"], ran["UNKNOWN"]) == (300, 0)
        found[crs] = table(ran["OUTPUT"])
    for row in found["EPSG:4326"]:
        score, lower, upper, percentile, incidents, count = row
        assert 0 <= lower <= score <= upper <= 1
        assert 0 <= percentile <= 100
        assert incidents >= 0
        assert count >= 1
    # Moving there and back rounds by less than a millimetre.
    for crs in SYSTEMS[1:]:
        for one, other in zip(found[crs], found["EPSG:4326"]):
            assert one == pytest.approx(other, rel=1e-4, abs=1e-4), crs


def test_polygons_in_any_crs(both: dict[str, str], run: Any) -> None:
    found, places = {}, {}
    for crs in SYSTEMS:
        layer = layer_of(SHAPES, crs)
        kept = run("predictscore", **both, INPUT=layer, OUTPUT="memory:")
        assert kept["OUTPUT"].wkbType() == layer.wkbType()
        assert [f.geometry().asWkt() for f in kept["OUTPUT"].getFeatures()] == [
            f.geometry().asWkt() for f in layer.getFeatures()
        ]
        points = run("predictscore", **both, INPUT=layer, KEEP_POLYGONS=False, OUTPUT="memory:")["OUTPUT"]
        assert points.crs().authid() == crs
        assert table(points) == table(kept["OUTPUT"])
        assert [feature["name"] for feature in points.getFeatures()] == ["place 0", "place 1", "place 2"]
        for polygon, point in zip(layer.getFeatures(), points.getFeatures()):
            assert polygon.geometry().intersects(point.geometry()), "the scored point lies inside"
        found[crs] = table(points)
        metres = QgsCoordinateTransform(points.crs(), QgsCoordinateReferenceSystem("EPSG:32610"), QgsProject.instance())
        moved = [metres.transform(feature.geometry().asPoint()) for feature in points.getFeatures()]
        places[crs] = [(point.x() - X, point.y() - Y) for point in moved]
    assert places["EPSG:32610"][:2] == [(600, 700), (1600, 2100)], "centroids"
    for crs in SYSTEMS[1:]:
        for one, other in zip(found[crs], found["EPSG:4326"]):
            assert one == pytest.approx(other, rel=2e-3, abs=2e-3), crs
        for here, there in zip(places[crs][:2], places["EPSG:4326"][:2]):
            assert here == pytest.approx(there, abs=0.05), crs


def test_what_cannot_be_scored_stays(both: dict[str, str], run: Any, refusal: Any) -> None:
    far = make_square(90_000, 0, 500)
    ran = run("predictscore", **both, INPUT=layer_of((SHAPES[0], "", far)), OUTPUT="memory:")
    rows = table(ran["OUTPUT"], ("name", "score"))
    assert [name for name, _ in rows] == ["place 0", "place 1", "place 2"]
    assert rows[0][1] >= 0
    assert not [value for _, value in rows[1:] if value], "NULL"
    assert (ran["COUNT"], ran["UNKNOWN"]) == (1, 1)
    assert "no geometry" in ran.log.text
    assert "1 of 2 places lies outside the data" in ran.log.text
    said = refusal("predictscore", **both, INPUT=layer_of(("",)), OUTPUT="memory:")
    assert "has no point to score" in said
    said = refusal("predictscore", **both, INPUT=layer_of((far,)), OUTPUT="memory:")
    assert "The only place does not lie inside the data" in said


@pytest.mark.parametrize("kind", ["Point", "Polygon"])
def test_style(kind: str, both: dict[str, str], run: Any, engine: Any, tmp_path: Path) -> None:
    """Five classes at the model's percentiles, in the colours of the other scores; kept in the GeoPackage."""
    shapes = SHAPES if kind == "Polygon" else (f"Point ({X + 600} {Y + 700})", f"Point ({X + 1500} {Y + 900})")
    table_name = f"ogr:dbname='{tmp_path / 'a.gpkg'}' table=\"scores\" (geom)"
    ran = run("predictscore", **both, INPUT=layer_of(shapes, kind=kind, score=True), OUTPUT=table_name)
    layer = QgsVectorLayer(f"{tmp_path / 'a.gpkg'}|layername=scores", "scores")
    assert layer.fields().names()[-6:] == ["score_2", *NAMES[1:]], "the layer's own score keeps its name"
    renderer = layer.renderer()
    assert renderer.type() == "graduatedSymbol"
    assert renderer.classAttribute() == '"score_2"'
    ranges = renderer.ranges()
    assert (ranges[0].lowerValue(), ranges[-1].upperValue()) == (0, 1)
    assert all(one.upperValue() == other.lowerValue() for one, other in pairwise(ranges))
    from crime_risk.bridge import styles

    assert [entry.symbol().color().name() for entry in ranges] == [entry[2] for entry in styles.read_score_classes()]
    assert [entry.label().partition(" (")[2] for entry in ranges] == [
        f"percentile {low} – {low + 20} of incident places)" for low in range(0, 100, 20)
    ]
    feature = next(layer.getFeatures())
    around = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    around.setFeature(feature)
    tip = QgsExpression.replaceExpressionText(layer.mapTipTemplate(), around)
    assert f"<b>{feature['score_2']:.2f}</b> ({feature['lower']:.2f} – {feature['upper']:.2f})" in tip
    assert f"recent incidents within 500 m: {feature['incidents']}" in tip
    loaded = QgsProcessingUtils.mapLayerFromString(ran["OUTPUT"], ran.log.context)
    assert "Predict score layer" in loaded.metadata().history()[-1]


def lightness(colour: str) -> float:
    """CIE L* of #rrggbb."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * luminance ** (1 / 3) - 16


def test_the_ramp_is_even_and_told_apart_by_lightness_alone(plugin: Any) -> None:
    """Whatever colours a reader cannot tell apart: the classes differ by an even step from light to dark."""
    from crime_risk.bridge import styles

    steps = [lightness(one[2]) - lightness(other[2]) for one, other in pairwise(styles.read_score_classes())]
    assert min(steps) > 10
    assert max(steps) < 1.5 * min(steps)


def test_grid(both: dict[str, str], run: Any) -> None:
    area = layer_of((make_square(0, 0, 1500),), "EPSG:2913")
    ran = run("predictscore", **both, SPACING=100, STUDY_AREA=area, OUTPUT="memory:")
    layer = ran["OUTPUT"]
    assert layer.crs().authid() == "EPSG:32610"
    assert layer.fields().names() == list(NAMES)
    assert layer.featureCount() == ran["COUNT"] == pytest.approx(225, abs=2)
    ranges = layer.renderer().ranges()
    assert "50" in ranges[0].symbol().symbolLayer(0).geometryExpression(), "squares fill their cells"
    wide = run(
        "predictscore", **both, SPACING=500, EXTENT="524000,540000,5039000,5044000 [EPSG:32610]", OUTPUT="memory:"
    )
    assert wide["UNKNOWN"] > 0
    assert wide["OUTPUT"].featureCount() == wide["COUNT"] == 32 * 10 - wide["UNKNOWN"]


def test_raster(both: dict[str, str], run: Any, tmp_path: Path) -> None:
    import numpy as np

    path = str(tmp_path / "score.tif")
    area = layer_of((make_square(0, 0, 2000),), "EPSG:4326")
    ran = run("predictscoreraster", **both, STUDY_AREA=area, CELL_SIZE=50, OUTPUT=path)
    layer = QgsRasterLayer(path, "score")
    assert layer.crs().authid() == "EPSG:32610"
    assert (layer.width(), layer.height()) == (ran["WIDTH"], ran["HEIGHT"])
    assert [layer.bandName(band).partition(": ")[2] for band in range(1, 5)] == [
        "score",
        "lower",
        "upper",
        "percentile",
    ]
    score = read_bands(path)[0]
    assert np.isfinite(score).sum() == ran["COUNT"] == pytest.approx(1600, abs=40)
    items = layer.renderer().shader().rasterShaderFunction().colorRampItemList()
    assert len(items) == 5
    assert items[-1].value == 1
    assert items[0].label.endswith("(percentile 0 – 20 of incident places)")
    loaded = QgsProcessingUtils.mapLayerFromString(path, ran.log.context)
    assert "Predict score raster" in loaded.metadata().history()[-1]
    # The layer's points at the cells' centres have the raster's scores.
    points = run("predictscore", **both, SPACING=50, STUDY_AREA=area, OUTPUT="memory:")["OUTPUT"]
    assert points.featureCount() == ran["COUNT"]
    for feature in points.getFeatures():
        value, fine = layer.dataProvider().sample(feature.geometry().asPoint(), 1)
        assert fine
        assert value == pytest.approx(feature["score"], abs=1e-4)


def test_columns_and_rows_and_the_automatic_cell(both: dict[str, str], run: Any, tmp_path: Path) -> None:
    ran = run("predictscoreraster", **both, COLUMNS=40, ROWS=30, OUTPUT=str(tmp_path / "a.tif"))
    assert (ran["WIDTH"], ran["HEIGHT"]) == (40, 30)
    ran = run("predictscoreraster", **both, OUTPUT=str(tmp_path / "b.tif"))
    assert ran["CELL"] == 100
    assert "cell size 100 m, half the radius of 200 m" in ran.log.text


def test_another_place(both: dict[str, str], run: Any, refusal: Any, points: Any, town: Any, tmp_path: Path) -> None:
    moved = [(x + 80_000, y, when, kind) for x, y, when, kind in town]
    index = str(tmp_path / "elsewhere.crimeindex")
    run("buildcrimeindex", INPUT=points(moved), TIME_FIELD="occurred", OUTPUT=index)
    for algorithm, out in (("predictscore", "memory:"), ("predictscoreraster", str(tmp_path / "a.tif"))):
        given = {"INDEX": index, "MODEL": both["MODEL"], "OUTPUT": out}
        said = refusal(algorithm, **given)
        assert "was trained on another place than this index covers" in said
        assert "Apply a model of another place" in said
        ran = run(algorithm, **given, ELSEWHERE=True)
        assert ran["COUNT"] > 0
        assert any("trained on another place and is applied here all the same" in line for line in ran.log.warnings)


@pytest.mark.parametrize(
    ("algorithm", "size"),
    # Of a small raster the last tile is done before the cancel gets there, and it is whole.
    [("predictscore", {}), ("predictscoreraster", {"COLUMNS": 2000, "ROWS": 2000})],
)
@pytest.mark.parametrize("percent", [0.0, 30.0, 60.0])
def test_cancel_leaves_nothing(
    algorithm: str,
    size: dict[str, int],
    percent: float,
    both: dict[str, str],
    refusal: Any,
    log_of: Any,
    tmp_path: Path,
) -> None:
    said = refusal(algorithm, log_of(cancel_at=percent), **both, **size, OUTPUT=str(tmp_path / "out.tif"))
    assert "Cancelled: nothing was written." in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("algorithm", "name", "value", "sentence"),
    [
        ("predictscore", "SPACING", 0, "SPACING is 0; it must be greater than 0, usually 250"),
        ("predictscore", "SPACING", "nan", "SPACING is nan; it must be greater than 0"),
        ("predictscore", "MODEL", "", "MODEL is empty"),
        ("predictscore", "MODEL", str(ROOT / "metadata.txt"), "metadata.txt"),
        ("predictscore", "REFERENCE_TIME", "2030-01-01T00:00:00", "too long after the last incident"),
        ("predictscoreraster", "CELL_SIZE", -1, "CELL_SIZE is -1; it must be greater than 0, or empty"),
        ("predictscoreraster", "COLUMNS", 0, "COLUMNS is 0; it must be greater than 0, or empty"),
        ("predictscoreraster", "CELL_SIZE", 0.01, "the limit is 100,000,000"),
        ("predictscoreraster", "EXTENT", "0,900,0,900 [EPSG:32610]", "lies inside the extent or within 2 km of it"),
        ("predictscoreraster", "OUTPUT", "score.png", "rasters are written as GeoTIFF"),
    ],
)
def test_refusals(
    algorithm: str, name: str, value: Any, sentence: str, both: dict[str, str], refusal: Any, tmp_path: Path
) -> None:
    given = {**both, "OUTPUT": str(tmp_path / "out.tif")}
    assert sentence in refusal(algorithm, **{**given, name: str(tmp_path / value) if name == "OUTPUT" else value})
    assert not list(tmp_path.iterdir())


def test_batch(both: dict[str, str], log_of: Any, tmp_path: Path) -> None:
    """Two runs of one instance; the second knows nothing of the first."""
    one = QgsApplication.processingRegistry().algorithmById("crimerisk:predictscore").create()
    for spacing in (500, 300):
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        log, path = log_of(), str(tmp_path / f"{spacing}.gpkg")
        results, fine = one.run({**both, "SPACING": spacing, "OUTPUT": path}, context, log)
        assert fine, log.errors
        layer = QgsProcessingUtils.mapLayerFromString(results["OUTPUT"], context)
        assert layer.featureCount() == results["COUNT"]
        ranges = layer.renderer().ranges()
        assert f"{spacing / 2:g}" in ranges[0].symbol().symbolLayer(0).geometryExpression()


def test_in_a_model(both: dict[str, str], log_of: Any, tmp_path: Path) -> None:
    model = QgsProcessingModelAlgorithm("scores", "tests")
    fixed = QgsProcessingModelChildParameterSource.fromStaticValue
    for name, title in (("predictscore", "scores"), ("predictscoreraster", "raster")):
        child = QgsProcessingModelChildAlgorithm(f"crimerisk:{name}")
        child.setChildId(name)
        for key, value in both.items():
            child.addParameterSources(key, [fixed(value)])
        output = QgsProcessingModelOutput(title)
        output.setChildId(name)
        output.setChildOutputName("OUTPUT")
        child.setModelOutputs({title: output})
        model.addChildAlgorithm(child)
        assert model.validateChildAlgorithm(name) == (True, [])
    context, log = QgsProcessingContext(), log_of()
    context.setProject(QgsProject.instance())
    given = {"predictscore:scores": str(tmp_path / "s.gpkg"), "predictscoreraster:raster": str(tmp_path / "r.tif")}
    assert {definition.name() for definition in model.destinationParameterDefinitions()} == set(given)
    _, fine = model.run(given, context, log)
    assert fine, log.errors
    assert QgsVectorLayer(str(tmp_path / "s.gpkg"), "s").renderer().type() == "graduatedSymbol"
    assert QgsRasterLayer(str(tmp_path / "r.tif"), "r").renderer().type() == "singlebandpseudocolor"


def test_background_task(both: dict[str, str], log_of: Any, tmp_path: Path) -> None:
    log = log_of()
    fine, ran = run_in_background("predictscoreraster", {**both, "OUTPUT": str(tmp_path / "r.tif")}, log)
    assert fine, log.errors
    layer = ran.layer()
    assert layer.renderer().type() == "singlebandpseudocolor", "styled after the task, in the main thread"


def test_qgis_process(both: dict[str, str], tmp_path: Path) -> None:
    """From the command line, with relative paths."""
    if shutil.which("qgis_process") is None:
        pytest.skip("qgis_process is not installed")
    plugins = tmp_path / "profile" / "python" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "crime_risk").symlink_to(ROOT)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path / "profile"),
        "QGIS_PLUGINPATH": str(plugins),
        "LC_ALL": "C.UTF-8",
    }

    def call(*arguments: str, given: Any = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["qgis_process", *arguments],
            cwd=tmp_path,
            env=environment,
            input=json.dumps({"inputs": given}) if given else None,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    call("plugins", "enable", "crime_risk")
    for name in ("INDEX", "MODEL"):
        shutil.copy(both[name], tmp_path / Path(both[name]).name)
    given = {name: Path(path).name for name, path in both.items()}
    for algorithm, output in (("predictscore", "scores.gpkg"), ("predictscoreraster", "score.tif")):
        done = call("run", f"crimerisk:{algorithm}", "-", given={**given, "OUTPUT": output})
        assert done.returncode == 0, done.stdout + done.stderr
        results = json.loads(done.stdout[done.stdout.find("{") :])["results"]
        assert results["COUNT"] > 0
        assert (tmp_path / output).is_file()
