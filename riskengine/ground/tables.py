"""Tables of rows as files that every program reads: written whole or not at all, in one pass, a chunk at a time.

GDAL writes them, through pyogrio: as Arrow record batches where pyarrow is there, else as plain arrays, which take
longer (docs/methods/files.md).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .artefacts import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

Geometry = Literal["point", "line", "polygon", "multipolygon", "multiline", "none"]
#: Names of types, as the declarations of tools have them.
Fields = Mapping[str, str]

#: Rows at a time: few enough for memory, progress and cancel, many enough for speed.
CHUNK_ROWS = 20_000
_MOST_LETTERS = 2**24
_DRIVERS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".geojson": "GeoJSON"}
_GEOMETRY_TYPES = {
    "point": "Point",
    "line": "LineString",
    "polygon": "Polygon",
    "multipolygon": "MultiPolygon",
    "multiline": "MultiLineString",
    "none": None,
}
#: What pyogrio takes for a time without a shift: wall-clock times are stored as if in UTC, where every one exists.
UTC_SHIFT = 100
_GEOMETRY = "geom"


@dataclass
class Chunk:
    """Some rows of a table.

    Attributes
    ----------
    columns : sequence of sequences
        Values of each field in the order of the fields, None for a missing one; times as datetime64.
    x, y : ndarray, optional
        Of points.
    shapes : sequence of dict or bytes, optional
        Of polygons as GeoJSON, or of polygons or lines of several parts as well-known binary.
    """

    columns: Sequence[Sequence[Any] | NDArray[Any]]
    x: NDArray[np.float64] | None = None
    y: NDArray[np.float64] | None = None
    shapes: Sequence[Mapping[str, Any] | bytes] | None = None

    def __len__(self) -> int:
        return len(self.columns[0])


def write_table(
    path: str | Path,
    fields: Fields,
    chunks: Iterable[Chunk],
    geometry: Geometry = "none",
    crs: str | None = None,
    parameter: str = "output",
) -> int:
    """Write a table; returns how many rows it has.

    Parameters
    ----------
    path : path
        The ending says the format: ``.gpkg``, ``.fgb`` or ``.geojson``; any other means a JSON list of rows, in which
        x and y of a point, or the GeoJSON of a polygon, stand before the values.
    fields : mapping of str to {"text", "integer", "long", "real", "datetime"}
    chunks : iterable of Chunk
        Read once; only one of them is held in memory.
    geometry : {"point", "line", "polygon", "multipolygon", "multiline", "none"}
    crs : str, optional
        As an authority's code or WKT.
    parameter : str
        What a sentence calls the destination.

    Raises
    ------
    OutputError
        If it cannot be written; what was there before stays.
    """
    path = Path(path)
    counted = Counted(chunks)
    if path.suffix.lower() not in _DRIVERS:
        with whole_file(path, parameter) as temporary:
            rows = [row for chunk in counted for row in _plain_rows(chunk, fields)]
            text = json.dumps(rows, ensure_ascii=False, allow_nan=False)
            temporary.write_text(text, encoding="utf-8")
        return counted.rows
    options = {**make_options(path), "geometry_type": _GEOMETRY_TYPES[geometry], "crs": crs}
    # In a FlatGeobuf GDAL takes an Arrow column of this name for the rows' numbers.
    arrow = has_arrow() and not (options["driver"] == "FlatGeobuf" and "OGC_FID" in fields)
    with open_whole_table(path, parameter, counted) as temporary:
        (_write_arrow if arrow else _write_arrays)(temporary, fields, counted, geometry, options)
    return counted.rows


def extend_table(
    path: str | Path,
    source: str | Path,
    table: str,
    fids: NDArray[np.int64],
    fields: Fields,
    columns: Sequence[NDArray[Any]],
    parameter: str = "output",
) -> int | None:
    """Write a copy of a table with more fields; returns how many rows it has. Needs pyarrow.

    A FlatGeobuf has no dates without a time, and no field of the name OGC_FID: a table with such is not written, and
    None is returned.

    Parameters
    ----------
    path : path
        As for `write_table`.
    source, table : path, str
        A GeoPackage, and the table in it.
    fids : ndarray
        Ids of the rows that get values; all others get none, but stay.
    fields : mapping of str to type
        The new ones.
    columns : sequence of ndarray
        A value for each of `fids`; NaN for none.

    Raises
    ------
    OutputError
        If it cannot be written; what was there before stays.
    """
    import pyarrow as pa
    import pyogrio

    order = np.argsort(fids, kind="stable")
    known = fids[order]
    values = [
        make_arrow_column(column[order], list_arrow_types()[kind])
        for column, kind in zip(columns, fields.values(), strict=True)
    ]
    with pyogrio.open_arrow(source, layer=table, return_fids=True, use_pyarrow=True) as (meta, reader):
        if Path(path).suffix.lower() == ".fgb" and any(
            pa.types.is_date(field.type) or field.name == "OGC_FID" for field in reader.schema
        ):
            return None
        own = [pa.field(name, value.type) for name, value in zip(fields, values, strict=True)]
        schema = pa.schema([*reader.schema, *own])

        def batches() -> Iterator[pa.RecordBatch]:
            for batch in reader:
                ids = batch.column(meta["fid_column"]).to_numpy()
                place = np.searchsorted(known, ids)
                missing = place == len(known)
                missing[~missing] = known[place[~missing]] != ids[~missing]
                taken = pa.array(np.where(missing, 0, place), mask=missing)
                yield pa.RecordBatch.from_arrays(
                    [*batch.columns, *(value.take(taken) for value in values)], schema=schema
                )

        counted = Counted(batches())
        options = {**make_options(Path(path)), "geometry_type": meta["geometry_type"], "crs": meta["crs"]}
        options.setdefault(
            "layer_options", {"FID": meta["fid_column"], "GEOMETRY_NAME": meta["geometry_name"] or "geom"}
        )
        with open_whole_table(Path(path), parameter, counted) as temporary:
            made = pa.RecordBatchReader.from_batches(schema, counted)
            pyogrio.write_arrow(made, temporary, geometry_name=meta["geometry_name"] or None, **options)
    return counted.rows


def read_points(path: str | Path, table: str, fields: Sequence[str]) -> dict[str, NDArray[Any]] | None:
    """Read the points of a table, and some of its fields. Needs pyarrow.

    Parameters
    ----------
    path, table : path, str
        A GeoPackage, and the table in it.
    fields : sequence of str
        Texts, whole numbers, dates or times.

    Returns
    -------
    dict of str to ndarray or None
        ``fid``; ``x`` and ``y``, NaN where there is no geometry; and for the field number n either ``n_seconds`` (wall
        clock since 1970, the least integer for none) or ``n_codes`` (-1 for none) with their ``n_texts``. None if some
        row has another geometry than a plain point, or a field is of another kind.
    """
    import pyarrow as pa
    import pyarrow.compute
    import pyogrio

    meta, rows = pyogrio.read_arrow(path, layer=table, columns=list(fields), return_fids=True)
    name = meta["geometry_name"]
    if not name or meta["geometry_type"] != "Point":
        return None
    shapes = rows.column(name).combine_chunks()
    there = shapes.is_valid().to_numpy(zero_copy_only=False)
    points = shapes.drop_null()
    made: dict[str, NDArray[Any]] = {"fid": rows.column(meta["fid_column"]).to_numpy()}
    lengths = pyarrow.compute.binary_length(points).to_numpy(zero_copy_only=False)
    if (lengths != _POINT.itemsize).any():
        return None
    start = int(np.frombuffer(points.buffers()[1], dtype=np.int32)[points.offset]) if len(points) else 0
    packed = np.frombuffer(points.buffers()[2] or b"", dtype=np.uint8)[start:][: len(points) * _POINT.itemsize]
    plain = packed.view(_POINT)
    if (plain["order"] != 1).any() or (plain["type"] != 1).any():
        return None
    for axis in "xy":
        made[axis] = np.full(len(rows), np.nan)
        made[axis][there] = plain[axis]
    for number, field in enumerate(fields):
        column = rows.column(field).combine_chunks()
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            moments = column.cast(pa.timestamp("ms")).cast(pa.int64())
            seconds = moments.fill_null(0).to_numpy() // 1000
            seconds[~column.is_valid().to_numpy(zero_copy_only=False)] = np.iinfo(np.int64).min
            made[f"{number}_seconds"] = seconds
        elif pa.types.is_string(column.type) or pa.types.is_integer(column.type):
            coded = column.cast(pa.string()).dictionary_encode()
            made[f"{number}_codes"] = coded.indices.fill_null(-1).to_numpy().astype(np.int32)
            texts = coded.dictionary.to_pylist() or [""]
            # An array gives every text the room of the longest.
            if len(texts) * max(map(len, texts)) > _MOST_LETTERS:
                return None
            made[f"{number}_texts"] = np.array(texts, dtype=np.str_)
        else:
            return None
    return made


def read_rows(
    path: str | Path, fields: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], list[NDArray[Any]]]:
    """Read the points that `write_table` wrote, of any format with an ending of its own: ids, x, y, and fields."""
    from pyogrio.raw import read

    meta, fids, shapes, columns = read(path, columns=list(fields), return_fids=True)
    points = np.frombuffer(b"".join(shapes), dtype=_POINT)
    # They come in the order of the file.
    by_name = dict(zip(meta["fields"].tolist(), columns, strict=True))
    return fids, points["x"].copy(), points["y"].copy(), [by_name[name] for name in fields]


def make_options(path: Path) -> dict[str, Any]:
    """What pyogrio is told of a file that it writes."""
    options: dict[str, Any] = {"driver": _DRIVERS[path.suffix.lower()], "layer": path.stem, "encoding": "UTF-8"}
    if options["driver"] == "GPKG":
        # What older programs read too.
        options["dataset_options"] = {"VERSION": "1.2"}
    if options["driver"] == "FlatGeobuf":
        # An index would put the rows into another order.
        options["layer_options"] = {"SPATIAL_INDEX": "NO"}
    return options


@contextmanager
def open_whole_table(path: Path, parameter: str, counted: Counted | None = None) -> Iterator[Path]:
    """A temporary file that takes its place when all of it is written; what GDAL leaves beside it is removed."""
    with whole_file(path, parameter) as temporary:
        try:
            yield temporary
        except Exception:
            # GDAL knows only that the rows stopped coming.
            if counted is not None and counted.failure is not None:
                raise counted.failure from None
            raise
        finally:
            for companion in ("-wal", "-shm", "-journal"):
                Path(f"{temporary}{companion}").unlink(missing_ok=True)
        if counted is not None and counted.failure is not None:
            raise counted.failure


def has_arrow() -> bool:
    """Whether pyarrow is there: an engine made of Debian's packages has none."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    return True


