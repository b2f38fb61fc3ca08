"""The time zone of a place, guessed from the nearest city: good enough for a hint, not for borders."""

from __future__ import annotations

import functools
import importlib.resources
import re

import numpy as np
from numpy.typing import NDArray

_PLACE = re.compile(r"([+-]\d{4,6})([+-]\d{5,7})")
#: Cities, as latitude and longitude, that are nearer to the principal city of another zone than to that of their own.
_MORE = {
    "America/New_York": (
        "42.4 -71.1, 42.9 -78.9, 43.2 -77.6, 43.0 -76.1, 44.5 -73.2, 38.9 -77.0, 37.5 -77.4, 36.9 -76.3, 40.4 -80.0, "
        "41.5 -81.7, 40.0 -83.0, 39.1 -84.5, 35.2 -80.8, 35.8 -78.6, 32.8 -79.9, 34.9 -82.4, 33.7 -84.4, 32.1 -81.1, "
        "36.0 -83.9, 35.0 -85.3, 30.3 -81.7, 28.5 -81.4, 28.0 -82.5, 25.8 -80.2, 26.6 -81.9, 24.6 -81.8, 44.8 -68.8"
    ),
    "America/Chicago": (
        "44.9 -93.2, 46.8 -92.1, 43.5 -96.7, 46.9 -96.8, 41.3 -96.0, 40.8 -96.7, 41.6 -93.6, 39.1 -94.6, 38.6 -90.2, "
        "37.7 -97.3, 37.2 -93.3, 35.5 -97.5, 36.2 -95.9, 34.7 -92.3, 35.1 -90.0, 36.2 -86.8, 33.5 -86.8, 30.7 -88.0, "
        "32.3 -90.2, 30.0 -90.1, 30.4 -91.2, 30.4 -87.2, 32.8 -96.8, 29.8 -95.4, 29.4 -98.5, 30.3 -97.7, 33.6 -101.9, "
        "35.2 -101.8, 32.0 -102.1, 27.8 -97.4, 27.5 -99.5, 25.9 -97.5, 26.2 -98.2"
    ),
    "America/Denver": "35.1 -106.7, 31.8 -106.5, 32.3 -106.8, 40.8 -111.9, 45.8 -108.5, 46.9 -114.0, 42.9 -106.3",
    "America/Los_Angeles": "47.6 -122.3, 48.8 -122.5, 47.7 -117.4, 45.5 -122.7, 39.5 -119.8, 36.2 -115.1, 32.7 -117.2",
    "America/Phoenix": "32.2 -110.9, 35.2 -111.7, 32.7 -114.6",
    "America/Toronto": "42.3 -83.0, 45.4 -75.7, 45.5 -73.6, 46.8 -71.2, 46.5 -81.0",
    "America/Vancouver": "48.4 -123.4, 49.9 -119.5",
    "America/Edmonton": "51.0 -114.1",
    "America/Mexico_City": "20.7 -103.3, 21.9 -102.3, 22.2 -101.0, 19.0 -98.2, 17.1 -96.7, 19.2 -96.1",
    "America/Sao_Paulo": "-22.9 -43.2, -19.9 -43.9, -15.8 -47.9, -25.4 -49.3, -30.0 -51.2, -16.7 -49.3, -20.3 -40.3",
    "America/Argentina/Buenos_Aires": "-32.9 -60.6, -34.9 -57.9, -38.0 -57.6",
    "America/Bogota": "6.2 -75.6, 3.4 -76.5, 10.4 -75.5, 11.0 -74.8",
    "Australia/Brisbane": "-28.0 153.4, -19.3 146.8",
    "Australia/Sydney": "-35.3 149.1",
    "Europe/London": "53.5 -2.2, 53.4 -3.0, 52.5 -1.9, 51.5 -3.2, 50.4 -4.1, 55.0 -1.6, 55.9 -4.3, 54.6 -5.9",
    "Europe/Paris": "45.8 4.8, 43.3 5.4, 43.7 7.2, 48.6 7.8, 43.6 1.4, 44.8 -0.6, 50.6 3.1",
    "Europe/Madrid": "41.4 2.2, 39.5 -0.4, 37.4 -6.0, 36.7 -4.4, 43.3 -2.9, 42.2 -8.7",
    "Europe/Rome": "45.5 9.2, 45.1 7.7, 44.4 8.9, 40.9 14.3, 38.1 13.4, 45.4 12.3",
}


def guess_zone(x: NDArray[np.float64], y: NDArray[np.float64], crs: str) -> str:
    """Guess the time zone of places in a CRS: that of the city known which is nearest to their median."""
    from rasterio.warp import transform

    (longitude,), (latitude,) = transform(crs, "EPSG:4326", [float(np.median(x))], [float(np.median(y))])
    zones, cities = _read_cities()
    return zones[int(np.argmax(cities @ _point(longitude, latitude)))]


@functools.cache
def _read_cities() -> tuple[list[str], NDArray[np.float64]]:
    """Zones, and their cities as points on a sphere: the principal ones of the tz database, and some more."""
    table = importlib.resources.files("tzdata").joinpath("zoneinfo", "zone1970.tab").read_text(encoding="utf-8")
    zones, points = [], []
    for line in table.splitlines():
        place = None if line.startswith("#") else _PLACE.fullmatch(line.split("\t")[1])
        if place:
            zones.append(line.split("\t")[2])
            points.append(_point(_read_degrees(place[2], 3), _read_degrees(place[1], 2)))
    for zone, cities in _MORE.items():
        for city in cities.split(","):
            latitude, longitude = map(float, city.split())
            zones.append(zone)
            points.append(_point(longitude, latitude))
    return zones, np.array(points)


def _read_degrees(text: str, digits: int) -> float:
    """Degrees from ISO 6709: sign, degrees in so many digits, minutes, perhaps seconds."""
    whole, rest = text[1 : digits + 1], text[digits + 1 :]
    degrees = int(whole) + int(rest[:2]) / 60 + int(rest[2:] or 0) / 3600
    return -degrees if text[0] == "-" else degrees


def _point(longitude: float, latitude: float) -> NDArray[np.float64]:
    east, north = np.radians(longitude), np.radians(latitude)
    return np.array([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
