"""The dock "Crime score": click on the map or type an address, and learn the score there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
)
from qgis.gui import QgsDockWidget, QgsMapCanvas, QgsMapTool
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QDateTime, QSize, Qt, QTimer
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...bridge import environment
from ...bridge.crs import WGS84, tr
from ...bridge.news import NEWS
from ..message import Message
from . import markers, queries_layer
from .address_line import AddressLine
from .answer_view import AnswerView
from .answer_words import describe_data, format_days
from .answers import Answer
from .history import History
from .map_tool import ScoreMapTool, describe_no_place, to_wgs84
from .monthly_chart import MonthlyChart
from .neighbours import NeighbourTable
from .query_task import Asker, QueryTask, Question
from .settings_box import SettingsBox

ICON = Path(__file__).resolve().parents[2] / "resources" / "icons" / "crime_score.svg"
#: An answer that comes sooner needs no progress bar.
_PATIENCE_MILLISECONDS = 300


class ScoreDock(QgsDockWidget):
    """Asks places and shows the answers.

    Parameters
    ----------
    canvas : QgsMapCanvas
    set_up_engine : callable
        Opens Crime Risk ▸ Set up engine…
    parent : QWidget, optional
    """

    def __init__(self, canvas: QgsMapCanvas, set_up_engine: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(tr("Crime score"), parent)
        self.setObjectName("CrimeRiskScoreDock")
        self.setWindowIcon(QIcon(str(ICON)))
        self.canvas = canvas
        self._open = False
        self._tool_before: QgsMapTool | None = None
        self.markers = markers.Markers(canvas)
        self.asker = Asker(self)
        self.tool = ScoreMapTool(canvas)
        self.current: Answer | None = None

        self.tool_button = QToolButton()
        self.tool_button.setIcon(QIcon(str(ICON)))
        self.tool_button.setText(tr("Click to &ask"))
        self.tool_button.setToolTip(tr("Then click on the map: the score of the place appears here"))
        self.tool_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.tool_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.tool_button.setCheckable(True)
        self.tool.setButton(self.tool_button)
        self.centre_button = QPushButton(tr("Ask at map centre"))
        self.centre_button.setToolTip(tr("Asks the place in the middle of the map: no mouse needed"))
        self.address_line = AddressLine()
        self.message = Message()
        self.progress_bar = QProgressBar()
        self.progress_bar.setRange(0, 1000)
        self.progress_bar.hide()
        self.settings_box = SettingsBox()
        self.answer_view = AnswerView()
        self.chart = MonthlyChart()
        self.neighbours = NeighbourTable()
        self.history = History()
        self._build()

        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MILLISECONDS)
        self._patience.timeout.connect(self.progress_bar.show)
        self.tool_button.clicked.connect(self._toggle_tool)
        self.centre_button.clicked.connect(self.ask_at_centre)
        self.tool.picked.connect(lambda point: self._ask("", point))
        self.tool.failed.connect(lambda why: self.message.say(why, "warning"))
        self.address_line.located.connect(self.ask)
        self.address_line.failed.connect(lambda why: self.message.say(why, "warning"))
        self.settings_box.changed.connect(self.warm_up)
        self.message.set_up_button.clicked.connect(lambda: set_up_engine())
        self.asker.started.connect(self._patience.start)
        self.asker.progressed.connect(self._show_progress)
        self.asker.idle.connect(self._hide_progress)
        self.asker.answered.connect(self._take)
        self.neighbours.highlighted.connect(self.markers.highlight_incidents)
        self.neighbours.asked_for.connect(self._go_to_neighbour)
        self.history.chosen.connect(self._show_again)
        self.history.cleared.connect(self.clear)
        self.history.save_button.clicked.connect(self._ask_where_to_save)
        self.visibilityChanged.connect(self._closed_or_opened)
        QgsProject.instance().cleared.connect(self.markers.clear)
        NEWS.file_made.connect(self.settings_box.take_file)
        NEWS.engine_changed.connect(self._take_engine)
        self.clear()

    def _build(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.tool_button)
        buttons.addWidget(self.centre_button)
        buttons.addStretch(1)
        self.result = QWidget()
        result = QVBoxLayout(self.result)
        result.setContentsMargins(0, 0, 0, 0)
        result.addWidget(self.answer_view)
        result.addWidget(self.chart)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.neighbours, "")
        self.tabs.addTab(self.history, tr("History"))

        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addLayout(buttons)
        layout.addWidget(self.address_line)
        layout.addWidget(self.settings_box)
        layout.addWidget(self.progress_bar)
        layout.addWidget(self.message)
        layout.addWidget(self.result)
        layout.addWidget(self.tabs, 1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(content)
        # Narrower than this it would have to be scrolled sideways.
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = area.verticalScrollBar().sizeHint().width()
        area.setMinimumWidth(content.minimumSizeHint().width() + bar)
        self.setWidget(area)

    def sizeHint(self) -> QSize:
        """Wide enough for a row of the table."""
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 52, metrics.height() * 44)

    def ask(self, name: str, point: QgsPointXY) -> None:
        """Ask a named place, such as an address; the map goes there.

        Parameters
        ----------
        name : str
        point : QgsPointXY
            WGS 84.
        """
        why = markers.show_place(self.canvas, point, self.settings_box.radius_box.value())
        self._ask(name, point)
        if why:
            self.message.say(why, "warning")

    def ask_at_centre(self) -> None:
        """Ask the place in the middle of the map."""
        point = to_wgs84(self.canvas, self.canvas.center())
        if point is None:
            self.message.say(describe_no_place(self.canvas), "warning")
        else:
            self._ask("", point)

    def warm_up(self) -> None:
        """Let the engine read index and model before the first question."""
        settings = self.settings_box.read_settings()
        engine = environment.read_status()
        if not engine.ready:
            self.message.say(engine.problem, "warning", set_up=True)
        elif settings is None:
            self.message.say(self._no_index())
        else:
            self.asker.ask(Question(settings))

    def clear(self) -> None:
        """Forget the answer, and take its marks off the map."""
        self.asker.drop()
        self.markers.clear()
        self.current = None
        self.message.clear()
        self.result.hide()
        self.neighbours.show_incidents([])
        self._title_neighbours(tr("Nearest incidents"))

    def close_for_good(self) -> None:
        """Leave nothing behind: QGIS unloads the plugin."""
        QgsProject.instance().cleared.disconnect(self.markers.clear)
        NEWS.file_made.disconnect(self.settings_box.take_file)
        NEWS.engine_changed.disconnect(self._take_engine)
        self.asker.drop()
        self._put_tool_away()
        self.tool.deleteLater()
        self.markers.close()

    @staticmethod
    def _no_index() -> str:
        return tr("Choose a crime index. Crime Risk ▸ Build crime index in the Processing toolbox makes one.")

    def _ask(self, name: str, point: QgsPointXY) -> None:
        settings = self.settings_box.read_settings()
        if settings is None:
            self.settings_box.setCollapsed(False)
            self.message.say(self._no_index(), "warning")
            return
        self.message.clear()
        self.asker.ask(Question(settings, name, QgsPointXY(point)))

    def _take(self, task: QueryTask) -> None:
        """The last question's answer, or what went wrong."""
        if task.answer is None:
            self.message.say(task.problem, "error", task.engine_missing)
            return
        self._bound_addresses(task.answer)
        if task.question.point is None:
            # What is said of the answer that is still shown stays.
            self._say_caveats(task.answer["warning"] or self._caveats())
            if self.current is None and not self.message.text:
                data = describe_data(task.question.settings.index, task.answer)
                self.message.say(tr("{data}. Click on the map, or type an address.").format(data=data))
            return
        answer = Answer(task.question, task.answer, QDateTime.currentDateTime())
        self._show(answer)
        self.history.add(answer)
        # QGIS would keep the labels of a map that it began to draw before the feature was there.
        self.canvas.stopRendering()
        queries_layer.add(answer)
        self.canvas.refresh()

    def _show(self, answer: Answer) -> None:
        self.current = answer
        self.answer_view.show_answer(answer)
        self.chart.show_months(answer.result["monthly"])
        self.chart.setVisible(answer.known)
        self.result.show()
        self.markers.show(answer)
        self.neighbours.show_incidents(answer.result["nearest"])
        # With a model those of its recent days alone: what it looks at.
        days = format_days(answer.result["nearest_days"])
        self._title_neighbours(tr("Nearest incidents, {days}").format(days=days))
        self._say_caveats(self._caveats())

    def _title_neighbours(self, title: str) -> None:
        self.tabs.setTabText(self.tabs.indexOf(self.neighbours), title)

    def _caveats(self) -> str:
        """What has to be said of the answer that is shown."""
        result = self.current.result if self.current is not None else {}
        return " ".join(result[what] for what in ("outside", "warning") if result.get(what))

    def _say_caveats(self, caveats: str) -> None:
        """Say what to know of an answer, and that the engine asks for an update where it does."""
        engine = environment.read_status()
        update = engine.problem if engine.outdated else ""
        self.message.say(" ".join(filter(None, (caveats, update))), "warning", set_up=engine.outdated)

    def _take_engine(self) -> None:
        """The engine may be there now, or gone; a dock that is closed looks when it is opened."""
        if self._open:
            self.message.clear()
            self.warm_up()

    def _show_again(self, answer: Answer) -> None:
        self._show(answer)
        if why := markers.show_place(self.canvas, answer.point, answer.result["radius"]):
            self.message.say(why, "warning")

    def _go_to_neighbour(self, number: int) -> None:
        if why := self.markers.go_to(number):
            self.message.say(why, "warning")

    def _bound_addresses(self, result: dict[str, Any]) -> None:
        """Let addresses near the data come first."""
        wgs84, crs = QgsCoordinateReferenceSystem(WGS84), QgsCoordinateReferenceSystem(result["crs"])
        transform = QgsCoordinateTransform(crs, wgs84, QgsProject.instance().transformContext())
        try:
            self.address_line.set_extent(transform.transformBoundingBox(QgsRectangle(*result["extent"])))
        except QgsCsException:
            # Addresses are then looked for everywhere.
            return

    def _show_progress(self, share: float, text: str) -> None:
        self.progress_bar.setValue(round(share * 1000))
        self.progress_bar.setFormat(text)

    def _hide_progress(self) -> None:
        self._patience.stop()
        self.progress_bar.hide()
        self.progress_bar.reset()

    def _toggle_tool(self, wanted: bool) -> None:
        if wanted:
            self._tool_before = self.canvas.mapTool()
            self.canvas.setMapTool(self.tool)
        else:
            self._put_tool_away()

    def _put_tool_away(self) -> None:
        """Back to the tool of before, so that the map can be moved again."""
        if self.canvas.mapTool() is not self.tool:
            return
        before, self._tool_before = self._tool_before, None
        if before is None or sip.isdeleted(before):
            self.canvas.unsetMapTool(self.tool)
        else:
            self.canvas.setMapTool(before)

    def _ask_where_to_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, tr("Save queries"), str(Path.home() / "crime_score_queries.gpkg"), tr("GeoPackage (*.gpkg)")
        )
        if path:
            self.message.say(queries_layer.save(path))

    def _closed_or_opened(self) -> None:
        # Behind another dock's tab it is open still: that one is not "hidden" in Qt's sense.
        if self._open == (not self.isHidden()):
            return
        self._open = not self.isHidden()
        if not self._open:
            self.asker.drop()
            self.markers.clear()
            self._put_tool_away()
            return
        if self.current is not None:
            self.markers.show(self.current)
        self.warm_up()
