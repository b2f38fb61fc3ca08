"""Which files an input holds: it may be a file, a folder or an archive. Nothing is unpacked to disk."""

from __future__ import annotations

import errno
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from ..contract.texts import count_text, list_names
from ..ground.errors import DataError, FormatError, ParameterError
from . import filekinds

_HEAD = 1024
_BLOCK = 1 << 20
#: More than so many bytes, and so many times what they take in the archive, are there to fill a disk.
_BOMB_BYTES, _BOMB_RATIO = 1 << 30, 200


@dataclass(frozen=True)
class Source:
    """A file with rows, on disk or in an archive.

    Attributes
    ----------
    path : Path
        On disk.
    label : str
        What sentences call it: its name, behind that of its folder or archive.
    member : str
        Its name in the ZIP at `path`; empty for the file itself.
    packed : bool
        It is a gzip file.
    size : int
        In bytes, unpacked as far as is known.
    is_workbook : bool
    """

    path: Path
    label: str
    member: str = ""
    packed: bool = False
    size: int = 0
    is_workbook: bool = False

    def open(self) -> BinaryIO:
        """Open it, unpacked; to be read within `reading`."""
        if not self.member:
            return cast(BinaryIO, gzip.open(self.path)) if self.packed else self.path.open("rb")
        with zipfile.ZipFile(self.path) as archive:
            # The member keeps the archive's file open until it is closed itself.
            raw = archive.open(self.member)
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw) if self.packed else raw)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn what breaks an archive while it is read into a sentence."""
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, gzip.BadGzipFile, EOFError) as error:
            raise _broken(self.label) from error
        except OSError as error:
            # A member that lies before the file's begin.
            if error.errno == errno.EINVAL:
                raise _broken(self.label) from error
            raise
        except (RuntimeError, NotImplementedError) as error:
            if "password" in str(error) or "compression" in str(error):
                raise _locked(self.label) from error
            raise


@dataclass
class Found:
    """What was found in an input.

    Attributes
    ----------
    sources : list of Source
        Sorted by name.
    others : list of str
        Names of files that are none.
    chosen : bool
        Each was named by itself, or asked for by a pattern.
    """

    sources: list[Source]
    others: list[str]
    chosen: bool


def find_sources(paths: Sequence[str | Path], patterns: Sequence[str] = ()) -> Found:
    """Find the files with rows in files, folders and archives.

    Parameters
    ----------
    paths : sequence of path
    patterns : sequence of str
        Of names, such as ``*-outcomes.csv``: only files that fit one of them; empty for all. A pattern may be that of a
        sheet, so that workbooks are always among them.

    Raises
    ------
    ParameterError
        If there is no such file, or none fits.
    DataError, FormatError
        If a file is of another kind, broken, locked or a trap.
    """
    found: list[Source] = []
    others: list[str] = []
    single = True
    seen: set[Path] = set()
    for path in map(Path, paths):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        made, left = _look_into(path)
        single = single and not (path.is_dir() or any(each.member for each in made))
        found += made
        others += left
    if not patterns:
        return Found(found, others, single)
    wanted = [source for source in found if source.is_workbook or fits(source.label, patterns)]
    if not wanted:
        raise ParameterError(
            f"No file fits {', '.join(patterns)}; there are {list_names([source.label for source in found])}",
            parameter="files",
            value=", ".join(patterns),
            remedy="Write a pattern of names such as *-street.csv, or leave it empty",
        )
    kept = set(wanted)
    return Found(wanted, others + [source.label for source in found if source not in kept], True)


def fits(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name, or what stands behind one of its slashes, fits one of the patterns; capitals do not matter."""
    return any(fnmatch(f"/{name.lower()}", f"*/{pattern.strip().lower()}") for pattern in patterns)


def _look_into(path: Path) -> tuple[list[Source], list[str]]:
    # Whatever it is called: a folder may be named x.zip.
    if not path.is_dir():
        return _look_at(path, path.name)
    sources: list[Source] = []
    others: list[str] = []
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if not file.is_file() or _is_hidden(name):
            continue
        if file.suffix.lower() in (*filekinds.ENDINGS, ".zip"):
            made, left = _look_at(file, name)
            sources += made
            others += left
        else:
            others.append(name)
    if not sources:
        raise _no_tables(f"The folder {path.name}", others, path)
    return sources, others


