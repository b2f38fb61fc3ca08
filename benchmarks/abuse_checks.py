"""What `abuse` judges by: whether an output is whole, what lies beside it, and who still runs.

Plain functions without QGIS, so that each can be shown to find what it looks for
(``tests/engine/test_abuse_benchmark.py``).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

#: What SQLite keeps beside a database; a plain copy of the database alone lacks what is in the first two.
JOURNALS = ("-wal", "-journal")
SIDECARS = (*JOURNALS, "-shm")
#: Environment variable that marks every process of a run, whoever becomes its parent.
MARK = "CRIMERISK_ABUSE"
#: Tables that hold no rows of ours start so.
_OWN_TABLES = ("gpkg_", "rtree_", "sqlite_", "layer_styles")


class Broken(Exception):
    """An output cannot be read to its end; the message says why."""


def contents(path: Path) -> dict[str, str]:
    """A short text for each part of an output that is told apart: tables of a GeoPackage, else the file as one.

    Raises
    ------
    Broken
        If it is not whole in itself.
    FileNotFoundError
    """
    if not path.exists():
        raise FileNotFoundError(path)
    reader = {
        ".gpkg": _geopackage,
        ".shp": _shapefile,
        ".tif": _raster,
        ".geojson": _geojson,
        ".html": _page,
        ".crimeindex": _bundle,
    }
    return reader.get(path.suffix, _bytes)(path)


def state(path: Path, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Say which output lies at `path`: ``old``, ``new``, ``gone``, ``neither``, or ``broken`` with the reason."""
    try:
        found = contents(path)
    except FileNotFoundError:
        return "gone"
    except Broken as error:
        return f"broken: {error}"
    # Tables that nobody asked for are looked at by `faults`.
    for name, wanted in (("new", new), ("old", old)):
        if {key: found.get(key) for key in wanted} == dict(wanted):
            return name
    rows = {key: value.split()[0] for key, value in found.items()}
    return f"neither: {rows or 'empty'}"


