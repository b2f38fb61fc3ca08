"""The plugin object: wires provider, dialog and dock into QGIS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsPointXY, QgsProject
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from .algorithms.provider import CrimeRiskProvider
from .bridge import leftovers

ICONS = Path(__file__).resolve().parent / "resources" / "icons"


class CrimeRiskPlugin:
    """Crime Risk in QGIS, with or without a window.

    Parameters
    ----------
    iface : QgisInterface or None
        None in qgis_process.
    """

    def __init__(self, iface: Any) -> None:
        self.iface = iface
        self.provider: CrimeRiskProvider | None = None
        self.action: Any = None
        self.dialog: Any = None
        self.score_action: Any = None
        self.score_dock: Any = None
        self.routes_action: Any = None
        self.routes_dock: Any = None
        self.layout_action: Any = None
        self.locator_filter: Any = None
        self.legend_lines: Any = None

    def initProcessing(self) -> None:
        """Register the algorithms; all that qgis_process asks for."""
        # Hours of grids may lie in the temporary folder of a QGIS that was killed.
        leftovers.sweep_temporary()
        self.provider = CrimeRiskProvider()
        registry = QgsApplication.processingRegistry()
        registry.addProvider(self.provider)
        # The shipped models look their steps up in the registry, where the provider has only just arrived.
        self.provider.refreshAlgorithms()

    def initGui(self) -> None:
        """Register the algorithms and the menu."""
        self.initProcessing()
        from qgis.PyQt.QtGui import QAction

        self.action = QAction(QIcon(str(ICONS / "crime_risk.svg")), self._tr("Set up engine…"), self.iface.mainWindow())
        self.action.setObjectName("crime_risk_set_up_engine")
        self.action.triggered.connect(self.show_engine_dialog)
        self.iface.addPluginToMenu(self._tr("Crime Risk"), self.action)
        self.score_action = self._add_dock_action(
            "score", "crime_score.svg", self._tr("Crime score"), self._tr("click on the map or type an address")
        )
        self.score_action.triggered.connect(self.show_score_dock)
        self.routes_action = self._add_dock_action(
            "routes", "saferoutes.svg", self._tr("Less exposed routes"), self._tr("click start and end on the map")
        )
        self.routes_action.triggered.connect(self.show_routes_dock)
        self.layout_action = QAction(
            QIcon(str(ICONS / "classifyrisk.svg")), self._tr("New risk map layout"), self.iface.mainWindow()
        )
        self.layout_action.setObjectName("crime_risk_new_layout")
        self.layout_action.setToolTip(self._tr("A print layout with legend, date and the model card line"))
        self.layout_action.triggered.connect(self.new_layout)
        self.iface.addPluginToMenu(self._tr("Crime Risk"), self.layout_action)
        from .algorithms import dialogs

        dialogs.FACTORIES["importincidents"] = self.make_import_dialog
        from .ui.score.locator_filter import CrimeScoreLocatorFilter

        self.locator_filter = CrimeScoreLocatorFilter(self.ask_score)
        self.iface.registerLocatorFilter(self.locator_filter)
        from .ui.legend_lines import LegendLines

        self.legend_lines = LegendLines(QgsProject.instance(), self.iface.mapCanvas())

    def show_engine_dialog(self) -> None:
        """Open Crime Risk ▸ Set up engine…"""
        if self.dialog is None:
            from .ui.engine_dialog import EngineDialog

            self.dialog = EngineDialog(self.iface.mainWindow())
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def make_import_dialog(self, algorithm: Any, parent: Any) -> Any:
        """Make the dialog of *Import incidents*."""
        from .ui.importing.dialog import ImportDialog

        return ImportDialog(algorithm, self.show_engine_dialog, parent)

    def show_score_dock(self, shown: bool = True) -> None:
        """Open or close the dock "Crime score"; it is made when it is first opened."""
        if self.score_dock is None:
            if not shown:
                return
            from .ui.score.dock import ScoreDock

            self.score_dock = self._add_dock(ScoreDock, self.score_action)
        self.score_dock.setUserVisible(shown)

    def show_routes_dock(self, shown: bool = True) -> None:
        """Open or close the dock "Less exposed routes"; it is made when it is first opened."""
        if self.routes_dock is None:
            if not shown:
                return
            from .ui.routes.dock import RoutesDock

            self.routes_dock = self._add_dock(RoutesDock, self.routes_action)
        self.routes_dock.setUserVisible(shown)

    def _add_dock_action(self, name: str, icon: str, title: str, hint: str) -> Any:
        """Add what opens and closes a dock to menu and tool bar."""
        from qgis.PyQt.QtGui import QAction

        action = QAction(QIcon(str(ICONS / icon)), title, self.iface.mainWindow())
        action.setObjectName(f"crime_risk_{name}_dock")
        action.setToolTip(f"{title}: {hint}")
        action.setCheckable(True)
        self.iface.addPluginToMenu(self._tr("Crime Risk"), action)
        self.iface.addToolBarIcon(action)
        return action

    def _add_dock(self, make: Any, action: Any) -> Any:
        """Make a dock, and put it to the right of the map."""
        from qgis.PyQt.QtCore import Qt

        dock = make(self.iface.mapCanvas(), self.show_engine_dialog, self.iface.mainWindow())
        dock.setToggleVisibilityAction(action)
        self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        self.iface.mainWindow().resizeDocks([dock], [dock.sizeHint().width()], Qt.Orientation.Horizontal)
        return dock

    def new_layout(self) -> None:
        """Add a print layout made from the template to the project, and open it."""
        from .ui.risk_layout import LayoutError, make_layout

        try:
            layout = make_layout(QgsProject.instance(), self.iface.mapCanvas())
        except LayoutError as error:
            self.iface.messageBar().pushWarning(self._tr("Crime Risk"), str(error))
            return
        self.iface.openLayoutDesigner(layout)

    def ask_score(self, name: str, point: QgsPointXY) -> None:
        """Ask for the score of a named place, WGS 84, in the dock."""
        self.show_score_dock()
        self.score_dock.ask(name, point)

    def unload(self) -> None:
        """Take everything back, and end the engine's workers."""
        from .algorithms import dialogs
        from .bridge import client

        dialogs.FACTORIES.clear()
        if self.locator_filter is not None:
            self.iface.deregisterLocatorFilter(self.locator_filter)
            self.locator_filter = None
        if self.legend_lines is not None:
            self.legend_lines.close()
            self.legend_lines = None
        for dock in (self.score_dock, self.routes_dock):
            if dock is not None:
                dock.close_for_good()
                self.iface.removeDockWidget(dock)
                dock.deleteLater()
        self.score_dock = self.routes_dock = None
        for action in (self.score_action, self.routes_action):
            if action is not None:
                self.iface.removePluginMenu(self._tr("Crime Risk"), action)
                self.iface.removeToolBarIcon(action)
                # It belongs to the main window, where the next load of the plugin would meet it.
                action.deleteLater()
        self.score_action = self.routes_action = None
        if self.layout_action is not None:
            self.iface.removePluginMenu(self._tr("Crime Risk"), self.layout_action)
            self.layout_action.deleteLater()
            self.layout_action = None
        client.shutdown()
        if self.action is not None:
            self.iface.removePluginMenu(self._tr("Crime Risk"), self.action)
            self.action.deleteLater()
            self.action = None
        if self.dialog is not None:
            self.dialog.close()
            self.dialog = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None

    @staticmethod
    def _tr(text: str) -> str:
        return QCoreApplication.translate("CrimeRisk", text)
