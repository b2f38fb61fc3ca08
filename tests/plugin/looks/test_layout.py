"""The print layout as it is printed: what it says, that nothing lies on anything else, and that its legend is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from kit.layers import write_bands
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDateTimeRange,
    QgsExpression,
    QgsFeature,
    QgsGeometry,
    QgsLayoutExporter,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemPage,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsPointXY,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QDate, QDateTime, QRectF, Qt, QTime
from qgis.PyQt.QtGui import QImage

DAYS = [
    [f"2024-12-{day:02d}T00:00:00", f"2024-12-{day + 1:02d}T00:00:00" if day < 31 else "2025-01-01T00:00:00"]
    for day in (29, 30, 31)
]
COUNTED = "n = 6,797 incidents in 32 maps of 1 week, Mon 1 Jan – Sun 12 Aug 2018"
MODEL = "Forecast for Tue 31 Dec 2024 (1 map of 1 day). Model: Ensemble. On 6 held-out maps it catches as many."
DPI = 100


@pytest.fixture
def project(plugin: Any) -> Iterator[QgsProject]:
    """The current one, since expressions look layers up there; what others need of it waits outside."""
    project = QgsProject.instance()
    others = [project.takeMapLayer(layer) for layer in project.mapLayers().values()]
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:32610"))
    yield project
    project.layoutManager().clear()
    project.clear()
    project.addMapLayers(others, False)


class City:
    """Layers of one city, as the tools hand them over."""

    def __init__(self, project: QgsProject, folder: Path) -> None:
        from crime_risk.bridge import styles
        from crime_risk.bridge.about import describe_result

        self._project, self._folder, self._styles, self._describe = project, folder, styles, describe_result

    def _finish(self, layer: Any, style: str, title: str, edges: Any, model: str = MODEL, **more: Any) -> Any:
        result = {"edges": edges, "counted_text": COUNTED, "counted_categories": ["burglary"], **more}
        self._styles.apply(style, layer, {"labels": ["Up to the 75th percentile", "Above"], "highest": 3, **result})
        self._styles.remember(layer, title, "a tool", self._describe(result, model))
        self._project.addMapLayer(layer)
        return layer

    def add_raster(self, style: str, name: str, maps: int = 1, model: str = MODEL) -> QgsRasterLayer:
        bands = [
            [[(row * 20 + column) % (5 + map) / 10 for column in range(20)] for row in range(20)] for map in range(maps)
        ]
        path = write_bands(self._folder / f"{len(self._project.mapLayers())}.tif", bands)
        return self._finish(QgsRasterLayer(path, name), style, "Risk", DAYS[-maps:], model)

    def add_polygons(self, name: str) -> QgsVectorLayer:
        fields = "field=band:integer&field=start:datetime&field=end:datetime&field=class:integer&field=mean_risk:double"
        layer = QgsVectorLayer(f"Polygon?crs=EPSG:32610&{fields}", name, "memory")
        box = self._box()
        halves = (
            QgsRectangle(box.xMinimum(), box.yMinimum(), box.center().x(), box.yMaximum()),
            QgsRectangle(box.center().x(), box.yMinimum(), box.xMaximum(), box.yMaximum()),
        )
        for number, half in enumerate(halves):
            feature = QgsFeature(layer.fields())
            feature.setAttributes([1, None, None, number, 0.1])
            feature.setGeometry(QgsGeometry.fromRect(half))
            layer.dataProvider().addFeature(feature)
        layer.updateExtents()
        return self._finish(layer, "class_polygons", "Class polygons", DAYS[-1:])

    def add_areas(self, name: str) -> QgsVectorLayer:
        """One square in each of three maps, in the second one in the highest class."""
        fields = "field=name:string&field=start:datetime&field=end:datetime&field=class:integer&field=risk:double"
        layer = QgsVectorLayer(f"Polygon?crs=EPSG:32610&{fields}", name, "memory")
        for day, code in ((29, 0), (30, 1), (31, 0)):
            feature = QgsFeature(layer.fields())
            feature.setAttributes(["Alder", moment(day), moment(day).addDays(1), code, 0.1])
            feature.setGeometry(QgsGeometry.fromRect(self._box()))
            layer.dataProvider().addFeature(feature)
        layer.updateExtents()
        labels = ["Other 96 % of the area", "Riskiest 4 % of the area"]
        return self._finish(layer, "risk_areas", "Risk by area", DAYS, class_labels=labels)

    def add_scores(self, name: str) -> QgsVectorLayer:
        layer = QgsVectorLayer("Point?crs=EPSG:32610&field=score:double", name, "memory")
        box = self._box()
        for number in range(25):
            feature = QgsFeature(layer.fields())
            feature.setAttributes([number / 25])
            place = QgsPointXY(box.xMinimum() + 400 * (number % 5) + 200, box.yMinimum() + 400 * (number // 5) + 200)
            feature.setGeometry(QgsGeometry.fromPointXY(place))
            layer.dataProvider().addFeature(feature)
        layer.updateExtents()
        self._styles.style_scores(layer, 400.0)
        counted = {
            "span_text": "365 days to Wed 8 Aug 2018",
            "counted_text": "n = 25 incidents, 365 days to Wed 8 Aug 2018",
        }
        self._styles.remember(layer, "Crime scores", "a tool", self._describe(counted))
        self._project.addMapLayer(layer)
        return layer

    def _box(self) -> QgsRectangle:
        return QgsRasterLayer(write_bands(self._folder / "box.tif", [[0.0] * 20] * 20)).extent()


@pytest.fixture
def city(project: QgsProject, tmp_path: Path) -> City:
    return City(project, tmp_path)


@pytest.fixture
def lay_out(project: QgsProject) -> Callable[..., QgsPrintLayout]:
    """A layout of what a window's map shows now."""

    def make(time: QgsDateTimeRange | None = None) -> QgsPrintLayout:
        from crime_risk.ui.risk_layout import make_layout

        canvas = QgsMapCanvas()
        canvas.resize(600, 500)
        canvas.setDestinationCrs(project.crs())
        canvas.setLayers(project.layerTreeRoot().checkedLayers())
        canvas.zoomToFullExtent()
        if time is not None:
            canvas.setTemporalRange(time)
        return make_layout(project, canvas)

    return make


