"""One place asked at a time: score, prediction, nearest incidents, counts by month; fast once it is warm.

What takes long (reading the index, building its tree, scoring the incidents' own places for the scale, loading the
model) is kept between questions, so that a click on the map is answered at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import DataError
from .covered import Cover, describe_gap, measure_cover
from .definition import ScoreScale, in_window
from .index import FARTHEST, CrimeIndex
from .recent import RecentIncidents

if TYPE_CHECKING:
    from .model import ScoreModel

#: Farther from every incident than this, a place is not of the city that the index covers.
OUTSIDE_METRES = 2000.0

_DAY = 86_400
Kept = TypeVar("Kept")
Times = NDArray[np.datetime64]


@dataclass(frozen=True)
class Question:
    """What is asked of an index, and perhaps of a model.

    Attributes
    ----------
    index : str
        Path of a crime index.
    model : str or None
        Path of a score model; without one the exact count answers alone.
    place : tuple of float or None
        Metres in the index's CRS; None only warms up.
    radius, window_days : float
    k : int
        How many neighbours to tell.
    reference : datetime64 or None
        By default the time of the last incident.
    """

    index: str
    model: str | None = None
    place: tuple[float, float] | None = None
    radius: float = 200.0
    window_days: float = 365.0
    k: int = 10
    reference: np.datetime64 | None = None


@dataclass(frozen=True)
class Window:
    """The incidents that count, with a tree of their own; of all of the index's: number, categories and days."""

    index: CrimeIndex
    reference: np.datetime64
    incidents: int
    categories: list[str]
    cover: Cover


class LastUsed(Generic[Kept]):
    """Keeps the `size` things used last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._things: OrderedDict[Hashable, Kept] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """The thing of this key, made if it is not there."""
        if key not in self._things:
            self._things[key] = make()
            while len(self._things) > self._size:
                self._things.popitem(last=False)
        self._things.move_to_end(key)
        return self._things[key]

    def __len__(self) -> int:
        return len(self._things)


def stamp_of(path: str) -> tuple[str, int, int]:
    """Make a key that changes when the file does; a file that is missing is left to whoever reads it."""
    try:
        stat = Path(path).stat()
    except OSError:
        return path, 0, 0
    return path, stat.st_mtime_ns, stat.st_size


class Memory:
    """What is kept between questions; one for a worker's life."""

    def __init__(self) -> None:
        self._indexes: LastUsed[CrimeIndex] = LastUsed(2)
        self._models: LastUsed[ScoreModel] = LastUsed(2)
        self._windows: LastUsed[Window] = LastUsed(3)
        self._scales: LastUsed[ScoreScale] = LastUsed(8)
        self._recents: LastUsed[RecentIncidents] = LastUsed(4)

    def load_index(self, path: str, context: JobContext) -> CrimeIndex:
        """Load the index, or take the loaded one."""

        def load() -> CrimeIndex:
            context.progress(0.0, "Reading the index")
            return CrimeIndex.load(path, context)

        return self._indexes.get(stamp_of(path), load)

    def load_model(self, path: str, context: JobContext) -> ScoreModel:
        """Load the model, or take the loaded one."""

        def load() -> ScoreModel:
            from .model import ScoreModel

            context.progress(0.0, "Loading the score model")
            return ScoreModel.load(path)

        return self._models.get(stamp_of(path), load)

    def choose_window(self, question: Question, context: JobContext) -> Window:
        """Choose the incidents of the question's window."""

        def select() -> Window:
            index = self.load_index(question.index, context)
            counted, reference = in_window(index.incidents, question.window_days, question.reference)
            chosen = CrimeIndex(index.incidents.select(counted), index.crs)
            context.progress(0.5, "Building the tree of the incidents")
            # Asked for once here, the tree is there from now on.
            assert chosen.tree is not None
            whole = index.incidents
            return Window(chosen, reference, len(whole), whole.categories, measure_cover(whole))

        return self._windows.get((stamp_of(question.index), question.window_days, str(question.reference)), select)

    def make_scale(self, question: Question, window: Window, context: JobContext) -> ScoreScale:
        """Count around every incident of the window: the slow part of a first question."""

        def count() -> ScoreScale:
            incidents = window.index.incidents
            counts = window.index.count_within(incidents.x, incidents.y, question.radius, None, context)
            return ScoreScale(np.sort(counts))

        key = (stamp_of(question.index), question.radius, question.window_days, str(window.reference))
        return self._scales.get(key, count)

    def choose_recent(self, question: Question, days: float, window: Window, context: JobContext) -> RecentIncidents:
        """Choose the incidents that the model may look at."""

        def select() -> RecentIncidents:
            return RecentIncidents.of(self.load_index(question.index, context), days, window.reference)

        return self._recents.get((stamp_of(question.index), days, str(window.reference)), select)