class Counted:
    """The chunks, or record batches, with their number of rows and what went wrong in making them."""

    def __init__(self, chunks: Iterable[Any]) -> None:
        self._chunks = chunks
        self.rows = 0
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[Any]:
        try:
            for chunk in self._chunks:
                self.rows += len(chunk)
                yield chunk
        except BaseException as error:
            self.failure = error
            raise


def _write_arrow(path: Path, fields: Fields, chunks: Iterable[Chunk], geometry: Geometry, options: Any) -> None:
    import pyarrow as pa
    import pyogrio

    types = list_arrow_types()
    schema = [pa.field(name, types[kind]) for name, kind in fields.items()]
    if geometry != "none":
        schema.append(pa.field(_GEOMETRY, pa.binary()))

    def batches() -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            arrays = [
                make_arrow_column(values, field.type) for values, field in zip(chunk.columns, schema, strict=False)
            ]
            if geometry == "point":
                arrays.append(_arrow_points(chunk))
            elif geometry != "none":
                arrays.append(pa.array([_shape_wkb(shape) for shape in chunk.shapes or ()], pa.binary()))
            yield pa.RecordBatch.from_arrays(arrays, schema=pa.schema(schema))

    reader = pa.RecordBatchReader.from_batches(pa.schema(schema), batches())
    pyogrio.write_arrow(reader, path, geometry_name=_GEOMETRY if geometry != "none" else None, **options)


