"""One request to a geocoder, and what its failures mean, as sentences without any address or key."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qgis.core import QgsApplication, QgsNetworkAccessManager
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QEventLoop, QTimer, QUrl
from qgis.PyQt.QtNetwork import QNetworkAccessManager, QNetworkProxyQuery, QNetworkReply, QNetworkRequest

from .crs import tr
from .geocoder_choice import GOOGLE, GeocodingError, SearchCancelled, Service

if TYPE_CHECKING:
    from qgis.core import QgsFeedback

#: Answers are a few kilobytes; a server that sends more is no geocoder.
_LARGEST = 4_000_000
_Error = QNetworkReply.NetworkError
_PROXY = {
    _Error.ProxyConnectionRefusedError,
    _Error.ProxyConnectionClosedError,
    _Error.ProxyNotFoundError,
    _Error.ProxyTimeoutError,
    _Error.ProxyAuthenticationRequiredError,
    _Error.UnknownProxyError,
}


def fetch(url: QUrl, service: Service, feedback: QgsFeedback | None = None) -> bytes:
    """Ask a geocoder; in any thread.

    QGIS's own `geocodeString` writes the whole URL of a failed request to the message log, and an answer with
    its URL into the cache on disk: with Google, the key. So only the URL and the reading of the answer are left to
    QGIS's geocoders, and a URL with a key goes through a manager of its own, without cache and logger.

    Parameters
    ----------
    url : QUrl
    service : Service
    feedback : QgsFeedback, optional
        Cancels.

    Raises
    ------
    GeocodingError
        With a sentence; `SearchCancelled` if `feedback` was cancelled.
    """
    manager = _private_manager(service) if service.kind == GOOGLE else QgsNetworkAccessManager.instance()
    request = QNetworkRequest(url)
    request.setRawHeader(b"Accept-Language", choose_language().encode())
    request.setRawHeader(b"Accept", b"application/json")
    # What somebody looked for is nobody else's business: not into the cache on disk either.
    request.setAttribute(QNetworkRequest.Attribute.CacheSaveControlAttribute, False)
    if service.kind == GOOGLE:
        _trust_what_qgis_trusts(request)
        request.setRawHeader(b"User-Agent", b"QGIS CrimeRisk")
    reply = manager.get(request)
    try:
        ending = _wait(reply, service.timeout, feedback)
        if ending == "cancelled":
            raise SearchCancelled(tr("The search was cancelled."))
        if ending == "late":
            raise GeocodingError(_too_late(service))
        if ending == "large":
            raise GeocodingError(describe_no_geocoder(service))
        status = reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
        if status is not None and int(status) != 200:
            raise GeocodingError(_refusal(service, int(status), bytes(reply.rawHeader(b"Retry-After"))))
        if reply.error() != _Error.NoError:
            raise GeocodingError(_failure(service, reply.error()))
        body = bytes(reply.readAll())
        if len(body) > _LARGEST:
            raise GeocodingError(describe_no_geocoder(service))
        return body
    finally:
        reply.deleteLater()
        # The thread of a task has no event loop that would do it.
        QCoreApplication.sendPostedEvents(reply, QEvent.Type.DeferredDelete)


def choose_language() -> str:
    """Choose the language in which the names of places are wanted."""
    return QgsApplication.locale().partition(".")[0].replace("_", "-").removeprefix("C") or "en"


def _wait(reply: QNetworkReply, timeout: float, feedback: QgsFeedback | None) -> str:
    """Wait for the end of a reply; "" if it came by itself, else why it was aborted."""
    loop = QEventLoop()
    end = time.monotonic() + timeout
    ending = ""

    def check() -> None:
        nonlocal ending
        if feedback is not None and feedback.isCanceled():
            ending = "cancelled"
        elif time.monotonic() > end:
            ending = "late"
        elif reply.bytesAvailable() > _LARGEST:
            ending = "large"
        if ending:
            loop.quit()

    timer = QTimer()
    timer.timeout.connect(check)
    timer.start(30)
    reply.finished.connect(loop.quit)
    if not reply.isFinished():
        loop.exec()
    timer.stop()
    if ending and not reply.isFinished():
        reply.abort()
    return ending


def _private_manager(service: Service) -> QNetworkAccessManager:
    manager = QNetworkAccessManager()
    # Never after a redirect: the key would go along.
    manager.setRedirectPolicy(QNetworkRequest.RedirectPolicy.ManualRedirectPolicy)
    factory = QgsNetworkAccessManager.instance().proxyFactory()
    proxies = factory.queryProxy(QNetworkProxyQuery(QUrl(service.endpoint))) if factory is not None else []
    if proxies:
        manager.setProxy(proxies[0])
    return manager


def _trust_what_qgis_trusts(request: QNetworkRequest) -> None:
    certificates = QgsApplication.authManager().trustedCaCertsCache()
    if certificates:
        configuration = request.sslConfiguration()
        configuration.setCaCertificates(certificates)
        request.setSslConfiguration(configuration)


def describe_no_geocoder(service: Service) -> str:
    """Describe an answer that cannot be read."""
    return tr(
        "{host} answered with something that is no list of places. Check the endpoint in the settings of the address "
        "line, and whether this network wants a login first."
    ).format(host=service.host)


def describe_too_many(service: Service, seconds: int = 0) -> str:
    """Describe that a geocoder is asked too often."""
    if seconds > 0:
        return tr("{host} was asked too often and wants a pause. Try again in {count} s.").format(
            host=service.host, count=seconds
        )
    return tr("{host} was asked too often and wants a pause. Try again in a minute.").format(host=service.host)


def _too_late(service: Service) -> str:
    return tr("{host} did not answer within {count} s. Try again later, or click on the map.").format(
        host=service.host, count=f"{service.timeout:g}"
    )


def _refusal(service: Service, status: int, retry_after: bytes) -> str:
    if status == 429:
        return describe_too_many(service, int(retry_after) if retry_after.isdigit() else 0)
    if status in (401, 403, 407) and service.kind == GOOGLE:
        text = tr("{host} refused the request (HTTP {status}). Check the Google key and what it may be used for.")
    elif status in (401, 403):
        text = tr(
            "{host} refused the request (HTTP {status}). It may have been asked too often from your network, or be "
            "closed to it. Choose another endpoint in the settings of the address line."
        )
    elif status == 407:
        text = tr("The proxy refused the request (HTTP {status}). Check Settings ▸ Options ▸ Network.")
    elif status >= 500:
        text = tr("{host} has a problem of its own (HTTP {status}). Try again later, or click on the map.")
    else:
        text = tr("{host} cannot answer this (HTTP {status}). Check the endpoint in the settings of the address line.")
    return text.format(host=service.host, status=status)


def _failure(service: Service, error: QNetworkReply.NetworkError) -> str:
    if error in (_Error.TimeoutError, _Error.OperationCanceledError):
        # QGIS's own time limit is the shorter one.
        return tr("{host} did not answer in time. Try again later, or click on the map.").format(host=service.host)
    if error == _Error.SslHandshakeFailedError:
        text = tr("The encrypted connection to {host} failed. Check its certificate, or a proxy in between.")
    elif error == _Error.ConnectionRefusedError:
        text = tr("{host} refuses connections. Check the endpoint in the settings of the address line.")
    elif error == _Error.HostNotFoundError:
        text = tr(
            "{host} was not found. Check that this computer is online, and the endpoint in the settings of the "
            "address line; or click on the map."
        )
    elif error in _PROXY:
        text = tr("The proxy on the way to {host} does not answer. Check Settings ▸ Options ▸ Network.")
    else:
        text = tr(
            "{host} cannot be reached. Check that this computer is online, and QGIS's proxy settings; or click on the "
            "map."
        )
    return text.format(host=service.host)
