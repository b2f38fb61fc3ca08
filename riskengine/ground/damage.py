"""What is wrong with a file, found while it is read: arrays and texts against what they are declared to be."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ValidationError

#: A description is no deeper, and none of its texts longer.
_DEEPEST, _LONGEST = 16, 1_000_000


class Damaged(ValueError):
    """Names the part of a file that is wrong; whoever knows the file makes a sentence of it."""


@dataclass(frozen=True)
class ArraySpec:
    """What an array of a file has to be.

    Attributes
    ----------
    kind : str
        ``f`` for real numbers (one alone may be an integer), ``i`` for integers.
    shape : tuple
        Each side a number, several possible ones, or a name: sides of the same name are alike.
    low, high : float or tuple of float
        Range of the values, both ends included; tuples are those of the last side.
    missing : bool
        Whether NaN is meant, as in a loss that was not measured.
    """

    kind: str
    shape: tuple[int | str | tuple[int, ...], ...] = ()
    low: float | tuple[float, ...] = -math.inf
    high: float | tuple[float, ...] = math.inf
    missing: bool = False

    def check(self, name: str, array: NDArray[Any], sides: dict[str, int]) -> None:
        """Refuse another array; what named sides measure is noted in `sides`.

        Raises
        ------
        Damaged
        """
        # A number that is whole may have been written as one: a half-life of 30 days that a user gave.
        if array.dtype.kind != self.kind and not (self.kind == "f" and not self.shape and array.dtype.kind == "i"):
            raise Damaged(f"{name} holds numbers of type {array.dtype}")
        if array.ndim != len(self.shape) or not all(map(_fits, self.shape, array.shape, [sides] * array.ndim)):
            raise Damaged(f"{name} is of shape {array.shape}")
        # An infinite number is within a range that has no end, NaN within none.
        within = (array >= np.asarray(self.low)) & (array <= np.asarray(self.high))
        if self.missing:
            within |= np.isnan(array)
        if not within.all():
            wrong = array[~within].ravel()[0] if array.ndim else array
            raise Damaged(f"{name} holds {wrong:g}, which is out of range")


def _fits(wanted: int | str | tuple[int, ...], side: int, sides: dict[str, int]) -> bool:
    if isinstance(wanted, str):
        return sides.setdefault(wanted, side) == side
    return side in wanted if isinstance(wanted, tuple) else side == wanted


def check_arrays(
    specs: Mapping[str, ArraySpec], arrays: Mapping[str, NDArray[Any]], sides: Mapping[str, int] | None = None
) -> None:
    """Refuse arrays of which one is lacking or not as its spec says.

    Parameters
    ----------
    specs : mapping of str to ArraySpec
    arrays : mapping of str to ndarray
        May hold more than the specs name.
    sides : mapping of str to int, optional
        What named sides have to measure.

    Raises
    ------
    Damaged
    """
    known = dict(sides or {})
    for name, spec in specs.items():
        if name not in arrays:
            raise Damaged(f"it has no {name}")
        spec.check(name, np.asarray(arrays[name]), known)


def check_plain(value: Any, name: str = "", depth: int = 0) -> None:
    """Refuse what JSON can hold and no description should: half a character, endless numbers, a maze.

    Raises
    ------
    Damaged
    """
    if depth > _DEEPEST:
        raise Damaged(f"{name} is nested too deep")
    if isinstance(value, str):
        check_text(value, name)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        if (abs(value) >= 2**63) if isinstance(value, int) else not math.isfinite(value):
            raise Damaged(f"{name} is no number that could be meant")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            check_text(key, f"a name in {name or 'it'}")
            check_plain(item, f"{name}.{key}" if name else str(key) or "the entry without a name", depth + 1)
    else:
        for number, item in enumerate(value):
            check_plain(item, f"{name}.{number}", depth + 1)


def check_text(text: str, name: str) -> None:
    """Refuse a text that cannot be written as UTF-8, or that no file's description has.

    Raises
    ------
    Damaged
    """
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise Damaged(f"{name} holds half a character") from error
    if size > _LONGEST or "\0" in text:
        raise Damaged(f"{name} is no text that could be meant")


def _check_moment(text: str) -> str:
    if datetime.datetime.fromisoformat(text).tzinfo is not None:
        raise ValueError("a local time has no offset")
    # It reads fewer ways to write a time, and is what reads them later.
    np.datetime64(text)
    return text


def _check_crs(text: str) -> str:
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    try:
        CRS.from_user_input(text)
    except CRSError as error:
        raise ValueError("no coordinate system") from error
    return text


#: An ISO time without an offset, in a card.
Moment = Annotated[str, AfterValidator(_check_moment)]
#: WKT or authority code of a coordinate system, in a card.
CrsText = Annotated[str, AfterValidator(_check_crs)]


def describe_fault(error: Exception) -> str:
    """Describe what is wrong, in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or error.title}: {first['msg']}"
    return str(error) if isinstance(error, Damaged) else f"{type(error).__name__}: {error}"