def answer(question: Question, memory: Memory, context: JobContext | None = None) -> dict[str, Any]:
    """Answer one question.

    Parameters
    ----------
    question : Question
    memory : Memory
        Filled on the first question, used from then on.
    context : JobContext, optional

    Returns
    -------
    dict
        JSON-able.  About the data: ``crs``, ``extent`` (west, south, east, north in it), ``data`` (of all that the
        index holds: ``incidents``, ``categories``, and of its days ``start``, ``end``, ``days``),
        ``incidents_in_window``, ``reference_time``, ``radius``, ``window_days``, ``covered_days`` (those of the
        window's days that have data), ``model`` (name or None), ``interval`` (share of truths that the model's bounds
        should hold, or None), ``warning`` (sentence or None).
        With a place also ``exact`` (score, percentile, score_abs), ``predicted`` (score, lower, upper, percentile; or
        None), ``nearest`` with ``nearest_days`` (how old they may be: with a model those it looks at),
        ``nearest_distance``, ``monthly`` and ``outside`` (sentence or None).

    Raises
    ------
    ParameterError, DataError, FormatError
    """
    context = context or JobContext()
    with context.step(0.0, 0.3):
        window = memory.choose_window(question, context)
    with context.step(0.3, 0.9):
        scale = memory.make_scale(question, window, context)
    with context.step(0.9, 1.0):
        model, recent, warning = _model(question, memory, window, context)
    incidents, cover = window.index.incidents, window.cover
    begin = window.reference - np.timedelta64(round(question.window_days * _DAY), "s")
    about = {
        "crs": window.index.crs,
        "extent": [float(f(axis)) for f in (np.min, np.max) for axis in (incidents.x, incidents.y)],
        "data": {"incidents": window.incidents, "categories": window.categories, **cover.to_json()},
        "incidents_in_window": len(window.index),
        "reference_time": str(window.reference),
        "radius": question.radius,
        "window_days": question.window_days,
        "covered_days": cover.count_days(begin, window.reference),
        "model": model.card.name if model is not None else None,
        "interval": model.card.interval if model is not None else None,
        "warning": warning,
    }
    if question.place is None:
        return about
    x, y = np.array(question.place[:1]), np.array(question.place[1:])
    # Farther than any projected coordinate; what is no number is not nearer either.
    if not (abs(x[0]) <= FARTHEST and abs(y[0]) <= FARTHEST):
        raise DataError("The place has no coordinates in the index's CRS", parameter="x", remedy="Ask nearer the data")
    within = _within(window, question)
    s_abs = np.array([len(within)])
    distance = float(window.index.find_nearest(x, y, 1)[0][0, 0])
    outside = _outside(distance)
    predicted = None
    if model is not None and recent is not None and outside is None:
        score, lower, upper = (float(part[0]) for part in model.predict(recent, x, y))
        percentile = float(model.to_percentile(np.array([score]))[0])
        predicted = {"score": score, "lower": lower, "upper": upper, "percentile": percentile}
    return {
        **about,
        "exact": {
            "score": float(scale.to_score(s_abs)[0]),
            "percentile": float(scale.to_percentile(s_abs)[0]),
            "score_abs": len(within),
        },
        "predicted": predicted,
        "nearest": _nearest_recent(recent, question) if recent is not None else _nearest(window, question),
        "nearest_days": recent.days if recent is not None else question.window_days,
        "nearest_distance": distance,
        "monthly": count_by_month(incidents.time[within], window.reference, question.window_days, cover),
        "outside": outside,
    }


def _model(
    question: Question, memory: Memory, window: Window, context: JobContext
) -> tuple[ScoreModel | None, RecentIncidents | None, str | None]:
    """Model and recent incidents, or why they cannot answer here."""
    if not question.model:
        return None, None, None
    model = memory.load_model(question.model, context)
    if why := model.check_belongs(memory.load_index(question.index, context)):
        return model, None, f"{why.rstrip('. ')}. Only the exact count answers."
    try:
        recent = memory.choose_recent(question, model.card.recent_days, window, context)
    except DataError as error:
        return model, None, f"The model cannot predict here. {error.describe()} Only the exact count answers."
    return model, recent, _caveats(model, question, memory.load_index(question.index, context), recent.reference)


