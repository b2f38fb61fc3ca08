"""A local HTTP server that answers like Nominatim and like Google's Geocoding API, with their errors and delays."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

GOOD_KEY = "AIzaSyGOODGOODGOODGOODGOODGOODGOODGOOD0"
#: Name, latitude, longitude.
PLACES = {
    "reforma": [
        ("Paseo de la Reforma, Monterrey, Nuevo León, México", 25.6714, -100.3090),
        ("Paseo de la Reforma, Juárez, Cuauhtémoc, Ciudad de México, 06600, México", 19.4270, -99.1677),
        ("Avenida de la Reforma, Tláhuac, Ciudad de México, 13300, México", 19.2869, -99.0037),
    ],
    "zócalo": [("Plaza de la Constitución, Centro, Cuauhtémoc, Ciudad de México, 06000, México", 19.4326, -99.1332)],
}
#: What is answered whatever the service: HTTP status, headers.
STATUSES = {
    "many requests": (429, {"Retry-After": "7"}),
    "too many": (429, {}),
    "forbidden": (403, {}),
    "broken": (500, {}),
    "unavailable": (503, {}),
    "missing": (404, {}),
}


class GeocoderServer:
    """Where the server is, what it was asked, and when it may answer the slow ones.

    Attributes
    ----------
    port : int
    asked : list of dict
        Path, parameters and headers of every request.
    may_answer : threading.Event
        Requests with "slow" in the address wait for it.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.may_answer = threading.Event()
        self.port = 0

    @property
    def nominatim(self) -> str:
        """The endpoint that answers like Nominatim."""
        return f"http://127.0.0.1:{self.port}/search"

    @property
    def google(self) -> str:
        """The endpoint that answers like Google."""
        return f"http://127.0.0.1:{self.port}/maps/api/geocode/json"

    @property
    def addresses(self) -> list[str]:
        """What was looked up, in order."""
        return [request["params"].get("q") or request["params"].get("address", "") for request in self.asked]


@contextmanager
def geocoder_server() -> Iterator[GeocoderServer]:
    """Run a server until the end of the block."""
    state = GeocoderServer()

    class Handler(BaseHTTPRequestHandler):
        # Qt keeps connections; the next request may come over the same one.
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = {name: values[0] for name, values in parse_qs(parts.query).items()}
            state.asked.append({"path": parts.path, "params": params, "headers": dict(self.headers)})
            address = (params.get("q") or params.get("address", "")).lower()
            if "slow" in address:
                state.may_answer.wait(30)
            try:
                self._answer(parts.path, address, params)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _answer(self, path: str, address: str, params: dict[str, str]) -> None:
            for words, (status, headers) in STATUSES.items():
                if words in address:
                    return self._send(b"<html>sorry</html>", "text/html", status, headers)
            if "hang up" in address:
                self.close_connection = True
                return self.connection.close()
            if "elsewhere" in address:
                return self._send(b"", "text/html", 302, {"Location": f"http://127.0.0.1:{state.port}/trap?{path}"})
            if "web page" in address:
                return self._send(b"<html>Log in to the hotel's network</html>", "text/html")
            if "cut short" in address:
                return self._send(b'[{"lat": "19.4", "lon": "-99', "application/json")
            if "endless" in address:
                return self._send(b"[" + b" " * 6_000_000 + b"]", "application/json")
            places = next((known for word, known in PLACES.items() if word in address), [])
            google = path.endswith("/geocode/json")
            answer = make_google_answer(address, places, params) if google else make_nominatim_answer(address, places)
            return self._send(json.dumps(answer).encode(), "application/json", 200, {"Cache-Control": "max-age=3600"})

        def _send(self, body: bytes, kind: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.may_answer.set()
        server.shutdown()
        server.server_close()


def make_nominatim_answer(address: str, places: list[tuple[str, float, float]]) -> Any:
    """Make the body of `/search?format=json`."""
    if "an object" in address:
        return {"error": {"code": 400, "message": "Nothing to search for."}}
    if "no places" in address:
        return [{"place_id": 1, "display_name": "Without coordinates"}, "text", None]
    rows = [
        {
            "place_id": 311_000_000 + number,
            "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
            "osm_type": "way",
            "osm_id": 25_000_000 + number,
            "lat": f"{latitude:.7f}",
            "lon": f"{longitude:.7f}",
            "class": "highway",
            "type": "primary",
            "place_rank": 26,
            "importance": 0.45 - 0.01 * number,
            "addresstype": "road",
            "name": name.partition(",")[0],
            "display_name": name,
            "address": {"road": name.partition(",")[0], "country": "México", "country_code": "mx"},
            "boundingbox": [
                f"{edge:.7f}" for edge in (latitude - 0.01, latitude + 0.01, longitude - 0.01, longitude + 0.01)
            ],
        }
        for number, (name, latitude, longitude) in enumerate(places)
    ]
    # Another piece of the same street.
    return rows + [{**row, "osm_id": 1, "place_id": 2} for row in rows[:1]]


def make_google_answer(address: str, places: list[tuple[str, float, float]], params: dict[str, str]) -> Any:
    """Make the body of `/maps/api/geocode/json`."""
    key = params.get("key", "")
    if key != GOOD_KEY:
        # Google does not repeat the key; a proxy or a later version may.
        return {"error_message": f"The provided API key is invalid: {key} ", "results": [], "status": "REQUEST_DENIED"}
    for word, status, words in (
        ("quota", "OVER_QUERY_LIMIT", "You have exceeded your rate-limit for this API."),
        ("daily", "OVER_DAILY_LIMIT", "You must enable Billing on the Google Cloud Project."),
        ("disabled", "REQUEST_DENIED", ""),
        ("invalid", "INVALID_REQUEST", "Invalid request. Missing the 'address' parameter."),
        ("unknown", "UNKNOWN_ERROR", ""),
        ("strange", "SOMETHING_NEW", ""),
    ):
        if word in address:
            return {"results": [], "status": status, **({"error_message": words} if words else {})}
    results = [
        {
            "address_components": [
                {"long_name": name.partition(",")[0], "short_name": name.partition(",")[0], "types": ["route"]},
                {"long_name": "Mexico", "short_name": "MX", "types": ["country", "political"]},
            ],
            "formatted_address": name,
            "geometry": {
                "location": {"lat": latitude, "lng": longitude},
                "location_type": "GEOMETRIC_CENTER",
                "viewport": {
                    "northeast": {"lat": latitude + 0.01, "lng": longitude + 0.01},
                    "southwest": {"lat": latitude - 0.01, "lng": longitude - 0.01},
                },
            },
            "place_id": f"ChIJ{number}",
            "types": ["route"],
        }
        for number, (name, latitude, longitude) in enumerate(places)
    ]
    return {"results": results, "status": "OK" if results else "ZERO_RESULTS"}
