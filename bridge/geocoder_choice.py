"""Which geocoder answers addresses, where it is and how it may be used: kept in QGIS's settings, without any key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from qgis.core import QgsGoogleMapsGeocoder, QgsNominatimGeocoder, QgsSettings
from qgis.PyQt.QtCore import QUrl

from .crs import tr

NOMINATIM, GOOGLE = "nominatim", "google"
#: Servers open to everyone: one request a second, and no suggestions while somebody types.
#: https://operations.osmfoundation.org/policies/nominatim/
_PUBLIC = {"nominatim.openstreetmap.org", "nominatim.qgis.org"}
_LOCAL = {"localhost", "127.0.0.1", "::1"}
_GROUP = "crime_risk/geocoder"


class GeocodingError(Exception):
    """Why an address could not be found, as a sentence for the reader; never holds a key."""


class SearchCancelled(GeocodingError):
    """The search was given up."""


@dataclass(frozen=True)
class Service:
    """A geocoder to ask.

    Attributes
    ----------
    kind : {"nominatim", "google"}
    endpoint : str
    countries : str
        Two-letter codes, with commas between: Nominatim searches only there, Google prefers the first. Empty for all.
    typing : bool
        Whether the user wants suggestions while typing.
    timeout : float
        Seconds.
    key : str
        Google's; never written anywhere but into the request.
    """

    kind: str = NOMINATIM
    endpoint: str = ""
    countries: str = ""
    typing: bool = True
    timeout: float = 20.0
    key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """Who is asked."""
        return QUrl(self.endpoint).host()

    @property
    def is_public(self) -> bool:
        """Whether it is a server open to everyone, whose policy forbids suggestions while typing."""
        return self.kind == NOMINATIM and self.host in _PUBLIC

    @property
    def suggests_while_typing(self) -> bool:
        """Whether it may be asked before Enter."""
        return self.typing and not self.is_public

    @property
    def attribution(self) -> str:
        """Whose data the answers are, as the services ask for."""
        return tr("Results by Google") if self.kind == GOOGLE else tr("© OpenStreetMap contributors")

    @property
    def attribution_link(self) -> str:
        """The same, as rich text."""
        if self.kind == GOOGLE:
            return self.attribution
        return f'<a href="https://www.openstreetmap.org/copyright">{self.attribution}</a>'


def make_default_endpoint(kind: str) -> str:
    """Make the address where QGIS's own geocoder of this kind asks."""
    if kind == GOOGLE:
        return QgsGoogleMapsGeocoder("").requestUrl("").adjusted(QUrl.UrlFormattingOption.RemoveQuery).toString()
    return QgsNominatimGeocoder().endpoint()


def check_endpoint(kind: str, text: str) -> str:
    """Check an endpoint that is to be asked; the default for an empty text.

    Raises
    ------
    GeocodingError
        Saying what is wrong with it.
    """
    text = text.strip()
    if not text:
        return make_default_endpoint(kind)
    url = QUrl(text, QUrl.ParsingMode.StrictMode)
    if not url.isValid() or url.scheme() not in ("http", "https") or not url.host():
        problem = tr("is no web address. Write it as https://server/search")
    elif url.userInfo():
        problem = tr("holds a user or a password, which would be kept unprotected. Leave them out")
    elif url.hasQuery() or url.hasFragment():
        problem = tr("has a part that would be lost. Leave out everything from the first ? or #")
    elif kind == GOOGLE and url.scheme() != "https" and url.host() not in _LOCAL:
        problem = tr("would send the Google key unencrypted. Use https://")
    else:
        return text
    # Not the address itself where it may hold a password.
    shown = url.host() if url.userInfo() else text
    raise GeocodingError(tr("Endpoint: {endpoint} {problem}.").format(endpoint=shown, problem=problem))


def check_countries(text: str) -> str:
    """Check country codes, and bring them to the form the geocoders want.

    Raises
    ------
    GeocodingError
        If one is not two letters long.
    """
    codes = [code for code in re.split(r"[\s,;]+", text.lower()) if code]
    for code in codes:
        if not re.fullmatch(r"[a-z]{2}", code):
            raise GeocodingError(
                tr("Countries: {code} is no two-letter country code. Write codes like mx or us, gb.").format(code=code)
            )
    return ",".join(codes)


def read_kind() -> str:
    """Read the kind of geocoder that was chosen; Nominatim if none was."""
    return GOOGLE if QgsSettings().value(f"{_GROUP}/kind", NOMINATIM, str) == GOOGLE else NOMINATIM


def read_service(kind: str = "", checked: bool = True) -> Service:
    """Read the settings of a kind of geocoder (by default the chosen one), without its key.

    Parameters
    ----------
    kind : {"", "nominatim", "google"}
    checked : bool
        False to have them as they stand, to be shown and corrected.

    Raises
    ------
    GeocodingError
        If the endpoint or the countries cannot be used.
    """
    kind = kind or read_kind()
    settings = QgsSettings()
    endpoint = settings.value(f"{_GROUP}/{kind}/endpoint", "", str)
    countries = settings.value(f"{_GROUP}/{kind}/countries", "", str)
    if checked:
        endpoint, countries = check_endpoint(kind, endpoint), check_countries(countries)
    return Service(
        kind,
        endpoint,
        countries,
        settings.value(f"{_GROUP}/{kind}/typing", True, bool),
    )


def save_service(service: Service) -> None:
    """Keep a choice, but never its key.

    Raises
    ------
    GeocodingError
        If the endpoint or the countries cannot be used; then nothing is kept.
    """
    endpoint = check_endpoint(service.kind, service.endpoint)
    countries = check_countries(service.countries)
    settings = QgsSettings()
    group = f"{_GROUP}/{service.kind}"
    settings.setValue(f"{_GROUP}/kind", service.kind)
    # An empty endpoint follows QGIS, should its own geocoder move.
    settings.setValue(f"{group}/endpoint", "" if endpoint == make_default_endpoint(service.kind) else endpoint)
    settings.setValue(f"{group}/countries", countries)
    settings.setValue(f"{group}/typing", service.typing)
