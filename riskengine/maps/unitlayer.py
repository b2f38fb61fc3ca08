"""The layer of polygons or lines that incidents are counted in, as QGIS hands it over, made into units of space."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from ..contract.texts import count_text, list_names, make_writable
from ..contract.units import noun_of
from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..ground.errors import FormatError
from .areas import AreaFaults, make_areas
from .segments import make_segments
from .shapes import Geometries, Shapes

_LINES = (1, 2, 5)


@dataclass(frozen=True)
class UnitRows:
    """The rows of a layer.

    Attributes
    ----------
    ids, names : list of str, length N
        An empty id is none.
    geometries : ndarray of shapely geometries, shape (N,)
        In the working CRS, valid or not; None for none.
    fid : ndarray of int64, shape (N,)
        Numbers of the features.
    source : str
        Name of the layer.
    """

    ids: list[str]
    names: list[str]
    geometries: Geometries
    fid: NDArray[np.int64]
    source: str = ""


def read_units(path: str | Path) -> UnitRows:
    """Read the ``areas.npz`` that QGIS hands over.

    It holds ``ids`` and ``names`` (text), ``fid`` (int64), and ``wkb``, the geometries one after the other as bytes,
    with the ``lengths`` of each; 0 for none. ``source`` is the layer's name.

    Raises
    ------
    FormatError
        If the file is not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, NDArray[Any]] = {name: np.asarray(file[name]) for name in file.files}
        packed, ends = arrays["wkb"].tobytes(), np.cumsum(arrays["lengths"].astype(np.int64)).tolist()
        pieces = [packed[start:end] or None for start, end in zip([0, *ends], ends, strict=False)]
        geometries = np.asarray(shapely.force_2d(shapely.from_wkb(pieces, on_invalid="ignore")), dtype=object)
        ids, names = ([make_writable(text) for text in arrays[key].tolist()] for key in ("ids", "names"))
        rows = UnitRows(ids, names, geometries, arrays["fid"].astype(np.int64), make_writable(str(arrays["source"])))
        if not len(rows.ids) == len(rows.names) == len(rows.geometries) == len(rows.fid):
            raise ValueError("its columns do not go together")
    except (OSError, LookupError, ValueError, TypeError, zipfile.BadZipFile, shapely.errors.ShapelyError) as error:
        raise FormatError(
            f"{path} is not an exchange file of areas",
            parameter="areas",
            value=path,
            remedy="Write it again with Crime Risk",
        ) from error
    return rows


def write_units(path: str | Path, rows: UnitRows) -> None:
    """Write what `read_units` reads; for scripts, tests and benchmarks that have no QGIS."""
    packed = [b"" if each is None else each for each in shapely.to_wkb(rows.geometries)]
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            ids=np.array(rows.ids, dtype=np.str_),
            names=np.array(rows.names, dtype=np.str_),
            fid=rows.fid,
            source=np.array(rows.source),
            wkb=np.frombuffer(b"".join(packed), dtype=np.uint8),
            lengths=np.array([len(each) for each in packed]),
        )


def make_units(rows: UnitRows, crs: str, tolerance: float, context: JobContext) -> Shapes:
    """Make areas, or segments where most rows are lines, and say what was wrong with the layer.

    Raises
    ------
    DataError
        If no row has a polygon or line.
    """
    nameless = np.array([not each for each in rows.ids], dtype=bool)
    ids = [each or f"feature {fid}" for each, fid in zip(rows.ids, rows.fid.tolist(), strict=True)]
    names = [name or each for name, each in zip(rows.names, ids, strict=True)]
    if 0 < nameless.sum() < len(ids):
        some = [each for each, none in zip(ids, nameless, strict=True) if none]
        context.warn(f"{count_text(len(some), 'area has', 'areas have')} no id: {list_names(some)}")
    lines = np.isin(shapely.get_type_id(rows.geometries), _LINES)
    if 2 * lines.sum() > (~shapely.is_missing(rows.geometries)).sum():
        segments, wrong = make_segments(ids, rows.geometries, crs, tolerance, names=names)
        _report(wrong.empty, "has no length and is left out", "have no length and are left out", segments, context)
        _report_joined(wrong.joined, segments, context)
        return segments
    areas, faults = make_areas(ids, rows.geometries, crs, names=names)
    _report_faults(faults, areas, context)
    return areas


def _report_faults(faults: AreaFaults, areas: Shapes, context: JobContext) -> None:
    if faults.repaired:
        context.warn(
            f"{count_text(len(faults.repaired), 'area was invalid and is', 'areas were invalid and are')} repaired, as"
            f" where a border crosses itself: {list_names(faults.repaired)}"
        )
    _report(faults.empty, "has no polygon and is left out", "have no polygon and are left out", areas, context)
    _report_joined(faults.joined, areas, context)
    _report(faults.slivers, "is a sliver, thin and tiny", "are slivers, thin and tiny", areas, context)
    if faults.overlapping:
        pairs = [f"{one} and {other}" for one, other in faults.overlapping]
        context.warn(
            f"{count_text(len(pairs), 'pair of areas overlaps', 'pairs of areas overlap')}: {list_names(pairs)}. An"
            " incident in both counts in the one that comes first"
        )


def _report_joined(ids: list[str], support: Shapes, context: JobContext) -> None:
    noun = noun_of(support.kind)
    one = f"stands on several rows, which are one {noun}"
    _report(ids, one, f"stand on several rows, which are one {noun} each", support, context, "id")


def _report(ids: list[str], one: str, many: str, support: Shapes, context: JobContext, noun: str = "") -> None:
    if ids:
        what = noun or noun_of(support.kind)
        context.warn(f"{count_text(len(ids), f'{what} {one}', f'{what}s {many}')}: {list_names(ids)}")