def _caveats(model: ScoreModel, question: Question, index: CrimeIndex, reference: np.datetime64) -> str | None:
    """What to know before believing a prediction, as sentences."""
    from .model import describe_incomplete

    card = model.card
    sentences = []
    if why := describe_gap(index.incidents, card.recent_days, reference, "predicted scores will be too low"):
        sentences.append(f"{why}.")
    if not card.complete:
        sentences.append(f"{describe_incomplete(card)}.")
    if (card.radius, card.window_days) != (question.radius, question.window_days):
        sentences.append(
            f"The model predicts the score within {card.radius:g} m and {count_text(card.window_days, 'day')}, as it"
            f" was"
            f" trained; the exact count is of {question.radius:g} m and {count_text(question.window_days, 'day')}."
        )
    return " ".join(sentences) or None


def _within(window: Window, question: Question) -> NDArray[np.int64]:
    """Rows of the window's incidents closer than the radius."""
    closer = np.nextafter(question.radius, 0.0)
    return np.array(sorted(window.index.tree.query_ball_point(question.place, closer)), dtype=np.int64)


def _outside(distance: float) -> str | None:
    if distance <= OUTSIDE_METRES:
        return None
    far = f"{distance / 1000:,.1f} km" if distance < 100_000 else f"{distance / 1000:,.0f} km"
    return (
        f"This place lies outside the data: the nearest incident is {far} away. "
        "Nothing is known here, which does not mean that nothing happens."
    )


def _nearest(window: Window, question: Question) -> list[dict[str, Any]]:
    incidents = window.index.incidents
    return _neighbours(window.index.tree, incidents, _age(incidents.time, window.reference), question)


def _nearest_recent(recent: RecentIncidents, question: Question) -> list[dict[str, Any]]:
    return _neighbours(recent.tree, recent, recent.age, question)


def _neighbours(tree: Any, incidents: Any, age: NDArray[np.float64], question: Question) -> list[dict[str, Any]]:
    """The k nearest, nearest first; `incidents` are Incidents or RecentIncidents, which name their columns alike."""
    far, rows = tree.query(question.place, k=np.arange(1, min(question.k, tree.n) + 1))
    codes = [int(incidents.category[row]) for row in rows]
    return [
        {
            "x": float(incidents.x[row]),
            "y": float(incidents.y[row]),
            "distance": float(distance),
            "age_days": float(age[row]),
            "category": incidents.categories[code] if code >= 0 else None,
            "time": str(incidents.time[row].astype("datetime64[s]")),
            "fid": int(incidents.fid[row]),
        }
        for distance, row, code in zip(far, rows, codes, strict=True)
    ]


def _age(time: Times, reference: np.datetime64) -> NDArray[np.float64]:
    """Days before the reference time."""
    return np.asarray((reference - time).astype("timedelta64[s]").astype(np.float64) / _DAY)


def count_by_month(time: Times, reference: np.datetime64, window_days: float, cover: Cover) -> list[dict[str, Any]]:
    """Count incidents per calendar month of the window, oldest first, with how many days of the month lie in it.

    Of these days ``known_days`` have data.

    Months at both ends are usually cut: their counts are not to be compared with those of whole ones.  A first
    month of which the window holds less than a day, and nothing, is left out.
    """
    # The window is open at its old end: an incident exactly `window_days` old does not count.
    start = reference - np.timedelta64(round(window_days * _DAY), "s") + np.timedelta64(1, "s")
    first, last = start.astype("datetime64[M]"), reference.astype("datetime64[M]")
    edges = np.arange(first, last + 2).astype("datetime64[s]")
    counts = np.bincount((time.astype("datetime64[M]") - first).astype(np.int64), minlength=len(edges) - 1)
    begin, end = np.maximum(edges[:-1], start), np.minimum(edges[1:], reference + np.timedelta64(1, "s"))
    months = [
        {
            "month": str(edge.astype("datetime64[M]")),
            "count": int(count),
            "days": round(float((high - low).astype(np.int64)) / _DAY, 2),
            "known_days": round(cover.count_days(low, high), 2),
            "of_days": int((after - edge).astype(np.int64)) // _DAY,
        }
        for edge, after, count, low, high in zip(edges[:-1], edges[1:], counts, begin, end, strict=True)
    ]
    return months[1:] if len(months) > 1 and not counts[0] and end[0] - begin[0] < np.timedelta64(_DAY, "s") else months