def faults(path: Path, expected: Collection[str], indexed: bool = True) -> list[str]:
    """What is wrong with a GeoPackage though its rows can be read.

    Parameters
    ----------
    path : Path
    expected : collection of str
        Tables of rows that may be there.
    indexed : bool
        Whether tables with a geometry must have a whole spatial index.
    """
    if path.suffix != ".gpkg" or not path.exists():
        return []
    found = []
    try:
        with tempfile.TemporaryDirectory() as folder, closing(_opened(path, Path(folder))) as base:
            tables = _tables(base)
            found += [f"table {name} that nobody asked for" for name in tables if name not in expected]
            shaped = dict(base.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
            for name in tables:
                count = base.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                told = base.execute("SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (name,))
                for (number,) in told:
                    if number is not None and number != count:
                        found.append(f"table {name} says {number} rows and has {count}")
                if indexed and name in shaped:
                    rtree = f"rtree_{name}_{shaped[name]}"
                    try:
                        entries = base.execute(f'SELECT count(*) FROM "{rtree}"').fetchone()[0]
                    except sqlite3.Error:
                        entries = 0
                    if entries != count:
                        found.append(f"spatial index of {name} has {entries} of {count} rows")
    except (sqlite3.Error, OSError):
        # Unreadable: `state` says so.
        pass
    return found


def open_journals(path: Path) -> list[str]:
    """Names of journals beside a database that still hold something of it."""
    beside = [path.with_name(path.name + end) for end in JOURNALS]
    return [each.name for each in beside if each.exists() and each.stat().st_size]


def state_without_journal(path: Path, folder: Path, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """What lies in a file that is copied without what lies beside it; see `state`."""
    folder.mkdir(exist_ok=True)
    shutil.copy2(path, folder / path.name)
    try:
        return state(folder / path.name, old, new)
    finally:
        shutil.rmtree(folder)


def leftovers(folder: Path, expected: Collection[str]) -> list[str]:
    """Names in a folder, hidden ones too, that an ordinary run does not leave there."""
    return sorted(each.name + "/" * each.is_dir() for each in folder.iterdir() if each.name not in expected)


def running(mark: str) -> dict[int, str]:
    """Process ids and commands of what runs with `MARK` set to `mark`; what is dead and not yet buried is not there."""
    found = {}
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(entry.name)] = command.decode("utf-8", "replace").strip()
        except OSError:
            continue
    return found


def is_sentence(said: str) -> bool:
    """Whether a run's output tells people why: a sentence, and no traceback."""
    if "Traceback (most recent call last)" in said:
        return False
    lines = [line.strip() for line in said.splitlines() if not line.startswith("Warning")]
    return any(re.match(r"[A-Z].*\.$", line) and len(line.split()) > 3 for line in lines)


@dataclass
class Verdict:
    """What one case came to."""

    lost: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    false_success: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)
    journals: list[str] = field(default_factory=list)

    def why(self) -> dict[str, list[str]]:
        """The counts that are not nothing, but for journals, which are no offence."""
        return {name: texts for name, texts in vars(self).items() if texts and name != "journals"}


def judge(found: str, code: int | None, said: str, must_say: bool) -> Verdict:
    """Judge what lies at the destination against what the run said.

    Parameters
    ----------
    found : str
        From `state`.
    code : int or None
        Exit code; None if the run had to be ended.
    said : str
        All it printed.
    must_say : bool
        Whether a failure owes a sentence; one that was killed does not.
    """
    verdict = Verdict()
    if found not in ("old", "new"):
        verdict.lost.append(f"the output is {found}")
        if found != "gone":
            verdict.partial.append(f"the output is {found}")
    if code == 0 and found != "new":
        verdict.false_success.append(f"success, and the output is {found}")
    if code is None:
        verdict.unsaid.append("it did not end")
    elif code and must_say and not is_sentence(said):
        verdict.unsaid.append(said.strip()[-300:] or "nothing was said")
    return verdict


def race_verdict(found: Mapping[str, str] | str, runs: Iterable[tuple[int, Mapping[str, str]]], apart: bool) -> Verdict:
    """Judge two runs onto one destination.

    Parameters
    ----------
    found : mapping or str
        `contents` of the destination, or what is wrong with it.
    runs : iterable of (exit code, contents)
        How each ended and what it wrote.
    apart : bool
        Whether they wrote different tables, so that both must be there.
    """
    verdict = Verdict()
    done = [wanted for code, wanted in runs if code == 0]
    there = [isinstance(found, Mapping) and {key: found.get(key) for key in wanted} == dict(wanted) for wanted in done]
    # Onto one destination the last one's rows stay, and which was the last is theirs to settle.
    if done and not (all(there) if apart else any(there)):
        rows = found if isinstance(found, str) else {key: value.split()[0] for key, value in found.items()}
        gone = there.count(False) if apart else 1
        verdict.lost += [f"{len(done)} said success, and the output holds {rows}"] * gone
        verdict.false_success += verdict.lost
    return verdict


def _digest(*parts: bytes) -> str:
    made = hashlib.sha256()
    for part in parts:
        made.update(len(part).to_bytes(8, "little") + part)
    return made.hexdigest()[:16]


def _bytes(path: Path) -> dict[str, str]:
    data = path.read_bytes()
    return {"": f"{len(data)} {_digest(data)}"}


def _page(path: Path) -> dict[str, str]:
    if not path.read_bytes().rstrip().endswith(b"</html>"):
        raise Broken("the page has no end")
    return _bytes(path)


def _geojson(path: Path) -> dict[str, str]:
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (ValueError, KeyError) as error:
        raise Broken(str(error)) from error
    return {"": f"{len(features)} {_digest(json.dumps(features).encode())}"}


def _shapefile(path: Path) -> dict[str, str]:
    parts = []
    for suffix in (".shp", ".shx", ".dbf"):
        part = path.with_suffix(suffix)
        if not part.exists():
            raise Broken(f"there is no {suffix}")
        data = part.read_bytes()
        if suffix == ".dbf":
            rows, head, width = (int.from_bytes(data[at:end], "little") for at, end in ((4, 8), (8, 10), (10, 12)))
            if len(data) < head + rows * width:
                raise Broken(f"the .dbf ends before its {rows} rows do")
            # Without the day of the last change.
            data = data[4:]
        elif int.from_bytes(data[24:28], "big") * 2 != len(data):
            raise Broken(f"the {suffix} is not as long as it says")
        parts.append(data)
    return {"": f"{rows} {_digest(*parts)}"}


def _bundle(path: Path) -> dict[str, str]:
    try:
        with zipfile.ZipFile(path) as bundle:
            if bad := bundle.testzip():
                raise Broken(f"{bad} is damaged")
            parts = [f"{info.filename} {info.CRC}" for info in bundle.infolist()]
    except (zipfile.BadZipFile, OSError) as error:
        raise Broken(str(error)) from error
    return {"": f"{len(parts)} {_digest(*(part.encode() for part in parts))}"}


def _raster(path: Path) -> dict[str, str]:
    import rasterio

    try:
        with rasterio.open(path) as raster:
            parts = [raster.read(band + 1).tobytes() for band in range(raster.count)]
            shape = f"{raster.shape} {raster.dtypes} {raster.transform} {raster.descriptions}"
    except rasterio.errors.RasterioError as error:
        raise Broken(str(error)) from error
    return {"": f"{len(parts)} {_digest(shape.encode(), *parts)}"}


def _opened(path: Path, folder: Path) -> sqlite3.Connection:
    """Open a copy with its journals: reading the file itself would mend it."""
    for end in ("", *JOURNALS):
        if (part := path.with_name(path.name + end)).exists():
            shutil.copy(part, folder / part.name)
    return sqlite3.connect(folder / path.name)


def _tables(base: sqlite3.Connection) -> list[str]:
    names = base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in names if not name.startswith(_OWN_TABLES)]


def _geopackage(path: Path) -> dict[str, str]:
    found = {}
    try:
        with tempfile.TemporaryDirectory() as folder, closing(_opened(path, Path(folder))) as base:
            if (told := base.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise Broken(str(told))
            listed = {name for (name,) in base.execute("SELECT table_name FROM gpkg_contents")}
            for name in _tables(base):
                if name not in listed:
                    continue
                rows, made = 0, hashlib.sha256()
                for row in base.execute(f'SELECT * FROM "{name}" ORDER BY rowid'):
                    rows += 1
                    made.update(repr(row).encode())
                found[name] = f"{rows} {made.hexdigest()[:16]}"
    except sqlite3.Error as error:
        raise Broken(str(error)) from error
    return found
