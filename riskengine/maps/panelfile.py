"""A panel as a file that any GIS opens: one GeoPackage, with each area's geometry once and counts above zero as rows.

Its tables (docs/methods/areas.md says it for users):

- ``areas``: ``id``, ``name``, ``size`` (square metres; of segments metres) and the geometry, in metres;
- ``bins``: ``bin`` (0, 1, …), ``start``, ``end``, ``observed``;
- ``counts``: ``area`` (the fid of ``areas``), ``bin``, ``incidents``, and a column for each category that was counted
  by itself; rows above zero alone;
- ``counts_by_area``: a view of the three, which layers are made of and the Temporal Controller plays;
- ``crimerisk``: what it was made from, as ``key`` and ``value``; keys are those of `riskengine.contract.tags`;
- with covariates two tables more (see `maps.covariatefile`).
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from ..contract import tags as tagnames
from ..contract.tools.areas import DELAY
from ..ground.artefacts import whole_file
from ..ground.errors import DataError, FormatError
from . import bins as timebins
from . import covariatefile
from .areas import Areas
from .panel import MOST_COUNTS, Extras, Panel
from .segments import Segments
from .shapes import Shapes

#: Tables of the file.
AREAS, BINS, COUNTS, VIEW, ABOUT = tagnames.AREAS_TABLE, "bins", "counts", tagnames.COUNTS_TABLE, tagnames.ABOUT_TABLE
_REMEDY = "Make it with Count incidents by area"
#: More bins, and more incidents of one area and bin, are in no panel.
_MOST_BINS, _HIGHEST = timebins.MAX_BINS, 2**31 - 1
#: The first bytes of every SQLite file.
_SQLITE = b"SQLite format 3\0"
#: Columns that every row of counts and of their view has; a category has one of another name.
OWN_COLUMNS = ("fid", "area", "bin", "incidents", "id", "name", "start", "end", "geom", "size")


def is_panel_file(path: str | Path) -> bool:
    """Say whether a file is a database, as a panel is; a raster is none."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def write_panel(
    path: str | Path,
    panel: Panel,
    by_category: Mapping[str, NDArray[Any] | csr_array] | None = None,
    made: Mapping[str, str] | None = None,
) -> None:
    """Write a panel of areas or segments as a GeoPackage that `read_panel` reads back; whole or not at all.

    Parameters
    ----------
    path : path
    panel : Panel
        Of areas or segments.
    by_category : mapping of str to array, shape (T, N), optional
        Counts of categories, by the name of their column.
    made : mapping of str to str, optional
        More of what it was made from, by tag.
    """
    units = panel.support
    assert isinstance(units, Shapes)
    with whole_file(path) as partial:
        # GDAL goes by the ending.
        file = partial.with_name(partial.name + ".gpkg")
        try:
            pyogrio.raw.write(
                file,
                shapely.to_wkb(units.geometries),
                [np.array(units.ids, dtype=object), np.array(units.names, dtype=object), units.measure_sizes()],
                ["id", "name", "size"],
                layer=AREAS,
                driver="GPKG",
                # A layer has one kind of geometry: of several parts, as some areas are.
                geometry_type="MultiLineString" if isinstance(units, Segments) else "MultiPolygon",
                promote_to_multi=True,
                crs=units.crs,
                layer_options={"GEOMETRY_NAME": "geom"},
            )
            with _open(file) as database:
                # Nobody else knows the file yet: a half-written one is thrown away, so nothing need be undone.
                database.execute("PRAGMA journal_mode = OFF")
                database.execute("PRAGMA synchronous = OFF")
                _write_tables(database, panel, by_category or {}, {**(made or {}), **_describe(panel)})
            file.replace(partial)
        finally:
            file.unlink(missing_ok=True)


