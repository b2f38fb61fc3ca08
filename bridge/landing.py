"""How an output comes to its place: whole, in the stead of what was there before, or not at all.

A file is written in a hidden folder beside its place, under its own name, and moved when it is whole. A table in a
GeoPackage that is there already is written, and takes the place of its namesake, in one SQL transaction.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingException

from . import leftovers, locks, outputs
from .crs import tr

#: Files that belong to a layer's file of the same stem, and speak of the one before.
_SIDECARS = {".shp": (".cpg", ".dbf", ".idm", ".ind", ".prj", ".qix", ".qmd", ".sbn", ".sbx", ".shx")}
#: So long somebody else may hold a GeoPackage.
_BUSY_SECONDS = 20.0
_SQLITE = ("-wal", "-shm", "-journal")
#: What helps where QGIS keeps its temporary files.
TEMPORARY = tr(
    "It is the folder for temporary files: free some space there, or choose another in Settings ▸ Options ▸ Processing."
)


class Landing:
    """The outputs of one run, made where nobody else sees them; they come to their places together, when all are whole.

    Parameters
    ----------
    is_cancelled : callable
        Asked while another process is at work on the same file.
    """

    def __init__(self, is_cancelled: Callable[[], bool] = lambda: False) -> None:
        self._is_cancelled = is_cancelled
        self._files: list[tuple[Path, Path]] = []
        self._tables: list[tuple[Path, str, Path]] = []

    def __enter__(self) -> Landing:
        return self

    def __exit__(self, *_: object) -> None:
        for folder, _path in self._files:
            shutil.rmtree(folder, ignore_errors=True)

    def make_place(self, path: Path) -> Path:
        """Make a hidden folder beside a file's place; returns where in it the file is to be written, with its sidecars.

        Raises
        ------
        QgsProcessingException
            If nothing can be written there.
        """
        # What a link leads to is replaced, not the link.
        path = path.resolve() if path.is_symlink() else path
        with sentences(path, tr("Choose a folder that you may write to.")):
            folder = leftovers.make_folder(path.parent, leftovers.BESIDE)
        self._files.append((folder, path))
        return folder / path.name

    def find_place(self, path: Path) -> Path | None:
        """Find where a file of this run is being made; None if it is not."""
        return next((folder / own.name for folder, own in self._files if outputs.is_same_file(own, path)), None)

    def add_table(self, path: Path, table: str, source: Path) -> None:
        """Have a table put into a GeoPackage that is there already; it is the only one of `source`."""
        self._tables.append((path, table, source))

    def land(self) -> None:
        """Bring everything to its place.

        Raises
        ------
        QgsProcessingException
            If something cannot be; what was there before then stays, and what was not is removed again.
        """
        new: list[Path] = []
        try:
            for number, (path, table, source) in enumerate(self._tables):
                # Where one is in its place the others follow.
                never = (lambda: False) if number else self._is_cancelled
                replace_table(path, table, source, source.stem, never)
            for folder, path in self._files:
                was_there = path.exists()
                with sentences(path), waiting(path, self._is_cancelled):
                    _move_all(folder, path)
                if not was_there:
                    new.append(path)
        except BaseException:
            for path in new:
                path.unlink(missing_ok=True)
            raise


@contextmanager
def waiting(path: Path, is_cancelled: Callable[[], bool]) -> Iterator[None]:
    """Let nobody else change the file meanwhile; for the moment in which it changes."""
    try:
        with locks.wait_for(locks.lock_of(path), is_cancelled):
            yield
    except locks.Held as held:
        raise QgsProcessingException(
            tr(
                "The file {path} is being written by process {owner}. Wait until that has ended, or choose another "
                "file."
            ).format(path=path, owner=held.owner)
        ) from None


def _move_all(folder: Path, path: Path) -> None:
    made = sorted(each for each in folder.iterdir() if not each.name.endswith(_SQLITE))
    if path.suffix.lower() == ".gpkg":
        _settle(path)
    # The main file last: until then the old one is what is opened.
    for each in sorted(made, key=lambda each: each.name == path.name):
        each.replace(path.parent / each.name)
    names = {each.name for each in made}
    for ending in _SIDECARS.get(path.suffix.lower(), ()):
        if (other := path.with_suffix(ending)).name not in names:
            other.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Bring into an old GeoPackage what its log holds, and remove the log: it would be read with the new file."""
    if not Path(f"{path}-wal").exists():
        return
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=5)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for ending in _SQLITE:
        Path(f"{path}{ending}").unlink(missing_ok=True)


def replace_table(
    path: Path, table: str, source: Path, source_table: str, is_cancelled: Callable[[], bool] = lambda: False
) -> None:
    """Put a table into a GeoPackage, in the place of one of that name, in one transaction.

    Parameters
    ----------
    path : Path
        The GeoPackage, which is there.
    source : Path
        A file with the rows.
    is_cancelled : callable
        Asked before the last step, and while another process is at work on the file.

    Raises
    ------
    QgsProcessingException
        If it could not be written; the table before stays.
    """
    from osgeo import gdal

    failures = (OSError, RuntimeError)
    with sentences(path, kinds=failures), waiting(path, is_cancelled), _raising(gdal):
        end = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                _replace_table(path, table, source, source_table, is_cancelled)
                return
            except RuntimeError as error:
                # Somebody else, such as QGIS for a style, writes to the file in this very moment.
                if "locked" not in str(error) or time.monotonic() > end or is_cancelled():
                    raise
                time.sleep(0.2)


