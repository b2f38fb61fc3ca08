"""Which rows a model may learn from, choose by and be judged on.

The published split draws rows at random: jittered copies of one place, and the many incidents of one address, fall
on both sides, so a model is rewarded for remembering places. Here a row goes where its *original* goes, as part of
a group (one coordinate) or of a square block (Roberts et al. 2017, Ecography 40:913-929).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...ground.errors import DataError, ParameterError
from .augment import Rows

Ints = NDArray[np.int64]
Split = Literal["random", "groups", "blocks"]


def number_blocks(x: NDArray[np.float64], y: NDArray[np.float64], side: float) -> tuple[Ints, NDArray[np.float64]]:
    """Number square blocks, aligned to whole multiples of `side` metres.

    Returns
    -------
    block : ndarray of int, shape (n,)
        Number of the block of each place, 0 to m - 1.
    corner : ndarray of float64, shape (m, 2)
        South-western corners, metres.
    """
    if not side > 0:
        raise ParameterError(
            f"block_size is {side:g} m; it must be greater than 0",
            parameter="block_size",
            value=side,
            remedy="Use 1000 m",
        )
    cells = np.column_stack((np.floor(x / side), np.floor(y / side)))
    corner, block = np.unique(cells, axis=0, return_inverse=True)
    return block.reshape(-1).astype(np.int64), corner * side


def number_folds(rows: Rows, split: Split, folds: int, block_size: float = 1000.0, seed: int = 0) -> Ints:
    """Number the fold of each row, 0 to folds - 1.

    Parameters
    ----------
    rows : Rows
    split : {"random", "groups", "blocks"}
        As published; by the original's coordinate; by the original's square block.
    folds : int
        At least 2.
    block_size : float
        Metres.

    Raises
    ------
    DataError
        If there are fewer groups or blocks than folds.
    """
    random = np.random.default_rng(seed)
    if split == "random":
        return (random.permutation(len(rows)) % folds).astype(np.int64)
    # Groups are blocks of a centimetre: one coordinate, whatever rounding a projection added.
    group, corner = number_blocks(rows.source_x, rows.source_y, block_size if split == "blocks" else 0.01)
    if len(corner) < folds:
        kind = f"blocks of {block_size:g} m" if split == "blocks" else "different places"
        raise DataError(
            f"The incidents lie in {len(corner)} {kind}, too few to hold some out ({folds} are needed)",
            parameter="block_size" if split == "blocks" else "index",
            value=block_size if split == "blocks" else None,
            remedy="Choose smaller blocks, or an index that covers a larger area",
        )
    return (random.permutation(len(corner)) % folds)[group].astype(np.int64)
