"""A score model at work: predictions for any places, with what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.errors import DataError
from .counted import tell_window
from .covered import describe_gap
from .definition import in_window
from .index import CrimeIndex
from .model import ScoreModel, describe_incomplete
from .query import OUTSIDE_METRES
from .recent import RecentIncidents

Floats = NDArray[np.float64]

#: The recent incidents closer than this are what a prediction rests on, metres.
SUPPORT_RADIUS = 500.0
#: Classes of a predicted score end at these percentiles of the incidents' own places.
CLASS_PERCENTILES = (20, 40, 60, 80)


@dataclass(frozen=True, eq=False)
class AppliedModel:
    """A model, and the incidents that it looks at.

    Attributes
    ----------
    model : ScoreModel
    index : CrimeIndex
    recent : RecentIncidents
        Those of the model's recent days.
    known : cKDTree
        Over the incidents of the score's window: far from all of them nothing is known.
    """

    model: ScoreModel
    index: CrimeIndex
    recent: RecentIncidents
    known: cKDTree

    @classmethod
    def load(
        cls,
        index: str,
        model: str,
        reference: np.datetime64 | None = None,
        elsewhere: bool = False,
        context: JobContext | None = None,
    ) -> AppliedModel:
        """Read both files.

        Parameters
        ----------
        reference : datetime64, optional
            Nothing after it is looked at; by default the time of the last incident.
        elsewhere : bool
            Whether a model of another place may be applied; a warning says so then.

        Raises
        ------
        DataError
            If model and index do not belong together, or no incident is recent at the reference time.
        """
        context = context or JobContext()
        context.progress(0.0, "Reading the index and the model")
        crime_index, loaded = CrimeIndex.load(index, context), ScoreModel.load(model)
        card = loaded.card
        if why := loaded.check_belongs(crime_index):
            if not elsewhere:
                raise DataError(
                    why,
                    parameter="model",
                    value=model,
                    remedy="To see its scores here all the same, choose Apply a model of another place",
                )
            context.warn(
                f"The model {card.name!r} was trained on another place and is applied here all the same: its scores"
                " are relative to that place, and nobody has measured how good they are here"
            )
        if not card.complete:
            context.warn(describe_incomplete(card))
        recent = RecentIncidents.of(crime_index, card.recent_days, reference)
        if why := describe_gap(crime_index.incidents, card.recent_days, recent.reference):
            context.warn(why)
        counted, _ = in_window(crime_index.incidents, card.window_days, recent.reference)
        known = cKDTree(np.column_stack((crime_index.incidents.x[counted], crime_index.incidents.y[counted])))
        context.log(
            f"Model {card.name!r} ({card.protocol}) sees {count_text(len(recent), 'incident')} of"
            f" {tell_window(recent.incidents, card.recent_days, recent.reference)['span_text']}"
        )
        return cls(loaded, crime_index, recent, known)

    @property
    def classes(self) -> list[tuple[float, float, int, int]]:
        """Lower and upper score of each class, and the percentiles of the incidents' own places that they stand for.

        Five, or fewer where many of those places share a score.
        """
        scores = (0.0, *(self.model.card.percentiles[percentile] for percentile in CLASS_PERCENTILES), 1.0)
        rows: list[tuple[float, float, int, int]] = []
        begin = 0
        for (low, high), end in zip(pairwise(scores), (*CLASS_PERCENTILES, 100), strict=True):
            if high > low:
                rows.append((low, high, begin, end))
                begin = end
        return [*rows[:-1], (*rows[-1][:3], 100)]

    def predict(self, x: Floats, y: Floats, context: JobContext | None = None, asked: int = 0) -> dict[str, Floats]:
        """What is predicted at places (`asked` in all, where they are a tile), NaN where nothing is known.

        Returns
        -------
        dict of ndarray, shape (n,)
            ``score``, ``lower``, ``upper``, ``percentile`` (of the incidents' own places) and ``count``: the incidents
            in the model's window that the score stands for.
        """
        known = np.isfinite(x) & np.isfinite(y)
        points = np.column_stack((x[known], y[known]))
        near, _ = self.known.query(points, distance_upper_bound=OUTSIDE_METRES, workers=-1)
        known[known] = np.isfinite(near)
        prediction = self.model.predict(self.recent, x[known], y[known], context, asked)
        known_values = {
            **prediction._asdict(),
            "percentile": self.model.to_percentile(prediction.score),
            "count": self.model.to_count(prediction.score),
        }
        columns = {name: np.full(len(x), np.nan) for name in known_values}
        for name, values in known_values.items():
            columns[name][known] = values
        return columns

    def count_support(self, x: Floats, y: Floats, context: JobContext | None = None) -> NDArray[np.int64]:
        """Count how many recent incidents lie closer than `SUPPORT_RADIUS` to each place: what it rests on."""
        counts = np.zeros(len(x), dtype=np.int64)
        known = np.isfinite(x) & np.isfinite(y)
        recent = CrimeIndex(self.recent.incidents, self.index.crs)
        counts[known] = recent.count_within(x[known], y[known], SUPPORT_RADIUS, None, context)
        return counts
