"""How an output comes to its place: whole, in the stead of what was there before, or not at all.

A file is written in a hidden folder beside its place, under its own name, and moved when it is whole. A table in a
GeoPackage that is there already is written, and takes the place of its namesake, in one SQL transaction.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
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
        Asked before anything comes to its place, and while another process is at work on the same file.
    """

    def __init__(self, is_cancelled: Callable[[], bool] = lambda: False) -> None:
        self._is_cancelled = is_cancelled
        self._files: list[tuple[Path, Path]] = []
        self._tables: dict[Path, dict[str, Path]] = {}

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
        path = _follow(path)
        with sentences(path, tr("Choose a folder that you may write to.")):
            folder = leftovers.make_folder(path.parent, leftovers.BESIDE)
        self._files.append((folder, path))
        return folder / path.name

    def add_table(self, path: Path, table: str, source: Path) -> None:
        """Have a table put into a GeoPackage, which is there or not; it is the only one of `source`."""
        self._tables.setdefault(_follow(path), {})[table] = source

    def land(self) -> None:
        """Bring everything to its place.

        Raises
        ------
        QgsProcessingException
            If something cannot be; files that were moved are then what they were before. Tables that are in their
            place by then stay there.
        """
        undo: list[Callable[[], object]] = []
        try:
            for number, (path, tables) in enumerate(self._tables.items()):
                # Where one is in its place the others follow.
                never = (lambda: False) if number else self._is_cancelled
                with sentences(path), waiting(path, self._is_cancelled):
                    if path.exists():
                        put_tables(path, tables, never)
                    else:
                        place = self.make_place(path)
                        put_tables(place, tables, never)
                        undo += _move_all(place.parent, path)
            for folder, path in self._files:
                if path not in self._tables:
                    with sentences(path), waiting(path, self._is_cancelled):
                        undo += _move_all(folder, path)
        except BaseException:
            for step in reversed(undo):
                with contextlib.suppress(OSError):
                    step()
            raise


def _follow(path: Path) -> Path:
    """What a link leads to is replaced, not the link."""
    return path.resolve() if path.is_symlink() else path


@contextmanager
def waiting(path: Path, is_cancelled: Callable[[], bool], seconds: float = 600.0) -> Iterator[None]:
    """Let nobody else change the file meanwhile; for the moment in which it changes."""
    try:
        with locks.wait_for(locks.lock_of(path), is_cancelled, seconds):
            yield
    except locks.Held as held:
        raise QgsProcessingException(
            tr(
                "The file {path} is being written by process {owner}. Wait until that has ended, or choose another "
                "file."
            ).format(path=path, owner=held.owner)
        ) from None


def _move_all(folder: Path, path: Path) -> list[Callable[[], object]]:
    """Move what lies in a hidden folder beside a file to its place; returns how that is undone."""
    made = sorted(each for each in folder.iterdir() if not each.name.endswith(_SQLITE))
    if path.suffix.lower() == ".gpkg":
        _settle(path)
    names = {each.name for each in made}
    stale = [path.with_suffix(ending) for ending in _SIDECARS.get(path.suffix.lower(), ())]
    undo: list[Callable[[], object]] = []
    before = folder / "before"
    before.mkdir()
    # The main file last: until then the old one is what is opened.
    for each in sorted(made, key=lambda each: each.name == path.name):
        place, kept = path.parent / each.name, before / each.name
        undo.append(_keep(place, kept))
        each.replace(place)
    for other in stale:
        if other.name not in names and other.exists():
            undo.append(_keep(other, before / other.name))
            other.unlink()
    return undo


def _keep(place: Path, kept: Path) -> Callable[[], object]:
    """Keep a file by a second name while another takes its place; returns how it is put back."""
    if not place.exists():
        return lambda: place.unlink(missing_ok=True)
    try:
        os.link(place, kept)
    except OSError:
        # No file system of every kind can; then the new one stays.
        return lambda: None
    return lambda: kept.replace(place)


