"""Finding addresses through QGIS's own geocoders: their URLs and their reading, with sentences where they fail."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from qgis.core import QgsGoogleMapsGeocoder, QgsNominatimGeocoder, QgsPointXY, QgsRectangle
from qgis.PyQt.QtCore import QUrl, QUrlQuery

from ..riskengine.contract.texts import show_name
from . import geocoder_key
from .crs import tr
from .geocoder_choice import GOOGLE, GeocodingError, SearchCancelled, Service, read_service
from .geocoder_request import choose_language, describe_no_geocoder, describe_too_many, fetch
from .typed_coordinates import read_typed_pair

if TYPE_CHECKING:
    from qgis.core import QgsFeedback

    Geocoder = QgsNominatimGeocoder | QgsGoogleMapsGeocoder

_MOST = 10
#: Letters of an address that a service finds.
_NAME_LENGTH = 200
_CACHED = 200


class Place(NamedTuple):
    """A place that an address may mean.

    Attributes
    ----------
    name : str
    point : QgsPointXY
        WGS 84.
    near : bool
        Whether it lies where the data are; True if nobody said where they are.
    """

    name: str
    point: QgsPointXY
    near: bool = True


def read_service_with_key(ask: bool = True) -> Service:
    """Read which geocoder to ask, with its key; in the main thread.

    Parameters
    ----------
    ask : bool
        Whether the user may be asked for QGIS's master password.

    Raises
    ------
    GeocodingError
        If it cannot be used as it is set up.
    """
    service = read_service()
    return replace(service, key=geocoder_key.read_key(ask)) if service.kind == GOOGLE else service


def search(
    text: str,
    extent: QgsRectangle | None = None,
    feedback: QgsFeedback | None = None,
    service: Service | None = None,
) -> list[Place]:
    """Find the places that a text may mean; those where the data are come first.

    Parameters
    ----------
    text : str
        An address, or coordinates, which need no geocoder.
    extent : QgsRectangle, optional
        Where the data are, WGS 84. Places elsewhere are found too.
    feedback : QgsFeedback, optional
        Cancels.
    service : Service, optional
        The chosen one by default; give it in any thread but the main one.

    Returns
    -------
    list of Place
        Empty if there is no such place.

    Raises
    ------
    GeocodingError
        With a sentence; `SearchCancelled` if `feedback` was cancelled.
    """
    text = " ".join(text.split())
    vicinity = _vicinity(extent)
    if (typed := list_typed_places(text, vicinity)) or not text:
        return typed
    service = service or read_service_with_key()
    geocoder = _geocoder(service)
    url = _url(geocoder, service, text, vicinity)
    # Found again without asking again, as the services wish; in this session's memory only, and without the key.
    remembered = (service.kind, _without_key(url))
    with _lock:
        places = _cache.get(remembered)
    if places is None:
        if service.is_public:
            _keep_pace(service.host, feedback)
        places = _read(fetch(url, service, feedback), geocoder, service)
        with _lock:
            _cache[remembered] = places
            while len(_cache) > _CACHED:
                del _cache[next(iter(_cache))]
    places = [place._replace(near=vicinity is None or vicinity.contains(place.point)) for place in places]
    # The geocoder's order, which is by relevance, stands within each of the two.
    return sorted(places, key=lambda place: not place.near)[:_MOST]


def is_known(text: str, extent: QgsRectangle | None, service: Service) -> bool:
    """Whether `search` would answer without asking anybody."""
    text = " ".join(text.split())
    try:
        if read_typed_pair(text) is not None:
            return True
    except GeocodingError:
        return True
    url = _url(_geocoder(service), service, text, _vicinity(extent))
    with _lock:
        return (service.kind, _without_key(url)) in _cache


def describe_no_place(text: str, service: Service) -> str:
    """What to say where a search found nothing."""
    return tr("{host} knows no place called “{text}”. Check the spelling, or write less: street, number, city.").format(
        host=service.host, text=" ".join(text.split())
    )


def forget() -> None:
    """Empty the memory of answers."""
    with _lock:
        _cache.clear()


def list_typed_places(text: str, vicinity: QgsRectangle | None = None) -> list[Place]:
    """List the places that typed coordinates mean; the other order of theirs too, if only that is near the data."""
    pair = read_typed_pair(text)
    if pair is None:
        return []
    points = [QgsPointXY(pair.longitude, pair.latitude)]
    if not pair.certain and vicinity is not None and abs(pair.longitude) <= 90:
        other = QgsPointXY(pair.latitude, pair.longitude)
        if vicinity.contains(other) and not vicinity.contains(points[0]):
            points.insert(0, other)
    return [Place(_degrees(point), point, vicinity is None or vicinity.contains(point)) for point in points]


def _degrees(point: QgsPointXY) -> str:
    """Coordinates as `read_typed_pair` reads them again, whichever order they were typed in."""
    latitude = f"{abs(point.y()):.5f}° {'N' if point.y() >= 0 else 'S'}"
    return f"{latitude}, {abs(point.x()):.5f}° {'E' if point.x() >= 0 else 'W'}"


_lock = threading.Lock()
_cache: dict[tuple[str, str], list[Place]] = {}
_pace = threading.Lock()
_last_request: dict[str, float] = {}


def _keep_pace(host: str, feedback: QgsFeedback | None) -> None:
    """Wait until a second has passed since the last request."""
    while True:
        with _pace:
            wait = _last_request.get(host, -1e9) + 1.0 - time.monotonic()
            if wait <= 0:
                _last_request[host] = time.monotonic()
                return
        if feedback is not None and feedback.isCanceled():
            raise SearchCancelled(tr("The search was cancelled."))
        time.sleep(min(wait, 0.05))


def _vicinity(extent: QgsRectangle | None) -> QgsRectangle | None:
    """The extent of the data with some room around it; None if there is none to speak of."""
    if extent is None or extent.isNull() or not extent.isFinite():
        return None
    grown = extent.buffered(max(0.1 * max(extent.width(), extent.height()), 0.01))
    return grown.intersect(QgsRectangle(-180, -90, 180, 90))


def _geocoder(service: Service) -> Geocoder:
    if service.kind == GOOGLE:
        geocoder = QgsGoogleMapsGeocoder(service.key, service.countries.partition(",")[0])
        geocoder.setEndpoint(service.endpoint)
        return geocoder
    return QgsNominatimGeocoder(service.countries, service.endpoint)


def _url(geocoder: Geocoder, service: Service, text: str, vicinity: QgsRectangle | None) -> QUrl:
    """The geocoder's own URL, mended."""
    google = service.kind == GOOGLE
    # QGIS 3.40 gives Google a latitude for the last longitude of the bounds: they are added here.
    url = geocoder.requestUrl(text, QgsRectangle() if google or vicinity is None else vicinity)
    query = QUrlQuery(url)
    # QGIS leaves + and % in an address as they are, and servers read them as a space or a code.
    name = "address" if google else "q"
    query.removeQueryItem(name)
    query.addQueryItem(name, bytes(QUrl.toPercentEncoding(text)).decode())
    if google:
        query.addQueryItem("language", choose_language())
        if vicinity is not None:
            corners = vicinity.yMinimum(), vicinity.xMinimum(), vicinity.yMaximum(), vicinity.xMaximum()
            query.addQueryItem("bounds", "{:.6f},{:.6f}|{:.6f},{:.6f}".format(*corners))
    url.setQuery(query)
    return url


