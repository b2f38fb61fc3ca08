"""Street layers written by hand, and what of a job's parameters reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely

from riskengine.contract.tools.saferoutes import SafeRoutes
from riskengine.jobs.models import model_of


def write_streets(
    path: Path, lines: Sequence[str], crs: str = "EPSG:32618", fields: Mapping[str, Sequence[Any]] | None = None
) -> str:
    """Write a layer `streets`; lines such as ``0 0, 100 0`` are WKT without its word, and parts are split by ``;``."""
    shapes = [_read_line(line) for line in lines]
    columns = {name: np.asarray(values) for name, values in (fields or {"id": range(len(lines))}).items()}
    pyogrio.raw.write(
        path,
        np.asarray(shapely.to_wkb(shapes), dtype=object),
        [each.astype(object) if each.dtype.kind == "U" else each for each in columns.values()],
        np.array(list(columns), dtype=object),
        layer="streets",
        driver="GPKG",
        geometry_type="Unknown",
        crs=crs or None,
    )
    return f"{path}|layername=streets"


def _read_line(text: str) -> Any:
    parts = text.split(";")
    if len(parts) == 1:
        return shapely.from_wkt(f"LINESTRING({text})")
    return shapely.from_wkt(f"MULTILINESTRING({', '.join(f'({part})' for part in parts)})")


def ask_for(network: str, **others: Any) -> Any:
    """The parameters of *Less exposed routes* for a layer of streets."""
    return model_of(SafeRoutes)(network=network, incidents="none", **others)