def _settle(path: Path) -> None:
    """Bring into an old GeoPackage what its journals hold, and remove them: SQLite would read them with the new file.

    Raises
    ------
    OSError
        If another program is writing to it.
    """
    beside = [Path(f"{path}{ending}") for ending in _SQLITE]
    if not path.exists() or not any(each.exists() for each in beside):
        for each in beside:
            each.unlink(missing_ok=True)
        return
    busy = 0
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=5)) as database:
        # Reading undoes what a killed program has left in the middle.
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        busy = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise OSError(tr("another program is writing to it"))
    for each in beside:
        each.unlink(missing_ok=True)


def put_tables(path: Path, tables: Mapping[str, Path], is_cancelled: Callable[[], bool] = lambda: False) -> None:
    """Put tables into a GeoPackage, each in the place of one of its name, all in one transaction.

    Parameters
    ----------
    path : Path
        The GeoPackage; it is made if it is not there.
    tables : mapping of str to Path
        By name, a GeoPackage with no other table, which is named as the file is.
    is_cancelled : callable
        Asked before the last step.

    Raises
    ------
    QgsProcessingException
        If it could not be written; the tables before stay.
    """
    from osgeo import gdal

    with sentences(path, kinds=(OSError, RuntimeError)), _raising(gdal):
        if not path.exists():
            gdal.GetDriverByName("GPKG").Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
        end = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                _put_tables(path, tables, is_cancelled)
                return
            except RuntimeError as error:
                # Somebody else, such as QGIS for a style, writes to the file in this very moment.
                if "locked" not in str(error) or time.monotonic() > end or is_cancelled():
                    raise
                time.sleep(0.2)


def _put_tables(path: Path, tables: Mapping[str, Path], is_cancelled: Callable[[], bool]) -> None:
    from osgeo import gdal

    target = gdal.OpenEx(str(path), gdal.OF_VECTOR | gdal.OF_UPDATE)
    sources = [gdal.OpenEx(str(source), gdal.OF_VECTOR) for source in tables.values()]
    # GDAL's own way of copying makes the spatial index when the file is closed, after its transaction.
    for number, source in enumerate(tables.values()):
        target.ExecuteSQL(f"ATTACH DATABASE {outputs.quote_text(str(source))} AS made{number}")
    target.StartTransaction()
    try:
        for number, ((table, source), opened) in enumerate(zip(tables.items(), sources)):
            _copy_table(target, table, opened.GetLayerByName(source.stem), f"made{number}")
        if is_cancelled():
            raise QgsProcessingException(tr("Cancelled: nothing was written."))
        target.CommitTransaction()
    except BaseException:
        # SQLite has rolled back by itself where the disk is full.
        with contextlib.suppress(RuntimeError):
            target.RollbackTransaction()
        raise
    finally:
        target = sources = opened = None


def _copy_table(target: Any, table: str, source: Any, made: str) -> None:
    """Replace a table by one of an attached file, within the transaction under way."""
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
    origin = f"{made}.{outputs.quote_name(source.GetName())}"
    target.ExecuteSQL(f"INSERT INTO main.{outputs.quote_name(table)} ({columns}) SELECT {values} FROM {origin}")
    number = source.GetFeatureCount()
    if copy.GetFeatureCount() != number:
        raise RuntimeError(tr("not all rows could be copied"))
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


@contextmanager
def _raising(gdal: Any) -> Iterator[None]:
    """Have GDAL raise its errors in this block, one thread at a time: it is said for the whole process."""
    with _ONE_AT_A_TIME:
        was_on = gdal.GetUseExceptions()
        gdal.UseExceptions()
        try:
            yield
        finally:
            if not was_on:
                gdal.DontUseExceptions()


_ONE_AT_A_TIME = threading.Lock()


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
        if "locked" in why or "writing" in why:
            remedy = tr("Close it in other programs, or choose another destination.")
        raise QgsProcessingException(
            tr("Nothing could be written to {path}: {why}. {remedy}").format(
                path=path, why=why, remedy=remedy or tr("Free some disk space or choose another destination.")
            )
        ) from error
