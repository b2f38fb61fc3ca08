"""Pictures as PNG files, packed quickly."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from .style import Colours

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode_png(picture: Colours) -> bytes:
    """Encode a picture of 8-bit colours as a PNG file.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
    """
    height, width, _ = picture.shape
    # Each line begins with the number of its filter: 0, none. Most of a picture is white, which packs well as it is.
    lines = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    lines[:, 1:] = picture.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 1)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_make_part(*part) for part in parts)


def _make_part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
