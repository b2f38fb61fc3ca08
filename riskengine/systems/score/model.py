"""A trained score model, and its file (``.crimescore``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator
from rasterio.warp import transform_bounds

from ...contract.choices import Protocol
from ...ground.context import JobContext
from ...ground.damage import ArraySpec, CrsText, Moment, check_arrays
from ...ground.errors import DataError
from ...learning.modelfile import Card, FileKind
from ...learning.weights import network_of, weights_of
from .features import FeatureSet, compute_tile_features
from .index import CrimeIndex
from .network import LEAST_SPREAD, Architecture, ScoreNetwork, run_network
from .parts import list_parts, work_on_parts
from .recent import RecentIncidents

Floats = NDArray[np.float64]

KIND = "crimerisk.scoremodel"
FORMAT = 1
SUFFIX = ".crimescore"
Place = Annotated[float, Field(ge=-1e9, le=1e9)]
Share = Annotated[float, Field(ge=0, le=1)]


class Prediction(NamedTuple):
    """Scores in [0, 1] with the bounds of their interval; ``lower <= score <= upper``, shape (n,) each."""

    score: Floats
    lower: Floats
    upper: Floats


class ScoreCard(Card):
    """Everything a score model says about itself.

    Attributes
    ----------
    protocol : {"recommended", "published"}
        How it was trained and judged.
    radius, window_days : float
        The score it predicts: incidents within `radius` metres in `window_days` days.
    recent_days : float
        It reads incidents this recent.
    reference_time : str
        End of both windows in training, ISO.
    crs : str
        Of the index it was trained on.
    extent : tuple of float
        West, south, east, north of the incidents trained on, metres in `crs`.
    count_low, count_high : int
        S_abs at scores 0 and 1.
    interval : float
        Share of truths the bounds should hold.
    widening : float
        What held-out blocks asked to be added to both bounds (Romano et al. 2019, conformalised quantiles).
    percentiles : list of float
        Score at each whole percentile of the incidents' own places, 101 numbers.
    metrics : dict
    seed : int
    fingerprint : str
        Of the index.
    recent_incidents : int
        How many incidents the training looked at as recent ones.
    complete : bool
        False if the training was cancelled and its best network so far kept.
    """

    model_config = ConfigDict(allow_inf_nan=False)
    kind: str = KIND
    format: int = FORMAT
    name: str
    protocol: Protocol
    features: FeatureSet
    architecture: Architecture
    radius: float = Field(gt=0, le=1e6)
    window_days: float = Field(gt=0, le=1e6)
    recent_days: float = Field(gt=0, le=1e6)
    reference_time: Moment
    crs: CrsText
    extent: tuple[Place, Place, Place, Place]
    count_low: int = Field(ge=1, le=10**12)
    count_high: int = Field(ge=2, le=10**12)
    interval: float = Field(gt=0, lt=1)
    widening: float = Field(ge=-1, le=1)
    percentiles: list[Share] = Field(min_length=101, max_length=101)
    metrics: dict[str, Any] = {}
    seed: int
    fingerprint: str
    incidents: int = Field(ge=0)
    recent_incidents: int = Field(ge=0)
    versions: dict[str, str]
    complete: bool = True

    @model_validator(mode="after")
    def _check_order(self) -> ScoreCard:
        if self.count_low > self.count_high or list(self.percentiles) != sorted(self.percentiles):
            raise ValueError("counts or percentiles do not rise")
        return self


SCORE_MODEL = FileKind(
    KIND,
    FORMAT,
    ScoreCard,
    "score model",
    f"Choose a {SUFFIX} file written by Train score model, or train it again",
)


class ScoreModel:
    """A network with its card.

    Parameters
    ----------
    network : ScoreNetwork
    card : ScoreCard
    """

    def __init__(self, network: ScoreNetwork, card: ScoreCard) -> None:
        self.network = network
        self.card = card

    def predict(
        self, recent: RecentIncidents, x: Floats, y: Floats, context: JobContext | None = None, asked: int = 0
    ) -> Prediction:
        """The score of places, seen from the recent incidents alone.

        Parameters
        ----------
        recent : RecentIncidents
            Of `card.recent_days` days.
        x, y : ndarray, shape (n,)
            Metres in the CRS of the incidents.
        asked : int
            How many places are asked for in all, where these are one tile of a raster.
        """
        context = context or JobContext()
        out = np.empty((len(x), 3 if self.card.architecture.output == "interval" else 1), dtype=np.float32)

        def fill(part: NDArray[np.int64]) -> None:
            table = compute_tile_features(recent, x[part], y[part], self.card.features, asked=asked)
            out[part] = run_network(self.network, table)

        work_on_parts(fill, list_parts(x, y), context, "Predicting scores")
        if not np.isfinite(out).all():
            raise DataError(
                f"The model {self.card.name!r} answers with scores that are no numbers: its file is damaged",
                parameter="model",
                value=self.card.name,
                remedy="Train it again with Train score model",
            )
        return widen(out.astype(np.float64), self.card.widening)

    def to_percentile(self, score: Floats) -> Floats:
        """Bring scores to the share, in percent, of the incidents' own places with a score as low."""
        return np.asarray(np.interp(score, self.card.percentiles, np.arange(101.0)))

    def to_count(self, score: Floats) -> Floats:
        """Bring scores to the number of incidents in the window that they stand for."""
        low, high = np.log(self.card.count_low), np.log(self.card.count_high)
        return np.asarray(np.exp(low + score * (high - low)))

    def check_belongs(self, index: CrimeIndex) -> str | None:
        """A sentence if the index covers another place than the model was trained on, else None."""
        card, incidents = self.card, index.incidents
        extent = card.extent
        if card.crs != index.crs:
            try:
                extent = transform_bounds(card.crs, index.crs, *card.extent)
            except Exception:
                # PROJ refuses what lies outside a projection's reach: then it is another place indeed.
                extent = (np.inf,) * 4
        west, south, east, north = (
            incidents.x.min(), incidents.y.min(), incidents.x.max(), incidents.y.max()
        )  # fmt: skip
        if extent[0] <= east and extent[2] >= west and extent[1] <= north and extent[3] >= south:
            return None
        return (
            f"The model {card.name!r} was trained on another place than this index covers:"
            " its scores do not apply here. Choose the model trained on this index, or train one"
        )

    def save(self, path: str | Path, parameter: str = "model") -> None:
        """Write the model as one file, whole or not at all."""
        SCORE_MODEL.write(path, weights_of(self.network), self.card, parameter)

    @classmethod
    def load(cls, path: str | Path, parameter: str = "model") -> ScoreModel:
        """Read a model; runs no code of the file.

        Raises
        ------
        FormatError
            If the file is missing, truncated, damaged, of another kind or newer.
        """
        card, weights = SCORE_MODEL.read(path, parameter)
        if len(card.features.list_names()) != card.architecture.inputs:
            raise SCORE_MODEL.make_misfit_error(path, parameter)
        try:
            network = network_of(lambda: ScoreNetwork(card.architecture), weights)
            check_arrays({"spread": ArraySpec("f", ("inputs",), LEAST_SPREAD)}, weights)
        except (RuntimeError, ValueError, TypeError) as error:
            raise SCORE_MODEL.make_misfit_error(path, parameter, error) from error
        return cls(network.eval(), card)


def describe_incomplete(card: ScoreCard) -> str:
    """Describe a model whose training was cancelled."""
    return (
        f"The training of the model {card.name!r} was cancelled: this is its best network so far, whose"
        " error nobody has measured"
    )


def widen(out: Floats, widening: float | Floats) -> Prediction:
    """Widen scores with bounds from a network's output (n, 1 or 3) as held-out rows asked."""
    score = out[:, 0]
    lower, upper = (out[:, 1], out[:, 2]) if out.shape[1] == 3 else (score, score)
    return Prediction(
        score,
        np.clip(np.minimum(lower - widening, score), 0.0, 1.0),
        np.clip(np.maximum(upper + widening, score), 0.0, 1.0),
    )