def _write_tables(
    database: sqlite3.Connection,
    panel: Panel,
    by_category: Mapping[str, NDArray[Any] | csr_array],
    about: Mapping[str, str],
) -> None:
    starts, ends = (_texts(each) for each in (panel.edges[:-1], panel.edges[1:]))
    database.execute(
        f"CREATE TABLE {BINS} (bin INTEGER PRIMARY KEY NOT NULL, start DATETIME, end DATETIME, observed BOOLEAN)"
    )
    database.executemany(
        f"INSERT INTO {BINS} VALUES (?, ?, ?, ?)",
        zip(range(len(panel)), starts, ends, panel.observed.astype(int).tolist(), strict=True),
    )
    columns = "".join(f", {quote(name)} MEDIUMINT" for name in by_category)
    database.execute(
        f"CREATE TABLE {COUNTS} (fid INTEGER PRIMARY KEY NOT NULL, area INTEGER NOT NULL, bin INTEGER NOT NULL,"
        f" incidents MEDIUMINT{columns})"
    )
    when, where = np.nonzero(panel.counts)
    values = [panel.counts[when, where].tolist()]
    values += [_read_at(each, when, where).tolist() for each in by_category.values()]
    places = ", ".join("?" * (2 + len(values)))
    more = "".join(f", {quote(name)}" for name in by_category)
    database.executemany(
        f"INSERT INTO {COUNTS} (area, bin, incidents{more}) VALUES ({places})",
        zip((where + 1).tolist(), when.tolist(), *values, strict=True),
    )
    database.execute(f"CREATE INDEX counts_by_bin ON {COUNTS} (bin)")
    database.execute(f"CREATE TABLE {ABOUT} (key TEXT PRIMARY KEY NOT NULL, value TEXT)")
    database.executemany(f"INSERT INTO {ABOUT} VALUES (?, ?)", sorted(about.items()))
    database.execute(
        f"CREATE VIEW {VIEW} AS SELECT c.fid AS fid, a.geom AS geom, a.id AS id, a.name AS name, b.start AS start,"
        f" b.end AS end, c.incidents AS incidents{''.join(f', c.{quote(name)}' for name in by_category)}"
        f" FROM {COUNTS} c JOIN {AREAS} a ON a.fid = c.area JOIN {BINS} b ON b.bin = c.bin"
    )
    for table in (BINS, COUNTS, ABOUT):
        register_table(database, table)
    write_covariates(database, panel.extras, range(1, panel.counts.shape[1] + 1))
    database.execute(
        f"INSERT INTO gpkg_contents SELECT '{VIEW}', 'features', '{VIEW}', '', last_change, min_x, min_y, max_x, max_y,"
        f" srs_id FROM gpkg_contents WHERE table_name = '{AREAS}'"
    )
    database.execute(
        f"INSERT INTO gpkg_geometry_columns SELECT '{VIEW}', column_name, geometry_type_name, srs_id, z, m"
        f" FROM gpkg_geometry_columns WHERE table_name = '{AREAS}'"
    )