def read(layout: QgsPrintLayout, name: str) -> str:
    return str(layout.itemById(name).currentText())


def list_legends(layout: QgsPrintLayout) -> list[QgsLayoutItemLegend]:
    found = [item for item in layout.items() if isinstance(item, QgsLayoutItemLegend)]
    return sorted(found, key=lambda item: item.page())


def read_legend(layout: QgsPrintLayout) -> dict[str, list[str]]:
    """Each listed layer's title and lines, of all pages."""
    said = {}
    for legend in list_legends(layout):
        model = legend.model()
        for node in model.rootGroup().findLayers():
            title = str(node.customProperty("legend/title-label"))
            lines = [str(line.data(Qt.ItemDataRole.DisplayRole) or "") for line in model.layerLegendNodes(node)]
            context = legend.createExpressionContext()
            said[title] = [QgsExpression.replaceExpressionText(line, context) for line in lines]
    return said


def list_parts(layout: QgsPrintLayout) -> list[tuple[int, str, QRectF]]:
    """Page, id and rectangle on it, millimetres, of everything that is drawn."""
    parts = []
    for item in layout.items():
        if isinstance(item, QgsLayoutItem) and not isinstance(item, QgsLayoutItemPage):
            size, place = item.sizeWithUnits(), item.pagePos()
            if size.height() > 0:
                parts.append((item.page(), item.id(), QRectF(place.x(), place.y(), size.width(), size.height())))
    return parts


