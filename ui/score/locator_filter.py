"""Asking for a crime score from QGIS's Locator bar."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeedback,
    QgsLocatorContext,
    QgsLocatorFilter,
    QgsLocatorResult,
    QgsPointXY,
    QgsRectangle,
)
from qgis.PyQt.QtWidgets import QWidget

from ...bridge import geocoding
from ...bridge.crs import WGS84, tr
from ...bridge.geocoder_choice import GeocodingError, SearchCancelled, Service
from ...bridge.geocoder_key import KeyLocked
from .address_search import AddressSearch
from .geocoder_settings import GeocoderSettings

Ask = Callable[[str, QgsPointXY], object]
_SHORTEST = 4


class CrimeScoreLocatorFilter(QgsLocatorFilter):
    """`score Paseo de la Reforma 222` finds the place and asks for its score.

    Where the geocoder's server forbids suggestions while typing, one row offers to search; what was found is then
    shown in the Locator bar.

    Parameters
    ----------
    ask : callable
        Called in the main thread with the name and the place, WGS 84.
    extent : callable, optional
        Returns where the data are, WGS 84, or None; by default the map's extent.
    reopen : callable, optional
        Called with a text to search for in the Locator bar again; by default QGIS's.
    """

    def __init__(
        self,
        ask: Ask,
        extent: Callable[[], QgsRectangle | None] | None = None,
        reopen: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self._ask = ask
        self._extent = extent
        self._reopen = reopen
        #: Sentences of searches that failed, by text; shown once. Shared with the clones.
        self._failures: dict[str, str] = {}
        self._search: AddressSearch | None = None
        self._service: Service | None = None
        self._area: QgsRectangle | None = None
        self._problem = ""
        self._locked = False
        self.setUseWithoutPrefix(False)
        self.setFetchResultsDelay(600)

    def clone(self) -> CrimeScoreLocatorFilter:
        """One search's copy, which works in another thread."""
        copy = CrimeScoreLocatorFilter(self._ask, self._extent, self._reopen)
        copy._failures = self._failures
        return copy

    def name(self) -> str:
        """Identify the filter."""
        return "crime_risk_score"

    def displayName(self) -> str:
        """Say what it does."""
        return tr("Crime score at an address")

    def prefix(self) -> str:
        """What to type before the address; QGIS wants three letters at least from plugins."""
        return "score"

    def priority(self) -> QgsLocatorFilter.Priority:
        """Behind QGIS's own."""
        return QgsLocatorFilter.Priority.Low

    def hasConfigWidget(self) -> bool:
        """Whether the settings can be changed from QGIS's options."""
        return True

    def openConfigWidget(self, parent: QWidget | None = None) -> None:
        """Let the user choose who finds addresses."""
        GeocoderSettings(parent).exec()

    def prepare(self, string: str, context: QgsLocatorContext) -> list[str]:
        """Look up in the main thread what the search will need."""
        self._area = self._extent() if self._extent is not None else _map_extent(context)
        try:
            # Nobody is asked for a password in the middle of typing.
            self._service = geocoding.read_service_with_key(ask=False)
        except KeyLocked as error:
            self._locked, self._problem = True, str(error)
        except GeocodingError as error:
            self._problem = str(error)
        return []

    def fetchResults(self, string: str, context: QgsLocatorContext, feedback: QgsFeedback) -> None:
        """Search, in the filter's own thread."""
        text = " ".join(string.split())
        again = {"search": text, "area": _corners(self._area)}
        try:
            if places := geocoding.list_typed_places(text, self._area):
                self._show_places(places)
            elif len(text) < _SHORTEST:
                return
            elif failure := self._failures.pop(text, ""):
                self._show(failure, again, tr("Press Enter to try again"))
            elif self._service is None:
                if self._locked:
                    self._show(self._problem, {"unlock": text}, tr("Press Enter to unlock it"))
                else:
                    self._show(self._problem, {"settings": True}, tr("Press Enter for the settings"))
            elif not (self._service.suggests_while_typing or geocoding.is_known(text, self._area, self._service)):
                title = tr("Search for “{text}”").format(text=text)
                self._show(title, again, tr("asks {host}").format(host=self._service.host), "search.svg")
            elif places := geocoding.search(text, self._area, feedback, self._service):
                self._show_places(places)
            else:
                self._show(geocoding.describe_no_place(text, self._service), {})
        except SearchCancelled:
            return
        except GeocodingError as error:
            self._show(str(error), again, tr("Press Enter to try again"))

    def triggerResult(self, result: QgsLocatorResult) -> None:
        """Do what a row offers; in the main thread."""
        data = result.userData or {}
        if "x" in data:
            self._ask(data["name"], QgsPointXY(data["x"], data["y"]))
        elif "search" in data:
            self._start(data["search"], QgsRectangle(*data["area"]) if data["area"] else None)
        elif "unlock" in data:
            try:
                geocoding.read_service_with_key(ask=True)
            except GeocodingError as error:
                self._failures[data["unlock"]] = str(error)
            self._open_again(data["unlock"])
        elif "settings" in data:
            self.openConfigWidget()

    def _show_places(self, places: list[geocoding.Place]) -> None:
        source = self._service.attribution if self._service is not None else ""
        for number, place in enumerate(places):
            data = {"name": place.name, "x": place.point.x(), "y": place.point.y()}
            self._show(place.name, data, source, "mActionZoomToArea.svg", 1.0 - 0.01 * number)

    def _show(
        self, title: str, data: dict[str, object], hint: str = "", icon: str = "mIconWarning.svg", score: float = 0.5
    ) -> None:
        result = QgsLocatorResult()
        result.filter = self
        result.displayString = title
        result.description = hint
        result.icon = QgsApplication.getThemeIcon(f"/{icon}")
        result.score = score
        result.userData = data
        self.resultFetched.emit(result)

    def _start(self, text: str, area: QgsRectangle | None) -> None:
        if self._search is not None:
            self._search.cancel()
        try:
            service = geocoding.read_service_with_key()
        except GeocodingError as error:
            self._failures[text] = str(error)
            self._open_again(text)
            return
        self._search = AddressSearch(text, area, service)
        self._search.ended.connect(self._end)
        self._search.start()

    def _end(self, search: AddressSearch) -> None:
        if search is not self._search:
            return
        self._search = None
        if search.problem:
            self._failures[search.text] = search.problem
        elif len(search.places) == 1:
            self._ask(search.places[0].name, search.places[0].point)
            return
        # What was found is remembered: nobody is asked again.
        self._open_again(search.text)

    def _open_again(self, text: str) -> None:
        reopen = self._reopen
        if reopen is None:
            from qgis.utils import iface

            reopen = iface.locatorSearch if iface is not None else None
        if reopen is not None:
            reopen(f"{self.activePrefix() or self.prefix()} {text}")


def _corners(area: QgsRectangle | None) -> list[float]:
    if area is None:
        return []
    return [area.xMinimum(), area.yMinimum(), area.xMaximum(), area.yMaximum()]


def _map_extent(context: QgsLocatorContext) -> QgsRectangle | None:
    """Where the map is; None where that cannot be said in degrees."""
    extent, crs = context.targetExtent, context.targetExtentCrs
    if extent.isEmpty() or not crs.isValid():
        return None
    transform = QgsCoordinateTransform(crs, QgsCoordinateReferenceSystem(WGS84), context.transformContext)
    transform.setBallparkTransformsAreAppropriate(True)
    try:
        return transform.transformBoundingBox(extent)
    except QgsCsException:
        return None