def _replace_table(path: Path, table: str, source: Path, source_table: str, is_cancelled: Callable[[], bool]) -> None:
    from osgeo import gdal

    target = gdal.OpenEx(str(path), gdal.OF_VECTOR | gdal.OF_UPDATE)
    rows = gdal.OpenEx(str(source), gdal.OF_VECTOR)
    # GDAL's own way of copying makes the spatial index when the file is closed, after its transaction.
    target.ExecuteSQL(f"ATTACH DATABASE {outputs.quote_text(str(source))} AS made")
    target.StartTransaction()
    try:
        _copy_table(target, table, rows.GetLayerByName(source_table))
        if is_cancelled():
            raise QgsProcessingException(tr("Cancelled: nothing was written."))
        target.CommitTransaction()
    except BaseException:
        # SQLite has rolled back by itself where the disk is full.
        with contextlib.suppress(RuntimeError):
            target.RollbackTransaction()
        raise
    finally:
        target = rows = None


def _copy_table(target: Any, table: str, source: Any) -> None:
    """Replace a table by one of the attached file ``made``, within the transaction under way."""
    for number in range(target.GetLayerCount()):
        if target.GetLayer(number).GetName().lower() == table.lower():
            target.DeleteLayer(number)
            break
    geometry, fid = source.GetGeometryColumn(), source.GetFIDColumn()
    options = [f"FID={fid}", f"GEOMETRY_NAME={geometry or 'geom'}", "SPATIAL_INDEX=NO"]
    copy = target.CreateLayer(table, source.GetSpatialRef(), source.GetGeomType(), options)
    definition = source.GetLayerDefn()
    for number in range(definition.GetFieldCount()):
        copy.CreateField(definition.GetFieldDefn(number))
    copy.SyncToDisk()
    names = [definition.GetFieldDefn(number).GetName() for number in range(definition.GetFieldCount())]
    columns = ", ".join(outputs.quote_name(name) for name in [fid, *names])
    shapes = ""
    if geometry:
        reference = f"(SELECT srs_id FROM main.gpkg_geometry_columns WHERE table_name = {outputs.quote_text(table)})"
        columns += f", {outputs.quote_name(geometry)}"
        # A CRS without a code may have another number there.
        shapes = f", SetSRID({outputs.quote_name(geometry)}, {reference})"
    values = ", ".join(outputs.quote_name(name) for name in [fid, *names]) + shapes
    origin = f"made.{outputs.quote_name(source.GetName())}"
    target.ExecuteSQL(f"INSERT INTO main.{outputs.quote_name(table)} ({columns}) SELECT {values} FROM {origin}")
    number = source.GetFeatureCount()
    where = f"WHERE table_name = {outputs.quote_text(table)}"
    target.ExecuteSQL(f"UPDATE main.gpkg_ogr_contents SET feature_count = {number} {where}")
    if geometry:
        target.ExecuteSQL(f"SELECT CreateSpatialIndex({outputs.quote_text(table)}, {outputs.quote_text(geometry)})")
        if number:
            west, east, south, north = source.GetExtent()
            target.ExecuteSQL(
                f"UPDATE main.gpkg_contents SET min_x = {west!r}, max_x = {east!r}, min_y = {south!r}, "
                f"max_y = {north!r} WHERE table_name = {outputs.quote_text(table)}"
            )


def make_geopackage(path: Path) -> None:
    """Make a GeoPackage without tables."""
    from osgeo import gdal

    with sentences(path, kinds=(OSError, RuntimeError)), _raising(gdal):
        gdal.GetDriverByName("GPKG").Create(str(path), 0, 0, 0, gdal.GDT_Unknown)


@contextmanager
def _raising(gdal: object) -> Iterator[None]:
    """GDAL's errors as exceptions, for this block only: other plugins count on the way it was."""
    was_on = gdal.GetUseExceptions()  # type: ignore[attr-defined]
    gdal.UseExceptions()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if not was_on:
            gdal.DontUseExceptions()  # type: ignore[attr-defined]


@contextmanager
def sentences(path: Path, remedy: str = "", kinds: tuple[type[Exception], ...] = (OSError,)) -> Iterator[None]:
    """Turn trouble with a place of files into a sentence with a remedy."""
    try:
        yield
    except QgsProcessingException:
        raise
    except kinds as error:
        why = (getattr(error, "strerror", None) or " ".join(str(error).split())).rstrip(".")
        if isinstance(error, PermissionError) and not remedy:
            raise QgsProcessingException(
                tr(
                    "The file {path} could not be replaced ({why}): it is open in another program, or as a layer of "
                    "this project. Close it there, or choose another file."
                ).format(path=path, why=why)
            ) from error
        raise QgsProcessingException(
            tr("Nothing could be written to {path}: {why}. {remedy}").format(
                path=path, why=why, remedy=remedy or tr("Free some disk space or choose another destination.")
            )
        ) from error
