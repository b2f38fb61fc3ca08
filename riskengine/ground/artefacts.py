"""Files on disk: written whole or not at all, and loaded without running code.

A ``.crimeindex`` is a ZIP of ``.npy`` arrays (never pickled) and one JSON text; a model is a safetensors file with JSON
in its header (see `learning.modelfile`). Both say what they are and which version of the format they follow, so that a
foreign, truncated or newer file is refused with a sentence.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.owners import make_owner
from .containers import (
    CHECKSUM,
    READING_ERRORS,
    Arrays,
    check_checksum,
    compute_checksum,
    map_bytes,
    map_member,
    open_zip,
    read_json,
    read_member,
    read_npy,
)
from .damage import Damaged, check_plain
from .errors import CrimeRiskError, FormatError, OutputError

_META = "meta.json"
#: Set behind the writer's mark, so that whoever ends a process knows its leftovers.
PARTIAL_SUFFIX = ".partial"
#: Before the writer's mark in the name of a folder that is not whole yet.
PARTIAL_FOLDER = ".crime_risk_"


def make_partial_name(path: Path, pid: int | None = None) -> Path:
    """Name the file that `path` is written to until it is whole: same folder, same ending (GDAL goes by it)."""
    return path.with_name(f".{path.stem}.{make_owner(pid)}{PARTIAL_SUFFIX}{path.suffix}")


def check_folder(path: str | Path, parameter: str = "output") -> None:
    """Refuse a destination in a folder that does not exist; before a job works long for it.

    Raises
    ------
    OutputError
    """
    path = Path(path)
    if not path.name:
        raise OutputError(
            f"{parameter} is empty, or no name of a file",
            parameter=parameter,
            value=path,
            remedy="Choose a destination",
        )
    if not path.parent.is_dir():
        raise OutputError(
            f"The folder {path.parent} of {parameter} does not exist",
            parameter=parameter,
            value=path,
            remedy="Create it or choose another destination",
        )


@contextmanager
def whole_file(path: str | Path, parameter: str = "output") -> Iterator[Path]:
    """Give a temporary path beside `path`; it takes the place of `path` only if the block succeeds.

    Raises
    ------
    OutputError
        If the folder is missing or not writable, or the disk is full.
    """
    path = Path(path)
    check_folder(path, parameter)
    temporary = make_partial_name(path)
    try:
        with _saying_why(path, parameter):
            yield temporary
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path, parameter: str = "output") -> Iterator[Path]:
    """Give a temporary folder beside `path`; it takes the place of `path` only if the block succeeds.

    Raises
    ------
    OutputError
        If there is anything at `path` but an empty folder, or it cannot be written.
    """
    path = Path(path)
    check_folder(path, parameter)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(
            f"{path} is there already and not empty",
            parameter=parameter,
            value=path,
            remedy="Choose a new or empty folder",
        )
    temporary = path.with_name(f"{PARTIAL_FOLDER}{make_owner()}_{uuid.uuid4().hex[:8]}")
    try:
        with _saying_why(path, parameter):
            temporary.mkdir()
            yield temporary
            if path.exists():
                path.rmdir()
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _saying_why(path: Path, parameter: str) -> Iterator[None]:
    """Say what kept a destination from being written, in a sentence."""
    try:
        yield
    except CrimeRiskError:
        raise
    except Exception as error:
        number = getattr(error, "errno", None)
        # GDAL and numpy wrap a full disk in errors of their own: the file system knows better.
        full = number == errno.ENOSPC or _is_full(path.parent)
        if full:
            raise OutputError(
                f"The disk is full: {path} could not be written",
                parameter=parameter,
                value=path,
                remedy="Free some space or choose another destination",
            ) from error
        if isinstance(error, OSError):
            raise OutputError(
                f"{path} could not be written ({error.strerror or error})",
                parameter=parameter,
                value=path,
                remedy="Choose a destination you may write to, and close programs that hold the file open",
            ) from error
        raise


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < 64 * 1024


def compute_fingerprint(*arrays: NDArray[Any]) -> str:
    """Compute a short hash of the input, kept in every artefact made from it."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str((array.dtype.str, array.shape)).encode())
        # Map by map: a stack may be larger than the memory.
        for part in array if array.ndim > 2 else (array,):
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]


