"""Job ``simulate``: a simulated city as the kind of CSV a police force publishes, dirt included."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from ..contract.texts import count_text
from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..ground.tables import Chunk, write_table
from ..intake.incidents import Incidents
from ..simulation.districts import DISTRICTS, Neighbourhoods, find_districts, make_neighbourhoods
from ..simulation.precursors import add_targets, draw_targets
from ..simulation.simulate import SimulatedCity, simulate_city
from .models import JobParameters

_ROWS = 100_000
#: Of the layer of neighbourhoods.
_FIELDS = {"id": "text", "name": "text", "deprivation": "real"}


class Parameters(JobParameters):
    """Parameters of the job; ``dirt`` is the share of rows that are spoilt so that an import refuses them.

    ``areas`` is a layer of that many made-up ``neighbourhoods`` with a made-up deprivation; each incident then names
    its own. With ``targets`` so many shootings are expected beside the incidents, a share ``precursors`` of which
    follows violence in the same place, within ``precursor_hours``.
    """

    path: Path
    incidents: int = Field(50_000, ge=1, le=100_000_000)
    days: int = Field(365, ge=1, le=36_600)
    seed: int = Field(1, ge=0)
    start: datetime.date = datetime.date(2024, 1, 1)
    branching: float = Field(0.25, ge=0, lt=1)
    decay_days: float = Field(7.0, gt=0)
    spread: float = Field(120.0, gt=0)
    dirt: float = Field(0.0, ge=0, le=0.5)
    areas: Path | None = None
    neighbourhoods: int = Field(60, ge=2, le=100_000)
    targets: int = Field(0, ge=0, le=10_000_000)
    precursors: float = Field(0.0, ge=0, le=1)
    precursor_hours: float = Field(48.0, gt=0)


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Simulate and write ``longitude,latitude,datetime,category,district``, and ``neighbourhood`` where there are any.

    Returns
    -------
    dict
        ``path``, ``incidents``, ``dirty`` (spoilt rows by what is wrong with them), ``first``, ``last``,
        ``categories`` with counts, ``columns`` (what to tell the import) and ``parameters``.
    """
    last_day = parameters.start + datetime.timedelta(days=parameters.days)
    if last_day > datetime.date.today():
        raise ParameterError(
            f"{count_text(parameters.days, 'day')} from {parameters.start} end on {last_day}, which lies in the future",
            parameter="start",
            value=parameters.start,
            remedy="Choose an earlier start or fewer days, because incidents of the future are refused on import",
        )
    with context.step(0.0, 0.5):
        city = simulate_city(
            parameters.incidents,
            parameters.days,
            parameters.seed,
            parameters.start.isoformat(),
            parameters.branching,
            parameters.decay_days,
            parameters.spread,
            context=context,
        )
    areas = make_neighbourhoods(city, parameters.neighbourhoods) if parameters.areas else None
    incidents, made = city.to_incidents(), city.parameters
    if parameters.targets:
        targets = draw_targets(city, parameters.targets, parameters.precursors, parameters.precursor_hours)
        incidents = add_targets(city, targets)
        made = made | {name: getattr(parameters, name) for name in ("targets", "precursors", "precursor_hours")}
    spoilt = _spoilt(parameters, len(incidents))
    with context.step(0.5, 1.0), whole_file(parameters.path, "path") as temporary:
        for start in range(0, len(incidents), _ROWS):
            context.progress(start / len(incidents), "writing")
            rows = np.arange(start, min(start + _ROWS, len(incidents)))
            table = _table(incidents.select(rows), city, areas)
            _spoil(table, spoilt[start : start + _ROWS])
            table.to_csv(temporary, mode="a", header=start == 0, index=False, encoding="utf-8", lineterminator="\n")
    if parameters.areas and areas:
        shapes = shapely.to_wkb(areas.shapes, byte_order=1).tolist()
        chunk = Chunk((areas.ids, areas.names, areas.deprivation), shapes=shapes)
        write_table(parameters.areas, _FIELDS, [chunk], "polygon", city.crs, "areas")
    dirty = {name: int((spoilt == code).sum()) for code, name in enumerate(_DIRT, 1)}
    context.log(f"{count_text(len(incidents), 'incident')} simulated, {sum(dirty.values())} of them spoilt on purpose.")
    counts = np.bincount(incidents.category, minlength=len(incidents.categories)).tolist()
    return {
        "path": str(parameters.path),
        "areas": str(parameters.areas) if parameters.areas else None,
        "incidents": len(incidents),
        "dirty": dirty,
        "first": str(incidents.time[0]),
        "last": str(incidents.time[-1]),
        "categories": dict(zip(incidents.categories, counts, strict=True)),
        "columns": {"x": "longitude", "y": "latitude", "time": ["datetime"], "category": "category"},
        "parameters": made,
    }


_DIRT = ("no coordinates", "coordinates (0, 0)", "impossible date", "no date", "swapped coordinates")


def _spoilt(parameters: Parameters, rows: int) -> NDArray[np.int8]:
    """What is wrong with each row: 0 for nothing, else a position in _DIRT counted from 1."""
    # A stream of its own, so that the city is the same with and without dirt.
    random = np.random.default_rng([parameters.seed, 1])
    spoilt = np.zeros(rows, dtype=np.int8)
    chosen = random.permutation(rows)[: round(rows * parameters.dirt)]
    spoilt[chosen] = 1 + np.arange(len(chosen)) % len(_DIRT)
    return spoilt


def _table(incidents: Incidents, city: SimulatedCity, areas: Neighbourhoods | None) -> pd.DataFrame:
    from rasterio.warp import transform

    x, y = incidents.x, incidents.y
    longitude, latitude = transform(city.crs, "EPSG:4326", x.tolist(), y.tolist())
    moments = np.char.replace(incidents.time.astype(str), "T", " ")
    return pd.DataFrame(
        {
            "longitude": [f"{value:.6f}" for value in longitude],
            "latitude": [f"{value:.6f}" for value in latitude],
            "datetime": moments,
            "category": np.array(incidents.categories, dtype=object)[incidents.category],
            "district": np.array(DISTRICTS, dtype=object)[find_districts(x, y, city.parameters["size"])],
            # The last one is nobody's: -1.
            **({} if areas is None else {"neighbourhood": np.array([*areas.ids, ""], object)[areas.locate(x, y)]}),
        },
        dtype=object,
    )


def _spoil(table: pd.DataFrame, spoilt: NDArray[np.int8]) -> None:
    places = ["longitude", "latitude"]
    table.loc[spoilt == 1, places] = ""
    table.loc[spoilt == 2, places] = "0"
    table.loc[spoilt == 3, "datetime"] = table.loc[spoilt == 3, "datetime"].str.slice(0, 4) + "-02-30 12:00:00"
    table.loc[spoilt == 4, "datetime"] = ""
    swapped = spoilt == 5
    table.loc[swapped, places] = table.loc[swapped, ["latitude", "longitude"]].to_numpy()
