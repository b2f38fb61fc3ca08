"""Counts of which most are zero: only the others are kept, and read like an array."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from ..ground.bigarrays import make_empty_stack

#: Bytes of dense counts that are gathered from before they are kept sparse, a few bands at a time.
_CHUNK = 2**24


class SparseCounts(NDArrayOperatorsMixin):
    """Counts by bin and unit, whole numbers, of which those above zero alone are kept.

    An array to whoever reads it. One bin is a dense map; several bins, ``counts[3:9]`` or by numbers or by a mask, are
    again sparse; every other index, and whatever numpy computes of it as a whole, is dense. Sums, extremes and
    `nonzero` never are. It cannot be written to: ``np.array(counts)`` gives counts that can.

    Parameters
    ----------
    rows : csr_array of integers, shape (T, cells)
        By bin and number of the unit, row by row of a grid; no zero kept, no place twice, places ascending.
    space : tuple of int
        Shape of the units: (H, W) or (N,).
    """

    def __init__(self, rows: csr_array, space: tuple[int, ...]) -> None:
        self.rows, self.space = rows, space

    @classmethod
    def place(cls, places: NDArray[np.int64], values: NDArray[Any], shape: tuple[int, ...]) -> SparseCounts:
        """Make them of the counts above zero and their places, ascending, in the flat array of all."""
        cells = math.prod(shape[1:])
        starts = np.searchsorted(places, cells * np.arange(shape[0] + 1))
        kind = choose_place_type(len(places), cells)
        parts = values, (places % cells).astype(kind), starts.astype(kind)
        return cls(csr_array(parts, shape=(shape[0], cells)), shape[1:])

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, H, W) or (T, N)."""
        return (int(self.rows.shape[0]), *self.space)

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the counts."""
        kind: np.dtype[Any] = self.rows.dtype
        return kind

    @property
    def ndim(self) -> int:
        """Dimensions of the dense counts."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many counts there are, zeros among them."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that are kept."""
        return int(self.rows.data.nbytes + self.rows.indices.nbytes + self.rows.indptr.nbytes)

    def __repr__(self) -> str:
        return f"SparseCounts(shape={self.shape}, dtype={self.dtype}, above zero={self.rows.nnz})"

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Map by map, dense."""
        return (self._read_map(number) for number in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("sparse counts cannot be read as an array without a copy")
        dense = make_empty_stack(self.shape, self.dtype if dtype is None else np.dtype(dtype))
        flat = dense.reshape(self.rows.shape)
        for number in range(len(self)):
            cells, values = self._read_row(number)
            flat[number, cells] = values
        return dense

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        dense = [np.asarray(each) if isinstance(each, SparseCounts) else each for each in inputs]
        return getattr(ufunc, method)(*dense, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) and key else (key, ())
        if isinstance(first, (int, np.integer)) and not isinstance(first, bool):
            return self._read_map(range(len(self))[first])[rest]
        if isinstance(key, list):
            key = np.array(key, dtype=None if key else np.intp)
        if isinstance(key, slice) or (isinstance(key, np.ndarray) and key.ndim == 1 and key.dtype.kind in "iub"):
            return self._take_maps(key)
        if isinstance(first, slice) and len(rest) == 1:
            maps, units = self._take_maps(first), rest[0]
            if isinstance(units, np.ndarray) and units.dtype == bool and units.shape == self.space:
                return maps.take_units(units).toarray()
            return np.asarray(maps)[:, units]
        return np.asarray(self)[key]

    def take_units(self, units: NDArray[np.bool_]) -> csr_array:
        """Those of some units alone, shape (T, N).

        Parameters
        ----------
        units : ndarray of bool, shape (...)
            True for the N that are taken.
        """
        if units.all():
            return self.rows
        flat = units.ravel()
        place = np.cumsum(flat, dtype=self.rows.indices.dtype) - 1
        kept = flat[self.rows.indices]
        before = np.concatenate([[0], np.cumsum(kept)])[self.rows.indptr]
        parts = self.rows.data[kept], place[self.rows.indices[kept]], before.astype(self.rows.indptr.dtype)
        return csr_array(parts, shape=(len(self), int(flat.sum())))

    def nonzero(self) -> tuple[NDArray[np.intp], ...]:
        """The places of counts above zero, as ``ndarray.nonzero``."""
        when = np.repeat(np.arange(len(self)), np.diff(self.rows.indptr))
        return (when, *np.unravel_index(self.rows.indices, self.space))

    def astype(self, dtype: Any) -> SparseCounts:
        """The same counts as numbers of another type."""
        return SparseCounts(self.rows.astype(dtype), self.space)

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """As ``ndarray.sum``; nothing dense over all units, over all bins, or both."""
        # What numpy would add up in: small whole numbers in large ones.
        kind = np.zeros(0, self.dtype).sum(dtype=dtype).dtype
        axes = self._read_axes(axis)
        if out is not None or keepdims or axes not in ("bins", "units", "all"):
            return np.asarray(self).sum(axis=axis, dtype=dtype, out=out, keepdims=keepdims)
        if axes == "all":
            return self.rows.data.sum(dtype=kind)
        # Exact: whole numbers below 2^53.
        if axes == "units":
            when = np.repeat(np.arange(len(self)), np.diff(self.rows.indptr))
            return np.bincount(when, self.rows.data, minlength=len(self)).astype(kind)
        total = np.bincount(self.rows.indices, self.rows.data, minlength=math.prod(self.space))
        return total.astype(kind).reshape(self.space)

    def mean(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """As ``ndarray.mean``; over all bins nothing is dense but the result."""
        if out is None and not keepdims and self._read_axes(axis) == "bins" and len(self):
            kind = np.dtype(np.float64 if dtype is None else dtype)
            return self.sum(axis=0, dtype=kind) / kind.type(len(self))
        return np.asarray(self).mean(axis=axis, dtype=dtype, out=out, keepdims=keepdims)

    def max(self, axis: Any = None, out: Any = None, keepdims: bool = False, **given: Any) -> Any:
        """As ``ndarray.max``; of all counts without a dense one."""
        if axis is None and out is None and not keepdims and not given.keys() - {"initial"} and self.size:
            values = self.rows.data
            highest = values.max(initial=0) if len(values) < self.size else values.max()
            return self.dtype.type(max(highest, given.get("initial", highest)))
        return np.asarray(self).max(axis=axis, out=out, keepdims=keepdims, **given)

    def any(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """As ``ndarray.any``; nothing dense over all units, over all bins, or both."""
        axes = self._read_axes(axis)
        if out is not None or keepdims or axes not in ("bins", "units", "all"):
            return np.asarray(self).any(axis=axis, out=out, keepdims=keepdims)
        if axes == "all":
            return np.bool_(self.rows.nnz > 0)
        if axes == "units":
            return np.diff(self.rows.indptr) > 0
        hit = np.zeros(math.prod(self.space), dtype=bool)
        hit[self.rows.indices] = True
        return hit.reshape(self.space)

    def _read_axes(self, axis: Any) -> str:
        """Say what an axis runs over, if these are all bins, all units or everything."""
        if axis is None:
            return "all"
        axes = {each % self.ndim if -self.ndim <= each < self.ndim else each for each in np.atleast_1d(axis).tolist()}
        # All of an array without dimensions to spare, or without any axis, is left to numpy.
        named = {(0,): "bins", tuple(range(1, self.ndim)): "units", tuple(range(self.ndim)): "all"}
        return named.get(tuple(sorted(axes)), "some") if len(axes) == np.size(axis) else "some"

    def _read_row(self, number: int) -> tuple[NDArray[Any], NDArray[Any]]:
        place = slice(self.rows.indptr[number], self.rows.indptr[number + 1])
        return self.rows.indices[place], self.rows.data[place]

    def _read_map(self, number: int) -> NDArray[Any]:
        dense = np.zeros(math.prod(self.space), dtype=self.dtype)
        cells, values = self._read_row(number)
        dense[cells] = values
        return dense.reshape(self.space)

    def _take_maps(self, which: slice | NDArray[Any]) -> SparseCounts:
        numbers = np.arange(len(self))[which]
        if isinstance(which, slice) and len(numbers) and (which.step or 1) == 1:
            low, high = self.rows.indptr[numbers[0]], self.rows.indptr[numbers[-1] + 1]
            starts = self.rows.indptr[numbers[0] : numbers[-1] + 2] - low
            parts = self.rows.data[low:high], self.rows.indices[low:high], starts
            return SparseCounts(csr_array(parts, shape=(len(numbers), self.rows.shape[1])), self.space)
        return SparseCounts(self.rows[numbers], self.space)


def gather_counts(
    bands: Iterable[NDArray[Any]],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    sparse: bool = True,
    before_dense: Callable[[], None] | None = None,
) -> NDArray[Any]:
    """Gather counts map by map, sparse as long as that is smaller.

    Parameters
    ----------
    bands : iterable of ndarray, shape (...)
        One a bin.
    shape : tuple of int
        (T, ...).
    dtype : dtype
    sparse : bool
        Whether they may be sparse.
    before_dense : callable, optional
        Called before room is made for dense counts; it may refuse them.
    """
    places, values, starts = [], [], [0]
    dense = None
    for number, band in enumerate(bands):
        if dense is None:
            occupied = np.flatnonzero(band)
            places.append(occupied.astype(choose_place_type(0, band.size)))
            values.append(band.ravel()[occupied])
            starts.append(starts[-1] + len(occupied))
            if sparse and dtype.kind in "iu" and is_sparse_smaller(starts[-1], shape, dtype):
                continue
            if before_dense is not None:
                before_dense()
            dense = make_empty_stack(shape, dtype)
            for earlier, (where, what) in enumerate(zip(places, values, strict=True)):
                dense[earlier].reshape(-1)[where] = what
        dense[number] = band
    if dense is not None:
        return dense
    kind = choose_place_type(starts[-1], math.prod(shape[1:]))
    parts = np.concatenate(values), np.concatenate(places).astype(kind), np.array(starts, dtype=kind)
    return cast("NDArray[Any]", SparseCounts(csr_array(parts, shape=(shape[0], math.prod(shape[1:]))), shape[1:]))


def clear_units(counts: NDArray[Any], units: NDArray[np.bool_]) -> NDArray[Any]:
    """The same counts, 0 in some units.

    Parameters
    ----------
    counts : ndarray, shape (T, ...)
    units : ndarray of bool, shape (...)
    """
    if isinstance(counts, SparseCounts):
        rows = counts.rows.copy()
        rows.data[units.ravel()[rows.indices]] = 0
        rows.eliminate_zeros()
        return cast("NDArray[Any]", SparseCounts(rows, counts.space))
    cleared = make_empty_stack(counts.shape, counts.dtype)
    for number, band in enumerate(counts):
        cleared[number] = np.where(units, 0, band)
    return cleared


class Counted(Protocol):
    """What has counts by bin and unit, and a study area: a panel."""

    counts: NDArray[Any]
    mask: NDArray[np.bool_]


P = TypeVar("P", bound=Counted)


def keep_sparse(panel: P) -> P:
    """The same panel with sparse counts, where these are whole numbers and that is smaller; else as it is."""
    counts = panel.counts
    if isinstance(counts, SparseCounts) or counts.dtype.kind not in "iu" or not counts.size:
        return panel
    if not is_sparse_smaller(sum(int(np.count_nonzero(band)) for band in counts), counts.shape, counts.dtype):
        return panel
    kept = copy.copy(panel)
    kept.counts = cast("NDArray[Any]", SparseCounts(_gather_rows(counts), counts.shape[1:]))
    return kept


def is_sparse_smaller(above_zero: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Say whether so many counts above zero take less room with their places than all counts would."""
    place = choose_place_type(above_zero, math.prod(shape[1:])).itemsize
    return above_zero * (dtype.itemsize + place) + (shape[0] + 1) * place < math.prod(shape) * dtype.itemsize


def choose_place_type(above_zero: int, cells: int) -> np.dtype[Any]:
    """Choose what the places of so many counts are kept in."""
    return np.dtype(np.int32 if max(above_zero, cells) < 2**31 else np.int64)


def read_csr(panel: Counted) -> csr_array:
    """Read the counts of the units of the study area, shape (T, N), whatever the panel keeps them in."""
    counts = panel.counts
    if isinstance(counts, SparseCounts):
        return counts.take_units(panel.mask)
    return _gather_rows(counts, panel.mask)


def _gather_rows(counts: NDArray[Any], units: NDArray[np.bool_] | None = None) -> csr_array:
    """Gather the counts above zero of dense ones, a few maps at a time."""
    step = max(_CHUNK // max(counts[:1].nbytes, 1), 1)
    parts = [
        csr_array(part.reshape(len(part), math.prod(part.shape[1:])) if units is None else part[:, units])
        for part in (counts[low : low + step] for low in range(0, max(len(counts), 1), step))
    ]
    return parts[0] if len(parts) == 1 else vstack(parts, format="csr")
