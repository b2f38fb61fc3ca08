"""What docks share that ask the engine about places: the map tool's button, progress, messages, being closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import QgsProject
from qgis.gui import QgsDockWidget, QgsMapCanvas, QgsMapTool
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QSize, Qt, QTimer
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QFrame, QProgressBar, QScrollArea, QToolButton, QWidget

from ..bridge.news import NEWS
from .message import Message

ICONS = Path(__file__).resolve().parents[1] / "resources" / "icons"
#: An answer that comes sooner needs no progress bar.
_PATIENCE_MILLISECONDS = 300


class AskingDock(QgsDockWidget):
    """A dock with a map tool, whose questions an `Asker` sends.

    Parameters
    ----------
    title : str
    icon : str
        File in resources/icons.
    canvas : QgsMapCanvas
    tool : QgsMapTool
    asker : Asker
    markers : object
        With ``clear`` and ``close``.
    set_up_engine : callable
        Opens Crime Risk ▸ Set up engine…
    parent : QWidget, optional
    """

    def __init__(
        self,
        title: str,
        icon: str,
        canvas: QgsMapCanvas,
        tool: QgsMapTool,
        asker: Any,
        markers: Any,
        set_up_engine: Callable[[], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, parent)
        picture = QIcon(str(ICONS / icon))
        self.setWindowIcon(picture)
        self.canvas, self.tool, self.asker, self.markers = canvas, tool, asker, markers
        asker.setParent(self)
        self._open = False
        self._tool_before: QgsMapTool | None = None
        self.tool_button = QToolButton()
        self.tool_button.setIcon(picture)
        self.tool_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.tool_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.tool_button.setCheckable(True)
        self.tool.setButton(self.tool_button)
        self.message = Message()
        self.progress_bar = QProgressBar()
        self.progress_bar.setRange(0, 1000)
        self.progress_bar.hide()
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MILLISECONDS)
        self._patience.timeout.connect(self.progress_bar.show)
        self.tool_button.clicked.connect(self._toggle_tool)
        self.message.set_up_button.clicked.connect(lambda: set_up_engine())
        self.asker.started.connect(self._patience.start)
        self.asker.progressed.connect(self._show_progress)
        self.asker.idle.connect(self._hide_progress)
        self.visibilityChanged.connect(self._closed_or_opened)
        QgsProject.instance().cleared.connect(self.markers.clear)
        NEWS.engine_changed.connect(self._take_engine)

    def warm_up(self) -> None:
        """Let the engine read what the first question needs."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draw on the map what the dock shows."""
        raise NotImplementedError

    def close_for_good(self) -> None:
        """Leave nothing behind: QGIS unloads the plugin."""
        QgsProject.instance().cleared.disconnect(self.markers.clear)
        NEWS.engine_changed.disconnect(self._take_engine)
        self.asker.drop()
        self._put_tool_away()
        self.tool.deleteLater()
        self.markers.close()

    def sizeHint(self) -> QSize:
        """Wide enough for a row of a table."""
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 52, metrics.height() * 44)

    def set_content(self, content: QWidget) -> None:
        """Show this, with a scroll bar where the window is low."""
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(content)
        # Narrower than this it would have to be scrolled sideways.
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = area.verticalScrollBar().sizeHint().width()
        area.setMinimumWidth(content.minimumSizeHint().width() + bar)
        self.setWidget(area)

    def _take_engine(self) -> None:
        """The engine may be there now, or gone; a dock that is closed looks when it is opened."""
        if self._open:
            self.message.clear()
            self.warm_up()

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
        self.draw()
        self.warm_up()
