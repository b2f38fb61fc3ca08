"""Crime indexes of real cities, made the way a user makes them: Import incidents, then Build crime index."""

from __future__ import annotations

from pathlib import Path

from common import require_data, run_qgis_process, say

from riskengine.systems.score.index import CrimeIndex

FILES = {
    "mexico_city": "mexico_city/fgj_carpetas_2019-02_2020-01.csv",
    "new_york": "new_york/crimes_2014_2015.csv",
    "baltimore": "baltimore/bpd_part1_2011_2016.csv",
    "chicago_2018": "chicago/crimes_2018.csv",
}


def read_city_index(city: str, data: Path, folder: Path) -> tuple[CrimeIndex, Path]:
    """Read the index of a city, and find its file in `folder`."""
    path = folder / f"{city}.crimeindex"
    if not path.exists():
        say(f"{city}: importing and indexing")
        layer = folder / f"{city}.gpkg"
        run_qgis_process(
            "crimerisk:importincidents", {"INPUT": str(require_data(data, FILES[city])), "OUTPUT": str(layer)}
        )
        run_qgis_process(
            "crimerisk:buildcrimeindex",
            {"INPUT": str(layer), "TIME_FIELD": "occurred", "CATEGORY_FIELD": "category", "OUTPUT": str(path)},
        )
    return CrimeIndex.load(path), path
