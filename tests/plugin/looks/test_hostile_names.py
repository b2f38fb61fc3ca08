"""Hostile names of categories, areas and layers in QGIS: legends, names of layers, logs, reports and tooltips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.hostile import HOSTILE, WRITABLE, find_faults_of_page, list_long_words, list_unseen
from kit.layers import Row
from kit.pages import Page
from qgis.core import (
    QgsApplication,
    QgsExpressionContext,
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsLayerTree,
    QgsLayerTreeModel,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QMetaType, Qt

#: As many as a legend tells apart.
FEW = ("script", "expression", "right to left", "nothing", "line ends", "formula", "quotes", "long")


def list_faults(text: str) -> list[str]:
    """What must not be seen of a name that QGIS shows, beside its own text."""
    return [*list_unseen(text), *list_long_words(text), *(["an expression"] if "[%" in text else [])]


@pytest.fixture(scope="module")
def named(points: Callable[..., QgsVectorLayer], town: list[Row]) -> QgsVectorLayer:
    """The town's incidents with hostile categories, in a layer of a hostile name."""
    names = [HOSTILE[key] for key in FEW]
    layer = points([(*row[:3], names[number % len(names)]) for number, row in enumerate(town)])
    layer.setName(HOSTILE["script"] + HOSTILE["long word"])
    return layer


def test_a_legend_shows_them_as_text_and_computes_nothing(named: QgsVectorLayer) -> None:
    from crime_risk.bridge import styles

    styles.style_incidents(named, "occurred", "minute")
    entries = named.renderer().categories()
    assert {entry.value() for entry in entries} - {None} == {HOSTILE[key] for key in FEW}
    tree = QgsLayerTree()
    node = tree.addLayer(named)
    model = QgsLayerTreeModel(tree)
    lines = model.layerLegendNodes(node)
    texts = [line.evaluateLabel(QgsExpressionContext()) for line in lines if hasattr(line, "evaluateLabel")]
    assert len(texts) == len(FEW) + 1
    assert "[ % env('HOME') %]" in texts
    assert [fault for text in texts for fault in list_faults(text)] == []
    assert all(len(text) <= 60 and "\n" not in text for text in texts)


@pytest.mark.parametrize("key", ["script", "expression", "right to left", "long word", "mathtext", "emoji"])
def test_the_name_of_a_layer_says_the_category(named: QgsVectorLayer, key: str, tmp_path: Path) -> None:
    from crime_risk.bridge.about import describe_result

    result = {"edges": ["2024-12-31T00:00:00", "2025-01-01T00:00:00"], "counted_categories": [HOSTILE[key]]}
    said = describe_result(result).what
    assert said.startswith("Tue 31 Dec 2024, ")
    assert list_faults(said) == []
    assert len(said) < 80


