"""The dock "Less exposed routes": two clicks or two addresses, and what a less exposed way costs in metres."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QDateTime, Qt
from qgis.PyQt.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from ...bridge import environment
from ...bridge.crs import WGS84, tr
from ...riskengine.contract.texts import show_name
from ..asking_dock import AskingDock
from ..score.address_line import AddressLine
from ..score.answers import format_place
from ..score.map_tool import ScoreMapTool
from ..score.query_task import Asker
from .front_chart import FrontChart
from .layers_at_hand import LayersAtHand
from .route_bands import RouteBands
from .route_history import RouteHistory
from .route_task import Place, Question, RouteAnswer, RouteTask
from .routes_layer import add_layer
from .settings_box import SettingsBox


class RoutesDock(AskingDock):
    """Asks for the ways between two places and shows them.

    Parameters
    ----------
    canvas : QgsMapCanvas
    set_up_engine : callable
        Opens Crime Risk ▸ Set up engine…
    parent : QWidget, optional
    """

    def __init__(self, canvas: QgsMapCanvas, set_up_engine: Callable[[], None], parent: QWidget | None = None) -> None:
        title = tr("Less exposed routes")
        super().__init__(
            title,
            "saferoutes.svg",
            canvas,
            ScoreMapTool(canvas, title),
            Asker(self._make_task),
            RouteBands(canvas),
            set_up_engine,
            parent,
        )
        self.setObjectName("CrimeRiskRoutesDock")
        self.layers = LayersAtHand()
        self.current: RouteAnswer | None = None
        self.start: Place | None = None
        self.end: Place | None = None
        self.tool_button.setText(tr("Click start and e&nd"))
        self.tool_button.setToolTip(tr("Then click on the map twice: where the way begins, and where it ends"))
        self.swap_button = QPushButton(tr("S&wap"))
        self.swap_button.setToolTip(tr("The way back"))
        self.start_line, self.end_line = AddressLine(), AddressLine()
        self.settings_box = SettingsBox(self.layers)
        self.way_label, self.words_label, self.notes_label = _make_label(bold=True), _make_label(), _make_label()
        self.chart = FrontChart()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(tr("Way: from the shortest to the least exposed"))
        self.slider.setPageStep(5)
        self.layer_button = QPushButton(tr("&Add as layer"))
        self.layer_button.setToolTip(tr("All these ways as a layer of the project"))
        self.history = RouteHistory()
        self._build()

        for line, which in ((self.start_line, "start"), (self.end_line, "end")):
            line.located.connect(lambda name, point, which=which: self._take_address(which, Place(name, point)))
            line.failed.connect(lambda why: self.message.say(why, "warning"))
        self.swap_button.clicked.connect(self.swap)
        self.tool.picked.connect(self.take_click)
        self.tool.failed.connect(lambda why: self.message.say(why, "warning"))
        self.settings_box.changed.connect(self._ask_again)
        self.asker.answered.connect(self._take)
        self.slider.valueChanged.connect(self._choose)
        self.chart.picked.connect(self.slider.setValue)
        self.layer_button.clicked.connect(self.add_layer)
        self.history.chosen.connect(self._show_again)
        self.history.cleared.connect(self.clear)
        self.clear()

    def _build(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.tool_button)
        buttons.addWidget(self.swap_button)
        buttons.addStretch(1)
        places = QGridLayout()
        for row, (text, line) in enumerate(((tr("&Start"), self.start_line), (tr("&End"), self.end_line))):
            label = QLabel(text)
            label.setBuddy(line.field)
            label.setMinimumHeight(line.field.sizeHint().height())
            line.field.setAccessibleName(tr("{end}: address or coordinates").format(end=text.replace("&", "")))
            places.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            places.addWidget(line, row, 1)
        ends = QHBoxLayout()
        ends.addWidget(QLabel(tr("shortest")))
        ends.addWidget(self.slider, 1)
        ends.addWidget(QLabel(tr("least exposed")))
        self.result = QWidget()
        result = QVBoxLayout(self.result)
        result.setContentsMargins(0, 0, 0, 0)
        for widget in (self.way_label, self.words_label, self.chart):
            result.addWidget(widget)
        result.addLayout(ends)
        result.addWidget(self.layer_button, 0, Qt.AlignmentFlag.AlignLeft)
        result.addWidget(self.notes_label)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addLayout(buttons)
        layout.addLayout(places)
        for widget in (self.settings_box, self.progress_bar, self.message, self.result):
            layout.addWidget(widget)
        layout.addWidget(self.history, 1)
        self.set_content(content)

    def take_click(self, point: QgsPointXY) -> None:
        """Take a place of the map, WGS 84: the end where there is but a start, and else a new start."""
        place = Place(format_place(point), QgsPointXY(point))
        if self.start is None or self.end is not None:
            self.asker.drop()
            self._show_nothing()
            self.start, self.end = place, None
            for line, each in ((self.start_line, self.start), (self.end_line, None)):
                _write(line, each)
            self.draw()
            self.message.say(tr("Now click where the way ends."))
        else:
            _write(self.end_line, place)
            self._set_place("end", place)

    def swap(self) -> None:
        """Ask for the way back."""
        self.start, self.end = self.end, self.start
        for line, place in ((self.start_line, self.start), (self.end_line, self.end)):
            _write(line, place)
        self._ask()

    def warm_up(self) -> None:
        """Let the engine read streets and risk before the first question."""
        engine = environment.read_status()
        if not engine.ready:
            self.message.say(engine.problem, "warning", set_up=True)
            return
        settings = self.settings_box.read_settings()
        if settings is None:
            self.message.say(self._say_no_layers())
        else:
            self.asker.ask(Question(settings))

    def draw(self) -> None:
        """Draw the places, and the ways of the answer."""
        self.markers.show_places(*(None if place is None else place.point for place in (self.start, self.end)))
        if self.current is not None:
            self.markers.show_ways(self.current.ways, self.slider.value())

    def clear(self) -> None:
        """Forget places and answer, and take them off the map."""
        self.asker.drop()
        self.start = self.end = None
        for line in (self.start_line, self.end_line):
            line.field.clear()
        self.message.clear()
        self._show_nothing()

    def add_layer(self) -> None:
        """Add the ways that are shown as a layer."""
        if self.current is not None:
            add_layer(self.current)

    def close_for_good(self) -> None:
        """Leave nothing behind: QGIS unloads the plugin."""
        super().close_for_good()
        self.layers.close()

    @staticmethod
    def _say_no_layers() -> str:
        return tr("Choose a layer of streets, and incidents or another risk.")

    def _make_task(self, question: Question) -> RouteTask:
        return RouteTask(question, self.layers, QgsProject.instance().transformContext())

    def _take_address(self, which: str, place: Place) -> None:
        self.canvas.setCenter(self._to_map(QgsRectangle(place.point, place.point)).center())
        self.canvas.refresh()
        self._set_place(which, place)

    def _set_place(self, which: str, place: Place) -> None:
        setattr(self, which, place)
        self._ask()

    def _ask_again(self) -> None:
        if self.start is not None and self.end is not None:
            self._ask()
        elif self._open:
            self.warm_up()

    def _ask(self) -> None:
        """Ask for the ways, once both places are there."""
        self._show_nothing()
        self.draw()
        self.message.clear()
        if self.start is None or self.end is None:
            return
        settings = self.settings_box.read_settings()
        if settings is None:
            self.settings_box.setCollapsed(False)
            self.message.say(self._say_no_layers(), "warning")
            return
        self.asker.ask(Question(settings, self.start, self.end))

    def _take(self, task: RouteTask) -> None:
        """The last question's answer, or what went wrong."""
        if task.answer is None:
            self.message.say(task.problem, "error", task.engine_missing)
            return
        result = task.answer
        for line in (self.start_line, self.end_line):
            line.set_extent(QgsRectangle(*result["extent"]))
        if task.question.point is None:
            if self.current is None and not self.message.text:
                said = tr("{streets}; {risk}. Click start and end on the map, or type their addresses.")
                self.message.say(said.format(streets=result["streets"], risk=result["risk"]))
            return
        if not result["ways"]:
            self.message.say(tr("{reason}.").format(reason=result["headline"].rstrip(".")), "warning")
            return
        answer = RouteAnswer(task.question, result, QDateTime.currentDateTime())
        self.history.add(answer)
        self._show(answer)

    def _show(self, answer: RouteAnswer) -> None:
        """Show an answer, and of its ways the least exposed."""
        self.current = answer
        last = len(answer.ways) - 1
        self.slider.blockSignals(True)
        self.slider.setRange(0, last)
        self.slider.setValue(last)
        self.slider.blockSignals(False)
        self.slider.setEnabled(last > 0)
        self.chart.setVisible(last > 0)
        self.chart.show_ways(answer.ways, last)
        result = answer.result
        self.notes_label.setText(" ".join(filter(None, [result["front"], *result["notes"], result["walker"]])))
        self.result.show()
        self.message.say(" ".join(result["moved"]), "warning")
        self.draw()
        self._choose(last)

    def _choose(self, number: int) -> None:
        """Choose a way along the front."""
        if self.current is None:
            return
        way = self.current.ways[number]
        self.way_label.setText(f"{tr(way['title'])}: {way['label']}")
        above = tr("{share} of it has a risk above that of {percentile} of 100 m of all streets.").format(
            share=f"{100 * way['above']:.0f} %", percentile=f"{self.current.result['percentile']:g}"
        )
        self.words_label.setText(f"{way['words']} {above}")
        self.slider.setToolTip(way["label"])
        self.slider.setAccessibleDescription(way["words"])
        self.chart.choose(number)
        self.markers.choose(number)

    def _show_again(self, answer: RouteAnswer) -> None:
        self.asker.drop()
        self.start, self.end = answer.question.start, answer.question.end
        for line, place in ((self.start_line, self.start), (self.end_line, self.end)):
            _write(line, place)
        self._show(answer)
        extent = QgsRectangle()
        for way in answer.ways:
            for x, y in way["line"]:
                extent.include(QgsPointXY(x, y))
        self.canvas.setExtent(self._to_map(extent).buffered(0.0), True)
        self.canvas.zoomByFactor(1.2)

    def _show_nothing(self) -> None:
        self.current = None
        self.result.hide()
        self.markers.clear()

    def _to_map(self, extent: QgsRectangle) -> QgsRectangle:
        """Bring an extent of WGS 84 to the map; where that cannot be done, the map stays where it is."""
        target = self.canvas.mapSettings().destinationCrs()
        wgs84 = QgsCoordinateReferenceSystem(WGS84)
        try:
            transform = QgsCoordinateTransform(wgs84, target, QgsProject.instance().transformContext())
            return transform.transformBoundingBox(extent)
        except QgsCsException:
            return self.canvas.extent()


def _write(line: AddressLine, place: Place | None) -> None:
    line.field.setText("" if place is None else show_name(place.name))
    line.field.setCursorPosition(0)


def _make_label(bold: bool = False) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    if bold:
        font = label.font()
        font.setBold(True)
        label.setFont(font)
    return label