def write_bundle(
    path: str | Path,
    kind: str,
    version: int,
    meta: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    blobs: Mapping[str, Path] | None = None,
    parameter: str = "output",
) -> None:
    """Write arrays, opaque files and a JSON description as one file.

    Parameters
    ----------
    path : path
        Destination; replaced only when the new file is whole.
    kind, version : str, int
        What the file is and which version of its format; checked by `read_bundle`.
    meta : mapping
        JSON-able description.
    arrays : mapping of str to ndarray
        Stored as ``.npy`` without pickling.
    blobs : mapping of str to path, optional
        Files to include as they are.
    """
    head = {"kind": kind, "format": version, **meta}
    plain = {f"{name}.npy": np.asarray(array, order="C") for name, array in arrays.items()}
    others = {name: map_bytes(file) for name, file in (blobs or {}).items()}
    head[CHECKSUM] = compute_checksum(head, {**plain, **others})
    with (
        whole_file(path, parameter) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED, allowZip64=True) as bundle,
    ):
        bundle.writestr(_META, json.dumps(head, ensure_ascii=False))
        for name, array in plain.items():
            with bundle.open(name, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        for name, file in (blobs or {}).items():
            bundle.write(file, name)


def read_head(
    path: str | Path, kind: str, version: int, parameter: str = "input"
) -> tuple[dict[str, Any], zipfile.ZipFile]:
    """Read only the description of what `write_bundle` wrote; the bundle is still open.

    Raises
    ------
    FormatError
        If the file is missing, truncated, of another kind, or of a newer format.
    """
    path = Path(path)
    if not path.is_file():
        raise _broken(path, kind, parameter, "does not exist")
    try:
        bundle = open_zip(path)
    except Damaged as error:
        raise make_damage_error(path, kind, parameter, str(error)) from error
    except (*READING_ERRORS, NotImplementedError) as error:
        raise _broken(path, kind, parameter, "is not a whole file of this kind: it is truncated or foreign") from error
    if _META not in bundle.namelist():
        bundle.close()
        raise _broken(path, kind, parameter, "is not a whole file of this kind: it is truncated or foreign")
    try:
        meta: Any = read_json(read_member(bundle, _META))
        check_head(meta, kind, version, path, parameter)
        check_plain(meta)
    except Damaged as error:
        bundle.close()
        raise make_damage_error(path, kind, parameter, str(error)) from error
    except FormatError:
        bundle.close()
        raise
    return meta, bundle


def read_bundle(
    path: str | Path, kind: str, version: int, parameter: str = "input"
) -> tuple[dict[str, Any], Arrays, dict[str, NDArray[np.uint8]]]:
    """Read what `write_bundle` wrote: description, arrays, and the bytes of other parts.

    Raises
    ------
    FormatError
        If the file is missing, truncated, damaged, of another kind, or of a newer format.
    """
    path = Path(path)
    meta, bundle = read_head(path, kind, version, parameter)
    arrays: Arrays = {}
    others: dict[str, NDArray[np.uint8]] = {}
    try:
        with bundle:
            for name in bundle.namelist():
                if name.endswith(".npy"):
                    arrays[name] = read_npy(read_member(bundle, name), name)
                elif name != _META:
                    others[name] = map_member(path, bundle, name)
        check_checksum(path, meta.get(CHECKSUM), meta, {**arrays, **others})
    except Damaged as error:
        raise make_damage_error(path, kind, parameter, str(error)) from error
    return meta, {name[:-4]: array for name, array in arrays.items()}, others


def make_damage_error(path: str | Path, kind: str, parameter: str, what: str) -> FormatError:
    """Make the error of a file of ours that something happened to; `what` names the part that is wrong."""
    return _broken(Path(path), kind, parameter, f"is damaged: {what}")


def _broken(path: Path, kind: str, parameter: str, why: str) -> FormatError:
    wanted = kind.replace("crimerisk.", "")
    return FormatError(
        f"{path} {why}",
        parameter=parameter,
        value=path,
        remedy=f"Choose a {wanted} file written by Crime Risk, or make it again",
    )


def check_head(meta: Any, kind: str, version: int, path: Path, parameter: str) -> None:
    """Refuse a file of another kind or of a newer format with a sentence."""
    wanted = kind.replace("crimerisk.", "")
    given = meta.get("kind") if isinstance(meta, dict) else None
    if given != kind:
        # Escaped: what a foreign file says may be no text that could be written anywhere.
        said = ascii(given)[:80]
        raise FormatError(
            f"{path} is not a {wanted} file of Crime Risk (it says {said})",
            parameter=parameter,
            value=path,
            remedy=f"Choose a {wanted} file",
        )
    if not isinstance(meta.get("format"), int) or meta["format"] < 1:
        raise _broken(path, kind, parameter, "is damaged: the number of its format is none")
    if meta["format"] > version:
        newer = meta["format"] if meta["format"] < 10**6 else "unknown"
        raise FormatError(
            f"{path} was written by a newer Crime Risk (format {newer}, this one reads up to {version})",
            parameter=parameter,
            value=path,
            remedy="Update the plugin, or make the file again with this version",
        )