def photograph(layout: QgsPrintLayout, folder: Path) -> list[QImage]:
    """The pages as they are printed."""
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = DPI
    done = QgsLayoutExporter(layout).exportToImage(str(folder / "page.png"), settings)
    assert done == QgsLayoutExporter.ExportResult.Success
    count = layout.pageCollection().pageCount()
    return [QImage(str(folder / name)) for name in ["page.png", *(f"page_{page}.png" for page in range(2, count + 1))]]


def count_drawn(image: QImage, part: QRectF) -> int:
    """Pixels that are not paper."""
    dots = DPI / 25.4
    columns = range(round(part.left() * dots), round(part.right() * dots))
    rows = range(round(part.top() * dots), round(part.bottom() * dots))
    return sum(image.pixelColor(x, y).lightness() < 250 for x in columns for y in rows)


def check_page(layout: QgsPrintLayout, folder: Path) -> None:
    """No part lies on another or beyond the page, all are drawn, and none runs out of its frame."""
    images = photograph(layout, folder)
    # A legend finds its size when it is drawn.
    parts = list_parts(layout)
    for (page, one, first), (other_page, other, second) in combinations(parts, 2):
        assert page != other_page or not first.intersects(second), f"{one} lies on {other}: {first}, {second}"
    for page, name, rectangle in parts:
        assert QRectF(5, 5, 287, 200).contains(rectangle), f"{name} leaves the page: {rectangle}"
        assert count_drawn(images[page], rectangle), f"{name} is empty"
    for image in images:
        for edge in (QRectF(0, 0, 297, 6), QRectF(0, 205, 297, 4.5), QRectF(0, 0, 9, 209), QRectF(288, 0, 8.5, 209)):
            assert not count_drawn(image, edge), f"something is drawn beyond the margins: {edge}"
    # Between map and column, and between the column's parts, is paper only.
    assert not count_drawn(images[0], QRectF(204, 28, 3.5, 164)), "something runs from the column over the map's edge"
    column = sorted((part for page, _, part in parts if page == 0 and part.left() > 205), key=QRectF.top)
    for upper, lower in pairwise(column):
        if lower.top() > upper.bottom():
            gap = QRectF(208, upper.bottom() + 0.4, 79, max(lower.top() - upper.bottom() - 0.8, 0))
            assert not count_drawn(images[0], gap), f"a text runs out of its frame: {upper}"


def test_a_risk_raster(project: QgsProject, city: City, lay_out: Any, tmp_path: Path) -> None:
    city.add_raster("risk", "Risk, Tue 31 Dec 2024, burglary")
    layout = lay_out()
    assert read(layout, "title") == "Risk, burglary"
    assert read(layout, "date") == "Tue 31 Dec 2024"
    assert read(layout, "count") == COUNTED
    assert read(layout, "card") == MODEL
    assert read_legend(layout) == {"Risk, Tue 31 Dec 2024, burglary": ["Map of Tue 31 Dec 2024", ""]}
    arrow, bar, view = (layout.itemById(name) for name in ("north arrow", "scale bar", "map"))
    assert isinstance(arrow, QgsLayoutItemPicture)
    assert isinstance(bar, QgsLayoutItemScaleBar)
    assert isinstance(view, QgsLayoutItemMap)
    assert arrow.linkedMap() is view
    assert bar.linkedMap() is view
    check_page(layout, tmp_path)


def test_polygons_say_the_same_as_the_raster(city: City, lay_out: Any, tmp_path: Path) -> None:
    city.add_polygons("Class polygons, Tue 31 Dec 2024, burglary")
    polygons = lay_out()
    assert [read(polygons, name) for name in ("title", "date", "count", "card")] == [
        *("Class polygons, burglary", "Tue 31 Dec 2024", COUNTED, MODEL)
    ]
    (lines,) = read_legend(polygons).values()
    check_page(polygons, tmp_path)
    city.add_raster("classes", "Risk classes")
    (of_raster, _) = read_legend(lay_out()).values()
    assert of_raster == ["Map of Tue 31 Dec 2024", *lines]


