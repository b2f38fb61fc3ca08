"""Seeded alterations of our files: bytes, descriptions, arrays; the checksum set anew, taken away, or as it falls."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from typing import Any

import numpy as np

from riskengine.ground.containers import CHECKSUM, compute_checksum

#: Shares of what becomes of the checksum: half set anew, a quarter as 0.3 wrote, a quarter as the bytes fall.
SEALS = ("new", "new", "none", "raw")
WRONG: tuple[Any, ...] = (
    *(None, True, False, "", "x", "\ud800", "\0", "NaN", "../../evil", "1e400", [], {}, [[]], {"a": {}}, "9" * 5000),
    *(0, -1, 1, 2, 3, 1.5, 2**31, 2**63, -(2**63), 10**30, 1e308, -1e308, 1e30, 1e-300, -5.5, -0.0),
    *(float("nan"), float("inf"), float("-inf")),
)
_NUMBERS = (0, 1, -1, 2, 1e30, -1e30, 1e-30, 2147483647, 255, 0.5, float("nan"), float("inf"), float("-inf"))
_TYPES = {"<f8": "F64", "<f4": "F32", "<i8": "I64", "<i4": "I32", "|u1": "U8"}


def alter_bytes(content: bytes, dice: random.Random) -> bytes:
    """Flip, cut, insert or overwrite a few bytes."""
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        place, what = dice.randrange(len(data) or 1), dice.randrange(5)
        if what == 0 and data:
            data[place] ^= 1 << dice.randrange(8)
        elif what == 1:
            del data[place:]
        elif what == 2:
            data[place:place] = dice.randbytes(dice.choice((1, 8, 100)))
        elif what == 3:
            special = (dice.randbytes(8), b"\xff" * 8, b"\0" * 8, struct.pack("<d", dice.choice(_NUMBERS)))
            data[place : place + 8] = dice.choice(special)
        else:
            del data[place : place + dice.choice((1, 8, 100))]
    return bytes(data)


def alter_description(head: Any, dice: random.Random) -> Any:
    """Set, take away or add something somewhere in what JSON holds."""
    head = json.loads(json.dumps(head))
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            places.append((value, key))
            walk(item)

    walk(head)
    # The top is altered as often as all that lies below it.
    top = [place for place in places if place[0] is head]
    owner, key = dice.choice(top if dice.random() < 0.5 else places)
    what = dice.randrange(6)
    if what == 0:
        del owner[key]
    elif what == 1 and isinstance(owner, dict):
        owner[dice.choice(("extra", "", "\ud800"))] = dice.choice(WRONG)
    elif what == 2 and isinstance(owner[key], int | float):
        owner[key] = owner[key] * dice.choice((-1, 0.5, 2, 1.0000001, 1e6, 1000))
    else:
        owner[key] = dice.choice(WRONG)
    return head


def alter_array(array: np.ndarray[Any, Any], dice: random.Random) -> np.ndarray[Any, Any]:
    """Give an array other values, another type or another shape."""
    array, what = array.copy(), dice.randrange(6)
    with np.errstate(all="ignore"):
        if what == 0:
            array[...] = np.asarray(dice.choice(_NUMBERS)).astype(array.dtype)
        elif what == 1 and array.size:
            array.ravel()[dice.randrange(array.size)] = np.asarray(dice.choice(_NUMBERS)).astype(array.dtype)
        elif what == 2:
            other = np.dtype(dice.choice([each for each in _TYPES if each != array.dtype.str]))
            fits = array.nbytes % other.itemsize == 0 and dice.random() < 0.5
            array = np.frombuffer(array.tobytes(), other) if fits else array.astype(other)
        elif what == 3:
            array = dice.choice((array[None], array.reshape(-1), array.reshape(-1)[:-1], np.zeros(0, array.dtype)))
        elif what == 4:
            array = (array * dice.choice((-1, 0.5, 2, 1e6, 1.001))).astype(array.dtype)
        elif array.ndim:
            array = array[::-1]
    return np.asarray(array, order="C")


def read_model(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """Read card and arrays of a model file, by hand."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    card = json.loads(header.pop("__metadata__")["crimerisk"])
    types = {name: dtype for dtype, name in _TYPES.items()}
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        part = content[8 + length + begin : 8 + length + end]
        arrays[name] = np.frombuffer(part, types[entry["dtype"]]).reshape(entry["shape"])
    return card, arrays


