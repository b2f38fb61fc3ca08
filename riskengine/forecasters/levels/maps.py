"""The level with the maps before: a small convolutional network corrects each unit by where crime was of late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ...contract.forecasters import title_of
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...ground.errors import DataError
from ...learning.loop import Curves
from ...learning.settings import check_positive
from ...learning.threads import prepare_torch, repeatable, workers
from ...learning.training import train
from ...learning.trainingstate import Schedule
from ...maps.panel import Panel
from ..cell_features import measure_bin
from ..networks.networkstate import NetworkForecaster
from .base import Array, Way
from .learned import LearnedLevel
from .loglink import compute_losses, correct
from .mapnet import MapLessons, MapNetwork
from .pastforecasts import PastForecasts, forecast_past
from .recentsums import sum_recent

#: Half-lives of the maps that the network sees, days, each against that of a year.
_LIVES, _LONG = (1.0, 7.0, 28.0), 365.0
#: Incidents' worth of the long-run mean in each cell of a map.
_PRIOR = 1.0
#: Past bins that are learned from, and maps that are made at once, at most.
_MOST_BINS, _AT_ONCE = 3000, 500
_MOST_SIDE = 4096
#: To learn from, to choose the epoch on, and to prove it.
_LEAST_FOLDS = 3


class LevelMaps(LearnedLevel, NetworkForecaster):
    """Level × calendar × place, times e^(what a network makes of the maps before).

    It sees how the incidents of the last day, week and four weeks compare with those of the last year, on the panel's
    pictures (`Extras.pictures`, of all crime), or, on a grid without any, on the grid's own counts. Of the past that
    the level forecasts, the first half is learned from, the third quarter chooses the epoch, and the last one proves
    it: an untrained network leaves the level as it is, and so does one that is not proven.

    Parameters
    ----------
    features : int
        Channels of the first convolution.
    epochs, learning_rate, batch_size : int, float, int
    half_life, shrinkage, proven, threshold
        See `LearnedLevel`.
    seed : int

    Attributes
    ----------
    units_, layers_, corrects_ : int
        Of the network: units it corrects, layers of a map, and whether it does.
    network_, curves_
        See `NetworkForecaster`.
    """

    name = "level_maps"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        **LearnedLevel.LEARNED,
        **NetworkForecaster.LEARNED,
        "units_": ArraySpec("i", (), 1, 10**6),
        "layers_": ArraySpec("i", (), 1, _MOST_SIDE),
        "corrects_": ArraySpec("i", (), 0, 1),
    }

    units_: int
    layers_: int
    corrects_: int

    def __init__(
        self,
        features: int = 8,
        epochs: int = 20,
        learning_rate: float = 1e-3,
        batch_size: int = 32,
        half_life: float = 60.0,
        shrinkage: float | None = None,
        proven: bool = True,
        threshold: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(half_life, shrinkage, proven, threshold)
        check_positive(features=features, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size)
        self.features = features
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.seed = seed

    @property
    def corrects(self) -> bool:
        """Whether the network was proven."""
        return bool(self.corrects_)

    def build(self) -> MapNetwork:
        """Make an untrained network of this architecture."""
        return MapNetwork(self.layers_, self.units_, self.features)

    def _forecast_past(self, history: Panel) -> PastForecasts:
        units = int(history.mask.sum())
        return forecast_past(self._make_level, history, self.threshold, _MOST_BINS * units)

    def _begin(self, history: Panel, context: JobContext) -> None:
        self.units_, self.layers_ = int(history.mask.sum()), _read_pictures(history).shape[1] * len(_LIVES)
        self.corrects_ = 0
        self.weight_, self.trained_maps_, self.fitted_maps_ = 1.0, 0, len(history)
        self._device = prepare_torch(self.seed)
        self.network_ = self.build().to(self._device).eval()
        self.curves_ = Curves()

    def _learn(self, history: Panel, past: PastForecasts, context: JobContext) -> None:
        folds = np.unique(past.fold)
        if len(folds) < _LEAST_FOLDS:
            return
        maps = self._read(history.drop_delay(), history.edges).make(past.ways)
        # Three spans, one after the other: the epoch that looks best on the second proves nothing there.
        *_, choosing, proving = folds
        rows = np.flatnonzero(past.fold < choosing)
        chosen_on, judged_on = past.fold == choosing, past.fold == proving
        lessons = MapLessons(maps, past, rows, self.batch_size)
        self.trained_maps_ = past.ways[int(rows[-1])][1]
        schedule = Schedule(
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            seed=self.seed,
            keep="best" if self.proven else "last",
        )

        def validate() -> float:
            corrected = self._apply(maps[chosen_on], past.expected[chosen_on])
            return float(compute_losses(corrected, past.events[chosen_on]).mean())

        checkpoint = self.open_checkpoint(history)
        with repeatable(self._device), workers(self._device) as pool:
            self.curves_ = train(self.network_, lessons, validate, schedule, context, pool, checkpoint)
        self.network_.eval()
        corrected = past.expected.copy()
        corrected[judged_on] = self._apply(maps[judged_on], past.expected[judged_on])
        gain, proven = past.judge(corrected, which=judged_on)
        self.corrects_ = int(proven or not self.proven)
        said = "" if proven else ", which proves nothing" + (": the level stays as it is" if self.proven else "")
        context.log(f"{title_of(self.name)}: epoch {self.curves_.best_epoch}, {gain:+.4f} in log-loss{said}")

    def _read(self, panel: Panel, edges: NDArray[np.datetime64]) -> _MapsBefore:
        read = _MapsBefore(panel)
        if (read.layers, int(panel.mask.sum())) != (self.layers_, self.units_):
            raise DataError(
                f"The model was fitted on maps of {count_text(self.layers_ // len(_LIVES), 'layer')} for"
                f" {count_text(self.units_, panel.noun)}; here are {read.layers // len(_LIVES)} and"
                f" {int(panel.mask.sum())}",
                parameter="model",
                value=self.units_,
                remedy=f"Give the {panel.noun}s and maps that it was fitted on, or fit it again",
            )
        return read

    def _correct(self, read: _MapsBefore, ways: Sequence[Way], expected: Array) -> Array:
        corrected = expected.copy()
        for low in range(0, len(ways), _AT_ONCE):
            part = slice(low, low + _AT_ONCE)
            corrected[part] = self._apply(read.make(ways[part]), expected[part])
        return corrected

    def _apply(self, maps: NDArray[np.float32], expected: Array) -> Array:
        device = next(self.network_.parameters()).device
        with torch.no_grad():
            # One after the other: what a map gives does not depend on how many there are.
            found = [self.network_(torch.from_numpy(each[None]).to(device))[0].cpu().numpy() for each in maps]
        return correct(expected, np.stack(found).astype(np.float64))


class _MapsBefore:
    """Maps of what happened before each origin, against the long run."""

    def __init__(self, panel: Panel) -> None:
        self._pictures, self._observed = _read_pictures(panel), panel.observed
        self._bins = np.array([*_LIVES, _LONG]) / measure_bin(panel)
        self.layers = self._pictures.shape[1] * len(_LIVES)

    def make(self, ways: Sequence[Way]) -> NDArray[np.float32]:
        """Make the maps, shape (ways, layers, H, W)."""
        origins, which = np.unique([origin for origin, _ in ways], return_inverse=True)
        shape = self._pictures.shape[1:]
        maps = np.empty((len(origins), len(_LIVES), *shape), dtype=np.float32)
        # What one origin adds to the one before is a few bins: they are summed from the first on, some at a time.
        for low in range(0, len(origins), _AT_ONCE):
            some = origins[low : low + _AT_ONCE]
            sums = sum_recent(self._pictures.reshape(len(self._pictures), -1), some, self._bins)
            weight = sum_recent(self._observed[:, None].astype(np.float64), some, self._bins)
            usual = sums[:, -1:] * (weight[:, :-1] / np.maximum(weight[:, -1:], 1e-9))
            ratio = np.log((sums[:, :-1] + _PRIOR) / (usual + _PRIOR))
            maps[low : low + _AT_ONCE] = ratio.reshape(len(some), len(_LIVES), *shape)
        return maps.reshape(len(origins), -1, *shape[1:])[which]


def _read_pictures(panel: Panel) -> NDArray[np.generic]:
    """Read the pictures of a panel, or of a grid its counts, shape (T, C, H, W); 0 where nothing was observed.

    Raises
    ------
    DataError
        Where there are none.
    """
    pictures = panel.extras.pictures
    if not pictures.shape[1]:
        if panel.mask.ndim != 2:
            raise DataError(
                f"{title_of(LevelMaps.name)} looks at maps of all crime, and this panel of {panel.noun}s comes without",
                parameter="models",
                value=LevelMaps.name,
                remedy="Choose another model, use it in a tool of warnings, or count on a grid",
            )
        pictures = np.where(panel.mask, panel.counts, 0)[:, None]
    if not panel.observed.all():
        pictures = np.where(panel.observed[:, None, None, None], pictures[: len(panel)], 0)
    return np.asarray(pictures[: len(panel)])
