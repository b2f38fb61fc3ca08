"""Incidents: where, when and of what category; and how they come from QGIS."""

from __future__ import annotations

import datetime
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import make_writable, none_text, part_text
from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..ground.errors import DataError, FormatError
from .exactness import find_exactness
from .times import OFFSETS_DROPPED, join_sentences, kind_of_reason, parse_times

NO_COORDINATES = "no coordinates"
NO_TIME = "no time given"
FUTURE = "time lies in the future"
#: Category code of an incident without one.
NO_CATEGORY = -1


class Refusal(NamedTuple):
    """A row that was left out, and why.

    The reason is a kind, or a kind followed by ``: 'the value'``; see `riskengine.intake.times.kind_of_reason`.
    """

    fid: int
    reason: str


@dataclass
class Incidents:
    """Reported crimes, one row each, in the order they were given.

    Attributes
    ----------
    x, y : ndarray of float64
        Metres in a projected CRS.
    time : ndarray of datetime64[s]
        Naive local civil time, never NaT.
    category : ndarray of int32
        Codes into `categories`; `NO_CATEGORY` for none.
    categories : list of str
    fid : ndarray of int64
        Feature ids of the layer they came from.
    exactness : str
        How exact the times are (see `exactness`); empty where nobody has asked.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    time: NDArray[np.datetime64]
    category: NDArray[np.int32]
    categories: list[str]
    fid: NDArray[np.int64]
    exactness: str = ""

    def __len__(self) -> int:
        return len(self.x)

    def select(self, mask: NDArray[Any]) -> Incidents:
        """The incidents where `mask` holds, or at these positions."""
        return Incidents(
            self.x[mask],
            self.y[mask],
            self.time[mask],
            self.category[mask],
            list(self.categories),
            self.fid[mask],
            self.exactness,
        )

    def before(self, time: np.datetime64) -> Incidents:
        """The incidents strictly before `time`: all that a forecast made at `time` may know."""
        return self.select(self.time < time)

    def between(self, start: np.datetime64, end: np.datetime64) -> Incidents:
        """The incidents of the half-open window [start, end)."""
        return self.select((self.time >= start) & (self.time < end))

    @property
    def span(self) -> tuple[np.datetime64, np.datetime64]:
        """Times of the first and the last incident; both belong to the data, so the window is [first, last + 1 s)."""
        if not len(self):
            raise DataError("There are no incidents, so they span no time", remedy="Check the filter and the layer")
        return self.time.min(), self.time.max()


def compute_latest_time(now: np.datetime64 | None = None) -> np.datetime64:
    """Compute the last time that is not in the future: `now`, by default the local clock and a day.

    The day is there because the data's city may be half a day ahead of this machine.
    """
    if now is not None:
        given: np.datetime64 = now.astype("datetime64[s]")
        return given
    return np.datetime64(datetime.datetime.now().replace(microsecond=0), "s") + np.timedelta64(86400, "s")


def count_reasons(refusals: Iterable[Refusal]) -> dict[str, int]:
    """How many rows were refused for what, most frequent first."""
    return dict(Counter(kind_of_reason(refusal.reason) for refusal in refusals).most_common())


def describe_reasons(reasons: dict[str, int]) -> str:
    """Describe reasons and counts as they are written into a log: ``12 x no time given, 3 x …``."""
    return ", ".join(f"{count} x {reason}" for reason, count in reasons.items())


def read_exchange(
    path: str | Path, context: JobContext | None = None, now: np.datetime64 | None = None, order: str = "auto"
) -> tuple[Incidents, list[Refusal]]:
    """Read the ``incidents.npz`` that QGIS hands over, and refuse what cannot be used.

    Parameters
    ----------
    path : path
        Holds ``x``, ``y`` (float64), ``fid`` (int64), ``time`` (int64 seconds of the wall clock since
        1970, minimum for none) or ``time_text``, and optionally ``category`` (int32 codes) with
        ``categories``, and ``exactness``, what the layer says of its times.
    context : JobContext, optional
        Told how dates were read and what was refused.
    now : datetime64, optional
        Incidents after it are refused; see `compute_latest_time`.
    order : {'auto', 'ymd', 'dmy', 'mdy'}
        Order of day and month in ``time_text``.

    Returns
    -------
    incidents : Incidents
        In the order of the file.
    refusals : list of Refusal
        In the order of the file; one reason per row, the first that applies.

    Raises
    ------
    FormatError
        If the file is not such a file.
    DataError
        If it holds no incident, or none that can be used.
    """
    context = context or JobContext()
    arrays = _read_arrays(Path(path))
    x, y = arrays["x"].astype(np.float64, copy=False), arrays["y"].astype(np.float64, copy=False)
    count = len(x)
    fid = arrays["fid"].astype(np.int64, copy=False) if "fid" in arrays else np.arange(count, dtype=np.int64)
    category = arrays.get("category", np.full(count, NO_CATEGORY)).astype(np.int32, copy=False)
    categories = [make_writable(str(name)) for name in arrays.get("categories", np.array([], dtype=str))]
    texts = arrays.get("time_text")
    parsed = parse_times(texts, order) if texts is not None else None
    if parsed and (note := join_sentences(parsed.note, OFFSETS_DROPPED if parsed.offset is not None else "")):
        context.log(note + ".")
    time = parsed.time if parsed else arrays["time"].astype(np.int64, copy=False).view("datetime64[s]")
    lengths = {len(column) for column in (x, y, time, fid, category)}
    if len(lengths) > 1 or (count and int(category.max()) >= len(categories)):
        raise _broken(Path(path), "its columns do not go together")
    context.check_cancelled()
    if not count:
        raise DataError(
            "There are no incidents to work with",
            parameter="incidents",
            value=0,
            remedy="Choose a layer that has features, and check its filter",
        )
    placed = np.isfinite(x) & np.isfinite(y)
    future = time > compute_latest_time(now)
    kept = placed & ~future & ~np.isnat(time)
    refusals = []
    for row in np.flatnonzero(~kept):
        if not placed[row]:
            reason = NO_COORDINATES
        elif future[row]:
            reason = f"{FUTURE}: '{time[row]}'"
        else:
            reason = str(parsed.reason[row]) if parsed else NO_TIME
        refusals.append(Refusal(int(fid[row]), reason))
    if refusals:
        reasons = count_reasons(refusals)
        if len(refusals) == count:
            raise DataError(
                f"{none_text(count, 'incident', 'can', 'cannot')} be used ({describe_reasons(reasons)})",
                parameter="incidents",
                value=refusals[0].reason,
                remedy="Check that the time field and the layer are the right ones",
            )
        context.warn(
            f"{part_text(len(refusals), count, 'incident', 'was', 'were')} left out: {describe_reasons(reasons)}."
        )
    incidents = Incidents(x, y, time, category, categories, fid)
    incidents = incidents if kept.all() else incidents.select(kept)
    word = "month" if parsed and parsed.months else str(arrays.get("exactness", ""))
    return replace(incidents, exactness=find_exactness(incidents.time, word)), refusals


def count_refused(path: str | Path, refusals: Iterable[Refusal], categories: Iterable[str]) -> dict[str, int]:
    """Count the rows of categories that were refused, by reason; see `count_reasons`."""
    arrays = _read_arrays(Path(path))
    if "category" not in arrays or "fid" not in arrays:
        return {}
    folded = {name.casefold() for name in categories}
    wanted = [code for code, name in enumerate(arrays["categories"].tolist()) if str(name).casefold() in folded]
    theirs = set(arrays["fid"][np.isin(arrays["category"], wanted)].tolist())
    return count_reasons(refusal for refusal in refusals if refusal.fid in theirs)


def read_reported(path: str | Path, incidents: Incidents, order: str = "auto") -> NDArray[np.datetime64] | None:
    """Read when incidents of an exchange file were reported; None where it does not say.

    Parameters
    ----------
    path : path
        May hold ``reported`` or ``reported_text``, as `read_exchange` reads ``time`` or ``time_text``.
    incidents : Incidents
        What `read_exchange` kept.
    order : {'auto', 'ymd', 'dmy', 'mdy'}

    Returns
    -------
    ndarray of datetime64[s] or None
        One for each of `incidents`; NaT where there is none, or none that can be read.
    """
    return _read_times(path, incidents, "reported", order)


def read_ends(path: str | Path, incidents: Incidents, order: str = "auto") -> NDArray[np.datetime64] | None:
    """Read when incidents of an exchange file ended, from ``end`` or ``end_text``; see `read_reported`."""
    return _read_times(path, incidents, "end", order)


def _read_times(path: str | Path, incidents: Incidents, name: str, order: str) -> NDArray[np.datetime64] | None:
    arrays = _read_arrays(Path(path))
    if f"{name}_text" in arrays:
        times = parse_times(arrays[f"{name}_text"], order).time
    elif name in arrays:
        times = arrays[name].astype(np.int64, copy=False).view("datetime64[s]")
    else:
        return None
    return _bring_along(times, arrays.get("fid", np.arange(len(times))), incidents)


@dataclass(frozen=True)
class NamedAreas:
    """What a column of the incidents says of where each belongs.

    Attributes
    ----------
    code : ndarray of int32, shape (N,)
        Codes into `names`; -1 for none.
    names : list of str
    """

    code: NDArray[np.int32]
    names: list[str]

    def select(self, mask: NDArray[Any]) -> NamedAreas:
        """Those of the incidents where `mask` holds."""
        return NamedAreas(self.code[mask], self.names)


def read_named_areas(path: str | Path, incidents: Incidents) -> NamedAreas | None:
    """Read which area each incident of an exchange file names; None where it does not say.

    Parameters
    ----------
    path : path
        May hold ``area`` (int32 codes) with ``areas``.
    incidents : Incidents
        What `read_exchange` kept.
    """
    return _read_named(path, incidents, "area", "areas")


def read_addresses(path: str | Path, incidents: Incidents) -> NDArray[np.int32] | None:
    """Read which address each incident of an exchange file has, as a code, -1 for none; None where it does not say.

    Parameters
    ----------
    path : path
        May hold ``place`` (int32 codes) with ``places``.
    incidents : Incidents
        What `read_exchange` kept.
    """
    named = _read_named(path, incidents, "place", "places")
    return None if named is None else named.code


def _read_named(path: str | Path, incidents: Incidents, codes: str, named: str) -> NamedAreas | None:
    arrays = _read_arrays(Path(path))
    if codes not in arrays or named not in arrays:
        return None
    code = arrays[codes].astype(np.int32, copy=False)
    names = [make_writable(str(name)) for name in arrays[named]]
    if len(code) != len(arrays["x"]) or (len(code) and int(code.max()) >= len(names)):
        raise _broken(Path(path), f"its {named} do not go together")
    fid = arrays.get("fid", np.arange(len(code)))
    return NamedAreas(_bring_along(code, fid, incidents), names)


def _bring_along(values: NDArray[Any], fid: NDArray[np.int64], incidents: Incidents) -> NDArray[Any]:
    """Bring along the values of the features that were kept."""
    by_fid = np.argsort(fid, kind="stable")
    return np.asarray(values[by_fid[np.searchsorted(fid, incidents.fid, sorter=by_fid)]])


def write_exchange(
    path: str | Path, incidents: Incidents, named: NamedAreas | None = None, places: NDArray[np.int32] | None = None
) -> None:
    """Write what `read_exchange` reads; for scripts, tests and benchmarks that have no QGIS."""
    more: dict[str, Any] = {} if named is None else {"area": named.code, "areas": np.array(named.names, dtype=str)}
    if places is not None:
        more |= {"place": places, "places": np.arange(int(places.max(initial=-1)) + 1).astype(str)}
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            x=incidents.x,
            y=incidents.y,
            fid=incidents.fid,
            time=incidents.time.astype("datetime64[s]").view(np.int64),
            category=incidents.category,
            categories=np.array(incidents.categories, dtype=str),
            exactness=np.array(incidents.exactness),
            **more,
        )


def _broken(path: Path, why: str) -> FormatError:
    return FormatError(
        f"{path} is not an exchange file of incidents: {why}",
        parameter="incidents",
        value=path,
        remedy="Write it again with Crime Risk",
    )


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise _broken(path, "it is missing, truncated or of another kind") from error
    lacking = [name for name in ("x", "y") if name not in arrays]
    if "time" not in arrays and "time_text" not in arrays:
        lacking.append("time")
    if lacking:
        raise _broken(path, "it has no " + ", ".join(lacking))
    return arrays