def write_model(card: Any, arrays: dict[str, np.ndarray[Any, Any]], seal: bool, lie: Any = None) -> bytes:
    """Write a model file; `lie` alters the header before it is written."""
    if isinstance(card, dict):
        card.pop(CHECKSUM, None)
        if seal:
            card[CHECKSUM] = compute_checksum(card, arrays)
    header: dict[str, Any] = {"__metadata__": {"crimerisk": json.dumps(card)}}
    data = b""
    for name, array in arrays.items():
        entry = {"dtype": _TYPES[array.dtype.str], "shape": list(array.shape)}
        header[name] = {**entry, "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(lie(header) if lie else header).encode()
    return struct.pack("<Q", len(text)) + text + data


def alter_model(content: bytes, dice: random.Random) -> tuple[bytes, str]:
    """Alter a model file of any kind; returns it and what became of its checksum."""
    card, arrays = read_model(content)
    seal = dice.choice(SEALS)
    if seal == "raw":
        return alter_bytes(write_model(card, arrays, True), dice), seal
    lie, what = None, dice.randrange(10)
    if what < 5 or not arrays:
        card = alter_description(card, dice)
    elif what < 9:
        name = dice.choice(sorted(arrays))
        if dice.random() < 0.1:
            arrays[dice.choice(("other", ""))] = arrays.pop(name)
        else:
            arrays[name] = alter_array(arrays[name], dice)
    else:
        lie = lambda header: alter_description(header, dice)  # noqa: E731
    return write_model(card, arrays, seal == "new", lie), seal


def read_index(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """Read description and parts of a crime index, by hand."""
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        members = {name: bundle.read(name) for name in bundle.namelist()}
    head = json.loads(members.pop("meta.json"))
    return head, {
        name: np.load(io.BytesIO(member)) if name.endswith(".npy") else np.frombuffer(member, np.uint8)
        for name, member in members.items()
    }


def alter_index(content: bytes, dice: random.Random) -> tuple[bytes, str]:
    """Alter a crime index; returns it and what became of its checksum."""
    seal = dice.choice(SEALS)
    head, parts = read_index(content)
    if seal == "raw":
        return alter_bytes(write_index(head, parts, True), dice), seal
    what, packed = dice.randrange(10), zipfile.ZIP_STORED
    lies: dict[str, bytes] = {}
    if what < 4:
        head = alter_description(head, dice)
    elif what < 8:
        name = dice.choice(sorted(parts))
        if name.endswith(".npy"):
            parts[name] = alter_array(parts[name], dice)
        else:
            words = parts[name].view(np.int32).copy()
            for _ in range(dice.choice((1, 1, 20))):
                words[dice.randrange(len(words))] = dice.choice((-1, 0, 1, 2, 5, 10**6, 2**31 - 1, -(2**31), 700))
            parts[name] = words.view(np.uint8)
    elif what == 8:
        name = dice.choice([each for each in sorted(parts) if each.endswith(".npy")])
        lies[name] = alter_npy(write_npy(parts[name]), dice)
    else:
        packed = dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        del parts[dice.choice(sorted(parts))]
    return write_index(head, parts, seal == "new", packed, lies), seal


def alter_npy(member: bytes, dice: random.Random) -> bytes:
    """Alter the header of an array that lies about what follows."""
    size = struct.unpack("<H", member[8:10])[0]
    text = member[10 : 10 + size].decode()
    old, new = dice.choice(
        (
            *[("(", f"({number}, ") for number in (10**12, -1, 0, 2)],
            *[("'<", f"'{kind}") for kind in ("|O", "<U", "|S", "<M8[s]", ">", "<c")],
            ("False", "True"),
            ("False", dice.choice(("None", "()" * 50, "9" * 4000))),
            ("shape", "shap"),
        )
    )
    text = text.replace(old, new, 1)
    return member[:8] + struct.pack("<H", len(text.encode())) + text.encode() + member[10 + size :]


def write_index(
    head: Any, parts: dict[str, Any], seal: bool, packed: int = zipfile.ZIP_STORED, lies: dict[str, bytes] | None = None
) -> bytes:
    """Write a crime index; `lies` replace members as they are."""
    if isinstance(head, dict):
        head.pop(CHECKSUM, None)
        if seal:
            head[CHECKSUM] = compute_checksum(head, parts)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed) as bundle:
        bundle.writestr("meta.json", json.dumps(head))
        for name, part in parts.items():
            whole = write_npy(part) if name.endswith(".npy") else part.tobytes()
            bundle.writestr(name, (lies or {}).get(name, whole))
    return file.getvalue()


def write_npy(array: np.ndarray[Any, Any]) -> bytes:
    """Write an array as the member of an index that it is."""
    member = io.BytesIO()
    np.lib.format.write_array(member, array)
    return member.getvalue()


def alter_text(content: bytes, dice: random.Random) -> bytes:
    """Alter a table of text: bytes, or a cell."""
    if dice.random() < 0.5:
        return alter_bytes(content, dice)
    rows = [line.split(b",") for line in content.split(b"\n")]
    for _ in range(dice.choice((1, 3, 30))):
        row = dice.choice(rows)
        wrong = str(dice.choice(WRONG)).encode("utf-8", "surrogatepass")
        row[dice.randrange(len(row))] = dice.choice((wrong, b'"', b"1;2", b"\xff\xfe", b"31.12.2024", b"", b"=1+1"))
    return b"\n".join(b",".join(row) for row in rows)


def pack(members: dict[str, bytes]) -> bytes:
    """Pack members into a ZIP."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, member in members.items():
            bundle.writestr(name, member)
    return file.getvalue()


def alter_packed(content: bytes, dice: random.Random) -> bytes:
    """Alter a member of a ZIP, as text, or take it away; the ZIP itself stays whole."""
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        members = {name: bundle.read(name) for name in bundle.namelist()}
    name = dice.choice(sorted(members))
    if dice.random() < 0.1:
        del members[name]
    else:
        members[name] = alter_text(members[name], dice)
    return pack(members)
