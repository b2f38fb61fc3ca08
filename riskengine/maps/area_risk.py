"""A risk of areas: polygons with a number in which more means more risk, for one bin or many."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray

from ..contract import tags as tagnames
from ..contract.texts import show_name
from ..contract.tools.kinds import RISK_FIELDS
from ..ground.errors import DataError, FormatError
from .areas import Areas
from .panelfile import is_panel_file
from .risk import SaysWhen
from .segments import Segments
from .shapes import Shapes

_REMEDY = "Choose polygons with a field risk, as Forecast risk makes them"
_RISK = "risk"


@dataclass
class AreaRisk(SaysWhen):
    """A risk of each of N areas in each of S maps.

    Attributes
    ----------
    risk : ndarray of float64, shape (S, N)
        NaN where there is none.
    areas : Areas or Segments
        In metres, in the order in which the file first names them.
    starts, ends : list of str, length S
        ISO times of the maps, in their order; empty texts where the file does not say.
    tags : dict of str to str
        What was known when it was made, as a raster's tags say it; empty where the file does not say.
    """

    risk: NDArray[np.float64]
    areas: Shapes
    starts: list[str]
    ends: list[str]
    tags: dict[str, str]


def is_area_risk(path: str | Path) -> bool:
    """Say whether a file holds a risk of areas, as QGIS hands it over; a raster does not."""
    return is_panel_file(path)


def read_area_risk(path: str | Path, parameter: str = "risk") -> AreaRisk:
    """Read a GeoPackage whose first layer with a field ``risk`` has a row for each area and bin.

    Parameters
    ----------
    path : path
        Fields are those of `contract.tools.kinds.RISK_FIELDS`; all but the risk may be missing. Without ids, areas are
        told apart by their geometry.
    parameter : str
        Name of the job parameter, for errors.

    Raises
    ------
    FormatError
        If it cannot be read, or no layer has such a field.
    DataError
        If it holds no area with a risk, or an area twice in one bin.
    """
    try:
        layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
        layer = next((name for name in layers if _RISK in pyogrio.read_info(path, layer=name)["fields"]), None)
        if layer is None:
            raise FormatError(f"{path} has no field risk", parameter=parameter, value=str(path), remedy=_REMEDY)
        meta, _, shapes, columns = pyogrio.raw.read(path, layer=layer, columns=list(RISK_FIELDS))
        geometries = np.asarray(shapely.from_wkb(shapes), dtype=object)
        tags = _read_tags(path)
    except FormatError:
        raise
    except (pyogrio.errors.DataSourceError, sqlite3.Error, shapely.errors.ShapelyError, ValueError) as error:
        raise FormatError(
            f"{path} cannot be read as areas with a risk", parameter=parameter, value=str(path), remedy=_REMEDY
        ) from error
    rows = dict(zip(meta["fields"].tolist(), columns, strict=True))
    there = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
    risk = np.asarray(rows[_RISK], dtype=np.float64)
    risk[~np.isfinite(risk)] = np.nan
    if not (there & ~np.isnan(risk)).any():
        raise DataError(
            f"{path} has no area with a risk", parameter=parameter, value=str(path), remedy="Choose polygons that have"
        )
    ids = _texts(rows["id"]) if "id" in rows else np.array([shape.wkb_hex if shape else "" for shape in geometries])
    names = _texts(rows["name"]) if "name" in rows else ids
    whens = np.stack([_moments(rows.get(key), len(risk)) for key in ("start", "end")], axis=1)
    kept = np.flatnonzero(there)
    spans, when = np.unique(whens[kept].astype(np.int64), axis=0, return_inverse=True)
    own, first, where = np.unique(ids[kept], return_index=True, return_inverse=True)
    # In the order of the file, not of the alphabet.
    order = np.argsort(first)
    place = np.argsort(order)[where]
    when = when.ravel()
    twice = np.bincount(when * len(own) + place)
    if (twice > 1).any():
        name = show_name(str(own[order][int(np.argmax(twice > 1)) % len(own)]))
        raise DataError(
            f"{path} has the area {name} on several rows of one bin",
            parameter=parameter,
            value=str(path),
            remedy="Give every area an id of its own, and every row its start and end",
        )
    table = np.full((len(spans), len(own)), np.nan)
    table[when, place] = risk[kept]
    rows_of_areas = kept[first[order]]
    numbered = ids[rows_of_areas] if "id" in rows else np.arange(1, len(own) + 1).astype(str)
    starts, ends = (
        ["" if np.isnat(each) else str(each) for each in column] for column in spans.T.astype("datetime64[s]")
    )
    shown = names[rows_of_areas] if "name" in rows else numbered
    lines = set(shapely.get_dimensions(geometries[rows_of_areas]).tolist()) == {1}
    areas = (Segments if lines else Areas)(
        tuple(map(str, numbered)), geometries[rows_of_areas], meta["crs"] or "", tuple(map(str, shown))
    )
    return AreaRisk(table, areas, starts, ends, tags)


def _texts(values: NDArray[Any]) -> NDArray[np.str_]:
    return np.array(["" if value is None else str(value) for value in values], dtype=np.str_)


def _moments(values: NDArray[Any] | None, number: int) -> NDArray[np.datetime64]:
    if values is None or values.dtype.kind != "M":
        return np.full(number, np.datetime64("NaT", "s"))
    return values.astype("datetime64[s]")


def _read_tags(path: str | Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if tagnames.ABOUT_TABLE not in tables:
            return {}
        rows = database.execute(f"SELECT key, value FROM {tagnames.ABOUT_TABLE}")
        return {str(key): str(value) for key, value in rows}