def list_arrow_types() -> dict[str, pa.DataType]:
    """The types of Arrow by ours."""
    import pyarrow as pa

    return {
        "text": pa.string(),
        "integer": pa.int32(),
        "long": pa.int64(),
        "real": pa.float64(),
        "datetime": pa.timestamp("ms", tz="UTC"),
        "date": pa.date32(),
        "boolean": pa.bool_(),
    }


def make_arrow_column(values: Any, kind: pa.DataType) -> pa.Array:
    """Values as an array of Arrow; None, NaN and NaT are missing."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return pa.array(np.asarray(values, dtype="datetime64[ms]"), pa.timestamp("ms")).cast(kind)
    # A number that is none is a missing one.
    return pa.array(values, kind, from_pandas=True)


def _arrow_points(chunk: Chunk) -> pa.Array:
    import pyarrow as pa

    points = _points_wkb(chunk)
    offsets = np.arange(0, points.nbytes + 1, points.itemsize, dtype=np.int32)
    return pa.BinaryArray.from_buffers(pa.binary(), len(points), [None, pa.py_buffer(offsets), pa.py_buffer(points)])


def _write_arrays(path: Path, fields: Fields, chunks: Iterable[Chunk], geometry: Geometry, options: Any) -> None:
    # All rows are held: every further write would open the file anew, and take far longer.
    from pyogrio.raw import write

    shapes: list[bytes] = []
    columns: list[list[Any]] = [[] for _ in fields]
    for chunk in chunks:
        for column, values in zip(columns, chunk.columns, strict=True):
            column.extend(values)
        if geometry == "point":
            shapes.extend(point.tobytes() for point in _points_wkb(chunk))
        elif geometry != "none":
            shapes.extend(_shape_wkb(shape) for shape in chunk.shapes or ())
    kinds = fields.values()
    data, masks = zip(
        *(make_plain_column(values, kind) for values, kind in zip(columns, kinds, strict=True)), strict=True
    )
    write(
        path,
        _objects(shapes) if geometry != "none" else None,
        list(data),
        np.array(list(fields), dtype=object),
        field_mask=list(masks),
        gdal_tz_offsets={
            name: np.full(len(data[0]), UTC_SHIFT, dtype=np.uint8)
            for name, kind in fields.items()
            if kind == "datetime"
        },
        **options,
    )


def _objects(values: Sequence[Any]) -> NDArray[np.object_]:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def make_plain_column(values: Any, kind: str) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Values and which of them are missing."""
    if kind == "text":
        return _objects(values), None
    if kind in ("datetime", "date"):
        return np.asarray(values, dtype=f"datetime64[{'D' if kind == 'date' else 'ms'}]").reshape(len(values)), None
    if kind == "real":
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64), None
    # A number that is none equals nothing, not even itself.
    missing = np.array([value is None or value != value for value in values], dtype=bool)
    whole = np.array([0 if gone else value for value, gone in zip(values, missing, strict=True)], dtype=np.int64)
    return whole.astype({"integer": np.int32, "boolean": np.bool_}.get(kind, np.int64)), missing


