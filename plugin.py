"""The plugin object: wires provider and dialog into QGIS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from .algorithms.provider import CrimeRiskProvider

ICON = Path(__file__).resolve().parent / "resources" / "icons" / "crime_risk.svg"


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

    def initProcessing(self) -> None:
        """Register the algorithms; all that qgis_process asks for."""
        self.provider = CrimeRiskProvider()
        registry = QgsApplication.processingRegistry()
        registry.addProvider(self.provider)
        # The shipped models look their steps up in the registry, where the provider has only just arrived.
        self.provider.refreshAlgorithms()

    def initGui(self) -> None:
        """Register the algorithms and the menu."""
        self.initProcessing()
        from qgis.PyQt.QtGui import QAction

        self.action = QAction(QIcon(str(ICON)), self._tr("Set up engine…"), self.iface.mainWindow())
        self.action.setObjectName("crime_risk_set_up_engine")
        self.action.triggered.connect(self.show_engine_dialog)
        self.iface.addPluginToMenu(self._tr("Crime Risk"), self.action)

    def show_engine_dialog(self) -> None:
        """Open Crime Risk ▸ Set up engine…"""
        if self.dialog is None:
            from .ui.engine_dialog import EngineDialog

            self.dialog = EngineDialog(self.iface.mainWindow())
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def unload(self) -> None:
        """Take everything back, and end the engine's workers."""
        from .bridge import client

        client.shutdown()
        if self.action is not None:
            self.iface.removePluginMenu(self._tr("Crime Risk"), self.action)
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