def test_a_grid_of_scores_over_a_basemap(project: QgsProject, city: City, lay_out: Any, tmp_path: Path) -> None:
    picture = write_bands(tmp_path / "photo.tif", [[[float(band * 80)] * 20] * 20 for band in range(3)])
    project.addMapLayer(QgsRasterLayer(picture, "OpenStreetMap"))
    city.add_scores("Crime scores, 365 days to Wed 8 Aug 2018")
    assert project.mapLayersByName("OpenStreetMap")[0].renderer().type() == "multibandcolor"
    layout = lay_out()
    assert read(layout, "title") == "Crime scores"
    assert read(layout, "date") == "365 days to Wed 8 Aug 2018"
    assert read(layout, "count") == "n = 25 incidents, 365 days to Wed 8 Aug 2018"
    assert len(layout.itemById("map").layers()) == 2, "the basemap is drawn"
    (title,) = read_legend(layout)
    assert title.replace("\n", " ") == "Crime scores, 365 days to Wed 8 Aug 2018"
    check_page(layout, tmp_path)


def test_many_layers_with_names_of_any_length(city: City, lay_out: Any, tmp_path: Path) -> None:
    long = "A name that somebody has typed who wanted to say everything about it"
    names = ["W" * 10_000, "[% 6 * 7 %] <b>bold</b>", *(f"{number}: {long}" for number in range(16))]
    for name in names:
        city.add_raster("classes", name, model=" ".join([MODEL] * 40))
    layout = lay_out()
    said = [title.replace("\n", " ") for title in read_legend(layout)]
    assert len(said) == len(names), "every layer is in one of the legends"
    assert len(list_legends(layout)) > 1
    assert any(title.startswith("[ % 6 * 7 %] <b>bold</b>") for title in said), "a name is no expression"
    assert sum(title.startswith("WWW") and title.endswith("…") for title in said) == 1
    assert read(layout, "card").startswith(MODEL[:40])
    assert read(layout, "card").endswith("…")
    check_page(layout, tmp_path)


def test_only_what_is_shown_is_listed(project: QgsProject, city: City, lay_out: Any) -> None:
    shown = city.add_raster("risk", "shown")
    unchecked, elsewhere = city.add_raster("risk", "unchecked"), QgsVectorLayer("Point?crs=EPSG:32610", "far", "memory")
    point = QgsFeature()
    point.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(100_000, 100_000)))
    elsewhere.dataProvider().addFeature(point)
    small = city.add_scores("only when zoomed in")
    small.setScaleBasedVisibility(True)
    small.setMinimumScale(10)
    table = QgsVectorLayer("None?field=a:integer", "table", "memory")
    project.addMapLayers([elsewhere, table, QgsRasterLayer("/nowhere.tif", "broken")])
    root = project.layerTreeRoot()
    root.findLayer(unchecked.id()).setItemVisibilityChecked(False)
    from crime_risk.ui.risk_layout import make_layout

    canvas = QgsMapCanvas()
    canvas.resize(600, 500)
    canvas.setDestinationCrs(project.crs())
    canvas.setExtent(shown.extent())
    layout = make_layout(project, canvas)
    assert list(read_legend(layout)) == ["shown"]
    assert layout.itemById("map").layers() == [shown]
    # What is checked later is neither drawn nor listed, so that the page stays true.
    root.findLayer(unchecked.id()).setItemVisibilityChecked(True)
    assert layout.itemById("map").layers() == [shown]


def moment(day: int) -> QDateTime:
    return QDateTime(QDate(2024, 12, day), QTime(0, 0), Qt.TimeSpec.UTC)


