"""The four files of incidents with outcomes, read as the tools read them, with weather and census joined."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from common import require_data, say

from riskengine.contract.tools.outcomemodel import TrainOutcomeModel
from riskengine.ground.context import JobContext
from riskengine.jobs import run_job
from riskengine.jobs.models import model_of
from riskengine.systems.outcomes.reading import ReadRows, read_rows

#: By city and year: the file, what is joined to it in turn (weather by date, census by the area's number), and the
#: fields that are read beside those found by their names.
CITIES: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "chicago_2018": (
        "chicago/crimes_2018.csv",
        ("chicago/weather_2018_2019.csv", "chicago/census_community_areas.csv"),
        {"weather_fields": ["TMAX", "TMIN", "TAVG"]},
    ),
    "chicago_2015": (
        "chicago/crimes_2015_10k.csv",
        ("chicago/weather_2001_2015.csv", "chicago/census_community_areas.csv"),
        {"other_fields": ["IUCR", "FBI Code", "District", "Beat", "Ward"]},
    ),
    "san_francisco_2012": ("san_francisco/incidents_2012_h2.csv", (), {"merge": True}),
    "san_francisco_2017": ("san_francisco/incidents_2017_07.csv", (), {}),
}


def read_city(data: Path, city: str, **changed: Any) -> ReadRows:
    """Read the incidents of a city, joined with weather and census where it has them; parameters may be changed."""
    file, tables, asked = CITIES[city]
    incidents = require_data(data, *file.split("/"))
    context = JobContext(on_log=lambda message, _: say(message))
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(tables):
            output = Path(folder) / f"joined{number}.gpkg"
            table = require_data(data, *name.split("/"))
            run_job("join_context", {"incidents": str(incidents), "file": str(table), "output": str(output)}, context)
            incidents = output
        parameters = model_of(TrainOutcomeModel)(
            incidents=str(incidents), model_output="none.crimeoutcome", **asked | changed
        )
        return read_rows(parameters, context)
