"""Crime Risk: crime scores, hotspot grids, forecasts and percentile risk maps in QGIS."""

from __future__ import annotations

from typing import Any


def classFactory(iface: Any) -> Any:  # noqa: N802
    """What QGIS calls to load the plugin; `iface` is None in qgis_process."""
    from .plugin import CrimeRiskPlugin

    return CrimeRiskPlugin(iface)
