"""The UTM zone of a place: QGIS and the engine choose the same one."""

from __future__ import annotations


def find_utm_code(longitude: float, latitude: float) -> str:
    """Find the code of the WGS 84 UTM zone, degrees; of the polar stereographic system beyond 84° N or 80° S."""
    if latitude > 84 or latitude < -80:
        return "EPSG:32661" if latitude > 0 else "EPSG:32761"
    zone = min(int((longitude + 180) // 6) % 60 + 1, 60)
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"
