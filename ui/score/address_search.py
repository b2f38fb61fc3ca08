"""Looking an address up in the background."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsFeedback, QgsRectangle, QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ...bridge import geocoding
from ...bridge.crs import tr
from ...bridge.geocoder_choice import GeocodingError, Service


class AddressSearch(QgsTask):
    """One search in another thread.

    Parameters
    ----------
    text : str
    extent : QgsRectangle or None
        Where the data are, WGS 84.
    service : Service
    """

    #: The search itself; always in the main thread, and not if it was cancelled.
    ended = pyqtSignal(object)

    def __init__(self, text: str, extent: QgsRectangle | None, service: Service) -> None:
        flags = QgsTask.Flag.CanCancel | QgsTask.Flag.CancelWithoutPrompt | QgsTask.Flag.Hidden | QgsTask.Flag.Silent
        super().__init__(tr("Looking up an address"), flags)
        self.text = text
        self.service = service
        self.places: list[geocoding.Place] = []
        #: Why nothing was found, as a sentence; empty if something was.
        self.problem = ""
        self._extent = QgsRectangle(extent) if extent is not None else None
        self._feedback = QgsFeedback()
        # A task that is cancelled before its turn ends without `finished`.
        self.taskTerminated.connect(self._let_go)

    def start(self) -> None:
        """Hand the search to QGIS, before whatever else is waiting."""
        # QGIS does not keep the Python side alive.
        _searches.add(self)
        QgsApplication.taskManager().addTask(self, 1000)

    def cancel(self) -> None:
        """Give the search up, also in the middle of a request."""
        self._feedback.cancel()
        super().cancel()

    def run(self) -> bool:
        """Search; QGIS calls this in another thread."""
        try:
            self.places = geocoding.search(self.text, self._extent, self._feedback, self.service)
            if not self.places:
                self.problem = geocoding.describe_no_place(self.text, self.service)
        except GeocodingError as error:
            self.problem = str(error)
        except Exception as error:
            # An exception that leaves run() would reach nobody; its text may hold a URL with the key.
            self.problem = tr("The search failed unexpectedly ({kind}). Please report this.").format(
                kind=type(error).__name__
            )
        return not self._feedback.isCanceled()

    def finished(self, result: bool) -> None:
        """QGIS calls this in the main thread when `run` is over."""
        self._let_go()
        if result:
            self.ended.emit(self)

    def _let_go(self) -> None:
        _searches.discard(self)


_searches: set[AddressSearch] = set()