def test_a_run_with_stacks_and_a_hostile_layer(plugin: Any, named: QgsVectorLayer, tmp_path: Path) -> None:
    context, project, log = QgsProcessingContext(), QgsProject(), QgsProcessingFeedback(False)
    context.setProject(project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("crimerisk:rasterizehotspots")
    given = {
        "INPUT": named,
        "TIME_FIELD": "occurred",
        "CATEGORY_FIELD": "category",
        "COLUMNS": 12,
        "ROWS": 12,
        "STACKS": str(tmp_path / "stacks"),
        "OUTPUT": QgsProcessingOutputLayerDefinition(str(tmp_path / "grids.tif"), project),
    }
    fine = algorithm.run(given, context, log)[1]
    assert fine, log.textLog()
    assert "<script" not in log.htmlLog()
    assert "&lt;script&gt;" in log.htmlLog()
    lines = log.textLog().replace(str(tmp_path), "").splitlines()
    assert [fault for line in lines for fault in list_unseen(line)] == []
    assert [word for line in lines for word in list_long_words(line)] == []
    stacks = sorted((tmp_path / "stacks").glob("*.tif"))
    assert len(stacks) == len(FEW)
    titles = []
    for stack in stacks:
        layer = QgsRasterLayer(str(stack), stack.stem)
        assert layer.loadDefaultMetadata()[1]
        titles.append(layer.metadata().title())
    assert [fault for title in titles for fault in list_faults(title)] == []
    assert len(set(titles)) == len(FEW)


@pytest.fixture(scope="module")
def districts(grids_file: Path) -> Iterator[QgsVectorLayer]:
    """A strip of the grids for each name."""
    grids = QgsRasterLayer(str(grids_file), "grids")
    layer = QgsVectorLayer(f"Polygon?crs={grids.crs().authid()}", HOSTILE["image"], "memory")
    layer.dataProvider().addAttributes([QgsField("name", QMetaType.Type.QString)])
    layer.updateFields()
    box = grids.extent()
    wide = box.width() / len(WRITABLE)
    for number, name in enumerate(WRITABLE.values()):
        feature = QgsFeature(layer.fields())
        west = box.xMinimum() + wide * number
        strip = QgsRectangle(west - wide, box.yMinimum(), west + 2 * wide, box.yMaximum())
        feature.setGeometry(QgsGeometry.fromRect(strip))
        feature.setAttributes([name])
        assert layer.dataProvider().addFeatures([feature])[0]
    layer.updateExtents()
    QgsProject.instance().addMapLayer(layer, False)
    yield layer
    QgsProject.instance().removeMapLayer(layer)


def test_a_report_with_areas_and_extras(run: Any, grids_file: Path, districts: QgsVectorLayer, tmp_path: Path) -> None:
    from crime_risk.riskengine.contract.forecasters import FORECASTERS

    extra = tmp_path / "$x^2$ <b>[% 1 %]\u202e.tif"
    extra.write_bytes(grids_file.read_bytes())
    ran = run(
        "backtestforecast",
        INPUT=str(grids_file),
        MODELS=[list(FORECASTERS).index("logistic")],
        EXTRAS=[str(extra)],
        AREAS=districts,
        AREA_NAME="name",
        WORKERS=1,
        REPORT=str(tmp_path / "report.html"),
    )
    page = Page(tmp_path / "report.html")
    assert find_faults_of_page(page) == []
    assert HOSTILE["emoji"] in page.text
    assert [fault for line in ran.log.lines for fault in list_unseen(line)] == []


def test_tooltips_and_cells_of_the_dock_show_text(plugin: Any) -> None:
    from crime_risk.ui.score.neighbours import NeighbourTable
    from crime_risk.ui.tooltips import make_tooltip

    table = NeighbourTable()
    table.show_incidents(
        [
            {"category": name, "distance": float(number), "age_days": 1.0, "time": "2024-12-31T10:00:00"}
            for number, name in enumerate(HOSTILE.values())
        ]
    )
    cells = [table.item(row, 2) for row in range(table.rowCount())]
    assert len(cells) == len(HOSTILE)
    for cell in cells:
        assert list_unseen(cell.text()) == []
        assert list_unseen(cell.toolTip()) == []
        assert len(cell.toolTip()) < 1100
    tip = make_tooltip(HOSTILE["script"])
    assert Qt.mightBeRichText(tip)
    assert "<script" not in tip
    assert "&lt;script&gt;" in tip
    assert make_tooltip("a < b\nc") == "a < b\nc"


def test_copied_answers_hold_no_formula(plugin: Any) -> None:
    from crime_risk.ui.score.answers import Answer
    from crime_risk.ui.score.history import as_table
    from crime_risk.ui.score.query_task import Question, Settings
    from qgis.core import QgsPointXY
    from qgis.PyQt.QtCore import QDateTime

    exact = {"score": 0.5, "score_abs": 3, "percentile": 50.0}
    result = {"predicted": None, "outside": None, "exact": exact, "model": ""}
    names = [HOSTILE["formula"], HOSTILE["command"], "-33.85678, 151.21530", "Main Street 5"]
    asked = [
        Answer(Question(Settings("a.crimeindex"), name, QgsPointXY(151.0, -33.0)), result, QDateTime())
        for name in names
    ]
    rows = [line.split("\t") for line in as_table(asked).splitlines()[1:]]
    assert [row[0] for row in rows] == ["'" + HOSTILE["formula"], "'" + HOSTILE["command"], *names[2:]]
    assert all(row[2] == "-33.000000" for row in rows)
