"""The two containers of our files, read within their size: ZIPs of ``.npy`` arrays, and safetensors.

Whatever a file says of itself is compared with how large it is before memory is asked for, and with its checksum
where it has one: files of 0.5 and before have none.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text
from .damage import Damaged

Arrays = dict[str, NDArray[Any]]

#: Key of the checksum in a description.
CHECKSUM = "checksum"
#: Everything that reading a damaged container, or JSON in it, may raise.
READING_ERRORS = (
    zipfile.BadZipFile,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    SyntaxError,
    RuntimeError,
    OverflowError,
    struct.error,
)
#: Members of a ZIP, bytes of a header of safetensors, at most.
_MEMBERS, _HEADER = 64, 2**26
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_NPY_TYPES = frozenset(_TYPES.values())
#: Files whose checksum was right: path, time of the last change, size.
_checked: set[tuple[str, int, int, int]] = set()


def compute_checksum(head: Mapping[str, Any], parts: Mapping[str, NDArray[Any]]) -> str:
    """Compute the checksum of all that a file holds: its description without the checksum, and its parts."""
    plain = {key: value for key, value in head.items() if key != CHECKSUM}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode("ascii"))
    for name in sorted(parts):
        part = parts[name]
        digest.update(json.dumps([name, part.dtype.str, *part.shape]).encode("ascii"))
        # A view of bytes: no copy of what may be most of the memory.
        digest.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def check_checksum(path: Path, wanted: Any, head: Mapping[str, Any], parts: Mapping[str, NDArray[Any]]) -> None:
    """Compare what was read with the file's checksum, once for each file and change of it.

    Raises
    ------
    Damaged
    """
    if wanted is None:
        return
    status = path.stat()
    stamp = (str(path.absolute()), status.st_mtime_ns, status.st_ctime_ns, status.st_size)
    if stamp in _checked:
        return
    if compute_checksum(head, parts) != wanted:
        raise Damaged("its checksum is another one than that of its content")
    _checked.add(stamp)


def read_json(text: str | bytes) -> Any:
    """Read JSON that somebody may have altered.

    Raises
    ------
    Damaged
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Damaged("its description cannot be read") from error


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a ZIP whose members are plain and lie within the file.

    Raises
    ------
    Damaged
    """
    size = path.stat().st_size
    bundle = zipfile.ZipFile(path)
    members = bundle.infolist()
    names = {member.filename for member in members}
    if len(members) > _MEMBERS or len(names) != len(members):
        bundle.close()
        raise Damaged(f"it has {count_text(len(members), 'part')}, or one of them twice")
    for member in members:
        plain = member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 0x61
        if not plain or member.file_size != member.compress_size or member.header_offset + member.file_size > size:
            bundle.close()
            raise Damaged(f"its part {member.filename!r} is packed, or larger than the file")
    if sum(member.file_size for member in members) > size:
        bundle.close()
        raise Damaged("its parts are larger than the file")
    return bundle


def read_member(bundle: zipfile.ZipFile, name: str) -> bytes:
    """Read a part of a ZIP as it is.

    Raises
    ------
    Damaged
        If its bytes are not those that were written.
    """
    try:
        return bundle.read(name)
    except (*READING_ERRORS, NotImplementedError) as error:
        raise Damaged(f"its part {name!r} cannot be read") from error


def map_bytes(path: Path, start: int = 0, size: int | None = None) -> NDArray[np.uint8]:
    """See a file, or a part of it, as bytes that are read when they are looked at."""
    size = path.stat().st_size - start if size is None else size
    return np.memmap(path, np.uint8, "r", start, (size,)) if size > 0 else np.zeros(0, dtype=np.uint8)


def map_member(path: Path, bundle: zipfile.ZipFile, name: str) -> NDArray[np.uint8]:
    """See a part of a ZIP as bytes; it may be larger than the memory.

    Raises
    ------
    Damaged
    """
    member = bundle.getinfo(name)
    with path.open("rb") as file:
        file.seek(member.header_offset)
        head = file.read(30)
    if len(head) < 30 or head[:4] != b"PK\3\4":
        raise Damaged(f"its part {name!r} cannot be read")
    start = member.header_offset + 30 + sum(struct.unpack("<HH", head[26:30]))
    if start + member.file_size > path.stat().st_size:
        raise Damaged(f"its part {name!r} is larger than the file")
    return map_bytes(path, start, member.file_size)


def read_npy(content: bytes, name: str) -> NDArray[Any]:
    """Read an array of plain numbers that fills its part to the last byte.

    Raises
    ------
    Damaged
    """
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, turned, dtype = reader(stream)
        start = stream.tell()
        if dtype.str not in _NPY_TYPES or (turned and len(shape) > 1) or min(shape, default=0) < 0:
            raise Damaged(f"its part {name!r} cannot be read: it holds {dtype}")
        if math.prod(shape) * dtype.itemsize != len(content) - start:
            raise Damaged(f"its part {name!r} cannot be read: it is not as long as it says")
        return np.frombuffer(content, dtype, offset=start).reshape(shape)
    except Damaged:
        raise
    except READING_ERRORS as error:
        raise Damaged(f"its part {name!r} cannot be read") from error


def read_safetensors(path: Path) -> tuple[dict[str, str], Arrays]:
    """Read the texts of a safetensors file's header, and its arrays.

    Raises
    ------
    Damaged
    """
    content = path.read_bytes()
    if len(content) < 8:
        raise Damaged("it is too short")
    (length,) = struct.unpack("<Q", content[:8])
    if length > min(len(content) - 8, _HEADER):
        raise Damaged("its header is longer than the file")
    header = read_json(content[8 : 8 + length])
    if not isinstance(header, dict):
        raise Damaged("its header is no table")
    texts = header.pop("__metadata__", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise Damaged("its header holds other things than texts")
    arrays: Arrays = {}
    end = 8 + length
    for name, entry in sorted(header.items(), key=lambda item: _begin_of(*item)):
        array = _read_tensor(content, 8 + length, end, name, entry)
        arrays[name] = array
        end += array.nbytes
    if end != len(content):
        raise Damaged("its arrays do not fill it")
    return texts, arrays


def _begin_of(name: str, entry: Any) -> tuple[int, int]:
    try:
        begin, end = entry["data_offsets"]
        if type(begin) is type(end) is int:
            return begin, end
    except (TypeError, ValueError, LookupError) as error:
        raise Damaged(f"the header's entry of {name} cannot be read") from error
    raise Damaged(f"the header's entry of {name} cannot be read")


def _read_tensor(content: bytes, base: int, start: int, name: str, entry: dict[str, Any]) -> NDArray[Any]:
    begin, end = entry["data_offsets"]
    shape, kind = entry.get("shape"), entry.get("dtype")
    dtype = np.dtype(_TYPES.get(kind, "V1")) if isinstance(kind, str) else np.dtype("V1")
    if dtype.kind == "V":
        raise Damaged(f"{name} holds numbers of a type that is not ours ({kind!r})")
    if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape) or len(shape) > 32:
        raise Damaged(f"{name} is of no shape")
    number = math.prod(shape)
    if base + begin != start or end - begin != number * dtype.itemsize or base + end > len(content):
        raise Damaged(f"{name} is not as long as its shape says")
    # A copy: arrays in their own memory are aligned, and may be written to.
    return np.frombuffer(content, dtype, number, start).reshape(shape).copy()
