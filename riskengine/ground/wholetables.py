"""Tables with all that they hold, read to be written again with more fields: types, geometries, ids, order of rows.

Through Arrow where pyarrow is there and loses nothing, else as plain arrays, which take longer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.tools.kinds import EXCHANGE_ID, EXCHANGE_SHAPES
from .errors import FormatError
from .tables import (
    UTC_SHIFT,
    Fields,
    has_arrow,
    list_arrow_types,
    make_arrow_column,
    make_options,
    make_plain_column,
    open_whole_table,
    read_plain_points,
)

#: Ids of rows that a format does not keep are numbers under this name, unless a field has it.
_ID, _SHAPES = "fid", "geom"
#: How GDAL's Arrow calls the numbers of rows of a format that keeps none.
_ROW = "OGC_FID"
#: And the geometries of one that names none, such as GeoJSON.
_ARROW_SHAPES = "wkb_geometry"
_KINDS = {"i": "long", "f": "real", "b": "boolean", "O": "text", "M": "datetime"}


@dataclass(eq=False)
class WholeTable:
    """N rows of a table, in its order.

    Attributes
    ----------
    fields : dict of str to {"text", "integer", "long", "real", "boolean", "date", "datetime", "other"}
    fids : ndarray of int64, shape (N,)
    id_field, shape_field : str
        Columns of ids and geometries in the file; empty where it has none.
    geometry : str or None
        Type of the geometries as GDAL names it; None for a table without.
    crs : str
        Empty for none.
    """

    fields: Mapping[str, str]
    fids: NDArray[np.int64]
    id_field: str = ""
    shape_field: str = ""
    geometry: str | None = None
    crs: str = ""
    # A table of Arrow, or arrays by name with their geometries.
    _arrow: Any = None
    _arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    _shapes: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.fids)

    def column(self, name: str) -> NDArray[Any]:
        """The values of a field, shape (N,): None, NaN or NaT where there is none.

        Texts as objects; whole numbers as float64, and truth values as objects, where one is missing; dates as
        datetime64[D], times as datetime64[ms] by the wall clock.
        """
        kind = self.fields[name]
        if self._arrow is None:
            values = self._arrays[name]
            if kind == "boolean" and values.dtype.kind == "f":
                return np.where(np.isnan(values), None, values.astype(bool))  # type: ignore[call-overload,no-any-return]
            return values
        values = self._arrow.column(name)
        if kind == "datetime":
            import pyarrow as pa

            values = values.cast(pa.timestamp("ms"))
        if kind in ("text", "other") or (kind == "boolean" and values.null_count):
            return np.asarray(values.to_numpy(), dtype=object)
        return np.asarray(values.to_numpy())

    def shapes(self) -> NDArray[np.object_]:
        """Well-known binary, shape (N,); None for no geometry."""
        if self.geometry is None:
            return np.full(len(self), None, dtype=object)
        if self._arrow is not None:
            return np.asarray(self._arrow.column(self.shape_field).to_numpy(), dtype=object)
        assert self._shapes is not None
        return self._shapes

    def select(self, rows: NDArray[Any] | slice) -> WholeTable:
        """Select rows by position, in this order, or by mask or slice."""
        return replace(
            self,
            fids=self.fids[rows],
            _arrow=None if self._arrow is None else self._arrow.take(np.arange(len(self))[rows]),
            _arrays={name: values[rows] for name, values in self._arrays.items()},
            _shapes=None if self._shapes is None else self._shapes[rows],
        )

    def points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x and y in `crs`, shape (N,), of a point on each shape; NaN where there is none."""
        import shapely

        written = self.shapes()
        if (plain := read_plain_points(written)) is not None:
            return plain
        shapes = shapely.from_wkb(written, on_invalid="ignore")
        other = (shapely.get_type_id(shapes) != shapely.GeometryType.POINT) & ~shapely.is_missing(shapes)
        shapes[other] = shapely.point_on_surface(shapes[other])
        return shapely.get_x(shapes), shapely.get_y(shapes)

    def place(self, x: NDArray[np.float64], y: NDArray[np.float64], crs: str) -> WholeTable:
        """Give the rows of a table without geometries points in `crs`, shape (N,) each; NaN for none."""
        import shapely

        shapes = np.full(len(self), None, dtype=object)
        there = np.isfinite(x) & np.isfinite(y)
        shapes[there] = shapely.to_wkb(shapely.points(x[there], y[there]))
        arrow = self._arrow
        if arrow is not None:
            import pyarrow as pa

            arrow = arrow.append_column(EXCHANGE_SHAPES, pa.array(shapes, pa.binary()))
        return replace(self, shape_field=EXCHANGE_SHAPES, geometry="Point", crs=crs, _arrow=arrow, _shapes=shapes)

    def reshape(self, rows: NDArray[np.int64], shapes: NDArray[np.object_], geometry: str) -> WholeTable:
        """Rows by position, each perhaps several times, with other geometries (WKB) of a type; ids are new numbers."""
        made = self.select(rows)
        arrow = made._arrow
        if arrow is not None:
            import pyarrow as pa

            place = arrow.column_names.index(self.shape_field)
            arrow = arrow.set_column(place, self.shape_field, pa.array(shapes, pa.binary()))
        return replace(
            made, fids=np.arange(1, len(rows) + 1), id_field="", geometry=geometry, _arrow=arrow, _shapes=shapes
        )

    def code(self, name: str) -> tuple[NDArray[np.int32], list[str]]:
        """Number the values of a field as texts: codes, -1 for none, and labels in the order in which they occur.

        Whole numbers have no point, whatever the field's type: ``24.0`` and ``24`` are one label.
        """
        import pandas as pd

        kind = self.fields[name]
        if self._arrow is not None and kind == "text":
            coded = self._arrow.column(name).combine_chunks().dictionary_encode()
            codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
            return codes, coded.dictionary.to_pylist()
        numbers, values = pd.factorize(self.column(name))
        return numbers.astype(np.int32), [_write_label(value) for value in values.tolist()]