def _read_at(counts: NDArray[Any] | csr_array, when: NDArray[np.int64], where: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read the counts of some bins and units, in the order of a flat array."""
    if isinstance(counts, np.ndarray):
        return counts[when, where].astype(np.int64)
    units = counts.shape[1]
    found = np.zeros(len(when), dtype=np.int64)
    some = counts.tocoo()
    row, column = some.coords
    place = np.searchsorted(when * units + where, row.astype(np.int64) * units + column)
    found[place] = some.data
    return found


def write_covariates(database: sqlite3.Connection, extras: Extras, fids: Sequence[int]) -> None:
    """Write covariates behind those that the file of a panel holds; `fids` are those of its areas, in their order."""
    if not extras.static_names and not extras.covariates:
        return
    if not covariatefile.has_covariates(database):
        covariatefile.make_tables(database)
        for table in covariatefile.TABLES:
            register_table(database, table)
    covariatefile.append_covariates(database, extras, fids)


def copy_with_covariates(path: str | Path, output: str | Path, extras: Extras) -> None:
    """Copy the file of a panel and write covariates into the copy, with all else that it holds; whole or not at all."""
    with whole_file(output) as partial, _open(path) as source, _open(partial) as database:
        # A copy of the file would lack what others who have it open have not yet written into it.
        source.backup(database)
        fids = [fid for (fid,) in database.execute(f"SELECT fid FROM {AREAS} ORDER BY fid")]
        write_covariates(database, extras, fids)


def register_table(database: sqlite3.Connection, table: str) -> None:
    """Have every GIS list a table without geometry."""
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)", (table, table)
    )


def _describe(panel: Panel) -> dict[str, str]:
    about = {
        tagnames.KIND: tagnames.PANEL_KIND,
        tagnames.FORMAT: str(tagnames.FORMAT_NUMBER),
        tagnames.BIN: panel.bin,
        tagnames.BINARY: str(int(panel.binary)),
        tagnames.CATEGORIES: tagnames.join_categories(panel.categories),
        tagnames.EXACTNESS: panel.exactness,
        tagnames.AREA: panel.area,
        tagnames.SOURCE: panel.source,
        tagnames.DELAY: str(panel.delay),
        tagnames.TOLERANCE: f"{panel.support.tolerance:g}" if isinstance(panel.support, Segments) else "",
    }
    return {key: value for key, value in about.items() if value}


def read_panel(path: str | Path, parameter: str = "heatmaps") -> Panel:
    """Read a GeoPackage that `write_panel` wrote.

    Raises
    ------
    FormatError
        If it is no GeoPackage, no panel, of a newer format, or damaged.
    """
    if not Path(path).is_file():
        raise FormatError(f"{path} does not exist", parameter=parameter, value=path, remedy=_REMEDY)
    try:
        with _open(path) as database:
            about = read_about(database, path, parameter)
            edges, observed = _read_bins(database, about.get(tagnames.BIN, ""))
            fids, ids, names = _columns(database, f"SELECT fid, id, name FROM {AREAS} ORDER BY fid", 3)
            when, where, number = _read_counts(database, fids, ["incidents"])
            extras = covariatefile.read_covariates(database, fids)
        meta, _, shapes, _ = pyogrio.raw.read(path, layer=AREAS, columns=[])
        units = _make_units(ids, names, shapes, meta["crs"] or "", about)
        counts = _fill_counts((len(edges) - 1, len(ids)), when, where, number[0])
        delay = _check_delay(about.get(tagnames.DELAY, "0"))
    except (sqlite3.Error, LookupError, ValueError, OverflowError, TypeError, shapely.errors.ShapelyError) as error:
        raise FormatError(
            f"{path} cannot be read as a panel: it is damaged or of another kind",
            parameter=parameter,
            value=path,
            remedy=_REMEDY,
        ) from error
    if not ids:
        raise DataError(f"{path} holds no area", parameter=parameter, value=path, remedy=_REMEDY)
    return Panel(
        counts,
        edges,
        np.ones(len(ids), dtype=bool),
        units,
        about.get(tagnames.BIN, ""),
        observed,
        tagnames.split_categories(about.get(tagnames.CATEGORIES, "")),
        about.get(tagnames.BINARY) == "1",
        extras,
        exactness=about.get(tagnames.EXACTNESS, ""),
        area=about.get(tagnames.AREA, ""),
        source=about.get(tagnames.SOURCE, ""),
        delay=delay,
    )


def _read_bins(database: sqlite3.Connection, length: str) -> tuple[timebins.Times, NDArray[np.bool_]]:
    """Read the edges of the bins and which are observed."""
    columns = _columns(
        database, f"SELECT bin, start, end, observed FROM {BINS} ORDER BY bin LIMIT ?", 4, _MOST_BINS + 1
    )
    numbers, starts, ends, observed = columns
    if numbers != tuple(range(len(starts))) or starts[1:] != ends[:-1] or len(starts) > _MOST_BINS:
        raise ValueError("the bins do not follow each other")
    edges = np.array([text.removesuffix("Z") for text in (*starts, ends[-1])], dtype="datetime64[s]")
    first, after = timebins.CALENDAR
    if np.isnat(edges).any() or not first <= edges[0] <= edges[-1] < after:
        raise ValueError("a bin is in no year")
    if not np.array_equal(edges, timebins.make_next_edges(edges[:1], length, len(edges) - 1)):
        raise ValueError(f"the bins are not of {length}")
    return edges, np.array(observed, dtype=bool)


def _fill_counts(
    shape: tuple[int, int], when: NDArray[np.int64], where: NDArray[np.int64], number: NDArray[np.int64]
) -> NDArray[Any]:
    highest = int(number.max(initial=0))
    if math.prod(shape) > MOST_COUNTS or highest > _HIGHEST:
        raise ValueError("more than a panel holds")
    counts = np.zeros(shape, dtype=np.min_scalar_type(highest + 1))
    counts[when, where] = number
    if len(np.unique(when * shape[1] + where)) < len(when):
        raise ValueError("two counts of one area and bin")
    return counts


def _check_delay(text: str) -> int:
    delay = int(text)
    if not DELAY.allow(delay):
        raise ValueError(f"{delay} is no delay")
    return delay


def _make_units(
    ids: tuple[Any, ...], names: tuple[Any, ...], shapes: NDArray[Any], crs: str, about: Mapping[str, str]
) -> Shapes:
    geometries = np.asarray(shapely.from_wkb(shapes), dtype=object)
    if len(geometries) != len(ids) or len(set(ids)) != len(ids):
        raise ValueError("two areas have one id")
    if shapely.is_missing(geometries).any() or shapely.is_empty(geometries).any():
        raise ValueError("an area has no geometry")
    kinds = set(shapely.get_dimensions(geometries).tolist())
    texts = (
        tuple(map(str, ids)),
        tuple(str(one if one is not None else other) for one, other in zip(names, ids, strict=True)),
    )
    if kinds == {1}:
        tolerance = float(about.get(tagnames.TOLERANCE, Segments.tolerance))
        return Segments(texts[0], geometries, crs, texts[1], tolerance)
    if kinds - {2}:
        raise ValueError("an area is no polygon")
    return Areas(texts[0], geometries, crs, texts[1])


def _read_counts(
    database: sqlite3.Connection, fids: tuple[int, ...], columns: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.int64]]]:
    """Read the bins and the units of all rows, and some of their columns."""
    wanted = ", ".join(map(quote, columns))
    read = _columns(database, f"SELECT bin, area, {wanted} FROM {COUNTS}", 2 + len(columns))
    when, area, *numbers = (np.array(each, dtype=np.int64) for each in read)
    known = np.asarray(fids, dtype=np.int64)
    where = np.searchsorted(known, area)
    if len(area) and (not len(known) or (known[where.clip(0, len(known) - 1)] != area).any()):
        raise ValueError("counts of no area")
    if any((each < 0).any() for each in (when, *numbers)):
        raise ValueError("a negative count")
    return when, where, numbers


def read_categories(path: str | Path, panel: Panel) -> dict[str, csr_array]:
    """Read the counts of each category from the file of a panel that `read_panel` has read, shape (T, N) each."""
    with _open(path) as database:
        columns = [name for _, name, *_ in database.execute(f"PRAGMA table_info({COUNTS})")]
        own = [name for name in columns if name.lower() not in OWN_COLUMNS]
        if not own:
            return {}
        (fids,) = _columns(database, f"SELECT fid FROM {AREAS} ORDER BY fid", 1)
        when, where, numbers = _read_counts(database, fids, own)
    shape = panel.counts.shape
    return {name: csr_array(coo_array((each, (when, where)), shape)) for name, each in zip(own, numbers, strict=True)}


def read_tags(path: str | Path) -> dict[str, str]:
    """Read what a panel, which `read_panel` has read, was made from."""
    with _open(path) as database:
        return read_about(database, path, "heatmaps")


def read_about(database: sqlite3.Connection, path: str | Path, parameter: str) -> dict[str, str]:
    """Read what a panel was made from.

    Raises
    ------
    FormatError
        If it is none of ours, or of a newer format.
    """
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    about = dict(database.execute(f"SELECT key, value FROM {ABOUT}")) if ABOUT in tables else {}
    if about.get(tagnames.KIND) != tagnames.PANEL_KIND:
        raise FormatError(
            f"{path} is a layer, but not a panel of counts", parameter=parameter, value=path, remedy=_REMEDY
        )
    if int(about.get(tagnames.FORMAT, "0")) > tagnames.FORMAT_NUMBER:
        raise FormatError(
            f"{path} was written by a newer Crime Risk (format {about[tagnames.FORMAT]})",
            parameter=parameter,
            value=path,
            remedy="Update the plugin",
        )
    return about


def _columns(database: sqlite3.Connection, query: str, number: int, *values: int) -> list[tuple[Any, ...]]:
    rows = database.execute(query, values).fetchall()
    return list(zip(*rows, strict=True)) if rows else [()] * number


def _texts(moments: NDArray[np.datetime64]) -> list[str]:
    """As GeoPackages hold times; by the wall clock of the incidents, written as if in UTC."""
    return [f"{each}Z" for each in np.datetime_as_string(moments.astype("datetime64[ms]")).tolist()]


def quote(name: str) -> str:
    """Quote the name of a column."""
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def _open(path: str | Path) -> Iterator[sqlite3.Connection]:
    """Open a database; what was written is kept if all goes well."""
    database = sqlite3.connect(path)
    try:
        with database:
            yield database
    finally:
        database.close()
