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
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QDateTime
from qgis.PyQt.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QTabWidget, QVBoxLayout, QWidget

from ...bridge import environment
from ...bridge.crs import WGS84, tr
from ...bridge.news import NEWS
from ..asking_dock import AskingDock
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


class ScoreDock(AskingDock):
    """Asks places and shows the answers.

    Parameters
    ----------
    canvas : QgsMapCanvas
    set_up_engine : callable
        Opens Crime Risk ▸ Set up engine…
    parent : QWidget, optional
    """

    def __init__(self, canvas: QgsMapCanvas, set_up_engine: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(
            tr("Crime score"),
            "crime_score.svg",
            canvas,
            ScoreMapTool(canvas, tr("Crime score")),
            Asker(),
            markers.Markers(canvas),
            set_up_engine,
            parent,
        )
        self.setObjectName("CrimeRiskScoreDock")
        self.current: Answer | None = None
        self.tool_button.setText(tr("Click to &ask"))
        self.tool_button.setToolTip(tr("Then click on the map: the score of the place appears here"))
        self.centre_button = QPushButton(tr("Ask at map centre"))
        self.centre_button.setToolTip(tr("Asks the place in the middle of the map: no mouse needed"))
        self.address_line = AddressLine()
        self.settings_box = SettingsBox()
        self.answer_view = AnswerView()
        self.chart = MonthlyChart()
        self.neighbours = NeighbourTable()
        self.history = History()
        self._build()

        self.centre_button.clicked.connect(self.ask_at_centre)
        self.tool.picked.connect(lambda point: self._ask("", point))
        self.tool.failed.connect(lambda why: self.message.say(why, "warning"))
        self.address_line.located.connect(self.ask)
        self.address_line.failed.connect(lambda why: self.message.say(why, "warning"))
        self.settings_box.changed.connect(self.warm_up)
        self.asker.answered.connect(self._take)
        self.neighbours.highlighted.connect(self.markers.highlight_incidents)
        self.neighbours.asked_for.connect(self._go_to_neighbour)
        self.history.chosen.connect(self._show_again)
        self.history.cleared.connect(self.clear)
        self.history.save_button.clicked.connect(self._ask_where_to_save)
        NEWS.file_made.connect(self.settings_box.take_file)
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
        self.set_content(content)

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

    def draw(self) -> None:
        """Draw the answer that is shown."""
        if self.current is not None:
            self.markers.show(self.current)

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
        NEWS.file_made.disconnect(self.settings_box.take_file)
        super().close_for_good()

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

    def _ask_where_to_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, tr("Save queries"), str(Path.home() / "crime_score_queries.gpkg"), tr("GeoPackage (*.gpkg)")
        )
        if path:
            self.message.say(queries_layer.save(path))