def test_of_a_stack_the_map_that_is_drawn_is_named(city: City, lay_out: Any, tmp_path: Path) -> None:
    city.add_raster("risk", "Risk, Sun 29 – Tue 31 Dec 2024, burglary", maps=3)
    layout = lay_out()
    assert read(layout, "date") == "Sun 29 Dec 2024"
    # Of a time of two days QGIS draws the later map.
    layout = lay_out(QgsDateTimeRange(moment(29), moment(31), True, False))
    assert read(layout, "date") == "Mon 30 Dec 2024"
    ((line, _),) = read_legend(layout).values()
    assert line == "Map of Mon 30 Dec 2024"
    check_page(layout, tmp_path)
    # So does an export that runs through all maps.
    layout.itemById("map").setTemporalRange(QgsDateTimeRange(moment(31), moment(31).addDays(1), True, False))
    ((line, _),) = read_legend(layout).values()
    assert [line, read(layout, "date")] == ["Map of Tue 31 Dec 2024", "Tue 31 Dec 2024"]


def test_of_areas_the_map_that_lies_on_top_is_named(city: City, lay_out: Any, tmp_path: Path) -> None:
    layer = city.add_areas("Risk by area, Sun 29 – Tue 31 Dec 2024, burglary")
    assert layer.temporalProperties().isActive()
    layout = lay_out()
    assert [read(layout, name) for name in ("title", "date", "count", "card")] == [
        *("Risk by area, burglary", "Sun 29 Dec 2024", COUNTED, MODEL)
    ]
    # Of a time of two days the first map is drawn on top.
    layout = lay_out(QgsDateTimeRange(moment(30), moment(31).addDays(1), True, False))
    assert read(layout, "date") == "Mon 30 Dec 2024"
    assert layout.itemById("map").temporalRange().end() == moment(31)
    (lines,) = read_legend(layout).values()
    assert lines == ["Other 96 % of the area", "Riskiest 4 % of the area"]
    check_page(layout, tmp_path)
    middle = photograph(layout, tmp_path)[0].pixelColor(round(105 * DPI / 25.4), round(110 * DPI / 25.4))
    assert middle.green() < 150 < middle.red(), f"the riskiest class is dark red, and this is {middle.name()}"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-12-30T00:00:00", "2025-01-06T00:00:00"),
        ("2024-11-25T00:00:00", "2024-12-02T00:00:00"),
        ("2024-12-23T00:00:00", "2024-12-30T00:00:00"),
        ("2024-12-31T00:00:00", "2025-01-01T00:00:00"),
        ("2024-12-01T00:00:00", "2025-01-01T00:00:00"),
        ("2024-10-01T00:00:00", "2025-01-01T00:00:00"),
        ("2023-12-01T00:00:00", "2024-02-01T00:00:00"),
        ("2024-12-31T20:00:00", "2024-12-31T22:00:00"),
        ("2024-12-31T22:00:00", "2025-01-01T00:00:00"),
        ("2024-12-30T22:00:00", "2024-12-31T04:00:00"),
    ],
)
def test_a_time_reads_as_everywhere_else(city: City, lay_out: Any, start: str, end: str) -> None:
    from crime_risk.bridge.temporal import to_wall_clock
    from crime_risk.riskengine.contract.dates import format_span

    city.add_scores("scores")
    layout = lay_out(QgsDateTimeRange(to_wall_clock(start), to_wall_clock(end), True, False))
    assert read(layout, "date") == format_span(start, end)


def test_a_layer_opened_by_hand_says_it_too(project: QgsProject, city: City, lay_out: Any) -> None:
    path = city.add_raster("risk", "Risk").source()
    project.removeAllMapLayers()
    project.addMapLayer(QgsRasterLayer(path, "opened"))
    layout = lay_out()
    assert [read(layout, name) for name in ("title", "count", "card")] == ["Risk, burglary", COUNTED, MODEL]
    assert read_legend(layout)["opened"][0] == "Map of Tue 31 Dec 2024"


def test_without_anything_to_show(project: QgsProject, lay_out: Any) -> None:
    layout = lay_out()
    assert read(layout, "title") == "Risk map"
    assert not read_legend(layout)
    assert all(isinstance(layout.itemById(name), QgsLayoutItemLabel) for name in ("date", "count", "card"))