def _write_label(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def split_path(path: str | Path) -> tuple[str, str | None]:
    """Split ``path|layername=table`` into a file and the name of its table; None for its first."""
    file, _, rest = str(path).partition("|layername=")
    return file, rest or None


def read_whole_table(path: str | Path, parameter: str = "incidents") -> WholeTable:
    """Read all fields, geometries and ids of a table.

    Parameters
    ----------
    path : path
        Of any file that GDAL opens; ``path|layername=table`` for a table that is not its first.
    parameter : str
        What a sentence calls it.

    Raises
    ------
    FormatError
        If GDAL cannot read it.
    """
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    file, layer = split_path(path)
    try:
        about = pyogrio.read_info(file, layer=layer)
        names = about["fields"].tolist()
        if twice := len(set(names)) < len(names):
            names = _find_names(names, [])
        kinds = dict(zip(names, map(_find_kind, about["dtypes"].tolist()), strict=True))
        if has_arrow() and not twice and _ROW not in kinds and _is_in_one_zone(file, about, kinds):
            return _read_arrow(file, layer, kinds)
        meta, fids, shapes, columns = pyogrio.raw.read(file, layer=layer, return_fids=True)
    except (DataLayerError, DataSourceError, UnicodeDecodeError) as error:
        raise FormatError(
            f"{path} cannot be read as a table",
            parameter=parameter,
            value=str(path),
            remedy="Choose a table or layer that opens in QGIS; a text file must be in UTF-8",
        ) from error
    arrays = dict(zip(names, columns, strict=True))
    shaped = meta["geometry_type"] is not None
    return WholeTable(
        kinds,
        fids.astype(np.int64),
        about["fid_column"] or "",
        (about["geometry_name"] or _SHAPES) if shaped else "",
        meta["geometry_type"],
        meta["crs"] or "",
        _arrays=arrays,
        _shapes=shapes,
    )


def _find_kind(dtype: str) -> str:
    if dtype == "datetime64[D]":
        return "date"
    kind = np.dtype(dtype)
    return "integer" if kind.kind == "i" and kind.itemsize < 8 else _KINDS.get(kind.kind, "other")


def _is_in_one_zone(file: str, about: Mapping[str, Any], kinds: Fields) -> bool:
    """Whether Arrow gives times by the wall clock: it moves those with another shift than UTC's."""
    times = [name for name, kind in kinds.items() if kind == "datetime"]
    if not times:
        return True
    if about["driver"] != "GPKG":
        return False
    table = _quote(about["layer_name"])
    any_moved = " OR ".join(f"{_quote(name)} NOT LIKE '%Z'" for name in times)
    try:
        with closing(sqlite3.connect(f"{Path(file).absolute().as_uri()}?mode=ro", uri=True)) as database:
            return database.execute(f"SELECT 1 FROM {table} WHERE {any_moved} LIMIT 1").fetchone() is None
    except sqlite3.Error:
        return False


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _read_arrow(file: str, layer: str | None, kinds: Fields) -> WholeTable:
    import pyogrio

    meta, rows = pyogrio.read_arrow(file, layer=layer, return_fids=True)
    shaped = meta["geometry_type"] is not None
    # What a format without ids calls them is no column of it.
    named = meta["fid_column"] if meta["fid_column"] != _ROW else ""
    if shaped and not meta["geometry_name"]:
        rows = rows.rename_columns([_SHAPES if each == _ARROW_SHAPES else each for each in rows.column_names])
    return WholeTable(
        kinds,
        np.asarray(rows.column(meta["fid_column"]).to_numpy()),
        named,
        (meta["geometry_name"] or _SHAPES) if shaped else "",
        meta["geometry_type"],
        meta["crs"] or "",
        _arrow=rows,
    )


def write_whole_table(
    path: str | Path,
    table: WholeTable,
    fields: Fields,
    columns: Sequence[Sequence[Any] | NDArray[Any]],
    parameter: str = "output",
) -> list[str]:
    """Write the rows of a table, as they are and in their order, with more fields; returns the names of these.

    A name that the table has already gets a number, as in QGIS. In a FlatGeobuf dates become times at midnight, and ids
    of rows that the user has seen a field.

    Parameters
    ----------
    path : path
        ``.gpkg`` or ``.fgb``, as for `write_table`.
    table : WholeTable
    fields : mapping of str to {"text", "integer", "long", "real", "boolean", "date", "datetime"}
        The new ones.
    columns : sequence, each of length N
        None, NaN or NaT for no value.
    parameter : str
        What a sentence calls the destination.

    Raises
    ------
    OutputError
        If it cannot be written; what was there before stays.
    """
    path = Path(path)
    options = {**make_options(path), "geometry_type": table.geometry, "crs": table.crs or None}
    packed = options["driver"] == "GPKG"
    id_field = table.id_field if table.id_field != EXCHANGE_ID else ""
    shape_field = table.shape_field if table.shape_field != EXCHANGE_SHAPES else ""
    kept = dict(table.fields)
    if packed:
        id_field = id_field or _find_ids(table)
        options["layer_options"] = {
            "FID": id_field or _find_free(_ID, kept),
            "GEOMETRY_NAME": _find_free(shape_field or _SHAPES, kept),
        }
    names = _find_names(
        fields, [*_find_names(kept, []), *filter(None, (id_field, *options.get("layer_options", {}).values()))]
    )
    added = dict(zip(names, zip(fields.values(), columns, strict=True), strict=True))
    own_ids = {id_field: ("long", table.fids)} if id_field and id_field not in kept else {}
    # In a GeoPackage capitals do not tell names apart.
    called = dict(zip(kept, _find_names(kept, []) if packed else kept, strict=True))
    with open_whole_table(path, parameter) as temporary:
        if table._arrow is not None and (packed or _ROW not in (*kept, *own_ids, *names)):
            _write_as_arrow(temporary, table, called, own_ids, added, options)
        else:
            kept_columns = {called[name]: (kind, table.column(name)) for name, kind in kept.items()}
            _write_as_arrays(temporary, table, {**own_ids, **kept_columns, **added}, options)
    return names


def _find_ids(table: WholeTable) -> str:
    """A field that can be the ids of rows, and was before it came here; empty for none."""
    for name, kind in table.fields.items():
        if name.casefold() == _ID and kind in ("integer", "long"):
            values = table.column(name)
            if values.dtype.kind == "i" and (np.diff(values) > 0).all():
                return name
    return ""


def _find_free(name: str, taken: Iterable[str]) -> str:
    return _find_names([name], taken)[0]


def _find_names(wanted: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Names that nothing has yet; capitals do not tell them apart."""
    known = {name.casefold() for name in taken}
    found: list[str] = []
    for name in wanted:
        candidates = chain([name], (f"{name}_{number}" for number in count(2)))
        free = next(each for each in candidates if each.casefold() not in known)
        known.add(free.casefold())
        found.append(free)
    return found


def _write_as_arrow(
    path: Path,
    table: WholeTable,
    called: Mapping[str, str],
    own_ids: Mapping[str, Any],
    added: Mapping[str, Any],
    options: dict[str, Any],
) -> None:
    import pyogrio

    types = list_arrow_types()
    shapes = [table.shape_field] if table.shape_field else []
    rows = table._arrow.select([*called, *shapes]).rename_columns([*called.values(), *shapes])
    for number, (name, (kind, values)) in enumerate(own_ids.items()):
        rows = rows.add_column(number, name, make_arrow_column(values, types[kind]))
    for name, (kind, values) in added.items():
        rows = rows.append_column(name, make_arrow_column(values, types[kind]))
    pyogrio.write_arrow(rows, path, geometry_name=table.shape_field or None, **options)


def _write_as_arrays(path: Path, table: WholeTable, columns: Mapping[str, Any], options: dict[str, Any]) -> None:
    from pyogrio.raw import write

    plain = {name: make_plain_column(values, kind) for name, (kind, values) in columns.items()}
    write(
        path,
        table.shapes() if table.geometry is not None else None,
        [values for values, _ in plain.values()],
        np.array(list(plain), dtype=object),
        field_mask=[mask for _, mask in plain.values()],
        gdal_tz_offsets={
            name: np.full(len(table), UTC_SHIFT, dtype=np.uint8)
            for name, (kind, _) in columns.items()
            if kind == "datetime"
        },
        **options,
    )