def _look_at(path: Path, label: str) -> tuple[list[Source], list[str]]:
    """Look at a file: itself, or what is in it."""
    if not path.is_file():
        raise ParameterError(
            f"There is no file {path}", parameter="path", value=path, remedy="Choose a file or folder that exists"
        )
    with path.open("rb") as file:
        head = file.read(_HEAD)
    _refuse_foreign(head, label)
    if filekinds.is_old_workbook(head):
        return [Source(path, label, is_workbook=True, size=path.stat().st_size)], []
    if filekinds.is_gzip(head):
        return [_look_into_gzip(path, label)], []
    if filekinds.is_zip(head):
        return _look_into_zip(path, label)
    return [Source(path, label, size=path.stat().st_size)], []


def _look_into_gzip(path: Path, label: str) -> Source:
    source = Source(path, label, packed=True)
    size = 0
    head = b""
    with source.reading(), source.open() as file:
        while block := file.read(_BLOCK):
            head = head or block[:_HEAD]
            size += len(block)
            _refuse_bomb(label, size, path.stat().st_size)
    _refuse_foreign(head, label)
    book = filekinds.is_zip(head) or filekinds.is_old_workbook(head)
    return Source(path, label, packed=True, size=size, is_workbook=book)


def _look_into_zip(path: Path, label: str) -> tuple[list[Source], list[str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if not each.is_dir() and not _is_hidden(each.filename)]
    except zipfile.BadZipFile as error:
        raise _broken(label) from error
    if filekinds.is_workbook(each.filename for each in members):
        for each in members:
            _refuse_bomb(label, each.file_size, each.compress_size)
        return [Source(path, label, is_workbook=True, size=path.stat().st_size)], []
    sources: list[Source] = []
    others: list[str] = []
    for each in sorted(members, key=lambda each: each.filename):
        ending = PurePosixPath(each.filename).suffix.lower()
        name = f"{label}/{each.filename}"
        if ending not in filekinds.ENDINGS:
            others.append(name)
            continue
        if each.flag_bits & 1:
            raise _locked(name)
        _refuse_bomb(name, each.file_size, each.compress_size)
        book = ending in filekinds.WORKBOOKS
        sources.append(Source(path, name, each.filename, ending == ".gz", each.file_size, book))
    if not sources:
        if layer := filekinds.find_layers(others):
            raise DataError(
                f"{label} holds a layer already ({layer})",
                parameter="path",
                value=path,
                remedy="Drag it into QGIS and choose that layer as INPUT of the other tools; it needs no import",
            )
        raise _no_tables(f"The archive {label}", others, path)
    return sources, others


def _is_hidden(name: str) -> bool:
    """Whether a name is one of those that systems leave in folders and archives."""
    return any(part.startswith((".", "__MACOSX", "~$")) for part in PurePosixPath(name).parts)


def _refuse_foreign(head: bytes, label: str) -> None:
    if foreign := filekinds.describe_foreign(head, label):
        problem, remedy = foreign
        raise DataError(f"{label} {problem}", parameter="path", value=label, remedy=remedy)


def _refuse_bomb(label: str, size: int, packed: int) -> None:
    if size > _BOMB_BYTES and size > _BOMB_RATIO * max(packed, 1):
        raise DataError(
            f"{label} unpacks to more than {size / 1e9:.1f} GB, {count_text(size // max(packed, 1), 'time')} what it"
            f" takes packed: "
            "it may be there to fill this computer",
            parameter="path",
            value=label,
            remedy="If you trust it, unpack it yourself and choose the folder",
        )


def _no_tables(what: str, others: Sequence[str], path: Path) -> DataError:
    holds = f"it holds {list_names(others)}" if others else "it is empty"
    remedy = f"Choose a file or folder with {', '.join(filekinds.ENDINGS)}"
    if any(name.lower().endswith(".zip") for name in others):
        remedy = "Unpack the archive in it, and choose the folder"
    return DataError(f"{what} holds no table of rows: {holds}", parameter="path", value=path, remedy=remedy)


def _broken(label: str) -> FormatError:
    return FormatError(
        f"{label} is broken or was not downloaded to its end",
        parameter="path",
        value=label,
        remedy="Download or copy it again",
    )


def _locked(label: str) -> DataError:
    return DataError(
        f"{label} is locked with a password or packed in a way that is not read",
        parameter="path",
        value=label,
        remedy="Unpack it yourself and choose the folder; save a workbook without its password",
    )


def make_bytes(source: Source) -> io.BytesIO:
    """Read a file as a whole."""
    with source.reading(), source.open() as file:
        return io.BytesIO(file.read())