_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])


def read_plain_points(shapes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Read x and y of points in well-known binary, NaN for None; None where one of them is no plain point."""
    import pandas as pd

    there = np.asarray(pd.notna(shapes))
    given = shapes[there].tolist()
    if {*map(len, given)} - {_POINT.itemsize}:
        return None
    points = np.frombuffer(b"".join(given), dtype=_POINT)
    if (points["order"] != 1).any() or (points["type"] != 1).any():
        return None
    x, y = np.full((2, len(shapes)), np.nan)
    x[there], y[there] = points["x"], points["y"]
    return x, y


def _points_wkb(chunk: Chunk) -> NDArray[Any]:
    points = np.empty(len(chunk), dtype=_POINT)
    points["order"], points["type"] = 1, 1
    points["x"], points["y"] = chunk.x, chunk.y
    return points


def _shape_wkb(shape: Mapping[str, Any] | bytes) -> bytes:
    return shape if isinstance(shape, bytes) else polygon_wkb(shape)


def polygon_wkb(shape: Mapping[str, Any]) -> bytes:
    """A GeoJSON polygon as well-known binary."""
    rings = shape["coordinates"]
    packed = [struct.pack("<BII", 1, 3, len(rings))]
    for ring in rings:
        corners = np.asarray(ring, dtype="<f8")[:, :2]
        packed.append(struct.pack("<I", len(corners)) + corners.tobytes())
    return b"".join(packed)


def _plain_rows(chunk: Chunk, fields: Fields) -> Iterator[list[Any]]:
    columns = [
        [None if np.isnat(value) else str(value) for value in np.asarray(values, dtype="datetime64[s]")]
        if kind == "datetime"
        else (values.tolist() if isinstance(values, np.ndarray) else values)
        for values, kind in zip(chunk.columns, fields.values(), strict=True)
    ]
    if chunk.x is not None and chunk.y is not None:
        columns = [chunk.x.tolist(), chunk.y.tolist(), *columns]
    elif chunk.shapes is not None:
        columns = [[_shape_json(shape) for shape in chunk.shapes], *columns]
    yield from map(list, zip(*columns, strict=True))


def _shape_json(shape: Mapping[str, Any] | bytes) -> Mapping[str, Any]:
    if not isinstance(shape, bytes):
        return shape
    import shapely

    return dict(json.loads(shapely.to_geojson(shapely.from_wkb(shape))))
