"""Arrays too large for memory: a temporary file that ends with the process."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import OutputError

#: Stacks of more bytes than this lie in a file: the system then keeps in memory what is being read, and no more.
IN_MEMORY = 256 * 2**20


def is_large(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Say whether an array is too large for memory."""
    return int(np.prod(shape, dtype=np.int64)) * dtype.itemsize > IN_MEMORY


def make_empty_stack(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Make an array of zeros, in memory up to `IN_MEMORY` bytes, beyond that in a temporary file.

    The file has no name (or, on Windows, goes with its last handle), so it is gone when the array is, also after a
    crash.

    Raises
    ------
    OutputError
        If the temporary folder has no room for it.
    """
    if not is_large(shape, dtype):
        return np.zeros(shape, dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    folder = tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile(prefix="crimerisk_") as file:
            # A full disk met while an array is written to would end the process: the room is taken first.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            elif shutil.disk_usage(folder).free < size:
                raise OSError("no space left")
            return np.memmap(file, dtype, "r+", shape=shape)
    except OSError as error:
        raise OutputError(
            f"A stack of {size / 2**20:,.0f} MB does not fit into the temporary folder {folder}",
            parameter="heatmaps",
            value=folder,
            remedy="Free some space there, or use larger cells or longer bins",
        ) from error