def _without_key(url: QUrl) -> str:
    query = QUrlQuery(url)
    query.removeAllQueryItems("key")
    bare = QUrl(url)
    bare.setQuery(query)
    return bytes(bare.toEncoded()).decode()


def _read(body: bytes, geocoder: Geocoder, service: Service) -> list[Place]:
    try:
        answer = json.loads(body)
    except ValueError:
        raise GeocodingError(describe_no_geocoder(service)) from None
    rows = _google_rows(answer, service) if service.kind == GOOGLE else answer
    if not isinstance(rows, list):
        raise GeocodingError(describe_no_geocoder(service))
    places: list[Place] = []
    seen = set()
    for row in rows:
        place = _place(row, geocoder)
        if place is None:
            continue
        # A street is many pieces in OpenStreetMap, called the same.
        shown = place.name, round(place.point.x(), 3), round(place.point.y(), 3)
        if shown not in seen:
            seen.add(shown)
            places.append(place)
    if rows and not places:
        raise GeocodingError(describe_no_geocoder(service))
    return places


def _place(row: Any, geocoder: Geocoder) -> Place | None:
    """What QGIS's geocoder reads from a row of the answer; None if there is no place in it."""
    try:
        where = row["geometry"]["location"] if "geometry" in row else row
        # QGIS would read a missing number as 0, off the coast of Africa.
        float(where["lat"]), float(where["lng" if "geometry" in row else "lon"])
    except (KeyError, TypeError, ValueError):
        return None
    result = geocoder.jsonToResult(row)
    point = result.geometry().asPoint()
    if not result.identifier() or not (abs(point.x()) <= 180 and abs(point.y()) <= 90):
        return None
    return Place(show_name(result.identifier(), _NAME_LENGTH), point)


def _google_rows(answer: Any, service: Service) -> Any:
    """The results of Google's answer; its refusals as sentences."""
    status = answer.get("status") if isinstance(answer, dict) else None
    if status in ("OK", "ZERO_RESULTS"):
        return answer.get("results", [])
    # Google's own words, should it put the key into them.
    words = str(answer.get("error_message") or "") if isinstance(answer, dict) else ""
    words = " ".join(words.replace(service.key, "…").split()).rstrip(".")[:300] if service.key else ""
    if status == "OVER_QUERY_LIMIT":
        raise GeocodingError(describe_too_many(service))
    if status == "OVER_DAILY_LIMIT":
        text = tr("Google's daily limit for this key is used up, or billing is off{words}. Check the key's account.")
    elif status == "REQUEST_DENIED":
        text = tr(
            "Google rejected the key{words}. Check the key in the settings of the address line, and that the Geocoding "
            "API is enabled for it."
        )
    elif status == "INVALID_REQUEST":
        text = tr("Google cannot read this address{words}. Write it differently: street, number, city.")
    elif status == "UNKNOWN_ERROR":
        text = tr("Google has a problem of its own{words}. Try again.")
    else:
        text = describe_no_geocoder(service)
    raise GeocodingError(text.format(words=f" ({words})" if words else ""))
